# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile and broken feeds of the other shipped profiles, as in hostile_feeds.py: the configuration, how it is made, the verdict."""
from hostile_zip import Entry, archive, deflated

CAMPUS = "[feed student]\nprofile = infinite-campus\n[feed staff]\nprofile = infinite-campus\n"
ROSTER = "[feed student]\nprofile = oneroster\nopt_out = none\n[feed staff]\nprofile = oneroster\n"
NAMES = ["publicLibraryOptOut", "studentNumber", "firstName", "lastName", "birthdate", "schoolNumber", "grade", "addressLine1", "city", "state",
         "zip", "studentEmail", "guardianEmail", "homePhone", "enrollmentStatus"]
PUPIL = ["N", "1234567", "Ada", "Lovelace", "2010-12-10", "304", "05", "1 Main St", "Chapel Hill", "NC", "27514", "ada@x.org", "mum@x.org",
         "919-555-0100", "A"]
TAKEN, NOBODY = {"": 1}, {"opted-out": 1}


def pupil(**changes):
    return "|".join(changes.get(name, value) for name, value in zip(NAMES, PUPIL)) + "\n"


def campus(rows, names=None, name="IC_students.csv"):
    return archive(Entry(name, "|".join(names or NAMES) + "\n" + rows))


def value(name, text):
    return campus(pupil(**{name: text}))


def renamed(**changes):
    return campus(pupil(), [changes.get(name, name) for name in NAMES])


def without(name):
    at = NAMES.index(name)
    return campus("|".join(PUPIL[:at] + PUPIL[at + 1:]) + "\n", NAMES[:at] + NAMES[at + 1:])


CAMPUS_FEEDS = {
    "campus: as it is": (lambda: campus(pupil()), TAKEN),
    "campus: columns in another order": (lambda: campus("|".join(reversed(PUPIL)) + "\n", list(reversed(NAMES))), TAKEN),
    "campus: columns by their other names": (lambda: renamed(studentNumber="Student Number", birthdate="student.birthdate"), TAKEN),
    "campus: the opt-out column left out": (lambda: without("publicLibraryOptOut"), "column-missing"),
    "campus: the key's column left out": (lambda: without("studentNumber"), "column-missing"),
    "campus: the birth date's column left out": (lambda: without("birthdate"), "column-missing"),
    "campus: an optional column left out": (lambda: without("homePhone"), TAKEN),
    "campus: a column that nobody knows": (lambda: renamed(grade="shoeSize"), "header"),
    "campus: a column twice, another not at all": (lambda: renamed(lastName="firstName"), "column-missing"),
    "campus: a column under two of its names": (lambda: renamed(grade="Student Number"), "header"),
    "campus: no header": (lambda: archive(Entry("IC_students.csv", pupil() * 2)), "column-missing"),
    "campus: commas for pipes": (lambda: archive(Entry("IC_students.csv", ",".join(NAMES) + "\n" + ",".join(PUPIL) + "\n")), "column-missing"),
    "campus: a cell more": (lambda: campus(pupil().rstrip("\n") + "|x\n"), {"shape": 1}),
    "campus: a cell fewer": (lambda: campus("|".join(PUPIL[:-1]) + "\n"), {"shape": 1}),
    "campus: a quote at the beginning of a name, which is a letter here": (lambda: value("lastName", '"Lovelace'), TAKEN),
    "campus: a pipe in a street": (lambda: value("addressLine1", "1 Main St|rear"), {"shape": 1}),
    "campus: Windows-1252 where UTF-8 is promised": (
        lambda: archive(Entry("IC_students.csv", ("|".join(NAMES) + "\n").encode() + pupil(lastName="@").encode().replace(b"@", b"Ren\xe9e"))), {"shape": 1}),
    "campus: UTF-16": (lambda: archive(Entry("IC_students.csv", ("|".join(NAMES) + "\n" + pupil()).encode("utf-16"))), "nul-byte"),
    "campus: lines of an old Mac": (lambda: archive(Entry("IC_students.csv", ("|".join(NAMES) + "\n" + pupil() * 2).replace("\n", "\r"))), "line-end"),
    "campus: opted out": (lambda: value("publicLibraryOptOut", "Y"), NOBODY),
    "campus: an opt-out of a word that is neither": (lambda: value("publicLibraryOptOut", "Q"), NOBODY),
    "campus: an opt-out left empty": (lambda: value("publicLibraryOptOut", ""), TAKEN),
    "campus: the flag turned round": (lambda: campus("".join(pupil(publicLibraryOptOut="Y", studentNumber=str(n)) for n in range(1, 6))),
                                      {"opted-out": 5}),
    "campus: born as the other system writes it": (lambda: value("birthdate", "12/10/2010"), {"birth-date": 1}),
    "campus: born with a time": (lambda: value("birthdate", "2010-12-10 00:00:00"), {"birth-date": 1}),
    "campus: born on February 30": (lambda: value("birthdate", "2010-02-30"), {"birth-date": 1}),
    "campus: a status of no kind": (lambda: value("enrollmentStatus", "X"), {"status": 1}),
    "campus: inactive": (lambda: value("enrollmentStatus", "I"), {"inactive": 1}),
    "campus: a key of a spreadsheet": (lambda: value("studentNumber", "1234567.0"), {"key": 1}),
    "campus: both files under the student's name": (lambda: archive(Entry("a_students.csv", "x"), Entry("b_students.csv", "x")), "two-of-a-kind"),
    "campus: a header alone": (lambda: campus(""), "feed-empty"),
}

USERS = "sourcedId,status,orgSourcedIds,role,identifier,givenName,familyName,email\n"
ADA = "u1,active,s1,student,1234567,Ada,Lovelace,ada@x.org\n"
GRACE = "u2,active,s1,teacher,2000000001,Grace,Hopper,grace@x.org\n"
PEOPLE = "sourcedId,status,birthDate,sex\nu1,active,2010-12-10,female\n"
ORGS = "sourcedId,name,type,identifier\ns1,School,school,304\n"


def roster(users=ADA + GRACE, people=PEOPLE, orgs=ORGS, header=USERS, more=()):
    files = [("users.csv", header + users), ("demographics.csv", people), ("orgs.csv", orgs)]
    return archive(*(Entry(name, text) for name, text in files if text is not None), *more)


ROSTER_FEEDS = {
    "roster: as it is": (roster, {"": 2}),
    "roster: the demographics left out": (lambda: roster(people=None), "join-missing"),
    "roster: the orgs left out": (lambda: roster(orgs=None), "join-missing"),
    "roster: a pupil without demographics": (lambda: roster(people="sourcedId,birthDate\nu9,2010-12-10\n"), {"birth-date": 1, "": 1}),
    "roster: two birth dates of one pupil": (lambda: roster(people=PEOPLE + "u1,active,2011-12-10,female\n"), {"birth-date": 1, "": 1}),
    "roster: the same birth date twice": (lambda: roster(people=PEOPLE + "u1,active,2010-12-10,female\n"), {"": 2}),
    "roster: a parent beside them": (lambda: roster(ADA + GRACE + "u3,active,s1,parent,99,Mum,Lovelace,m@x.org\n"), {"": 2}),
    "roster: a role that nobody knows": (lambda: roster(ADA + GRACE + "u3,active,s1,wizard,99,Merlin,X,m@x.org\n"), {"": 2, "shape": 1}),
    "roster: a pupil's row with a cell more, and a parent's word where the role should be": (
        lambda: roster(ADA + GRACE + "u3,active,s1,parent,student,1234568,Bea,Lovelace,b@x.org\n"), {"": 2, "shape": 1}),
    "roster: a pupil's row with a cell fewer, and a parent's word where the role should be": (
        lambda: roster(ADA + GRACE + "u3,s1,student,parent,1234568,Bea,b@x.org\n"), {"": 2, "shape": 1}),
    "roster: a parent's row that is opted out, of a pupil's number": (
        lambda: roster("".join(row + end for row, end in ((ADA.rstrip(), ",\n"), (GRACE.rstrip(), ",\n"),
                                                          (ADA.rstrip().replace("student", "parent"), ",true\n"))),
                       header=USERS.rstrip() + ",metadata.libraryOptOut\n"), {"": 2, "opted-out": 1}),
    "roster: an opt-out under a name that nobody told, where the configuration says that there is none": (
        lambda: roster((ADA + GRACE).replace("\n", ",true\n"), header=USERS.rstrip() + ",metadata.Library_Opt-Out\n"), "header"),
    "roster: other metadata, where the configuration says that there is no opt-out": (
        lambda: roster((ADA + GRACE).replace("\n", ",true\n"), header=USERS.rstrip() + ",metadata.optionOutside\n"), {"": 2}),
    "roster: an opt-out in the demographics, where the configuration says that there is none": (
        lambda: roster(people="sourcedId,status,birthDate,sex,metadata.libraryOptOut\nu1,active,2010-12-10,female,true\n"), "header"),
    "roster: other metadata in the demographics": (
        lambda: roster(people="sourcedId,status,birthDate,sex,metadata.lunch\nu1,active,2010-12-10,female,true\n"), {"": 2}),
    "roster: another opt-out beside the library's": (
        lambda: roster((ADA + GRACE).replace("\n", ",true,no\n"), header=USERS.rstrip() + ",metadata.photoOptOut,metadata.libraryOptOut\n"), {"": 2}),
    "roster: parents alone": (lambda: roster("u3,active,s1,parent,99,Mum,Lovelace,m@x.org\n"), "feed-empty"),
    "roster: pupils alone": (lambda: roster(ADA), "feed-empty"),
    "roster: to be deleted": (lambda: roster(ADA.replace("active", "tobedeleted") + GRACE), {"inactive": 1, "": 1}),
    "roster: the key's column left out": (lambda: roster("u1,active,s1,student,Ada,L,a@x.org\n", header=USERS.replace("identifier,", "")), "column-missing"),
    "roster: a column that nobody knows": (lambda: roster(ADA.rstrip() + ",x\n" + GRACE.rstrip() + ",x\n", header=USERS.rstrip() + ",shoeSize\n"), "header"),
    "roster: the users twice": (lambda: roster(more=[Entry("old/users.csv", USERS + ADA)]), "two-of-a-kind"),
    "roster: the demographics twice": (lambda: roster(more=[Entry("old/demographics.csv", PEOPLE)]), "two-of-a-kind"),
    "roster: an open quote in the demographics": (lambda: roster(people=PEOPLE + 'u2,"active,2010-12-10\n'), "quote-open"),
    "roster: the demographics without their id": (lambda: roster(people="id,birthDate\nu1,2010-12-10\n"), "column-missing"),
    "roster: the demographics are damaged": (
        lambda: archive(Entry("users.csv", USERS + ADA + GRACE), Entry("demographics.csv", PEOPLE, packed=deflated(b"other")), Entry("orgs.csv", ORGS)),
        "zip-corrupt"),
    "roster: the demographics are not encrypted": (
        lambda: archive(Entry("users.csv", USERS + ADA + GRACE), Entry("demographics.csv", PEOPLE, raw=deflated(PEOPLE.encode()), flags=0),
                        Entry("orgs.csv", ORGS)), "zip-plain"),
    "roster: a bomb for demographics": (lambda: roster(people=PEOPLE + "u" * (8 << 20)), "zip-ratio"),
    "roster: semicolons for commas": (lambda: roster((ADA + GRACE).replace(",", ";"), header=USERS.replace(",", ";")), "column-missing"),
}

PROFILE_FEEDS = {**{name: (CAMPUS, *feed) for name, feed in CAMPUS_FEEDS.items()},
                 **{name: (ROSTER, *feed) for name, feed in ROSTER_FEEDS.items()},
                 "roster: nothing says that there is no opt-out": (ROSTER.replace("opt_out = none\n", ""), roster, "column-missing")}
