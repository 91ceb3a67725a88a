#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-report as the supervisor drives it: lies of load first, then zips that 7-Zip and libarchive must open.

PATROND_BIN names the folder of the built programs (default: build/bin). Run as root: the stage becomes nobody.
"""
import csv
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import feed_kit
import stagekit

BIN = stagekit.BIN
PASSWORD = "korrekt Pferd ½"
TODAY = 20416  # 2025-11-24
WALLS_REQUIRED = 0x0F


def cleanup(patron, field, kind="letters", expiration=stagekit.NO_DATE):
    return stagekit.frame("REPORT_CLEANUP", struct.pack("<QBi", patron, stagekit.CLASSES.index(kind), expiration) +
                          stagekit.string(field))


def held(feed, row, reason="conflict", patron=0):
    return stagekit.frame("REPORT_HELD", struct.pack("<BIBQ", feed, row, stagekit.REASONS.index(reason), patron))


def rejected(feed, row, reason="shape"):
    return stagekit.frame("REPORT_REJECTED", struct.pack("<BIB", feed, row, stagekit.REASONS.index(reason)))


def opted_out(patron_id):
    return stagekit.frame("REPORT_OPTED_OUT", struct.pack("<Q", patron_id))


def trailer(cleanups, helds=0, rejecteds=0, opted_outs=0):
    return stagekit.frame("REPORT_TRAILER", struct.pack("<4I", cleanups, helds, rejecteds, opted_outs))


class ReportCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="report-test-")
        os.chmod(self.folder, 0o755)
        self.credential(PASSWORD)
        self.configure(False)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def credential(self, text):
        os.makedirs(self.path("credentials"), exist_ok=True)
        with open(self.path("credentials/report-password"), "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def configure(self, rows):
        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write("[report]\nrows = %s\n" % ("yes" if rows else "no"))

    def run_stage(self, data, zip_fd=None, fds=None, today=TODAY, hold_open=False, user="nobody", payload=None):
        """Runs one job over data on the pipe. Returns (frames, zip bytes)."""
        own = zip_fd is None
        zip_fd = stagekit.feed_fd() if own else zip_fd
        read_end, write_end = os.pipe()

        def feed():
            try:
                at = 0
                while at < len(data):
                    at += os.write(write_end, data[at:at + 65536])
            except BrokenPipeError:
                pass
            if not hold_open:
                os.close(write_end)

        with stagekit.Stage(os.path.join(BIN, "patrond-report"), self.path("patrond.conf"), self.path("credentials"),
                            user=user) as stage:
            writer = threading.Thread(target=feed)
            writer.start()
            try:
                stage.send("REPORT", payload if payload is not None else struct.pack("<i", today),
                           (read_end, zip_fd) if fds is None else [dict(pipe=read_end, zip=zip_fd)[f] for f in fds])
            except BrokenPipeError:
                pass  # one that ended in its beginning has said why
            os.close(read_end)
            frames = stage.until_end(120)
            self.assertIsNone(stage.receive(), "the stage goes on after its job")
            self.status = stage.close()
            writer.join()
        if hold_open:
            os.close(write_end)
        packed = os.pread(zip_fd, 1 << 30, 0)
        if own:
            os.close(zip_fd)
        return frames, packed

    def refused(self, data, code, **how):
        frames, packed = self.run_stage(data, **how)
        self.assertEqual([f.code for f in frames if f.name == "FAILURE"], [code], frames)
        self.assertNotIn("REPORTED", [f.name for f in frames])
        self.assertEqual(packed, b"", "something was made all the same")

    def made(self, data, **how):
        frames, packed = self.run_stage(data, **how)
        self.assertEqual([f.name for f in frames], ["WALLS", "REPORTED", "DONE"], frames)
        self.assertEqual(frames[0].walls & WALLS_REQUIRED, WALLS_REQUIRED)
        self.assertEqual(self.status, 0)
        self.assertEqual(frames[1].size, len(packed))
        return frames[1], packed

    def seven_zip(self, packed, password=PASSWORD, command="x", extra=("-so",)):
        with open(self.path("report.zip"), "wb") as file:
            file.write(packed)
        return subprocess.run(["7z", command, "-bd", "-y", "-p" + password, self.path("report.zip"), *extra],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)

    def table(self, packed, name):
        answer = self.seven_zip(packed, extra=("-so", name))
        self.assertEqual(answer.returncode, 0)
        return answer.stdout.decode("utf-8")

    def names(self, packed):
        listing = self.seven_zip(packed, command="l", extra=("-slt",)).stdout.decode()
        entries = listing.split("----------\n", 1)[1]
        for line in entries.splitlines():
            if line.startswith("Method = "):
                self.assertTrue(line.startswith("Method = AES-256 "), line)
        return [line[7:] for line in entries.splitlines() if line.startswith("Path = ")]


class Digest(ReportCase):
    def test_opted_out_patrons(self):
        """A table of ids, rows asked for or not; one that is no patron's is refused."""
        frames, packed = self.run_stage(opted_out(1000006) + opted_out(1000007) + trailer(0, 0, 0, 2))
        told = next(f for f in frames if f.name == "REPORTED")
        self.assertEqual((told.opted_out, told.held, told.rejected, told.classes), (2, 0, 0, {}))
        self.assertEqual(feed_kit.unpack(packed, PASSWORD)[0], {"opted_out_patrons.csv": b"patron_id\n1000006\n1000007\n"})
        self.refused(opted_out(0) + trailer(0, 0, 0, 1), "records")
        self.refused(opted_out(7) + trailer(0), "records")

    """Equal for reports that say the same, however they are packed; it tells nothing without the password."""

    ROWS = cleanup(1, "1234 / OLD", "note") + cleanup(2, "x99")

    def digest(self, data=None, **how):
        return self.made(data or self.ROWS + trailer(2), **how)

    def test_the_same_words(self):
        one, packed = self.digest()
        other, again = self.digest(today=TODAY + 1)
        self.assertNotEqual(packed, again, "no salt")
        self.assertEqual(one.digest, other.digest)
        self.assertNotEqual(one.digest, bytes(32))

    def test_other_words(self):
        first = self.digest()[0].digest
        seen = {first}
        for data in (cleanup(1, "1234 / OLD", "note") + cleanup(2, "x98"), cleanup(1, "1234 / OLD", "note") + cleanup(3, "x99"),
                     cleanup(2, "x99") + cleanup(1, "1234 / OLD", "note"),
                     cleanup(1, "1234 / OLD", "other") + cleanup(2, "x99")):
            seen.add(self.digest(data + trailer(2))[0].digest)
        seen.add(self.digest(cleanup(1, "1234 / OLD", "note") + trailer(1))[0].digest)
        self.configure(True)
        self.assertEqual(self.digest()[0].digest, first)
        seen.add(self.digest(self.ROWS + held(0, 1) + trailer(2, 1))[0].digest)
        seen.add(self.digest(self.ROWS + rejected(0, 1) + trailer(2, 0, 1))[0].digest)
        self.assertEqual(len(seen), 8)

    def test_the_password_is_in_it(self):
        first = self.digest()[0].digest
        self.credential("another password")
        self.assertNotEqual(self.digest()[0].digest, first)

    def test_of_nothing(self):
        reported, packed = self.digest(trailer(0))
        self.assertEqual((reported.size, reported.digest, packed), (0, bytes(32), b""))


class Refusals(ReportCase):
    def test_pipe_without_trailer(self):
        self.refused(b"", "records-cut")
        self.refused(cleanup(1, "x"), "records-cut")

    def test_pipe_ends_inside_a_frame(self):
        whole = cleanup(1, "x") + trailer(1)
        for cut in range(1, len(whole)):
            with self.subTest(cut=cut):
                self.refused(whole[:cut], "records-cut")

    def test_trailer_lies(self):
        rows = cleanup(1, "x") + held(0, 1) + rejected(1, 2)
        for counts in ((0, 1, 1), (2, 1, 1), (1, 0, 1), (1, 2, 1), (1, 1, 0), (1, 1, 2), (0, 0, 0), (1, 1, 0xFFFFFFFF)):
            with self.subTest(counts=counts):
                self.refused(rows + trailer(*counts), "records")

    def test_something_after_the_trailer(self):
        self.refused(cleanup(1, "x") + trailer(1) + cleanup(2, "y"), "records")
        self.refused(cleanup(1, "x") + trailer(1) + trailer(1), "records")
        self.refused(cleanup(1, "x") + trailer(1) + b"\x00", "records")

    def test_bad_rows(self):
        class_at, date_at = 8, 9
        good = cleanup(1, "x")
        head, body = good[:8], good[8:]
        bad = {
            "patron 0": cleanup(0, "x"),
            "empty field": cleanup(1, ""),
            "no UTF-8": cleanup(1, b"caf\xe9"),
            "surrogate": cleanup(1, b"\xed\xa0\x80"),
            "class 6": head + body[:class_at] + b"\x06" + body[class_at + 1:],
            "class 255": head + body[:class_at] + b"\xff" + body[class_at + 1:],
            "year 10000": cleanup(1, "x", expiration=2932897),
            "before year 1": cleanup(1, "x", expiration=-719163),
            "date of the far past": head + body[:date_at] + struct.pack("<i", -(1 << 31) + 1) + body[date_at + 4:],
            "string longer than the frame": head + body[:-5] + struct.pack("<I", 9) + b"x",
            "string shorter than the frame": head + body[:-5] + struct.pack("<I", 0) + b"x",
            "feed 2": held(2, 1),
            "feed 255": rejected(255, 1),
            "row 0": held(0, 0),
            "row over the limit": rejected(0, 2000001),
            "held for a reason of rejected": held(0, 1, "shape"),
            "rejected for a reason of held": rejected(0, 1, "conflict"),
            "no reason": held(0, 1, ""),
            "reason out of range": rejected(0, 1)[:-1] + b"\x13",
            "another frame": stagekit.frame("DONE"),
            "a record": stagekit.record("student", 1, key="123456"),
            "unknown frame": struct.pack("<IHH", 0, 0x99, 0),
            "reserved not zero": struct.pack("<IHH", 12, 0x97, 1) + b"\0" * 12,
            "too long": struct.pack("<IHH", 17 + 1025, 0x91, 0),
        }
        for rows in (False, True):
            self.configure(rows)
            for name, data in bad.items():
                with self.subTest(name=name, rows=rows):
                    self.refused(cleanup(7, "before") + data + trailer(2), "records")

    def test_request_without_descriptors(self):
        for fds in ((), ("pipe",), ("pipe", "zip", "zip")):
            with self.subTest(fds=fds):
                frames, packed = self.run_stage(cleanup(1, "x") + trailer(1), fds=fds)
                self.assertEqual(frames[-1].code, "protocol")
                self.assertEqual(packed, b"")

    def test_request_with_impossible_date(self):
        self.refused(cleanup(1, "x") + trailer(1), "protocol", today=-1)
        self.refused(cleanup(1, "x") + trailer(1), "protocol", today=2932897)

    def test_zip_descriptor_that_holds_something(self):
        fd = stagekit.feed_fd(b"left over")
        frames, packed = self.run_stage(cleanup(1, "x") + trailer(1), zip_fd=fd)
        os.close(fd)
        self.assertEqual(frames[-1].code, "protocol")
        self.assertEqual(packed, b"left over")

    def test_zip_descriptor_that_cannot_be_read_back(self):
        fd = os.open(self.path("writeonly"), os.O_WRONLY | os.O_CREAT)
        try:
            read_end, write_end = os.pipe()
            os.write(write_end, cleanup(1, "x") + trailer(1))
            os.close(write_end)
            with stagekit.Stage(os.path.join(BIN, "patrond-report"), self.path("patrond.conf"),
                                self.path("credentials")) as stage:
                stage.send("REPORT", struct.pack("<i", TODAY), (read_end, fd))
                os.close(read_end)
                self.assertEqual(stage.until_end()[-1].code, "report-read-back")
        finally:
            os.close(fd)

    def test_workspace_full(self):
        folder = self.path("small")
        os.mkdir(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder], check=True)
        try:
            fd = os.open(folder, os.O_RDWR | os.O_TMPFILE, 0o600)
            # letters that do not pack well, so that the zip is larger than the workspace
            rows = [cleanup(n + 1, os.urandom(500).hex()) for n in range(64)]
            frames, _ = self.run_stage(b"".join(rows) + trailer(64), zip_fd=fd)
            os.close(fd)
            self.assertEqual(frames[-1].code, "workspace-full")
        finally:
            subprocess.run(["umount", folder], check=True)

    def test_no_credential(self):
        os.unlink(self.path("credentials/report-password"))
        frames, _ = self.run_stage(cleanup(1, "x") + trailer(1))
        self.assertEqual([f.name for f in frames], ["FAILURE"])
        self.assertEqual(frames[0].code, "credential")

    def test_credential_with_nul(self):
        self.credential("sec\0ret")
        self.refused(cleanup(1, "x") + trailer(1), "credential")

    def test_root_is_refused(self):
        frames, _ = self.run_stage(cleanup(1, "x") + trailer(1), user=None)
        self.assertEqual([f.code for f in frames], ["uid-zero"])

    def test_cancel(self):
        read_end, write_end = os.pipe()
        fd = stagekit.feed_fd()
        with stagekit.Stage(os.path.join(BIN, "patrond-report"), self.path("patrond.conf"),
                            self.path("credentials")) as stage:
            stage.send("REPORT", struct.pack("<i", TODAY), (read_end, fd))
            os.close(read_end)
            os.write(write_end, cleanup(1, "x"))
            stage.send("CANCEL")
            os.write(write_end, cleanup(1, "x"))
            os.close(write_end)
            self.assertIn(stage.until_end()[-1].code, ("cancelled", "records-cut"))
        self.assertEqual(os.fstat(fd).st_size, 0)
        os.close(fd)

    def test_hang_up_while_waiting_for_rows(self):
        read_end, write_end = os.pipe()
        fd = stagekit.feed_fd()
        stage = stagekit.Stage(os.path.join(BIN, "patrond-report"), self.path("patrond.conf"), self.path("credentials"))
        stage.send("REPORT", struct.pack("<i", TODAY), (read_end, fd))
        self.assertEqual(stage.receive().name, "WALLS")
        stage.close()  # raises where it does not end, although the pipe stays open
        for each in (read_end, write_end, fd):
            os.close(each)


class Reports(ReportCase):
    def test_nothing_to_say(self):
        reported, packed = self.made(trailer(0))
        self.assertEqual((reported.size, reported.classes, reported.held, reported.rejected), (0, {}, 0, 0))
        self.assertEqual(packed, b"")

    def test_held_and_rejected_alone_without_rows(self):
        reported, packed = self.made(held(0, 1) + rejected(0, 2) + trailer(0, 1, 1))
        self.assertEqual((reported.size, reported.held, reported.rejected), (0, 0, 0))
        self.assertEqual(packed, b"")

    def test_the_table(self):
        data = (cleanup(1002, "12345678;23456789", "several", 20089) + cleanup(1003, "12345678 / PREV ID", "note") +
                cleanup(18446744073709551615, "1234-5678", "punctuation", 2932896) +
                cleanup(1005, "ABC", "letters", -719162) + cleanup(1006, "№", "other", 0) +
                cleanup(1007, "21814001234567", "ambiguous") + trailer(6))
        reported, packed = self.made(data)
        self.assertEqual(reported.classes, {c: 1 for c in stagekit.CLASSES})
        self.assertEqual(self.names(packed), ["barcode_errors.csv"])
        self.assertEqual(self.table(packed, "barcode_errors.csv"),
                         "patron_id,field,expiration_date,class\n"
                         "1002,\"12345678;23456789\",2025-01-01,several\n"
                         "1003,12345678 / PREV ID,,note\n"
                         "18446744073709551615,1234-5678,9999-12-31,punctuation\n"
                         "1005,ABC,0001-01-01,letters\n"
                         "1006,№,1970-01-01,other\n"
                         "1007,21814001234567,,ambiguous\n")

    def test_work_lists(self):
        self.configure(True)
        data = (held(0, 7, "identity-mismatch", 1001) + held(1, 2000000, "conflict") + rejected(1, 3, "birth-date") +
                rejected(0, 1, "key") + trailer(0, 2, 2))
        reported, packed = self.made(data)
        self.assertEqual((reported.classes, reported.held, reported.rejected), ({}, 2, 2))
        self.assertEqual(self.names(packed), ["held_rows.csv", "rejected_rows.csv"])  # the empty one is left out
        self.assertEqual(self.table(packed, "held_rows.csv"),
                         "feed,row,reason,patron_id\nstudent,7,identity-mismatch,1001\nstaff,2000000,conflict,\n")
        self.assertEqual(self.table(packed, "rejected_rows.csv"),
                         "feed,row,reason\nstaff,3,birth-date\nstudent,1,key\n")

    def test_quoting_and_formulas(self):
        # what the ILS has, and what a CSV reader must get
        fields = [("a,b", "a,b"), ('say "x"', 'say "x"'), ('"', '"'), (" padded ", " padded "), ("x;y", "x;y"),
                  ("two\r\nlines", "two  lines"), ("esc\x1b[31m", "esc [31m"), ("nul\x00byte", "nul byte"),
                  ("=1+1", "'=1+1"), ("+12345678", "'+12345678"), ("-12345678", "'-12345678"), ("@SUM(A1)", "'@SUM(A1)"),
                  ("\t=1+1", "' =1+1"), ("  =cmd|'/c calc'!A0", "'  =cmd|'/c calc'!A0"), ('="1"', '\'="1"'),
                  ("＝1", "'＝1"), ("＋1", "'＋1"), ("－1", "'－1"), ("＠1", "'＠1"), ("'quoted", "''quoted"),
                  ("1=1", "1=1"), ("12-34", "12-34"), ("x" * 1024, "x" * 1024), ('"' * 1024, '"' * 1024),
                  ("é" * 512, "é" * 512), ("𝕏", "𝕏")]
        data = b"".join(cleanup(n + 1, field) for n, (field, _) in enumerate(fields)) + trailer(len(fields))
        _, packed = self.made(data)
        rows = list(csv.DictReader(io.StringIO(self.table(packed, "barcode_errors.csv"), newline="")))
        self.assertEqual([row["field"] for row in rows], [shown for _, shown in fields])
        self.assertEqual([row["patron_id"] for row in rows], [str(n + 1) for n in range(len(fields))])
        for row in rows:
            self.assertNotIn(row["field"].lstrip()[0], "=+-@")

    def test_wrong_password(self):
        _, packed = self.made(cleanup(1, "x") + trailer(1))
        for wrong in ("", PASSWORD[:-1], PASSWORD + " ", "x"):
            with self.subTest(wrong=wrong):
                answer = self.seven_zip(packed, wrong)
                self.assertNotEqual(answer.returncode, 0)
                self.assertNotIn(b"patron_id", answer.stdout)
        self.assertNotIn(b"patron_id", packed)

    def test_first_line_is_the_password(self):
        self.credential("first line\r\nsecond line")
        _, packed = self.made(cleanup(1, "x") + trailer(1))
        self.assertEqual(self.seven_zip(packed, "first line").returncode, 0)
        self.assertNotEqual(self.seven_zip(packed, "second line").returncode, 0)

    @unittest.skipUnless(shutil.which("bsdtar"), "libarchive-tools is not installed")
    def test_libarchive_opens_it(self):
        self.configure(True)
        _, packed = self.made(cleanup(1, "x") + held(0, 1) + trailer(1, 1))
        with open(self.path("report.zip"), "wb") as file:
            file.write(packed)
        answer = subprocess.run(["bsdtar", "--passphrase", PASSWORD, "-xOf", self.path("report.zip")],
                                stdout=subprocess.PIPE, timeout=60, check=True)
        self.assertEqual(answer.stdout, b"patron_id,field,expiration_date,class\n1,x,,letters\n"
                                        b"feed,row,reason,patron_id\nstudent,1,conflict,\n")

    def test_entries_bear_the_date_given(self):
        _, packed = self.made(cleanup(1, "x") + trailer(1))
        self.assertIn(b"Modified = 2025-11-24 12:00:00", self.seven_zip(packed, command="l", extra=("-slt",)).stdout)

    def test_salts_differ(self):
        first, second = (self.made(cleanup(1, "x") + trailer(1))[1] for _ in range(2))
        self.assertNotEqual(first, second)

    def test_does_not_wait_for_the_pipe_to_close(self):
        self.made(cleanup(1, "x") + trailer(1), hold_open=True)

    def test_large(self):
        count = 100000
        data = b"".join(cleanup(n + 1, f"{n:08d} / PREV, \"{n * 7919 % 1000003}\"", "note", 20000 + n % 900)
                        for n in range(count)) + trailer(count)
        reported, packed = self.made(data)
        self.assertEqual(reported.classes, {"note": count})
        rows = list(csv.reader(io.StringIO(self.table(packed, "barcode_errors.csv"), newline="")))
        self.assertEqual(len(rows), count + 1)
        self.assertEqual(rows[count][:2], [str(count), f"{count - 1:08d} / PREV, \"{(count - 1) * 7919 % 1000003}\""])


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("7z") is None:
        print("skipped: needs root (the stage becomes nobody) and 7z")
        sys.exit(77)
    stagekit.main()
