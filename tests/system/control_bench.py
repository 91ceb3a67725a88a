# SPDX-License-Identifier: GPL-3.0-or-later
"""control: a load on real parts, alone and beside hostile peers of the control socket."""
import json
import os
import shutil
import signal
import statistics
import subprocess
import threading
import time

from rig import USER, Result, Rig
from varlink_peer import Peer

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGES = 10_000
SLOWDOWN_MAX = 1.2


class Load:
    """One load by a resident patrond, begun by Run, timed from there to the end of the look."""

    def __init__(self, rig, attacked, messages):
        rig.start_sierra("--latency", "10")
        self.sent = 0
        self.wrong = []
        try:
            rig.config()
            before = rig.dump()
            process = rig.start_patrond()
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
            reader.start()
            try:
                self.run(rig, rig.path("runtime/control"), attacked, messages)
            finally:
                process.send_signal(signal.SIGTERM)
                status = process.wait(60)
                reader.join(10)
            if status != 0:
                self.wrong.append(f"patrond ended with status {status}")
            result = Result(status, "", "".join(lines))
            self.wrong += rig.wrong_outcomes(result) + rig.differences(before, rig.dump())
        finally:
            rig.stop_sierra()
            os.unlink(os.path.join(rig.sftp.drop, "chccs-feed.zip"))
            for name in ("state", "loads"):
                if os.path.exists(rig.path("runtime", name)):
                    os.unlink(rig.path("runtime", name))

    def run(self, rig, path, attacked, messages):
        with Peer(path, 60) as watcher, Peer(path, 60) as asker:
            while asker.call("Status")["state"] != "idle":
                time.sleep(0.05)
            watcher.send("Monitor", more=True)
            watcher.answer()
            rig.drop()
            attack = self.attack(rig, path, messages) if attacked else None
            time.sleep(1)
            begun = time.monotonic()
            look = asker.call("Run")["id"]
            while True:
                message = watcher.answer()
                if message["kind"] == "idle" and message.get("look") == look:
                    break
            self.seconds = time.monotonic() - begun
            if message["exit_status"] != 0:
                self.wrong.append(f"the look ended with {message['exit_status']}")
            if attack:
                said = json.loads(attack.communicate(timeout=200)[0].splitlines()[-1])
                self.sent = said["sent"]
                print(f"  {said['sent']} messages, {said['answers']} answers, {said['hung_up']} hung up on")

    @staticmethod
    def attack(rig, path, messages):
        """As patrond's own user: not root, for whom two connections are kept."""
        program = shutil.copy(os.path.join(HERE, "hostile_peers.py"), rig.directory)
        os.chmod(program, 0o644)
        attack = subprocess.Popen(["/usr/bin/python3", program, path, "120", str(messages)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True, cwd="/", user=USER)
        assert attack.stdout.readline() == "ready\n"
        return attack


def run(build, repeat=3):
    """Returns the number of checks that passed and that failed."""
    times = {False: [], True: []}
    wrong, sent = [], 0
    with Rig(build) as rig:
        rig.make_feed(students=8000, staff=1000, patrons=50000)
        rig.start_sftp()
        for n in range(repeat):
            for attacked in (False, True):
                load = Load(rig, attacked, -(-MESSAGES // repeat))
                print(f"  load {n + 1} {'beside hostile peers' if attacked else 'alone'}: {load.seconds:.2f} s")
                times[attacked].append(load.seconds)
                sent += load.sent
                wrong += load.wrong
    slowdown = statistics.median(times[True]) / statistics.median(times[False])
    print(f"figure hostile_messages {sent} messages")
    print(f"figure load_slowdown_under_attack {slowdown:.3f} ratio")
    for sentence in wrong[:20]:
        print("wrong: " + sentence)
    checks = [not wrong, sent >= MESSAGES, slowdown <= SLOWDOWN_MAX]
    return checks.count(True), checks.count(False)
