#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The janitor held before every single file system call of a deletion, and somebody changes what lies there at that moment: nothing
outside the share and nothing but what was looked at may be overwritten or deleted, whenever it happens. As root, on amd64.
"""
import collections
import os
import platform
import unittest

import stagekit
import steps
import test_janitor
from share_kit import NOBODY
from test_janitor import PLAIN

TARGET = "patron_barcodes.csv"
THEIRS = b"Somebody's own, of the same size. ".ljust(len(PLAIN), b".")


@unittest.skipUnless(platform.machine() == "x86_64", "calls are numbered for amd64")
class Races(test_janitor.HandsCase):
    """One deletion for each step and each change."""

    def setUp(self):
        super().setUp()
        self.outside = self.path("outside.csv")
        self.seen = collections.Counter()

    def write(self, path, data, like=None):
        with open(path, "wb") as file:
            file.write(data)
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        if like:
            os.utime(path, ns=(like.st_atime_ns, like.st_mtime_ns))

    def read(self, path):
        with open(path, "rb") as file:
            return file.read()

    def now(self):
        """Under which name the file is at this moment: its own, or the unguessable one."""
        names = [n for n in self.here() if n == TARGET or n.endswith(".aside")]
        return os.path.join(self.share, names[0]) if names else None

    def contents(self):
        return [self.read(path) for path in (os.path.join(self.share, n) for n in self.here()) if not os.path.islink(path)]

    # --- what somebody does ---

    def another_in_its_place(self):
        """Of the same size and time."""
        self.write(os.path.join(self.share, ".new"), THEIRS, self.looked)
        os.rename(os.path.join(self.share, ".new"), os.path.join(self.share, TARGET))

    def a_link_out_in_its_place(self):
        os.symlink(self.outside, os.path.join(self.share, ".new"))
        os.rename(os.path.join(self.share, ".new"), os.path.join(self.share, TARGET))

    def a_second_link(self):
        if self.now() and not os.path.exists(self.path("second.csv")):
            os.link(self.now(), self.path("second.csv"))

    def taken_away(self):
        if os.path.exists(os.path.join(self.share, TARGET)):
            os.rename(os.path.join(self.share, TARGET), os.path.join(self.share, "kept.doc"))

    def written_to(self):
        if self.now():
            with open(self.now(), "ab") as file:
                file.write(b"more")

    def aside_becomes_a_link_out(self):
        """By somebody who lists the folder and finds the unguessable name."""
        name = self.now()
        if name and name.endswith(".aside"):
            os.symlink(self.outside, os.path.join(self.share, ".new"))
            os.rename(os.path.join(self.share, ".new"), name)

    def aside_becomes_another(self):
        name = self.now()
        if name and name.endswith(".aside"):
            self.write(os.path.join(self.share, ".new"), THEIRS, self.looked)
            os.rename(os.path.join(self.share, ".new"), name)

    # --- each at each step ---

    def races(self, change, judge):
        """judge(result, call) once for each step: call is the number of the one that came right after the change."""
        at = 0
        while True:
            for name in self.here():
                os.unlink(os.path.join(self.share, name))
            for path in (self.outside, self.path("second.csv")):
                if os.path.exists(path):
                    os.unlink(path)
            self.write(self.outside, THEIRS)
            self.write(os.path.join(self.share, TARGET), PLAIN)
            self.looked = os.stat(os.path.join(self.share, TARGET))
            stage = self.stage()
            found = self.sweep(stage)[TARGET]
            call = None
            try:
                for i, number in enumerate(steps.step(stage.process.pid, lambda: self.send_clean(stage, found.fields))):
                    if i == at:
                        change()
                        call = number
            except PermissionError:
                self.skipTest("no process can be traced here")
            result = self.cleaned(stage)
            self.stop(stage)
            if call is None:
                break
            with self.subTest(step=at, call=call, result=result):
                self.seen[result] += 1
                self.assertEqual(self.read(self.outside), THEIRS)
                judge(result, call)
            at += 1
        # it was held at every step of a deletion, and there are some
        self.assertGreaterEqual(at, 11)
        self.assertEqual(result, "overwritten")
        self.assertEqual(self.here(), [])

    def theirs_is_there(self, result, _call):
        self.assertIn(THEIRS, self.contents(), (result, self.here()))

    def test_another_in_its_place(self):
        self.races(self.another_in_its_place, self.theirs_is_there)
        self.assertGreater(self.seen["changed"], 2)
        self.assertGreater(self.seen["overwritten"], 2)

    def test_a_link_out_in_its_place(self):
        def judge(result, _call):
            self.assertTrue([n for n in self.here() if os.path.islink(os.path.join(self.share, n))], (result, self.here()))

        self.races(self.a_link_out_in_its_place, judge)
        self.assertGreater(self.seen["changed"], 2)

    def test_a_second_link(self):
        """Overwritten only where the link came after the last look at how many there are."""
        def judge(result, call):
            late = result == "overwritten"
            self.assertTrue(late or self.read(self.path("second.csv")) == PLAIN, result)
            if late:
                self.assertIn(call, (steps.PWRITE, steps.FSYNC, steps.FSTATAT, steps.UNLINKAT))

        self.races(self.a_second_link, judge)
        self.assertGreater(self.seen["unlinked"], 5)

    def test_taken_away(self):
        def judge(result, _call):
            if "kept.doc" in self.here():
                self.assertEqual((result, self.read(os.path.join(self.share, "kept.doc"))), ("changed", PLAIN))

        self.races(self.taken_away, judge)
        self.assertGreater(self.seen["changed"], 2)

    def test_written_to(self):
        """Still the same file: until it is opened that is seen, and it stays, with what was written."""
        def judge(result, _call):
            if result == "changed":
                self.assertEqual(self.contents(), [PLAIN + b"more"])
            else:
                self.assertIn(result, ("overwritten", "unlinked"))
                self.assertEqual(self.here(), [])

        self.races(self.written_to, judge)
        self.assertGreater(self.seen["changed"], 2)

    def test_aside_becomes_a_link_out(self):
        def judge(result, call):
            if call in (steps.OPENAT2, steps.PWRITE, steps.FSYNC):
                self.assertEqual(result, "share-read-only")  # nor is it put back: the walls let links be renamed by nobody

        self.races(self.aside_becomes_a_link_out, judge)
        self.assertGreater(self.seen["share-read-only"], 3)

    def test_aside_becomes_another(self):
        """Never overwritten. Deleted only where it came between the last look and the deletion itself, which no call can join."""
        def judge(result, call):
            if call in (steps.OPENAT2, steps.PWRITE, steps.FSYNC):
                self.assertEqual((result, self.contents()), ("changed", [THEIRS]))
            elif result == "changed":
                self.assertEqual(self.contents(), [THEIRS])
            else:
                self.assertEqual((result, self.here()), ("overwritten", []))

        self.races(self.aside_becomes_another, judge)
        self.assertEqual(self.seen["changed"], 6)


if __name__ == "__main__":
    stagekit.main()
