# SPDX-License-Identifier: GPL-3.0-or-later
"""residue: after each way in which a load can end, nothing of a child's record is left in any place of the machine."""
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

from hostile_smtp import HostileSmtp
from installed import SHARE, Library
from residue_kit import Needles
from score import Score
from service_proof import Machine

STAGES = ("fetch", "decode", "load", "report", "share", "mail")
# seconds from a process's first sight to its end: so that each is met in the middle of its work
DELAY = {"fetch": 0.05, "decode": 0.006, "report": 0, "share": 0, "load": 0, "mail": 0.1, "patrond": 0}
FAST = ("fetch", "decode")
# places where something could stay, as they are named in what is printed
PLACES = ("disk", "main-journal", "namespace-journal", "run", "tmp", "shm", "workspace", "coredumps", "memory-of-the-supervisor")
COREDUMPS = "/var/lib/systemd/coredump"


class Searcher:
    def __init__(self, machine, needles, tool):
        self.machine, self.needles, self.tool = machine, needles, tool
        self.bytes = 0

    def outer(self, name):
        """The ids, outside of the container, of its processes of that name."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="latin-1") as file:
                        if file.read().partition("(")[2].rpartition(")")[0] == name[:15]:
                            found.append(int(entry))
                except OSError:
                    pass
        return found

    def stream(self, *command):
        """What a command in the container writes."""
        with subprocess.Popen(["nsenter", "-t", str(self.machine.leader), "-a", *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            return self.needles.search(self.tool, "-", stdin=process.stdout)

    def coredumps(self):
        """Cores as they lie there, and what is packed in them; and such as lie where a process stood."""
        total = self.needles.search(self.tool, self.machine.path(COREDUMPS))
        for name in os.listdir(self.machine.path(COREDUMPS)):
            if name.endswith(".zst"):
                with subprocess.Popen(["zstd", "-dcq", self.machine.path(f"{COREDUMPS}/{name}")], stdout=subprocess.PIPE) as process:
                    more = self.needles.search(self.tool, "-", stdin=process.stdout)
                    total = (total[0] + more[0], total[1] + more[1], total[2] + more[2])
        return total

    def places(self):
        """{place: hits}"""
        m, found = self.machine, {}
        search = lambda *where: self.needles.search(self.tool, *where)  # noqa: E731
        found["disk"] = search(m.folder)
        # what is packed in a journal's file is not seen there, so as text, too
        found["main-journal"] = self.stream("journalctl", "-o", "export", "--all", "--no-pager", "-q")
        found["namespace-journal"] = self.stream("journalctl", "--namespace=patrond", "-o", "export", "--all", "--no-pager", "-q")
        found["run"] = search(m.live("/run"))
        found["tmp"] = search(m.live("/tmp"), m.live("/var/tmp"))
        found["shm"] = search(m.live("/dev/shm"))
        found["coredumps"] = self.coredumps()
        for pid in self.outer("patrond")[:1]:
            found["workspace"] = search(f"/proc/{pid}/root/run/patrond/work", f"/proc/{pid}/root/tmp", f"/proc/{pid}/root/dev/shm")
            found["memory-of-the-supervisor"] = search("--pid", pid)
        self.bytes += sum(total for total, _, _ in found.values())
        return {place: hits for place, (_, _, hits) in found.items()}

    def cores(self):
        """A core of ours must not be there at all, whatever is in it. (What a kernel does with a core is no container's own
        setting: where the host's is not systemd-coredump, one would lie where the process stood.)"""
        m = self.machine
        wrong = [name for name in os.listdir(m.path(COREDUMPS)) if "patrond" in name]
        done = m.sh("find / /run /tmp -xdev -maxdepth 2 -name 'core*' -type f 2>/dev/null; ls /usr/lib/patrond/root/core* 2>/dev/null", check=False)
        return wrong + done.stdout.split()


class Residue:
    def __init__(self, machine, library, score, tool, scratch):
        self.m, self.library, self.score, self.tool = machine, library, score, tool
        self.endings = self.hits = 0
        self.search, self.scratch = None, scratch

    def make_feed(self):
        """A feed none of whose needles is in the tree before it has come."""
        for seed in range(40, 60):
            self.library.make_feed("--token-mode", students=300, staff=40, patrons=900, seed=seed, plain=True,
                                   rate="student-created=0.2")
            needles = Needles(self.library.feed, os.path.join(self.scratch, "needles"))
            self.search = Searcher(self.m, needles, self.tool)
            found = needles.search(self.tool, self.m.folder)[2]
            # a date that an astronomer's table has is no child's: the words that were there before are another feed's
            if not found:
                break
        self.score.say(f"          {len(needles.words)} needles: {needles.count('token')} tokens, {needles.count('key')} keys, "
                       f"{needles.count('birth date')} dates, {needles.count('pin')} PINs")

    def begin(self, extra="", latency=150):
        """Everything as before a load: nothing remembered, Sierra as it was, the feed in the drop. Starts nothing."""
        m, lib = self.m, self.library
        m.run("systemctl", "stop", "patrond", check=False)
        m.sh(f"systemctl reset-failed; rm -f /run/patrond/state /run/patrond/loads {SHARE}/*")
        for name in os.listdir(lib.sftp.drop):
            os.unlink(os.path.join(lib.sftp.drop, name))
        lib.stop_sierra()
        lib.start_sierra("--latency", str(latency))
        m.put(lib.files("[load]\nretry_pause = 30min\n[guard]\ncreates = 60%\n" + extra))
        lib.drop()

    def writing(self):
        self.m.run("systemctl", "start", "patrond")
        self.m.wait_status("^Writing [1-9]", 60)

    def settle(self):
        """Until nothing is under way: STATUS= of rest, and no stage but the one that watches the share."""
        self.m.wait_status("^(Idle|HELD|FAILED)", 60)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and any(self.search.outer("patrond-" + s) for s in STAGES if s != "share"):
            time.sleep(0.05)

    def catch(self, name, number, timeout=30):
        """Sends the signal to the first process of that name, in the middle of its work. Returns whether there was one."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            pids = self.search.outer("patrond-" + name)
            if pids:
                time.sleep(DELAY[name] * random.uniform(0.5, 1.5))
                try:
                    os.kill(pids[0], number)
                    return True
                except ProcessLookupError:
                    continue  # it was faster; the next look has another
        return False

    # --- the endings ---

    def normal(self):
        self.begin(latency=0)
        self.m.run("systemctl", "start", "patrond")
        self.m.wait_status("^Idle. Last load")

    def signalled(self, name, number):
        if name == "mail":
            self.signalled_while_mailing(number)
            return
        self.begin()
        if name in FAST:
            self.m.run("systemctl", "start", "patrond")
            # the first fetch lists; the feed is copied by a later one, and decoded
            if name == "fetch" and not self.wait_for_copy():
                raise AssertionError("no fetch was met")
            if not self.catch(name, number):
                raise AssertionError(f"no {name} was met")
        else:
            self.writing()
            pids = self.search.outer("patrond" if name == "patrond" else "patrond-" + name)
            if not pids:
                raise AssertionError(f"no {name} was met")
            for pid in pids:
                os.kill(pid, number)
        if name == "patrond":
            self.restarted()

    def signalled_while_mailing(self, number):
        """Its relay has been told of a letter, and then says no more."""
        m, lib = self.m, self.library
        with HostileSmtp(lib.path("sierra.pem"), lib.path("sierra.key"), at="final", how="silent") as relay:
            self.begin("[report]\nrecipients = anna@example.org\n[mail]\nfrom = patrond@library.example\nca_file = /etc/patrond/ca.pem\n"
                       f"relay = smtp://127.0.0.1:{relay.port}\n", latency=0)
            m.run("systemctl", "start", "patrond")
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and not any(line == "DATA" for _, line in relay.commands):
                time.sleep(0.05)
            if not self.catch("mail", number):
                raise AssertionError(f"no mail was met: {relay.commands[-5:]}")
            self.settle()  # the relay may have the letter: it is not sent twice

    def wait_for_copy(self, timeout=30):
        deadline = time.monotonic() + timeout
        seen = set()
        while time.monotonic() < deadline:
            seen.update(self.search.outer("patrond-fetch"))
            if len(seen) >= 2:
                return True
        return False

    def restarted(self):
        deadline = time.monotonic() + 30
        before = self.m.status()["MainPID"]
        while time.monotonic() < deadline and self.m.status()["MainPID"] in ("0", before):
            time.sleep(0.2)
        self.m.wait_status("^(Idle|HELD|FAILED)", 60)

    def all_killed(self):
        self.begin()
        self.writing()
        for name in ("patrond", *("patrond-" + s for s in STAGES)):
            for pid in self.search.outer(name):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.restarted()

    def wrong_password(self):
        self.begin()
        self.m.put({"/etc/credstore/zip-password": (0o600, b"another password\n")})
        self.m.run("systemctl", "start", "patrond")
        self.m.wait_status("^FAILED: No password")

    def guard(self):
        self.begin("creates = 0%\n")
        self.m.run("systemctl", "start", "patrond")
        self.m.wait_status("^HELD")

    def server_gone(self):
        self.begin("[sierra]\nmax_failures = 3\nretries = 1\n")
        self.writing()
        self.library.stop_sierra()

    def stopped(self):
        self.begin()
        self.writing()
        self.m.run("systemctl", "stop", "patrond")
        self.examine("systemctl stop, while it is stopped", settle=False)
        self.library.stop_sierra()  # else the next start would end that load
        self.m.run("systemctl", "start", "patrond")

    def rebooted(self):
        self.begin()
        self.writing()
        self.m.reboot()
        self.library.stop_sierra()
        self.m.run("systemctl", "start", "patrond")
        self.examine("reboot")

    # --- what is left ---

    def examine(self, ending, settle=True):
        if settle:
            self.settle()
        found = self.search.places()
        hits = [f"{place}: {word} ({self.search.needles.kinds.get(word)}) in {where}, {form}"
                for place, some in found.items() for where, word, form in some]
        self.hits += len(hits)
        self.endings += 1
        missing = [place for place in PLACES if place not in found] if settle else []
        self.score.prove(ending, hits + [f"{place} was not searched" for place in missing] + self.search.cores())

    def each(self):
        yield "a load that ends well", self.normal
        for number in (signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV):
            for name in ("patrond", *STAGES):
                yield f"{number.name} of {'the supervisor' if name == 'patrond' else name}", lambda n=name, s=number: self.signalled(n, s)
        yield "SIGKILL of all", self.all_killed
        yield "a wrong password", self.wrong_password
        yield "held by a guard", self.guard
        yield "Sierra gone", self.server_gone
        yield "systemctl stop, and started again", self.stopped

    def planted(self):
        """The search finds what is planted in each place, in each form. Returns the places where it did."""
        m = self.m
        word = [w for w in self.search.needles.words if self.search.needles.kinds[w] == "token" and w.startswith(("Z", "z"))][0]
        long = " ".join([word] + ["and text that is packed, since it is long and says the same again"] * 40)
        self.begin(latency=0)
        with open(m.path("/var/tmp/planted"), "wb") as file:
            file.write(b"x" * 5000 + word.upper().encode("utf-16-le"))
        m.run("logger", "-t", "planted", long)
        m.run("systemd-run", "--quiet", "--wait", "-p", "LogNamespace=patrond", "-p", "Wants=systemd-journald@patrond.service", "-p",
              "After=systemd-journald@patrond.service", "echo", long)
        m.sh(f"printf '%s' '{word.lower()}' >/run/planted; printf '%s' '{word}' >/tmp/planted; printf '%s' '{word.upper()}' >/dev/shm/planted")
        packed = subprocess.run(["zstd", "-qc"], input=("core " * 1000 + word).encode("utf-16-be"), capture_output=True, check=True)
        m.put({COREDUMPS + "/core.planted.zst": (0o600, packed.stdout)})
        # the supervisor remembers what a listing showed
        shutil.copy(os.path.join(self.library.feed, "chccs-feed.zip"), m.path(f"{SHARE}/{word}.zip"))
        m.sh(f"chown patrond-share {SHARE}/*; systemctl start patrond")
        m.wait_status("^(Idle|HELD|FAILED)")
        inside = f"/proc/{self.search.outer('patrond')[0]}/root/run/patrond/work/planted"
        with open(inside, "w", encoding="ascii") as file:
            file.write(word)
        found = {place for place, hits in self.search.places().items() if any(w == word for _, w, _ in hits)}
        os.unlink(inside)
        return found


def run(build, _repeat, place):
    deb, archive = place
    score = Score()
    random.seed(1)
    scratch = tempfile.mkdtemp(prefix="patrond-residue-")
    os.chmod(scratch, 0o755)
    try:
        with Library(build) as library, Machine(deb, archive, scratch) as machine:
            machine.prepare()
            library.start_sftp()
            residue = Residue(machine, library, score, os.path.join(build, "bin/residue-search"), scratch)
            residue.make_feed()
            first = {p: hits for p, hits in residue.search.places().items() if hits}
            score.prove("before: nothing is found", [f"{p}: {h}" for p, h in first.items()])
            for name, ending in residue.each():
                begun = time.monotonic()
                try:
                    ending()
                    residue.examine(name)
                except Exception as e:
                    score.prove(name, [f"{type(e).__name__}: {e}"])
                if os.environ.get("PATROND_TEST_TIMES"):
                    score.say(f"          {time.monotonic() - begun:.1f} s")
            try:
                residue.rebooted()
            except Exception as e:
                score.prove("reboot", [f"{type(e).__name__}: {e}"])
            found = residue.planted()
            score.figure("residue_endings", residue.endings, "endings")
            score.figure("residue_places", len(PLACES), "places")
            score.figure("residue_hits", residue.hits, "hits")
            score.figure("residue_planted_found", len(found), f"of_{len(PLACES)}")
            score.prove("what is planted is found in each place", [p for p in PLACES if p not in found])
            score.say(f"          {residue.search.bytes / 2**30:.1f} GiB were searched")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return score.passed, score.failed
