#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes synthetic feeds as other systems than PowerSchool write them, the patrons to go with them, and what patrond must do
with each row: Infinite Campus (pipes, a header, ISO dates, one row a staff member and school) and OneRoster 1.1 and 1.2.

As in make_feeds.py every case states its own verdict; nothing here reads a profile or parses a row. The columns are written
down here once more, from the exports' own descriptions."""

import argparse
import csv
import datetime
import io
import json
import os
import shutil
import sys
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from feedgen import background, pack, write  # noqa: E402
from feedgen.world import World  # noqa: E402

STATUS = {"infinite-campus": {"active": "A", "inactive": "I", "unknown": "Z9"},
          "oneroster": {"active": "active", "inactive": "tobedeleted", "unknown": "perhaps"}}
DATE_FORMS = {"iso": "%Y-%m-%d", "us": "%m/%d/%Y"}


class Entry:
    """A row to be: a person, what its cells say, and its verdict. order keeps rows that belong together in their order."""

    def __init__(self, person, outcome, reason=None, patron=None, body=None, **cells):
        self.person, self.cells = person, cells
        self.expected = {"outcome": outcome, "reason": reason, "patron_id": patron}
        if body is not None:
            self.expected["patron"] = body
        self.order = 0.0


class Maker:
    """The cases. One instance of each, and ordinary rows up to the size asked for."""

    def __init__(self, world, profile):
        self.w, self.profile = world, profile
        self.entries = []

    # --- people, with what their profile has of them ---

    def student(self):
        s = self.w.person("student")
        if self.profile == "oneroster":
            s.guardians = []
        return s

    def staff(self):
        return self.w.person("staff")

    def body(self, person):
        """What a create must send: OneRoster has no address, Infinite Campus none of staff."""
        if self.profile == "oneroster" or person.kind == "staff":
            return person.body(addresses=None)
        return person.body()

    # --- rows ---

    def add(self, *entries, case=""):
        orders = sorted(self.w.rnd() for _ in entries)
        for entry, order in zip(entries, orders):
            entry.order = order
            entry.expected["case"] = case
            self.entries.append(entry)

    def ordinary(self, make):
        p = make()
        if self.w.rnd() < 0.05:
            self.add(Entry(p, "created", body=self.body(p)), case="created")
        elif self.w.rnd() < 0.5:
            pid = self.w.patron(p)
            self.add(Entry(p, "renewed", patron=pid, body={"expirationDate": self.w.target_text}), case="renewed")
        else:
            pid = self.w.patron(p, exp=self.w.still_good())
            self.add(Entry(p, "current", patron=pid), case="current")

    def both(self, make):
        """Cases that students and staff share."""
        w, status = self.w, STATUS[self.profile]
        p = make()
        self.add(Entry(p, "created", body=self.body(p)), case="created")
        p = make()
        pid = w.patron(p)
        self.add(Entry(p, "renewed", patron=pid, body={"expirationDate": w.target_text}), case="renewed")
        p = make()
        w.patron(p)
        self.add(Entry(p, "skipped", "inactive", status=status["inactive"]), case="inactive, and a patron")
        p = make()
        self.add(Entry(p, "rejected", "key", key="AB" + p.key), case="letters in the key")
        p = make()
        self.add(Entry(p, "rejected", "key", key=p.key + ".0"), case="a key of a spreadsheet")
        p = make()
        self.add(Entry(p, "rejected", "name", first="", last=" "), case="no name")
        p = make()
        self.add(Entry(p, "rejected", "shape", more_cells=1), case="a cell too many")
        p = make()
        self.add(Entry(p, "rejected", "shape", latin=True), case="not UTF-8")
        p = make()
        pid = w.patron(p)
        self.add(Entry(p, "renewed", patron=pid, body={"expirationDate": w.target_text}),
                 Entry(p, "skipped", "duplicate", school="399"), Entry(p, "skipped", "duplicate", school="398"),
                 case="one row a school")
        p, other = make(), make()
        self.add(Entry(p, "held", "conflict"), Entry(other, "held", "conflict", key=p.key), case="two people, one key")
        p, other = make(), make()
        pid = w.patron(other, barcodes=[p.key])
        self.add(Entry(p, "held", "identity-mismatch", patron=pid), case="another's number")

    def students_only(self):
        w, status = self.w, STATUS[self.profile]
        for value in ("Y", "TRUE", "1"):
            p = self.student()
            w.perhaps_patron(p)
            self.add(Entry(p, "skipped", "opted-out", opt_out=value), case="opted out")
        for value in ("?", "opt-in", "2", "nein"):
            p = self.student()
            w.perhaps_patron(p)
            self.add(Entry(p, "skipped", "opted-out", opt_out=value), case="an opt-out nobody declared")
        p = self.student()
        self.add(Entry(p, "skipped", "opted-out", opt_out="yes", key="not a key", dob_text="?"), case="opted out, and broken")
        p = self.student()
        w.perhaps_patron(p)
        self.add(Entry(p, "skipped", "opted-out"), Entry(p, "skipped", "opted-out", opt_out="Y"),
                 case="opted out on one row of two")
        p = self.student()
        self.add(Entry(p, "rejected", "status", status=status["unknown"]), case="a status nobody declared")
        for text in ("2012-02-30", "02/03/2012", "20120203", "", "2999-01-01", "1899-12-31"):
            p = self.student()
            w.perhaps_patron(p)
            self.add(Entry(p, "rejected", "birth-date", dob_text=text), case="a birth date that is none")

    def oneroster_only(self):
        for role in ("wizard", ""):
            p = self.student()
            self.w.perhaps_patron(p)
            self.add(Entry(p, "rejected", "shape", role=role), case="a role nobody declared")
        p = self.student()
        self.add(Entry(p, "rejected", "birth-date", no_demographics=True), case="no row in demographics")
        p = self.student()
        self.add(Entry(p, "rejected", "birth-date", second_dob=self.w.other_birth_date(p.dob)), case="two birth dates")

    def fill(self, make, size):
        while sum(e.person.kind == make().kind for e in self.entries) < size:
            self.ordinary(make)


# --- Infinite Campus ---

STUDENT_COLUMNS = ["student.personID", "student.studentNumber", "student.lastName", "student.firstName", "student.middleName",
                   "student.birthdate", "sch.number", "sch.name", "student.grade", "enrollment.active",
                   "mailingAddress.addressLine1", "mailingAddress.city", "mailingAddress.state", "mailingAddress.zip",
                   "student.homePhone", "contact.email", "guardianEmail", "guardianEmail", "student.publicLibraryOptOut"]
STAFF_COLUMNS = ["individual.personID", "individual.staffNumber", "individual.lastName", "individual.firstName", "title",
                 "sch.number", "sch.name", "employment.active", "contact.email", "contact.cellPhone", "contact.homePhone"]


def campus_cells(e, n, rnd):
    p, c = e.person, e.cells
    school = c.get("school", "3%02d" % int(rnd() * 20))
    if p.kind == "staff":
        return [str(900000 + n), c.get("key", p.key), c.get("last", p.last), c.get("first", p.first), "Teacher", school,
                "Invented School", c.get("status", "A"), p.email, p.mobile, p.home]
    guardians = (p.guardians + ["", ""])[:2]
    return [str(500000 + n), c.get("key", p.key), c.get("last", p.last), c.get("first", p.first), "Q",
            c.get("dob_text", p.dob.isoformat()), school, "Invented School", "%02d" % int(rnd() * 13), c.get("status", "A"),
            p.street, p.city, p.state, p.zip, p.phone, p.email, *guardians, c.get("opt_out", "N" if rnd() < 0.5 else "")]


def campus_line(e, cells):
    if e.cells.get("latin"):
        at = 3
        cells[at] = cells[at] + "\udce9"
    cells += ["x"] * e.cells.get("more_cells", 0)
    return "|".join(cells).encode("utf-8", "surrogateescape")


def write_campus(entries, opts, rnd, plain):
    names = {"student": "campus_students.csv", "staff": "campus_staff.csv"}
    for kind, columns in (("student", STUDENT_COLUMNS), ("staff", STAFF_COLUMNS)):
        columns = header_of(columns, kind, opts)
        lines = ["|".join(columns).encode()]
        for n, e in enumerate(e for e in entries if e.person.kind == kind):
            lines.append(campus_line(e, campus_cells(e, n, rnd)))
        with open(os.path.join(plain, names[kind]), "wb") as file:
            file.write(b"\r\n".join(lines) + b"\r\n")
    return sorted(names.values())


def header_of(columns, kind, opts):
    """The header, spoilt as asked for (of students, or of users)."""
    columns = list(columns)
    if kind != "student":
        return columns
    if opts.rename:
        old, _, new = opts.rename.partition("=")
        columns[columns.index(old)] = new
    if opts.insert:
        columns.insert(int(opts.insert.split("=")[0]) - 1, opts.insert.split("=")[1])
    return columns


# --- OneRoster ---

USERS_11 = ["sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds",
            "givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades",
            "password", "metadata.libraryOptOut", "metadata.homeroom"]
USERS_12 = ["sourcedId", "status", "dateLastModified", "enabledUser", "username", "userIds", "givenName", "familyName",
            "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades", "password",
            "userMasterIdentifier", "resourceSourcedIds", "preferredGivenName", "preferredMiddleName", "preferredFamilyName",
            "primaryOrgSourcedId", "pronouns", "metadata.libraryOptOut"]
DEMOGRAPHICS = ["sourcedId", "status", "dateLastModified", "birthDate", "sex", "publicSchoolResidenceStatus"]
ORGS = ["sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"]
ROLES = ["sourcedId", "status", "dateLastModified", "userSourcedId", "roleType", "role", "beginDate", "endDate",
         "orgSourcedId", "userProfileSourcedId"]
STAFF_ROLES = ("teacher", "administrator", "aide", "proctor")


def table(columns, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def roster_user(e, schools, district, rnd):
    p, c = e.person, e.cells
    school = schools[int(rnd() * len(schools))]
    role = "student" if p.kind == "student" else STAFF_ROLES[int(rnd() * len(STAFF_ROLES))]
    user = {"sourcedId": str(uuid.UUID(int=int(rnd() * 2**127))), "status": c.get("status", "" if rnd() < 0.5 else "active"),
            "enabledUser": "true", "orgSourcedIds": district + "," + school, "primaryOrgSourcedId": school,
            "role": c.get("role", role), "username": "u%d" % int(rnd() * 1e9), "givenName": c.get("first", p.first),
            "familyName": c.get("last", p.last), "middleName": "Q, R", "identifier": c.get("key", p.key), "email": p.email,
            "grades": "05", "metadata.homeroom": "12",
            "metadata.libraryOptOut": c.get("opt_out", "false" if rnd() < 0.5 else "")}
    if p.kind == "student":
        user.update(phone=p.phone)
    else:
        user.update(phone=p.mobile, sms=p.home)
    return user


def write_roster(entries, opts, rnd, plain):
    district = "org-district"
    schools = ["org-%d" % (300 + i) for i in range(8)]
    columns = header_of(USERS_11 if opts.version == "1.1" else USERS_12, "student", opts)
    users, demographics, roles = [], [], []
    for e in entries:
        user = roster_user(e, schools, district, rnd)
        users.append((e, user))
        roles.append({"userSourcedId": user["sourcedId"], "roleType": "primary", "role": user["role"], "orgSourcedId": district})
        if rnd() < 0.2:
            roles.append({"userSourcedId": user["sourcedId"], "roleType": "secondary", "role": "guardian"})
        if e.person.kind == "student" and not e.cells.get("no_demographics"):
            born = {"sourcedId": user["sourcedId"], "birthDate": e.cells.get("dob_text", e.person.dob.isoformat())}
            demographics.append(born)
            if "second_dob" in e.cells:
                demographics.append({**born, "birthDate": e.cells["second_dob"].isoformat()})
    # people of neither feed, between the others
    for i in range(len(entries) // 10):
        parent = {"sourcedId": "parent-%d" % i, "role": "parent", "givenName": "Mock", "familyName": "Parent",
                  "identifier": "77%05d" % i, "orgSourcedIds": district}
        users.insert(int(rnd() * len(users)), (None, parent))
        roles.append({"userSourcedId": parent["sourcedId"], "roleType": "primary", "role": "parent"})
    orgs = [{"sourcedId": district, "type": "district", "name": "Invented Schools", "identifier": "000"}]
    orgs += [{"sourcedId": s, "type": "school", "name": "Invented School", "identifier": s[4:]} for s in schools]
    out = [",".join(columns).encode() + b"\r\n"]
    for e, user in users:
        line = table(columns, [user]).split("\r\n", 1)[1].encode("utf-8").rstrip(b"\r\n")
        if e is not None and e.cells.get("latin"):
            line = line.replace(e.person.first.encode(), e.person.first.encode() + b"\xe9", 1)
        line += b",x" * (e.cells.get("more_cells", 0) if e is not None else 0)
        out.append(line + b"\r\n")
    files = {"users.csv": b"".join(out), "demographics.csv": table(DEMOGRAPHICS, demographics).encode(),
             "orgs.csv": table(ORGS, orgs).encode(), "manifest.csv": b"propertyName,value\r\noneroster.version,1.1\r\n"}
    if opts.version == "1.2":
        files["roles.csv"] = table(ROLES, roles).encode()
    for name in opts.leave_out.split(",") if opts.leave_out else ():
        del files[name]
    for name, data in files.items():
        with open(os.path.join(plain, name), "wb") as file:
            file.write(data)
    return sorted(files)


# --- all of it ---

def build(opts, w):
    m = Maker(w, opts.profile)
    m.both(m.student)
    m.both(m.staff)
    m.students_only()
    if opts.profile == "oneroster":
        m.oneroster_only()
    for make, size in ((m.student, opts.students), (m.staff, opts.staff)):
        kind = make().kind
        while sum(e.person.kind == kind for e in m.entries) < size:
            m.ordinary(make)
    m.entries.sort(key=lambda e: e.order)
    background.fill(w, opts.patrons)
    return m.entries


def save(opts, w, entries):
    plain = os.path.join(opts.out, "plain")
    shutil.rmtree(plain, ignore_errors=True)
    os.makedirs(plain)
    # Before any row is written: what a role makes of a row is said by its case, and nobody's role changes its feed.
    numbers = {"student": 0, "staff": 0}
    with open(os.path.join(opts.out, "expect.jsonl"), "w", encoding="utf-8") as file:
        for e in entries:
            numbers[e.person.kind] += 1
            file.write(json.dumps({"feed": e.person.kind, "row": numbers[e.person.kind], **e.expected}) + "\n")
    names = (write_campus if opts.profile == "infinite-campus" else write_roster)(entries, opts, w.rnd, plain)
    write.patrons(w, os.path.join(opts.out, "patrons.jsonl"))
    by_barcode = {}
    for _, text in w.patrons:
        patron = json.loads(text)
        for barcode in patron.get("barcodes", []) if not patron.get("deleted") else []:
            by_barcode.setdefault(barcode, []).append(patron["id"])
    opted_out = {by_barcode[key][0] for e in entries if e.expected["reason"] == "opted-out"
                 for key in [e.cells.get("key", e.person.key)] if len(by_barcode.get(key, [])) == 1}
    counts = {"expiration": w.target_text, "rows": numbers, "opted_out_patrons": sorted(opted_out)}
    with open(os.path.join(opts.out, "expect_counts.json"), "w", encoding="utf-8") as file:
        json.dump(counts, file, indent=1)
    with open(os.path.join(opts.out, "zip-password"), "w", encoding="utf-8") as file:
        file.write(pack.PASSWORD + "\n")
    pack.pack(opts.tool, os.path.join(os.path.abspath(opts.out), "feed.zip"), plain, names, pack.PASSWORD)
    shutil.rmtree(plain)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, metavar="DIR")
    p.add_argument("--profile", required=True, choices=("infinite-campus", "oneroster"))
    p.add_argument("--version", choices=("1.1", "1.2"), default="1.1", help="of OneRoster")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--students", type=int, default=600)
    p.add_argument("--staff", type=int, default=300)
    p.add_argument("--patrons", type=int, default=2000)
    p.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date.today(), metavar="YYYY-MM-DD")
    p.add_argument("--tool", choices=("7z", "zip", "zip-plain"), default="7z")
    p.add_argument("--rename", metavar="OLD=NEW", help="a column of the student feed, or of users.csv, has another name")
    p.add_argument("--insert", metavar="POSITION=NAME", help="a column more in that header")
    p.add_argument("--leave-out", metavar="FILE,…", help="files of OneRoster that are not in the zip")
    opts = p.parse_args()
    os.makedirs(opts.out, exist_ok=True)
    w = World(seed=opts.seed, today=opts.today)
    save(opts, w, build(opts, w))


if __name__ == "__main__":
    main()
