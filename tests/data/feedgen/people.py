# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of a feed: its clean values, the cells as the district writes them, and the patron that a create must send.

The clean values are chosen first. A case dirties cells with put() and states what must still come out; nothing
here reads a dirty cell back."""

from .words import CITIES, ZIPS

FEED_DCID = object()

STUDENT_HEADER = ["S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT", "Student_Number", "First_Name", "Last_Name", "DOB", "SchoolID",
                  "Grade_Level", "Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip",
                  "S_NC_STUDENTDEMO.EMAIL_ADDRESS", "Home_Phone", "Guardian_Email", "Enroll_Status"]
DCID_HEADER = "S_NC_STUDENTDEMO.STUDENTSDCID"
STAFF_HEADER = ["Employment Status", "UIDStaffID", "FirstName", "LastName", "Address1", "City", "State", "Zip", "Mobile Phone",
                "Home Phone", "Email", "PR Job Desc.", "PrimarySiteId", "Site Name"]


class Quoted(str):
    """A cell that is written in quotes although it needs none."""


class Person:
    """What the two kinds of rows have in common."""

    kind = None

    def __init__(self, world):
        words, rnd = world.words, world.rnd
        self.world = world
        self.first = words.first()
        self.last = words.last()
        self.street = words.street()
        self.city = CITIES[int(rnd() * len(CITIES))]
        self.state = "NC"
        self.zip = ZIPS[int(rnd() * len(ZIPS))]
        self.dirty = {}

    def put(self, **cells):
        """Writes these cells as given instead of from the clean values. Returns the row."""
        self.dirty.update(cells)
        return self

    def name(self):
        return "%s, %s" % (self.last.upper(), self.first.upper())

    def city_line(self):
        return "%s %s %s" % (self.city.upper(), self.state, self.zip)

    def address(self):
        return {"lines": [self.street.upper(), self.city_line()], "type": "a"}

    def body(self, **over):
        """The patron that a create must send; a value of None in over leaves that key out."""
        out = {"names": [self.name()], "barcodes": [self.key], "patronType": 15, "expirationDate": self.world.target_text,
               "birthDate": self.birth_iso(), "pin": self.pin(), "addresses": [self.address()]}
        phones = self.phones()
        if phones:
            out["phones"] = phones
        emails = self.emails()
        if emails:
            out["emails"] = [",".join(emails)]
        out.update(over)
        return {k: v for k, v in out.items() if v is not None}


class Student(Person):
    kind = "student"

    def __init__(self, world):
        super().__init__(world)
        words, rnd = world.words, world.rnd
        self.key = world.student_key()
        self.dob = world.birth_date()
        self.email = words.email("students.example.org") if rnd() < 0.9 else ""
        self.phone = words.phone() if rnd() < 0.95 else ""
        self.guardians = [words.email("home.invalid") if rnd() < 0.85 else ""]
        if rnd() < 0.15:
            self.guardians.append(words.email("home.invalid"))

    def dob_text(self):
        return "%02d/%02d/%04d" % (self.dob.month, self.dob.day, self.dob.year)

    def dob_short(self):
        return "%d/%d/%04d" % (self.dob.month, self.dob.day, self.dob.year)

    def birth_iso(self):
        return self.dob.isoformat()

    def pin(self):
        return "%02dx%02d" % (self.dob.month, self.dob.day)

    def phones(self):
        return [{"number": self.phone, "type": "t"}] if self.phone else []

    def emails(self):
        return [e for e in [self.email] + self.guardians if e]

    def cells(self):
        get, rnd = self.dirty.get, self.world.rnd
        dob = self.dob_text() if rnd() < 0.8 else self.dob_short()
        out = [get("opt", "" if rnd() < 0.7 else "0"), get("key", self.key), get("first", self.first), get("last", self.last),
               get("dob", dob), get("school", "3%02d" % int(rnd() * 20)), get("grade", str(int(rnd() * 13)))]
        out.extend(get("streets") or [get("street", self.street)])
        out += [get("city", self.city), get("state", self.state), get("zip", self.zip), get("email", self.email),
                get("phone", self.phone)]
        out.extend(get("guardians", self.guardians))
        out.append(get("status", "0" if rnd() < 0.97 else "1"))
        dcid = get("dcid", FEED_DCID)
        if dcid is FEED_DCID:
            dcid = str(10000 + int(rnd() * 989999)) if self.world.dcid else None
        if dcid is not None:
            out.append(dcid)
        return out


class Staff(Person):
    kind = "staff"

    def __init__(self, world):
        super().__init__(world)
        words, rnd = world.words, world.rnd
        self.key = world.staff_key()
        self.mobile = words.phone() if rnd() < 0.8 else ""
        self.home = words.phone() if rnd() < 0.4 else ""
        self.email = words.email("staff.example.org") if rnd() < 0.97 else ""

    def birth_iso(self):
        return "1980-01-01"

    def pin(self):
        tail = self.key[6:10] if len(self.key) >= 10 else self.key[-4:]
        return tail[:2] + "x" + tail[2:]

    def phones(self):
        out = [{"number": self.mobile, "type": "t"}] if self.mobile else []
        return out + ([{"number": self.home, "type": "p"}] if self.home else [])

    def emails(self):
        return [self.email] if self.email else []

    def cells(self):
        get, rnd = self.dirty.get, self.world.rnd
        return [get("status", "Active" if rnd() < 0.95 else "Leave"), get("key", self.key), get("first", self.first),
                get("last", self.last), get("street", self.street), get("city", self.city), get("state", self.state),
                get("zip", self.zip), get("mobile", self.mobile), get("home", self.home), get("email", self.email),
                get("job", "Teacher"), get("site", "3%02d" % int(rnd() * 20)), get("sitename", "Invented School")]
