#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every feed of hostile_feeds.py and hostile_profiles.py through patrond-decode: each must meet its verdict, within bounded time and memory.

PATROND_BIN names the folder of the built programs (default: build/bin). Run as root: the stage becomes nobody.
"""
import os
import shutil
import struct
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stagekit
from hostile_feeds import FEEDS
from hostile_profiles import PROFILE_FEEDS
from hostile_zip import PASSWORD, Entry, archive
from random_roster import Roster

TODAY = 20680  # 2026-08-15
LEAST = 60
ROSTERS = int(os.environ.get("ROSTERS", "6"))
FEEDS_OF = ("student", "staff")


class HostileFeeds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="hostile-")
        os.chmod(cls.folder, 0o755)
        os.mkdir(os.path.join(cls.folder, "credentials"))
        with open(os.path.join(cls.folder, "credentials/zip-password"), "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        os.chmod(os.path.join(cls.folder, "credentials/zip-password"), 0o644)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        print(f"figure hostile_feeds {len(FEEDS) + len(PROFILE_FEEDS)} feeds", flush=True)

    def decode(self, data):
        """The last word of the stage, and the frames on the pipe to load."""
        fd = stagekit.feed_fd(data)
        reader, writer = os.pipe()
        taken = []

        def drain():
            taken.extend(iter(lambda: os.read(reader, 1 << 20), b""))

        thread = threading.Thread(target=drain)
        try:
            with stagekit.Stage(os.path.join(stagekit.BIN, "patrond-decode"), os.path.join(self.folder, "patrond.conf"),
                                os.path.join(self.folder, "credentials")) as stage:
                stage.send("DECODE_RECORDS", struct.pack("<Bi", 3, TODAY), fds=[fd, writer])
                os.close(writer)
                thread.start()
                frames = stage.until_end(timeout=120)
                self.assertIsNone(stage.receive())  # it hangs up by itself
                self.assertEqual(stage.close(), 0)
                thread.join(10)
        finally:
            os.close(fd)
            os.close(reader)
        self.assertEqual(frames[0].name, "WALLS")
        return frames[-1], stagekit.parse_frames(b"".join(taken))

    def verdict(self, data, config=""):
        with open(os.path.join(self.folder, "patrond.conf"), "w", encoding="ascii") as file:
            file.write(config)
        last, pipe = self.decode(data)
        whole = any(frame.name == "RECORD_TRAILER" for frame in pipe)
        if last.name == "FAILURE":
            # a refusal is a code and integers, and load never hears that the feed is whole
            self.assertFalse(whole)
            self.assertTrue(all(isinstance(value, int) for name, value in last.fields.items() if name != "code"))
            return last.code
        self.assertEqual((last.name, whole), ("DONE", True))
        verdicts = [frame.verdict for frame in pipe if frame.name == "RECORD"]
        for frame in pipe:
            # of a row that is not taken nothing but its key leaves decode
            if frame.name == "RECORD" and frame.verdict:
                self.assertEqual([frame.fields[name] for name in stagekit.RECORD_FIELDS[1:]], [""] * 9)
            elif frame.name == "RECORD":
                for name in stagekit.RECORD_FIELDS:
                    self.assertFalse([c for c in frame.fields[name] if ord(c) < 32 or 0x7f <= ord(c) < 0xa0])
        return {verdict: verdicts.count(verdict) for verdict in set(verdicts)}

    def test_every_feed_meets_its_verdict(self):
        self.assertGreaterEqual(len(FEEDS), LEAST)
        for name, (make, verdict) in FEEDS.items():
            with self.subTest(name):
                self.assertEqual(self.verdict(make()), verdict)

    def test_every_feed_of_another_profile(self):
        for name, (config, make, verdict) in PROFILE_FEEDS.items():
            with self.subTest(name):
                self.assertEqual(self.verdict(make(), config), verdict)

    def test_rosters_by_chance(self):
        """Each row is told, in its order, with the verdict that the rules give it; those of nobody alone are not."""
        with open(os.path.join(self.folder, "patrond.conf"), "w", encoding="ascii") as file:
            file.write("[feed student]\nprofile = oneroster\n[feed staff]\nprofile = oneroster\n")
        seen = set()
        for seed in range(ROSTERS):
            with self.subTest(seed=seed):
                roster = Roster(seed)
                last, pipe = self.decode(archive(Entry("users.csv", roster.users), Entry("demographics.csv", roster.demographics),
                                                 Entry("orgs.csv", "sourcedId,name,type,identifier\ns1,School,school,304\n")))
                self.assertEqual(last.name, "DONE", last)
                told = [(f.feed, f.row, f.verdict) for f in pipe if f.name == "RECORD"]
                self.assertEqual(told, [(FEEDS_OF[feed], row, verdict) for feed, row, verdict in roster.expected])
                seen |= {verdict for _, _, verdict in told}
        self.assertEqual(seen, {"", "opted-out", "shape", "inactive", "status", "key", "name", "birth-date"})


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("7z") is None:
        print("skipped: needs root (the stage becomes nobody) and 7z")
        sys.exit(77)
    stagekit.main()
