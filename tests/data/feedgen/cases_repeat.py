# SPDX-License-Identifier: GPL-3.0-or-later
"""The same key more than once in a load: duplicates, conflicts, leading zeros, and the rows that take no part.

Duplicates and conflicts are told before the match, so they name no patron, also where there is one."""

import datetime

from .registry import case


def twin(w, p):
    """Another row of the same person under the same key, everything else its own."""
    q = w.person(p.kind)
    q.key, q.first, q.last = p.key, p.first, p.last
    if p.kind == "student":
        q.dob = p.dob
    return q


@case("duplicate", "student staff", "duplicate", rate=0.0004, variants=3)
def duplicate(w, kind, v):
    """Rows that agree count once, the first one; two or three of them."""
    p = w.person(kind)
    pid = w.patron(p)
    rows = [twin(w, p) for _ in range(1 + v // 2)]
    w.renewed(p, pid)
    for q in rows:
        w.duplicate(q)


@case("duplicate-current", "student", "duplicate")
def duplicate_current(w, kind, v):
    """The first has nothing to do."""
    p = w.person(kind)
    q = twin(w, p)
    w.current(p, w.patron(p, exp=w.still_good()))
    w.duplicate(q)


@case("duplicate-created", "student staff", "duplicate")
def duplicate_created(w, kind, v):
    """The first is created, with its own address; the second must not be."""
    p = w.person(kind)
    q = twin(w, p)
    w.created(p)
    w.duplicate(q)


@case("duplicate-spelled", "student", "duplicate", variants=6)
def duplicate_spelled(w, kind, v):
    """They agree in letters and digits alone, however key, name and birth date are spelled."""
    p = w.person(kind)
    q = twin(w, p)
    pid = w.patron(p)
    if v == 0:
        q.put(key="# %s-%s" % (p.key[:3], p.key[3:]))
    elif v == 1:
        q.put(first=q.first.upper(), last=q.last.lower())
    elif v == 2:
        p.put(last=p.last + "\u00e9")
        q.put(last=q.last + "e")
    elif v == 3:
        p.put(dob=p.dob_text())
        q.put(dob=q.dob_short())
    elif v == 4:
        p.put(first=p.first + " Ann", last="O'" + p.last)
        q.put(first=q.first + "-ann", last="O" + q.last)
    else:
        p.put(last=p.last + "\u00df")
        q.put(last=q.last + "SS")
    w.renewed(p, pid)
    w.duplicate(q)


@case("duplicate-held", "student", "held")
def duplicate_held(w, kind, v):
    """The first is held, the second is its duplicate all the same."""
    p = w.person(kind)
    q = twin(w, p)
    name = "%s, %s" % (w.words.differing(w.words.last, p.last).upper(), w.words.differing(w.words.first, p.first).upper())
    w.held(p, "identity-mismatch", w.patron(p, names=[name], dob=w.other_birth_date(p.dob).isoformat()))
    w.duplicate(q)


def conflicting(w, p, q, has_patron):
    if has_patron:
        w.patron(p)
    w.held(p, "conflict")
    w.held(q, "conflict")


@case("conflict-name", "student staff", "held", variants=4)
def conflict_name(w, kind, v):
    """Another surname or another first name under one key; with and without a patron."""
    p = w.person(kind)
    q = twin(w, p)
    if v % 2:
        q.last = w.words.differing(w.words.last, p.last)
    else:
        q.first = w.words.differing(w.words.first, p.first)
    conflicting(w, p, q, v < 2)


@case("conflict-birth-date", "student", "held", variants=3)
def conflict_birth_date(w, kind, v):
    """The birth dates disagree, and be it by a day."""
    p = w.person(kind)
    q = twin(w, p)
    q.dob = w.other_birth_date(p.dob) if v == 0 else p.dob + datetime.timedelta(days=1)
    conflicting(w, p, q, v < 2)


@case("conflict-left-out", "student staff", "held", variants=3)
def conflict_left_out(w, kind, v):
    """Nothing is left out here: a suffix, a second surname or a second first name makes two people."""
    p = w.person(kind)
    q = twin(w, p)
    if v == 0:
        q.put(last=q.last + " Jr")
    elif v == 1:
        q.put(last=q.last + "-" + w.words.last())
    else:
        q.put(first=q.first + " " + w.words.first())
    conflicting(w, p, q, w.rnd() < 0.5)


@case("conflict-one-name", "student", "held")
def conflict_one_name(w, kind, v):
    """One row lacks a name that the other has."""
    p = w.person(kind)
    conflicting(w, p, twin(w, p).put(first=""), w.rnd() < 0.5)


@case("conflict-three", "student staff", "held")
def conflict_three(w, kind, v):
    """Two agree and a third does not: all are held."""
    p = w.person(kind)
    q, r = twin(w, p), twin(w, p)
    r.last = w.words.differing(w.words.last, p.last)
    rows = [p, q, r]
    w.rng.shuffle(rows)
    for row in rows:
        w.held(row, "conflict")


@case("conflict-zeros", "student staff", "held", variants=4)
def conflict_zeros(w, kind, v):
    """Keys of a load that are equal but for leading zeros: all are held, also where everything else agrees."""
    p = w.person(kind)
    rows = [p] + [twin(w, p) for _ in range(2 if v == 2 else 1)]
    bare = p.key
    if v == 1:
        w.patron(p)
    if v == 3:
        rows[1].first = w.words.differing(w.words.first, p.first)
    rows[-1].key = "0" + bare
    if v == 1:
        rows.reverse()
    for row in rows:
        w.held(row, "conflict")


@case("conflict-far", "both", "held", variants=2)
def conflict_far(w, kind, v):
    """A student and a staff row with one key always disagree, whatever their names."""
    p, q = w.person("student"), w.person("staff")
    q.key, q.first, q.last = p.key, p.first, p.last
    if v:
        w.patron(p)
    w.held(p, "conflict")
    w.held(q, "conflict")


@case("conflict-far-zeros", "both", "held")
def conflict_far_zeros(w, kind, v):
    """The same with keys equal but for leading zeros."""
    p, q = w.person("student"), w.person("staff")
    q.key = "0" + p.key
    w.held(p, "conflict")
    w.held(q, "conflict")


@case("no-part-inactive", "student", "renewed", variants=3)
def no_part_inactive(w, kind, v):
    """An inactive row takes no part: the other of that key goes its way, whatever the name."""
    p = w.person(kind)
    q = twin(w, p)
    pid = w.patron(p)
    if v == 1:
        q.first, q.last = w.words.first(), w.words.last()
    if v == 2:
        q.key = "0" + q.key
    w.inactive(q, ("2", "3", "4")[v])
    w.renewed(p, pid)


@case("no-part-rejected", "student", "created", variants=4)
def no_part_rejected(w, kind, v):
    """A rejected row takes no part, before or after the other."""
    p = w.person(kind)
    q = twin(w, p)
    wrong, reason = (({"dob": "02/30/2012"}, "birth-date"), ({"zip": ""}, "shape"), ({"first": "", "last": ""}, "name"),
                     ({"status": "12", "dcid": None}, "status"))[v]
    q.put(**wrong)
    if v % 2:
        w.created(p)
    w.rejected(q, reason)
    if not v % 2:
        w.created(p)


@case("no-part-far", "both", "renewed", variants=4)
def no_part_far(w, kind, v):
    """An inactive or a rejected row leaves the row of that key in the other feed alone."""
    p, q = w.person("student"), w.person("staff")
    q.key = p.key if v != 2 else "0" + p.key
    if v == 1:
        w.rejected(p.put(dob=""), "birth-date")
        w.created(q)
    elif v == 3:
        w.renewed(p, w.patron(p))
        w.rejected(q.put(first="", last=""), "name")
    else:
        w.inactive(p, "2")
        w.renewed(q, w.patron(q))
