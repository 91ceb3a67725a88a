# SPDX-License-Identifier: GPL-3.0-or-later
"""Opted out: the first test of all, and the one that reaches other rows. Half of the patrons are there and due, so that
a row wrongly let through shows as a renewal, the others as a creation."""

from .people import Quoted
from .registry import case

SET = ("1", "true", "TRUE", "yes", "Yes", "y", "Y", "x", "X", " 1 ", "\u00a0x", Quoted("1"))
UNKNOWN = ("2", "opted out", "?", "-", "nein", "N/A", "00", "off", "null", "$", "0$", "$0", "\udcff", "\u2713", "-1", "0.0")
NOT_SET = ("", "0", "false", "FALSE", "False", "no", "No", "NO", "n", "N", " 0 ", "\u00a0", Quoted("no"), Quoted(""))


@case("optout", "student", "opted-out", rate=0.03, variants=len(SET))
def optout(w, kind, v):
    """The column is set, in each spelling."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.opted_out(p.put(opt=SET[v]))


@case("optout-unknown", "student", "opted-out", rate=0.0015, variants=len(UNKNOWN))
def optout_unknown(w, kind, v):
    """Anything that is not clearly a no counts as opted out, $ too."""
    p = w.person(kind)
    w.perhaps_patron(p)
    w.opted_out(p.put(opt=UNKNOWN[v]))


@case("optout-not", "student", "renewed", rate=0.0012, variants=len(NOT_SET))
def optout_not(w, kind, v):
    """Clearly not opted out, in each spelling."""
    p = w.person(kind)
    w.renewed(p.put(opt=NOT_SET[v]), w.patron(p))


@case("optout-wrong-row", "student", "opted-out", variants=7)
def optout_wrong_row(w, kind, v):
    """An opted-out row is never looked at further, whatever is wrong with it."""
    p = w.person(kind).put(opt="1")
    if v < 6:
        p.put(**({"zip": "ABC"}, {"status": "12"}, {"key": p.key + "X"}, {"first": "", "last": ""}, {"dob": "02/30/2012"},
                 {"status": "3"})[v])
    else:
        p.put(zip="", status="?", key="$", first="", last="", dob="")
    w.opted_out(p)


@case("optout-column-lost", "student", "opted-out", variants=2)
def optout_column_lost(w, kind, v):
    """A row without its first column, or a line of words: what stands in the opt-out's place is no clear no."""
    p = w.person(kind)
    w.opted_out(p, cells=["End of report"] if v else p.cells()[1:])


@case("optout-same-key", "student", "opted-out", variants=6)
def optout_same_key(w, kind, v):
    """Opted out on one row counts for every row of that key, earlier or later, spelled otherwise, another name."""
    p, q = w.person(kind), w.person(kind)
    key = p.key
    q.key = key
    if v < 4:
        q.first, q.last, q.dob = p.first, p.last, p.dob
    w.perhaps_patron(p)
    p.put(opt="1")
    if v == 2:
        p.put(key="#%s-%s" % (key[:3], key[3:]))
    if v == 3:
        q.put(key=" %s" % key, status="1")
    for row in ((q, p) if v % 2 else (p, q)):
        w.opted_out(row)


@case("optout-same-key-wrong-row", "student", "opted-out", variants=6)
def optout_same_key_wrong_row(w, kind, v):
    """It counts also from a row that is wrong in its shape, its status, its name or its birth date."""
    p, q = w.person(kind), w.person(kind)
    q.key = p.key
    q.first, q.last, q.dob = p.first, p.last, p.dob
    w.perhaps_patron(p)
    p.put(opt="y")
    cells = None
    if v == 0:
        cells = p.cells()[:6]
    elif v == 1:
        p.put(zip="275")
    elif v == 5:
        cells = p.cells()[:2]
    else:
        p.put(**({"status": "x"}, {"first": "", "last": ""}, {"dob": "13/13/2013"})[v - 2])
    w.opted_out(p, cells=cells)
    w.opted_out(q)


@case("optout-reaches-wrong-row", "student", "opted-out", variants=5)
def optout_reaches_wrong_row(w, kind, v):
    """It reaches a row that is itself wrong or inactive: opted-out is the first test."""
    p, q = w.person(kind), w.person(kind)
    q.key = p.key
    w.opted_out(p.put(opt="x"))
    q.put(**({"zip": "none"}, {"status": "A"}, {"status": "2"}, {"first": "", "last": ""}, {"dob": "1/1/1899"})[v])
    w.opted_out(q)


@case("optout-zeros", "student", "opted-out", variants=3)
def optout_zeros(w, kind, v):
    """Keys equal but for leading zeros: an opt-out on one counts for all."""
    p, q = w.person(kind), w.person(kind)
    bare = p.key
    q.first, q.last, q.dob = p.first, p.last, p.dob
    w.perhaps_patron(p)
    p.key, q.key = ((bare, "0" + bare), ("00" + bare, bare), ("0" + bare, "000" + bare))[v]
    w.opted_out(p.put(opt="1"))
    w.opted_out(q)


@case("optout-many", "student", "opted-out")
def optout_many(w, kind, v):
    """One opt-out, four other rows."""
    p = w.person(kind)
    bare = p.key
    for i in range(5):
        q = w.person(kind)
        q.key = "0" * (i // 2) + bare
        w.opted_out(q.put(opt="true") if i == 3 else q)


@case("optout-far", "both", "opted-out", variants=6)
def optout_far(w, kind, v):
    """Opted out in the student feed counts for the staff row of that key, and of one equal but for leading zeros."""
    p, q = w.person("student"), w.person("staff")
    q.key = p.key
    q.first, q.last = p.first, p.last
    w.perhaps_patron(p)
    p.put(opt="1")
    cells = None
    if v == 1:
        q.key = "00" + p.key
    elif v == 2:
        p.key = "0" + p.key
    elif v == 3:
        p.put(status="4")
    elif v == 4:
        cells = p.cells()[:4]
    elif v == 5:
        q.put(first="", last="")
    w.opted_out(p, cells=cells)
    w.opted_out(q)
