# SPDX-License-Identifier: GPL-3.0-or-later
"""The signals that leave a core, to every process in the middle of its work, where systemd-coredump really takes cores.

A process is stopped while it holds something of the feed, and ended there (vm_catch.py). Then systemd must tell of a process that
was killed, not dumped, and no core of it be anywhere; after all of them the machine is searched. Beside them a process that is
none of ours, under the same limit of cores, is ended in the same way: it must leave a core, in which what it held is found."""
import hashlib
import json
import os
import shutil
import signal
import subprocess

import vm_catch
import vm_image
from hostile_smtp import HostileSmtp
from installed import SHARE
from vm_memory import PLANT, SLICE, Memory, planted

HERE = os.path.dirname(os.path.abspath(__file__))
CORE_PATTERN = "|/lib/systemd/systemd-coredump "
CORES = "/var/lib/systemd/coredump"
EXITED = "98e322203f7a4ed290d09fe03c09fe15"  # a process of a unit has ended, as systemd tells it
# A look, as soon as patrond is at rest.
ASK = "for i in $(seq 120); do patronctl run && exit 0; sleep 0.5; done; exit 1"
SIGNALS = (signal.SIGSEGV, signal.SIGABRT)
FEED, HEAVY = "chccs-feed.zip", "heavy-feed.zip"
PACE = 800  # ms an answer, while something is to be met in the middle of writing
BALLAST = 3 << 20  # bytes
NEIGHBOUR, WATCHING = "test-neighbour", "test-patronctl"
# a file is copied once, for the look; not for the janitor, too
QUIET = "[janitor]\ninspect =\n"
MAIL = ("[report]\nrecipients = anna@example.org\n[mail]\nfrom = patrond@library.example\nca_file = /etc/patrond/ca.pem\n"
        "relay = smtp://{host}:{port}\ntimeout = 2min\n")


def stage(name, wants, **more):
    return {"groups": [f"{SLICE}/patrond-{name}@*"], "program": "patrond-" + name, "wants": wants, **more}


# In the order in which they end; what each must hold of the feed then, and how one is met that lives for a moment.
VICTIMS = {
    "share, copying": stage("share", "files", new=True, lasts=True),
    "fetch": stage("fetch", "files", new=True, lasts=True),
    "decode": stage("decode", "words", new=True),
    "share, watching": stage("share", "nothing"),
    "load": stage("load", "words"),
    "patrond": {"groups": [f"{SLICE}/patrond.service"], "program": "patrond", "wants": "files"},
    "report": stage("report", "files", new=True),
    "patronctl": {"groups": [f"/sys/fs/cgroup/system.slice/{WATCHING}.service"], "program": "patronctl", "wants": "nothing"},
    "mail": stage("mail", "files"),
}
COPYING = ("share, copying", "fetch")


class Crashes(Memory):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.crashed, self.left = 0, set()

    # --- one process ---

    def catch(self, who, number, then=None, timeout=150):
        """Starts to look for one. who: of VICTIMS, or what vm_catch.py takes. Returns what caught() takes."""
        m = self.machine
        asked = {**(VICTIMS[who] if isinstance(who, str) else who), "signal": int(number), "then": then, "timeout": timeout}
        with open(os.path.join(HERE, vm_catch.__name__ + ".py"), encoding="utf-8") as file:
            return self.now(), m.begin("python3", "-c", file.read(), json.dumps(asked), timeout=timeout + 30), timeout

    def caught(self, catching):
        """(what it held, how systemd says that it ended): the latter "dumped/11", "killed/11"."""
        since, number, timeout = catching
        done = self.machine.finish(number, timeout + 60)
        held = json.loads(done.stdout) if done.stdout else {}
        if "pid" not in held:
            raise AssertionError(f"it was not met while it held what it should: {held} {done.stderr[-500:]}")
        unit, told = os.path.basename(held["group"]), []

        def look():
            text = self.machine.run("journalctl", "-q", "-o", "json", "--no-pager", "--since", "@" + since, "MESSAGE_ID=" + EXITED,
                                    "UNIT=" + unit, check=False).stdout
            told[:] = [f"{e['EXIT_CODE']}/{e['EXIT_STATUS']}" for e in map(json.loads, text.splitlines())]
            return told
        self.wait(look, 60)
        return held, told[0] if told else "nothing"

    def fits(self, who, held):
        """Sentences: what it held is not of this feed, or not of its report."""
        if VICTIMS[who]["wants"] == "words":
            known = {hashlib.sha256(t.lower().encode()).hexdigest() for t in self.tokens()}
            held, whole, of = len(known & set(held["words"])), len(known), "tokens of the feed"
        elif who in ("report", "mail"):
            held, whole, of = max((size for size, head, is_zip in held["files"] if is_zip), default=0), 0, "bytes of the report"
        elif VICTIMS[who]["wants"] == "files":
            data = self.zip(HEAVY if who in COPYING else FEED)
            same = [size for size, head, _ in held["files"] if hashlib.sha256(data[:min(size, vm_catch.HEAD)]).hexdigest() == head]
            held, whole, of = max(same, default=0), len(data), "bytes of the feed"
        else:
            return []
        self.score.say(f"          ({who} held {held}{f' of {whole}' if whole else ''} {of})")
        return [] if held else [f"{who} held no {of}"]

    def crash(self, who, number, then=None):
        """Its end, and what that must not leave. then: a command that brings it about."""
        held, told = self.caught(self.catch(who, number, then))
        self.crashed += 1
        self.endings += who != "patronctl"  # which is no part of a load
        left = self.no_core()
        self.left.update(left)
        wrong = [] if told == f"killed/{int(number)}" else [f"systemd says of it: {told}"]
        self.prove(f"{number.name} of {who}, at work: killed, and no core", wrong + self.fits(who, held) + left)

    def zip(self, name):
        with open(os.path.join(self.library.feed, name), "rb") as file:
            return file.read()

    # --- all of them ---

    def afresh(self, number, *, mail=None, feed=False):
        """Nothing remembered, nothing to load, patrond at rest. Returns the dump before."""
        m, lib = self.machine, self.library
        m.sh(f"systemctl stop patrond; systemctl reset-failed; rm -rf /run/patrond/state /run/patrond/loads {SHARE}/* {SHARE}/.[!.]*")
        for name in os.listdir(lib.sftp.drop):
            os.unlink(os.path.join(lib.sftp.drop, name))
        if feed:
            lib.make_feed("--token-mode", students=260, staff=40, patrons=700, seed=30 + number, rate="student-created=0.25")
            self.make_heavy()
        lib.stop_sierra()
        lib.start_sierra("--latency", "0")
        self.configure(QUIET + (MAIL.format(host=vm_image.HOST, port=mail.port) if mail else ""))
        m.run("systemctl", "start", "patrond")
        m.wait_status("^Idle", 60)
        return lib.dump()

    def make_heavy(self):
        """The feed's zip with something in it that is no feed: copying it lasts."""
        feed = self.library.feed
        with open(os.path.join(feed, "zip-password"), encoding="utf-8") as file:
            password = file.read().rstrip("\n")
        with open(os.path.join(feed, "ballast"), "wb") as file:
            file.write(os.urandom(BALLAST))
        shutil.copy(os.path.join(feed, FEED), os.path.join(feed, HEAVY))
        subprocess.run(["7z", "a", "-tzip", "-mem=AES256", "-mx=0", "-bd", "-bso0", "-bsp0", "-p" + password, HEAVY, "ballast"],
                       cwd=feed, check=True, stdin=subprocess.DEVNULL, timeout=120)

    def rest(self):
        """No stage is at work but the one that watches."""
        m = self.machine
        m.wait_status("^(Idle|HELD|FAILED)", 120)
        busy = f"ls -d {SLICE}/patrond-*@* | grep -v patrond-share@"
        if not self.wait(lambda: not m.sh(busy, check=False).stdout, 60, 0.5):
            raise AssertionError("stages are left: " + m.sh(busy, check=False).stdout)

    def writing(self):
        """In the middle of a load's writing, by a Sierra that takes its time."""
        self.library.ask("switch", {"latency-ms": PACE})
        self.machine.sh(ASK)
        self.machine.wait_status("^Writing [1-9]", 120)

    def copied_and_decoded(self, number):
        """Those that live for a moment, each met by what waits for it before it begins."""
        m, lib = self.machine, self.library
        m.run("sh", "-c", f'cat >"$1" && chown patrond-share "$1"', "sh", SHARE + "/feed.zip.filepart", stdin=self.zip(HEAVY), text=False)
        self.crash("share, copying", number, ["mv", SHARE + "/feed.zip.filepart", SHARE + "/feed.zip"])
        m.run("rm", SHARE + "/feed.zip")
        self.rest()
        for who, name in (("fetch", HEAVY), ("decode", FEED)):
            lib.drop(os.path.join(lib.feed, name))
            self.crash(who, number, ["sh", "-c", ASK])
            self.rest()

    def written(self, number):
        m = self.machine
        self.writing()
        m.run("systemd-run", "--quiet", "--collect", "--unit", WATCHING, "-p", "StandardOutput=null", "patronctl", "watch")
        for who in ("patronctl", "share, watching", "load"):
            self.crash(who, number)
        self.rest()
        self.writing()
        was = m.status()["MainPID"]
        self.crash("patrond", number)
        if not self.wait(lambda: m.status()["MainPID"] not in ("0", was) and m.status()["SubState"] == "running", 60):
            raise AssertionError(f"it is not started again: {m.status()}")
        self.library.ask("switch", {"latency-ms": 0})
        self.crash("report", number, ["sh", "-c", ASK])
        self.rest()

    def mailed(self, number):
        lib = self.library
        with HostileSmtp(lib.path("sierra.pem"), lib.path("sierra.key"), at="final", how="silent") as relay:
            before = self.afresh(number, mail=relay)
            lib.drop()
            self.machine.sh(ASK)
            if not self.wait(lambda: any(line == "DATA" for _, line in relay.commands), 180):
                raise AssertionError(f"nothing is mailed: {relay.commands[-5:]}")
            self.crash("mail", number)
        self.rest()
        return before

    def neighbour(self, number):
        """What our walls are to keep from happening happens to a process without them, though its limit of cores is 0, too."""
        m, wrong = self.machine, []
        word = planted(number.name.lower())
        self.unit_with(word, "--unit", NEIGHBOUR, "-p", "LimitCORE=0", "-p", "StandardOutput=null", "-p", "MemorySwapMax=0",
                       "python3", "-c", PLANT)
        before = m.run("ls", CORES).stdout.split()
        program = os.path.basename(m.run("readlink", "-f", "/usr/bin/python3").stdout.strip())
        asked = {"groups": [f"/sys/fs/cgroup/system.slice/{NEIGHBOUR}.service"], "program": program, "wants": "words"}
        held, told = self.caught(self.catch(asked, number))
        wrong += [] if hashlib.sha256(word.encode()).hexdigest() in held["words"] else ["it does not hold what is planted"]
        wrong += [] if told == f"dumped/{int(number)}" else [f"systemd says of it: {told}"]
        if not self.wait(lambda: set(m.run("ls", CORES).stdout.split()) - set(before), 60):
            wrong.append("it leaves no core")
        pattern = m.run("cat", "/proc/sys/kernel/core_pattern").stdout
        wrong += [] if pattern.startswith(CORE_PATTERN) else [f"cores are for {pattern}"]
        self.wanted.add(word)
        self.prove(f"{number.name} of a process that is none of ours, its limit of cores 0: systemd-coredump takes its core", wrong)
        return word

    def crashes(self):
        for number in SIGNALS:
            before = self.afresh(number, feed=True)
            self.search_before()
            word = self.neighbour(number)
            self.copied_and_decoded(number)
            self.written(number)
            wrong = self.library.differences(before, self.library.dump()) + self.nothing_left(word)
            self.prove(f"{number.name} of each of them: the load comes right in the end, and no token is left anywhere", wrong)
            before = self.mailed(number)
            wrong = self.library.differences(before, self.library.dump()) + self.nothing_left(word)
            self.prove(f"{number.name} of mail: the load is right, and no token is left anywhere", wrong)

    def told(self):
        self.score.figure("vm_crashes", self.crashed, f"of {len(SIGNALS) * len(VICTIMS)}")
        self.score.figure("vm_crashes_told", len(self.left), "cores or entries of one")
        super().told()

    STEPS = ("prepared", "pressure", "out_of_memory", "killed", "crashes", "rebooted", "told")
