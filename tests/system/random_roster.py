# SPDX-License-Identifier: GPL-3.0-or-later
"""Rosters by chance, with everything in their cells that goes wrong, and what becomes of each row by the rules alone.

Nothing here is taken from the program: the verdicts are those of docs/profiles.md and of the shipped profile's lists, written
down a second time in the slowest way.
"""
import random

COLUMNS = ["sourcedId", "status", "orgSourcedIds", "role", "identifier", "givenName", "familyName", "email",
           "metadata.libraryOptOut"]
STAFF = {"teacher", "administrator", "aide", "proctor", "districtadministrator", "siteadministrator", "principal", "counselor"}
OTHERS = {"parent", "guardian", "relative", "systemadministrator"}
NO = {"", "false", "0", "no", "n"}
REAL = {"2010-12-10", "2011-01-31"}
BIRTHS = [*REAL, "2010-12-10 ", "", "2010-02-30", "2099-01-01", "1899-12-31", "12/10/2010"]
CELLS = {
    "status": ["active"] * 6 + ["", "ACTIVE", "Active ", "inactive", "tobedeleted", "x"],
    "orgSourcedIds": ["s1", "s1, s2", "", "s9"],
    "role": ["student", "student", "Student", "teacher", "parent", "guardian", "wizard", "", "aide", "relative"],
    "givenName": ["Ada", "", "Zo\u00eb", 'O"B', " ,"],
    "familyName": ["Love lace", "", ",", "$"],
    "email": ["", "a@x.org"],
    "metadata.libraryOptOut": ["", "false", "no", "0", "N"] * 4 + ["true", "1", "yes", "maybe", "\u200b", "-"],
}
ODD_KEYS = ["", "12a", "12-34 56", "#123456", "1234567.0", "0123456"]


class Roster:
    """users and demographics: the files' texts. expected: [(feed, row, verdict)], feed 0 the students'."""

    def __init__(self, seed, rows=150):
        self.chance = random.Random(seed)
        self.columns = self.chance.sample(COLUMNS, len(COLUMNS))
        self.births, self.expected = {}, []
        self.demographics = "sourcedId,birthDate\n"
        for _ in range(60):
            self.add_birth(f"u{self.chance.randrange(70)}", self.chance.choice(BIRTHS))
        lines = [self.add_row(self.chance.choice(CELLS["role"])) for _ in range(rows)]
        lines += [self.add_row(role, whole=True) for role in ("student", "teacher")]  # no feed is empty
        self.users = ",".join(self.columns) + "\n" + self.chance.choice(["\n", "\r\n"]).join(lines) + "\n"

    def add_birth(self, who, text):
        self.demographics += f"{who},{text}\n"
        date = text.strip() if text.strip() in REAL | {"2099-01-01", "1899-12-31"} else None
        # two that disagree say nothing
        self.births[who] = date if self.births.get(who, date) == date else None

    def add_row(self, role, whole=False):
        one = {name: self.chance.choice(values) for name, values in CELLS.items()}
        one["role"] = role
        one["sourcedId"] = self.chance.choice([f"u{self.chance.randrange(70)}"] * 9 + [""])
        one["identifier"] = self.chance.choice([str(self.chance.randrange(10**6, 10**7))] * 6 + ODD_KEYS)
        cells = [one[name] for name in self.columns]
        if not whole and self.chance.random() < 0.05:
            cells.insert(self.chance.randrange(len(cells) + 1), self.chance.choice(["", "x", "parent", "true"]))
        elif not whole and self.chance.random() < 0.05:
            cells.pop(self.chance.randrange(len(cells)))
        verdict = self.judge(cells)
        if verdict is not None:
            feed = int(self.cell(cells, "role") in STAFF)
            self.expected.append((feed, 1 + sum(row[0] == feed for row in self.expected), verdict))
        return ",".join(self.quoted(cell) for cell in cells)

    def quoted(self, cell):
        if any(c in cell for c in ',"') or self.chance.random() < 0.2:
            return '"' + cell.replace('"', '""') + '"'
        return cell

    def cell(self, cells, name):
        at = self.columns.index(name)
        return " ".join(cells[at].split()).lower() if at < len(cells) else ""

    def judge(self, cells):
        """The verdict of a row, "" for one that is taken, None for one that is nobody's."""
        role, broken = self.cell(cells, "role"), len(cells) != len(self.columns)
        opted_out = self.cell(cells, "metadata.libraryOptOut") not in NO
        if role in OTHERS and not broken and not opted_out:
            return None
        if opted_out:
            return "opted-out"
        if broken or (role != "student" and role not in STAFF):
            return "shape"
        if self.cell(cells, "status") not in ("", "active"):
            return "inactive" if self.cell(cells, "status") in ("inactive", "tobedeleted") else "status"
        key = self.cell(cells, "identifier").replace(" ", "").replace("-", "").removeprefix("#")
        if not key.isdigit() or (role in STAFF and len(key) < 4):
            return "key"
        if not any(self.cell(cells, name).strip(" ,$") for name in ("givenName", "familyName")):
            return "name"
        if role == "student" and self.births.get(self.cell(cells, "sourcedId")) not in REAL:
            return "birth-date"
        return ""
