# SPDX-License-Identifier: GPL-3.0-or-later
"""The bulk of every feed, and the dates around which an expiration moves or stays."""

from .registry import case


@case("current", "student staff", "current", rate=0.0)
def current(w, kind, v):
    """Matched, and the expiration date is good: what fills the feed up."""
    p = w.person(kind)
    barcodes = [p.key] if w.rnd() < 0.7 else [p.key, w.card()]
    w.current(p, w.patron(p, barcodes=barcodes, exp=w.still_good()))


@case("renewed", "student staff", "renewed", rate=0.10)
def renewed(w, kind, v):
    """Matched, and the expiration date moves."""
    p = w.person(kind)
    w.renewed(p, w.patron(p))


@case("created", "student staff", "created", rate=0.04)
def created(w, kind, v):
    """The key is nowhere: a new patron."""
    w.created(w.person(kind))


@case("exp-28-days", "student staff", "current")
def exp_28(w, kind, v):
    """Exactly 28 days before the target is not more than 28: current."""
    p = w.person(kind)
    w.current(p, w.patron(p, exp=w.before_target(28)))


@case("exp-29-days", "student staff", "renewed")
def exp_29(w, kind, v):
    """29 days before the target: renewed."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, exp=w.before_target(29)))


@case("exp-later", "student staff", "current", variants=4)
def exp_later(w, kind, v):
    """At the target or later: it never moves backwards."""
    p = w.person(kind)
    w.current(p, w.patron(p, exp=(w.before_target(0), w.before_target(-1), w.before_target(-2000), "2099-12-31")[v]))


@case("exp-missing", "student staff", "renewed")
def exp_missing(w, kind, v):
    """A patron without an expiration date is in the index and is renewed."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, exp=None))


@case("exp-unreadable", "student staff", "renewed", variants=4)
def exp_unreadable(w, kind, v):
    """An expiration date that is no date counts as missing."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, exp=("0000-00-00", "2027-02-30", "12/31/2027", "never")[v]))


@case("exp-long-ago", "student staff", "renewed", variants=2)
def exp_long_ago(w, kind, v):
    """A patron that expired years ago is renewed, not created again."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, exp=("1999-12-31", "2009-06-15")[v]))


@case("exp-today", "student", "renewed", variants=3)
def exp_today(w, kind, v):
    """Expires yesterday, today, tomorrow: renewed alike."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, exp=w.before_target(7 * 156 + v - 1)))


@case("pre-registered", "student", "renewed", variants=3)
def pre_registered(w, kind, v):
    """Enroll_Status 0 and 1 are processed, blanks around it or not."""
    p = w.person(kind).put(status=("1", " 0 ", "\u00a01")[v])
    w.renewed(p, w.patron(p))


@case("inactive", "student", "inactive", rate=0.05, variants=4)
def inactive(w, kind, v):
    """Transferred out, graduated, historical, -1; the patron is there and due, and is left alone."""
    p = w.person(kind)
    w.patron(p)
    w.inactive(p, ("2", "3", "4", "-1")[v])


@case("inactive-odd", "student", "inactive", variants=6)
def inactive_odd(w, kind, v):
    """Any other single digit, with or without a minus, is inactive."""
    w.inactive(w.person(kind), ("5", "6", "8", "9", "-2", "-9")[v])


@case("inactive-dcid", "student", "inactive", variants=3)
def inactive_dcid(w, kind, v):
    """The status stands before a STUDENTSDCID, given or empty."""
    p = w.person(kind).put(dcid=("123456", "", "98765")[v])
    w.inactive(p, ("2", "4", "-1")[v])


@case("one-patron-two-keys", "student staff", "renewed")
def two_keys(w, kind, v):
    """Two rows with different keys on one patron: the first renews, the second is current."""
    p = w.person(kind)
    q = w.person(kind)
    q.first, q.last = p.first, p.last
    if kind == "student":
        q.dob = p.dob
    pid = w.patron(p, barcodes=[p.key, q.key])
    w.renewed(p, pid)
    w.current(q, pid)


@case("one-patron-two-keys-far", "both", "renewed")
def two_keys_far(w, kind, v):
    """The same across the feeds: the student feed comes first."""
    p, q = w.person("student"), w.person("staff")
    q.first, q.last = p.first, p.last
    pid = w.patron(p, barcodes=[p.key, q.key])
    w.renewed(p, pid)
    w.current(q, pid)
