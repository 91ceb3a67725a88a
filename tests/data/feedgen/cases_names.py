# SPDX-License-Identifier: GPL-3.0-or-later
"""The confirmation of a match by names: one table, an entry a rule, each with the verdict that the rule gives.

In the patterns 1 2 3 4 stand for four surnames and 7 8 9 for three first names, as they are on the row's side and in upper
case on the patron's. The columns: name of the entry, how the rest of the record stands, the row's last and first
name, the patron's names, and whether the two agree.
"""

import unicodedata

from .registry import case

# How the rest of the record stands, so that the names alone decide:
NO_DOB = "no-dob"        # student; the patron's birth date is missing: the surname must agree
OTHER_DOB = "other-dob"  # student; birth dates differ: surname and first name must agree within one name
STAFF = "staff"          # staff: the surname or the first name must agree

NAMES = (
    # Folding of case and accents, letters that Unicode does not take apart, and signs that do not count.
    ("upper", NO_DOB, "1", "7", ["1, 8"], True),
    ("row-lower", NO_DOB, "<1", "7", ["1, 8"], True),
    ("accent", NO_DOB, "1\u00e9", "7", ["1E, 8"], True),
    ("accent-patron", NO_DOB, "1e", "7", ["1\u00c9, 8"], True),
    ("accent-nfd-row", NO_DOB, "=1\u00e9", "7", ["1\u00c9, 8"], True),
    ("accent-nfd-patron", NO_DOB, "1\u00f1o", "7", ["=1\u00d1O, 8"], True),
    ("accent-nfd-both", NO_DOB, "=1\u00fc", "7", ["=1\u00dc, 8"], True),
    ("accents-many", NO_DOB, "1\u00e7\u00e3\u00ea\u00ed\u00f4\u00fb\u00e5", "7", ["1CAEIOUA, 8"], True),
    ("sharp-s", NO_DOB, "1\u00dfa", "7", ["1SSA, 8"], True),
    ("sharp-s-both", NO_DOB, "1\u00dfa", "7", ["1\u00dfa, 8"], True),
    ("o-stroke", NO_DOB, "\u00d81", "7", ["O1, 8"], True),
    ("l-stroke", NO_DOB, "1\u0142a", "7", ["1LA, 8"], True),
    ("d-stroke", NO_DOB, "\u01101", "7", ["D1, 8"], True),
    ("ae", NO_DOB, "\u00c61", "7", ["AE1, 8"], True),
    ("no-folding-differs", NO_DOB, "\u00de1", "7", ["TH1, 8"], False),
    ("no-folding-same", NO_DOB, "\u03a91", "7", ["\u03a91, 8"], True),
    ("no-folding-case", NO_DOB, "\u04361", "7", ["\u04161, 8"], True),
    ("apostrophe", NO_DOB, "O'1", "7", ["O1, 8"], True),
    ("apostrophe-curly", NO_DOB, "O\u20191", "7", ["O'1, 8"], True),
    ("full-stop", NO_DOB, "St. 1", "7", ["ST 1, 8"], True),
    ("blank-inside", NO_DOB, "Mac 1", "7", ["MAC1, 8"], True),
    # Suffixes are left out, wherever they stand.
    ("suffix-row", NO_DOB, "1 Jr", "7", ["1, 8"], True),
    ("suffix-row-dot", NO_DOB, "1 Jr.", "7", ["1, 8"], True),
    ("suffix-patron", NO_DOB, "1", "7", ["1 III, 8"], True),
    ("suffix-both", NO_DOB, "1 II", "7", ["1 SR, 8"], True),
    ("suffix-alone-agrees", NO_DOB, "1 Jr", "7", ["2 JR, 8"], False),
    ("suffix-first", OTHER_DOB, "1", "7 IV", ["1, 7"], True),
    ("suffix-first-patron", OTHER_DOB, "1", "7", ["1, 7 JR"], True),
    # Double surnames: one part is enough, but particles are no part.
    ("double-hyphen", NO_DOB, "1-2", "7", ["2, 8"], True),
    ("double-blank", NO_DOB, "1 2", "7", ["1, 8"], True),
    ("double-patron", NO_DOB, "1", "7", ["2-1, 8"], True),
    ("double-shared", NO_DOB, "1-2", "7", ["2 3, 8"], True),
    ("double-joined", NO_DOB, "1-2", "7", ["12, 8"], True),
    ("double-none", NO_DOB, "1-2", "7", ["3-4, 8"], False),
    ("particles-only", NO_DOB, "de la 1", "7", ["DE LA 2, 8"], False),
    ("particle-van", NO_DOB, "Van 1", "7", ["VAN 2, 8"], False),
    ("particle-el", NO_DOB, "el 1", "7", ["EL 2, 8"], False),
    ("particle-st", NO_DOB, "St 1", "7", ["ST 2, 8"], False),
    ("particle-between", NO_DOB, "1 de 2", "7", ["2, 8"], True),
    ("part-of-a-part", NO_DOB, "1son", "7", ["1, 8"], False),
    # First names: whole, or by the first word.
    ("both-agree", OTHER_DOB, "1", "7", ["1, 7"], True),
    ("first-word-row", OTHER_DOB, "1", "7 8", ["1, 7"], True),
    ("first-word-patron", OTHER_DOB, "1", "7", ["1, 7 Q"], True),
    ("first-word-both", OTHER_DOB, "1", "7 8", ["1, 7 9"], True),
    ("first-second-word", OTHER_DOB, "1", "8", ["1, 7 8"], False),
    ("first-hyphen", OTHER_DOB, "1", "7-8", ["1, 7"], False),
    ("first-hyphen-whole", OTHER_DOB, "1", "7-8", ["1, 7 8"], True),
    ("first-one-letter", OTHER_DOB, "1", "X 7", ["1, X"], False),
    ("first-initial", OTHER_DOB, "1", "7", ["1, X"], False),
    ("first-accent", OTHER_DOB, "1", "7\u00e9", ["1, 7E"], True),
    ("surname-alone", OTHER_DOB, "1", "7", ["1, 8"], False),
    ("first-alone", OTHER_DOB, "1", "7", ["2, 7"], False),
    ("swapped", OTHER_DOB, "1", "7", ["7, 1"], False),
    # Several names of one patron: any will do, but both parts within one.
    ("second-name", OTHER_DOB, "1", "7", ["2, 7", "1, 7"], True),
    ("across-names", OTHER_DOB, "1", "7", ["1, 8", "2, 7"], False),
    ("second-surname", NO_DOB, "1", "7", ["2, 8", "1, 9"], True),
    # Without a comma the whole is the surname, and has no parts.
    ("no-comma", NO_DOB, "1", "7", ["1"], True),
    ("no-comma-with-first", NO_DOB, "1", "7", ["1 7"], False),
    ("no-comma-no-parts", NO_DOB, "1", "7", ["1 2"], False),
    ("no-comma-whole", NO_DOB, "1 2", "7", ["1 2"], True),
    ("no-comma-no-first", OTHER_DOB, "1", "7", ["1"], False),
    # Staff: either is enough.
    ("surname", STAFF, "1", "7", ["1, 8"], True),
    ("first", STAFF, "1", "7", ["2, 7"], True),
    ("first-word", STAFF, "1", "7 8", ["2, 7"], True),
    ("first-hyphen", STAFF, "1", "7-8", ["2, 7"], False),
    ("first-one-letter", STAFF, "1", "X 7", ["2, X 8"], False),
    ("double", STAFF, "1-2", "7", ["2, 8"], True),
    ("accent", STAFF, "1\u00f8", "7", ["1O, 8"], True),
    ("suffix", STAFF, "1 III", "7", ["1, 8"], True),
    ("particle", STAFF, "de la 1", "7", ["DE LA 2, 8"], False),
    ("swapped", STAFF, "1", "7", ["7, 1"], False),
    ("across", STAFF, "1", "7", ["2, 8", "3, 7"], True),
    ("neither", STAFF, "1", "7", ["2, 8", "3, 9"], False),
    ("no-comma", STAFF, "1", "7", ["2 7"], False),
    ("patron-bare", STAFF, "1", "7", None, True),
)


def fill(pattern, words, patron):
    """Puts words for the digits; a leading = asks for decomposed accents, < for lower case."""
    text = "".join((words[c].upper() if patron else words[c]) if c in words else c for c in pattern)
    if text.startswith("="):
        text = unicodedata.normalize("NFD", text[1:])
    if text.startswith("<"):
        text = text[1:].lower()
    return text


def register(entry):
    name, rest, last, first, names, agree = entry
    kind = "staff" if rest == STAFF else "student"

    def make(w, kind, v):
        p = w.person(kind)
        words = {"1": p.last, "7": p.first}
        for c, source in zip("23489", (w.words.last,) * 3 + (w.words.first,) * 2):
            words[c] = w.words.differing(source, *words.values())
        p.put(last=fill(last, words, False), first=fill(first, words, False))
        theirs = None if names is None else [fill(n, words, True) for n in names]
        dob = None if rest == NO_DOB else w.other_birth_date(p.dob).isoformat() if rest == OTHER_DOB else w.birth_date().isoformat()
        pid = w.patron(p, names=theirs, dob=dob)
        if agree:
            w.renewed(p, pid)
        else:
            w.held(p, "identity-mismatch", pid)

    make.__doc__ = "%s | %s against %s%s: %s." % (
        last, first, "; ".join(names or ["no name"]),
        {NO_DOB: ", no birth date", OTHER_DOB: ", birth dates differ", STAFF: ""}[rest], "matched" if agree else "held")
    case("name-" + name, kind, "renewed" if agree else "held")(make)


for _entry in NAMES:
    register(_entry)


@case("dob-agrees", "student", "renewed", variants=3)
def dob_agrees(w, kind, v):
    """The birth dates agree: matched, whatever the names."""
    p = w.person(kind)
    other = "%s, %s" % (w.words.differing(w.words.last, p.last).upper(), w.words.differing(w.words.first, p.first).upper())
    w.renewed(p, w.patron(p, names=([other], None, ["%s, %s" % (p.first.upper(), p.last.upper())])[v]))


@case("dob-unreadable", "student", "renewed", variants=4)
def dob_unreadable(w, kind, v):
    """The patron's birth date is no date, and the surname agrees."""
    p = w.person(kind)
    name = "%s, %s" % (p.last.upper(), w.words.differing(w.words.first, p.first).upper())
    w.renewed(p, w.patron(p, names=[name], dob=("0000-00-00", "2011-02-30", "unknown", "2010")[v]))


@case("dob-unreadable-stranger", "student", "held", variants=2)
def dob_unreadable_stranger(w, kind, v):
    """The patron's birth date is no date, and the surname does not agree."""
    p = w.person(kind)
    name = "%s, %s" % (w.words.differing(w.words.last, p.last).upper(), p.first.upper())
    w.held(p, "identity-mismatch", w.patron(p, names=[name], dob=("0000-00-00", "2011-02-30")[v]))


@case("one-name", "student", "renewed", variants=2)
def one_name(w, kind, v):
    """The row lacks one name; the birth dates agree."""
    p = w.person(kind)
    w.renewed(p.put(**{("first", "last")[v]: ""}), w.patron(p))


@case("one-name-other-dob", "student", "held", variants=2)
def one_name_other_dob(w, kind, v):
    """The row lacks one name, so both cannot agree, and the birth dates differ."""
    p = w.person(kind)
    pid = w.patron(p, dob=w.other_birth_date(p.dob).isoformat())
    w.held(p.put(**{("first", "last")[v]: ""}), "identity-mismatch", pid)


@case("one-name", "staff", "renewed", variants=2)
def one_name_staff(w, kind, v):
    """The row lacks one name; the other agrees."""
    p = w.person(kind)
    w.renewed(p.put(**{("first", "last")[v]: ""}), w.patron(p))


@case("cp1252-name", "student", "renewed", variants=2)
def cp1252_name(w, kind, v):
    """Bytes of Windows-1252 in a name, which is then compared like any other."""
    p = w.person(kind)
    raw, plain = (("\udce9", "E"), ("\udcf1o", "\u00d1O"))[v]
    name = "%s%s, %s" % (p.last.upper(), plain, w.words.differing(w.words.first, p.first).upper())
    w.renewed(p.put(last=p.last + raw), w.patron(p, names=[name], dob=None))
