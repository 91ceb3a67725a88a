#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machine's end of the test's channel: runs what it is asked to, and nothing else. Part of the image of vm_image.py.

One JSON object a line, both ways. Asked: id, argv, stdin (base64, may be absent), timeout (seconds). Answered: id, status, out,
err (base64); status null: it did not end in time. After a boot it says {"boot": ID}. Each command has a thread of its own, so
that one that hangs in a dead mount, beyond any signal, holds up no other."""
import base64
import json
import os
import signal
import subprocess
import threading

PORT = "/dev/virtio-ports/patrond.test"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0",
               "SYSTEMD_PAGER": "", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
LOCK = threading.Lock()


def say(port, value):
    data = json.dumps(value).encode() + b"\n"
    with LOCK:
        while data:
            data = data[os.write(port, data):]


def end(process):
    """Nobody waits for one that cannot be killed."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def work(port, asked):
    stdin = base64.b64decode(asked["stdin"]) if "stdin" in asked else None
    process = subprocess.Popen(asked["argv"], stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=ENVIRONMENT, cwd="/", start_new_session=True)
    out, err, status = b"", b"", None
    try:
        out, err = process.communicate(stdin, timeout=asked["timeout"])
        status = process.returncode
    except subprocess.TimeoutExpired:
        end(process)
    say(port, {"id": asked["id"], "status": status, "out": base64.b64encode(out).decode(), "err": base64.b64encode(err).decode()})


def guarded(port, asked):
    try:
        work(port, asked)
    except (OSError, ValueError) as e:
        say(port, {"id": asked["id"], "status": 127, "out": "", "err": base64.b64encode(str(e).encode()).decode()})


def main():
    port = os.open(PORT, os.O_RDWR | os.O_CLOEXEC)
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        say(port, {"boot": file.read().strip()})
    buffer = b""
    while True:
        more = os.read(port, 1 << 16)
        if not more:
            return
        *lines, buffer = (buffer + more).split(b"\n")
        for line in lines:
            threading.Thread(target=guarded, args=(port, json.loads(line)), daemon=True).start()


if __name__ == "__main__":
    main()
