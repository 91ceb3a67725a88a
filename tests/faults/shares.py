# SPDX-License-Identifier: GPL-3.0-or-later
"""Random schedules of what happens on the share while patrond looks: the newest whole feed is loaded, once, and nothing else ever.

First the feed comes, in one way or another, among things that are none. Once it is loaded an older one comes that nobody may
load, and the feed itself is touched, replaced, taken away and brought back.
"""
import dataclasses
import os
import random
import shutil
import subprocess
import threading
import time

from campaign import TIMEOUT, Verdict, counted, told
from library import Sierra

FEED, OLD = "chccs-feed.zip", "chccs-before.zip"
RUNS = 6  # looks of a schedule, at most


@dataclasses.dataclass
class Schedule:
    seed: int
    again: str = ""

    def __post_init__(self):
        self.again = f"--from {self.seed} --seeds 1 share"

    @property
    def name(self):
        return f"share {self.seed}"

    def describe(self):
        return " then ".join("+".join(op.__name__ for op in ops) for ops in self.draw())

    def draw(self):
        """What happens before the feed is loaded, and what happens after."""
        rng = random.Random(f"share {self.seed}")
        first = rng.choices(JUNK, k=rng.randint(0, 3)) + [rng.choice(ARRIVALS)]
        rng.shuffle(first)
        return first, rng.choices(JUNK + LATER, k=rng.randint(2, 6)) + [old_feed]


class Share:
    def __init__(self, rig, library, seed):
        self.rig, self.library, self.rng = rig, library, random.Random(f"on the share {seed}")
        with open(os.path.join(library.feed, FEED), "rb") as file:
            self.feed = file.read()
        self.junk = 0

    def path(self, name):
        return self.rig.path("share", name)

    def pause(self, most=0.06):
        time.sleep(self.rng.random() * most)

    def write(self, name, data, pieces=1):
        path = self.path(name)
        size = len(data) // pieces + 1
        with open(path, "wb") as file:
            for at in range(0, len(data), size):
                file.write(data[at:at + size])
                file.flush()
                if pieces > 1:
                    self.pause()
        self.rig.give(path)

    def new_junk(self, end=".zip"):
        self.junk += 1
        return f"{self.rng.choice(('a', 'zz', 'Übung', 'two words', '-rf'))}-{self.junk}{end}"


# --- how the feed comes ---

def at_once(s):
    s.write(FEED, s.feed)


def in_pieces(s):
    s.write(FEED, s.feed, pieces=s.rng.randint(2, 12))


def under_another_name(s):
    name = s.rng.choice((".chccs-feed.zip", "chccs-feed.zip.filepart", "chccs-feed.zip.partial", "chccs-feed.tmp"))
    s.write(name, s.feed, pieces=s.rng.randint(1, 5))
    os.rename(s.path(name), s.path(FEED))


def broken_off_and_begun_anew(s):
    s.write(FEED, s.feed[:s.rng.randrange(1, len(s.feed))])
    s.pause(0.2)
    s.write(FEED, s.feed, pieces=3)


def over_something_else(s):
    s.write(FEED, b"PK\3\4" + os.urandom(5000))
    s.pause(0.2)
    in_pieces(s)


ARRIVALS = [at_once, in_pieces, under_another_name, broken_off_and_begun_anew, over_something_else]


# --- what is no feed ---

def garbage(s):
    s.write(s.new_junk(), os.urandom(s.rng.randint(0, 3000)))


def half_a_zip(s):
    s.write(s.new_junk(), s.feed[:s.rng.randrange(len(s.feed))])


def folder(s):
    os.mkdir(s.path(s.new_junk()))


def pipe(s):
    os.mkfifo(s.path(s.new_junk()))


def link(s):
    os.symlink(s.rng.choice((os.path.join(s.library.feed, FEED), "/etc/passwd", ".", "nowhere")), s.path(s.new_junk()))


def unreadable(s):
    name = s.new_junk()
    s.write(name, s.feed)
    os.chown(s.path(name), 0, 0)
    os.chmod(s.path(name), 0)
    os.utime(s.path(name), (1, 1))


def other_file(s):
    s.write(s.new_junk(".csv"), b"a,b\n")


def share_goes_and_comes(s):
    os.rename(s.rig.path("share"), s.rig.path("away"))
    s.pause(0.1)
    os.rename(s.rig.path("away"), s.rig.path("share"))


JUNK = [garbage, half_a_zip, folder, pipe, link, unreadable, other_file, share_goes_and_comes]


# --- after the feed was loaded ---

def old_feed(s):
    # not for a moment may it look new
    s.write("old.tmp", s.library.old_feed)
    os.utime(s.path("old.tmp"), (1700000000, 1700000000))
    os.rename(s.path("old.tmp"), s.path(OLD))


def touched(s):
    if os.path.exists(s.path(FEED)):
        os.utime(s.path(FEED))


def replaced_by_itself(s):
    s.write("again.tmp", s.feed)
    os.replace(s.path("again.tmp"), s.path(FEED))


def copied(s):
    s.write(s.new_junk(), s.feed, pieces=3)


def taken_away(s):
    if os.path.exists(s.path(FEED)):
        os.unlink(s.path(FEED))


LATER = [old_feed, touched, replaced_by_itself, copied, taken_away, in_pieces]


# --- the run ---

def act(s, ops):
    for op in ops:
        s.pause(0.15)
        op(s)


def looks(rig, truth, share, ops, until_loaded):
    """Lets things happen while patrond looks again and again; until they are over and, where asked, the feed is loaded."""
    wrong, loads = [], 0
    thread = threading.Thread(target=act, args=(share, ops))
    thread.start()
    for _ in range(RUNS):
        over = not thread.is_alive()
        result = rig.patrond("--once", timeout=TIMEOUT)
        # why a file that is no feed holds up older ones was told when it was seen first
        wrong += [w for w in told(result) if w != "status 2 without a reason"]
        loads += len(result.summaries()) > 0
        wrong += truth.strangers(rig.dump())
        if over and (loads or not until_loaded):
            break
        if over:
            touched(share)  # what came after it is no feed, but may be half of one
    thread.join()
    return wrong, loads


def scheduled(library, schedule, rig):
    truth, share = library.truth, Share(rig, library, schedule.seed)
    os.unlink(share.path(FEED))
    Sierra(rig, schedule.seed)
    library.configure(rig, {"share": {"settle": "30ms"}})
    before, after = schedule.draw()
    wrong, loads = looks(rig, truth, share, before, True)
    wrong += [] if loads == 1 else [f"the feed was loaded {loads} times"]
    wrong += truth.state(rig.dump())
    more, loads = looks(rig, truth, share, after, False)
    wrong += more + ([f"something was loaded {loads} times more"] if loads else [])
    wrong += [f"at the end: {w}" for w in truth.state(rig.dump())] + counted(rig)[0]
    return wrong


def make_old_feed(library):
    """An older feed of other people: whoever loads it creates patrons that no row of the newer one asks for."""
    with library.rig() as rig:
        out = rig.make_feed("--preset", "clean", "--rate", "student-created=0.5", name="old", students=40, staff=5, patrons=50,
                            seed=99)
        with open(os.path.join(out, FEED), "rb") as file:
            library.old_feed = file.read()
        shutil.rmtree(out)


def campaigns(first, count):
    return [Schedule(seed) for seed in range(first, first + count)]


def run(library, schedule):
    begun = time.monotonic()
    with library.rig() as rig:
        try:
            wrong = scheduled(library, schedule, rig)
        except subprocess.TimeoutExpired:
            wrong = [f"a run did not end within {TIMEOUT} s"]
    return Verdict(schedule.name, wrong, [], seconds=time.monotonic() - begun)
