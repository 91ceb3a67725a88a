# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that one run makes: the rows with their verdicts, the patrons, the rows of the clean-up report."""

import datetime
import json
import random

from .people import Quoted, Staff, Student
from .words import Numbers, Words

TERM_WEEKS = 156
WINDOW_DAYS = 28

_DEFAULT = object()
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

OUTCOMES = {
    "created": (None,), "renewed": (None,), "current": (None,),
    "skipped": ("opted-out", "inactive", "duplicate"),
    "held": ("ambiguous", "needs-cleanup", "identity-mismatch", "conflict"),
    "rejected": ("shape", "status", "key", "name", "birth-date"),
}


def readable_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Row:
    """A written row: its place in the feed (a random number), its bytes, and what is expected of it."""

    __slots__ = ("order", "line", "verdict", "tail", "alone")

    def __init__(self, line, verdict, tail):
        self.order = 0.0
        self.line = line
        self.verdict = verdict
        self.tail = tail
        self.alone = True


class World:
    def __init__(self, *, seed, today, token_mode=False, dcid=False, delimiter=",", encoding="utf-8"):
        self.rng = random.Random(seed)
        self.rnd = self.rng.random
        self.today = today
        self.token_mode = token_mode
        self.dcid = dcid
        self.delimiter = delimiter
        self.encoding = "cp1252" if encoding == "cp1252" else "utf-8"
        self.words = Words(self.rng, token_mode)
        self.numbers = Numbers(self.rng)
        self.target = today + datetime.timedelta(weeks=TERM_WEEKS)
        self.target_text = self.target.isoformat()
        self.rows = {"student": [], "staff": []}
        self.status_counts = {}
        self.patrons = []
        self.patrons_live = 0
        self.report = []
        self._pending = {"student": [], "staff": []}
        self._case = ""
        self._id_start = int(self.rnd() * 1000003)
        self._young = today.toordinal() - 19 * 365

    # Numbers and dates

    def student_key(self):
        return self.numbers.take(12 if self.token_mode else 7)

    def staff_key(self):
        return self.numbers.take(13 if self.token_mode else 10)

    def card(self):
        return "2" + self.numbers.take(13)

    def birth_date(self):
        if self.token_mode:
            return datetime.date.fromordinal(datetime.date(1900, 1, 1).toordinal() + int(self.rnd() * 3600))
        return datetime.date.fromordinal(self._young + int(self.rnd() * 14 * 365))

    def other_birth_date(self, date):
        """A birth date that differs in year, month and day, so that no reading of a row takes one for the other."""
        while True:
            other = self.birth_date()
            if other.year != date.year and other.month != date.month and other.day != date.day:
                return other

    def before_target(self, days):
        """An expiration date so many days before the target; a negative number lies after it."""
        return (self.target - datetime.timedelta(days=days)).isoformat()

    def renewable(self):
        return self.before_target(30 + int(self.rnd() * 1500))

    def still_good(self):
        return self.before_target(int(self.rnd() * (WINDOW_DAYS + 1)))

    # People

    def person(self, kind):
        return Student(self) if kind == "student" else Staff(self)

    def _new_id(self):
        # A walk over a prime, three apart: unique, in no order, and with holes as deleted records leave them.
        n = (self._id_start + len(self.patrons) * 7919) % 9999991
        return 1000001 + 3 * n + int(self.rnd() * 3)

    def patron(self, person=None, *, names=_DEFAULT, barcodes=_DEFAULT, exp=_DEFAULT, dob=_DEFAULT, deleted=False, report=()):
        """Makes a patron, by default the person's own and due for renewal; None leaves a field out. report holds the rows
        (field, class) that this patron must have on the clean-up report. Returns its id."""
        pid = self._new_id()
        out = {"id": pid, "createdDate": "2021-08-%02dT12:00:00Z" % (1 + pid % 28)}
        if deleted:
            out.update(deleted=True, deletedDate="2024-06-%02d" % (1 + pid % 28))
        else:
            self.patrons_live += 1
        if names is _DEFAULT:
            names = [person.name()]
        if barcodes is _DEFAULT:
            barcodes = [person.key]
        if exp is _DEFAULT:
            exp = self.renewable()
        if dob is _DEFAULT:
            dob = person.birth_iso() if person.kind == "student" else self.birth_date().isoformat()
        for name, value in (("names", names), ("barcodes", barcodes), ("expirationDate", exp), ("birthDate", dob)):
            if value is not None:
                out[name] = value
        out["patronType"] = 15
        if person is not None:
            out["addresses"] = [person.address()]
            if person.phones():
                out["phones"] = person.phones()
            if person.emails():
                out["emails"] = [",".join(person.emails())]
        self.patrons.append((pid, _dumps(out)))
        for field, sort in report:
            self.report.append((pid, field, exp or "", sort))
        return pid

    def perhaps_patron(self, person):
        """The person's own patron, due for renewal, in one of two instances: a row wrongly let through then shows as a
        renewal, in the others as a creation."""
        if self.rnd() < 0.5:
            self.patron(person)

    def patron_light(self, names, barcodes, exp, dob, patron_type):
        """A patron of the background; the values are known to need no escaping."""
        pid = self._new_id()
        self.patrons_live += 1
        text = '{"id":%d,"patronType":%d,"names":["%s"]' % (pid, patron_type, names)
        if barcodes is not None:
            text += ',"barcodes":["%s"]' % barcodes
        if exp:
            text += ',"expirationDate":"%s"' % exp
        if dob:
            text += ',"birthDate":"%s"' % dob
        self.patrons.append((pid, text + "}"))
        return pid

    # Rows and their verdicts

    def _line(self, cells):
        d = self.delimiter
        text = d.join(cells)
        if text.count(d) == len(cells) - 1 and not any(c in text for c in '"\r\n') \
                and not any(type(c) is Quoted for c in cells):
            if text.isascii():
                return text.encode("ascii")
            quoted = cells
        else:
            quoted = ['"' + c.replace('"', '""') + '"' if type(c) is Quoted or any(x in c for x in (d, '"', "\r", "\n"))
                      else c for c in cells]
        return d.encode("ascii").join(self._bytes(c) for c in quoted)

    def _bytes(self, cell):
        if self.encoding == "cp1252":
            # A field may be either: what Windows-1252 lacks is written in UTF-8, field by field.
            try:
                out = cell.encode("cp1252")
                if not readable_utf8(out):
                    return out
            except UnicodeEncodeError:
                pass
        return cell.encode("utf-8", "surrogateescape")

    def add(self, person, outcome, reason=None, patron=None, *, body=None, cells=None, status=None):
        """Adds a row with its verdict. cells replaces the person's own."""
        if reason not in OUTCOMES[outcome]:
            raise ValueError("%s is no reason of %s" % (reason, outcome))
        kind = person.kind
        expected = {"outcome": outcome, "reason": reason, "patron_id": patron}
        if body is not None:
            expected["patron"] = body
        elif outcome == "renewed":
            expected["patron"] = {"expirationDate": self.target_text}
        expected["case"] = self._case
        row = Row(self._line(person.cells() if cells is None else cells), (outcome, reason), _dumps(expected)[1:])
        self._pending[kind].append(row)
        if status is not None:
            self.status_counts[status] = self.status_counts.get(status, 0) + 1

    def created(self, person, **over):
        self.add(person, "created", body=person.body(**over))

    def renewed(self, person, patron):
        self.add(person, "renewed", patron=patron)

    def current(self, person, patron):
        self.add(person, "current", patron=patron)

    def opted_out(self, person, cells=None):
        self.add(person, "skipped", "opted-out", cells=cells)

    def inactive(self, person, status):
        self.add(person.put(status=status), "skipped", "inactive", status=status.strip())

    def duplicate(self, person):
        self.add(person, "skipped", "duplicate")

    def held(self, person, reason, patron=None):
        self.add(person, "held", reason, patron)

    def rejected(self, person, reason, cells=None):
        self.add(person, "rejected", reason, cells=cells)

    def run(self, case, variant):
        """One instance of a case: its rows keep their order among themselves, at random places of the feed."""
        self._case = case.name
        case.make(self, case.kind, variant)
        for feed, pending in self._pending.items():
            if not pending:
                continue
            orders = sorted(self.rnd() for _ in pending)
            for row, order in zip(pending, orders):
                row.order = order
                row.alone = len(pending) == 1
            self.rows[feed].extend(pending)
            pending.clear()
