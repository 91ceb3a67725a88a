# SPDX-License-Identifier: GPL-3.0-or-later
"""The control socket: every method in every state, by a client that is not ours and by peers that lie, flood and hang."""
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import textwrap
import threading
import time
import unittest

import hostile_peers
import stagekit
import varlink_peer
from rig import Rig
from test_supervisor import HONEST, PRELUDE, USER, Fake
from varlink_peer import INTERFACE, Peer, VarlinkError

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICE = "org.varlink.service"

# A load of two rows that waits in the middle of its writes for a file, or to be cancelled.
GATED = """
    import select
    def gate(path):
        open(path + ".here", "w").close()
        while not os.path.exists(path):
            if select.select([s], [], [], 0.02)[0]:
                return s.recv(4096) and "cancelled"
        os.unlink(path)
        return "open"
    say("INDEXED", struct.pack("<Q", 10))
    counts("PLAN", 2, created=2)
    outcome(1)
    say("PROGRESS", struct.pack("<BQQ", 4, 1, 2))
    if gate({gate!r}) != "open":
        counts("COUNTS", 2, created=1)
        say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("cancelled"), 255, 0, 0, 0))
        wait()
    outcome(2)
    counts("COUNTS", 2, created=2)
    say("DONE")
    wait()
    """

# A share whose copies wait likewise.
SLOW_SHARE = """
    import select
    if name == "SHARE_LIST":
        listing("feed.zip", 7)
    else:
        say("PROGRESS", struct.pack("<BQQ", 1, 3, 7))
        open({gate!r} + ".here", "w").close()
        while not os.path.exists({gate!r}):
            if select.select([s], [], [], 0.02)[0]:
                say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("cancelled"), 255, 0, 0, 0))
                wait()
        os.unlink({gate!r})
        os.pwrite(fds[0], b"content", 0)
        say("COPIED", struct.pack("<Q", 7))
    say("DONE")
    wait()
    """

# A load that a guard holds unless the figure was approved: 38 of 100 rows the first time, then what the file says.
GUARDED = """
    approvals = payload[22]
    approved = {{}}
    for i in range(approvals):
        guard, feed, value = struct.unpack_from("<BBQ", payload, 23 + 10 * i)
        approved[guard, feed] = value
    rows = int(open({figure!r}).read())
    say("INDEXED", struct.pack("<Q", 10))
    counts("PLAN", 100, created=rows, current=100 - rows)
    if rows > 30 and approved.get((0, 0), 0) < rows:
        say("GUARD", struct.pack("<BBQQI", 0, 0, rows, 100, 30))
    else:
        for row in range(rows * (1 - payload[0])):
            outcome(row + 1)
        counts("COUNTS", 100, created=rows, current=100 - rows) if not payload[0] else [
            [outcome(row + 1) for row in range(rows)], counts("COUNTS", 100, created=rows, current=100 - rows)]
    say("DONE")
    wait()
    """


def until(condition, what, timeout=30):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        got = condition()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("never came: " + what)


class Daemon:
    """A resident patrond with fake stages. Reads its log to the end; stop() ends it and returns the entries."""

    def __init__(self, fake, *arguments, **environment):
        self.fake = fake
        self.path = os.path.join(fake.directory, "runtime/control")
        self.process = fake.start(*(arguments or ("--log", "json")), **environment)
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def call(self, method, **parameters):
        return varlink_peer.call(self.path, method, **parameters)

    def error(self, method, **parameters):
        return varlink_peer.error(self.path, method, **parameters)

    def told(self, ending):
        """Waits for an entry whose message id ends so."""
        return until(lambda: any(json.loads(line)["MESSAGE_ID"].endswith(ending) for line in list(self.lines)), ending)

    def state(self, wanted):
        return until(lambda: self.call("Status")["state"] == wanted, wanted)

    def look(self, method="Run", **parameters):
        """Has it look and waits for the end. Returns the exit status and the loads that ended."""
        with Peer(self.path) as watcher:
            watcher.send("Monitor", more=True)
            watcher.answer()
            look = self.call(method, **parameters)["id"]
            loads = []
            while True:
                message = watcher.answer()
                if message["kind"] == "summary":
                    loads.append(message["finished"])
                if message["kind"] == "idle" and message.get("look") == look:
                    return message["exit_status"], loads

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return [json.loads(line) for line in self.lines]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()


class Gated(Fake):
    """A library whose copy or load waits for open_gate()."""

    def __init__(self, stage="load", **stages):
        self.folder = tempfile.mkdtemp(prefix="patrond-gate-")
        os.chmod(self.folder, 0o777)
        self.gate = os.path.join(self.folder, "gate")
        own = {"load": GATED.format(gate=self.gate)} if stage == "load" else {"share": SLOW_SHARE.format(gate=self.gate)}
        super().__init__(**{**own, **stages})
        self.extra = "stage_timeout = 600s\n"

    def arrived(self):
        until(lambda: os.path.exists(self.gate + ".here"), "the gate")
        os.unlink(self.gate + ".here")

    def open_gate(self):
        with open(self.gate + ".new", "w", encoding="ascii"):
            pass
        os.chmod(self.gate + ".new", 0o666)
        os.rename(self.gate + ".new", self.gate)

    def __exit__(self, *rest):
        super().__exit__(*rest)
        shutil.rmtree(self.folder, ignore_errors=True)


class Guarded(Fake):
    def __init__(self, figure=38):
        self.folder = tempfile.mkdtemp(prefix="patrond-figure-")
        os.chmod(self.folder, 0o755)
        self.file = os.path.join(self.folder, "figure")
        self.set(figure)
        super().__init__(load=GUARDED.format(figure=self.file))

    def set(self, figure):
        with open(self.file, "w", encoding="ascii") as file:
            file.write(str(figure))

    def __exit__(self, *rest):
        super().__exit__(*rest)
        shutil.rmtree(self.folder, ignore_errors=True)


def interface_text():
    with open(os.path.join(stagekit.ROOT, "include/patrond", INTERFACE + ".varlink"), encoding="utf-8") as file:
        return file.read()


class Interface(unittest.TestCase):
    """What every Varlink service must do, asked by sockets and by the Go library."""

    @classmethod
    def setUpClass(cls):
        cls.fake = Fake()
        cls.daemon = Daemon(cls.fake)
        cls.daemon.state("idle")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()
        cls.fake.__exit__()

    def errors(self, method, parameters=None, **flags):
        with Peer(self.daemon.path) as peer:
            peer.send(method, parameters, **flags)
            try:
                peer.answer()
            except VarlinkError as e:
                return e.name, e.parameters
            return None

    def test_info(self):
        info = self.daemon.call(SERVICE + ".GetInfo")
        self.assertEqual(info["product"], "patrond")
        self.assertEqual(info["interfaces"], [SERVICE, INTERFACE])
        self.assertEqual(self.daemon.call(SERVICE + ".GetInterfaceDescription", interface=INTERFACE)["description"],
                         interface_text())

    def test_errors_name_what_offends(self):
        for method, parameters, expected in (
                ("x.y.Z", None, ("InterfaceNotFound", {"interface": "x.y"})),
                ("Nothing", None, ("MethodNotFound", {"method": INTERFACE + ".Nothing"})),
                ("status", None, ("MethodNotFound", {"method": INTERFACE + ".status"})),
                (SERVICE + ".Status", None, ("MethodNotFound", {"method": SERVICE + ".Status"})),
                (INTERFACE + "x.Status", None, ("InterfaceNotFound", {"interface": INTERFACE + "x"})),
                (".", None, ("InterfaceNotFound", {"interface": ""})),
                (SERVICE + ".GetInterfaceDescription", {}, ("InvalidParameter", {"parameter": "interface"})),
                (SERVICE + ".GetInterfaceDescription", {"interface": "a.b"}, ("InterfaceNotFound", {"interface": "a.b"})),
                (SERVICE + ".GetInfo", {"x": 1}, ("InvalidParameter", {"parameter": "x"})),
                ("Status", {"verbose": True}, ("InvalidParameter", {"parameter": "verbose"})),
                ("Monitor", {"every": 1}, ("InvalidParameter", {"parameter": "every"})),
                ("Cancel", {"load": "x"}, ("InvalidParameter", {"parameter": "load"})),
                ("Reload", {"": None}, ("InvalidParameter", {"parameter": ""})),
                ("Run", {"dry_run": 1}, ("InvalidParameter", {"parameter": "dry_run"})),
                ("Run", {"again": "yes"}, ("InvalidParameter", {"parameter": "again"})),
                ("Run", {"source": "sftp"}, ("InvalidParameter", {"parameter": "source"})),  # not configured
                ("Run", {"source": "../share"}, ("InvalidParameter", {"parameter": "source"})),
                ("Run", {"source": 7}, ("InvalidParameter", {"parameter": "source"})),
                ("Release", None, ("InvalidParameter", {"parameter": "load"})),
                ("Release", {"load": None}, ("InvalidParameter", {"parameter": "load"})),
                ("Release", {"load": "%s%n"}, ("NoSuchLoad", {"load": "%s%n"})),
                ("Release", {"load": ""}, ("NoSuchLoad", {"load": ""})),
                ("Cancel", None, ("NotRunning", {}))):
            with self.subTest(method=method, parameters=parameters):
                self.assertEqual(self.errors(method, parameters), expected)
        self.assertEqual(self.errors("Status", upgrade=True), ("MethodNotImplemented", {"method": INTERFACE + ".Status"}))

    def test_what_is_no_call_is_hung_up_on(self):
        for data in (b"\0", b"{}\0", b"[]\0", b'{"method":1}\0', b'{"method":"a.b","more":true,"oneway":true}\0', b"\xff\0",
                     b"[" * 10000 + b"\0", b'{"method":"x\\u0000"}\0', b"x" * 20000):
            with self.subTest(data=data[:40]), Peer(self.daemon.path) as peer:
                try:
                    peer.socket.sendall(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertIsNone(peer.receive())

    def test_answers_keep_the_order_of_the_calls(self):
        with Peer(self.daemon.path) as peer:
            for n in range(40):
                peer.send(f"Nothing{n}", oneway=n % 4 == 3)
            peer.socket.shutdown(socket.SHUT_WR)
            got = []
            for message in iter(peer.receive, None):
                got.append(int(message["parameters"]["method"].rsplit("Nothing", 1)[1]))
            self.assertEqual(got, [n for n in range(40) if n % 4 != 3])

    def test_byte_by_byte(self):
        with Peer(self.daemon.path) as peer:
            for byte in b'{"method":"%s.Status"}\0' % INTERFACE.encode():
                peer.socket.sendall(bytes([byte]))
                time.sleep(0.002)
            self.assertEqual(peer.answer()["state"], "idle")

    def test_mode_of_the_socket(self):
        st = os.stat(self.daemon.path)
        self.assertTrue(stat.S_ISSOCK(st.st_mode))
        self.assertEqual(stat.S_IMODE(st.st_mode), 0o660)

    @unittest.skipUnless(shutil.which("go") and os.path.isdir("/usr/share/gocode/src/github.com/varlink/go"),
                         "needs golang-go and golang-github-varlink-go-dev")
    def test_a_client_that_is_not_ours(self):
        with tempfile.TemporaryDirectory() as folder:
            client = os.path.join(folder, "client")
            subprocess.run(["go", "build", "-o", client, "."], cwd=os.path.join(HERE, "varlink_go"), check=True,
                           env={"PATH": os.environ["PATH"], "HOME": folder, "GOCACHE": folder + "/cache",
                                "GOPATH": "/usr/share/gocode", "GO111MODULE": "off"}, timeout=300)
            done = subprocess.run([client, self.daemon.path, INTERFACE + ".Status", "!" + INTERFACE + ".Status",
                                   INTERFACE + ".Nope", "x.y.Z", INTERFACE + '.Release:{"load":"old"}',
                                   INTERFACE + '.Run:{"dry_run":3}', INTERFACE + '.Run:{"dry_run":true}',
                                   INTERFACE + ".Monitor", "+" + INTERFACE + ".Monitor"],
                                  capture_output=True, text=True, timeout=60, check=True)
        said = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([s for s in said if s["what"].startswith("bad")], [])
        ours = [s["value"] for s in said if s["what"] == "interface"]
        self.assertEqual([i["name"] for i in ours], [SERVICE, INTERFACE])
        self.assertEqual(ours[1]["methods"], ["Status", "Run", "Cancel", "Release", "Reload", "Monitor"])
        self.assertEqual(ours[1]["errors"], ["Busy", "NoSuchLoad", "NotRunning", "Stopping", "BadConfiguration"])
        errors = [s["value"] for s in said if s["what"] == "error"]
        # the standard ones come as the library's own types, ours with their parameters
        self.assertEqual([e.get("type", e.get("name")) for e in errors],
                         ["*varlink.MethodNotFound", "*varlink.InterfaceNotFound", INTERFACE + ".NoSuchLoad",
                          "*varlink.InvalidParameter"])
        self.assertEqual(errors[2]["parameters"], {"load": "old"})
        replies = [s["value"] for s in said if s["what"] == "reply"]
        self.assertEqual([(r["method"].rsplit(".", 1)[1], r["continues"]) for r in replies[:3]],
                         [("Status", False), ("Run", False), ("Monitor", False)])
        self.assertTrue(all(r["continues"] for r in replies[3:]) and len(replies) > 3)


class Methods(unittest.TestCase):
    # --- every method in every state ---

    EVERYWHERE = {SERVICE + ".GetInfo": None, "Status": None, "Monitor": None}
    STATES = {
        "idle": {**EVERYWHERE, "Cancel": "NotRunning", "Release": "NoSuchLoad"},
        "looking": {**EVERYWHERE, "Run": "Busy", "Release": "Busy"},
        "loading": {**EVERYWHERE, "Run": "Busy", "Release": "Busy"},
        "stopping": {**EVERYWHERE, "Run": "Stopping", "Release": "Stopping", "Cancel": "Stopping", "Reload": "Stopping"},
    }

    def every_method(self, daemon, state):
        """Four clients at once, each method several times: each ends as it must, and the state stays what it is."""
        wrong = []

        def client():
            for _ in range(3):
                for method, expected in self.STATES[state].items():
                    parameters = {"load": "20260302T061500-9ec6"} if method == "Release" else {}
                    got = daemon.error(method, **parameters)
                    if got != expected:
                        wrong.append((state, method, got))

        clients = [threading.Thread(target=client) for _ in range(4)]
        for c in clients:
            c.start()
        for c in clients:
            c.join(60)
        self.assertEqual(wrong, [])
        self.assertEqual(daemon.call("Status")["state"], state)

    def test_idle(self):
        with Fake() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            self.every_method(daemon, "idle")
            self.assertEqual(daemon.look(), (0, []))
            self.assertNotIn("progress", daemon.call("Status"))

    def test_looking(self):
        with Gated("share") as fake, Daemon(fake) as daemon:
            fake.arrived()
            self.every_method(daemon, "looking")
            progress = daemon.call("Status")["progress"]
            self.assertEqual((progress["phase"], progress["done"], progress["total"], progress["dry_run"]),
                             ("retrieving", 3, 7, False))
            self.assertNotIn("load", progress)
            fake.open_gate()
            daemon.state("idle")
            self.assertEqual(daemon.call("Status")["last"][0]["end"], "complete")

    def test_loading_and_stopping(self):
        with Gated() as fake, Daemon(fake) as daemon:
            fake.arrived()
            self.every_method(daemon, "loading")
            status = daemon.call("Status")
            progress = status["progress"]
            self.assertEqual((progress["phase"], progress["done"], progress["total"]), ("writing", 1, 2))
            self.assertTrue(status["status"].startswith("Writing 1 of 2"), status["status"])
            with Peer(daemon.path) as peer:
                peer.send("Run")
                with self.assertRaises(VarlinkError) as busy:
                    peer.answer()
                self.assertEqual(busy.exception.parameters, {"load": progress["load"]})
            self.assertEqual(daemon.call("Monitor")["outcomes"]["created"], 1)

    def test_stopping(self):
        # a load that does not hear of its end for a while
        load = GATED.replace("return s.recv(4096) and", "s.recv(4096); time.sleep(3); return")
        folder = tempfile.mkdtemp(prefix="patrond-gate-")
        os.chmod(folder, 0o777)
        with Fake(load=load.format(gate=folder + "/gate")) as fake:
            fake.extra = "stage_timeout = 30s\n"
            with Daemon(fake) as daemon:
                until(lambda: os.path.exists(folder + "/gate.here"), "the load")
                watcher = Peer(daemon.path)
                watcher.send("Monitor", more=True)
                watcher.answer()
                daemon.process.send_signal(signal.SIGTERM)
                daemon.state("stopping")
                self.every_method(daemon, "stopping")
                messages = list(iter(watcher.receive, None))  # to the end of the stream
                self.assertEqual(daemon.process.wait(20), 0)
                self.assertNotIn("continues", messages[-1])
                finished = [m["parameters"]["finished"] for m in messages if m["parameters"]["kind"] == "summary"]
                self.assertEqual([(f["end"], f["reason"]) for f in finished], [("failed", "cancelled")])
                self.assertFalse(os.path.exists(daemon.path))
                daemon.reader.join(10)
                told = [e["MESSAGE"] for e in map(json.loads, daemon.lines) if e.get("REASON") == "cancelled"]
                self.assertEqual([t.split(";")[0] for t in told], ["Load stopped: The load was broken off, since patrond was stopped"])
        shutil.rmtree(folder)

    # --- run ---

    def test_run_never_repeats_what_is_done_unless_asked(self):
        with Fake() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            self.assertEqual(daemon.look(), (0, []))
            status, loads = daemon.look(again=True)
            self.assertEqual((status, [(f["end"], f["counts"][0]["outcomes"]["created"]) for f in loads]), (0, [("complete", 1)]))
            status, loads = daemon.look(source="share", again=True)
            self.assertEqual((status, len(loads)), (0, 1))
            entries = daemon.stop()
            self.assertEqual(len([e for e in entries if "OUTCOME" in e]), 3)
            self.assertTrue(any("Asked on the control socket" in e["MESSAGE"] for e in entries))

    TWO_SOURCES = """
        mtime = int(open({file!r}).read().split()[{at}])
        if name.endswith("_LIST"):
            if mtime:
                listing("feed{at}.zip", 7, mtime)
        else:
            os.pwrite(fds[0], b"content", 0)
            os.pwrite(fds[0], b"%d" % (mtime // 1000000 % 10), 0)
            say("COPIED", struct.pack("<Q", 7))
        say("DONE")
        wait()
        """

    def test_a_source_by_name_and_newest_wins_all_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            file = os.path.join(folder, "times")

            def show(share, sftp):
                with open(file + ".new", "w", encoding="ascii") as out:
                    out.write(f"{share} {sftp}")
                os.chmod(file + ".new", 0o644)
                os.rename(file + ".new", file)

            show(0, 0)
            with Fake(share=self.TWO_SOURCES.format(file=file, at=0), fetch=self.TWO_SOURCES.format(file=file, at=1)) as fake:
                with open(os.path.join(fake.directory, "credentials/sftp-key"), "w", encoding="ascii") as key:
                    key.write("x")
                fake.extra = "[sftp]\nhost = 127.0.0.1\nuser = x\nsettle = 1ms\n"
                with Daemon(fake) as daemon:
                    daemon.state("idle")
                    self.assertEqual([s["source"] for s in daemon.call("Status")["sources"]], ["share", "sftp"])
                    show(1700000002000000, 1700000001000000)
                    self.assertEqual(daemon.look(source="sftp"), (0, []))  # the share's is newer, and is not that source's
                    self.assertEqual([f["end"] for f in daemon.look(source="share")[1]], ["complete"])
                    show(1700000002000000, 1700000003000000)
                    self.assertEqual(daemon.look(source="share"), (0, []))
                    self.assertEqual([f["end"] for f in daemon.look(source="sftp")[1]], ["complete"])
                    self.assertEqual(daemon.look(again=True, source="share"), (0, []))  # overtaken stays overtaken

    def test_dry_run_writes_and_remembers_nothing(self):
        with Fake() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            before = {name: open(os.path.join(fake.directory, "runtime", name), encoding="ascii").read() for name in ("state", "loads")}
            last = daemon.call("Status")["last"]
            status, loads = daemon.look(dry_run=True)
            self.assertEqual((status, [(f["end"], f["dry_run"]) for f in loads]), (0, [("complete", True)]))
            self.assertEqual(loads[0]["counts"][0]["rows"], 1)
            self.assertEqual(daemon.call("Status")["last"], last)
            for name, text in before.items():
                with open(os.path.join(fake.directory, "runtime", name), encoding="ascii") as file:
                    self.assertEqual(file.read(), text)
            rows = [e for e in daemon.stop() if "OUTCOME" in e]
            self.assertEqual([e.get("DRY_RUN") for e in rows], [None, "1"])

    def test_dry_run_before_anything_was_seen(self):
        with Fake(share="say('FAILURE', struct.pack('<HBIIi', k.FAILURE.index('share-gone'), 255, 0, 0, -2))\nwait()") as fake:
            with Daemon(fake) as daemon:
                daemon.state("idle")
                source = daemon.call("Status")["sources"][0]
                self.assertIn("[share] path is not there", source["last_error"])
                self.assertEqual(daemon.look(), (2, []))
                with open(os.path.join(fake.directory, "patrond-share"), "w", encoding="utf-8") as file:
                    file.write(PRELUDE.format(system=os.path.join(fake.directory, "tests/system")) +
                               textwrap.dedent(HONEST["share"]))
                self.assertEqual(daemon.look(dry_run=True)[1][0]["dry_run"], True)
                # the dry run has not made the feed known
                status, loads = daemon.look()
                self.assertEqual((status, [f["end"] for f in loads]), (0, ["complete"]))
                self.assertNotIn("last_error", daemon.call("Status")["sources"][0])

    def test_cancel(self):
        with Gated() as fake, Daemon(fake) as daemon:
            fake.arrived()
            with Peer(daemon.path) as watcher:
                watcher.send("Monitor", more=True)
                watcher.answer()
                self.assertIsNone(daemon.error("Cancel"))
                while True:
                    message = watcher.answer()
                    if message["kind"] == "summary":
                        load = message["finished"]
                    if message["kind"] == "idle":
                        break
                self.assertEqual((load["end"], load["reason"], load["counts"][0]["outcomes"]["created"]), ("failed", "cancelled", 1))
                self.assertEqual(message["exit_status"], 2)
            status = daemon.call("Status")
            self.assertEqual([d["id"] for d in status["due"]], [load["id"]])
            self.assertTrue(status["status"].startswith("FAILED: The load was cancelled"), status["status"])
            fake.open_gate()  # asked for, it does not wait for its pause
            self.assertEqual([f["end"] for f in daemon.look()[1]], ["complete"])

    def test_walls_are_told_once_and_when_they_change(self):
        with Fake() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            for _ in range(2):
                self.assertEqual(daemon.look(again=True)[0], 0)
            path = os.path.join(fake.directory, "patrond-share")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(text.replace("0x1f", "0x3f"))
            os.chmod(path + ".new", 0o755)
            os.rename(path + ".new", path)
            daemon.look(again=True)
            walls = [(e["STAGE"], e["WALLS"], e["PRIORITY"]) for e in daemon.stop() if "WALLS" in e]
            self.assertEqual(sorted(walls), [("decode", "0x1f", "7"), ("load", "0x1f", "7"), ("share", "0x1f", "7"), ("share", "0x3f", "7")])

    def test_cancel_while_a_file_settles(self):
        with Fake() as fake:
            fake.settle = "60s"
            with Daemon(fake) as daemon:
                until(lambda: daemon.call("Status")["status"].startswith("Waiting for a file"), "settling")
                self.assertIsNone(daemon.error("Cancel"))
                daemon.state("idle")

    def test_cancel_while_retrieving(self):
        with Gated("share") as fake, Daemon(fake) as daemon:
            fake.arrived()
            self.assertIsNone(daemon.error("Cancel"))
            daemon.state("idle")
            self.assertEqual(daemon.call("Status")["last"], [])

    # --- held, looked at, released ---

    def test_held_released_done(self):
        with Guarded() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            status = daemon.call("Status")
            self.assertTrue(status["status"].startswith("HELD by guard: creates 38% > 30% (38 of 100 rows, student). See patronctl"))
            held = status["held"][0]
            self.assertEqual((held["guards"], held["plan"][0]["outcomes"]["created"], held["counts"]),
                             ([{"guard": "creates", "feed": "student", "value": 38, "basis": 100, "limit_percent": 30}], 38, []))
            self.assertEqual(daemon.look(), (4, []))  # it waits for a person, whatever is asked but this
            self.assertEqual([f["end"] for f in daemon.look(dry_run=True)[1]], ["held"])
            self.assertEqual(daemon.call("Status")["held"][0]["id"], held["id"])
            self.assertEqual(daemon.error("Release", load=held["id"] + "0"), "NoSuchLoad")
            status, loads = daemon.look("Release", load=held["id"])
            self.assertEqual((status, [(f["end"], f["counts"][0]["outcomes"]["created"]) for f in loads]), (0, [("complete", 38)]))
            self.assertEqual(daemon.call("Status")["held"], [])
            self.assertEqual(daemon.error("Release", load=held["id"]), "NoSuchLoad")
            self.assertEqual(daemon.error("Release", load=loads[0]["id"]), "NoSuchLoad")

    def test_a_release_holds_for_the_figures_that_were_looked_at(self):
        with Guarded() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            first = daemon.call("Status")["held"][0]["id"]
            fake.set(39)  # one more than what was looked at
            status, loads = daemon.look("Release", load=first)
            self.assertEqual((status, [(f["end"], f["guards"][0]["value"]) for f in loads]), (4, [("held", 39)]))
            second = daemon.call("Status")["held"][0]["id"]
            self.assertNotEqual(first, second)
            self.assertEqual(daemon.error("Release", load=first), "NoSuchLoad")
            fake.set(33)  # fewer are fine
            status, loads = daemon.look("Release", load=second)
            self.assertEqual((status, [f["end"] for f in loads]), (0, ["complete"]))

    def test_held_looked_at_anew(self):
        with Guarded() as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            first = daemon.call("Status")["held"][0]["id"]
            self.assertEqual([f["end"] for f in daemon.look(again=True)[1]], ["held"])
            self.assertNotEqual(daemon.call("Status")["held"][0]["id"], first)
            fake.set(20)  # no guard any more
            self.assertEqual([f["end"] for f in daemon.look(again=True)[1]], ["complete"])

    def test_held_outlives_a_restart(self):
        with Guarded() as fake:
            with Daemon(fake) as daemon:
                daemon.state("idle")
                before = daemon.call("Status")
                daemon.stop()
            with Daemon(fake) as daemon:
                daemon.state("idle")
                after = daemon.call("Status")
                self.assertEqual(after["held"], before["held"])
                self.assertEqual(after["last"], before["last"])
                self.assertEqual(daemon.look("Release", load=after["held"][0]["id"])[0], 0)
                daemon.stop()
            os.unlink(os.path.join(fake.directory, "runtime/loads"))
            with Daemon(fake) as daemon:
                daemon.state("idle")
                self.assertEqual(daemon.call("Status")["last"], [])

    def test_what_the_history_forgot_is_still_held(self):
        with Guarded() as fake:
            with Daemon(fake) as daemon:
                daemon.state("idle")
                before = daemon.call("Status")["held"][0]
                daemon.stop()
            with open(os.path.join(fake.directory, "runtime/loads"), "w", encoding="ascii") as file:
                file.write('{"version":1,"loads":[{"load":"x"},7,{"load":[]}]}')
            with Daemon(fake) as daemon:
                daemon.state("idle")
                held = daemon.call("Status")["held"][0]
                self.assertEqual((held["id"], held["guards"], held["plan"]), (before["id"], before["guards"], []))

    # --- reload ---

    def test_reload(self):
        with Gated() as fake, Daemon(fake) as daemon:
            config = os.path.join(fake.directory, "c.conf")
            fake.arrived()
            with open(config, encoding="ascii") as file:
                good = file.read()
            with open(config, "a", encoding="ascii") as file:
                file.write("[nonsense]\n")
            with Peer(daemon.path) as peer:
                peer.send("Reload")
                with self.assertRaises(VarlinkError) as bad:
                    peer.answer()
            self.assertEqual((bad.exception.name, bad.exception.parameters["file"], bad.exception.parameters["line"]),
                             ("BadConfiguration", config, good.count("\n") + 1))
            with open(config, "w", encoding="ascii") as file:
                file.write(good + "[share]\npoll_interval = 77s\n")
            self.assertIsNone(daemon.error("Reload"))  # in the middle of a load: for its end
            fake.open_gate()
            until(lambda: any("read anew" in line for line in daemon.lines), "the new configuration")
            daemon.state("idle")
            with open(config, "w", encoding="ascii") as file:
                file.write(good + "[share]\nsettle = x\n")
            self.assertEqual(daemon.error("Reload"), "BadConfiguration")
            until(lambda: any("the old one stays" in line for line in daemon.lines), "a word of the refusal")
            with open(config, "w", encoding="ascii") as file:
                file.write("[share]\npath = /nowhere\n")  # without Sierra it is of no use, however well formed
            with Peer(daemon.path) as peer, self.assertRaises(VarlinkError) as bad:
                peer.send("Reload")
                peer.answer()
            self.assertEqual(bad.exception.parameters["message"], "the section [sierra] is missing")

    # --- monitor ---

    FLOOD = """
        say("INDEXED", struct.pack("<Q", 10))
        counts("PLAN", 3000, created=3000)
        begun = time.monotonic()
        for row in range(3000):
            outcome(row + 1)
            say("PROGRESS", struct.pack("<BQQ", 4, row + 1, 3000))
            time.sleep(0.001)
        counts("COUNTS", 3000, created=3000)
        say("DONE")
        wait()
        """

    def test_a_stream_is_throttled_and_the_latest_wins(self):
        with Fake(load=self.FLOOD) as fake, Daemon(fake) as daemon:
            with Peer(daemon.path) as watcher:
                watcher.send("Monitor", more=True)
                seen, times = [], []
                while not (seen and seen[-1]["kind"] == "idle" and "look" in seen[-1]):
                    seen.append(watcher.answer())
                    times.append(time.monotonic())
                progress = [(t, m["progress"]["done"]) for t, m in zip(times, seen) if m.get("progress", {}).get("phase") == "writing"]
                self.assertGreaterEqual(len(progress), 3)
                self.assertLessEqual(len(seen), 6 + 4.5 * (times[-1] - times[0]))
                self.assertEqual([d for _, d in progress], sorted(d for _, d in progress))
                self.assertEqual([m["finished"]["counts"][0]["outcomes"]["created"] for m in seen if m["kind"] == "summary"], [3000])
                self.assertTrue(all(sum(m["outcomes"].values()) <= 3000 for m in seen if "outcomes" in m))
                self.assertTrue(any(m["progress"].get("seconds_left") is not None and m["progress"]["rate"] > 0 for m in seen if "progress" in m))

    def test_nothing_in_a_stream_but_words_of_ours(self):
        with Guarded(20) as fake, Daemon(fake) as daemon, Peer(daemon.path) as watcher:
            watcher.send("Monitor", more=True)
            for _ in range(3):
                watcher.answer()
            text = json.dumps(daemon.call("Status"))
            # neither a file's name nor a fingerprint nor a patron's id
            for word in ("feed.zip", "4711", "nowhere"):
                self.assertNotIn(word, text)

    # --- where the socket comes from ---

    def test_no_socket(self):
        with Gated() as fake:
            process = fake.start("--once")
            fake.arrived()
            self.assertFalse(os.path.exists(os.path.join(fake.directory, "runtime/control")))
            fake.open_gate()
            process.communicate(timeout=30)
        with Fake() as fake, Daemon(fake, "--log", "json", RUNTIME_DIRECTORY="") as daemon:
            until(lambda: any("OUTCOME" in line for line in daemon.lines), "a load")
            self.assertFalse(os.path.exists(daemon.path))

    def test_stale_and_foreign_files(self):
        with Fake() as fake:
            path = os.path.join(fake.directory, "runtime/control")
            with Daemon(fake) as daemon:
                daemon.state("idle")
                daemon.process.kill()
                daemon.process.wait()
            self.assertTrue(os.path.exists(path))
            with Daemon(fake) as daemon:  # what a dead one left does not stand in the way
                daemon.state("idle")
                daemon.stop()
            with open(path, "w", encoding="ascii") as file:
                file.write("somebody's")
            with Daemon(fake) as daemon:
                until(lambda: any("control socket cannot be opened" in line for line in daemon.lines), "the entry")
                time.sleep(0.5)
                entries = daemon.stop()
                self.assertEqual(daemon.process.returncode, 0, entries)
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read(), "somebody's")

    def activated(self, fake, pid="$$"):
        """patrond with a listening socket as descriptor 3, as systemd hands it over."""
        path = os.path.join(fake.directory, "activated")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(8)
        os.chmod(path, 0o600)
        fake.start("--version").communicate(timeout=20)  # writes the configuration
        fd = listener.fileno()
        entry = pwd.getpwnam(USER) if USER else None

        def become():
            if fd != 3:
                os.dup2(fd, 3)
            os.set_inheritable(3, True)
            if entry:
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)

        process = subprocess.Popen(
            ["sh", "-c", f'LISTEN_PID={pid} exec "$0" "$@"', os.path.join(fake.directory, "patrond"), "--config",
             os.path.join(fake.directory, "c.conf"), "--log", "json"],
            env={"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": os.path.join(fake.directory, "credentials"), "LISTEN_FDS": "1",
                 "RUNTIME_DIRECTORY": os.path.join(fake.directory, "runtime"), "PYTHONDONTWRITEBYTECODE": "1",
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/",
            preexec_fn=become, pass_fds=(3, fd) if fd != 3 else (3,))
        listener.close()
        return process, path

    def test_socket_activation(self):
        with Fake() as fake:
            process, path = self.activated(fake)
            self.assertEqual(varlink_peer.call(path, SERVICE + ".GetInfo")["product"], "patrond")
            until(lambda: varlink_peer.call(path, "Status")["state"] == "idle", "idle")
            self.assertEqual(varlink_peer.call(path, "Status")["last"][0]["end"], "complete")  # stages have a descriptor 3 of their own
            self.assertFalse(os.path.exists(os.path.join(fake.directory, "runtime/control")))
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 0, err)
            self.assertTrue(os.path.exists(path))  # systemd's, not ours to remove

    def test_descriptors_that_are_for_another_process(self):
        with Fake() as fake:
            process, _ = self.activated(fake, pid="1")
            own = os.path.join(fake.directory, "runtime/control")
            self.assertEqual(varlink_peer.call(own, SERVICE + ".GetInfo")["product"], "patrond")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


class Hostile(unittest.TestCase):
    """A load that must end right while others do their worst."""

    def attacked(self, attack):
        """Runs the attack beside a load under way; the daemon must answer, and the load end right, in time."""
        with Gated() as fake, Daemon(fake) as daemon:
            fake.arrived()
            result = attack(daemon)
            self.assertEqual(daemon.call("Status")["state"], "loading")
            fake.open_gate()
            daemon.state("idle")
            self.assertEqual(daemon.call("Status")["last"][0]["counts"][0]["outcomes"]["created"], 2)
            daemon.stop()
            self.assertEqual(daemon.process.returncode, 0)
            return result

    def test_random_and_mutated_messages(self):
        def attack(daemon):
            with hostile_peers.Attack(daemon.path, 10000, others=False) as attack:
                until(lambda: attack.sent >= attack.messages, "10,000 messages", 300)
            return attack
        attack = self.attacked(attack)
        self.assertGreaterEqual(attack.sent, 10000)
        self.assertGreater(attack.answers, 500)
        self.assertGreater(attack.hung_up, 500)

    def test_half_a_message_ends_after_ten_seconds(self):
        def attack(daemon):
            with Peer(daemon.path) as slow, Peer(daemon.path) as drip:
                begun = time.monotonic()
                slow.socket.sendall(b'{"method":')
                for _ in range(40):
                    try:
                        drip.socket.sendall(b" ")  # a byte now and then does not help
                    except OSError:
                        break
                    time.sleep(0.5)
                with self.assertRaises((AssertionError, ConnectionError, OSError)):
                    drip.socket.sendall(b" ")
                    drip.socket.sendall(b" ")
                self.assertEqual(slow.socket.recv(1), b"")
                self.assertLess(time.monotonic() - begun, 25)
        self.attacked(attack)

    def test_megabytes_without_an_end(self):
        def attack(daemon):
            for _ in range(20):
                with Peer(daemon.path) as peer, self.assertRaises(OSError):
                    for _ in range(200):
                        peer.socket.sendall(b'{"method":"' + b"a" * 65536)
        self.attacked(attack)

    def test_answers_that_nobody_reads(self):
        def attack(daemon):
            before = resident(daemon.process.pid)
            peers = [Peer(daemon.path, 1) for _ in range(10)]
            for peer in peers:
                try:
                    while True:
                        peer.send("Status")
                except OSError:
                    pass
            self.assertEqual(daemon.call("Status")["state"], "loading")
            self.assertLess(resident(daemon.process.pid) - before, 64 << 20)
            for peer in peers:
                peer.close()
        self.attacked(attack)

    def test_five_hundred_connections(self):
        def attack(daemon):
            held = []
            for _ in range(500):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                s.connect(daemon.path)  # waits where the backlog is full
                held.append(s)
            # all but the first are hung up on by now, or will be
            until(lambda: sum(1 for s in held if hung_up(s)) >= 500 - 32, "the end of the others")
            self.assertLess(len(os.listdir(f"/proc/{daemon.process.pid}/fd")), 80)
            for s in held:
                s.close()
        self.attacked(attack)

    @unittest.skipUnless(USER, "needs root, for whom two connections are kept")
    def test_two_connections_are_kept_for_root(self):
        def attack(daemon):
            entry = pwd.getpwnam(USER)
            crowd = subprocess.Popen(
                ["/usr/bin/python3", "-c", "import socket, sys, time\nheld = []\nfor _ in range(40):\n s = socket.socket(socket.AF_UNIX)\n"
                 " s.connect(sys.argv[1])\n held.append(s)\nprint('ready', flush=True)\nsys.stdin.read()", daemon.path],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=USER, group=entry.pw_gid, extra_groups=[])
            crowd.stdout.readline()
            time.sleep(0.5)
            self.assertEqual(daemon.call("Status")["state"], "loading")
            crowd.communicate(timeout=20)
        self.attacked(attack)

    def test_watchers_that_do_not_read(self):
        with Fake(load=Methods.FLOOD) as fake, Daemon(fake) as daemon:
            peers = [Peer(daemon.path) for _ in range(20)]
            for peer in peers:
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                peer.send("Monitor", more=True)
            daemon.state("idle")
            self.assertEqual(daemon.call("Status")["last"][0]["counts"][0]["outcomes"]["created"], 3000)
            for peer in peers:
                peer.close()


class RealParts(unittest.TestCase):
    """The whole way with OpenSSH, the stand-in for Sierra, and a guard that really trips."""

    def test_held_looked_at_released(self):
        with Rig(os.environ.get("PATROND_BUILD", os.path.dirname(stagekit.BIN))) as rig:
            rig.make_feed(preset="creates", students=600, staff=200, patrons=3000)
            rig.start_sftp()
            rig.start_sierra()
            rig.config()
            rig.drop()
            before = rig.dump()
            process = rig.start_patrond()
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
            reader.start()
            path = rig.path("runtime/control")
            try:
                held = until(lambda: varlink_peer.call(path, "Status")["held"], "a held load", 60)[0]
                self.assertEqual({g["guard"] for g in held["guards"]}, {"creates"})
                self.assertEqual([c["rows"] for c in held["plan"]], [600, 200])
                until(lambda: varlink_peer.call(path, "Status")["state"] == "idle", "idle", 60)
                self.assertEqual(rig.dump(), before)
                # a dry run shows the same plan and lets nothing go
                self.assertEqual([f["plan"] for f in self.look(path, "Run", dry_run=True)], [held["plan"]])
                self.assertEqual(rig.dump(), before)
                finished = self.look(path, "Release", load=held["id"])
                self.assertEqual([f["end"] for f in finished], ["complete"])
                self.assertEqual([c["outcomes"] for c in finished[0]["counts"]], [c["outcomes"] for c in held["plan"]])
                self.assertEqual(varlink_peer.error(path, "Release", load=held["id"]), "NoSuchLoad")
                status = varlink_peer.call(path, "Status")
                self.assertTrue(status["status"].startswith("Idle. Last load "), status["status"])
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                reader.join(10)
                process.stdout.close()
                process.stderr.close()
            self.assertEqual(rig.differences(before, rig.dump()), [])

    @staticmethod
    def look(path, method, **parameters):
        with Peer(path, 60) as watcher:
            watcher.send("Monitor", more=True)
            watcher.answer()
            look, loads = varlink_peer.call(path, method, **parameters)["id"], []
            while True:
                message = watcher.answer()
                loads += [message["finished"]] if message["kind"] == "summary" else []
                if message["kind"] == "idle" and message.get("look") == look:
                    return loads


def hung_up(s):
    try:
        s.setblocking(False)
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    stagekit.main()
