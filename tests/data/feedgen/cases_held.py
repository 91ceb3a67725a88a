# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows held for a person because of the index: ambiguous, tainted, equal but for leading zeros."""

from .registry import case


@case("ambiguous", "student staff", "held", variants=4)
def ambiguous(w, kind, v):
    """The key is a clean barcode of two or more patrons, the row's own person among them or not."""
    p = w.person(kind)
    report = [(p.key, "ambiguous")]
    w.patron(p, report=report)
    if v == 0:
        w.patron(w.person(kind), barcodes=[p.key], report=report)
    elif v == 1:
        w.patron(p, exp=None, report=report)
    elif v == 2:
        w.patron(w.person(kind), barcodes=[w.card(), p.key], report=report)
    else:
        w.patron(w.person(kind), barcodes=[" %s" % p.key], report=report)
        w.patron(p, dob=None, report=report)
    w.held(p, "ambiguous")


@case("ambiguous-and-tainted", "student", "held")
def ambiguous_and_tainted(w, kind, v):
    """Ambiguous comes before tainted."""
    p = w.person(kind)
    field = p.key + " / PREV ID"
    for barcodes, report in (([p.key], (p.key, "ambiguous")), ([p.key], (p.key, "ambiguous")), ([field], (field, "note"))):
        w.patron(p, barcodes=barcodes, report=[report])
    w.held(p, "ambiguous")


def parted(key, mark):
    """The key in parts of at most three digits, which are no keys of any row."""
    return mark.join(key[i:i + 3] for i in range(0, len(key), 3))


def malformed(w, key):
    """Malformed fields that hold the key, each with its class on the report."""
    other = w.card()
    return ((key + ";" + other, "several"), (other + ";" + key, "several"), (other + " " + key, "several"),
            (key + "; " + other, "several"), (parted(key, " "), "several"),
            (key + " / PREV ID", "note"), (key + " lost", "note"), (key + " (old card)", "note"),
            (parted(key, "-"), "punctuation"), (key + ";", "punctuation"), ("#" + key, "punctuation"), (key + ".", "punctuation"),
            ("P" + key, "letters"), (key + "X", "letters"), ("ID: " + key, "letters"), ("see " + key, "letters"),
            (key + "n/a", "letters"), ("\u2713" + key, "other"))


@case("tainted", "student staff", "held", rate=0.0015, variants=18)
def tainted(w, kind, v):
    """The key stands in a malformed field only: such a patron exists, and must not be created again."""
    p = w.person(kind)
    field = malformed(w, p.key)[v]
    w.held(p, "needs-cleanup", w.patron(p, barcodes=[field[0]], report=[field]))


@case("tainted-second-field", "student", "held")
def tainted_second_field(w, kind, v):
    """The malformed field stands beside a clean one."""
    p = w.person(kind)
    field = p.key + " / PREV ID"
    w.held(p, "needs-cleanup", w.patron(p, barcodes=[w.card(), field], report=[(field, "note")]))


@case("tainted-twice", "student", "held")
def tainted_twice(w, kind, v):
    """Tainted on two patrons: held, and no one patron to name."""
    p, q = w.person(kind), w.person(kind)
    one, two = p.key + " / PREV ID", p.key + ";" + w.card()
    w.patron(p, barcodes=[one], report=[(one, "note")])
    w.patron(q, barcodes=[two], report=[(two, "several")])
    w.held(p, "needs-cleanup")


@case("zeros", "student staff", "held", variants=4)
def zeros(w, kind, v):
    """The key equals an indexed barcode but for leading zeros, on either side, clean or tainted."""
    p = w.person(kind)
    bare = p.key
    if v == 0:
        pid = w.patron(p)
        p.key = "0" + bare
    elif v == 1:
        pid = w.patron(p, barcodes=["000" + bare])
    elif v == 2:
        pid = w.patron(p, barcodes=["0" + bare])
        p.key = "00" + bare
    else:
        field = bare + " / PREV ID"
        pid = w.patron(p, barcodes=[field], report=[(field, "note")])
        p.key = "0" + bare
    w.held(p, "needs-cleanup", pid)


@case("zeros-twice", "student", "held")
def zeros_twice(w, kind, v):
    """Equal but for leading zeros to barcodes of two patrons."""
    p, q = w.person(kind), w.person(kind)
    w.patron(p, barcodes=["0" + p.key])
    w.patron(q, barcodes=["00" + p.key])
    w.held(p, "needs-cleanup")


@case("mismatch", "student", "held", variants=5)
def mismatch(w, kind, v):
    """The key meets another person: a card or a web registration shares the number."""
    p = w.person(kind)
    words = w.words
    other_last = words.differing(words.last, p.last).upper()
    other_first = words.differing(words.first, p.first).upper()
    last, first = p.last.upper(), p.first.upper()
    names, dob = (
        (["%s, %s" % (other_last, other_first)], w.other_birth_date(p.dob).isoformat()),
        (["%s, %s" % (last, other_first)], w.other_birth_date(p.dob).isoformat()),
        (["%s, %s" % (other_last, first)], w.other_birth_date(p.dob).isoformat()),
        (["%s, %s" % (other_last, first)], None),
        (None, w.other_birth_date(p.dob).isoformat()),
    )[v]
    w.held(p, "identity-mismatch", w.patron(p, names=names, dob=dob))


@case("mismatch", "staff", "held", variants=2)
def mismatch_staff(w, kind, v):
    """Neither surname nor first name agrees; a birth date is no help, since the feed has none."""
    p = w.person(kind)
    words = w.words
    name = "%s, %s" % (words.differing(words.last, p.last).upper(), words.differing(words.first, p.first).upper())
    w.held(p, "identity-mismatch", w.patron(p, names=[name], dob=None if v else "1980-01-01"))


@case("mismatch-current", "student staff", "held")
def mismatch_current(w, kind, v):
    """Held also where nothing would have to be done."""
    p = w.person(kind)
    words = w.words
    name = "%s, %s" % (words.differing(words.last, p.last).upper(), words.differing(words.first, p.first).upper())
    dob = w.other_birth_date(p.dob).isoformat() if kind == "student" else None
    w.held(p, "identity-mismatch", w.patron(p, names=[name], dob=dob, exp=w.still_good()))
