#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share that hangs: a file system that stops answering. patrond goes on, says so, answers, loads from the other source, does
not pile up processes that nobody can kill, ends when asked, and heals. As root.

Twice: on bindfs whose server is stopped (its requests are not even taken: who waits can be killed), and on a file system of our
own that takes requests and does not answer (who waits cannot be killed, as on cifs).
"""
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import share_kit
import stagekit
from fuse_share import FuseShare
from sftp_server import SftpServer
from share_kit import NOBODY, Town, make_zip, own_mounts

PATRONCTL = os.path.join(stagekit.BIN, "patronctl")
HUNG_MAX = 6  # where four hang no more are begun, but three may have been under way: a look's, the janitor's, the watch


def of_parent(pid, program="patrond-share"):
    """(pid, state) of each child that runs this program."""
    children = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as file:
                    comm, _, rest = file.read().partition("(")[2].rpartition(")")
            except OSError:
                continue
            state, parent = rest.split()[:2]
            if int(parent) == pid and comm == program:
                children.append((int(name), state))
    return children


def alive(pid):
    return os.path.exists(f"/proc/{pid}")


class Hanging:
    """What both have in common. hang() and answer() are each one's own."""

    @classmethod
    def setUpClass(cls):
        if not os.path.exists("/dev/fuse") or not own_mounts():
            raise unittest.SkipTest("no FUSE here")

    def setUp(self):
        self.town = Town()
        self.addCleanup(self.town.close)
        self.mount()
        self.sftp = SftpServer(directory=self.town.path("sftp")).start()
        self.addCleanup(self.sftp.stop)
        for name in ("patrond-fetch",):
            os.symlink(os.path.join(stagekit.BIN, name), self.town.path(name))
        shutil.copy(self.sftp.client_key, self.town.path("credentials", "sftp-key"))
        os.chown(self.town.path("credentials", "sftp-key"), NOBODY.pw_uid, NOBODY.pw_gid)
        with open(self.town.path("known_hosts"), "w", encoding="ascii") as file:
            file.write(self.sftp.known_hosts())
        self.town.extra = (f"[sftp]\nhost = 127.0.0.1\nport = {self.sftp.port}\nuser = {self.sftp.user}\npath = {self.sftp.drop}\n"
                           f"known_hosts = {self.town.path('known_hosts')}\npoll_interval = 1s\nsettle = 100ms\n")
        self.town.settings.update(stall_timeout="700ms", remote_poll_interval="300ms", poll_interval="1s")
        self.town.janitor = {"policy": "report"}
        self.said, self.beats, self.answers, self.states = [], [], [], set()
        self.over = threading.Event()

    def listen(self):
        """Where systemd would be: STATUS= and the watchdog's beats."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind(self.town.path("notify"))
        os.chmod(self.town.path("notify"), 0o777)

        def take():
            while not self.over.is_set():
                text = notify.recv(4096)
                if text == b"WATCHDOG=1":
                    self.beats.append(time.monotonic())
                self.said.append(text.decode())

        threading.Thread(target=take, daemon=True).start()

    def ask(self):
        """patronctl status, and how long its answer took."""
        begun = time.monotonic()
        answer = subprocess.run([PATRONCTL, "status", "--socket", self.town.path("runtime", "control")], capture_output=True,
                                text=True, timeout=20, check=False)
        self.answers.append(time.monotonic() - begun)
        return answer

    def start(self):
        self.listen()
        self.town.start(env={"NOTIFY_SOCKET": self.town.path("notify"), "WATCHDOG_USEC": "1000000"})
        self.assertTrue(self.town.wait(lambda: self.town.said("is watched")), self.town.entries)
        self.put("first.zip", make_zip("10000001"))
        self.loaded("10000001")

    def loaded(self, *keys, timeout=30):
        self.assertTrue(self.town.wait(lambda: self.town.loaded() == list(keys), timeout),
                        (self.town.loads(), [e["MESSAGE"] for e in self.town.entries][-12:]))

    def test_a_share_that_hangs(self):
        town = self.town
        self.start()
        patrond = town.process.pid
        self.hang()
        hung = time.monotonic()
        most = 0
        failed = "STATUS=FAILED: patrond-share gave no sign"
        told = False
        while time.monotonic() - hung < self.long or not told:
            self.assertLess(time.monotonic() - hung, 60, self.said[-5:])
            answer = self.ask()
            self.assertEqual(answer.returncode, 2 if "FAILED" in answer.stdout else 0, answer)
            most = max(most, len(of_parent(patrond)))
            told = told or any(t.startswith(failed) for t in self.said)
            time.sleep(0.2)
        self.assertIn("gave no sign", self.ask().stdout)
        # the other source goes on being loaded
        self.sftp.put("second.zip", make_zip("10000002"))
        self.loaded("10000001", "10000002", timeout=60)
        # told once, not at every look
        self.assertLessEqual(len(town.said("not watched for now")), 2)
        self.assertLessEqual(most, HUNG_MAX)
        # the loop has turned all the time
        self.assertLess(max(b - a for a, b in zip(self.beats, self.beats[1:])), 1.5)
        self.assertLess(sorted(self.answers)[len(self.answers) // 2], 0.3, self.answers)
        self.assertLess(max(self.answers), 1.5)
        self.answer()
        self.put("third.zip", make_zip("10000003"))
        self.loaded("10000001", "10000002", "10000003", timeout=90)
        self.assertTrue(town.wait(lambda: len(town.said("is watched")) > 1, 90))
        # nobody is left of those that hung: there is the one that watches, and whoever is at work
        self.assertTrue(town.wait(lambda: len(of_parent(patrond)) <= 3 and "Z" not in {state for _, state in of_parent(patrond)}, 20),
                        of_parent(patrond))
        # hangs again, with the patience that it has by default, and is asked to end
        town.settings["stall_timeout"] = "60s"
        town.configure()
        town.process.send_signal(signal.SIGHUP)
        self.assertTrue(town.wait(lambda: town.said("read anew")))
        time.sleep(1)
        self.hang()
        time.sleep(3)
        left = [pid for pid, _ in of_parent(patrond)]
        begun = time.monotonic()
        town.process.send_signal(signal.SIGTERM)
        self.assertEqual(town.process.wait(40), 0)
        self.assertLess(time.monotonic() - begun, 25)
        self.over.set()
        self.answer()  # before anything waits for the end of its output, which those that hang hold open
        town.stop()
        self.assertTrue(town.wait(lambda: not any(alive(pid) for pid in left), 20), left)
        print(f"patronctl status: median {sorted(self.answers)[len(self.answers) // 2] * 1000:.0f} ms, worst "
              f"{max(self.answers) * 1000:.0f} ms of {len(self.answers)}; at most {most} share stages")


@unittest.skipUnless(shutil.which("bindfs"), "no bindfs here")
class Stopped(Hanging, unittest.TestCase):
    """bindfs, stopped."""

    long = 6

    def mount(self):
        town = self.town
        os.mkdir(town.path("behind"))
        os.chown(town.path("behind"), NOBODY.pw_uid, NOBODY.pw_gid)
        self.server = subprocess.Popen(["bindfs", "-f", "-o", "attr_timeout=0,entry_timeout=0,direct_io,allow_other",
                                        town.path("behind"), town.share], stdin=subprocess.DEVNULL)
        self.addCleanup(self.unmount)
        self.assertTrue(town.wait(lambda: os.path.ismount(town.share)))

    def unmount(self):
        self.server.send_signal(signal.SIGCONT)
        subprocess.run(["umount", "-l", self.town.share], check=False)
        self.server.terminate()
        self.server.wait(10)

    def put(self, name, data):
        self.town.put(name, data, where=self.town.path("behind"))

    def hang(self):
        self.server.send_signal(signal.SIGSTOP)

    def answer(self):
        self.server.send_signal(signal.SIGCONT)


class Unkillable(Hanging, unittest.TestCase):
    """Our own: requests are taken and not answered. Long enough for more processes to hang than may."""

    long = 36

    def mount(self):
        self.share = FuseShare(self.town.share)
        self.addCleanup(self.share.close)

    def put(self, name, data):
        self.share.put(name, data)

    def hang(self):
        self.share.hang()

    def answer(self):
        self.share.answer()


if __name__ == "__main__":
    share_kit.main()
