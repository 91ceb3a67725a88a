# SPDX-License-Identifier: GPL-3.0-or-later
"""How many instances of each case a run makes, and which guard its counts must trip."""

from . import registry

# Each preset trips its guard in the student feed and no other; creates, opted-out and inactive over the defaults of 30, 25, 50 %,
# rejected and held over 5 and 10 %.
PRESETS = {
    "default": {},
    "creates": {"student-created": 0.45},
    "rejected": {"student-birth-date": 0.025, "student-key": 0.025, "student-status": 0.025, "student-shape-zip": 0.025},
    "opted-out": {"student-optout": 0.35},
    "inactive": {"student-inactive": 0.60},
    "held": {"student-mismatch": 0.05, "student-ambiguous": 0.05, "student-tainted": 0.05},
    "clean": None,
    "all-cases": None,
}

CLEAN = ("student-current", "staff-current", "student-renewed", "staff-renewed", "student-created", "staff-created")

GUARDS = (("creates", 30, ("created",)), ("rejected", 5, ("rejected",)), ("opted-out", 25, ("opted-out",)),
          ("inactive", 50, ("inactive",)), ("held", 10, ("held",)))
GUARD_FROM_ROWS = 100

EMPTY_LINE = "empty-line"
EMPTY_LINE_RATE = 0.001
EMPTY_LINES_ALL_CASES = 4


def rates(preset, given):
    """The rate of each case by name. given overrides the preset, the preset the table. Raises KeyError for an unknown case."""
    cases = registry.load()
    out = {name: c.rate for name, c in cases.items()}
    out[EMPTY_LINE] = EMPTY_LINE_RATE
    if preset == "clean":
        out = {name: out.get(name, 0.0) if name in CLEAN else 0.0 for name in out}
    out.update(PRESETS[preset] or {})
    for name, rate in given.items():
        if name not in out:
            raise KeyError(name)
        out[name] = rate
    return out


def instances(preset, given, sizes, world):
    """Yields (case, variant). sizes are the rows of each feed, 0 for a feed that is left out."""
    table = rates(preset, given)
    for name, c in registry.load().items():
        feeds = ("student", "staff") if c.feed == "both" else (c.feed,)
        size = min(sizes[f] for f in feeds)
        if size == 0 or (name in registry.COMMA_ONLY and world.delimiter != ","):
            continue
        count = int(table[name] * size + 0.5)
        if given.get(name, 0) > 0:
            count = max(count, 1)
        if preset == "all-cases":
            count = given.get(name) and count or c.variants
            start = 0
        else:
            start = int(world.rnd() * c.variants)
        for i in range(count):
            yield c, (start + i) % c.variants


def tripped(rows, counts):
    """The guards over the share of rows that the defaults allow, as {name: [count, rows]}."""
    if rows < GUARD_FROM_ROWS:
        return {}
    out = {}
    for name, percent, what in GUARDS:
        count = sum(counts.get(w, 0) for w in what)
        if count * 100 > percent * rows:
            out[name] = [count, rows]
    return out
