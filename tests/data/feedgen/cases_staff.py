# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the staff feed's alone."""

from .registry import case


@case("any-status", "staff", "renewed", variants=6)
def any_status(w, kind, v):
    """By default every employment status is processed, none included."""
    p = w.person(kind)
    w.renewed(p.put(status=("", "Retired", "T", "0", "2", "opted out")[v]), w.patron(p))


@case("birth-date-is-none", "staff", "renewed", variants=3)
def birth_date_is_none(w, kind, v):
    """Staff have no birth date: the patron's own, whatever it is, is not compared, and the placeholder never is."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, dob=("1951-03-04", None, "0000-00-00")[v]))


@case("zip-any", "staff", "renewed", variants=3)
def zip_any(w, kind, v):
    """The staff row's shape is told by its columns alone."""
    p = w.person(kind)
    w.renewed(p.put(zip=("", "275", "K1A 0B1")[v]), w.patron(p))


@case("unused", "staff", "renewed", variants=2)
def unused(w, kind, v):
    """Columns that nothing is made of may hold anything."""
    p = w.person(kind)
    w.renewed(p.put(job=("", 'Teacher, "art"\nand craft')[v], site="", sitename=("", "\udce9cole")[v]), w.patron(p))
