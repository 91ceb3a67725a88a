# SPDX-License-Identifier: GPL-3.0-or-later
"""Random schedules on the share, by seed: feeds arrive in every way among things that are none, are renamed, replaced, touched
and taken away, patrond is restarted and killed, the share is unmounted and comes back. In two of three schedules patrond
stays, in the third it is run with --once again and again. As root; a mount namespace of its own for each schedule.

What must hold. Once all stands still, the newest whole feed of each kind is loaded (a feed that is overtaken before it could
be taken is superseded: newest wins). None is loaded again after patrond has told of its load. None is loaded after a newer one
of its kind. And never half a file: load is played, and writes down which feed it was given, and how many rows of it. The
supervisor, patrond-share and patrond-decode are real.
"""
import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
if "PATROND_BIN" not in os.environ:
    os.environ["PATROND_BIN"] = os.path.join(os.environ.get("PATROND_BUILD", os.path.join(HERE, "../../build/release")), "bin")

import share_kit  # noqa: E402
from share_kit import NOBODY, Town, make_zip  # noqa: E402

KINDS = ("student", "staff")
CALM = 90  # seconds within which what is the newest must be loaded, once all stands still; on a busy machine a look takes many
LONG_AGO = 1700000000


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
        self.once = self.random.random() < 1 / 3
        self.steps, self.lost, self.twice, self.wrong, self.tail = [], [], [], [], []
        self.feeds = {}      # key -> Feed, whole at least once
        self.files = {}      # name -> key of what is whole there
        self.broken = set()  # names of what looks like a feed's broken upload: older ones wait for it
        self.kills = []
        self.serial = 0
        self.town = None
        self.mounted = True

    # --- patrond ---

    def start(self):
        self.town.start(*(["--once"] if self.once else []))

    def tend(self):
        """A run with --once that is over is followed by the next one."""
        if self.once and self.town.process is not None and self.town.process.poll() is not None:
            self.town.stop()
            self.start()

    def restart(self):
        self.town.stop()
        time.sleep(self.random.choice((0, 0.1)))
        self.start()

    def kill(self):
        self.kills.append(time.time())
        self.town.stop(signal.SIGKILL)
        if self.random.random() < 0.5:
            time.sleep(0.05)
        self.start()

    # --- feeds ---

    def new(self):
        self.serial += 1
        kind = self.random.choice(KINDS)
        return Feed(f"{10000000 + self.serial * 1000 + (500 if kind == 'staff' else 0)}", kind, self.random.randint(1, 3), 0)

    def path(self, name):
        return os.path.join(self.town.path("behind"), name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        self.own(self.path(name))

    def whole(self, name, feed):
        """The feed is whole under that name, as of the time that its file shows."""
        feed.age = os.stat(self.path(name)).st_mtime_ns
        self.feeds[feed.key] = feed
        self.files[name] = feed.key
        self.broken.discard(name)
        time.sleep(0.012)  # the kernel's clock of files is a coarse one

    def own(self, path):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    def a_name(self):
        if self.files and self.random.random() < 0.3:
            return self.random.choice(sorted(self.files))
        return f"feed-{self.serial}-{self.random.randint(0, 99)}.zip"

    def arrive_by_rename(self):
        feed, name = self.new(), self.a_name()
        end = self.random.choice((".filepart", ".tmp", ".part", ".partial"))
        self.write(name + end, feed.data)
        time.sleep(self.random.choice((0, 0.05)))
        os.rename(self.path(name + end), self.path(name))
        self.whole(name, feed)

    def in_pieces(self, name, feed):
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

    def arrive_written(self):
        feed = self.new()
        self.in_pieces(self.a_name(), feed)

    def broken_off_and_begun_anew(self):
        feed = self.new()
        name = f"anew-{self.serial}.zip"
        self.write(name, feed.data[:self.random.randrange(1, len(feed.data))])
        time.sleep(self.random.choice((0, 0.1, 0.3)))
        self.in_pieces(name, feed)

    def over_something_else(self):
        feed = self.new()
        name = f"over-{self.serial}.zip"
        self.write(name, b"PK\3\4" + os.urandom(3000))
        time.sleep(self.random.choice((0, 0.1, 0.3)))
        self.in_pieces(name, feed)

    def ten_at_once(self):
        for _ in range(10):
            feed, name = self.new(), f"many-{self.serial}.zip"
            self.write("." + name, feed.data)
            os.rename(self.path("." + name), self.path(name))
            self.whole(name, feed)

    def an_old_one(self):
        """Made long ago, and never for a moment does it look new."""
        feed = self.new()
        name = f"old-{self.serial}.zip"
        self.write(name + ".tmp", feed.data)
        os.utime(self.path(name + ".tmp"), (LONG_AGO + self.serial,) * 2)
        os.rename(self.path(name + ".tmp"), self.path(name))
        self.whole(name, feed)

    # --- what is no feed ---

    def half_a_file(self):
        feed = self.new()
        name = f"half-{self.serial}.zip"
        self.write(name, feed.data[:self.random.randint(1, len(feed.data) - 1)])
        self.broken.add(name)

    def junk(self):
        name = self.random.choice(("x.zip", "notes.txt", "y.zip~", ".z.zip"))
        self.write(name, os.urandom(50))
        if name == "x.zip":
            self.broken.add(name)

    def no_file(self):
        self.serial += 1
        name = f"nofile-{self.serial}.zip"
        what = self.random.choice(("folder", "fifo", "link", "list"))
        if what == "folder":
            os.mkdir(self.path(name))
        elif what == "fifo":
            os.mkfifo(self.path(name))
        elif what == "link":
            os.symlink(self.random.choice(("/etc/passwd", ".", "nowhere", *sorted(self.files)[:1])), self.path(name))
        else:
            self.write(name + ".csv", b"a,b\n")

    def unreadable(self):
        feed = self.new()
        name = f"locked-{self.serial}.zip"
        self.write(name + ".tmp", feed.data)
        os.chown(self.path(name + ".tmp"), 0, 0)
        os.chmod(self.path(name + ".tmp"), 0)
        os.utime(self.path(name + ".tmp"), (1, 1))
        os.rename(self.path(name + ".tmp"), self.path(name))

    # --- what becomes of feeds ---

    def a_loaded_one(self):
        """A name whose content was loaded: another name or time for it must not matter."""
        done = set(self.town.loaded())
        names = [n for n, key in sorted(self.files.items()) if key in done]
        return self.random.choice(names) if names else None

    def again_under_another_name(self):
        name = self.a_loaded_one()
        if name:
            other = f"again-{self.random.randint(0, 999)}.zip"
            self.write(other, self.feeds[self.files[name]].data)
            self.files[other] = self.files[name]

    def replaced_by_itself(self):
        name = self.a_loaded_one()
        if name:
            self.write(name + ".tmp", self.feeds[self.files[name]].data)
            os.replace(self.path(name + ".tmp"), self.path(name))

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
        # what looks like half an upload holds older ones up until a person takes it away
        for name in self.broken:
            os.unlink(self.path(name))
        self.broken.clear()

        def over():
            self.tend()
            return not self.missing()

        if not self.town.wait(over, CALM):
            self.lost += self.missing()

    def judge(self):
        loads = self.town.loads()
        told = [e["_at"] for e in self.town.entries if e.get("SUMMARY") == "Load"]
        for i, (key, at) in enumerate(loads):
            again = [b for k, b in loads[i + 1:] if k == key]
            if not again:
                continue
            kill = min((k for k in self.kills if k > at), default=again[0])
            # patrond had told that it was done, and so had saved it
            if any(at - 0.001 <= t <= min(kill, again[0]) for t in told):
                self.twice.append(key)
        newest = {}
        for key, _ in loads:
            feed = self.feeds.get(key)
            if feed is None:
                self.wrong.append(f"{key} was never whole")
            elif feed.age < newest.get(feed.kind, feed.age):
                self.wrong.append(f"{key} was loaded after a newer one")
            else:
                newest[feed.kind] = feed.age
        with open(self.town.path("loads"), encoding="ascii") as file:
            for line in file:
                word, key, _, rows = line.split()
                if word != "cut" and (key not in self.feeds or self.feeds[key].rows != int(rows)):
                    self.wrong.append(line.strip())
        if self.town.noise:
            self.wrong.append("".join(self.town.noise)[:2000])
        self.wrong += [e["MESSAGE"] for e in self.town.entries if "suspected compromise" in e["MESSAGE"]]

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
            town.extra = "late_commit = 0\n[load]\nretry_pause = 100ms\nretry_pause_max = 1s\n"
            if self.random.random() < 0.3:
                with open(town.path("pause"), "w", encoding="ascii") as file:
                    file.write("0.3")
            acts = ([self.arrive_by_rename] * 5 + [self.arrive_written] * 5 + [self.touch] * 2 + [self.kill] * 3 +
                    [self.ten_at_once, self.broken_off_and_begun_anew, self.over_something_else, self.an_old_one,
                     self.half_a_file, self.junk, self.no_file, self.unreadable, self.again_under_another_name,
                     self.replaced_by_itself, self.rename, self.delete, self.restart, self.unmount, self.mount, self.calm])
            self.start()
            try:
                for _ in range(self.random.randint(8, 16)):
                    act = self.random.choice(acts)
                    self.steps.append(act.__name__)
                    act()
                    self.tend()
                    time.sleep(self.random.choice((0, 0, 0.03, 0.1, 0.3, 0.6)))
                self.calm()
                time.sleep(0.6)
                town.stop()
                self.judge()
            finally:
                subprocess.run(["umount", "-l", town.share], check=False, capture_output=True)
                if not self.good():
                    now = time.time()
                    self.tail = [f'{e["_at"] - now:8.2f} {e["MESSAGE"]}' for e in town.entries if "sandbox" not in e["MESSAGE"]][-40:]
        return self

    def good(self):
        return not (self.lost or self.twice or self.wrong)


def one(seed):
    """In a process of its own: its mounts go with it."""
    schedule = Schedule(seed)
    try:
        schedule.run()
    except Exception:  # pylint: disable=broad-except
        schedule.wrong.append(traceback.format_exc())
    return seed, schedule.once, schedule.lost, schedule.twice, schedule.wrong, schedule.steps, schedule.tail


def campaign(first, count, jobs, verbose=False):
    """Runs the schedules; returns (passed, failed, figures)."""
    lost = twice = failed = 0
    with concurrent.futures.ProcessPoolExecutor(jobs, max_tasks_per_child=1) as pool:
        for seed, once, gone, again, wrong, steps, tail in pool.map(one, range(first, first + count)):
            lost += len(gone)
            twice += len(again)
            bad = bool(gone or again or wrong)
            failed += bad
            if bad or verbose:
                print(f"  {'WRONG ' if bad else 'ok    '} share {seed}{' --once' if once else ''}: {' '.join(steps)}", flush=True)
            if bad:
                print(f"         lost {gone}, twice {again}, wrong {wrong}")
                for line in tail:
                    print("         " + line)
                print(f"         again: tests/faults/run --from {seed} --seeds 1 share", flush=True)
    return count - failed, failed, (("schedules", count, "schedules"), ("feeds_lost", lost, "feeds"),
                                    ("feeds_loaded_twice", twice, "feeds"))
