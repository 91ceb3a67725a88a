# SPDX-License-Identifier: GPL-3.0-or-later
"""The library that all campaigns are about: one feed, its patrons, and what Sierra holds after a load without faults."""
import datetime
import json
import os
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from rig import Rig  # noqa: E402
from truth import Truth  # noqa: E402

GUARDS = ("creates", "rejected", "opted-out", "inactive", "held", "rows", "patrons")
CONFIG = {
    "share": {"settle": "1ms"},
    "sierra": {"connections": 4, "page_size": 300, "connect_timeout": "5s", "page_timeout": "5s", "request_timeout": "5s",
               "late_commit": "50ms",
               "retry_pause": "3ms", "retry_pause_max": "40ms", "retries": 3, "rate_pause": "10ms", "find_pause": "5ms",
               "find_tries": 4, "max_failures": 1000, "read_back": 50},
    "match": {"recheck_after": "15min"},
    "report": {},
    "log": {"current": "no"},
    "guard": dict.fromkeys(GUARDS, "off"),
    "load": {"stage_timeout": "60s"},
}
FILES = ("ca.pem", "sierra.pem", "sierra.key", "other.pem", "other.key")


def noon():
    """Makes it about noon for all that is started from here: a date that changed under a load would be no fault."""
    hours = 12 - time.gmtime().tm_hour
    os.environ["TZ"] = f"NOON{-hours:+d}"
    time.tzset()


class Library:
    """Made once, then rig() any number of times, from several threads."""

    def __init__(self, build, preset="all-cases", patrons=1600, seed=11):
        self.build = build
        self.preset, self.patrons, self.seed = preset, patrons, seed
        self.directory = tempfile.mkdtemp(prefix="patrond-faults-")
        os.chmod(self.directory, 0o755)
        self.lock = threading.Lock()
        self.rigs = 0

    def __enter__(self):
        with Rig(self.build, os.path.join(self.directory, "first")) as rig:
            rig.make_feed("--preset", self.preset, patrons=self.patrons, seed=self.seed, today=datetime.date.today())
            self.first = rig.directory
            self.feed = rig.feed
            self.expected = rig.expectations()
            self.target = rig.counts()["expiration"]
            rig.start_sierra()
            self.put_feed(rig)
            self.configure(rig, {})
            before = rig.dump()
            begun = time.monotonic()
            result = rig.patrond("--once", timeout=120)
            self.seconds = time.monotonic() - begun
            self.truth = Truth(self.expected, self.target, before, rig.dump())
            wrong = rig.wrong_outcomes(result) + rig.differences(before, rig.dump())
            if result.status != 0 or wrong:
                raise RuntimeError(f"without any fault the load ends with status {result.status}: "
                                   f"{wrong[:5] or result.messages()[-3:]}")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def put_feed(self, rig):
        path = rig.path("share", "chccs-feed.zip")
        shutil.copy(os.path.join(self.feed, "chccs-feed.zip"), path)
        rig.give(path)

    def configure(self, rig, changes):
        """Writes patrond.conf: CONFIG with changes over it, both {section: {key: value}}."""
        text = [f"[share]\npath = {rig.path('share')}",
                f"[sierra]\nurl = https://127.0.0.1:{rig.sierra_port}/iii/sierra-api/v6\nca_file = {rig.path('ca.pem')}"]
        for section in {**CONFIG, **changes}:
            text.append(f"[{section}]")
            text += [f"{k} = {v}" for k, v in {**CONFIG.get(section, {}), **changes.get(section, {})}.items()]
        with open(rig.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n")

    def rig(self):
        """A rig of its own with this library's certificates and feed; its Sierra is not started yet."""
        with self.lock:
            self.rigs += 1
            directory = os.path.join(self.directory, str(self.rigs))
        os.makedirs(directory)
        for name in FILES:
            shutil.copy(os.path.join(self.first, name), directory)
        rig = Rig(self.build, directory)
        rig.own = True  # it goes with its directory
        rig.feed = self.feed
        with open(os.path.join(self.feed, "zip-password"), encoding="utf-8") as file:
            rig.credential("zip-password", file.read().rstrip("\n"))
        self.put_feed(rig)
        return rig


class Sierra:
    """The stand-in's side of one campaign."""

    def __init__(self, rig, seed):
        self.rig = rig
        rig.start_sierra("--seed", str(seed), load=os.path.join(rig.feed, "patrons.jsonl"))
        self.defaults = json.loads(rig.ask("switches"))

    def set(self, switches):
        if switches:
            self.rig.ask("switch", {k: str(v) for k, v in switches.items()})

    def heal(self):
        """No faults any more, every switch at its default."""
        self.rig.ask("clear-faults", {})
        self.rig.ask("switch", {k: str(v) for k, v in self.defaults.items()})
