# SPDX-License-Identifier: GPL-3.0-or-later
"""The supervisor against stages that die, hang, and lie: it lives, the load fails, and it says so.

Every stage here is a small program in Python, put beside a copy of patrond, which starts what lies beside it.
"""
import fcntl
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import textwrap
import time
import unittest

import stagekit

USER = "nobody" if os.geteuid() == 0 else None
# Nobody listens there. One patrond at a time for one Sierra: tests of two processes must not stand in each other's way.
SIERRA_PORT = 1 + os.getpid() % 60000

# What every fake stage begins with: descriptor 3, the frames, and the request that it was sent.
PRELUDE = textwrap.dedent("""\
    #!/usr/bin/env python3
    import os, socket, struct, sys, time, hashlib
    sys.path.insert(0, {system!r})
    import stagekit as k
    s = socket.socket(fileno=3)
    def request():
        data, fds, _, _ = socket.recv_fds(s, 1 << 16, 4)
        if not data:
            os._exit(1)
        length, number, _ = struct.unpack_from("<IHH", data)
        return k.FRAME_NAME[number], data[8:8 + length], fds
    def say(name, payload=b""):
        s.sendall(k.frame(name, payload))
    def listing(name, size, mtime=1700000000000000):
        say("LISTING", k.string(name) + struct.pack("<Qq", size, mtime))
    def counts(name, rows, created=0, current=0, feed=0):
        v = [rows] + [created, 0, current, 0, 0, 0, 0] + [0] * 19 + [0] * 20 + [0, 0]
        say(name, struct.pack("<B49I", feed, *v))
    def outcome(row, kind=0, reason=0):
        say("OUTCOME", struct.pack("<BIBBQ", 0, row, kind, reason, 4711))
    def wait():
        while s.recv(4096):
            pass
        os._exit(0)
    name, payload, fds = request()
    say("WALLS", struct.pack("<I", 0x1f))
    """)

# An honest load, in small: one feed of 7 bytes, one row that is created.
HONEST = {
    "share": """
        if name == "SHARE_LIST":
            listing("feed.zip", 7)
        else:
            os.pwrite(fds[0], b"content", 0)
            say("COPIED", struct.pack("<Q", 7))
        say("DONE")
        wait()
        """,
    "decode": """
        if name == "DECODE_INSPECT":
            say("INSPECTED", struct.pack("<BB", 0, 1) + hashlib.sha256(os.pread(fds[0], 100, 0)).digest())
        say("DONE")
        wait()
        """,
    "load": """
        say("INDEXED", struct.pack("<Q", 10))
        counts("PLAN", 1, created=1)
        outcome(1)
        counts("COUNTS", 1, created=1)
        say("DONE")
        wait()
        """,
}


class Fake:
    def __init__(self, **stages):
        self.directory = tempfile.mkdtemp(prefix="patrond-fake-")
        os.chmod(self.directory, 0o755)
        shutil.copy(os.path.join(stagekit.BIN, "patrond"), self.directory)
        shutil.copytree(os.path.join(stagekit.BIN, "profiles"), os.path.join(self.directory, "profiles"))
        # the kit and what it reads, where any user can read them
        kit = os.path.join(self.directory, "tests/system")
        os.makedirs(kit)
        shutil.copy(os.path.join(stagekit.ROOT, "tests/system/stagekit.py"), kit)
        shutil.copytree(os.path.join(stagekit.ROOT, "include"), os.path.join(self.directory, "include"))
        for name, body in {**HONEST, **stages}.items():
            path = os.path.join(self.directory, "patrond-" + name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(PRELUDE.format(system=kit) + textwrap.dedent(body))
            os.chmod(path, 0o755)
        for name in ("credentials", "runtime"):
            os.mkdir(os.path.join(self.directory, name))
        for name in ("zip-password", "sierra-key"):
            path = os.path.join(self.directory, "credentials", name)
            with open(path, "w", encoding="ascii") as file:
                file.write("secret\n")
        if USER:
            entry = pwd.getpwnam(USER)
            os.chown(os.path.join(self.directory, "runtime"), entry.pw_uid, entry.pw_gid)
        self.extra = ""
        self.settle = "1ms"
        self.timeout = "30s"  # a stage of Python begins slowly on a busy machine
        self.url = f"https://127.0.0.1:1/{os.path.basename(self.directory)}/v6"  # one Sierra each: they lock it

    def start(self, *arguments, **environment):
        config = os.path.join(self.directory, "c.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(f"[share]\npath = /nowhere\nwatch = no\nsettle = {self.settle}\n[janitor]\npolicy = off\n[sierra]\nurl = {self.url}\n"
                       f"[load]\nstage_timeout = {self.timeout}\n{self.extra}")
        env = {"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": os.path.join(self.directory, "credentials"),
               "RUNTIME_DIRECTORY": os.path.join(self.directory, "runtime"), "PYTHONDONTWRITEBYTECODE": "1",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", ""), **environment}
        become = dict(user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[]) if USER else {}
        return subprocess.Popen([os.path.join(self.directory, "patrond"), "--config", config, "--log", "json",
                                 *(arguments or ("--once",))], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, cwd="/", **become)

    def run(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        try:
            out, err = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        entries = []
        for line in err.splitlines():
            try:
                entries.append(json.loads(line))
            except ValueError:
                raise AssertionError("not an entry: " + line) from None
        # the walls that these stages claim are no news
        return process.returncode, [e for e in entries if "WALLS" not in e]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)


def reasons(entries):
    return [e["REASON"] for e in entries if "REASON" in e and "OUTCOME" not in e]


class Supervisor(unittest.TestCase):
    def ends(self, status, reason, **stages):
        """A run with these stages ends with the status, and an entry tells the reason."""
        with Fake(**stages) as fake:
            if reason == "stage-silent":
                fake.timeout = "3s"
            got, entries = fake.run()
            self.assertEqual((got, reasons(entries)[:1]), (status, [reason] if reason else []), entries[-8:])
            return entries

    def test_honest_stages(self):
        with Fake() as fake:
            status, entries = fake.run()
            self.assertEqual(status, 0, entries)
            rows = [e for e in entries if "OUTCOME" in e]
            self.assertEqual([(e["FEED"], e["ROW"], e["OUTCOME"], e["PATRON_ID"], e["SYSLOG_IDENTIFIER"]) for e in rows],
                             [("student", "1", "created", "4711", "chccs-log-student")])
            # remembered: the same file is not taken again
            status, entries = fake.run()
            self.assertEqual((status, [e for e in entries if "OUTCOME" in e]), (0, []))

    def test_pipe_of_records_lets_decode_write_on(self):
        """256 KiB: with Linux's 64 KiB decode and load wait for each other at every write."""
        load = f"if __import__('fcntl').fcntl(fds[0], {fcntl.F_GETPIPE_SZ}) != {256 << 10}:\n    os._exit(1)\n" + textwrap.dedent(HONEST["load"])
        self.ends(0, None, load=load)

    def test_memory_holds_no_more_than_it_says(self):
        with Fake() as fake:
            fake.run()
            self.assertEqual(sorted(os.listdir(os.path.join(fake.directory, "runtime"))), ["loads", "lock", "state"])
            self.assertEqual(os.path.getsize(os.path.join(fake.directory, "runtime/lock")), 0)
            with open(os.path.join(fake.directory, "runtime/state"), encoding="ascii") as file:
                state = json.load(file)
            self.assertEqual(sorted(state), ["contents", "files", "listed", "names", "patrons", "staff", "student", "version", "writing"])
            self.assertEqual(state["writing"], 0)
            self.assertEqual(state["student"], {"rows": 1, "mtime": 1700000000000000})

    # --- dying, at every point ---

    def test_deaths(self):
        for stage in ("share", "decode", "load"):
            for how, body in (("exit", "os._exit(0)"), ("error", "os._exit(3)"), ("kill", "os.kill(os.getpid(), 9)"),
                              ("abort", "os.abort()"), ("hang-up", "s.shutdown(2); time.sleep(30)")):
                with self.subTest(stage=stage, how=how):
                    reason = "stage-silent" if how == "hang-up" else "stage-died"
                    self.ends(2, reason, **{stage: body})

    def test_death_is_told_with_its_signal(self):
        entries = self.ends(2, "stage-died", load="os.kill(os.getpid(), 11)")
        self.assertTrue(any("signal 11" in e["MESSAGE"] for e in entries), entries)

    def test_death_by_the_walls_is_an_alarm(self):
        for stage in ("share", "decode", "load"):
            with self.subTest(stage=stage):
                entries = self.ends(2, "stage-died", **{stage: "os.kill(os.getpid(), 31)"})  # SIGSYS
                alarms = [e for e in entries if "suspected compromise" in e["MESSAGE"]]
                self.assertEqual([(e["PRIORITY"], e["STAGE"]) for e in alarms][:1], [("2", stage)], entries)
        entries = self.ends(2, "stage-died", load="os.kill(os.getpid(), 11)")
        self.assertEqual([e for e in entries if "suspected compromise" in e["MESSAGE"]], [])

    def test_answers_from_outside_the_walls(self):
        for walls in (0, 0x01, 0x07, 0x0b, 0x0d, 0x0e, 0x10):
            for stage in ("share", "decode", "load"):
                with self.subTest(walls=walls, stage=stage):
                    self.ends(2, "protocol", **{stage: f'say("WALLS", struct.pack("<I", {walls}))' + textwrap.dedent(HONEST[stage])})

    def test_silence(self):
        for stage in ("share", "decode", "load"):
            with self.subTest(stage=stage):
                begun = time.monotonic()
                self.ends(2, "stage-silent", **{stage: "time.sleep(60)"})
                self.assertLess(time.monotonic() - begun, 30)

    def test_progress_for_ever(self):
        for stage in ("share", "load"):
            with self.subTest(stage=stage), Fake(**{stage: '''
                    while True:
                        say("PROGRESS", struct.pack("<BQQ", 1, 1, 2))
                        time.sleep(0.05)
                    '''}) as fake:
                fake.timeout, fake.extra = "3s", "deadline = 300ms\n"
                status, entries = fake.run()
                self.assertEqual((status, reasons(entries)), (2, ["deadline"]))

    def test_missing_program(self):
        with Fake() as fake:
            os.unlink(os.path.join(fake.directory, "patrond-load"))
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)[:1]), (2, ["stage-missing"]))

    def test_missing_socket_is_not_forked_around(self):
        with Fake() as fake:
            status, entries = fake.run(PATROND_STAGES=fake.directory)
            self.assertEqual((status, reasons(entries)[:1]), (2, ["stage-missing"]))
            self.assertTrue(any("patrond-share.socket" in e["MESSAGE"] for e in entries), entries)

    # --- lying ---

    LIES = {
        "unknown type": "s.sendall(struct.pack('<IHH', 0, 0x7777, 0))",
        "a request": "say('LOAD', b'x' * 23)",
        "oversized": "s.sendall(struct.pack('<IHH', 0x7fffffff, k.FRAME['OUTCOME'], 0))",
        "undersized": "s.sendall(struct.pack('<IHH', 2, k.FRAME['OUTCOME'], 0) + b'xx')",
        "reserved field": "s.sendall(struct.pack('<IHH', 0, k.FRAME['DONE'], 1))",
        "garbage": "s.sendall(os.urandom(100000))",
        "another stage's answer": "say('COPIED', struct.pack('<Q', 7))",
        "outcome before the plan": "outcome(1)",
        "row 0": "counts('PLAN', 1, created=1); outcome(0)",
        "row beyond any feed": "counts('PLAN', 1, created=1); outcome(4000000000)",
        "second outcome": "counts('PLAN', 1, created=1); outcome(1); outcome(1)",
        "unknown outcome": "counts('PLAN', 1, created=1); outcome(1, kind=99)",
        "reason that does not fit": "counts('PLAN', 1, created=1); outcome(1, kind=0, reason=1)",
        "counts that are too high": "counts('PLAN', 1, created=1); outcome(1); counts('COUNTS', 1, created=2)",
        "counts without outcomes": "counts('PLAN', 1, created=1); counts('COUNTS', 1, created=1)",
        "rows without an outcome": "counts('PLAN', 9); counts('COUNTS', 9); say('DONE')",
        "done without a word": "say('DONE')",
        "guard after a write": "counts('PLAN', 1, created=1); outcome(1); say('GUARD', struct.pack('<BBQQI', 0, 0, 1, 1, 1))",
        "a feed left out": "say('DONE')",
        "plan twice": "counts('PLAN', 1, created=1); counts('PLAN', 1, created=1)",
        "plan after an outcome": "counts('PLAN', 1, created=1); outcome(1); counts('PLAN', 2, created=2)",
        "counts of fewer rows than the plan": "counts('PLAN', 9, created=1); outcome(1); counts('COUNTS', 1, created=1); say('DONE')",
        "too many descriptors": "[socket.send_fds(s, [b'\\0' * 8], [0] * 50) for _ in range(3)]",
        "index twice": "say('INDEXED', struct.pack('<Q', 1)); say('INDEXED', struct.pack('<Q', 2))",
        "phase of no kind": "say('PROGRESS', struct.pack('<BQQ', 77, 1, 1))",
        "failure of no kind": "say('FAILURE', struct.pack('<HBIIi', 9999, 255, 0, 0, 0))",
        "feed of no kind": "say('OUTCOME', struct.pack('<BIBBQ', 9, 1, 0, 0, 0))",
        "feed that was not asked for": "counts('PLAN', 1, created=1); say('OUTCOME', struct.pack('<BIBBQ', 1, 1, 0, 0, 0))",
    }

    def test_lies_of_load(self):
        for lie, body in self.LIES.items():
            with self.subTest(lie=lie):
                entries = self.ends(2, "protocol", load=body + "\nwait()")
                if lie not in ("rows without an outcome", "done without a word", "a feed left out", "counts of fewer rows than the plan"):
                    self.assertTrue(any("suspected compromise" in e["MESSAGE"] for e in entries), entries)

    def test_endless_answers(self):
        # more outcomes than the plan has rows: cut off at once
        entries = self.ends(2, "differs", load="""
            counts("PLAN", 1, created=1)
            n = 0
            while True:
                s.sendall(b"".join(k.frame("OUTCOME", struct.pack("<BIBBQ", 0, (n + i) % 1000 + 1, 255, 18, 1))
                                   for i in range(1000)))
                n += 1000
            """)
        self.assertLess(len(entries), 20)
        self.assertIn("protocol", reasons(entries))

    def test_endless_listing(self):
        self.ends(2, "protocol", share="""
            while True:
                listing("x", 1)
            """)

    def test_shape_lies(self):
        # 5 rows, all understood; and then what makes it a lie
        shape = 'struct.pack("<BIIBBHH", FEED, 5, 5, 44, 0, 15, 15) + bytes(25 * 4 + 19 * 8 + 20 * 6 + 6)'
        honest, lies = shape.replace("FEED", "0"), {
            "of a feed that was not asked for": f"say('SHAPE', {shape.replace('FEED', '1')})",
            "of no feed": f"say('SHAPE', {shape.replace('FEED', '9')})",
            "twice": f"say('SHAPE', {shape.replace('FEED', '0')})\n    say('SHAPE', {shape.replace('FEED', '0')})",
            "of no rows": f"say('SHAPE', {shape.replace('FEED, 5, 5', '0, 0, 0')})",
        }
        decode = HONEST["decode"].replace('        say("DONE")', '        if name == "DECODE_RECORDS":\n            BODY\n        say("DONE")')
        for lie, body in lies.items():
            with self.subTest(lie=lie):
                self.ends(2, "protocol", decode=textwrap.dedent(decode).replace("BODY", body),
                          load="time.sleep(0.2)\n" + self.failure("records-cut"))
        self.ends(2, "protocol", decode=textwrap.dedent(decode).replace('"DECODE_RECORDS"', '"DECODE_INSPECT"').replace(
            "BODY", f"say('SHAPE', {honest})"))
        with Fake(decode=textwrap.dedent(decode).replace("BODY", f"say('SHAPE', {honest})")) as fake:
            self.assertEqual(fake.run()[0], 0)

    def test_listing_lies(self):
        for name in ("../feed.zip", "/etc/shadow", "", ".", "..", "a\0b"):
            with self.subTest(name=name):
                self.ends(2, "protocol", share=f"listing({name!r}, 1)\nwait()")

    def test_name_with_escapes_is_shown_escaped(self):
        with Fake(share=HONEST["share"].replace('"feed.zip"', 'b"\\033[2J\\n\\xff.zip"'),
                  decode="say('INSPECTED', struct.pack('<BB', 1, 0) + bytes(32))\nsay('DONE')\nwait()") as fake:
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)), (2, ["not-a-zip"]))
            self.assertIn("\\x1b[2J\\x0a\\xff.zip", entries[0]["MESSAGE"])

    def test_copied_lies_about_its_size(self):
        self.ends(2, "protocol", share="""
            if name == "SHARE_LIST":
                listing("feed.zip", 7)
                say("DONE")
                wait()
            say("COPIED", struct.pack("<Q", 8))
            wait()
            """)

    def test_inspect_lies(self):
        for verdict, kinds in ((0, 0), (0, 7), (9, 1), (1, 1)):
            with self.subTest(verdict=verdict, kinds=kinds):
                self.ends(2, "protocol", decode=f"say('INSPECTED', struct.pack('<BB', {verdict}, {kinds}) + bytes(32))\nwait()")
        self.ends(2, "protocol", decode="say('DONE')\nwait()")

    # --- the cause among echoes ---

    def failure(self, word):
        return f"say('FAILURE', struct.pack('<HBIIi', {stagekit.FAILURE.index(word)}, 255, 0, 0, 0))\nwait()\n"

    def test_decodes_failure_is_the_cause_of_a_cut(self):
        decode = HONEST["decode"].replace('say("DONE")\n        wait()', "") + """
        if name == "DECODE_RECORDS":
            say("FAILURE", struct.pack("<HBIIi", %d, 255, 0, 0, 0))
        else:
            say("DONE")
        wait()
        """ % stagekit.FAILURE.index("zip-password")
        self.ends(2, "zip-password", decode=decode, load="time.sleep(0.2)\n" + self.failure("records-cut"))
        self.ends(2, "zip-password", decode=decode, load=self.failure("records-cut"))

    def test_loads_failure_is_the_cause_of_a_broken_pipe(self):
        decode = HONEST["decode"].replace('say("DONE")\n        wait()', "") + """
        if name == "DECODE_RECORDS":
            say("FAILURE", struct.pack("<HBIIi", %d, 255, 0, 0, 0))
        else:
            say("DONE")
        wait()
        """ % stagekit.FAILURE.index("records")
        self.ends(2, "tls-ca", decode=decode, load="time.sleep(0.2)\n" + self.failure("tls-ca"))

    def test_configuration_failures_are_status_1(self):
        for word in ("config", "credential", "uid-zero"):
            with self.subTest(word=word):
                self.ends(1, word, load=self.failure(word))

    # --- the end of a process in the middle of writing ---

    UNCLEAN = """
        say("INDEXED", struct.pack("<Q", 10))
        counts("PLAN", 1, created=1)
        %s
        """

    def test_after_an_unclean_end_sierra_is_given_time(self):
        honest = textwrap.dedent(HONEST["load"])
        with Fake() as fake:
            fake.extra = "[sierra]\nlate_commit = 2s\nrequest_timeout = 1s\n"
            mark = os.path.join(fake.directory, "runtime/state")
            path = os.path.join(fake.directory, "patrond-load")
            with open(path, encoding="utf-8") as file:
                good = file.read()
            for how in ("os.abort()", "time.sleep(30)"):  # the load dies; the supervisor is killed beside it
                with open(path, "w", encoding="utf-8") as file:
                    file.write(good.replace(honest, textwrap.dedent(self.UNCLEAN % how)))
                process = fake.start()
                if how == "os.abort()":
                    process.communicate(timeout=30)
                    self.assertEqual(process.returncode, 2)
                else:
                    deadline = time.monotonic() + 20
                    while time.monotonic() < deadline:
                        if os.path.exists(mark) and json.load(open(mark, encoding="ascii"))["writing"]:
                            break
                        time.sleep(0.05)
                    time.sleep(0.3)
                    process.kill()
                    process.communicate()
                with open(path, "w", encoding="utf-8") as file:
                    file.write(good)
                begun = time.monotonic()
                status, entries = fake.run()
                self.assertGreater(time.monotonic() - begun, 2)
                self.assertEqual(status, 0, entries)
                self.assertTrue(any("in the middle of writing" in e["MESSAGE"] for e in entries), entries)
                os.unlink(mark)

    def test_after_an_unclear_create_sierra_is_given_time(self):
        """The load ended well, or was cancelled, but Sierra may still be at a create that it gave up: over a restart, too."""
        cut_off = self.UNCLEAR.replace('say("DONE")', self.failure("cancelled").splitlines()[0])
        for name, load, ended, late, timeout in (("complete", self.UNCLEAR, 3, "2s", "1s"), ("cancelled", cut_off, 2, "2s", "1s"),
                                                 ("slow", self.UNCLEAR, 3, "0s", "2s")):
            with self.subTest(name), Fake(load=load) as fake:
                fake.extra = f"[sierra]\nlate_commit = {late}\nrequest_timeout = {timeout}\n"
                for status in (ended, ended):
                    begun = time.monotonic()
                    got, entries = fake.run()
                    self.assertEqual(got, status, entries)
                self.assertGreater(time.monotonic() - begun, 2)
                self.assertEqual([e["PRIORITY"] for e in entries if "late_commit" in e["MESSAGE"]], ["5"], entries)

    def test_an_unclear_renewal_holds_up_nothing(self):
        renewal = self.UNCLEAR.replace("created=1", "current=1")
        with Fake(load=renewal) as fake:
            fake.extra = "[sierra]\nlate_commit = 1h\n"
            for _ in range(2):
                status, entries = fake.run()
                self.assertEqual((status, [e for e in entries if "late_commit" in e["MESSAGE"]]), (3, []))

    # --- held, due, dry ---

    HELD = """
        say("INDEXED", struct.pack("<Q", 10))
        counts("PLAN", 100, created=100)
        say("GUARD", struct.pack("<BBQQI", 0, 0, 100, 100, 30))
        say("DONE")
        wait()
        """

    def test_held(self):
        with Fake(load=self.HELD) as fake:
            status, entries = fake.run()
            self.assertEqual(status, 4)
            held = [e for e in entries if "GUARD" in e]
            self.assertEqual([(e["GUARD"], e["FEED"], e["VALUE"], e["BASIS"]) for e in held], [("creates", "student", "100", "100")])
            self.assertTrue(held[0]["MESSAGE"].startswith("HELD by guard: creates 100% > 30% (100 of 100 rows, student)"))
            self.assertEqual([e["CREATED"] for e in entries if e.get("SUMMARY") == "Plan"], ["100"])
            # it waits for a person: neither run again nor forgotten
            status, entries = fake.run()
            self.assertEqual((status, [e for e in entries if "GUARD" in e]), (4, []))
            self.assertTrue(any("still held by a guard" in e["MESSAGE"] for e in entries), entries)

    def test_due_again_after_a_failure(self):
        with Fake(load=self.failure("sierra-unreachable")) as fake:
            for _ in range(2):
                status, entries = fake.run()
                self.assertEqual((status, reasons(entries)), (2, ["sierra-unreachable"]))

    UNCLEAR = """
        counts("PLAN", 1, created=1)
        outcome(1, kind=6, reason=16)
        v = [1] + [0, 0, 0, 0, 0, 0, 1] + [0] * 16 + [1, 0, 0] + [0] * 20 + [0, 0]
        say("COUNTS", struct.pack("<B49I", 0, *v))
        say("DONE")
        wait()
        """

    def test_unclear_rows_keep_the_feed_due(self):
        with Fake(load=self.UNCLEAR) as fake:
            fake.extra = "[sierra]\nlate_commit = 0\n"
            for _ in range(2):
                status, entries = fake.run()
                self.assertEqual((status, [(e["OUTCOME"], e["REASON"]) for e in entries if "OUTCOME" in e]),
                                 (3, [("failed", "unclear")]))

    def test_dry_run_remembers_nothing(self):
        with Fake() as fake:
            status, entries = fake.run("--once", "--dry-run")
            self.assertEqual((status, os.listdir(os.path.join(fake.directory, "runtime"))), (0, []))
            self.assertTrue(all(e.get("DRY_RUN") == "1" for e in entries if "OUTCOME" in e))
            fake.run()
            status, entries = fake.run("--once", "--dry-run")
            self.assertEqual(len([e for e in entries if "OUTCOME" in e]), 1)  # also on a feed that is done

    # --- one at a time ---

    def test_a_second_patrond_is_refused(self):
        with Fake() as fake, Fake() as other:
            other.url = fake.url
            first = fake.start("--log", "json")
            self.assertTrue(any("Load" in line for line in iter(first.stderr.readline, "")))  # by then it holds its locks
            # the same Sierra by another memory, the same memory by another Sierra; a dry run writes nothing and may
            for second, arguments, status in ((other, ("--once",), 1), (fake, ("--once",), 1), (other, ("--once", "--dry-run"), 0)):
                process = second.start(*arguments)
                _, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, status, err)
                self.assertEqual("another patrond is at work" in err, status == 1, err)
            first.kill()
            first.communicate()
            status, entries = other.run()
            self.assertEqual(status, 0, entries)  # it ended with the process

    # --- the clean-up report ---

    REPORT = """
        os.pwrite(fds[1], b"zip", 0)
        say("REPORTED", struct.pack("<Q9I32s", 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, b"digest"))
        say("DONE")
        wait()
        """
    FULL_AT_FIRST = """
        if name == "SHARE_DELIVER":
            mark = os.environ.get("MARK", %r)
            if not os.path.exists(mark):
                open(mark, "w").close()
                say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("share-full"), 255, 0, 0, -28))
                wait()
            assert os.pread(fds[0], 9, 0) == b"zip"
            say("DONE")
            wait()
        """

    def test_a_report_that_cannot_be_delivered_is_tried_again(self):
        mark = "/tmp/patrond-report-mark-%d" % os.getpid()
        with Fake(report=self.REPORT, share=textwrap.dedent(self.FULL_AT_FIRST % mark) + textwrap.dedent(HONEST["share"])) as fake:
            with open(os.path.join(fake.directory, "credentials/report-password"), "w", encoding="ascii") as file:
                file.write("x")
            fake.extra = "[share]\npoll_interval = 1s\n[report]\n"
            process = fake.start("--log", "json")
            time.sleep(4)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
            os.unlink(mark)
            entries = [json.loads(line) for line in err.splitlines()]
            about = [e["MESSAGE"] for e in entries if "lean-up report" in e["MESSAGE"]]
            self.assertEqual(len(about), 2, about)
            self.assertIn("the share is full", about[0])
            self.assertIn("delivered to the share", about[1])
            self.assertEqual(process.returncode, 0)

    # --- newest wins ---

    TWO = """
        if name == "SHARE_LIST":
            listing("new.zip", 3, 1700000002000000)
            listing("old.zip", 3, 1700000001000000)
        else:
            os.pwrite(fds[0], payload[4:7], 0)
            say("COPIED", struct.pack("<Q", 3))
        say("DONE")
        wait()
        """

    def test_older_feeds_are_superseded_unread(self):
        with Fake(share=self.TWO, decode=HONEST["decode"].replace('"<BB", 0, 1', '"<BB", 0, 3'),
                  load=HONEST["load"].replace('outcome(1)', 'counts("PLAN", 2, current=2, feed=1)\n        outcome(1)').replace(
                      'say("DONE")', 'counts("COUNTS", 2, current=2, feed=1)\n        say("DONE")')) as fake:
            status, entries = fake.run()
            self.assertEqual(status, 0, entries)
            self.assertEqual([e["FILE"] for e in entries if "FILE" in e], ["old.zip"])
            self.assertEqual(len([e for e in entries if e["MESSAGE"].endswith("started.")]), 1)

    def test_a_folder_of_many_files_is_remembered(self):
        """More files than contents: each older one is told once, and the newest is copied once."""
        with Fake(share="""
            if name == "SHARE_LIST":
                for i in range(1100):
                    listing("feed%04d.zip" % i, 7, 1700000000000000 + i)
            else:
                os.pwrite(fds[0], b"content", 0)
                say("COPIED", struct.pack("<Q", 7))
            say("DONE")
            wait()
            """, decode=HONEST["decode"].replace('"<BB", 0, 1', '"<BB", 0, 3'),
                  load=HONEST["load"].replace('outcome(1)', 'counts("PLAN", 2, current=2, feed=1)\n        outcome(1)').replace(
                      'say("DONE")', 'counts("COUNTS", 2, current=2, feed=1)\n        say("DONE")')) as fake:
            for old, last in ((1099, None), (0, "Nothing new in 1100 files.")):
                status, entries = fake.run()
                self.assertEqual((status, len([e for e in entries if "older than the newest" in e["MESSAGE"]])), (0, old), entries[-3:])
            self.assertEqual([e["MESSAGE"] for e in entries], [last])

    def test_both_kinds_from_two_zips(self):
        decode = """
        if name == "DECODE_INSPECT":
            body = os.pread(fds[0], 100, 0)
            say("INSPECTED", struct.pack("<BB", 0, 1 if body == b"new" else 2) + hashlib.sha256(body).digest())
        say("DONE")
        wait()
        """
        load = """
        kind = 0 if struct.unpack_from("<I", payload, 5)[0] == 0 else 1
        say("INDEXED", struct.pack("<Q", 10))
        say("DONE")
        wait()
        """
        with Fake(share=self.TWO, decode=decode, load=load) as fake:
            _, entries = fake.run()
            # both are begun; this load says nothing and so fails, one after the other
            self.assertEqual(len([e for e in entries if e["MESSAGE"].endswith("started.")]), 2, entries)

    def test_newest_that_cannot_be_read_holds_up_the_older(self):
        share = self.TWO.replace("os.pwrite", 'payload[4:7] == b"new" and os._exit(1)\n            os.pwrite')
        with Fake(share=share, decode=HONEST["decode"].replace('"<BB", 0, 1', '"<BB", 0, 3')) as fake:
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)), (2, ["stage-died"]))
            self.assertEqual([e for e in entries if e["MESSAGE"].endswith("started.")], [])

    def test_newest_that_is_refused_holds_up_the_older_of_its_kinds(self):
        decode = '''
        if name == "DECODE_INSPECT":
            body = os.pread(fds[0], 100, 0)
            say("INSPECTED", struct.pack("<BB", 2 if body == b"new" else 0, 1) + hashlib.sha256(body).digest())
        say("DONE")
        wait()
        '''
        with Fake(share=self.TWO, decode=decode) as fake:
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)), (2, ["zip-plain"]))
            self.assertEqual([e for e in entries if e["MESSAGE"].endswith("started.")], [])
            status, entries = fake.run()  # it stays refused until something newer comes, and says so
            self.assertTrue(any("is the newest still" in e["MESSAGE"] for e in entries), entries)
            self.assertEqual((status, [e for e in entries if e["MESSAGE"].endswith("started.")]), (2, []))

    def test_an_old_feed_that_is_touched_hides_no_newer_one(self):
        # 1: old.zip is loaded. 2: it is touched, and a newer feed lies beside it with a time between the two.
        share = '''
        mark = %r
        if name == "SHARE_LIST":
            if os.path.exists(mark):
                listing("old.zip", 3, 1700000003000000)
                listing("new.zip", 3, 1700000002000000)
            else:
                listing("old.zip", 3, 1700000001000000)
        else:
            os.pwrite(fds[0], payload[4:7], 0)
            say("COPIED", struct.pack("<Q", 3))
        say("DONE")
        wait()
        '''
        mark = "/tmp/patrond-touched-%d" % os.getpid()
        with Fake(share=share % mark) as fake:
            try:
                self.assertEqual(fake.run()[0], 0)
                with open(mark, "w", encoding="ascii"):
                    pass
                status, entries = fake.run()
                self.assertEqual(status, 0, entries)
                self.assertEqual(len([e for e in entries if e["MESSAGE"].endswith("started.")]), 1, entries)
                with open(os.path.join(fake.directory, "runtime/state"), encoding="ascii") as file:
                    self.assertEqual(json.load(file)["student"]["mtime"], 1700000002000000)
                self.assertEqual(fake.run()[1][-1]["MESSAGE"], "Nothing new in 2 files.")
            finally:
                if os.path.exists(mark):
                    os.unlink(mark)

    # --- upload under way ---

    def test_an_older_feed_does_not_slip_in_before_one_that_grows(self):
        with Fake(share='''
            if name == "SHARE_LIST":
                listing("new.zip", time.monotonic_ns() % 1000000007, 1700000002000000)
                listing("old.zip", 7, 1700000001000000)
            say("DONE")
            wait()
            ''') as fake:
            fake.settle = "50ms"
            status, entries = fake.run()
            self.assertEqual((status, [e["FILE"] for e in entries if "FILE" in e]), (0, ["new.zip"]))
            self.assertEqual([e for e in entries if e["MESSAGE"].endswith("started.")], [])

    def test_a_growing_file_is_left_alone(self):
        with Fake(share="""
            if name == "SHARE_LIST":
                listing("feed.zip", time.monotonic_ns() % 1000000007)
            say("DONE")
            wait()
            """) as fake:
            fake.settle = "50ms"
            status, entries = fake.run()
            self.assertEqual((status, [e["FILE"] for e in entries if "FILE" in e]), (0, ["feed.zip"]))
            self.assertIn("does not stand still", entries[0]["MESSAGE"])

    # --- signals ---

    def test_term_in_the_middle_of_a_load(self):
        with Fake(load="""
            say("INDEXED", struct.pack("<Q", 10))
            counts("PLAN", 2, created=2)
            outcome(1)
            open("%(mark)s", "w").close()
            while s.recv(4096)[4:6] != struct.pack("<H", k.FRAME["CANCEL"]):
                pass
            counts("COUNTS", 2, created=1)
            say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("cancelled"), 255, 0, 0, 0))
            wait()
            """ % {"mark": "/tmp/patrond-term-mark-%d" % os.getpid()}) as fake:
            fake.extra = "stage_timeout = 20s\n"
            process = fake.start()
            mark = "/tmp/patrond-term-mark-%d" % os.getpid()
            deadline = time.monotonic() + 20
            while not os.path.exists(mark) and time.monotonic() < deadline:
                time.sleep(0.02)
            os.unlink(mark)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
            entries = [json.loads(line) for line in err.splitlines()]
            self.assertEqual((process.returncode, reasons(entries)), (2, ["cancelled"]))
            self.assertEqual([e["CREATED"] for e in entries if e.get("SUMMARY") == "Broken off"], ["1"])

    def test_stages_die_with_the_supervisor(self):
        mark = "/tmp/patrond-orphan-%d" % os.getpid()
        with Fake(load=f"open({mark!r}, 'w').write(str(os.getpid()))\nwait()") as fake:
            fake.extra = "stage_timeout = 60s\n"
            process = fake.start()
            deadline = time.monotonic() + 20
            while not (os.path.exists(mark) and os.path.getsize(mark)) and time.monotonic() < deadline:
                time.sleep(0.02)
            with open(mark, encoding="ascii") as file:
                pid = int(file.read())
            os.unlink(mark)
            process.kill()
            process.communicate()
            for _ in range(100):
                if not os.path.exists(f"/proc/{pid}"):
                    return
                time.sleep(0.05)
            self.fail("a stage outlived the supervisor")

    def test_service_looks_again_and_stops(self):
        with Fake() as fake:
            fake.extra = "[share]\npoll_interval = 1s\n"
            process = fake.start("--log", "json")
            time.sleep(3)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
            messages = [json.loads(line)["MESSAGE"] for line in err.splitlines()]
            self.assertEqual(process.returncode, 0, messages)
            self.assertIn("Configuration read anew.", messages)
            self.assertEqual(messages[-1], "patrond stopped.")
            self.assertEqual(len([m for m in messages if m.endswith("started.") and m.startswith("Load")]), 1, messages)

    def test_a_bad_reload_keeps_the_old_configuration(self):
        """The line is told; what is missing stands in none."""
        for text, says in (("[nonsense]\n", r"/c\.conf:[1-9][0-9]*: "), ("[sftp]\nuser = u\n", r"/c\.conf: \[sftp\] host is missing")):
            with self.subTest(text), Fake() as fake:
                process = fake.start("--log", "json")
                time.sleep(1.5)
                with open(os.path.join(fake.directory, "c.conf"), "a", encoding="ascii") as file:
                    file.write(text)
                process.send_signal(signal.SIGHUP)
                time.sleep(0.5)
                process.send_signal(signal.SIGTERM)
                _, err = process.communicate(timeout=30)
                self.assertRegex("\n".join(json.loads(line)["MESSAGE"] for line in err.splitlines()), "the old one stays: .*" + says)
                self.assertEqual(process.returncode, 0)

    # --- the command line ---

    def command(self, *arguments, root=False, **environment):
        become = dict(user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[]) if USER and not root else {}
        return subprocess.run([os.path.join(stagekit.BIN, "patrond"), *arguments], capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0",
                                                             **environment}, **become)

    def test_usage(self):
        for arguments, says in ((["--nonsense"], "unrecognized"), (["more"], "no such argument"), (["--dry-run"], "--once"),
                                (["--log", "syslog", "--config", "/nonexistent"], "cannot be read"),
                                (["--config", "/nonexistent"], "/nonexistent: cannot be read")):
            with self.subTest(arguments=arguments):
                done = self.command(*arguments)
                self.assertEqual(done.returncode, 1)
                self.assertIn(says, done.stderr)
        self.assertEqual(self.command("--help").returncode, 0)
        self.assertIn("patrond 0.", self.command("--version").stdout)

    def test_journal_is_refused_outside_of_a_namespace(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[share]\npath = /x\n[sierra]\nurl = https://127.0.0.1/v6\n")
            file.flush()
            os.chmod(file.name, 0o644)
            done = self.command("--config", file.name, "--once", "--log", "journal")
            self.assertEqual(done.returncode, 1)
            self.assertIn("must never reach a persistent journal", done.stderr)

    def test_standard_error_into_a_journal_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[share]\npath = /x\n[sierra]\nurl = https://127.0.0.1/v6\n")
            file.flush()
            os.chmod(file.name, 0o644)
            read, write = os.pipe()
            st = os.fstat(write)
            for form in ("json", "console"):
                become = dict(user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[]) if USER else {}
                done = subprocess.run([os.path.join(stagekit.BIN, "patrond"), "--config", file.name, "--once", "--log", form],
                                      stdin=subprocess.DEVNULL, **become, stdout=subprocess.DEVNULL, stderr=write, timeout=20,
                                      env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}", "ASAN_OPTIONS": "detect_leaks=0"})
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"rows must never reach one", os.read(read, 4096))
            os.close(read)
            os.close(write)

    def test_missing_sections_and_credentials(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[share]\n[log]\n")
            file.flush()
            os.chmod(file.name, 0o644)
            done = self.command("--config", file.name, "--check-config")
            self.assertEqual(done.returncode, 1)
            self.assertIn("[share] path is missing", done.stderr)
            self.assertIn("[sierra] is missing", done.stderr)
            file.write("[share]\npath = /x\n[sierra]\nurl = https://127.0.0.1/v6\n[report]\n")
            file.flush()
            os.chmod(file.name, 0o644)
            done = self.command("--config", file.name, "--once", CREDENTIALS_DIRECTORY="/nonexistent")
            self.assertEqual(done.returncode, 1)
            for name in ("zip-password", "sierra-key", "report-password"):
                self.assertIn(f"/nonexistent/{name}", done.stderr)
            self.assertNotIn("sftp-key", done.stderr)
            self.assertIn("CREDENTIALS_DIRECTORY is not set", self.command("--config", file.name, "--once").stderr)

    def test_what_does_not_go_together(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("[sftp]\nhost = h\nuser = u\nknown_hosts = /nonexistent/kh\n[report]\n"
                       "[sierra]\nurl = https://127.0.0.1/v6\nca_file = /nonexistent/ca\n")
            file.flush()
            os.chmod(file.name, 0o644)
            done = self.command("--config", file.name, "--check-config")
            self.assertEqual(done.returncode, 1)
            for says in ("[report] needs [share]", "ca_file cannot be read"):
                self.assertIn(says, done.stderr)

    def test_nothing_new_is_told(self):
        with Fake() as fake:
            fake.run()
            status, entries = fake.run()
            self.assertEqual((status, [e["MESSAGE"] for e in entries if e["PRIORITY"] == "6"]), (0, ["Nothing new in 1 file."]))

    @unittest.skipUnless(os.geteuid() == 0, "only root reads what others may not")
    def test_what_the_stages_cannot_read(self):
        """root's --check-config names each file that a stage's user may not read."""
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            os.mkdir(os.path.join(folder, "c.conf.d"), 0o755)
            profile = open(os.path.join(stagekit.ROOT, "config/profiles/chccs.conf"), encoding="utf-8").read()
            files = {"own.conf": profile, "staff.conf": profile, "ca": "x", "mail-ca": "x", "kh": "x", "c.conf.d/more.conf": "[log]\n", "c.conf": (
                "[sftp]\nhost = h\nuser = u\nknown_hosts = {0}/kh\n[sierra]\nurl = https://127.0.0.1/v6\nca_file = {0}/ca\n"
                "[feed student]\nprofile = {0}/own.conf\n[feed staff]\nprofile = {0}/staff.conf\n[report]\nrecipients = a@example.org\n"
                "[mail]\nrelay = smtp://h\nfrom = b@example.org\nca_file = {0}/mail-ca\n").format(folder)}
            paths = {name: os.path.join(folder, name) for name in files}
            for name, text in files.items():
                with open(paths[name], "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(paths[name], 0o644)
            check = lambda: self.command("--config", paths["c.conf"], "--check-config", root=True)  # noqa: E731
            done = check()
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for name, path in [*paths.items(), ("c.conf.d", paths["c.conf"] + ".d")]:
                with self.subTest(name):
                    mode = os.stat(path).st_mode & 0o777
                    os.chmod(path, 0o750 if os.path.isdir(path) else 0o600)
                    done = check()
                    os.chmod(path, mode)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn(f"patrond: {path}: ", done.stderr)
                    self.assertIn("not readable by all", done.stderr)
                    self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be refused as root")
    def test_root_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("zip-password", "sierra-key"):
                with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                    file.write("x")
            with open(os.path.join(folder, "c.conf"), "w", encoding="ascii") as file:
                file.write("[share]\npath = /x\n[sierra]\nurl = https://127.0.0.1/v6\n")
            done = self.command("--config", os.path.join(folder, "c.conf"), "--once", root=True, CREDENTIALS_DIRECTORY=folder)
            self.assertEqual(done.returncode, 1)
            for says in ("refuses to run as root", "systemctl start patrond", "patronctl run", "setpriv --reuid patrond"):
                self.assertIn(says, done.stderr)

    def test_workspace_on_a_disk_is_refused(self):
        with Fake() as fake:
            os.mkdir(os.path.join(fake.directory, "runtime/work"))
            if subprocess.check_output(["stat", "-f", "-c", "%T", fake.directory], text=True).strip() == "tmpfs":
                self.skipTest("the temporary folder is tmpfs here")
            process = fake.start()
            _, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 1)
            self.assertIn("not on tmpfs", err)


if __name__ == "__main__":
    stagekit.main()
