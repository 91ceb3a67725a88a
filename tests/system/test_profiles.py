# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shipped profile but the default end to end, on feeds made by a tool of their own (tests/data/make_profile_feeds.py), and
what is refused for its profile. (The default is what all other tests run on.)"""
import os
import subprocess
import sys
import unittest

import feed_kit
import hand_feed
import stagekit
from rig import REPORT_PASSWORD, ROOT, Rig

CASES = "[guard]\nrejected = off\nheld = off\ncreates = off\n[log]\ncurrent = yes\n"
CAMPUS = "[feed student]\nprofile = infinite-campus\n[feed staff]\nprofile = infinite-campus\n"
ROSTER = "[feed student]\nprofile = oneroster\n[feed staff]\nprofile = oneroster\n"


class Profiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(feed_kit.BUILD)
        cls.addClassCleanup(cls.rig.close)

    def make(self, profile, *options):
        out = self.rig.path("feed")
        subprocess.run([sys.executable, os.path.join(ROOT, "tests/data/make_profile_feeds.py"), "--out", out, "--profile", profile,
                        "--today", str(hand_feed.TODAY), *options], check=True, capture_output=True, timeout=300)
        self.rig.feed = out
        self.rig.credential("zip-password", open(os.path.join(out, "zip-password"), encoding="utf-8").read().rstrip("\n"))
        for name in os.listdir(self.rig.path("share")):
            os.unlink(self.rig.path("share", name))
        subprocess.run(["cp", os.path.join(out, "feed.zip"), self.rig.path("share")], check=True)

    def load(self, extra, *arguments):
        if self.rig.sierra is None:
            self.rig.start_sierra()
            self.addCleanup(self.rig.stop_sierra)
        self.rig.config(extra)
        return self.rig.patrond("--once", *arguments, memory=False)

    def whole(self, config):
        """Loads what was made and proves every row and every field; then once more, which writes nothing."""
        self.rig.stop_sierra()
        self.rig.start_sierra()
        self.addCleanup(self.rig.stop_sierra)
        before = self.rig.dump()
        result = self.load(config + CASES)
        self.assertEqual((result.status, result.noise), (0, []), result.messages()[-5:])
        self.assertEqual(self.rig.wrong_outcomes(result), [])
        self.assertEqual(self.rig.differences(before, self.rig.dump()), [])
        for kind, rows in self.rig.counts()["rows"].items():
            self.assertEqual(int(result.summaries()[kind]["ROWS"]), rows)
        self.opted_out_are_listed(result)
        after = self.rig.dump()
        again = self.load(config + CASES)
        self.assertEqual(again.status, 0, again.messages()[-5:])
        self.assertEqual(self.rig.dump(), after)
        return result

    def opted_out_are_listed(self, result):
        """Who has opted out and is a patron already: by id alone, in the report and nowhere else."""
        expected = self.rig.counts()["opted_out_patrons"]
        self.assertTrue(expected)
        name = next(name for name in os.listdir(self.rig.path("share")) if name.startswith("barcode_errors-"))
        with open(self.rig.path("share", name), "rb") as file:
            files, _ = feed_kit.unpack(file.read(), REPORT_PASSWORD)
        self.assertEqual(files["opted_out_patrons.csv"].decode(), "patron_id\n" + "".join(f"{i}\n" for i in expected))
        told = [e["OPTED_OUT_PATRONS"] for e in result.entries if "OPTED_OUT_PATRONS" in e]
        self.assertEqual(told, [str(len(expected))])
        self.assertFalse([e for e in result.entries if int(e.get("PATRON_ID", 0)) in expected])

    def refused(self, config, reason, says):
        before = self.rig.sierra and self.rig.dump()
        result = self.load(config)
        self.assertEqual(result.status, 2, result.messages()[-5:])
        self.assertEqual(result.reasons()[:1], [reason])
        self.assertTrue(any(says in m for m in result.messages()), result.messages()[-5:])
        if before is not None:
            self.assertEqual(self.rig.dump(), before)
        return result

    def test_infinite_campus(self):
        self.make("infinite-campus")
        self.whole(CAMPUS)

    def test_oneroster_1_1(self):
        self.make("oneroster")
        self.whole(ROSTER)

    def test_oneroster_1_2(self):
        """Roles stand in a file of their own there."""
        self.make("oneroster", "--version", "1.2", "--seed", "2", "--tool", "zip")
        self.whole(ROSTER)

    def test_oneroster_students_alone(self):
        """Where only the student feed has the profile the staff in the file are nobody's, but for an opt-out, which speaks for
        its key, and a row with a cell too many, which may be a child's."""
        self.make("oneroster", "--seed", "3")
        result = self.load("[feed student]\nprofile = oneroster\n" + CASES)
        self.assertEqual(result.status, 0, result.messages()[-5:])
        self.assertEqual(set(result.summaries()), {"student"})
        told = [e for e in self.rig.expectations().values()
                if e["feed"] == "staff" and (e["reason"] == "opted-out" or e["case"] == "a cell too many")]
        self.assertTrue(told)
        self.assertEqual(int(result.summaries()["student"]["ROWS"]), self.rig.counts()["rows"]["student"] + len(told))

    def test_a_missing_column_is_named(self):
        self.make("infinite-campus", "--rename", "student.birthdate=Lovelace")
        result = self.refused(CAMPUS, "column-missing", "lacks the column birth_date of its profile, and its column 6 is none of")
        self.assertFalse(any("Lovelace" in str(e) for e in result.entries))

    def test_an_unknown_column_is_told_by_its_position(self):
        self.make("infinite-campus", "--insert", "4=Lovelace")
        result = self.refused(CAMPUS, "header", "does not fit its profile at column 4")
        self.assertFalse(any("Lovelace" in str(e) for e in result.entries))

    def test_without_an_opt_out_column(self):
        self.make("oneroster", "--rename", "metadata.libraryOptOut=metadata.lunch")
        self.refused(ROSTER, "column-missing", "lacks the column opt_out")
        result = self.load(ROSTER.replace("[feed staff]", "opt_out = none\n[feed staff]") + CASES)
        self.assertEqual(result.status, 0, result.messages()[-5:])

    def test_another_feed_altogether(self):
        """A feed of the default profile: nothing of its first row travels."""
        self.make("infinite-campus")
        self.refused(ROSTER, "no-feed", "neither a student nor a staff feed")
        self.refused(ROSTER.replace("profile = oneroster\n", "profile = oneroster\npattern = campus_s*.csv\n", 1), "two-of-a-kind", "")

    def test_a_joined_file_that_is_not_there(self):
        self.make("oneroster", "--leave-out", "demographics.csv")
        self.refused(ROSTER, "join-missing", "[join] section 1")
        self.make("oneroster", "--version", "1.2", "--leave-out", "roles.csv")
        result = self.load(ROSTER)
        # without a role nobody is a student for sure, and a guard holds what is rejected
        self.assertEqual(result.status, 2, result.messages()[-5:])
        self.assertEqual(result.reasons()[:1], ["feed-empty"])

    def test_an_unencrypted_one(self):
        self.make("oneroster", "--tool", "zip-plain")
        result = self.load(ROSTER)
        self.assertEqual(result.status, 2, result.messages()[-5:])
        self.assertTrue(any("not encrypted" in m for m in result.messages()), result.messages())

    def test_check_config(self):
        """A profile that is wrong is told with file and line, before anything runs."""
        self.rig.start_sierra(load=False) if self.rig.sierra is None else None
        self.addCleanup(self.rig.stop_sierra)
        own = self.rig.path("own.conf")
        cases = [("profile = nowhere\n", "no profile of that name"), ("profile = \"chccs\"\n", "values are not quoted"),
                 (f"profile = {own}\n", "own.conf:3: no_such_key"),
                 ("profile = infinite-campus\nstatuses = A,I\n", "[feed student] statuses")]
        with open(own, "w", encoding="utf-8") as file:
            file.write("[student]\nfile = x.csv\nno_such_key = 1\n")
        for text, says in cases:
            self.rig.config("[feed student]\n" + text)
            result = self.rig.patrond("--check-config", log="console")
            self.assertEqual(result.status, 1, text)
            says = says.replace("no_such_key", "the section has no key")
            self.assertTrue(any(says in line for line in result.noise), result.noise)
        self.rig.config(ROSTER)
        result = self.rig.patrond("--check-config", log="console")
        self.assertEqual(result.status, 0, result.noise)
        self.assertIn("pattern = users.csv", result.stdout)


if __name__ == "__main__":
    stagekit.main()
