# SPDX-License-Identifier: GPL-3.0-or-later
"""A feed whose shape is unlike the last accepted one's is held, by name and column, and can be let go."""
import feed_kit
import stagekit
from feed_kit import BYSTANDER, feed, pack, patron
from test_patronctl_patrond import Daemon

ROWS = 256
KNOWN = [patron(1000100 + i, str(77000000 + i)) for i in range(ROWS)] + [BYSTANDER]
# guards of the plan that would trip as well; what is left is drift's
PLAN = "[guard]\nopted-out = off\nrejected = off\ninactive = off\nrows = off\n"


def row(i, optout=None, school=None, born="5/17/2012", email="kid@students.example.org", phone="919-555-0150", status="0", key=""):
    """One of a district's: every eighth has opted out, four schools."""
    optout = ("1" if i % 8 == 0 else "0") if optout is None else optout
    school = str(300 + i // 8 % 4) if school is None else school
    return (f"{optout},{77000000 + i}{key},Nele,Vandermolen,{born},{school},07,4 Tannery Walk,Chapel Hill,NC,27514,{email},"
            f"{phone},parent@home.invalid,{status}")


def rows(count=ROWS, change=lambda i: {}):
    return pack({feed_kit.STUDENTS: feed([row(i, **change(i)) for i in range(count)])})


class Drift(Daemon):
    def setUp(self):
        super().setUp()
        self.house.sierra_with(KNOWN)

    def usual(self):
        self.house.config(PLAN, ("share",))
        self.house.share("feed.zip", rows(), age=3000)
        result = self.house.patrond("--once")
        self.assertEqual(result.status, 0, result.messages()[-5:])

    def once(self, change, count=ROWS, age=2000):
        self.house.share("feed.zip", rows(count, change), age=age)
        return self.house.patrond("--once")

    def held(self, guards, change, count=ROWS, says=None):
        """Held by these guards and no others, and not a thing is written."""
        self.usual()
        before, writes = self.house.dump(), self.house.writes()
        result = self.once(change, count)
        self.assertEqual(result.status, 4, result.messages()[-5:])
        entries = [e for e in result.entries if "GUARD" in e]
        self.assertEqual([(e["GUARD"], e.get("COLUMN")) for e in entries], guards)
        self.assertEqual((self.house.writes(), self.house.dump()), (writes, before))
        self.assertEqual(result.rows(), {})
        self.assertEqual(set(result.summaries("Plan")), {"student"})
        if says:
            self.assertIn(says, entries[0]["MESSAGE"])

    def test_an_ordinary_feed(self):
        """What changes from day to day holds nothing, and what was accepted is what the next one is compared with."""
        self.usual()
        result = self.once(lambda i: {"email": ""} if i % 10 == 0 else {"status": "2"} if i % 20 == 1 else {}, ROWS - 20)
        self.assertEqual(result.status, 0, result.messages()[-5:])
        result = self.once(lambda i: {"email": ""} if i % 4 == 0 else {}, ROWS, 1000)
        self.assertEqual(result.status, 0, result.messages()[-5:])

    def test_a_flipped_opt_out_column(self):
        self.held([("shares", "opt-out")], lambda i: {"optout": "0" if i % 8 == 0 else "1"},
                  says="HELD by guard: shares of opt-out 75% > 15% (192 of 256 rows unlike last time, student)")

    def test_an_emptied_opt_out_column(self):
        self.held([("opt-outs", None)], lambda i: {"optout": ""} if i % 8 == 0 else {},
                  says="HELD by guard: opt-outs 0% < 50% (0 of 32 last time, student)")

    def test_a_column_that_is_empty_now(self):
        self.held([("fill", "email")], lambda i: {"email": ""}, says="fill of email 100% > 20%")

    def test_other_dates_in_the_birth_dates_place(self):
        """The day of enrolment: real dates all, and nobody that old."""
        self.held([("ages", None)], lambda i: {"born": "8/25/2026"}, says="ages 100% > 5% (224 of 224 rows unlike last time")

    def test_keys_of_a_spreadsheet(self):
        self.held([("keys", None)], lambda i: {"key": ".0"} if i % 6 == 1 else {}, says="keys 16.7% > 5%")

    def test_statuses_that_mean_something_else(self):
        self.held([("shares", "status")], lambda i: {"status": "3"} if i % 2 else {}, says="shares of status")

    def test_a_school_that_is_missing(self):
        """Three of four schools: as many rows as ever."""
        self.held([("schools", None)], lambda i: {"school": str(300 + i // 8 % 3)}, says="schools 0% < 50% (0 of 56 last time, student)")

    def test_looked_at_and_released(self):
        self.usual()
        self.house.share("feed.zip", rows(change=lambda i: {"optout": "0" if i % 8 == 0 else "1"}), age=2000)
        self.start()
        shown = self.does("status", exit_status=4)
        self.assertIn("shares of opt-out 75% > 15% (192 of 256 rows unlike last time, student)", shown)
        writes = self.house.writes()
        shown = self.does("release", "--wait", self.held_id())
        self.assertRegex(shown, r"\n    opted-out +224\n")
        # those who had opted out are let in, since a person has said so
        self.assertEqual(self.house.writes(), writes + 32)
        self.stop()
        # and that is the shape which the next feed is compared with
        result = self.once(lambda i: {"optout": "0" if i % 8 == 0 else "1"}, ROWS - 8, 1000)
        self.assertEqual(result.status, 0, result.messages()[-5:])


del Daemon  # its tests run in their own file

if __name__ == "__main__":
    stagekit.main()
