# SPDX-License-Identifier: GPL-3.0-or-later
"""What every refusal must keep: an exit status that tells the kind, a reason, a sentence that says what to do, no write."""
import unittest

import feed_kit
from feed_kit import BYSTANDER, House, feed, pack, patron, staff, student

PATRONS = [patron(1000001, "75000001"), BYSTANDER]
# Rows that would write, if only the load were not refused: one renews, one creates.
ROWS = [student("75000001"), student("75000002", "Malwine", "Undersleigh")]
GOOD = {feed_kit.STUDENTS: feed(ROWS), feed_kit.STAFF: feed([staff("8850000001")])}


class Refusals(unittest.TestCase):
    """One house a class; its patrons stay as they are, since nothing here may write."""

    maxDiff = None
    sftp = False
    patrons = PATRONS

    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)
        if cls.sftp:
            cls.house.start_sftp()
        cls.house.config("", ("sftp",) if cls.sftp else ("share",))
        cls.house.sierra_with(cls.patrons)
        cls.good = pack(GOOD)

    def setUp(self):
        self.house.forget()
        self.house.config("", self.house.sources)

    def untouched(self):
        self.assertEqual(self.house.writes(), 0, "something was written to Sierra")
        self.assertEqual(self.house.dump(), self.house.before)

    def refused(self, reason, sentence, status=2, **run):
        """A run that must be refused with that reason, in that sentence (a part of it). Returns the entry."""
        self.house.ask("reset-counters", {})
        result = self.house.patrond("--once", memory=run.pop("memory", False), **run)
        self.untouched()
        self.assertEqual((result.reasons(), result.status, result.noise), ([reason], status, []), result.messages()[-4:])
        self.assertEqual(result.rows(), {})
        entry = next(e for e in result.entries if e.get("REASON") == reason)
        self.assertIn(sentence, entry["MESSAGE"])
        self.assertEqual(entry["PRIORITY"], "3")
        self.assertNotIn("Undersleigh", result.stdout + result.stderr)
        self.assertNotIn("7500000", result.stdout + result.stderr)
        return entry
