# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job with every stage behind a unix socket of its own, as socket activation has it: nothing is forked."""
import os
import shutil
import pwd
import selectors
import signal
import socket
import subprocess
import threading
import time
import unittest

import stagekit
from hostile_smtp import HostileSmtp
from rig import USER, Rig

STAGES = ("share", "fetch", "decode", "load", "report", "mail")


class Broker:
    """Listens on DIR/STAGE and starts the stage for each connection, with it as descriptor 3: Accept=yes, in small."""

    def __init__(self, rig, directory):
        self.rig, self.directory, self.processes = rig, directory, []
        self.started = {}
        self.selector = selectors.DefaultSelector()
        os.makedirs(directory)
        os.chmod(directory, 0o700)
        rig.give(directory)
        for stage in STAGES:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(os.path.join(directory, stage))
            rig.give(os.path.join(directory, stage))
            listener.listen(4)
            self.selector.register(listener, selectors.EVENT_READ, stage)
        self.stop_read, self.stop_write = os.pipe()
        self.selector.register(self.stop_read, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                connection, _ = key.fileobj.accept()
                self.start(key.data, connection)

    def start(self, stage, connection):
        fd = os.dup(connection.fileno())
        connection.close()
        entry = pwd.getpwnam(USER) if USER else None

        def become():
            os.dup2(fd, 3)
            os.set_inheritable(3, True)
            if entry:
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)

        env = {**self.rig.environment(False), "PATROND_CONFIG": self.rig.path("patrond.conf")}
        self.processes.append(subprocess.Popen([os.path.join(stagekit.BIN, "patrond-" + stage)], env=env, preexec_fn=become,
                                               pass_fds=(3, fd), stdin=subprocess.DEVNULL))
        os.close(fd)
        self.started[stage] = self.started.get(stage, 0) + 1

    def close(self):
        os.write(self.stop_write, b"x")
        self.thread.join()
        # every stage ends with its connection
        left = [p.args for p in self.processes if p.wait(10) is None]
        for key in list(self.selector.get_map().values()):
            if key.data is not None:
                key.fileobj.close()
        os.close(self.stop_read)
        os.close(self.stop_write)
        return left


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come about")
        time.sleep(0.1)


class Sockets(unittest.TestCase):
    def test_the_main_job(self):
        with Rig(os.path.dirname(stagekit.BIN)) as rig:
            rig.make_feed(students=300, staff=60, patrons=1000, seed=5)
            rig.start_sftp()
            rig.start_sierra()
            relay = HostileSmtp(rig.path("sierra.pem"), rig.path("sierra.key"))
            self.addCleanup(relay.__exit__)
            rig.config(f"[report]\nrecipients = anna@example.org\n[mail]\nrelay = smtp://127.0.0.1:{relay.port}\n"
                       f"from = patrond@library.example\nca_file = {rig.path('ca.pem')}\n")
            rig.drop()
            before = rig.dump()
            broker = Broker(rig, rig.path("stages"))
            try:
                # the supervisor itself has no credential and can fork nothing: its folder holds no stage
                os.makedirs(rig.path("alone/bin"))
                os.link(os.path.join(stagekit.BIN, "patrond"), rig.path("alone/bin/patrond")) if os.stat(
                    stagekit.BIN).st_dev == os.stat(rig.directory).st_dev else subprocess.run(
                        ["cp", os.path.join(stagekit.BIN, "patrond"), rig.path("alone/bin/patrond")], check=True)
                shutil.copytree(os.path.join(stagekit.BIN, "profiles"), rig.path("alone/bin/profiles"))
                rig.build, build = rig.path("alone"), rig.build
                result = rig.patrond("--once", env={"PATROND_STAGES": rig.path("stages"), "CREDENTIALS_DIRECTORY": ""})
                rig.build = build
            finally:
                left = broker.close()
            self.assertEqual(result.status, 0, result.messages()[-5:] + result.noise[-5:])
            self.assertEqual(rig.wrong_outcomes(result), [])
            self.assertEqual(rig.differences(before, rig.dump()), [])
            self.assertEqual(left, [])
            self.assertEqual(set(broker.started), set(STAGES))
            self.assertEqual(len(relay.bodies), 1, "no mail")
            # and every one of them was in its sandbox
            walls = {e["STAGE"]: int(e["WALLS"], 16) for e in result.entries if "WALLS" in e}
            self.assertEqual(set(walls), {*STAGES, "patrond"})
            self.assertEqual({s for s, w in walls.items() if w & 0x1f != 0x1f}, set())

    def test_resident_behind_its_walls(self):
        """Loads, answers, reads a changed configuration and leaves its memory behind, without a right too many."""
        with Rig(os.path.dirname(stagekit.BIN)) as rig:
            rig.make_feed(students=30, staff=6, patrons=100, seed=5)
            rig.start_sftp()
            rig.start_sierra()
            rig.config()
            rig.drop()
            broker = Broker(rig, rig.path("stages"))
            log = open(rig.path("log"), "w+", encoding="utf-8")
            process = rig.start_patrond(env={"PATROND_STAGES": rig.path("stages"), "CREDENTIALS_DIRECTORY": ""}, stderr=log)

            def ctl(*arguments):
                return subprocess.run([os.path.join(stagekit.BIN, "patronctl"), "--socket", rig.path("runtime/control"),
                                       *arguments], capture_output=True, text=True, timeout=60, check=False)

            try:
                wait_for(lambda: ctl("--json", "status").returncode == 0)
                wait_for(lambda: '"created"' in ctl("--json", "status").stdout)
                with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
                self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
                # a file of the configuration that was not there before; a bad one is refused, and the old one stays
                os.makedirs(rig.path("patrond.conf.d"), exist_ok=True)
                extra = rig.path("patrond.conf.d/extra.conf")
                with open(extra, "w", encoding="ascii") as file:
                    file.write("[sierra]\nconnections = 2\n")
                self.assertEqual(ctl("reload").returncode, 0)
                with open(extra, "w", encoding="ascii") as file:
                    file.write("[sierra]\nconnections = many\n")
                self.assertNotEqual(ctl("reload").returncode, 0)
                os.unlink(extra)
                wait_for(lambda: ctl("run", "--wait").returncode == 0)  # a reload begins a look
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
                left = broker.close()
            self.assertEqual((process.returncode, left), (0, []))
            self.assertTrue(os.path.exists(rig.path("runtime/state")))
            self.assertFalse(os.path.exists(rig.path("runtime/control")))
            log.close()


if __name__ == "__main__":
    stagekit.main()
