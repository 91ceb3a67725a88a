# SPDX-License-Identifier: GPL-3.0-or-later
"""Several feeds: the newest of its kind wins, nothing is loaded twice, what is still under way is left alone; exit statuses.

An old feed must never bring back a child who has opted out since: most tests have such a child.
"""
import os
import re
import subprocess
import threading
import time
import unittest

import feed_kit
import stagekit
from feed_kit import BYSTANDER, House, feed, pack, patron, staff, student

CHILD = patron(1000001, "74000001", expires="2024-05-05")
NOW = 1_790_000_000  # seconds: when the newest feed of a test was made


def zip_of(students=(), staff_rows=(), tool="7z"):
    entries = {}
    if students:
        entries[feed_kit.STUDENTS] = feed(students)
    if staff_rows:
        entries[feed_kit.STAFF] = feed(staff_rows)
    return pack(entries, tool)


OPTED_OUT = student("74000001", optout="1")
OPTED_IN = student("74000001")
GARBAGE = b"this is no zip, and reading it would be a failure" * 40


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)
        cls.house.start_sftp()

    def setUp(self):
        self.house.forget()
        self.house.config("[guard]\ncreates = off\n")
        self.house.sierra_with([CHILD, BYSTANDER])

    def once(self, *arguments, status=0, loads=None, reasons=(), memory=True):
        result = self.house.patrond("--once", *arguments, memory=memory)
        self.assertEqual((result.status, result.reasons()), (status, list(reasons)), (result.messages(), result.noise))
        if loads is not None:
            self.assertEqual(len(self.started(result)), loads, result.messages())
        return result

    def started(self, result):
        return [m for m in result.messages() if re.match("(Load|Dry run) .* started", m)]

    def superseded(self, result):
        return [e["FILE"] for e in result.entries if "older than the newest" in e["MESSAGE"]]

    def child(self):
        return self.house.dump()[1000001]["expirationDate"]

    def barcodes(self):
        return {b for p in self.house.dump().values() for b in p.get("barcodes", [])}


class Newest(Case):
    def test_the_older_of_two_is_superseded_unread(self):
        self.house.sftp.put("new.zip", zip_of([OPTED_OUT, student("74000002")], [staff("8840000001")]), NOW)
        self.house.sftp.put("old.zip", GARBAGE, NOW - 86400)
        self.house.sftp.put("older.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW - 2 * 86400)
        result = self.once(loads=1)
        self.assertEqual(sorted(self.superseded(result)), ["old.zip", "older.zip"])
        self.assertEqual(self.child(), "2024-05-05")
        self.assertEqual(self.barcodes(), {"74000001", "74000002", "8840000001", "21999000"})
        self.assertEqual(self.superseded(self.once(loads=0)), [])

    def test_newest_over_both_sources(self):
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW - 3600)
        path = self.house.share("feed.zip", zip_of([OPTED_OUT], [staff("8840000001")]))
        os.utime(path, (NOW, NOW))
        self.once(loads=1)
        self.assertEqual((self.child(), "8840000002" in self.barcodes()), ("2024-05-05", False))

    def test_the_same_feed_in_both_sources_is_loaded_once(self):
        data = zip_of([OPTED_OUT], [staff("8840000001")])
        for share, drop in ((NOW, NOW - 3600), (NOW - 3600, NOW)):
            with self.subTest(share=share, drop=drop):
                self.house.forget()
                self.house.sftp.put("feed.zip", data, drop)
                os.utime(self.house.share("from the town.zip", data), (share, share))
                self.once(loads=1)
                self.once(loads=0)

    def test_of_equal_times_the_later_name(self):
        self.house.sftp.put("feed-20260901.zip", zip_of([OPTED_OUT], [staff("8840000001")]), NOW)
        self.house.sftp.put("feed-20260831.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW)
        self.once(loads=1)
        self.assertEqual((self.child(), "8840000002" in self.barcodes()), ("2024-05-05", False))

    def test_a_kind_each_from_two_zips(self):
        self.house.sftp.put("students.zip", zip_of([student("74000002")]), NOW)
        self.house.sftp.put("staff.zip", zip_of([], [staff("8840000001")], "zip"), NOW - 86400)
        self.house.sftp.put("old.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW - 2 * 86400)
        result = self.once(loads=2)
        self.assertEqual(set(result.summaries()), {"student", "staff"})
        self.assertEqual(self.barcodes(), {"74000001", "74000002", "8840000001", "21999000"})
        self.assertEqual((self.child(), self.superseded(result)), ("2024-05-05", ["old.zip"]))

    def test_of_an_older_zip_only_the_kind_that_is_still_newest(self):
        self.house.sftp.put("students.zip", zip_of([OPTED_OUT]), NOW)
        self.house.sftp.put("both.zip", zip_of([OPTED_IN], [staff("8840000001")]), NOW - 86400)
        self.once(loads=2)
        self.assertEqual((self.child(), "8840000001" in self.barcodes()), ("2024-05-05", True))

    def test_an_older_one_that_comes_later(self):
        self.house.sftp.put("new.zip", zip_of([OPTED_OUT], [staff("8840000001")]), NOW)
        self.once(loads=1)
        self.house.sftp.put("late.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW - 60)
        result = self.once(loads=0)
        self.assertEqual(self.superseded(result), ["late.zip"])
        self.assertEqual((self.child(), "8840000002" in self.barcodes()), ("2024-05-05", False))

    def test_an_older_one_that_comes_when_the_newer_is_gone(self):
        path = self.house.sftp.put("new.zip", zip_of([OPTED_OUT], [staff("8840000001")]), NOW)
        self.once(loads=1)
        os.unlink(path)
        self.house.sftp.put("late.zip", zip_of([OPTED_IN], [staff("8840000002")]), NOW - 60)
        self.once(loads=0)
        self.assertEqual((self.child(), "8840000002" in self.barcodes()), ("2024-05-05", False))

    def test_a_due_one_that_was_overtaken(self):
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN]), NOW - 60)
        self.house.fault("error-500-111@list")
        self.once(status=2, reasons=["sierra-unreachable"], loads=1)
        self.house.calm()
        self.house.sftp.put("newer.zip", zip_of([OPTED_OUT]), NOW)
        self.once(loads=1)
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def test_no_older_one_in_place_of_one_that_cannot_be_read(self):
        # nobody can tell what the newest says of the child: the older one must wait
        self.house.sftp.put("old.zip", zip_of([OPTED_IN]), NOW - 60)
        path = self.house.sftp.put("new.zip", zip_of([OPTED_OUT]), NOW)
        os.chmod(path, 0)
        self.once(status=2, reasons=["remote-file"], loads=0)
        self.assertEqual((self.child(), self.house.writes()), ("2024-05-05", 0))
        os.chmod(path, 0o644)
        self.once(loads=1)
        self.assertEqual(self.child(), "2024-05-05")

    def test_a_due_one_that_was_overtaken_by_one_that_goes(self):
        """Of one kind alone: what overtook it was held, and is taken back before anybody let it go."""
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN]), NOW - 60)
        self.house.fault("error-500-111@list")
        self.once(status=2, reasons=["sierra-unreachable"], loads=1)
        self.house.calm()
        self.house.config("[guard]\ncreates = off\n[load]\nstart = manual\n")
        path = self.house.sftp.put("newer.zip", zip_of([OPTED_OUT]), NOW)
        self.assertEqual(self.superseded(self.once(status=4, loads=1)), ["feed.zip"])
        os.unlink(path)
        self.house.config("[guard]\ncreates = off\n")
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def waiting(self, result):
        return [e["FILE"] for e in result.entries if " waits: a newer file was refused" in e["MESSAGE"]]

    def test_no_older_one_in_place_of_half_an_upload(self):
        # a newer feed of the other kind, too, says nothing of the child
        self.house.sftp.put("staff.zip", zip_of([], [staff("8840000001")]), NOW)
        half = self.house.sftp.put("students.zip", zip_of([OPTED_OUT])[:-30], NOW - 60)
        self.house.sftp.put("old.zip", zip_of([OPTED_IN, student("74000002")]), NOW - 86400)
        self.assertEqual(self.waiting(self.once(status=2, reasons=["not-a-zip"], loads=1)), ["old.zip"])
        for _ in range(2):  # as long as it holds up another one it is told
            result = self.once(status=2, loads=0)
            self.assertEqual(self.waiting(result), ["old.zip"])
        self.once("--dry-run", status=2, loads=1)  # of the feed that is loaded
        self.assertEqual((self.child(), self.barcodes()), ("2024-05-05", {"74000001", "8840000001", "21999000"}))
        os.unlink(half)
        self.once(loads=1)
        self.assertIn("74000002", self.barcodes())

    def test_half_an_upload_that_holds_up_nothing(self):
        """Where one kind alone ever comes an old one is told once and no more."""
        self.house.sftp.put("new.zip", zip_of([student("74000002")]), NOW)
        self.house.sftp.put("half.zip", zip_of([OPTED_IN])[:-30], NOW - 60)
        self.house.sftp.put("old.zip", zip_of([OPTED_IN]), NOW - 86400)
        self.once(status=2, reasons=["not-a-zip"], loads=1)
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def test_older_ones_wait_for_a_plain_one_to_go(self):
        """One that was not seen before, one that is due, and one that is overtaken meanwhile."""
        both = ([OPTED_OUT], [staff("8840000001")])
        plain = zip_of([OPTED_OUT], [staff("8840000002")], "zip-plain")
        for before in ("new", "due", "overtaken"):
            with self.subTest(before=before):
                self.setUp()
                self.house.sftp.put("good.zip", zip_of([OPTED_IN], [staff("8840000003")]), NOW - 60)
                if before == "due":
                    self.house.fault("error-500-111@list")
                    self.once(status=2, reasons=["sierra-unreachable"], loads=1)
                    self.house.calm()
                path = self.house.sftp.put("plain.zip", plain, NOW)
                self.once(status=2, reasons=["zip-plain"], loads=0)
                self.once(status=2, loads=0)
                if before == "overtaken":
                    self.house.sftp.put("newer.zip", zip_of(*both), NOW + 60)
                    self.once(loads=1)
                os.unlink(path)
                self.once(loads=0 if before == "overtaken" else 1)
                self.assertEqual(self.child() == "2024-05-05", before == "overtaken")
                self.once(loads=0)


    def test_one_that_waited_is_overtaken_for_good(self):
        """It waited behind a plain zip; then a newer one came and was held, and was taken away: that had overtaken it."""
        self.house.sftp.put("old.zip", zip_of([OPTED_IN]), NOW - 60)
        plain = self.house.sftp.put("plain.zip", zip_of([OPTED_OUT], tool="zip-plain"), NOW)
        self.once(status=2, loads=0, reasons=["zip-plain"])
        os.unlink(plain)
        self.house.config("[guard]\ncreates = off\n[load]\nstart = manual\n")
        newer = self.house.sftp.put("newer.zip", zip_of([OPTED_OUT]), NOW + 60)
        result = self.house.patrond("--once")
        self.assertEqual((result.status, self.superseded(result)), (4, ["old.zip"]), result.messages())
        os.unlink(newer)
        self.house.config("[guard]\ncreates = off\n")
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def test_one_that_waits_out_of_sight(self):
        """The newest waited behind a plain zip, and its source is down when that is gone: an older one of the other waits."""
        self.house.sftp.put("new.zip", zip_of([OPTED_OUT]), NOW)
        plain = self.house.share("plain.zip", zip_of([OPTED_OUT], tool="zip-plain"))
        os.utime(plain, (NOW + 60, NOW + 60))
        self.once(status=2, loads=0, reasons=["zip-plain"])
        os.unlink(plain)
        os.utime(self.house.share("old.zip", zip_of([OPTED_IN])), (NOW - 60, NOW - 60))
        self.house.sftp.stop_process()
        try:
            result = self.house.patrond("--once")
        finally:
            self.house.sftp.start()
        self.assertEqual((result.status, self.started(result)), (2, []), result.messages())
        self.once(loads=1)
        self.assertEqual(self.child(), "2024-05-05")


class Once(Case):
    """The same content is loaded once, whatever its name."""

    def test_under_another_name(self):
        data = zip_of([student("74000002")])
        self.house.sftp.put("feed.zip", data, NOW)
        self.once(loads=1)
        self.house.sftp.put("feed-again.zip", data, NOW + 60)
        self.house.ask("reset-counters", {})
        self.once(loads=0)
        self.assertEqual(sum(self.house.counters()["requests"].values()), 0)

    def test_in_both_sources(self):
        data = zip_of([student("74000002")], [staff("8840000001")])
        self.house.sftp.put("feed.zip", data, NOW)
        path = self.house.share("feed.zip", data)
        os.utime(path, (NOW + 5, NOW + 5))
        self.once(loads=1)
        self.once(loads=0)
        self.assertEqual(self.house.counters()["creates"], 2)

    def test_in_both_sources_one_kind(self):
        # a zip of one kind leaves room for another: the same bytes must still be taken once
        data = zip_of([student("74000002")])
        self.house.sftp.put("feed.zip", data, NOW)
        self.house.share("feed.zip", data)
        self.once(loads=1)
        self.assertEqual(self.house.counters()["creates"], 1)

    def test_held_in_both_sources(self):
        """It does not overtake itself: of one kind, and of both."""
        for rows in ([], [staff("8840000001")]):
            with self.subTest(staff=len(rows)):
                self.house.forget()
                data = zip_of([student("74000002")], rows)
                for place in (self.house.sftp.put("feed.zip", data, NOW), self.house.share("feed.zip", data)):
                    os.utime(place, (NOW, NOW))
                self.house.config("[load]\nstart = manual\n")
                self.once(status=4, loads=1)
                for _ in range(2):
                    self.once(status=4, loads=0)

    def test_a_newer_one_after_it(self):
        self.house.sftp.put("feed.zip", zip_of([student("74000002")]), NOW)
        self.once(loads=1)
        self.house.sftp.put("feed.zip", zip_of([student("74000002"), student("74000003")]), NOW + 60)
        result = self.once(loads=1)
        self.assertEqual(result.summaries()["student"]["CREATED"], "1")
        self.assertEqual(result.summaries()["student"]["CURRENT"], "1")


class Renamed(Case):
    """Whether a zip has a feed depends on the names that the configuration gives them."""
    WRONG = "[guard]\ncreates = off\n[feed student]\npattern = students.csv\n"

    def refused(self):
        self.house.config(self.WRONG)
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN]), NOW)
        self.once(status=2, reasons=["no-feed"], loads=0)
        self.once(loads=0)  # told once, as long as nothing changes
        self.house.config("[guard]\ncreates = off\n")

    def test_no_feed_until_the_configuration_is_mended(self):
        self.refused()
        self.once("--dry-run", loads=1)
        self.once(loads=1)
        self.assertNotEqual(self.child(), "2024-05-05")
        self.once(loads=0)
        self.house.config(self.WRONG)  # what is done is not looked at again
        self.once(loads=0)

    def test_a_kind_that_was_not_seen_in_the_newest(self):
        """Of the newest zip staff alone was loaded: with the right name it has students, and no older ones come before them."""
        self.house.config(self.WRONG)
        self.house.sftp.put("both.zip", zip_of([OPTED_OUT, student("74000002")], [staff("8840000001")]), NOW)
        self.house.sftp.put("old.zip", zip_of([OPTED_IN, student("74000003")]), NOW - 86400)
        self.assertEqual(len(self.started(self.house.patrond("--once"))), 1)
        self.assertEqual(self.barcodes(), {"74000001", "8840000001", "21999000"})
        self.house.config("[guard]\ncreates = off\n")
        self.house.patrond("--once")
        self.assertEqual(self.barcodes(), {"74000001", "74000002", "8840000001", "21999000"})
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def test_dry_run_by_new_names(self):
        """What is done stays done; but a dry run shows what would be loaded by the names of today."""
        self.house.sftp.put("both.zip", zip_of([OPTED_OUT, student("74000002")], [staff("8840000001")]), NOW)
        self.once(loads=1)
        self.house.config(self.WRONG)
        for _ in range(2):
            result = self.once("--dry-run", loads=1)
            self.assertEqual(set(result.summaries()), {"staff"})
            self.once(loads=0)

    def test_overtaken_meanwhile(self):
        self.refused()
        self.house.sftp.put("new.zip", zip_of([OPTED_OUT]), NOW + 60)
        self.once(loads=1)
        self.once(loads=0)
        self.assertEqual(self.child(), "2024-05-05")

    def test_what_no_configuration_mends(self):
        self.house.config(self.WRONG)
        self.house.sftp.put("plain.zip", zip_of([OPTED_OUT], tool="zip-plain"), NOW)
        self.house.sftp.put("half.zip", zip_of([OPTED_IN])[:-30], NOW - 60)
        self.once(status=2, loads=0, reasons=["zip-plain", "not-a-zip"])
        self.house.config("[guard]\ncreates = off\n")
        self.once(status=2, loads=0, reasons=["zip-plain"])  # that it has a feed is known now
        os.unlink(os.path.join(self.house.sftp.drop, "half.zip"))
        self.house.sftp.put("old.zip", zip_of([OPTED_IN]), NOW - 120)
        self.once(status=2, loads=0)
        self.assertEqual(self.child(), "2024-05-05")


class UnderWay(Case):
    """An upload that has not ended is left alone."""

    def test_names_of_uploads(self):
        data = zip_of([OPTED_IN])
        for name in ("feed.zip.filepart", "feed.zip.partial", "feed.zip.part", ".feed.zip", "feed.zip.tmp", "~feed.zip", "feed.txt"):
            self.house.sftp.put(name, data, NOW)
            self.house.share(name, data)
        self.once(loads=0)
        self.assertEqual((self.child(), self.house.counters()["requests"]["token"]), ("2024-05-05", 0))

    def test_a_file_that_grows(self):
        for source in ("share", "sftp"):
            with self.subTest(source):
                self.setUp()
                self.house.config("[share]\nsettle = 500ms\n[sftp]\nsettle = 500ms\n")
                data = zip_of([OPTED_IN])
                if source == "share":
                    path = self.house.share("feed.zip", data[:100])
                else:
                    path = self.house.sftp.put("feed.zip", data[:100], NOW)
                stop = threading.Event()

                def grow():
                    with open(path, "ab") as file:
                        while not stop.wait(0.03):
                            file.write(b"x")
                            file.flush()

                thread = threading.Thread(target=grow)
                thread.start()
                try:
                    result = self.once(loads=0)
                finally:
                    stop.set()
                    thread.join()
                self.assertIn("feed.zip does not stand still yet and is left alone.", result.messages())
                with open(path, "wb") as file:
                    file.write(data)
                self.once(loads=1)
                self.assertNotEqual(self.child(), "2024-05-05")

    def test_half_a_zip_that_stands_still(self):
        data = zip_of([OPTED_IN])
        self.house.share("feed.zip", data[:-30])
        self.once(status=2, reasons=["not-a-zip"], loads=0)
        self.house.share("feed.zip", data)
        self.once(loads=1)
        self.assertNotEqual(self.child(), "2024-05-05")


class Statuses(Case):
    """0 complete or nothing new, 1 configuration, 2 failed, 3 rows failed, 4 held; the worst of all in the order 1 2 4 3 0."""

    def test_nothing_there(self):
        self.once(loads=0)

    def test_rows_that_failed_and_then_a_failure(self):
        self.house.sftp.put("staff.zip", zip_of([], [staff("8840000001")]), NOW - 60)
        self.house.switch(pin_min="6")
        result = self.once(status=3, loads=1)
        self.assertEqual(result.rows(), {("staff", 1): ("failed", "pin-refused", 0)})
        self.house.sftp.put("staff.zip", zip_of([], [staff("8840000002")]), NOW - 50)
        self.house.sftp.put("students.zip", pack({feed_kit.STUDENTS: b'0,"74000002,no quote at the end\n'}), NOW)
        result = self.once(status=2, loads=2, reasons=["quote-open"])
        self.assertEqual(result.rows(), {("staff", 1): ("failed", "pin-refused", 0)})

    def test_held_stays_held(self):
        self.house.config("[load]\nstart = manual\n")
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN]), NOW)
        result = self.house.patrond("--once")
        self.assertEqual((result.status, [e["GUARD"] for e in result.entries if "GUARD" in e]), (4, ["manual"]))
        self.assertEqual(result.summaries("Plan")["student"]["RENEWED"], "1")
        self.assertEqual(result.rows(), {})
        again = self.house.patrond("--once")
        self.assertEqual((again.status, self.started(again), self.house.writes()), (4, [], 0))

    def test_a_failed_one_is_due_and_done_the_next_time(self):
        self.house.sftp.put("feed.zip", zip_of([OPTED_IN]), NOW)
        self.house.fault("drop-before-response")
        self.once(status=2, loads=1, reasons=["sierra-unreachable"])
        self.house.calm()
        self.once(status=0, loads=1)
        self.assertNotEqual(self.child(), "2024-05-05")

    def once_without_the_drop(self):
        """One that finds a feed on the share, while the other source is away."""
        self.house.sftp.stop_process()
        try:
            self.house.share("feed.zip", zip_of([OPTED_IN]))
            return self.once(status=2, reasons=["connect"])
        finally:
            self.house.sftp.start()

    def test_one_source_down(self):
        result = self.once_without_the_drop()
        # with no memory of that source nobody knows whether it has a newer one, which may opt out
        self.assertEqual(self.child(), "2024-05-05")
        self.assertIn("feed.zip waits: a source that could never be listed", "\n".join(result.messages()))
        self.assertEqual(self.house.patrond("--once").status, 0)
        self.assertNotEqual(self.child(), "2024-05-05")

    def test_one_source_down_later(self):
        """Once it was seen, the other one goes on by itself."""
        self.assertEqual(self.house.patrond("--once").status, 0)
        self.once_without_the_drop()
        self.assertNotEqual(self.child(), "2024-05-05")

    def test_as_a_service(self):
        """Without --once: it looks by itself, takes what comes, and ends with 0 when it is told to."""
        self.house.config("[sftp]\npoll_interval = 1s\n[share]\npoll_interval = 1s\n")
        process = self.house.start_patrond(stdout=subprocess.DEVNULL)
        try:
            self.house.share("feed.zip", zip_of([OPTED_IN]))
            deadline = time.monotonic() + 30
            while self.child() == "2024-05-05" and time.monotonic() < deadline:
                time.sleep(0.1)
            self.house.share("next.zip", zip_of([student("74000005")]), age=1)
            while "74000005" not in self.barcodes() and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            process.terminate()
            err = process.communicate(timeout=30)[1]
        self.assertEqual(process.returncode, 0, err[-800:])
        self.assertNotEqual(self.child(), "2024-05-05")
        self.assertIn("74000005", self.barcodes())


if __name__ == "__main__":
    stagekit.main()
