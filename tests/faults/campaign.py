# SPDX-License-Identifier: GPL-3.0-or-later
"""One campaign: a run that faults strike, then a clean one; what must be so after them."""
import dataclasses
import os
import shutil
import subprocess
import time

from library import Sierra
from rig import API_KEY
from truth import COUNTERS

TIMEOUT = 240
# Executed, or perhaps executed, and the client is not told: only these make a row unclear.
LOSING = {"drop-before-response", "drop-after-commit", "empty-200", "truncated-json", "partial-body", "html-502",
          "html-502-after-commit", "html-200", "html-200-after-commit", "error-500-111", "error-500-111-after-commit",
          "status-503", "status-504-after-commit", "id-as-string", "conflict-409", "wrong-record"}
# Reasons for which a load may end. Anything else is a fault of patrond's own.
OWN_FAULTS = {"internal", "protocol", "stage-died", "stage-silent", "stage-missing", "no-walls", "memory", "records",
              "records-cut", "config", "cancelled"}


@dataclasses.dataclass
class Campaign:
    name: str
    seed: int = 1
    switches: dict = dataclasses.field(default_factory=dict)
    config: dict = dataclasses.field(default_factory=dict)
    keep: bool = True         # patrond's memory stays between the two runs
    credential: str = ""      # of the faulty run, in place of the right one
    refusing: bool = False    # Sierra itself refuses rows for good
    reason: str = ""          # for which the faulty run must have failed
    again: str = ""           # how to run it alone

    def describe(self):
        parts = [f"{k}={v}" for k, v in self.switches.items()]
        parts += [f"[{s}] {k}={v}" for s, keys in self.config.items() for k, v in keys.items()]
        return " ".join(parts + ["memory kept" if self.keep else "memory taken"])


@dataclasses.dataclass
class Verdict:
    name: str
    violations: list
    untrue: list
    seconds: float = 0.0
    status: int = 0
    struck: int = 0

    def good(self):
        return not self.violations and not self.untrue


def number(campaign, name):
    return int(campaign.switches.get(name, 0))


def let_settle(campaign):
    """Sierra may still be at requests that nobody waits for any more."""
    slow = any(k.startswith("fault.slow") for k in campaign.switches)
    wait = number(campaign, "read-after-write-lag-ms") + number(campaign, "latency-ms")
    wait += number(campaign, "slow-ms") if slow else 0
    time.sleep(wait / 1000 + 0.02 if wait else 0)


def forget(rig):
    for name in os.listdir(rig.path("runtime")):
        path = rig.path("runtime", name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def told(result):
    """What a run says that it must not say, whatever struck it."""
    wrong = [f"not an entry: {line}" for line in result.noise[:3]]
    wrong += [f"ended with status {result.status}"] if result.status not in (0, 2, 3) else []
    wrong += [f"failed for {r}" for r in result.reasons() if r in OWN_FAULTS]
    wrong += [m for m in result.messages() if "suspected compromise" in m]
    if result.status == 2 and not result.reasons():
        wrong.append("status 2 without a reason")
    return wrong


def counted(rig):
    counters = rig.counters()
    return [f"{name}: {counters[name]}" for name in COUNTERS if counters[name]], counters


def pair(library, campaign, rig):
    """Both runs. Returns the verdict."""
    truth = library.truth
    violations, untrue = [], []
    sierra = Sierra(rig, campaign.seed)
    library.configure(rig, campaign.config)
    if campaign.credential:
        rig.credential("sierra-key", campaign.credential)
    sierra.set(campaign.switches)
    ignore = ("_revisions",) if campaign.switches.get("put-side-effects") == "no" else ()

    faulty = rig.patrond("--once", timeout=TIMEOUT)
    let_settle(campaign)
    mid = rig.dump()
    wrong, counters = counted(rig)
    struck = counters["faults"]
    violations += [f"faulty run: {w}" for w in told(faulty) + wrong + truth.strangers(mid, ignore)]
    # a request that was given up on time is lost too
    may_lose = bool(LOSING & set(struck)) or "slow" in struck or number(campaign, "keepalive-close-after") > 0
    untrue += truth.outcomes(faulty, mid, may_lose=may_lose, may_refuse=campaign.refusing)
    if faulty.status == 0 and any(e["OUTCOME"] == "failed" for e in faulty.entries if "OUTCOME" in e):
        untrue.append("status 0, although rows failed")
    if campaign.reason and (faulty.status != 2 or faulty.reasons()[:1] != [campaign.reason]):
        violations.append(f"faulty run: status {faulty.status}, {faulty.reasons()[:1]}, not {campaign.reason}")

    sierra.heal()
    library.configure(rig, {**campaign.config, "load": {}})
    if campaign.credential:
        rig.credential("sierra-key", API_KEY)
    if not campaign.keep:
        forget(rig)
    clean = rig.patrond("--once", timeout=TIMEOUT)
    due = faulty.status == 2 or bool(truth.open_rows(faulty)) or not campaign.keep
    violations += converged(truth, faulty, clean, mid, rig, due, ignore)
    return Verdict(campaign.name, violations, untrue, status=faulty.status, struck=sum(struck.values()))


def converged(truth, faulty, clean, mid, rig, due, ignore=()):
    """After the clean run. due: it must have loaded the feed once more."""
    wrong = [f"clean run: {w}" for w in told(clean)]
    after = rig.dump()
    loaded = bool(clean.summaries())
    if clean.status != 0:
        wrong.append(f"clean run: status {clean.status}, {clean.reasons()}")
    if loaded != due:
        wrong.append("the feed did not stay due" if due else "a feed that was done was loaded again")
    if loaded:
        wrong += truth.clean(clean, mid)
    # rows that Sierra refused are final for a feed that is not run again
    wrong += truth.state(after, () if loaded else truth.final_rows(faulty), ignore)
    return wrong + counted(rig)[0]


def run(library, campaign):
    begun = time.monotonic()
    with library.rig() as rig:
        try:
            verdict = pair(library, campaign, rig)
        except subprocess.TimeoutExpired:
            verdict = Verdict(campaign.name, [f"a run did not end within {TIMEOUT} s"], [])
    verdict.seconds = time.monotonic() - begun
    return verdict
