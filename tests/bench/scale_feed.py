# SPDX-License-Identifier: GPL-3.0-or-later
"""A feed for the largest district, made a row at a time, to fit the patrons that the stand-in derives (--generate).

The stand-in's formulas are in tests/sandbox/README.md, its lists of names in tests/sandbox/generate.c, from where they are read.
Nothing is written but the zip: 7z is fed through a pipe."""
import collections
import datetime
import os
import re
import subprocess

from rig import ROOT

FIRST_ID = 1000001
FIRST_BARCODE = 21234000000000
STAFF_SHARE = 0.1
STUDENTS, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"
# Of a thousand rows of the student feed so many are something else than a patron's; the rest are renewed.
KINDS = (("created", "", 50), ("skipped", "opted-out", 30), ("skipped", "inactive", 20), ("held", "identity-mismatch", 5),
         ("rejected", "birth-date", 5))


def names():
    with open(os.path.join(ROOT, "tests/sandbox/generate.c"), encoding="utf-8") as file:
        source = file.read()
    return [re.findall(r'"([A-Z]+)"', re.search(name + r"\[\] = \{(.*?)\}", source, re.S)[1])
            for name in ("surnames", "first_names")]


class Feed:
    """expected: bytes of what must become of each row, an index into KINDS or len(KINDS) for renewed; by feed."""

    def __init__(self, rows, patrons):
        self.surnames, self.first_names = names()
        self.patrons = patrons
        self.staff_rows = int(rows * STAFF_SHARE)
        self.student_rows = rows - self.staff_rows
        self.kinds = [kind for kind, (_, _, share) in enumerate(KINDS) for _ in range(share)]
        self.expected = {"student": bytearray(), "staff": bytearray()}

    def kind_of(self, row):
        # 7919 is prime to 1000: every kind comes evenly among the others
        place = row * 7919 % 1000
        return self.kinds[place] if place < len(self.kinds) else len(KINDS)

    def person(self, i):
        """Name and birth date of the stand-in's patron i."""
        n = len(self.surnames)
        return (self.surnames[i % n], self.first_names[i // n % len(self.first_names)],
                datetime.date(2005, 1, 1) + datetime.timedelta(days=i % 5000))

    def patron_of(self, row):
        """Which patron a row is: spread over all of them, no two alike, no order."""
        return row * 3 % self.patrons if self.patrons % 3 else row * 7 % self.patrons

    def students(self):
        dates = {}
        for row in range(1, self.student_rows + 1):
            kind = self.kind_of(row)
            self.expected["student"].append(kind)
            i = self.patron_of(row)
            last, first, birth = self.person(i)
            outcome, reason, _ = KINDS[kind] if kind < len(KINDS) else ("renewed", "", 0)
            # a key that no patron has, below all of theirs
            key = FIRST_BARCODE + i if outcome != "created" else FIRST_BARCODE - 5 * row
            if reason == "identity-mismatch":
                last, first, birth = "STRANGER", "NOBODY", birth - datetime.timedelta(days=1)
            born = dates.setdefault(birth, birth.strftime("%m/%d/%Y"))
            if reason == "birth-date":
                born = "13/45/2011"
            yield (f"{int(reason == 'opted-out')},{key},{first.capitalize()},{last.capitalize()},{born},3{row % 20:02},"
                   f"{row % 13:02},{row % 900 + 1} Tannery Walk,Chapel Hill,NC,27514,{first.lower()}.{row}@students.example.org,"
                   f"919-555-01{row % 100:02},parent{row}@home.invalid,{2 if reason == 'inactive' else 0}\n")

    def staff(self):
        """All of them are renewed: theirs are patrons that no student row is."""
        for row in range(1, self.staff_rows + 1):
            self.expected["staff"].append(len(KINDS))
            i = self.patron_of(self.student_rows + row)
            last, first, _ = self.person(i)
            yield (f"Active,{FIRST_BARCODE + i},{first.capitalize()},{last.capitalize()},{row % 900 + 1} Foundry Row,Durham,NC,27701,"
                   f"919-555-01{row % 100:02},,{first.lower()}{row}@staff.example.org,Teacher,312,Quill School\n")

    def pack(self, path, password):
        """Writes the zip. Returns the bytes of the feeds, unpacked."""
        size = 0
        for name, lines in ((STUDENTS, self.students()), (STAFF, self.staff())):
            with subprocess.Popen(["7z", "a", "-tzip", "-mem=AES256", "-mx=1", "-bso0", "-bsp0", "-p" + password, "-si" + name,
                                   path], stdin=subprocess.PIPE) as packer:
                for line in lines:
                    size += len(line)
                    packer.stdin.write(line.encode())
            if packer.returncode != 0:
                raise RuntimeError("7z does not pack the feed")
        return size

    def counts(self):
        """{feed: {outcome: rows}}, and {feed: {reason: rows}}"""
        outcomes, reasons = {}, {}
        for feed, expected in self.expected.items():
            outcomes[feed], reasons[feed] = collections.Counter(), collections.Counter()
            for kind, n in collections.Counter(expected).items():
                outcome, reason, _ = KINDS[kind] if kind < len(KINDS) else ("renewed", "", 0)
                outcomes[feed][outcome] += n
                if reason:
                    reasons[feed][reason] += n
        return outcomes, reasons

    def wanted(self, feed, row):
        kind = self.expected[feed][row - 1]
        return KINDS[kind][:2] if kind < len(KINDS) else ("renewed", "")
