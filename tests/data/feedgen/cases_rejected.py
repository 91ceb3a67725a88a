# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that are wrong in themselves. Half have a patron that a lenient reading would renew, the others would be created."""

import datetime

from .registry import case


@case("shape-zip", "student", "rejected", rate=0.0005, variants=8)
def shape_zip(w, kind, v):
    """No ZIP stands at index 10 or 11."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.rejected(p.put(zip=("", "2751", "275144", "27514-12", "27514 1234", "ABCDE", "27514-", "2751O")[v]), "shape")


@case("shape-columns", "student", "rejected", variants=6)
def shape_columns(w, kind, v):
    """A column too many before the ZIP, one lost, a row cut off, and none of the columns between ZIP and status."""
    p = w.person(kind)
    w.perhaps_patron(p)
    # The opt-out column must hold a clear no: what is asked here is the shape.
    p.put(opt="0", dcid=None)
    cells = p.cells()
    at = len(cells) - len(p.guardians) - 4
    cells = (cells[:7] + ["Building B", "Apt 3"] + cells[7:], cells[:5] + cells[6:], cells[:6], cells[:11],
             cells[:at + 1] + cells[-1:], cells[:8] + ["", ""] + cells[8:])[v]
    w.rejected(p, "shape", cells=cells)


@case("shape-no-guardian", "student", "rejected", variants=4)
def shape_no_guardian(w, kind, v):
    """Between ZIP and status stand an e-mail and a phone, but no guardian column."""
    p = w.person(kind)
    w.perhaps_patron(p)
    p.put(guardians=[], dcid=(None, "123456", "", None)[v], phone="919-555-0199")
    if v == 3:
        p.put(streets=[p.street, "Apt 1"])
    w.rejected(p, "shape")


@case("shape-empty-cells", "student", "rejected", comma_only=True)
def shape_empty_cells(w, kind, v):
    """Nothing but commas is a row, and a wrong one: only a line without anything is none."""
    p = w.person(kind)
    w.rejected(p, "shape", cells=[""] * (15 + int(w.rnd() * 2)))


@case("shape", "staff", "rejected", variants=4)
def shape_staff(w, kind, v):
    """Staff rows have exactly 14 columns."""
    p = w.person(kind)
    w.perhaps_patron(p)
    cells = p.cells()
    w.rejected(p, "shape", cells=(cells[:13], cells + [""], cells[:4] + ["Floor 2"] + cells[4:], cells[:3])[v])


STATUS = ("12", "", "A", "Active", "0.0", "10", "00", "1 0", "0-", "--1", "\u0660", "O")


@case("status", "student", "rejected", rate=0.0005, variants=len(STATUS))
def status(w, kind, v):
    """Neither processed nor a single digit."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.rejected(p.put(status=STATUS[v], dcid=None), "status")


@case("status-dcid", "student", "rejected", variants=5)
def status_dcid(w, kind, v):
    """The same before a STUDENTSDCID: where the last two are not both integers the last field is the status, and no good one."""
    p = w.person(kind)
    w.perhaps_patron(p)
    text, dcid = (("12", "123456"), ("A", "123456"), ("", "123456"), ("10", ""), ("-12", "123456"))[v]
    w.rejected(p.put(status=text, dcid=dcid), "status")


def wrong_keys(key):
    foreign = "".join(chr(0x660 + int(c)) for c in key)
    return ("", key + ".0", key[:3] + "A" + key[4:], key[:3] + "$" + key[3:], "$" + key, key + "$", key[:3] + "#" + key[3:],
            key[:3] + "/" + key[3:], "#", "-", foreign, key + "E5", "+" + key, key[:3] + "," + key[3:], key + ";" + key,
            "'" + key, key + "\u00e9", "N/A")


@case("key", "student staff", "rejected", rate=0.0005, variants=18)
def wrong_key(w, kind, v):
    """What is left after blanks, hyphens and a leading # is not all digits: 1234567.0 must not become another's."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.rejected(p.put(key=wrong_keys(p.key)[v]), "key")


@case("key-short", "staff", "rejected", variants=3)
def key_short(w, kind, v):
    """Fewer than four digits give no PIN."""
    p = w.person(kind).put(key=str(100 + int(w.rnd() * 900))[:3 - v])
    w.rejected(p, "key")


@case("name", "student staff", "rejected", variants=5)
def no_name(w, kind, v):
    """Both names missing, or nothing but blanks and $."""
    p = w.person(kind)
    w.perhaps_patron(p)
    first, last = (("", ""), (" ", "\u00a0"), ("\u2003", ""), ("", "\n"), ("$", "$ $"))[v]
    w.rejected(p.put(first=first, last=last), "name")


def wrong_dates(w):
    later = w.today + datetime.timedelta(days=1 + int(w.rnd() * 20000))
    tomorrow = w.today + datetime.timedelta(days=1)
    return ("02/30/2012", "13/01/2012", "02/29/2011", "02/29/1900", "12/31/1899", tomorrow.strftime("%m/%d/%Y"),
            later.strftime("%m/%d/%Y"), "", "2012-05-03", "05/03/12", "0/5/2012", "05/00/2012", "04/31/2012", "unknown",
            "05-03-2012", "5/3", "05/03/20122", "20120503", "05/03/2012 00:00", "-5/03/2012", "05/3x/2012")


@case("birth-date", "student", "rejected", rate=0.001, variants=21)
def birth_date(w, kind, v):
    """No real date from 1900 to today in the form of the feed."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.rejected(p.put(dob=wrong_dates(w)[v]), "birth-date")


@case("order", "student", "rejected", variants=6)
def order(w, kind, v):
    """Several things wrong: the first test that applies says why."""
    p = w.person(kind)
    w.perhaps_patron(p)
    wrong = {"zip": "no", "status": "12", "key": "K-" + p.key, "first": "", "last": "", "dob": "02/30/2012"}
    names = ("zip", "status", "key", "first", "last", "dob")
    start, reason = ((0, "shape"), (1, "status"), (2, "key"), (3, "name"), (0, "shape"), (1, "status"))[v]
    names = names[start:] if v < 4 else (names[start], names[-1])
    p.put(dcid=None, **{n: wrong[n] for n in names})
    w.rejected(p, reason)


@case("order-inactive", "student", "inactive", variants=4)
def order_inactive(w, kind, v):
    """Inactive is told by the status, before key, name and birth date are looked at."""
    p = w.person(kind)
    p.put(**({"key": p.key + "X"}, {"first": "", "last": ""}, {"dob": ""}, {"key": "", "first": "", "last": "", "dob": "x"})[v])
    w.inactive(p, ("2", "3", "4", "-1")[v])


@case("order-inactive-shape", "student", "rejected")
def order_inactive_shape(w, kind, v):
    """The shape comes before the status."""
    w.rejected(w.person(kind).put(zip="", status="2"), "shape")


@case("order", "staff", "rejected", variants=3)
def order_staff(w, kind, v):
    """Shape before key before name."""
    p = w.person(kind)
    if v == 0:
        p.put(key=p.key + "X", first="", last="")
        w.rejected(p, "shape", cells=p.cells()[:12])
    else:
        w.rejected(p.put(key=("", "7.0")[v - 1], first="", last=""), "key")


@case("header-words", "student", "rejected")
def column_name_row(w, kind, v):
    """Column names between the rows are a row, and a wrong one: only the first row is a header."""
    p = w.person(kind).put(opt="", key="Student_Number", first="First_Name", last="Last_Name", dob="DOB")
    w.rejected(p, "key")
