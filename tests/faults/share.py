#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random schedules on the share, by seed: feeds arrive in every way, are renamed, replaced, touched and taken away, patrond is
restarted and killed, the share is unmounted and comes back. What was the newest of its kind is loaded, nothing twice, and
never half a file. As root; a mount namespace of its own for each schedule.

The supervisor, patrond-share and patrond-decode are real; load is played, and writes down which feed it was given.
"""
import argparse
import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
if "PATROND_BIN" not in os.environ:
    os.environ["PATROND_BIN"] = os.path.join(os.environ.get("PATROND_BUILD", os.path.join(HERE, "../../build/release")), "bin")

import share_kit  # noqa: E402
from share_kit import NOBODY, Town, make_zip  # noqa: E402

KINDS = ("student", "staff")
CALM = 20  # seconds within which what is the newest must be loaded, once all stands still


class Feed:
    """A content: when it came first tells how new it is."""

    def __init__(self, key, kind, rows, age):
        self.key, self.kind, self.rows, self.age = key, kind, rows, age

    @property
    def data(self):
        return make_zip(self.key, self.kind, "zip", rows=self.rows)


class Schedule:
    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.steps, self.lost, self.twice, self.wrong = [], [], [], []
        self.feeds = {}      # key -> Feed, whole at least once
        self.files = {}      # name -> key of what is whole there
        self.kills = []
        self.serial = 0
        self.town = None
        self.mounted = True

    # --- what happens ---

    def new(self):
        self.serial += 1
        kind = self.random.choice(KINDS)
        return Feed(f"{10000000 + self.serial * 1000 + (500 if kind == 'staff' else 0)}", kind, self.random.randint(1, 3), 0)

    def path(self, name):
        return os.path.join(self.town.path("behind"), name)

    def whole(self, name, feed):
        """The feed is whole under that name, as of the time that its file shows."""
        feed.age = os.stat(self.path(name)).st_mtime_ns
        self.feeds[feed.key] = feed
        self.files[name] = feed.key
        time.sleep(0.012)  # the kernel's clock of files is a coarse one

    def own(self, path):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    def a_name(self):
        if self.files and self.random.random() < 0.3:
            return self.random.choice(sorted(self.files))
        return f"feed-{self.serial}-{self.random.randint(0, 99)}.zip"

    def arrive_by_rename(self):
        feed, name = self.new(), self.a_name()
        end = self.random.choice((".filepart", ".tmp", ".part"))
        with open(self.path(name + end), "wb") as file:
            file.write(feed.data)
        self.own(self.path(name + end))
        time.sleep(self.random.choice((0, 0.05)))
        os.rename(self.path(name + end), self.path(name))
        self.whole(name, feed)

    def arrive_written(self):
        feed, name = self.new(), self.a_name()
        pieces = self.random.randint(1, 6)
        size = len(feed.data) // pieces + 1
        self.files.pop(name, None)
        with open(self.path(name), "wb") as file:
            self.own(self.path(name))
            for at in range(0, len(feed.data), size):
                file.write(feed.data[at:at + size])
                file.flush()
                time.sleep(self.random.choice((0, 0.02, 0.05)))
                if self.random.random() < 0.05:
                    self.kill()
        self.whole(name, feed)

    def ten_at_once(self):
        for _ in range(10):
            feed, name = self.new(), f"many-{self.serial}.zip"
            with open(self.path("." + name), "wb") as file:
                file.write(feed.data)
            self.own(self.path("." + name))
            os.rename(self.path("." + name), self.path(name))
            self.whole(name, feed)

    def half_a_file(self):
        feed = self.new()
        name = f"half-{self.serial}.zip"
        with open(self.path(name), "wb") as file:
            file.write(feed.data[:self.random.randint(1, len(feed.data) - 1)])
        self.own(self.path(name))

    def junk(self):
        name = self.random.choice(("x.zip", "notes.txt", "y.zip~", ".z.zip"))
        with open(self.path(name), "wb") as file:
            file.write(os.urandom(50))

    def a_loaded_one(self):
        """A name whose content was loaded: another name or time for it must not matter."""
        done = set(self.town.loaded())
        names = [n for n, key in sorted(self.files.items()) if key in done]
        return self.random.choice(names) if names else None

    def again_under_another_name(self):
        name = self.a_loaded_one()
        if name:
            other = f"again-{self.random.randint(0, 999)}.zip"
            with open(self.path(other), "wb") as file:
                file.write(self.feeds[self.files[name]].data)
            self.own(self.path(other))
            self.files[other] = self.files[name]

    def touch(self):
        name = self.a_loaded_one()
        if name:
            os.utime(self.path(name))

    def rename(self):
        if self.files:
            name = self.random.choice(sorted(self.files))
            other = f"renamed-{self.random.randint(0, 999)}.zip"
            os.rename(self.path(name), self.path(other))
            self.files[other] = self.files.pop(name)

    def delete(self):
        if self.files:
            name = self.random.choice(sorted(self.files))
            os.unlink(self.path(name))
            del self.files[name]

    def restart(self):
        self.town.stop()
        time.sleep(self.random.choice((0, 0.1)))
        self.town.start()

    def kill(self):
        self.kills.append(time.time())
        self.town.stop(signal.SIGKILL)
        if self.random.random() < 0.5:
            time.sleep(0.05)
        self.town.start()

    def unmount(self):
        subprocess.run(["umount", *(["-l"] if self.random.random() < 0.5 else []), self.town.share], check=False,
                       capture_output=True)
        self.mounted = os.path.ismount(self.town.share)

    def mount(self):
        if not self.mounted:
            subprocess.run(["mount", "--bind", self.town.path("behind"), self.town.share], check=True)
            self.mounted = True

    # --- what must hold ---

    def missing(self):
        """For each kind the newest feed that is there: it was loaded, or a newer one was."""
        done = set(self.town.loaded())
        missing = []
        for kind in KINDS:
            there = [self.feeds[key] for key in self.files.values() if self.feeds[key].kind == kind]
            newest = max(there, key=lambda f: f.age, default=None)
            best = max((self.feeds[key].age for key in done if key in self.feeds and self.feeds[key].kind == kind), default=0)
            if newest and newest.key not in done and newest.age > best:
                missing.append(newest.key)
        return missing

    def calm(self):
        self.mount()
        if not self.town.wait(lambda: not self.missing(), CALM):
            self.lost += self.missing()

    def judge(self):
        """Twice: loaded again although patrond had told that it was done, and so had saved it."""
        loads = self.town.loads()
        told = [e["_at"] for e in self.town.entries if e.get("SUMMARY") == "Load"]
        for i, (key, at) in enumerate(loads):
            again = [b for k, b in loads[i + 1:] if k == key]
            if not again:
                continue
            kill = min((k for k in self.kills if k > at), default=again[0])
            if any(at - 0.001 <= t <= min(kill, again[0]) for t in told):
                self.twice.append(key)
        with open(self.town.path("loads"), encoding="ascii") as file:
            for line in file:
                word, key, _, rows = line.split()
                feed = self.feeds.get(key)
                if word != "cut" and (feed is None or feed.rows != int(rows)):
                    self.wrong.append(line.strip())
        if self.town.noise:
            self.wrong.append("".join(self.town.noise)[:2000])
        for e in self.town.entries:
            if "suspected compromise" in e["MESSAGE"]:
                self.wrong.append(e["MESSAGE"])

    def run(self):
        if not share_kit.own_mounts():
            raise RuntimeError("no mount namespace")
        with Town() as self.town:
            town = self.town
            os.mkdir(town.path("behind"))
            self.own(town.path("behind"))
            self.mounted = False
            self.mount()
            town.settings = {"settle": "80ms", "remote_poll_interval": "300ms", "poll_interval": "2s"}
            town.extra = "[load]\nretry_pause = 100ms\nretry_pause_max = 1s\n"
            if self.random.random() < 0.3:
                with open(town.path("pause"), "w", encoding="ascii") as file:
                    file.write("0.3")
            town.start()
            acts = ([self.arrive_by_rename] * 5 + [self.arrive_written] * 5 + [self.ten_at_once, self.half_a_file, self.junk,
                    self.again_under_another_name, self.touch, self.touch, self.rename, self.delete, self.restart] +
                    [self.kill] * 3 + [self.unmount, self.mount, self.calm])
            try:
                for _ in range(self.random.randint(8, 16)):
                    act = self.random.choice(acts)
                    self.steps.append(act.__name__)
                    act()
                    time.sleep(self.random.choice((0, 0, 0.03, 0.1, 0.3, 0.6)))
                self.calm()
                time.sleep(0.6)
                town.stop()
                self.judge()
            finally:
                subprocess.run(["umount", "-l", town.share], check=False, capture_output=True)
                if not self.good():
                    self.tail = [e["MESSAGE"] for e in town.entries if "sandbox" not in e["MESSAGE"]][-25:]
        return self

    def good(self):
        return not (self.lost or self.twice or self.wrong)


def one(seed):
    """In a process of its own: its mounts go with it."""
    schedule = Schedule(seed)
    try:
        schedule.run()
        return seed, schedule.lost, schedule.twice, schedule.wrong, schedule.steps, getattr(schedule, "tail", [])
    except Exception:  # pylint: disable=broad-except
        return seed, schedule.lost, schedule.twice, [traceback.format_exc()], schedule.steps, getattr(schedule, "tail", [])


def campaign(first, count, jobs, verbose=False):
    """Runs the schedules; returns (passed, failed, figures)."""
    lost = twice = failed = 0
    with concurrent.futures.ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        for seed, gone, again, wrong, steps, tail in pool.map(one, range(first, first + count)):
            lost += len(gone)
            twice += len(again)
            failed += bool(gone or again or wrong)
            if gone or again or wrong or verbose:
                print(f"seed {seed}: lost {gone}, twice {again}, wrong {wrong}: {' '.join(steps)}", flush=True)
                for line in tail:
                    print("    " + line, flush=True)
    return count - failed, failed, {"schedules": count, "feeds_lost": lost, "feeds_loaded_twice": twice}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                epilog="Runs the build in $PATROND_BUILD (default: build/release).")
    p.add_argument("--seeds", type=int, metavar="N", help="schedules (500)")
    p.add_argument("--from", type=int, default=1, dest="first", metavar="SEED", help="the first seed (1)")
    p.add_argument("--small", action="store_true", help="the everyday size: 12 schedules")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 2, metavar="N", help="schedules at once (one a processor)")
    p.add_argument("--verbose", action="store_true", help="a line for every schedule")
    opts = p.parse_args()
    count = opts.seeds if opts.seeds is not None else 12 if opts.small else 500
    passed, failed, figures = campaign(opts.first, count, opts.jobs, opts.verbose)
    for name, value in figures.items():
        print(f"{name} {value}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
