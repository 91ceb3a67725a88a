# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory and endings where control groups, swap and systemd-coredump are real, and the search for what they leave behind.

Tokens are searched for on the host, in the raw disk (blocks of deleted files, too) and the raw swap device, and in what the
machine has in memory: /run, /dev/shm, and the living supervisor. What must be found is planted: a token in each of those places."""
import base64
import time

from vm_search import Search
from vm_town import Town

SLICE = "/sys/fs/cgroup/patrond.slice"
AGENT = "patrond-test-agent.service"  # vm_image.py's
LATENCY = 1000  # ms an answer: a load that lasts
# Held in memory by a process without our limits, and written down nowhere: the search of the swap must find it.
PLANT = ("import sys,time\nwords = sys.stdin.read().split()\n"
         "held = [(w + ' ') * 400 for w in words for _ in range(64)]\nprint('held', flush=True)\ntime.sleep(3600)\n")
# The memory of a process, as its maps say.
READER = ("import sys\npid = sys.argv[1]\nmemory = open('/proc/%s/mem' % pid, 'rb', 0)\nfor line in open('/proc/%s/maps' % pid):\n"
          "    part, rights = line.split()[:2]\n    if rights[0] != 'r' or '[v' in line: continue\n"
          "    begin, end = (int(x, 16) for x in part.split('-'))\n    memory.seek(begin)\n"
          "    while begin < end:\n        data = memory.read(min(1 << 20, end - begin))\n        if not data: break\n"
          "        begin += len(data)\n        sys.stdout.buffer.write(data)\n")


def planted(place):
    return f"zqplanted{place}token"


class Memory(Town):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.searched, self.hits, self.endings = set(), 0, 0
        self.found, self.wanted, self.known = set(), set(), set()

    # --- the search ---

    def places(self):
        """{place: how to read it}; what lies on the disk is read from outside, and whole."""
        m = self.machine
        return {
            "disk": lambda search: search.file(m.disk),
            "swap": lambda search: search.file(m.swap),
            "run": lambda search: search.data(m.sh("tar -C /run -cf - --ignore-failed-read . 2>/dev/null; true", text=False).stdout),
            "shm": lambda search: search.data(m.sh("tar -C /dev/shm -cf - . 2>/dev/null; true", text=False).stdout),
            "supervisor": lambda search: search.data(self.memory_of(m.status()["MainPID"])),
        }

    def memory_of(self, pid):
        # through a pipe: what is read is not written anywhere
        return self.machine.run("python3", "-c", READER, pid, text=False).stdout

    def residue(self, words, places=None, also=None):
        """{place: {token: how often}} of the tokens. also: {place: process id}, whose memory is searched as the supervisor's is."""
        m, search = self.machine, Search(words)
        m.flush()
        found = {place: search.data(self.memory_of(pid)) for place, pid in (also or {}).items()}
        for place, look in self.places().items():
            if places is None or place in places:
                self.searched.add(place)
                hits = look(search)
                if hits:
                    found[place] = hits
        return found

    def words(self):
        """What is searched for: the feed's tokens, and dates of birth and PINs in the forms in which they are read and sent."""
        words = set(self.tokens())
        for e in self.library.expectations().values():
            if e["outcome"] == "created":
                year, month, day = e["patron"]["birthDate"].split("-")
                if year < "1910":  # the staff's placeholder is nobody's
                    words |= {f"{year}-{month}-{day}", f"{month}/{day}/{year}", f"{int(month)}/{int(day)}/{year}"}
        return words - self.known

    def search_before(self):
        """Nothing of the feed is there before it is loaded; a date that is, by chance, is not searched for."""
        tokens, wrong = {t.lower() for t in self.tokens()}, []
        for place, hits in self.residue(self.words()).items():
            self.known |= set(hits) - tokens
            wrong += [f"{place}: {hit}" for hit in set(hits) & tokens]
        self.score.say(f"          (searched for: {len(self.words())}; dates left out, as they were there: {len(self.known)})")
        self.prove("the search before the load finds nothing", wrong)

    def nothing_left(self, plant=None):
        """Sentences, none where no token of the present feed is anywhere. plant: a word that must be found on the disk."""
        found = self.residue(self.words() | ({plant} if plant else set()))
        if plant and plant not in found.get("disk", {}):
            return [f"{plant} is not found on the disk, so nothing was shown"]
        self.found |= {plant} if plant else set()
        found = {place: hits for place, words in found.items() for hits in [set(words) - {plant}] if hits}
        self.hits += sum(len(hits) for hits in found.values())
        return [f"{len(hits)} tokens in {place}, as {min(hits)}" for place, hits in found.items()]

    def ended(self, what, wrong):
        self.endings += 1
        self.prove(f"{what}: no token is left anywhere", wrong + self.nothing_left() + self.no_core())

    def no_core(self):
        """Sentences: cores of others than what was planted, and what the main journal tells of ours."""
        text = self.machine.sh("ls /var/lib/systemd/coredump | sed 's/^/core /'; "
                               "for f in EXE COMM UNIT; do journalctl -q --no-pager -F COREDUMP_$f | sed 's/^/told /'; done").stdout
        found = sorted({tuple(line.split(None, 1)) for line in text.splitlines()})
        return ([f"a core: {name}" for kind, name in found if kind == "core" and not name.startswith("core.python3")]
                + [f"the main journal tells of a core of {name}" for kind, name in found
                   if kind == "told" and "patron" in name and name != AGENT])

    # --- a load that lasts ---

    def slow_load(self, seed, first=False):
        """A load of tokens in the middle of writing. first: searched for before it begins. Returns the dump before."""
        m = self.machine
        before = self.feed(latency=LATENCY, students=260, staff=40, patrons=700, seed=seed, rate="student-created=0.25")
        self.configure()
        m.run("systemctl", "restart", "patrond")
        m.wait_status("^(Idle|FAILED)", 60)
        if first:
            self.search_before()
        self.library.drop()
        m.run("patronctl", "run", check=False)
        m.wait_status("^Writing [1-9]", 120)
        return before

    def instance(self, stage):
        """The control group and the process of a stage at work."""
        m = self.machine
        group = m.sh(f"ls -d {SLICE}/*patrond?{stage}.slice/patrond-{stage}@* {SLICE}/patrond-{stage}@* 2>/dev/null | head -1").stdout.strip()
        if not group:
            raise AssertionError(f"no {stage} is at work")
        return group, m.run("cat", group + "/cgroup.procs").stdout.split()[0]

    def run_again(self, before, timeout=240):
        """The load that was cut off is run again by itself. Sentences."""
        self.library.ask("switch", {"latency-ms": 0})
        self.machine.run("patronctl", "run", check=False)
        if not self.wait(lambda: self.machine.status()["StatusText"].startswith("Idle. Last load"), timeout, 2):
            return [f"the load is not run again: {self.machine.status()['StatusText']}"]
        return self.library.differences(before, self.library.dump())

    def unit_with(self, word, *command):
        """A unit with the word on its standard input; neither an argument nor a unit file holds it as it is."""
        self.machine.run("systemd-run", "--quiet", "-p", "StandardInput=data", "-p",
                         "StandardInputData=" + base64.b64encode(word.encode()).decode(), *command)

    # --- the steps ---

    def prepared(self):
        """A swap, a process that may be swapped out, and something to find in every place."""
        m, wrong = self.machine, []
        self.configure()
        m.run("systemctl", "restart", "patrond")
        m.sh("mkswap /dev/vdb && swapon /dev/vdb")
        # compressed, a core would hide what it holds from the search
        m.put({"/etc/systemd/coredump.conf.d/test.conf": (0o644, b"[Coredump]\nCompress=no\n")})
        for unit, word in (("test-plant", planted("swap")), ("test-core", planted("core"))):
            self.unit_with(word, "--unit", unit, "-p", "StandardOutput=null", "python3", "-c", PLANT)
        m.run("sh", "-c", "cat >/var/tmp/plain", stdin=planted("disk"))
        m.run("sh", "-c", "cat >/var/tmp/wide", stdin=planted("wide").upper().encode("utf-16"))
        m.run("sh", "-c", "cat >/var/tmp/gone && sync && rm /var/tmp/gone", stdin=planted("deleted") * 9)
        m.run("systemd-cat", stdin=planted("mainjournal"))
        self.unit_with(planted("journal"), "--wait", "-p", "LogNamespace=patrond", "cat")
        m.run("sh", "-c", "cat >/run/plain", stdin=planted("run"))
        m.run("sh", "-c", "cat >/dev/shm/plain", stdin=planted("shm"))
        m.sh("journalctl --sync; journalctl --namespace=patrond --sync")
        m.run("systemctl", "kill", "-s", "SEGV", "test-core")
        self.wait(lambda: m.sh("ls /var/lib/systemd/coredump | grep python || true").stdout, 60)
        time.sleep(3)
        where = {"disk": "disk", "wide": "disk", "deleted": "disk", "mainjournal": "disk", "core": "disk", "journal": "run", "run": "run",
                 "shm": "shm", "swap": "memory"}
        found = self.residue(list(map(planted, where)), also={"memory": m.run("systemctl", "show", "test-plant", "-p", "MainPID",
                                                                              "--value").stdout.strip()})
        for what, place in where.items():
            if planted(what) in found.get(place, {}):
                self.found.add(what)
            else:
                wrong.append(f"{planted(what)} is not found in {place}")
        self.wanted = set(where) | {"swapped"}
        self.prove("the search finds what is planted: on the disk (deleted, too), in both journals, a core, /run, /dev/shm, memory", wrong)

    def groups(self):
        """{control group: its file memory.swap.max, its use of the swap} of the slice and of the namespace's journal."""
        text = self.machine.sh(f"for g in $(find {SLICE} /sys/fs/cgroup/system.slice/*journald* -type d -path '*patrond*'); do "
                               "echo $g $(cat $g/memory.swap.max $g/memory.swap.current); done 2>/dev/null; true").stdout
        # one that has gone meanwhile has no values
        return {words[0]: words[1:] for words in map(str.split, text.splitlines()) if len(words) == 3}

    def pressure(self):
        """A load under memory pressure: everything else is swapped out, nothing of patrond."""
        m, wrong = self.machine, []
        before = self.slow_load(21, first=True)
        plant = m.run("systemctl", "show", "test-plant", "-p", "ControlGroup", "--value").stdout.strip()
        self.library.ask("switch", {"latency-ms": 4000})
        # as much as there is of each; a group that cannot give it up answers EAGAIN
        for group in (SLICE, "/sys/fs/cgroup" + plant, *[g for g in self.groups() if "journald" in g]):
            m.sh(f"echo 1G >{group}/memory.reclaim", check=False, timeout=200)
        m.run("stress-ng", "--vm", "2", "--vm-bytes", "1900M", "--vm-keep", "--timeout", "30", check=False, timeout=240)
        groups = self.groups()
        stages = [g for g in groups if "patrond-load@" in g]
        wrong += [] if stages else ["the load was over before the pressure was, so nothing was shown"]
        wrong += [] if any("journald" in g for g in groups) else ["the journal's namespace is not among the groups"]
        wrong += [f"{g}: memory.swap.max is {v[0]}, {v[1]} bytes swapped" for g, v in groups.items() if v[1] != "0" or (
            v[0] != "0" and not (g.endswith(".slice") and g != SLICE))]
        used = int(m.run("cat", "/sys/fs/cgroup" + plant + "/memory.swap.current").stdout)
        wrong += [] if used > 0 else ["the planted process was not swapped out, so nothing was shown"]
        found = self.residue([*self.words(), planted("swap")], ("swap",)).get("swap", {})
        if planted("swap") in found:
            self.found.add("swapped")
        else:
            wrong.append("what was planted is not found in the swap")
        hits = len(set(found) - {planted("swap")})
        self.hits += hits
        wrong += [f"{hits} tokens in the swap"] if hits else []
        self.score.say(f"          (swapped of the planted process: {used >> 10} KiB; groups looked at: {len(groups)})")
        self.score.figure("vm_swap_hits", hits, "tokens")
        self.prove("under memory pressure nothing of the slice or of its journal is swapped; a planted process is", wrong)
        wrong = self.run_again(before)
        self.ended("memory pressure with swap", wrong)

    def out_of_memory(self):
        """A stage, the supervisor, and whatever the kernel chooses of the slice."""
        m = self.machine
        before = self.slow_load(22)
        group, pid = self.instance("load")
        m.sh(f"echo 1M >{group}/memory.max", check=False)
        wrong = [] if self.wait(lambda: m.sh(f"kill -0 {pid}", check=False).returncode != 0, 60) else ["the kernel did not kill it"]
        wrong += [] if "oom" in m.sh("dmesg | tail -n 40").stdout.lower() else ["no word of it from the kernel"]
        self.ended("load killed for want of memory", wrong + self.run_again(before))
        before = self.slow_load(23)
        was = m.status()["MainPID"]
        # the group lives on while the unit waits for its restart: what was tightened is loosened again
        m.sh(f"cd {SLICE}/patrond.service; was=$(cat memory.max); echo 100K >memory.max; sleep 2; echo $was >memory.max", check=False)
        wrong = [] if self.wait(lambda: m.status()["MainPID"] not in ("0", was) and m.status()["SubState"] == "running", 60) else [str(m.status())]
        self.ended("patrond killed for want of memory", wrong + self.run_again(before))
        before = self.slow_load(24)
        was = m.status()["MainPID"]
        # room for the supervisor and no more: whom does the kernel choose?
        m.sh(f"cd {SLICE}; was=$(cat memory.max); echo $(($(cat patrond.service/memory.current) + 4194304)) >memory.max; sleep 3; "
             "echo $was >memory.max", check=False)
        killed = m.sh("dmesg | grep -o 'Killed process.*' | tail -n 3").stdout
        wrong = [] if "patrond-load" in killed else [f"the kernel killed {killed}"]
        wrong += [] if m.status()["MainPID"] == was else ["the supervisor was killed before the stages, or with them"]
        self.ended("the slice out of memory: the kernel takes a stage", wrong + self.run_again(before))

    def killed(self):
        m = self.machine
        before = self.slow_load(33)
        was = m.status()["MainPID"]
        m.sh(f"for f in $(find {SLICE} -name cgroup.procs); do cat $f; done | xargs kill -KILL", check=False)
        wrong = []
        if not self.wait(lambda: m.status()["MainPID"] not in ("0", was) and m.status()["SubState"] == "running", 60):
            wrong.append(str(m.status()))
        self.ended("SIGKILL of all", wrong + self.run_again(before))

    def rebooted(self):
        m = self.machine
        before = self.slow_load(41)
        m.reboot()
        self.library.ask("switch", {"latency-ms": 0})
        wrong = [] if self.wait(lambda: m.status()["StatusText"].startswith("Idle. Last load"), 240, 2) else [str(m.status())]
        boots = m.run("journalctl", "--namespace=patrond", "--list-boots", "-q", "--no-pager").stdout.strip().splitlines()
        wrong += [] if len(boots) == 1 else [f"{len(boots)} boots in its journal"]
        wrong += self.library.differences(before, self.library.dump())
        self.ended("reboot in the middle of a load: its journal has forgotten, the load is run again", wrong)

    def told(self):
        self.score.figure("vm_residue_endings", self.endings, "endings")
        self.score.figure("vm_residue_places", len(self.searched), "places")
        self.score.figure("vm_residue_hits", self.hits, "tokens")
        self.score.figure("vm_residue_planted_found", len(self.found), f"of {len(self.wanted)}")

    STEPS = ("prepared", "pressure", "out_of_memory", "killed", "rebooted", "told")
    ALWAYS = ("prepared", "told")
