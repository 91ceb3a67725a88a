# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job with every stage behind a unix socket of its own, as socket activation has it: nothing is forked."""
import os
import pwd
import selectors
import socket
import subprocess
import threading
import unittest

import stagekit
from rig import USER, Rig

STAGES = ("share", "fetch", "decode", "load", "report")


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


class Sockets(unittest.TestCase):
    def test_the_main_job(self):
        with Rig(os.path.dirname(stagekit.BIN)) as rig:
            rig.make_feed(students=300, staff=60, patrons=1000, seed=5)
            rig.start_sftp()
            rig.start_sierra()
            rig.config()
            rig.drop()
            before = rig.dump()
            broker = Broker(rig, rig.path("stages"))
            try:
                # the supervisor itself has no credential and can fork nothing: its folder holds no stage
                os.makedirs(rig.path("alone/bin"))
                os.link(os.path.join(stagekit.BIN, "patrond"), rig.path("alone/bin/patrond")) if os.stat(
                    stagekit.BIN).st_dev == os.stat(rig.directory).st_dev else subprocess.run(
                        ["cp", os.path.join(stagekit.BIN, "patrond"), rig.path("alone/bin/patrond")], check=True)
                rig.build, build = rig.path("alone"), rig.build
                result = rig.patrond("--once", env={"PATROND_STAGES": rig.path("stages"), "CREDENTIALS_DIRECTORY": ""})
                rig.build = build
            finally:
                left = broker.close()
            self.assertEqual(result.status, 0, result.messages()[-5:])
            self.assertEqual(rig.wrong_outcomes(result), [])
            self.assertEqual(rig.differences(before, rig.dump()), [])
            self.assertEqual(left, [])
            self.assertEqual(set(broker.started), set(STAGES))
            # and every one of them was in its sandbox
            walls = {e["STAGE"]: int(e["WALLS"], 16) for e in result.entries if "WALLS" in e}
            self.assertEqual(set(walls), set(STAGES))
            self.assertEqual({s for s, w in walls.items() if w & 0xf != 0xf}, set())


if __name__ == "__main__":
    stagekit.main()
