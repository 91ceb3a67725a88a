# SPDX-License-Identifier: GPL-3.0-or-later
"""patronctl against a control socket that lies, dawdles and hangs up, and against one that does not."""
import copy
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import stagekit
from varlink_fake import Fake, INTERFACE, PATRONCTL, Terminal, environment, error, patronctl, reply

ROOT_ONLY = unittest.skipIf(os.geteuid() != 0, "becomes another user")
LOAD = "20260302T061500-9ec6"
LOOK = "20260302T061430-07aa"
VERSION = re.search(r"VERSION ([0-9.]+)", open(os.path.join(stagekit.ROOT, "CMakeLists.txt"), encoding="utf-8").read().split("project", 1)[1])[1]
STUDENTS = dict(feed="student", rows=12000, verified=0, different=0,
                outcomes=dict(created=4560, renewed=6801, current=400, skipped=200, held=30, rejected=9, failed=0),
                reasons={"opted-out": 180, "inactive": 20, "ambiguous": 30, "shape": 9})
STAFF = dict(feed="staff", rows=2000, verified=0, different=0,
             outcomes=dict(created=12, renewed=1900, current=80, skipped=0, held=8, rejected=0, failed=0),
             reasons={"conflict": 8})
GUARD = dict(guard="creates", feed="student", value=4560, basis=12000, limit_percent=30)
HELD = dict(id=LOAD, end="held", dry_run=False, time="2026-03-02T06:15:00Z", counts=[], plan=[STUDENTS, STAFF], guards=[GUARD],
            message="creates 38% > 30% (4,560 of 12,000 rows, student)")
DUE = dict(HELD, end="failed", reason="sierra-unreachable", guards=[], plan=[],
           message="Sierra cannot be reached or does not answer (error 7); it is tried again.")
DONE = dict(HELD, id="20260301T061500-11b0", end="complete", guards=[], message=None, plan=[], time="2026-03-01T06:15:00Z",
            counts=[dict(STAFF, verified=100, outcomes=dict(STAFF["outcomes"]))])
SOURCES = [dict(source="share", last_look="2026-03-02T06:14:40Z", last_error=None, next_look="2026-03-02T06:19:40Z"),
           dict(source="sftp", last_look="2026-03-02T06:14:41Z", next_look="2026-03-02T06:29:41Z",
                last_error="The server sent nothing within [sftp] stall_timeout; it is tried again.")]
PROGRESS = dict(load=LOAD, phase="writing", done=6240, total=13273, rate=85, seconds_left=82, dry_run=False)
OUTCOMES = dict(created=0, renewed=6235, current=0, skipped=200, held=38, rejected=9, failed=5)


def status(**values):
    return {**dict(state="idle", status="Idle.", version=VERSION, progress=None, last=[], held=[], due=[], sources=[]), **values}


def event(kind, **values):
    return {**dict(kind=kind, status="Writing 6,240 of 13,273"), **values}


def stream(*events):
    return [one if not isinstance(one, dict) else reply(one, continues=True) for one in events]


IDLE = event("idle", status="Idle: next look at 06:19.")
WRITING = event("progress", progress=PROGRESS, outcomes=OUTCOMES)


def idle(exit_status, look=LOOK):
    return event("idle", status="Idle.", look=look, exit_status=exit_status)


class Case(unittest.TestCase):
    maxDiff = None

    def answers(self, *arguments, stdout=None, exit_status=0, stderr="", **methods):
        with Fake(**methods) as fake:
            result = patronctl(*arguments, "--socket", fake.path)
        result.calls = fake.calls
        self.assertEqual(result.stderr.replace(fake.path, "SOCKET"), stderr, result)
        self.assertEqual(result.status, exit_status, result)
        if stdout is not None:
            self.assertEqual(result.stdout, stdout)
        return result


class Usage(unittest.TestCase):
    def refused(self, *arguments, says):
        with Fake() as fake:
            result = patronctl(*arguments, "--socket", fake.path)
            self.assertEqual((result.status, result.stdout, fake.calls), (1, "", []))
        self.assertIn(says, result.stderr)

    def test_refused(self):
        for arguments, says in (
                ((), "Usage: patronctl"), (("staus",), "there is no such verb"), (("status", "now"), "too many arguments for status"),
                (("run", "share", "sftp"), "too many arguments for run"), (("run", "--dry-rnu"), "--dry-rnu"),
                (("release", LOAD, "--dry-run"), "--dry-run does not go with release"),
                (("cancel", "--wait"), "--wait does not go with cancel"), (("watch", "--again"), "--again does not go with watch"),
                (("status", "--config", "x"), "--config does not go with status"),
                (("check-config",), "--socket does not go with check-config")):
            with self.subTest(arguments):
                self.refused(*arguments, says=says)

    def test_help_and_version(self):
        result = patronctl("--help")
        self.assertEqual((result.status, result.stderr), (0, ""))
        self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100)
        self.assertEqual(patronctl("status", "--help").stdout, result.stdout)
        result = patronctl("--version")
        self.assertEqual((result.status, result.stdout), (0, f"patronctl {VERSION}\n"))

    def test_every_word_is_documented(self):
        """Help, man page and completions know the same verbs and options."""
        text = patronctl("--help").stdout
        words = set(re.findall(r"--[a-z-]+", text)) | set(re.findall(r"^  ([a-z]+[a-z-]*)", text, re.M))
        self.assertLess({"status", "run", "watch", "cancel", "release", "reload", "check-config", "--again", "--socket"}, words)
        for file in ("docs/man/patronctl.1", "completions/patronctl.bash", "completions/_patronctl", "completions/patronctl.fish"):
            with open(os.path.join(stagekit.ROOT, file), encoding="utf-8") as opened:
                content = opened.read()
            if file.endswith(".1"):
                content = re.sub(r"Fl Fl ", "--", content)
            if file.endswith(".fish"):
                content = re.sub(r"-l ([a-z-]+)", r"--\1", content)
            for word in words:
                self.assertRegex(content, rf"(?<![\w-]){word}(?![\w-])", file)


class Completions(unittest.TestCase):
    """Each shell itself is asked what it would offer; ids of held loads come from patrond, by a patronctl in the path."""

    BASH = ('source "$1"; COMP_WORDS=($2 "$3"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _patronctl; printf "%s\\n" "${COMPREPLY[@]}"')

    def setUp(self):
        evil = dict(HELD, id="$(touch /tmp/owned)")
        self.fake = Fake(Status=reply(status(held=[HELD, evil])))
        self.addCleanup(self.fake.__exit__)

    def ask(self, *command):
        env = environment(PATH=stagekit.BIN + ":/usr/bin:/bin", RUNTIME_DIRECTORY=self.fake.directory, HOME=self.fake.directory)
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=30, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def test_bash(self):
        file = os.path.join(stagekit.ROOT, "completions/patronctl.bash")
        self.assertEqual(self.ask("bash", "-c", self.BASH, "-", file, "patronctl", "re"), {"release", "reload"})
        self.assertEqual(self.ask("bash", "-c", self.BASH, "-", file, "patronctl run", "s"), {"sftp", "share"})
        self.assertEqual(self.ask("bash", "-c", self.BASH, "-", file, "patronctl run", "--d"), {"--dry-run"})
        self.assertEqual(self.ask("bash", "-c", self.BASH, "-", file, "patronctl --json release", ""),
                         {"--socket", "--json", "--help", "--version", "--wait", LOAD})

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        file = os.path.join(stagekit.ROOT, "completions/patronctl.fish")
        for line, offered in (("patronctl re", {"release", "reload"}), ("patronctl run s", {"sftp", "share"}), ("patronctl release 2", {LOAD})):
            self.assertEqual(self.ask("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", file, line), offered)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        self.assertEqual(self.ask("zsh", "-n", os.path.join(stagekit.ROOT, "completions/_patronctl")), set())


class Unreachable(unittest.TestCase):
    def says(self, path, sentence, **options):
        for verb in ("status", "run", "watch", "cancel", "release", "reload"):
            result = patronctl(verb, "--socket", path, **options)
            self.assertEqual((result.status, result.stdout, result.stderr), (1, "", f"patronctl: {path}: {sentence}\n"), verb)

    def test_not_there(self):
        self.says("/nowhere/control", "patrond is not running: systemctl start patrond")
        self.says("/" + "x" * 200, "the socket's path is too long")

    def test_usual_place(self):
        self.assertIn("patronctl: /run/patrond/control: ", patronctl("status").stderr)
        with Fake(Status=reply(status())) as fake:
            for folders in (fake.directory, fake.directory + ":/run/other"):
                self.assertEqual(patronctl("status", env={"RUNTIME_DIRECTORY": folders}).status, 0)

    def test_nobody_listens(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "control")
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
            self.says(path, "patrond is not running: systemctl start patrond")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.bind(path + "2")
                self.says(path + "2", "that is no control socket of patrond; see --socket")

    @ROOT_ONLY
    def test_not_allowed(self):
        with Fake(Status=reply(status())) as fake:
            os.chmod(fake.path, 0o660)
            nobody = pwd.getpwnam("nobody")
            self.says(fake.path, "you must be root or in the group patrond-admin", user="nobody", group=nobody.pw_gid,
                      extra_groups=[])
            self.assertEqual(fake.calls, [])

    def test_slow(self):
        """Nothing at all, a reply that trickles, and a queue that is full: each ends by itself, and in time."""
        full = tempfile.TemporaryDirectory()
        self.addCleanup(full.cleanup)
        path = os.path.join(full.name, "control")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen(0)
        waiting = socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        waiting.connect(path)
        trickle = [part for byte in reply(status()) for part in (bytes([byte]), 0.5)]
        with Fake(Status=60, Monitor=60) as silent, Fake(Status=trickle, Monitor=stream(IDLE) + trickle) as slow:
            cases = [("status", silent.path), ("watch", silent.path), ("run", silent.path, "--wait"), ("status", slow.path),
                     ("watch", slow.path), ("status", path)]
            results = {}
            threads = [threading.Thread(target=lambda c=c: results.update({c: patronctl(c[0], "--socket", *c[1:])})) for c in cases]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for case in cases:
            self.assertEqual(results[case].status, 1, case)
            self.assertEqual(results[case].stderr, f"patronctl: {case[1]}: patrond does not answer: see systemctl status patrond\n")


def wrong_values(value, path=()):
    """Copies of a status, in each of which one value is of a type or size that it must not have."""
    if isinstance(value, dict):
        for key, one in value.items():
            for wrong in wrong_values(one, path + (key,)):
                yield wrong
    elif isinstance(value, list):
        for i, one in enumerate(value):
            for wrong in wrong_values(one, path + (i,)):
                yield wrong
    bad = {str: [7, {}], bool: ["yes"], int: [-1, 0.5, 1e300, "7"], list: [{}, "x", [7], [{}] * 4000], dict: [[], "x", 7]}
    for wrong in bad.get(type(value), []):
        yield path, wrong


class Hostile(Case):
    MISUNDERSTOOD = "patronctl: SOCKET: the answer is not understood: are patrond and patronctl of one version? systemctl restart patrond\n"

    def test_garbage(self):
        good = reply(status())
        for garbage in (b"\0", b"hello\0", b"{}\0", b"[]\0", b"null\0", b'{"parameters": []}\0', b'{"error": 7}\0', b'{"error": ""}\0',
                        b'{"error": null}\0', b'{"continues": "yes"}\0', good[:-1] + b"x\0", good[:-2] + b"\0", b'\xff' + good,
                        b"{\"parameters\": {\"state\": \"\xed\xa0\x80\"}}\0", b"[" * 500_000 + b"\0", b'{"a":' * 150_000 + b"\0",
                        reply(status(), continues=True), b'{"parameters": {"state": "\\ud800"}}\0', b"1e999\0"):
            with self.subTest(garbage[:60]):
                self.answers("status", exit_status=1, stderr=self.MISUNDERSTOOD, stdout="", Status=garbage)

    def test_wrong_types(self):
        full = status(last=[DONE], held=[HELD], due=[DUE], sources=SOURCES, progress=PROGRESS)
        tried = 0
        replies = []
        for path, wrong in wrong_values(full):
            if not path:
                continue
            made = copy.deepcopy(full)
            at = made
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = wrong
            replies.append((path, wrong, made))
        replies = replies[::3] + [r for r in replies if r[0][0] in ("state", "progress", "sources")]
        for path, wrong, made in replies:
            tried += 1
            with self.subTest(path=path, wrong=str(wrong)[:20]):
                self.answers("status", exit_status=1, stderr=self.MISUNDERSTOOD, stdout="", Status=reply(made))
        self.assertGreater(tried, 60)

    def test_newer(self):
        """What a newer patrond says beside is no harm; what it calls by a new word is told as that."""
        load = dict(HELD, colour="blue", guards=[dict(GUARD, guard="moonphase")], plan=[dict(STUDENTS, reasons={"novel": 3})])
        result = self.answers("status", exit_status=4, Status=reply(status(held=[load], weather={"rain": [1]}, version="9.9")))
        self.assertIn("a guard that this patronctl does not know (4,560 of 12,000, limit 30%)", result.stdout)
        self.assertIn(f"patronctl is version {VERSION}: restart patrond", result.stdout)

    def test_huge(self):
        for verb, methods in (("status", dict(Status=b"{" * (2 << 20))), ("watch", dict(Monitor=stream(IDLE) + [b"x" * (2 << 20)]))):
            result = self.answers(verb, exit_status=1, stderr="patronctl: SOCKET: the answer is too long to be patrond's\n", **methods)
            self.assertNotIn("xx", result.stdout)
        text = "x" * 900_000  # within a reply's bounds, but nothing for a screen
        result = self.answers("status", Status=reply(status(status=text)))
        self.assertLess(len(result.stdout), 5000)

    def test_hang_up(self):
        hung_up = "patronctl: SOCKET: patrond hung up: it has ended, or has too many connections; see systemctl status patrond\n"
        for parts in ([None], [reply(status())[:-1], None], [reply(status())[:40], None]):
            self.answers("status", exit_status=1, stderr=hung_up, stdout="", Status=parts)
        self.answers("run", "--wait", exit_status=1, stderr=hung_up, Monitor=[None], Run=reply({"id": LOOK}))

    def test_terminal_is_safe(self):
        """No text, wherever it stands, reaches the terminal with what could move, hide or turn what is read there."""
        evil = "a\x1b]0;owned\x07\x9b2J\r\n\u202egpj.exe\u2028\u200b\U000e0041z"
        hidden = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]")

        def spoil(value):
            if isinstance(value, dict):
                return {k: v if k in ("feed", "guard", "kind", "end") else spoil(v) for k, v in value.items()}
            if isinstance(value, list):
                return [spoil(v) for v in value]
            return evil if isinstance(value, str) else value

        spoilt = spoil(status(held=[HELD], due=[DUE], last=[DONE], sources=SOURCES, progress=PROGRESS))
        events = [spoil(e) for e in (WRITING, event("summary", finished=DUE), IDLE)]
        wrong = error("BadConfiguration", file=evil, line=7, message=evil)
        methods = dict(Status=reply(spoilt), Monitor=stream(*events) + [None], Reload=wrong, Run=error("Busy", load=evil),
                       Release=error(evil + ".x"))
        with Fake(**methods) as fake:
            for arguments in (("status",), ("release",), ("release", "x"), ("watch",), ("reload",), ("run",), ("status", "--json"), ("watch", "--json")):
                result = patronctl(*arguments, "--socket", fake.path)
                self.assertNotEqual(result.stdout + result.stderr, "")
                self.assertIsNone(hidden.search(result.stdout + result.stderr), (arguments, result))
                if arguments[-1] == "--json":
                    lines = [json.loads(line) for line in result.stdout.splitlines()]
                    self.assertEqual(lines, [spoilt] if arguments[0] == "status" else events)
            terminal = Terminal("status", "--socket", fake.path, env={"NO_COLOR": "1"})
            self.assertEqual(terminal.end(), 4)
            self.assertIsNone(hidden.search(terminal.raw.replace("\r\n", "\n")))
            self.assertIn("a\\u001b]0;owned\\u0007\\u009b2J", terminal.screen().replace("\n", ""))


class Errors(Case):
    def test_each(self):
        cases = (("run", "Run", error("Busy", load=LOAD), 2,
                  f"a look or a load runs already ({LOAD}): watch it (patronctl watch), or end it (patronctl cancel)"),
                 ("run", "Run", error("Busy"), 2, "a look or a load runs already: watch it (patronctl watch), or end it (patronctl cancel)"),
                 ("cancel", "Cancel", error("NotRunning"), 2, "nothing runs"),
                 ("run", "Run", error("Stopping"), 2, "patrond is about to stop: try again when it runs"),
                 ("run", "Run", error("org.varlink.service.InvalidParameter", parameter="source"), 1,
                  "patrond does not take that value (source); see patronctl --help"),
                 ("reload", "Reload", error("org.varlink.service.PermissionDenied"), 1, "you must be root or in the group patrond-admin"),
                 ("reload", "Reload", error("org.varlink.service.InterfaceNotFound", interface=INTERFACE), 1,
                  f"that is no control socket of patrond ({INTERFACE}); see --socket"),
                 ("status", "Other", error("x.y"), 1,
                  f"patrond does not know this ({INTERFACE}.Status): is it older than patronctl? systemctl restart patrond"),
                 ("status", "Status", error("com.example.Odd", x=1), 2, "patrond answered with the error com.example.Odd"))
        for verb, method, answer, exit_status, says in cases:
            with self.subTest(says):
                self.answers(verb, exit_status=exit_status, stderr=f"patronctl: {says}\n", stdout="", **{method: answer})

    def test_json(self):
        result = self.answers("cancel", "--json", exit_status=2, stderr="patronctl: nothing runs\n", Cancel=error("NotRunning"))
        self.assertEqual(json.loads(result.stdout), {"error": INTERFACE + ".NotRunning", "parameters": {}})

    def test_bad_configuration(self):
        self.answers("reload", exit_status=1, Reload=error("BadConfiguration", file="/etc/patrond/patrond.conf", line=12, message="no such key"),
                     stderr="patronctl: /etc/patrond/patrond.conf:12: no such key\npatronctl: the old configuration stays.\n")
        self.answers("reload", exit_status=1, Reload=error("BadConfiguration", file="/etc/patrond/patrond.conf", line=0, message="cannot be read"),
                     stderr="patronctl: /etc/patrond/patrond.conf: cannot be read\npatronctl: the old configuration stays.\n")


HELD_SCREEN = f"""Load {LOAD}, 2026-03-02 06:15: HELD, nothing was written
  creates 38% > 30% (4,560 of 12,000 rows, student)
  What it would have done:
                             student       staff
  rows                        12,000       2,000
  created                      4,560          12
  renewed                      6,801       1,900
  current                        400          80
  skipped                        200           0
    opted-out                    180           0
    inactive                      20           0
  held                            30           8
    ambiguous                     30           0
    conflict                       0           8
  rejected                         9           0
    shape                          9           0
  If that is right, let it go:  patronctl release {LOAD}
"""
STATUS_SCREEN = f"""patrond {VERSION}: idle

{HELD_SCREEN}
Sources
  share: last look 2026-03-02 06:14, next 2026-03-02 06:19, well
  sftp: last look 2026-03-02 06:14, next 2026-03-02 06:29, FAILED
    The server sent nothing within [sftp] stall_timeout; it is tried again.
"""
WATCH_SCREEN = """Writing to Sierra
[===============>                ]  47%  6,240 of 13,273 rows, 85/s, 1:22 to go
renewed 6,235, skipped 200, held 38, rejected 9, failed 5
"""


class Status(Case):
    def test_exit_status(self):
        for values, exit_status in ((dict(), 0), (dict(last=[DONE]), 0), (dict(due=[DUE]), 2), (dict(held=[HELD]), 4),
                                    (dict(held=[HELD], due=[DUE]), 4), (dict(last=[HELD]), 0)):
            self.answers("status", exit_status=exit_status, Status=reply(status(**values)))
            self.answers("status", "--json", exit_status=exit_status, Status=reply(status(**values)))

    def test_screen(self):
        held = status(held=[HELD], sources=SOURCES)
        self.answers("status", exit_status=4, stdout=STATUS_SCREEN, Status=reply(held))
        with Fake(Status=reply(held)) as fake:
            for env, coloured in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
                terminal = Terminal("status", "--socket", fake.path, env=env)
                self.assertEqual(terminal.end(), 4)
                self.assertEqual((terminal.screen() + "\n", terminal.coloured()), (STATUS_SCREEN, coloured), env)
            narrow = Terminal("status", "--socket", fake.path, columns=50)
            self.assertEqual(narrow.end(), 4)
            self.assertIn("    The server sent nothing within [sftp]\n    stall_timeout; it is tried again.", narrow.screen())

    def test_running(self):
        result = self.answers("status", Status=reply(status(state="loading", progress=dict(PROGRESS, dry_run=True), last=[DONE])))
        self.assertEqual(result.stdout.split("\n\n")[0], f"""patrond {VERSION}: loading
  Writing to Sierra (dry run), load {LOAD}
  [==============>               ]  47%  6,240 of 13,273 rows, 85/s, 1:22 to go""")
        self.assertIn("Load 20260301T061500-11b0, 2026-03-01 06:15: complete\n", result.stdout)
        self.assertIn("  read back, verified            100\n", result.stdout)
        self.assertNotIn("read back, different", result.stdout)

    def test_due(self):
        result = self.answers("status", exit_status=2, Status=reply(status(status="FAILED", due=[DUE])))
        self.assertIn(f"Due again: Load {LOAD}, 2026-03-02 06:15: FAILED\n  Sierra cannot be reached or does not answer (error 7); "
                      "it is tried again.\n", result.stdout)

    def test_idle(self):
        self.answers("status", stdout=f"patrond {VERSION}: idle\n  Idle.\n\nSources\n  sftp: last look never, next not planned, not looked at yet\n",
                     Status=reply(status(sources=[dict(source="sftp")])))

    def test_times(self):
        for time, shown in (("2026-03-02T06:15:00+01:00", "2026-03-02 05:15"), ("2026-03-02T06:15:00.25Z", "2026-03-02 06:15"),
                            ("yesterday", "yesterday"), ("2026-03-02T06:15:00", "2026-03-02T06:15:00"), ("", "?"),
                            ("2026-03-02T06:15:00+99:00", "2026-03-02T06:15:00+")):
            result = self.answers("status", Status=reply(status(last=[dict(DONE, time=time)])))
            self.assertIn(f"Load {DONE['id']}, {shown}: complete\n", result.stdout)

    def test_a_load_from_before_a_restart(self):
        bare = dict(id=LOAD, end="held", dry_run=False, counts=[], plan=[], guards=[])
        result = self.answers("status", exit_status=4, Status=reply(status(held=[bare])))
        self.assertIn(f"\nLoad {LOAD}: HELD, nothing was written\n  If that is right, let it go:  patronctl release {LOAD}\n", result.stdout)

    def test_json(self):
        told = status(held=[HELD], sources=SOURCES)
        result = self.answers("status", "--json", exit_status=4, Status=reply(told))
        self.assertEqual(json.loads(result.stdout), told)
        self.assertEqual(result.stdout.count("\n"), 1)


class Run(Case):
    def test_begun(self):
        for arguments, parameters in (((), {}), (("--again",), {"again": True}), (("share",), {"source": "share"}),
                                      (("sftp", "--again"), {"source": "sftp", "again": True})):
            result = self.answers("run", *arguments, stdout=f"Look {LOOK} has begun; patronctl watch shows it.\n", Run=reply({"id": LOOK}))
            self.assertEqual(result.calls, [{"method": INTERFACE + ".Run", "parameters": parameters}])
        result = self.answers("run", "--json", Run=reply({"id": LOOK}))
        self.assertEqual(json.loads(result.stdout), {"id": LOOK})
        self.answers("run", exit_status=1, stderr=Hostile.MISUNDERSTOOD, Run=reply())

    def test_waits(self):
        """The end is that of the very look, whatever else ends meanwhile, and its exit status is the look's."""
        for exit_status in (0, 2, 3, 4):
            result = self.answers("run", "--wait", exit_status=exit_status, Run=reply({"id": LOOK}),
                                  Monitor=stream(IDLE, 0.3, idle(1, "another"), WRITING, event("summary", finished=DONE), idle(exit_status), 30))
            self.assertEqual([c["method"].rsplit(".", 1)[1] for c in result.calls], ["Monitor", "Run"])
            self.assertTrue(result.calls[0]["more"])
            self.assertIn("Writing to Sierra: 6,240 of 13,273 rows, 85/s, 1:22 to go; renewed 6,235, skipped 200, held 38, rejected 9, failed 5\n"
                          f"Load {DONE['id']}, 2026-03-01 06:15: complete\n", result.stdout)
            self.assertTrue(result.stdout.endswith("Idle.\n"))

    def test_dry_run_shows_its_table(self):
        finished = dict(DONE, dry_run=True, counts=[STUDENTS, STAFF])
        result = self.answers("run", "--dry-run", Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.2, event("summary", finished=finished), idle(0)))
        self.assertEqual(result.calls[1]["parameters"], {"dry_run": True})
        self.assertIn(f"Dry run {DONE['id']}, 2026-03-01 06:15: complete\n" + " " * 29 + "student       staff\n  rows                        12,000       2,000\n", result.stdout)
        self.assertIn("  failed                           0           0\n", result.stdout)

    def test_cannot_wait(self):
        self.answers("run", "--wait", exit_status=2, stderr="patronctl: patrond has ended before the look did: see systemctl status patrond\n",
                     Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.3, WRITING, None))
        self.answers("run", "--wait", exit_status=2, stderr="patronctl: patrond has ended before the look did: see systemctl status patrond\n",
                     Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.3) + [reply(IDLE), 30])
        self.answers("run", "--wait", exit_status=2, stderr="patronctl: patrond is about to stop: try again when it runs\n",
                     Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.3) + [error("Stopping"), 30])
        self.answers("run", "--wait", exit_status=1, stderr=Hostile.MISUNDERSTOOD, Run=reply({"id": LOOK}),
                     Monitor=stream(IDLE, 0.3, event("idle", look=LOOK)))
        self.answers("run", "--wait", exit_status=2, stderr="patronctl: patrond is about to stop: try again when it runs\n", stdout="",
                     Monitor=error("Stopping"))
        result = self.answers("run", "--wait", exit_status=2, Run=error("Busy"), Monitor=stream(WRITING, 30),
                              stderr="patronctl: a look or a load runs already: watch it (patronctl watch), or end it (patronctl cancel)\n")
        self.assertEqual(result.stdout, "")

    def test_json(self):
        events = [WRITING, event("summary", finished=DONE), idle(3)]
        result = self.answers("run", "--wait", "--json", exit_status=3, Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.3, *events))
        self.assertEqual([json.loads(line) for line in result.stdout.splitlines()], [{"id": LOOK}] + events)

    def test_interrupted(self):
        with Fake(Run=reply({"id": LOOK}), Monitor=stream(IDLE, 0.3, WRITING, 60)) as fake:
            terminal = Terminal("run", "--wait", "--socket", fake.path)
            self.assertEqual(terminal.until("failed 5") + "\n", WATCH_SCREEN)
            os.kill(terminal.process.pid, signal.SIGINT)
            self.assertEqual(terminal.end(), 130)
            self.assertEqual(terminal.screen(), WATCH_SCREEN + "patronctl: interrupted; patrond goes on. patronctl cancel ends the load.")
            self.assertEqual(fake.parameters("Cancel"), [])


class Watch(Case):
    def test_terminal(self):
        """Drawn over itself; results stay above it."""
        go_on = threading.Event()
        later = event("progress", progress=dict(PROGRESS, phase="indexing", done=120000, total=0, rate=2400, seconds_left=None))
        with Fake(Monitor=stream(later, 0.2, WRITING, go_on, event("summary", finished=DONE), IDLE, 60)) as fake:
            terminal = Terminal("watch", "--socket", fake.path)
            self.assertEqual(terminal.until("failed 5") + "\n", WATCH_SCREEN)
            self.assertIn("Retrieving Sierra's patrons\x1b[K\r\n120,000 patrons, 2,400/s\x1b[K", terminal.raw)
            go_on.set()
            screen = terminal.until("next look")
            self.assertTrue(screen.startswith(f"Load {DONE['id']}, 2026-03-01 06:15: complete\n"), screen)
            self.assertTrue(screen.endswith("\nIdle: next look at 06:19."), screen)
            terminal.process.send_signal(signal.SIGTERM)
            self.assertEqual(terminal.end(), 0)

    def test_widths(self):
        big = dict(PROGRESS, phase="retrieving", done=1 << 30, total=(1 << 30) + 1, rate=123456789, seconds_left=360000)
        with Fake(Monitor=stream(event("progress", progress=big, outcomes={k: 1234567 for k in OUTCOMES}), 60)) as fake:
            for columns in (20, 40, 80, 200):
                terminal = Terminal("watch", "--socket", fake.path, columns=columns)
                terminal.until("Retr")
                terminal.until("created")
                self.assertLess(max(map(len, terminal.raw.replace("\x1b[K", "").replace("\x1b[J", "").split("\r\n"))), max(columns, 40))
                terminal.process.send_signal(signal.SIGINT)
                self.assertEqual(terminal.end(), 0)

    def test_plain(self):
        """In a pipe: a line a phase and then one now and then, no escape sequence."""
        many = [event("progress", progress=dict(PROGRESS, done=n)) for n in range(6000, 6200)]
        result = self.answers("watch", exit_status=1, stderr="patronctl: patrond has ended: see systemctl status patrond\n",
                              Monitor=stream(IDLE, *many, dict(WRITING, progress=dict(PROGRESS, phase="checking", total=0, rate=0, seconds_left=None)),
                                             event("progress", progress=dict(PROGRESS, phase="novel", done=0, total=0, rate=0, seconds_left=3)),
                                             event("sunrise"), None))
        self.assertEqual(result.stdout, "Idle: next look at 06:19.\nWriting to Sierra: 6,000 of 13,273 rows, 85/s, 1:22 to go\n"
                                        "Reading back: 6,240 rows; renewed 6,235, skipped 200, held 38, rejected 9, failed 5\nnovel, 3 s to go\n")

    def test_silence_is_no_fault(self):
        with Fake(Monitor=stream(IDLE, 12, WRITING, None)) as fake:
            result = patronctl("watch", "--socket", fake.path)
        self.assertIn("Writing to Sierra", result.stdout)

    def test_garbage_in_the_stream(self):
        for garbage in (b"no\0", reply(event("progress", progress=7), continues=True), reply(event("summary", finished=[]), continues=True),
                        reply(event("progress", outcomes=[]), continues=True), reply({}, continues=True),
                        reply(event("idle", exit_status="0"), continues=True)):
            self.answers("watch", exit_status=1, stderr=Hostile.MISUNDERSTOOD, Monitor=stream(IDLE, garbage, 30))

    def test_json(self):
        result = self.answers("watch", "--json", exit_status=1, stderr="patronctl: patrond has ended: see systemctl status patrond\n",
                              Monitor=stream(IDLE, WRITING, None))
        self.assertEqual([json.loads(line) for line in result.stdout.splitlines()], [IDLE, WRITING])


class Release(Case):
    def test_without_an_id_nothing_is_let_go(self):
        result = self.answers("release", exit_status=4, Status=reply(status(held=[HELD])), Release=reply({"id": LOOK}), stdout="\n" + HELD_SCREEN)
        self.assertEqual([c["method"] for c in result.calls], [INTERFACE + ".Status"])
        self.answers("release", stdout="No load is held.\n", Status=reply(status()))
        result = self.answers("release", "--json", exit_status=4, Status=reply(status(held=[HELD])))
        self.assertEqual(json.loads(result.stdout), [HELD])

    def test_by_id(self):
        result = self.answers("release", LOAD, Release=reply({"id": LOOK}), stdout=f"Look {LOOK} has begun; patronctl watch shows it.\n")
        self.assertEqual(result.calls, [{"method": INTERFACE + ".Release", "parameters": {"load": LOAD}}])
        self.answers("release", LOAD, "--wait", exit_status=3, Release=reply({"id": LOOK}), Monitor=stream(IDLE, 0.2, WRITING, idle(3)))

    def test_outdated(self):
        self.answers("release", "old", exit_status=2, Release=error("NoSuchLoad", load="old"), stdout="",
                     stderr="patronctl: there is no such held load (old): it was released, a newer feed overtook it, or it was held anew "
                            "with other figures; see patronctl status\n")


class Rest(Case):
    def test_cancel_and_reload(self):
        self.answers("cancel", stdout="Cancelled: what is in flight is finished, the rest comes with the next load.\n", Cancel=reply())
        self.answers("reload", stdout="The configuration was read anew; where a load runs, it holds from its end on.\n", Reload=reply())
        self.answers("cancel", "--json", stdout="{}\n", Cancel=b"{}\0")

    def test_check_config(self):
        """The very words of patrond --check-config."""
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            path = os.path.join(directory, "patrond.conf")
            good = "[share]\npath = /srv/x\n[sierra]\nurl = https://sierra.example.org/iii/sierra-api/v6\n"
            for text in (good, good + "ca_file = /nowhere/ca.pem\n", "[share]\npath = /srv/x\n", "[sierra]\nspeed = 9\n", ""):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                theirs = subprocess.run([os.path.join(stagekit.BIN, "patrond"), "--check-config", "--config", path], capture_output=True,
                                        text=True, env=environment(), timeout=30, check=False)
                ours = patronctl("check-config", "--config", path)
                self.assertEqual((ours.status, ours.stdout, ours.stderr.replace("patronctl:", "patrond:")),
                                 (theirs.returncode, theirs.stdout, theirs.stderr))
                self.assertEqual(ours.status, 0 if text == good else 1)
                self.assertEqual(patronctl("check-config", env={"PATROND_CONFIG": path}).stdout, ours.stdout)

    @ROOT_ONLY
    def test_check_config_of_a_file_for_root_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "patrond.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write("[share]\npath = /srv/x\n[sierra]\nurl = https://sierra.example.org/iii/sierra-api/v6\n")
            os.chmod(path, 0o600)
            os.chmod(directory, 0o755)
            ours = patronctl("check-config", "--config", path)
            self.assertEqual((ours.status, ours.stdout), (1, ""))
            self.assertIn(f"patronctl: {path}: the configuration is not readable by all", ours.stderr)

    def test_broken_pipe(self):
        """Where nobody reads any more, patronctl ends; it does not spin."""
        with Fake(Monitor=[reply(WRITING, continues=True)] * 100_000 + [60]) as fake:
            with subprocess.Popen([PATRONCTL, "watch", "--json", "--socket", fake.path], stdout=subprocess.PIPE, env=environment()) as process:
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual(process.wait(20), -signal.SIGPIPE)

    def test_screens_of_the_readme(self):
        """The README shows what a terminal of 80 columns shows."""
        with open(os.path.join(stagekit.ROOT, "README.md"), encoding="utf-8") as file:
            readme = file.read()
        self.assertIn("$ patronctl status\n" + STATUS_SCREEN, readme)
        self.assertIn("$ patronctl watch\n" + WATCH_SCREEN, readme)
        self.assertLessEqual(max(map(len, (STATUS_SCREEN + WATCH_SCREEN).splitlines())), 80)


if __name__ == "__main__":
    stagekit.main()
