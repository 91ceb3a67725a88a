# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads killed by SIGKILL at random moments, then run again: nothing done twice, nothing left out."""
import dataclasses
import os
import random
import signal
import subprocess
import time

from campaign import TIMEOUT, Verdict, converged, counted, forget, told
from library import Sierra
from rig import Result

# The supervisor's children by their program; the rest of the group goes with "all".
VICTIMS = ("load", "load", "load", "decode", "supervisor", "supervisor", "all", "all", "report", "share")
LATENCY = 3
POLL = 0.002


@dataclasses.dataclass
class Kill:
    seed: int
    victim: str
    share: float  # of a load's duration, or of the life of the victim
    connections: int
    keep: bool
    again: str = ""

    @property
    def name(self):
        return f"kill {self.seed}"

    def describe(self):
        return (f"SIGKILL to {self.victim} at {self.share:.3f} of its time, {self.connections} connections, "
                f"memory {'kept' if self.keep else 'taken'}")


def campaigns(first, count):
    for seed in range(first, first + count):
        rng = random.Random(f"kill {seed}")
        yield Kill(seed, rng.choice(VICTIMS), rng.random(), rng.randint(1, 8), rng.random() < 0.5,
                   again=f"--from {seed} --kills 1 kills")


# --- who is alive ---

def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(p) for p in file.read().split()]
    except OSError:
        return []


def program(pid):
    """What a process runs: "load" of patrond-load; of one that is not yet, or no more, nothing."""
    try:
        name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return ""
    return name.removeprefix("patrond-") if name.startswith("patrond-") else ""


def is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class Life:
    """A patrond that runs, and when each of its stages was first and last seen (the share has several lives: its last counts)."""

    def __init__(self, process):
        self.process, self.begun = process, time.monotonic()
        self.seen = {}  # {pid: [program, first, last]}

    def look(self):
        now = time.monotonic() - self.begun
        for pid in children(self.process.pid):
            what = program(pid)
            if what:
                self.seen.setdefault(pid, [what, now, now])[2] = now
        return now

    def alive(self, what):
        return [pid for pid in children(self.process.pid) if program(pid) == what]

    def spans(self):
        return {what: (first, last) for what, first, last in self.seen.values()}


LIVES = {}  # {connections: {program: (first, last), "supervisor": (0, duration)}}


def start(rig):
    log = open(rig.path("log"), "w+", encoding="utf-8")
    return Life(rig.start_patrond("--once", stdout=subprocess.DEVNULL, stderr=log)), log


def measure(library):
    """How long a load takes, and when which stage lives: for the fewest, for some and for most connections."""
    for connections in (1, 4, 8):
        with library.rig() as rig:
            configure(library, rig, connections)
            life, log = start(rig)
            while life.process.poll() is None and life.look() < TIMEOUT:
                time.sleep(POLL)
            duration = time.monotonic() - life.begun
            life.process.wait(TIMEOUT)
            log.close()
            LIVES[connections] = {**life.spans(), "supervisor": (0, duration), "all": (0, duration)}


def configure(library, rig, connections):
    sierra = Sierra(rig, 1)
    library.configure(rig, {"sierra": {"connections": connections, "read_back": 30}})
    sierra.set({"latency-ms": LATENCY})
    return sierra


def lives(connections):
    return LIVES[min(LIVES, key=lambda c: abs(c - connections))]


# --- the blow ---

def watch(life, until):
    """Looks at a patrond until something is so, or until it has ended."""
    while life.process.poll() is None and not until():
        life.look()
        time.sleep(POLL / 2)


def wait_for(life, kill):
    """Waits until the moment of the kill. A stage is waited for until it lives, however slow the machine is today."""
    times = lives(kill.connections)
    stage = kill.victim not in ("supervisor", "all")
    first, last = times.get(kill.victim, (0, 0))
    moment = life.begun + kill.share * times["supervisor"][1]
    if kill.victim == "share":
        watch(life, lambda: time.monotonic() >= moment)  # it lives several times, each for a moment
        last = first
    if stage:
        watch(life, lambda: life.alive(kill.victim))
        moment = time.monotonic() + kill.share * (last - first)
    watch(life, lambda: time.monotonic() >= moment)


def strike(life, kill):
    """Kills. Returns whether anybody was alive to be killed."""
    stages = children(life.process.pid)
    if kill.victim == "supervisor":
        victims = [life.process.pid]
    elif kill.victim == "all":
        victims = [life.process.pid] + stages  # or it would see them die, and end by itself
    else:
        victims = life.alive(kill.victim)
    struck = False
    for pid in victims:
        # a child that was not reaped yet keeps its number, so nobody else is struck
        if pid == life.process.pid and life.process.poll() is not None:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
            struck = True
        except ProcessLookupError:
            pass
    return struck, stages


def outlived(pids):
    """Stages that are there 5 s after their supervisor."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        pids = [p for p in pids if not is_gone(p)]
        if not pids:
            return []
        time.sleep(POLL)
    return pids


def killed(library, kill, rig):
    truth = library.truth
    sierra = configure(library, rig, kill.connections)
    life, log = start(rig)
    wait_for(life, kill)
    struck, stages = strike(life, kill)
    status = life.process.wait(TIMEOUT)
    left = outlived(set(stages) | set(life.seen))
    log.seek(0)
    faulty = Result(status, "", log.read())
    log.close()
    let_settle_after(kill)
    mid = rig.dump()
    violations = [f"a stage outlived its supervisor: {left}"] if left else []
    violations += [f"killed run: {w}" for w in counted(rig)[0] + truth.strangers(mid)]
    violations += [f"killed run: {w}" for w in own_faults(faulty, kill, struck)]
    # a line that was being written when the supervisor died is no entry
    untrue = truth.outcomes(faulty, mid, killed=True)
    sierra.heal()
    if not kill.keep:
        forget(rig)
    clean = rig.patrond("--once", timeout=TIMEOUT)
    due = not kill.keep or faulty.status not in (0, 3) or bool(truth.open_rows(faulty))
    # killed after its last entry and before its memory of the load was saved, or after: both are right
    unknowable = kill.keep and kill.victim in ("supervisor", "all") and finished(faulty)
    violations += converged(truth, faulty, clean, mid, rig, bool(clean.summaries()) if unknowable else due)
    return Verdict(kill.name, violations, untrue, status=faulty.status, struck=int(struck))


def finished(result):
    return bool(result.summaries())


def own_faults(result, kill, struck):
    """The supervisor lives on when a stage is killed, and says so."""
    if kill.victim in ("supervisor", "all") or not struck:
        return [] if result.status in (0, -signal.SIGKILL) else [f"status {result.status}"]
    wrong = [w for w in told(result) if "stage-died" not in w]
    if kill.victim in ("load", "decode") and result.status == 2 and "stage-died" not in result.reasons():
        wrong.append(f"{kill.victim} was killed and {result.reasons()} is said")
    return wrong


def let_settle_after(kill):
    time.sleep(LATENCY * 4 / 1000)


def run(library, kill):
    """A load that was over before its kill came is begun anew, to be killed earlier."""
    begun = time.monotonic()
    for _ in range(4):
        with library.rig() as rig:
            try:
                verdict = killed(library, kill, rig)
            except subprocess.TimeoutExpired:
                verdict = Verdict(kill.name, [f"a run did not end within {TIMEOUT} s"], [])
        if verdict.struck or not verdict.good():
            break
        kill = dataclasses.replace(kill, share=kill.share * 0.7)
    verdict.seconds = time.monotonic() - begun
    return verdict
