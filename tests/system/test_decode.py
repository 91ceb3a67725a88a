#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-decode as the supervisor drives it: zips of Info-ZIP and 7-Zip, and what must be refused of them.

PATROND_BIN names the folder of the built programs (default: build/bin). Run as root: the stage becomes nobody.
"""
import datetime
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stagekit

BIN = stagekit.BIN
PASSWORD = "korrektes Pferd"  # 7-Zip takes no others than ASCII for zips
TODAY = (datetime.date(2026, 8, 15) - datetime.date(1970, 1, 1)).days
BOTH, STUDENT_BIT, STAFF_BIT = 3, 1, 2
WALLS_REQUIRED = 0x0F
STUDENT, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"
HEADER = ("S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,First_Name,Last_Name,DOB,SchoolID,Grade_Level,Mailing_Street,"
          "Mailing_City,Mailing_State,Mailing_Zip,S_NC_STUDENTDEMO.EMAIL_ADDRESS,Home_Phone,Guardian_Email,Enroll_Status\r\n")


def student(key, first="Ada", last="Lovelace", out="", status="0", birth="12/10/2010", end="\r\n"):
    return (f"{out},{key},{first},{last},{birth},304,5,1 Main St,Chapel Hill,NC,27514,{first}@x.org,919-555-0100,"
            f"mum@x.org,{status}{end}")


def member(key, first="Grace", last="Hopper"):
    return "\t".join(("Active", key, first, last, "2 Oak St", "Carrboro", "NC", "27510", "919-555-0101", "", "g@x.org",
                      "Teacher", "304", "School")) + "\n"


STUDENTS = HEADER + student("100001") + student("100002", out="1") + student("100003", status="2") + student("x")
MEMBERS = member("2000000001") + member("12")
PACKERS = {
    "AES-256": ["7z", "a", "-bso0", "-tzip", "-mem=AES256", "-p{}"],
    "AES-192": ["7z", "a", "-bso0", "-tzip", "-mem=AES192", "-p{}"],
    "AES-128": ["7z", "a", "-bso0", "-tzip", "-mem=AES128", "-p{}"],
    "AES-256 stored": ["7z", "a", "-bso0", "-tzip", "-mem=AES256", "-mm=Copy", "-p{}"],
    "ZipCrypto 7z": ["7z", "a", "-bso0", "-tzip", "-mem=ZipCrypto", "-p{}"],
    "ZipCrypto zip": ["zip", "-q", "-P", "{}"],
    "ZipCrypto zip stored": ["zip", "-q", "-0", "-P", "{}"],
    "ZipCrypto zip descriptor": ["zip", "-q", "-fd", "-P", "{}"],
    "ZipCrypto zip64": ["zip", "-q", "-fz", "-P", "{}"],
}


class DecodeCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="decode-test-")
        os.chmod(self.folder, 0o755)
        self.credential(PASSWORD)
        self.configure("")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def credential(self, text):
        os.makedirs(self.path("credentials"), exist_ok=True)
        with open(self.path("credentials", "zip-password"), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(self.path("credentials", "zip-password"), 0o644)

    def configure(self, text):
        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def pack(self, files, packer="AES-256", password=PASSWORD, add_to=None):
        """The bytes of a zip of these files (name: text or bytes), made by a real tool."""
        work = tempfile.mkdtemp(dir=self.folder)
        target = os.path.join(work, "feed.zip")
        if add_to is not None:
            with open(target, "wb") as file:
                file.write(add_to)
        inside = os.path.join(work, "in")
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(inside, name)), exist_ok=True)
            with open(os.path.join(inside, name), "wb") as file:
                file.write(text.encode() if isinstance(text, str) else text)
        command = [part.replace("{}", password) for part in PACKERS[packer]] if password else ["zip", "-q"]
        subprocess.run([*command, target, *files], cwd=inside, check=True, stdin=subprocess.DEVNULL)
        with open(target, "rb") as file:
            data = file.read()
        shutil.rmtree(work)
        return data

    def stage(self, **more):
        return stagekit.Stage(os.path.join(BIN, "patrond-decode"), self.path("patrond.conf"), self.path("credentials"), **more)

    def inspect(self, data):
        fd = stagekit.feed_fd(data)
        try:
            with self.stage() as stage:
                stage.send("DECODE_INSPECT", fds=[fd])
                frames = stage.until_end()
                self.assertIsNone(stage.receive())  # it hangs up by itself
                self.assertEqual(stage.close(), 0)
        finally:
            os.close(fd)
        return [frame for frame in frames if frame.name not in ("WALLS", "PROGRESS")]

    def records(self, data, kinds=BOTH, today=TODAY):
        """Does the job of a load. Returns the answers and the bytes of the pipe."""
        fd = stagekit.feed_fd(data)
        reader, writer = os.pipe()
        taken = []

        def drain():
            while True:
                piece = os.read(reader, 1 << 20)
                if not piece:
                    return
                taken.append(piece)

        thread = threading.Thread(target=drain)
        try:
            with self.stage() as stage:
                stage.send("DECODE_RECORDS", struct.pack("<Bi", kinds, today), fds=[fd, writer])
                os.close(writer)
                thread.start()
                frames = stage.until_end()
                self.assertIsNone(stage.receive())  # it hangs up by itself
                self.assertEqual(stage.close(), 0)
                thread.join(10)
                self.assertFalse(thread.is_alive(), "the pipe was not closed")
        finally:
            os.close(fd)
            os.close(reader)
        return frames, b"".join(taken)

    def read(self, data, kinds=BOTH):
        """A load that must succeed: the records, and the rows of the trailer."""
        frames, pipe = self.records(data, kinds)
        self.assertEqual([frame.name for frame in frames if frame.name not in ("PROGRESS", "SHAPE")], ["WALLS", "DONE"], frames)
        taken = stagekit.parse_frames(pipe)
        self.assertEqual([frame.name for frame in taken[:-1]], ["RECORD"] * (len(taken) - 1))
        self.assertEqual(taken[-1].name, "RECORD_TRAILER")
        # the shape agrees with the records, counted here anew
        shapes = {frame.feed: frame.fields for frame in frames if frame.name == "SHAPE"}
        self.assertEqual({kind: shape["rows"] for kind, shape in shapes.items()},
                         {kind: rows for kind, rows in taken[-1].rows.items() if rows})
        for kind, shape in shapes.items():
            mine = [frame.fields for frame in taken[:-1] if frame.feed == kind]
            verdicts = [record["verdict"] for record in mine]
            self.assertEqual(shape["reasons"], {verdict: (verdicts.count(verdict), 1 + verdicts.index(verdict))
                                                for verdict in set(verdicts) - {""}})
            self.assertEqual(shape["key_fits"], sum(record["key_fits"] for record in mine))
        return [frame.fields for frame in taken[:-1]], taken[-1].rows

    def refused(self, data, code, feed=255, kinds=BOTH, **more):
        """A load that must be refused, without a trailer."""
        frames, pipe = self.records(data, kinds)
        self.assertEqual([frame.name for frame in frames if frame.name != "PROGRESS"], ["WALLS", "FAILURE"], frames)
        failure = frames[-1].fields
        self.assertEqual((failure["code"], failure["feed"]), (code, feed), failure)
        for name, value in more.items():
            self.assertEqual(failure[name], value, failure)
        self.assertNotIn("RECORD_TRAILER", [frame.name for frame in stagekit.parse_frames(pipe)])
        return failure


class Process(DecodeCase):
    def test_walls_before_the_first_foreign_byte(self):
        with self.stage() as stage:
            walls = stage.receive()
            self.assertEqual(walls.name, "WALLS")
            self.assertEqual(walls.walls & WALLS_REQUIRED, WALLS_REQUIRED)

    def test_no_credential(self):
        os.unlink(self.path("credentials", "zip-password"))
        with self.stage() as stage:
            self.assertEqual([(f.name, f.code) for f in stage.until_end()], [("FAILURE", "credential")])

    def test_uid_zero(self):
        with self.stage(user=None) as stage:
            self.assertEqual([(f.name, f.code) for f in stage.until_end()], [("FAILURE", "uid-zero")])

    def test_protocol(self):
        zip_fd, (reader, writer) = stagekit.feed_fd(b""), os.pipe()
        other = os.open("/dev/null", os.O_RDWR)
        good = struct.pack("<Bi", BOTH, TODAY)
        cases = {
            "no descriptor": ("DECODE_RECORDS", good, []),
            "one descriptor": ("DECODE_RECORDS", good, [zip_fd]),
            "descriptors swapped": ("DECODE_RECORDS", good, [writer, zip_fd]),
            "feed is no file": ("DECODE_RECORDS", good, [other, writer]),
            "records are no pipe": ("DECODE_RECORDS", good, [zip_fd, other]),
            "no kind": ("DECODE_RECORDS", struct.pack("<Bi", 0, TODAY), [zip_fd, writer]),
            "unknown kind": ("DECODE_RECORDS", struct.pack("<Bi", 7, TODAY), [zip_fd, writer]),
            "inspect without descriptor": ("DECODE_INSPECT", b"", []),
            "inspect a pipe": ("DECODE_INSPECT", b"", [reader]),
            "another stage's job": ("FETCH_LIST", b"", []),
        }
        for name, (job, payload, fds) in cases.items():
            with self.subTest(name), self.stage() as stage:
                stage.send(job, payload, fds)
                last = stage.until_end()[-1]
                self.assertEqual((last.name, last.code), ("FAILURE", "protocol"))
        for fd in (zip_fd, reader, writer, other):
            os.close(fd)

    def test_hang_up_ends_it(self):
        """Also while it waits on a pipe that nobody reads."""
        fd = stagekit.feed_fd(self.pack({STUDENT: "".join(student(str(n)) for n in range(20000))}))
        reader, writer = os.pipe()
        stage = self.stage()
        stage.send("DECODE_RECORDS", struct.pack("<Bi", BOTH, TODAY), fds=[fd, writer])
        self.assertEqual(stage.receive().name, "WALLS")
        time.sleep(0.3)
        stage.close()
        for one in (fd, reader, writer):
            os.close(one)

    def test_records_pipe_gone(self):
        fd = stagekit.feed_fd(self.pack({STUDENT: STUDENTS}))
        reader, writer = os.pipe()
        os.close(reader)
        with self.stage() as stage:
            stage.send("DECODE_RECORDS", struct.pack("<Bi", BOTH, TODAY), fds=[fd, writer])
            last = stage.until_end()[-1]
            self.assertEqual((last.name, last.code), ("FAILURE", "records"))
            self.assertIsNone(stage.receive())
            self.assertEqual(stage.close(), 0)
        os.close(fd)
        os.close(writer)

    def test_cancel(self):
        rows = "".join(student(str(n), os.urandom(20).hex()) for n in range(120000))
        fd = stagekit.feed_fd(self.pack({STUDENT: rows}))
        reader, writer = os.pipe()
        threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reader, 1 << 20), b"")], daemon=True).start()
        with self.stage() as stage:
            stage.send("DECODE_RECORDS", struct.pack("<Bi", BOTH, TODAY), fds=[fd, writer])
            os.close(writer)
            stage.send("CANCEL")
            last = stage.until_end()[-1]
            self.assertEqual((last.name, last.code), ("FAILURE", "cancelled"))
        os.close(fd)

    def test_progress(self):
        rows = "".join(student(str(n), os.urandom(20).hex()) for n in range(120000))
        data = self.pack({STUDENT: rows})
        frames, _ = self.records(data)
        progress = [frame for frame in frames if frame.name == "PROGRESS"]
        self.assertGreater(len(progress), 2)
        for before, after in zip(progress, progress[1:]):
            self.assertLess(before.done, after.done)
        for frame in progress:
            self.assertEqual(frame.phase, "retrieving")
            self.assertLessEqual(frame.done, frame.total)


class Inspect(DecodeCase):
    def one(self, data, verdict, kinds=0):
        answers = self.inspect(data)
        self.assertEqual([frame.name for frame in answers], ["INSPECTED", "DONE"])
        self.assertEqual((answers[0].verdict, answers[0].kinds), (verdict, kinds))
        self.assertEqual(answers[0].sha256, hashlib.sha256(data).hexdigest())

    def test_unreadable(self):
        whole = self.pack({STUDENT: STUDENTS})
        for data in (b"", b"PK", os.urandom(5000), whole[:-1], whole[:len(whole) // 2], whole + b"x"):
            self.one(data, "unreadable")

    def test_plain(self):
        self.one(self.pack({STUDENT: STUDENTS}, password=None), "plain", STUDENT_BIT)
        self.one(self.pack({"note.txt": "x"}, password=None), "plain")
        self.one(self.pack({STAFF: MEMBERS}, password=None, add_to=self.pack({STUDENT: STUDENTS})), "plain", BOTH)

    def test_no_feed(self):
        self.one(self.pack({"note.txt": "x", "chccs_staff.csv": "case counts"}), "no-feed")

    def test_whole(self):
        for packer in PACKERS:
            with self.subTest(packer):
                self.one(self.pack({STUDENT: STUDENTS}, packer), "whole", STUDENT_BIT)
        self.one(self.pack({"a/b/" + STAFF: MEMBERS}), "whole", STAFF_BIT)
        self.one(self.pack({STAFF: MEMBERS, "deep/" + STUDENT: STUDENTS, "note.txt": "x"}), "whole", BOTH)

    def test_needs_no_password(self):
        self.credential("another")
        self.one(self.pack({STAFF: MEMBERS}), "whole", STAFF_BIT)

    def test_patterns(self):
        self.configure("[feed student]\npattern = pupils-*.csv\n[feed staff]\npattern = *.tsv\n")
        self.one(self.pack({"pupils-2026.csv": STUDENTS, "x/teachers.tsv": MEMBERS}), "whole", BOTH)
        self.one(self.pack({"x/.teachers.tsv": MEMBERS}), "no-feed")


class Records(DecodeCase):
    def test_every_tool(self):
        for packer in PACKERS:
            with self.subTest(packer):
                records, rows = self.read(self.pack({STAFF: MEMBERS, STUDENT: STUDENTS}, packer))
                self.assertEqual(rows, {"student": 4, "staff": 2})
                self.assertEqual([(r["feed"], r["row"], r["key"], r["verdict"]) for r in records],
                                 [("student", 1, "100001", ""), ("student", 2, "100002", "opted-out"),
                                  ("student", 3, "100003", "inactive"), ("student", 4, "x", "key"),
                                  ("staff", 1, "2000000001", ""), ("staff", 2, "12", "key")])
                self.assertEqual(records[0], dict(
                    feed="student", row=1, verdict="", status=255, key="100001", key_fits=True, first="Ada",
                    last="Lovelace", street="1 Main St", city="Chapel Hill", state="NC", zip="27514",
                    emails="Ada@x.org mum@x.org", phone="919-555-0100", phone2="",
                    birth_date=(datetime.date(2010, 12, 10) - datetime.date(1970, 1, 1)).days))
                self.assertEqual(records[2]["status"], 2)
                self.assertEqual(records[4]["birth_date"], stagekit.NO_DATE)

    def test_shape(self):
        frames, _ = self.records(self.pack({STAFF: MEMBERS, STUDENT: STUDENTS}))
        shapes = [frame for frame in frames if frame.name == "SHAPE"]
        self.assertEqual([(s.feed, s.rows, s.understood, s.delimiter, s.header) for s in shapes],
                         [("student", 4, 3, ",", 1), ("staff", 2, 2, "\t", 0)])
        self.assertEqual(shapes[0].columns["zip"], (11, 3))
        self.assertEqual((shapes[0].statuses, shapes[0].active, shapes[0].birth_dates, shapes[0].of_age), ({0: 2, 2: 1}, 2, 3, 3))
        self.assertEqual((shapes[1].columns["job"], shapes[1].columns["phone-2"]), ((12, 2), (10, 0)))
        self.assertEqual((shapes[0].schools, shapes[0].school_rows), (1, [3]))

    def test_kinds(self):
        data = self.pack({STAFF: MEMBERS, STUDENT: STUDENTS})
        self.assertEqual(self.read(data, STUDENT_BIT)[1], {"student": 4, "staff": 0})
        self.assertEqual(self.read(data, STAFF_BIT)[1], {"student": 0, "staff": 2})
        alone = self.pack({STAFF: MEMBERS})
        self.assertEqual(self.read(alone)[1], {"student": 0, "staff": 2})
        self.refused(alone, "no-feed", kinds=STUDENT_BIT)

    def test_folders_and_other_files(self):
        data = self.pack({"2026/" + STAFF: MEMBERS, "a/b/c/" + STUDENT: STUDENTS, "readme.txt": "x", "old/x.csv": "y"})
        self.assertEqual(self.read(data)[1], {"student": 4, "staff": 2})

    def test_several_passwords(self):
        self.credential("old\nolder\n" + PASSWORD)
        for packer in ("AES-256", "ZipCrypto zip", "ZipCrypto zip stored"):
            self.assertEqual(self.read(self.pack({STAFF: MEMBERS}, packer))[1]["staff"], 2)

    def test_wrong_password(self):
        self.credential("wrong")
        self.refused(self.pack({STAFF: MEMBERS}), "zip-password", feed=1)

    def test_statuses_and_pattern(self):
        self.configure("[feed student]\nstatuses = 2\n[match]\nbarcode_pattern = [a-z]\n")
        records, _ = self.read(self.pack({STUDENT: STUDENTS}))
        self.assertEqual([(r["verdict"], r["key_fits"]) for r in records],
                         [("inactive", False), ("opted-out", False), ("key", False), ("inactive", True)])

    def test_refusals(self):
        cases = {
            "not a zip": (b"x" * 100, "not-a-zip", 255),
            "plain": (self.pack({STUDENT: STUDENTS}, password=None), "zip-plain", 255),
            "plain entry among encrypted": (self.pack({"note.txt": "x"}, password=None, add_to=self.pack({STUDENT: STUDENTS})),
                                            "zip-plain", 255),
            "no feed": (self.pack({"x.csv": STUDENTS}), "no-feed", 255),
            "two of a kind": (self.pack({"a/" + STAFF: MEMBERS, "b/" + STAFF: MEMBERS}), "two-of-a-kind", 1),
            "feed of no byte": (self.pack({STUDENT: ""}), "feed-empty", 0),
            "feed of blank lines": (self.pack({STUDENT: "\r\n \n\n"}), "feed-empty", 0),
            "feed of a header": (self.pack({STUDENT: HEADER}), "feed-empty", 0),
            "one good, one empty": (self.pack({STUDENT: STUDENTS, STAFF: "\n"}), "feed-empty", 1),
            "bomb": (self.pack({STUDENT: b"0" * (64 << 20)}), "zip-ratio", 0),
            "bomb by zip": (self.pack({STUDENT: b"0" * (64 << 20)}, "ZipCrypto zip"), "zip-ratio", 0),
            "swapped feeds": (self.pack({STAFF: STUDENTS}), "header", 1),
        }
        for name, (data, code, feed) in cases.items():
            with self.subTest(name):
                self.refused(data, code, feed)

    def test_places(self):
        """Where an error of form stands: the row as rows count, the cell, and as number the line of the file."""
        cases = {
            "quote open": (HEADER + student("1") + student("2", last='"L'), "quote-open", 2, 4, 3),
            "quote open before rows": (HEADER + student("1") + student("2", last='"L') + student("3") * 2, "quote-rows", 2, 4, 3),
            "CR alone": (HEADER + student("1") + student("2").rstrip("\r\n") + "\r" + student("3"), "line-end", 2, 15, 3),
            "text after a quote": (HEADER + student("1") + "\r\n" + student("2", last='"L"x'), "quote-text", 2, 4, 4),
            "NUL": (student("1") + student("2", first="A\0"), "nul-byte", 2, 3, 2),
            "cell": (student("1", first="A" * 8193), "cell-too-long", 1, 3, 1),
            "row": ("x" + ",yyyyyyyy" * 7300 + "\n", "row-too-long", 1, 1, 1),
            "cells": (student("1") + "," * 256 + "\n", "too-many-cells", 2, 257, 2),
            "header": (HEADER.replace("DOB", "Shoe_Size") + student("1"), "header", 0, 5, 0),
        }
        for packer in ("AES-256", "ZipCrypto zip"):
            for name, (text, code, row, column, number) in cases.items():
                with self.subTest(name, packer=packer):
                    self.refused(self.pack({STUDENT: text}, packer), code, 0, row=row, column=column, number=number)

    def test_nothing_of_the_feed_in_a_failure(self):
        """A failure is a code and integers: fixed in size, whatever the feed says."""
        failure = self.refused(self.pack({STUDENT: student("1", last='"Geheim"x')}), "quote-text", 0)
        self.assertEqual(set(map(type, failure.values())), {str, int})

    def test_changed_between_two_readings(self):
        """AES is read twice: a feed that changes after its MAC was checked yields no trailer."""
        # stored, and changed within a name: the rows stay rows, so that nothing but the MAC can tell
        rows = "".join(student(str(n), os.urandom(20).hex()) for n in range(60000)) + student("60000", "A" * 4000)
        data = self.pack({STUDENT: rows}, "AES-256 stored")
        fd = stagekit.feed_fd(data)
        reader, writer = os.pipe()
        with self.stage() as stage:
            stage.send("DECODE_RECORDS", struct.pack("<Bi", BOTH, TODAY), fds=[fd, writer])
            os.close(writer)
            first = os.read(reader, 65536)  # records flow: the MAC is checked, and the stage waits for the pipe
            os.pwrite(fd, bytes([data[-2000] ^ 2]), len(data) - 2000)
            pieces = [first, *iter(lambda: os.read(reader, 1 << 20), b"")]
            last = stage.until_end()[-1]
        self.assertEqual((last.name, last.code), ("FAILURE", "zip-corrupt"))
        self.assertNotIn("RECORD_TRAILER", [f.name for f in stagekit.parse_frames(b"".join(pieces))])
        os.close(fd)
        os.close(reader)

    def test_large_in_constant_memory(self):
        """Many rows come through whole and in order; the stage's memory does not grow with them."""
        count = 150000
        text = "".join(student(str(n), f"A{n}") for n in range(count))
        data = self.pack({STUDENT: text}, "ZipCrypto zip")
        _, pipe = self.records(data)
        at = rows = 0
        while at < len(pipe):
            length, number, _ = struct.unpack_from("<IHH", pipe, at)
            if number == stagekit.FRAME["RECORD"]:
                rows += 1
                self.assertEqual(struct.unpack_from("<I", pipe, at + 9)[0], rows)
            at += 8 + length
        self.assertEqual(rows, count)
        self.assertEqual(number, stagekit.FRAME["RECORD_TRAILER"])


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("7z") is None or shutil.which("zip") is None:
        print("skipped: needs root (the stage becomes nobody), 7z and zip")
        sys.exit(77)
    stagekit.main()
