# SPDX-License-Identifier: GPL-3.0-or-later
"""load: a whole day's feed into a Sierra that answers after 20 ms, at 1, 4, 8 and 16 connections, against what cannot be undercut."""
import json
import os
import resource
import statistics
import subprocess
import sys
import time

from rig import API_KEY, Result, Rig
from watch import Watch

HERE = os.path.dirname(os.path.abspath(__file__))
LATENCY = 0.020
PAGE = 2000
READ_BACK = 50
CONNECTIONS = (1, 4, 8, 16)
DEFAULT = 4         # [sierra] connections where nothing is configured
RATIO_MAX = 1.15


def ceil(a, b):
    return -(-a // b)


class Job:
    """What the feed asks for, by the generator's word, and so the least that any loader can take."""

    def __init__(self, rig):
        counts = rig.counts()
        outcomes = [feed["outcomes"] for feed in counts["feeds"].values()]
        self.rows = sum(feed["rows"] for feed in counts["feeds"].values())
        self.patrons = counts["patrons"]
        self.writes = sum(o.get("created", 0) + o.get("renewed", 0) for o in outcomes)
        # the last page is followed by the answer that there is none: a short page does not say so
        self.pages = ceil(self.patrons, PAGE) + 1

    def bound(self, connections):
        """Seconds: token and pages one after another, writes and reading back rounded up for each connection."""
        return LATENCY * (1 + self.pages + ceil(self.writes, connections) + ceil(min(READ_BACK, self.writes), connections))


class Run:
    """One load by patrond at so many connections, and what it left."""

    def __init__(self, rig, connections):
        rig.start_sierra("--latency", str(round(LATENCY * 1000)))
        try:
            rig.config(f"[sierra]\nconnections = {connections}\n")
            before = rig.dump()
            rig.ask("reset-counters", {})
            idle = rig.counters()
            with Watch(rig, interval=0.05) as watch:
                watch.run("--once", timeout=600)
                self.take(watch)
                result = Result(watch.status, watch.printed, watch.text())
            counters = rig.counters()
            self.served_cpu = counters["cpu_seconds"] - idle["cpu_seconds"]
            # but for the one by which these counters were asked for
            self.opened = counters["connections_accepted"] - idle["connections_accepted"] - 1
            self.wrong = self.check(rig, result, before, counters)
            if self.opened > connections or counters["max_requests"] > connections:
                self.wrong.append(f"{self.opened} connections were opened, {counters['max_requests']} requests at once")
        finally:
            rig.stop_sierra()

    def take(self, watch):
        begun, ended = watch.load_span()
        self.whole = watch.wall
        self.wall = ended - begun if begun and ended else float("inf")
        self.phases = watch.phases()
        stages = watch.named("patrond-load")
        self.cpu, self.cpu_all = sum(p.cpu for p in stages), watch.cpu_all
        self.resident = max((p.resident for p in stages), default=0)

    @staticmethod
    def check(rig, result, before, counters):
        wrong = [] if result.status == 0 else [f"patrond ended with status {result.status}", *result.messages()[-3:]]
        wrong += rig.wrong_outcomes(result) + rig.differences(before, rig.dump())
        wrong += [f"{name}: {counters[name]}" for name in ("puts_that_changed_nothing", "puts_that_moved_date_backwards",
                                                           "creates_of_existing_barcode") if counters[name]]
        return wrong


class Serial:
    """The same job by serial.py."""

    def __init__(self, rig):
        rig.start_sierra("--latency", str(round(LATENCY * 1000)))
        try:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            begun = time.monotonic()
            done = subprocess.run([sys.executable, os.path.join(HERE, "serial.py"),
                                   f"https://127.0.0.1:{rig.sierra_port}/iii/sierra-api/v6", rig.path("ca.pem"), API_KEY,
                                   os.path.join(rig.feed, "chccs-feed.zip"), os.path.join(rig.feed, "zip-password")],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1200)
            self.wall = time.monotonic() - begun
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.wrong = [] if done.returncode == 0 else done.stderr.splitlines()[-3:] or ["it failed without a word"]
            self.counts = json.loads(done.stdout) if not self.wrong else {}
        finally:
            rig.stop_sierra()


def median(runs, field):
    return statistics.median(getattr(run, field) for run in runs)


def show(score, job, connections, runs):
    name, bound = f"c{connections}", job.bound(connections)
    wall = median(runs, "wall")
    phases = {phase: statistics.median(run.phases.get(phase, 0) for run in runs) for phase in runs[0].phases}
    score.say(f"{connections} connections: {', '.join(f'{run.wall:.2f}' for run in runs)} s, at least {bound:.2f} s; "
              + ", ".join(f"{phase.replace('_', ' ')} {seconds:.2f}" for phase, seconds in phases.items())
              + f"; load average {os.getloadavg()[0]:.1f}")
    score.figure(f"load_bound_ratio_{name}", wall / bound, "ratio", 3)
    score.figure(f"load_seconds_{name}", wall, "s", 2)
    score.figure(f"load_command_ratio_{name}", median(runs, "whole") / bound, "ratio", 3)
    score.figure(f"load_standin_cpu_{name}", median(runs, "served_cpu"), "s", 2)
    score.prove(f"{connections} connections: every row and every patron is as expected, connections are kept",
                [line for run in runs for line in run.wrong])


def run(score, build, opts):
    with Rig(build) as rig:
        score.say("Making 12,000 students and 2,000 staff against 150,000 patrons.")
        rig.make_feed(seed=2026)
        rig.start_sftp()
        rig.drop()
        job = Job(rig)
        score.say(f"{job.rows} rows, {job.patrons} patrons in {job.pages} pages, {job.writes} writes; a request takes "
                  f"{LATENCY * 1000:.0f} ms; {opts.repeat} loads each, the median counts (at 1 connection: one load).")
        runs = {}
        for connections in CONNECTIONS:
            runs[connections] = [Run(rig, connections) for _ in range(1 if connections == 1 else opts.repeat)]
            show(score, job, connections, runs[connections])
        usual = runs[DEFAULT]
        score.prove(f"at {DEFAULT} connections at most {RATIO_MAX} of the lower bound",
                    median(usual, "wall") <= RATIO_MAX * job.bound(DEFAULT))
        score.figure("load_cpu", median(usual, "cpu"), "s", 2)
        score.figure("load_cpu_all", median(usual, "cpu_all"), "s", 2)
        score.figure("load_peak_memory", max(run.resident for run in usual) / (1 << 20), "MiB", 1)
        score.say("The same job by serial.py, a connection for each request.")
        serial = Serial(rig)
        score.prove("the serial script comes to its end", serial.wrong)
        if serial.wrong:
            return
        writes = serial.counts["created"] + serial.counts["renewed"]
        score.figure("load_serial_seconds", serial.wall, "s", 1)
        score.figure("load_serial_writes", writes, "requests")
        score.figure("load_serial_cpu", serial.cpu, "s", 2)
        score.figure("load_speedup_over_serial", serial.wall / median(usual, "whole"), "ratio", 2)
        score.figure("load_speedup_over_serial_c16", serial.wall / median(runs[16], "whole"), "ratio", 2)
        score.prove("the serial script writes as much, within 5 %", abs(writes - job.writes) <= 0.05 * job.writes)
