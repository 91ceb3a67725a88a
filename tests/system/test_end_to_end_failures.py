# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that Sierra refuses, rows that are not known to be done, and what reading back finds: each reason of `failed`."""
import signal
import subprocess
import time
import unittest

import feed_kit
import hand_feed
import stagekit
from feed_kit import BYSTANDER, House, pack, patron, student
from rig import Result

# Row 1 renews patron 1000001, row 2 creates a patron, row 3 finds patron 1000003 current.
ROWS = [student("73000001"), student("73000002", "Lioba", "Sandringstrom"), student("73000003")]
PATRONS = [patron(1000001, "73000001"), patron(1000003, "73000003", expires=hand_feed.NEW), BYSTANDER]
DONE = {1: ("renewed", ""), 2: ("created", "")}


class Failures(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)

    def setUp(self):
        self.house.forget()
        self.house.config("[sierra]\nrequest_timeout = 5s\nrate_pause = 1ms\nretry_pause = 1ms\nretry_pause_max = 5ms\nfind_pause = 1ms\n")
        self.house.sierra_with(PATRONS)
        self.house.share("feed.zip", pack({feed_kit.STUDENTS: feed_kit.feed(ROWS)}))

    def run_once(self, status, rows, **counters):
        """A run with that exit status, these outcomes of the rows that are not current, these counters in the summary."""
        result = self.house.patrond("--once")
        self.assertEqual(result.status, status, result.messages()[-4:])
        self.assertEqual({row: got[:2] for (_, row), got in result.rows().items()}, rows)
        summary = result.summaries()["student"]
        self.assertEqual({name: summary.get(name) for name in counters}, {n: str(v) for n, v in counters.items()})
        self.assertEqual(sum(int(summary[name]) for name in ("CREATED", "RENEWED", "CURRENT", "FAILED")), 3)
        for entry in result.entries:
            if entry.get("OUTCOME") == "failed":
                self.assertEqual(entry["PRIORITY"], "4")
        return result

    def created(self):
        return [p for number, p in self.house.dump().items() if number not in self.house.before]

    def expires(self):
        return self.house.dump()[1000001]["expirationDate"]

    def is_final(self):
        """Refused rows are final for this feed: the next look does nothing."""
        self.house.ask("reset-counters", {})
        result = self.house.patrond("--once")
        self.assertEqual((result.status, result.rows(), self.house.writes()), (0, {}, 0), result.messages())

    def comes_again(self, rows):
        """Unclear and unreachable ones keep the feed due: the next look does what is left, once Sierra is well."""
        self.house.calm()
        result = self.house.patrond("--once")
        self.assertEqual(result.status, 0, result.messages()[-4:])
        self.assertEqual({row: got[:2] for (_, row), got in result.rows().items()}, rows)
        self.assertEqual((len(self.created()), self.expires()), (1, hand_feed.NEW))
        self.assertEqual(self.house.counters()["creates_of_existing_barcode"], 0)
        self.is_final()

    def test_refused(self):
        # somebody else made that patron a moment ago, and this Sierra refuses a second one
        self.house.unseen({"names": ["ELSE, SOMEBODY"], "barcodes": ["73000002"]})
        self.house.before = self.house.dump()
        self.house.switch(duplicate_on_post="reject")
        self.run_once(3, {1: ("renewed", ""), 2: ("failed", "refused")}, FAILED=1, REASON_REFUSED=1, RENEWED=1)
        self.assertEqual((self.created(), self.expires()), ([], hand_feed.NEW))
        self.is_final()

    def test_pin_refused(self):
        self.house.switch(pin_min="6")
        self.run_once(3, {1: ("renewed", ""), 2: ("failed", "pin-refused")}, FAILED=1, REASON_PIN_REFUSED=1)
        self.assertEqual(self.created(), [])
        self.is_final()

    def test_gone(self):
        self.house.switch(ghost_ids="1000001")
        result = self.run_once(3, {1: ("failed", "gone"), 2: ("created", "")}, FAILED=1, REASON_GONE=1, CREATED=1)
        self.assertEqual(result.rows()["student", 1][2], 1000001)
        self.assertEqual((len(self.created()), self.expires()), (1, "2024-03-01"))
        self.is_final()

    def test_unclear_create(self):
        # the create took effect, its answer was lost, and no look-up tells
        self.house.fault("drop-after-commit@post")
        self.house.fault("error-500-111@find")
        self.run_once(3, {1: ("renewed", ""), 2: ("failed", "unclear")}, FAILED=1, REASON_UNCLEAR=1)
        self.assertEqual(len(self.created()), 1)
        self.comes_again({})

    def test_unclear_create_that_was_not_made(self):
        self.house.fault("drop-before-response@post")
        self.run_once(3, {1: ("renewed", ""), 2: ("failed", "unclear")}, FAILED=1, REASON_UNCLEAR=1)
        self.assertEqual(self.created(), [])
        self.comes_again({2: ("created", "")})

    def test_unclear_create_that_sierra_is_still_at(self):
        """Given up on time, and the load over: the next one must not ask for the index before Sierra is done."""
        for how in ("complete", "stopped"):
            with self.subTest(how):
                self.setUp()
                self.house.config(self.house.extra + "[sierra]\nrequest_timeout = 1s\nlate_commit = 8s\n")
                self.house.switch(slow_ms="5000", slow_commit="after")
                self.house.fault("slow@post", "nth:1")
                if how == "complete":
                    self.house.fault("error-500-111@find")
                process = self.house.start_patrond("--once")
                while how == "stopped" and self.house.counters()["requests"]["find"] == 0 and process.poll() is None:
                    time.sleep(0.02)
                process.send_signal(signal.SIGTERM if how == "stopped" else 0)
                out, err = process.communicate(timeout=60)
                first = Result(process.returncode, out, err)
                self.assertEqual(first.rows()["student", 2][:2], ("failed", "unclear"), first.messages()[-4:])
                self.comes_again({})

    def test_unclear_renewal(self):
        self.house.fault("html-502@put")
        self.run_once(3, {1: ("failed", "unclear"), 2: ("created", "")}, FAILED=1, REASON_UNCLEAR=1)
        self.assertEqual(self.expires(), "2024-03-01")
        self.comes_again({1: ("renewed", "")})

    def test_unreachable(self):
        self.house.fault("status-429@put")
        self.house.fault("rate-exceeded-500@post")
        self.run_once(3, {1: ("failed", "unreachable"), 2: ("failed", "unreachable")}, FAILED=2, REASON_UNREACHABLE=2)
        self.assertEqual((self.created(), self.expires()), ([], "2024-03-01"))
        self.comes_again({1: ("renewed", ""), 2: ("created", "")})

    def test_lost_answers_that_are_looked_up_are_no_failures(self):
        for fault in ("drop-after-commit", "html-200-after-commit", "status-504-after-commit", "empty-200", "partial-body",
                      "error-500-111-after-commit"):
            with self.subTest(fault):
                self.setUp()
                self.house.fault(fault + "@post", "nth:1")
                self.house.fault(fault + "@put", "nth:1")
                self.run_once(0, DONE, FAILED=0, VERIFIED=2, DIFFERENT=0)
                self.assertEqual((len(self.created()), self.expires()), (1, hand_feed.NEW))
                self.assertEqual(self.house.counters()["requests"]["post"], 1)

    def meanwhile(self, *patrons):
        """A run in which staff make these patrons after the index was retrieved, and before the last look-up."""
        self.house.config(self.house.extra + "[match]\nrecheck_after = 0s\n")
        self.house.fault("slow@find")
        self.house.switch(slow_ms="2000", slow_commit="after")
        process = self.house.start_patrond("--once")
        while self.house.counters()["requests"]["find"] == 0 and process.poll() is None:
            time.sleep(0.02)
        self.house.ask_lines("load", patrons)
        out, err = process.communicate(timeout=60)
        result = Result(process.returncode, out, err)
        self.assertEqual((result.status, self.house.counters()["requests"]["post"]), (0, 0), result.messages()[-4:])
        return result.rows()["student", 2]

    def test_found_alive_before_a_create(self):
        found = patron(1000002, "73000002", "SANDRINGSTROM, LIOBA")
        self.assertEqual(self.meanwhile(found), ("renewed", "", 1000002))
        self.assertEqual(self.house.dump()[1000002]["expirationDate"], hand_feed.NEW)

    def test_found_alive_before_a_create_and_another_person(self):
        self.assertEqual(self.meanwhile(patron(1000002, "73000002", "ELSE, SOMEBODY", born="1950-01-01")),
                         ("held", "identity-mismatch", 1000002))

    def test_found_twice_before_a_create(self):
        self.assertEqual(self.meanwhile(patron(1000002, "73000002"), patron(1000004, "73000002")), ("held", "ambiguous", 0))

    def test_differs(self):
        # what was created is not to be seen for longer than reading back looks
        self.house.switch(read_after_write_lag_ms="600000")
        result = self.run_once(3, DONE, CREATED=1, RENEWED=1, FAILED=0, VERIFIED=1, DIFFERENT=1)
        differs = [e for e in result.entries if e.get("REASON") == "differs"]
        self.assertEqual([(e["FEED"], e["ROW"], e["PATRON_ID"], "OUTCOME" in e, e["PRIORITY"]) for e in differs],
                         [("student", "2", str(self.created()[0]["id"]), False, "4")])
        self.is_final()

    def test_too_many_failures_end_the_load(self):
        self.house.config(self.house.extra + "[sierra]\nmax_failures = 3\nconnections = 1\n[guard]\ncreates = off\n")
        self.house.share("feed.zip", pack({feed_kit.STUDENTS: feed_kit.feed([student(73000100 + i) for i in range(9)])}), age=9)
        self.house.switch(pin_min="6")
        result = self.house.patrond("--once")
        self.assertEqual((result.status, result.reasons()), (2, ["too-many-failures"]), result.messages()[-4:])
        self.assertIn("max_failures", [m for m in result.messages() if "sandbox" not in m][-1])
        self.assertEqual({got[:2] for got in result.rows().values()}, {("failed", "pin-refused")})
        self.assertEqual(len(result.rows()), 3)
        self.assertEqual(int(result.summaries("Broken off")["student"]["FAILED"]), 3)
        self.assertEqual(int(result.summaries("Plan")["student"]["CREATED"]), 9)
        self.assertEqual(self.created(), [])

    def until(self, word, *arguments):
        """Starts patrond and waits until it says that word. Returns the process."""
        process = self.house.start_patrond("--once", *arguments, stdout=subprocess.DEVNULL)
        while word not in process.stderr.readline():
            self.assertIsNone(process.poll(), f"it never said {word}")
        return process

    def test_interrupted(self):
        self.house.switch(latency_ms="300")
        process = self.until("Load")
        process.terminate()
        err = process.stderr.read()
        self.assertEqual(process.wait(60), 2, err)
        self.assertIn('"REASON":"cancelled"', err)
        self.house.switch(latency_ms="0")
        result = self.house.patrond("--once")
        self.assertEqual(result.status, 0, result.messages())
        self.assertEqual((len(self.created()), self.expires()), (1, hand_feed.NEW))

    def test_cut_off_while_writing(self):
        """Told to stop, or killed outright, in the middle of the creates: what is done is found done, and nothing twice."""
        rows = [student(73001000 + i) for i in range(12)]
        for how in ("terminate", "kill"):
            with self.subTest(how):
                self.setUp()
                self.house.config(self.house.extra + "[guard]\ncreates = off\n[sierra]\nconnections = 1\n")
                self.house.share("feed.zip", pack({feed_kit.STUDENTS: feed_kit.feed(rows)}))
                self.house.switch(slow_ms="150")
                self.house.fault("slow@post")
                process = self.until('"OUTCOME":"created"')
                getattr(process, how)()
                err = process.stderr.read()
                process.wait(60)
                if how == "terminate":
                    self.assertEqual(process.returncode, 2, err)
                    told = 1 + err.count('"OUTCOME":"created"')
                    self.assertEqual(told, len(self.created()))
                    self.assertIn(f'"CREATED":"{told}"', err)
                time.sleep(0.3)  # what a killed one had sent may still be under way
                done = len(self.created())
                self.assertIn(done, range(1, 12))
                self.house.calm()
                result = self.house.patrond("--once")
                self.assertEqual(result.status, 0, result.messages())
                summary = result.summaries()["student"]
                self.assertEqual((int(summary["CREATED"]), int(summary["CURRENT"])), (12 - done, done))
                self.assertEqual(len(self.created()), 12)
                self.assertEqual(self.house.counters()["creates_of_existing_barcode"], 0)


if __name__ == "__main__":
    stagekit.main()
