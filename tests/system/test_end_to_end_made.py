# SPDX-License-Identifier: GPL-3.0-or-later
"""Made feeds with every case in every variant (tests/data), in every form, against the expectations made with them."""
import csv
import os
import subprocess
import unittest

import feed_kit
import hand_feed
import stagekit
from rig import REPORT_PASSWORD, Rig

# The preset has more rejected and held rows than a load may have.
GUARDS = "[guard]\nrejected = off\nheld = off\ncreates = off\n[log]\ncurrent = yes\n"


class Made(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(feed_kit.BUILD)
        cls.addClassCleanup(cls.rig.close)
        cls.rig.start_sftp()

    def load(self, *options, arguments=("--once",), by="sftp", extra=GUARDS, **values):
        """Makes the feed and loads it without memory; returns the run and Sierra before it."""
        self.rig.make_feed(*options, today=hand_feed.TODAY, **values)
        self.rig.stop_sierra()
        self.rig.start_sierra()
        self.addCleanup(self.rig.stop_sierra)
        self.rig.config(extra)
        for folder in (self.rig.sftp.drop, self.rig.path("share")):
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
        if by == "sftp":
            self.rig.drop()
        else:
            subprocess.run(["cp", os.path.join(self.rig.feed, "chccs-feed.zip"), self.rig.path("share")], check=True)
        before = self.rig.dump()
        return self.rig.patrond(*arguments, memory=False), before

    def counts_are(self, result, summary="Load"):
        for kind, counts in self.rig.counts()["feeds"].items():
            got = result.summaries(summary)[kind]
            self.assertEqual(int(got["ROWS"]), counts["rows"])
            self.assertEqual({name: int(got[name.upper()]) for name in counts["outcomes"]}, counts["outcomes"])
            reasons = {name: n for name, n in counts["reasons"].items() if n}
            self.assertEqual({name: int(got.get("REASON_" + name.upper().replace("-", "_"), 0)) for name in reasons}, reasons)
            inactive = {name.replace("-", "MINUS_"): n for name, n in counts.get("inactive_status", {}).items()}
            self.assertEqual({k[16:]: int(v) for k, v in got.items() if k.startswith("INACTIVE_STATUS_")}, inactive)

    def all_cases(self, *options, **values):
        result, before = self.load("--preset", "all-cases", *options, **values)
        self.assertEqual((result.status, result.noise), (0, []), result.messages()[-3:])
        self.assertEqual(self.rig.wrong_outcomes(result), [])
        self.assertEqual(self.rig.differences(before, self.rig.dump()), [])
        self.counts_are(result)
        counters = self.rig.counters()
        self.assertEqual([counters[name] for name in ("creates_of_existing_barcode", "puts_that_changed_nothing",
                                                      "puts_that_moved_date_backwards", "empty_strings_written")], [0] * 4)
        self.assertEqual(len(result.rows()), sum(c["rows"] for c in self.rig.counts()["feeds"].values()))
        self.report_is_expected()

    def report_is_expected(self):
        name = next(name for name in os.listdir(self.rig.path("share")) if name.startswith("barcode_errors-"))
        with open(self.rig.path("share", name), "rb") as file:
            files, _ = feed_kit.unpack(file.read(), REPORT_PASSWORD)
        with open(os.path.join(self.rig.feed, "expect_barcode_errors.csv"), "rb") as file:
            want = list(csv.reader(file.read().decode().splitlines()))
        got = list(csv.reader(files["barcode_errors.csv"].decode().splitlines()))
        self.assertEqual((got[0], sorted(got[1:])), (want[0], sorted(want[1:])))

    def test_plain_form(self):
        self.all_cases(seed=11)

    def test_header_dcid_crlf_bom_of_zip(self):
        self.all_cases("--header", "student,staff", "--dcid", "--tool", "zip", "--newline", "crlf", "--encoding", "utf-8-bom",
                       seed=12, by="share")

    def test_tabs_windows_1252_header_in_one_feed(self):
        self.all_cases("--delimiter", "tab", "--encoding", "cp1252", "--header", "staff", "--folder", "export", "--extra", "3",
                       seed=13)

    def test_dcid_repeated_header_no_last_newline(self):
        self.all_cases("--header", "student", "--header-style", "repeated", "--dcid", "--no-final-newline", "--tool", "zip",
                       seed=14)

    def test_cased_header_windows_1252_dcid(self):
        self.all_cases("--header", "student,staff", "--header-style", "cased", "--dcid", "--encoding", "cp1252", seed=15)

    def test_students_alone_and_staff_alone(self):
        for options in (("--staff", "0"), ("--students", "0")):
            with self.subTest(options):
                result, before = self.load(*options, "--preset", "clean", "--patrons", "600", seed=16,
                                           **({"students": 300} if options[0] == "--staff" else {"staff": 120}))
                self.assertEqual((result.status, self.rig.wrong_outcomes(result)), (0, []), result.messages()[-3:])
                self.assertEqual(self.rig.differences(before, self.rig.dump()), [])

    def test_held_whole_by_the_default_guards(self):
        result, before = self.load("--preset", "all-cases", seed=17, extra="")
        self.assertEqual((result.status, result.rows()), (4, {}))
        self.assertEqual(self.rig.dump(), before)
        self.assertEqual(sorted({e["GUARD"] for e in result.entries if "GUARD" in e}), self.rig.counts()["tripped"])
        self.counts_are(result, "Plan")
        self.report_is_expected()

    def test_dry_run(self):
        result, before = self.load("--preset", "all-cases", seed=18, arguments=("--once", "--dry-run"))
        self.assertEqual((result.status, self.rig.wrong_outcomes(result)), (0, []), result.messages()[-3:])
        self.assertEqual(self.rig.dump(), before)
        self.counts_are(result)
        self.assertEqual(os.listdir(self.rig.path("share")), [])

    def test_no_token_of_a_person_is_told(self):
        result, _ = self.load("--preset", "all-cases", "--token-mode", seed=19)
        self.assertEqual(result.status, 0, result.messages()[-3:])
        said = (result.stdout + result.stderr).casefold()
        with open(os.path.join(self.rig.feed, "tokens.txt"), encoding="utf-8") as file:
            tokens = file.read().split("\n")
        self.assertGreater(len(tokens), 500)
        self.assertEqual([t for t in tokens if len(t) > 3 and t.casefold() in said], [])

    def test_refused_whole(self):
        reasons = {"header-inserted": "header", "header-missing": "header", "header-swapped": "header", "no-rows": "feed-empty",
                   "open-quote": "quote-rows", "text-after-quote": "quote-text", "two-of-a-kind": "two-of-a-kind",
                   "no-feed": "no-feed"}
        for refuse, reason in reasons.items():
            with self.subTest(refuse):
                result, before = self.load("--refuse", refuse, "--header", "student,staff", seed=20, students=60, staff=20,
                                           patrons=200)
                self.assertEqual((result.status, result.reasons(), result.rows()), (2, [reason], {}), result.messages()[-3:])
                self.assertEqual(self.rig.dump(), before)


if __name__ == "__main__":
    stagekit.main()
