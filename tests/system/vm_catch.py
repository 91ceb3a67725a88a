# SPDX-License-Identifier: GPL-3.0-or-later
"""Within the virtual machine: stops a process while it holds something of a feed, and has a signal end it there.

Asked by one JSON object as its argument; answers with one on standard output, and writes nothing else anywhere:
  groups   where the process may turn up: patterns of control groups
  program  the name of its program: before that is executed it is still systemd's
  new      whether only one will do that is begun after our look has begun
  lasts    whether it will hold that for a while: then it runs freely until it does
  wants    words: something that looks like a token in its memory; files: bytes in a nameless file that it has open; nothing
  signal   its number
  then     a command that is begun once we look
  timeout  seconds
What it held is told as SHA-256 of each word in lower case, and as [size, SHA-256 of the first KiB, whether it begins as a zip
does] of each file. A process that lives shortly is stopped at first sight, and let go on for a moment at a time, until it holds
what is wanted; one that has ended before that is none, and the next one is looked for."""
import glob
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

WORD = re.compile(rb"[Zz][Qq][A-Za-z]{10,}|ZQ[A-Z]{10,}")
HEAD = 1024
SLICE = 0.01  # seconds that it is let go on


def words(pid):
    """What looks like a token in what the process can write to; a library's text and ours are not the feed's."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            part, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            begin, end = (int(x, 16) for x in part.split("-"))
            memory.seek(begin)
            while begin < end:
                try:
                    data = memory.read(min(1 << 22, end - begin))
                except OSError:  # guarded pages
                    break
                if not data:
                    break
                begin += len(data)
                found.update(hashlib.sha256(word.lower()).hexdigest() for word in WORD.findall(data))
    return sorted(found)


def nameless(path):
    """[size, ...] of what a descriptor is, if it is a file without a name and with bytes in it."""
    there = os.stat(path)
    if not os.readlink(path).endswith(" (deleted)") or not stat.S_ISREG(there.st_mode) or not there.st_size:
        return None
    with open(path, "rb") as file:
        head = file.read(HEAD)
    return [there.st_size, hashlib.sha256(head).hexdigest(), head.startswith(b"PK")]


def files(pid):
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(nameless(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue  # closed meanwhile: it may run
    return [one for one in found if one]


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rpartition(")")[2].split()[0]


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    while state(pid) not in "TZX":
        time.sleep(0.0005)
    if state(pid) != "T":
        raise ProcessLookupError


def processes(group):
    with open(group + "/cgroup.procs", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def candidates(asked):
    """[(process, control group)] of what is there, after its program's start; the oldest first."""
    found = []
    for group in [group for pattern in asked["groups"] for group in glob.glob(pattern)]:
        try:
            found += [(pid, group) for pid in processes(group) if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == asked["program"]]
        except OSError:
            continue  # it has gone
    return sorted(found)


def looked_into(pid, asked):
    """What it holds; or None where that is not what is wanted, or not yet."""
    held = {"words": words(pid) if asked["wants"] == "words" else [], "files": files(pid)}
    return held if asked["wants"] == "nothing" or held[asked["wants"]] else None


def ended(pid, asked, deadline):
    """Steps it on until it holds what is wanted, and ends it there. None: it was over before."""
    while time.monotonic() < deadline:
        if asked.get("lasts") and not looked_into(pid, asked):
            time.sleep(0.001)
            continue
        stop(pid)
        held = looked_into(pid, asked)
        if held:
            os.kill(pid, asked["signal"])
        os.kill(pid, signal.SIGCONT)
        if held:
            return held
        time.sleep(SLICE)
    return None


def main():
    asked = json.loads(sys.argv[1])
    deadline = time.monotonic() + asked["timeout"]
    over = {pid for pid, _ in candidates(asked)} if asked.get("new") else set()
    others = len(over)
    if asked.get("then"):
        subprocess.Popen(asked["then"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while time.monotonic() < deadline:
        for pid, group in candidates(asked):
            if pid in over:
                continue
            over.add(pid)
            try:
                held = ended(pid, asked, deadline)
            except (ProcessLookupError, FileNotFoundError):
                continue  # it was over before
            if held:
                print(json.dumps({"pid": pid, "group": group, **held}))
                return 0
        time.sleep(0.001)
    print(json.dumps({"met": len(over) - others}))
    return 1


if __name__ == "__main__":
    sys.exit(main())
