# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of cases: each is a function that makes rows and patrons and states their verdict."""

from collections import namedtuple

# Of the rows of the case's feed. 12,000 rows give each rare case three, 2,000 rows one, small feeds none.
RARE = 0.00025

Case = namedtuple("Case", "name feed kind group rate variants make text")

CASES = {}


def case(name, feeds, group, rate=RARE, variants=1, comma_only=False):
    """Registers a case for one feed, several, or 'both' (rows in either). make(world, kind, variant) makes one instance."""

    def register(make):
        for feed in feeds.split():
            full = name if feed == "both" else feed + "-" + name
            if full in CASES:
                raise ValueError("two cases named " + full)
            text = " ".join((make.__doc__ or "").split())
            CASES[full] = Case(full, feed, None if feed == "both" else feed, group, rate, variants, make, text)
            if comma_only:
                COMMA_ONLY.add(full)
        return make

    return register


COMMA_ONLY = set()


def load():
    """Reads every module of cases, which register themselves. Returns the table."""
    from . import cases_cells, cases_create, cases_held, cases_match, cases_names, cases_optout, cases_plain  # noqa: F401
    from . import cases_rejected, cases_repeat, cases_staff  # noqa: F401
    return CASES
