# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian 12 with its stock kernel in a virtual machine under software emulation, with the container's interface.

    with Machine(image, folder) as machine:
        machine.run("systemctl", "is-system-running")

qemu's user network lets it reach servers on the host's loopback, as vm_image.HOST, and nobody reaches it. Commands go over a
serial channel to its agent (vm_agent.py). Its disk and its swap are raw files in folder, for the host to search."""
import base64
import json
import os
import select
import socket
import subprocess
import time

from container import Container

MEMORY, SWAP = 2048, 1024  # MiB
QEMU = "qemu-system-x86_64"


class Machine(Container):
    def __init__(self, image, folder):
        super().__init__(folder)
        self.image, self.channel, self.boot = image, None, None
        self.buffer, self.answers, self.next_id = b"", {}, 0
        self.disk, self.swap = (os.path.join(folder, name) for name in ("disk.img", "swap.img"))

    def path(self, name):
        raise NotImplementedError("a file of its disk is not to be had from outside")

    live = path

    def put(self, files):
        """{path: (mode, bytes)}, root's."""
        for name, (mode, data) in files.items():
            self.run("sh", "-c", 'umask 077 && mkdir -p -m 755 "${1%/*}" && cat >"$1" && chmod "$2" "$1"', "sh", name, f"{mode:o}",
                     stdin=data, text=False)

    # --- the channel ---

    def command(self):
        # -cpu max: what the emulation has; no kvm, so that it is the same on every machine
        return [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY), "-nographic", "-nodefaults",
                "-serial", "file:" + os.path.join(self.folder, "console.log"), "-kernel", self.image.kernel, "-initrd", self.image.initrd,
                "-append", "root=/dev/vda rw console=ttyS0 panic=-1 quiet systemd.show_status=0 net.ifnames=0",
                "-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe",
                "-drive", f"file={self.swap},format=raw,if=virtio,cache=unsafe",
                "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n", "-device", "virtio-rng-pci",
                "-chardev", f"socket,id=c,path={self.folder}/channel,server=on,wait=off", "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=c,name=patrond.test"]

    def start(self, timeout=300):
        self.image.copy(self.disk)
        with open(self.swap, "wb") as file:
            file.truncate(SWAP << 20)
        # it goes with this program, however that ends
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "nice", *self.command()], stdin=subprocess.DEVNULL,
                                        stdout=self.console, stderr=self.console)
        deadline = time.monotonic() + 30
        while not os.path.exists(self.folder + "/channel"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.console.name, errors="replace") as file:
                    raise RuntimeError("the virtual machine did not start: " + file.read()[-2000:])
            time.sleep(0.05)
        self.channel = socket.socket(socket.AF_UNIX)
        self.channel.connect(self.folder + "/channel")
        self.wait_booted(timeout)
        return self

    def take(self, timeout):
        """Reads what the agent has said until then. False: nothing came."""
        if not select.select([self.channel], [], [], max(timeout, 0))[0]:
            return False
        more = self.channel.recv(1 << 20)
        if not more:
            raise RuntimeError("the virtual machine is gone: " + self.last_words())
        *lines, self.buffer = (self.buffer + more).split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # half a line, of before a reboot
            if "boot" in said:
                self.boot = said["boot"]
            else:
                self.answers[said["id"]] = said
        return True

    def last_words(self):
        with open(os.path.join(self.folder, "console.log"), errors="replace") as file:
            return file.read()[-3000:]

    def wait_booted(self, timeout=300, other_than=None):
        deadline = time.monotonic() + timeout
        while self.boot == other_than:
            if time.monotonic() > deadline:
                raise RuntimeError("the virtual machine did not boot: " + self.last_words())
            self.take(deadline - time.monotonic())
        self.run("systemctl", "is-system-running", "--wait", check=False, timeout=max(deadline - time.monotonic(), 10))

    def begin(self, *command, timeout=120, stdin=None):
        """Starts a command and returns its number, for finish()."""
        self.next_id += 1
        asked = {"id": self.next_id, "argv": [str(c) for c in command], "timeout": timeout}
        if stdin is not None:
            asked["stdin"] = base64.b64encode(stdin.encode() if isinstance(stdin, str) else stdin).decode()
        self.channel.sendall(json.dumps(asked).encode() + b"\n")
        return self.next_id

    def finish(self, number, timeout=120, text=True):
        """The completed process; subprocess.TimeoutExpired where it did not end in time."""
        deadline = time.monotonic() + timeout
        while number not in self.answers and time.monotonic() < deadline:
            self.take(deadline - time.monotonic())
        answer = self.answers.pop(number, None)
        if answer is None or answer["status"] is None:
            raise subprocess.TimeoutExpired(f"command {number} of the virtual machine", timeout)
        out, err = base64.b64decode(answer["out"]), base64.b64decode(answer["err"])
        return subprocess.CompletedProcess([], answer["status"], out.decode(errors="replace") if text else out,
                                           err.decode(errors="replace") if text else err)

    def run(self, *command, check=True, timeout=120, text=True, stdin=None):
        # the machine is slow, and its answer comes later than the command's end
        done = self.finish(self.begin(*command, timeout=timeout, stdin=stdin), timeout + 30, text)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def reboot(self, timeout=300):
        before = self.boot
        self.run("systemctl", "reboot", check=False)
        self.wait_booted(timeout, before)

    def flush(self):
        """Everything that it has written to its disk is in the file."""
        self.run("sync", timeout=300)

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.begin("systemctl", "poweroff")
                self.process.wait(90)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process = None
        if self.channel:
            self.channel.close()
