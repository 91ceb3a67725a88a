# SPDX-License-Identifier: GPL-3.0-or-later
"""What every program does to itself: no core, no debugger, nothing kept open that it was not given; whatever ends it."""
import fcntl
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import escape_bench
import stagekit

USER = "nobody" if os.geteuid() == 0 else None


def unlimited():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


class Walls(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="patrond-walls-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        self.way = escape_bench.ByHand(self.folder, stagekit.BIN, USER)
        self.addCleanup(self.way.close)

    def left(self):
        return os.listdir(self.way.path("here"))

    def cores_are_files(self):
        """Whether a process that dies here leaves a core in its working directory at all."""
        process = subprocess.Popen(["sleep", "60"], cwd=self.way.path("here"), stdin=subprocess.DEVNULL, preexec_fn=unlimited,
                                   **escape_bench.stage_user(USER))
        time.sleep(0.1)
        process.send_signal(signal.SIGABRT)
        process.wait()
        left = self.left()
        for name in left:
            os.unlink(os.path.join(self.way.path("here"), name))
        return bool(left)

    def test_no_stage_leaves_a_core(self):
        cores = self.cores_are_files()
        for stage in escape_bench.STAGES:
            for how in (signal.SIGABRT, signal.SIGSEGV, signal.SIGSYS, signal.SIGQUIT):
                with self.subTest(stage=stage, signal=how):
                    connection = self.way.start(stage)
                    process = connection.process
                    self.assertEqual(escape_bench.process_wrong(stage, process.pid), [])
                    process.send_signal(how)
                    process.wait(10)
                    connection.close()
                    # AddressSanitizer's handler ends by an exit of its own
                    self.assertNotEqual(process.returncode, 0)
                    self.assertEqual(self.left(), [])
        if not cores:
            self.skipTest("cores do not go to files here: that none is written is shown by the undumpable process alone")

    def test_patrond_and_patronctl_cannot_be_looked_into(self):
        with open(self.way.config(), "a", encoding="ascii") as file:
            file.write("[load]\nstart = manual\n")
        os.makedirs(self.way.path("runtime"))
        if USER:
            os.chown(self.way.path("runtime"), *escape_bench.ids(USER))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.way.path("control"))
        os.chmod(self.way.path("control"), 0o777)
        listener.listen(1)
        programs = {"patrond": ["--config", self.way.config(), "--log", "json"],
                    "patronctl": ["--socket", self.way.path("control"), "status"]}
        for name, arguments in programs.items():
            with self.subTest(program=name):
                process = subprocess.Popen([os.path.join(stagekit.BIN, name), *arguments], cwd=self.way.path("here"),
                                           env={"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": self.way.path("credentials"),
                                                "RUNTIME_DIRECTORY": self.way.path("runtime")}, preexec_fn=unlimited,
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                           **escape_bench.stage_user(USER))
                time.sleep(0.7)
                self.assertIsNone(process.poll())
                if USER:
                    self.assertEqual(os.stat(f"/proc/{process.pid}/environ").st_uid, 0)
                with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
                    core = [line.split()[4:6] for line in file if line.startswith("Max core file size")]
                self.assertEqual(core, [["0", "0"]])
                process.send_signal(signal.SIGABRT)
                process.wait(10)
                self.assertEqual(self.left(), [])
        listener.close()

    def test_what_else_was_open_is_closed(self):
        """A folder left open by whoever started it would be a way in."""
        folder = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY)
        stray = fcntl.fcntl(folder, fcntl.F_DUPFD, 40)
        os.close(folder)
        self.addCleanup(os.close, stray)
        mine, theirs = socket.socketpair()
        fd = theirs.fileno()

        def third():
            os.dup2(fd, 3)
            os.set_inheritable(3, True)

        process = subprocess.Popen([os.path.join(stagekit.BIN, "patrond-decode")], preexec_fn=third, pass_fds=(3, fd, stray),
                                   env={"PATROND_CONFIG": self.way.config(), "CREDENTIALS_DIRECTORY": self.way.path("credentials")},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **escape_bench.stage_user(USER))
        theirs.close()
        connection = escape_bench.begin("decode", mine, process)
        open_now = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
        connection.close()
        self.assertEqual(open_now, {0, 1, 2, 3})


if __name__ == "__main__":
    stagekit.main()
