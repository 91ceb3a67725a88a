# SPDX-License-Identifier: GPL-3.0-or-later
"""patronctl against a patrond that stays: looked at, held, looked at again, released, cancelled, reloaded."""
import json
import os
import pwd
import re
import subprocess
import threading
import time
import unittest

import feed_kit
import stagekit
from feed_kit import BYSTANDER, House, feed, pack, patron, student
from varlink_fake import Terminal, patronctl

KNOWN = [patron(1000100 + i, str(77000000 + i)) for i in range(100)] + [BYSTANDER]
# no look but the first one, those that are asked for, and a reload's: patronctl may not run one beside another
QUIET = "[share]\nwatch = no\n"
ID = r"[0-9]{8}T[0-9]{6}-[0-9a-f]{4}(?:-[0-9]+)?"


def rows(known, new, first_new=77900000):
    """A feed that renews so many and creates so many."""
    return pack({feed_kit.STUDENTS: feed([student(77000000 + i) for i in range(known)] + [student(first_new + i) for i in range(new)])})


class Daemon(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)
        cls.house.config("", ("share",))
        cls.socket = cls.house.path("runtime", "control")

    def setUp(self):
        self.process = None
        self.house.forget()
        self.house.config(QUIET, ("share",))
        self.house.sierra_with(KNOWN)
        self.addCleanup(self.stop)

    def start(self):
        """Starts it and waits for its first look to end."""
        self.process = self.house.start_patrond(stdout=subprocess.DEVNULL, stderr=open(self.house.path("log"), "wb"))
        self.idle()

    def idle(self):
        """Waits until no look runs: a reload begins one, too."""
        deadline = time.monotonic() + 60
        while True:
            result = self.ctl("status", "--json")
            if result.status != 1 and json.loads(result.stdout)["state"] == "idle" and json.loads(result.stdout)["sources"][0].get("last_look"):
                return
            self.assertIsNone(self.process.poll(), open(self.house.path("log"), errors="replace").read()[-2000:])
            self.assertLess(time.monotonic(), deadline, result)
            time.sleep(0.1)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def ctl(self, *arguments, **options):
        return patronctl(*arguments, "--socket", self.socket, **options)

    def does(self, *arguments, exit_status=0, stderr=""):
        result = self.ctl(*arguments)
        self.assertEqual((result.status, result.stderr), (exit_status, stderr), result)
        return result.stdout

    def held_id(self):
        return json.loads(self.does("release", "--json", exit_status=4))[-1]["id"]

    def created(self):
        return len(self.house.dump()) - len(self.house.before)


class Broken(Daemon):
    def test_refused_while_it_is_the_newest(self):
        """Half an upload holds up what is older: for as long as it does all says so, and ends with 2."""
        self.house.share("good.zip", rows(100, 0))
        os.utime(self.house.path("share/good.zip"), (1, 1_600_000_000))
        self.house.share("half.zip", b"hello\n")
        self.start()
        for _ in range(2):
            shown = " ".join(self.does("status", exit_status=2).split())
            self.assertIn("half.zip: ", shown)
            self.assertIn("FAILED", shown)
            status = json.loads(self.does("status", "--json", exit_status=2))
            self.assertTrue(status["status"].startswith("FAILED: a file on the share: "), status["status"])
            self.assertNotIn("half", status["status"])  # a file's name can be a child's, and systemd may log STATUS=
            self.does("run", "--wait", exit_status=2)
        self.assertIn("Older feeds wait until it is replaced or removed.", status["sources"][0]["last_error"] + shown)
        self.assertEqual(self.house.writes(), 0)
        os.unlink(self.house.path("share/half.zip"))
        self.does("run", "--wait")
        self.assertIn("complete", self.does("status"))

    def test_a_file_that_cannot_be_read(self):
        """Between the tries, too, the file and the reason are told."""
        self.house.share("feed.zip", rows(100, 0))
        os.chmod(self.house.path("share/feed.zip"), 0)
        self.start()
        for _ in range(2):
            status = json.loads(self.does("status", "--json", exit_status=2))
            self.assertTrue(status["status"].startswith("FAILED: a file on the share: "), status["status"])
            self.assertIn("Permission denied", status["status"])
            self.assertTrue(status["sources"][0]["last_error"].startswith("feed.zip: "), status["sources"])
            self.does("run", "--wait", exit_status=2)
        os.chmod(self.house.path("share/feed.zip"), 0o644)
        self.does("run", "--wait")
        self.assertIn("complete", self.does("status"))


class Held(Daemon):
    def test_looked_at_and_released(self):
        """The whole way of a first load, by patronctl alone."""
        self.house.share("feed.zip", rows(100, 60))
        self.start()
        shown = self.does("status", exit_status=4)
        self.assertIn("  creates 37.5% > 30% (60 of 160 rows, student)\n  What it would have done:\n", shown)
        self.assertRegex(shown, r"\n  created +60\n  renewed +100\n")
        self.assertEqual(self.house.writes(), 0)
        # a dry run shows the table and lets nothing go
        shown = self.does("run", "--dry-run", "--again", exit_status=4)
        self.assertIn("Dry run ", shown)
        self.assertRegex(shown, r"\n  created +60\n  renewed +100\n")
        # without an id, and with one that is none, nothing is let go
        shown = self.does("release", exit_status=4)
        load = re.search(rf"let it go:  patronctl release ({ID})$", shown, re.M)[1]
        self.does("release", "20200101T000000-0000", exit_status=2,
                  stderr="patronctl: there is no such held load (20200101T000000-0000): it was released, a newer feed overtook it, or it was "
                         "held anew with other figures; see patronctl status\n")
        self.assertEqual(self.house.writes(), 0)
        shown = self.does("release", "--wait", load)
        self.assertRegex(shown, rf"(?m)^Load {ID}, [0-9:]+: complete$")
        self.assertRegex(shown, r"\n  rows +160\n  created +60\n  renewed +100\n")
        self.assertEqual(self.created(), 60)
        shown = self.does("status")
        self.assertRegex(shown, r": complete\n +student\n  rows +160\n  created +60\n  renewed +100\n")
        # it is gone: once is once, and nothing is left to do
        self.assertEqual(self.ctl("release", load).status, 2)
        writes = self.house.writes()
        self.assertEqual(self.does("release"), "No load is held.\n")
        self.does("run", "--wait")
        self.assertEqual(self.house.writes(), writes)

    def test_outdated_id(self):
        """What is released is what was looked at: a newer feed takes the place of the older, and with it the id."""
        self.house.share("feed.zip", rows(100, 60), age=900)
        self.start()
        old = self.held_id()
        self.house.share("newer.zip", rows(100, 80), age=60)
        self.does("run", "--wait", exit_status=4)
        new = self.held_id()
        self.assertNotEqual(old, new)
        result = self.ctl("release", old)
        self.assertEqual(result.status, 2)
        self.assertIn("a newer feed overtook it", result.stderr)
        self.assertEqual(self.house.writes(), 0)
        self.does("release", "--wait", new)
        self.assertEqual(self.created(), 80)

    def test_over_a_restart(self):
        self.house.share("feed.zip", rows(100, 60))
        self.start()
        self.stop()
        self.start()
        self.assertIn("HELD", self.does("status", exit_status=4))
        self.does("release", "--wait", self.held_id())
        self.assertEqual(self.created(), 60)

    def test_figures_have_grown(self):
        """More than was looked at: it is held anew, under another id."""
        self.house.share("feed.zip", rows(100, 60))
        self.start()
        load = self.held_id()
        self.house.sierra_with(KNOWN[:60] + [BYSTANDER])  # 40 more would be created now
        self.house.config(QUIET, ("share",))
        self.does("reload")
        self.idle()
        self.does("release", "--wait", load, exit_status=4)
        self.assertEqual(self.house.writes(), 0)
        self.assertNotEqual(self.held_id(), load)
        self.assertIn("creates 62.5% > 30%", self.does("status", exit_status=4))


class Running(Daemon):
    def test_exit_statuses(self):
        self.start()
        self.does("run", "--wait")
        # a row that Sierra refuses
        self.house.switch(pin_min="6")
        self.house.share("feed.zip", rows(3, 1), age=900)
        # Sierra away: due again, and monitoring sees it
        self.house.share("newer.zip", rows(4, 0), age=60)
        self.house.stop_sierra()
        self.assertIn(": FAILED\n  ", self.does("run", "--wait", "share", exit_status=2))
        self.assertIn("Due again: Load ", self.does("status", exit_status=2))

    def test_source_away(self):
        self.start()
        os.rename(self.house.path("share"), self.house.path("share.away"))
        try:
            self.does("run", "--wait", exit_status=2)
            self.assertRegex(self.does("status", exit_status=2), r"share: last look .*, FAILED\n    \[share\] path is not there")
        finally:
            os.rename(self.house.path("share.away"), self.house.path("share"))
        self.does("run", "--wait")
        self.assertNotIn("FAILED", self.does("status"))

    def test_again(self):
        self.house.share("feed.zip", rows(20, 0))
        self.start()
        self.assertNotIn("Load", self.does("run", "--wait"))
        self.assertRegex(self.does("run", "--wait", "--again"), r"complete\n +student\n  rows +20\n  created +0\n  renewed +0\n  current +20\n")

    def test_no_such_source(self):
        self.start()
        self.does("run", "attic", exit_status=1, stderr="patronctl: patrond does not take that value (source); see patronctl --help\n")
        self.does("cancel", exit_status=2, stderr="patronctl: nothing runs\n")

    def test_watched_and_cancelled(self):
        """A long load: watched on a terminal, asked about, not begun twice, cancelled; then the rest is done."""
        self.start()
        self.house.switch(latency_ms="400")
        self.house.config(QUIET + "[sierra]\nconnections = 1\n", ("share",))
        self.does("reload")
        self.idle()
        self.house.share("feed.zip", rows(60, 0))
        terminal = Terminal("watch", "--socket", self.socket)
        terminal.until("Idle")
        waited = {}
        waiter = threading.Thread(target=lambda: waited.update(result=self.ctl("run", "--wait")))
        waiter.start()
        screen = terminal.until("Writing to Sierra", timeout=60)
        screen = terminal.until("renewed ", timeout=60)
        self.assertRegex(screen, r"(?m)^\[=*>? *\] +[0-9]+%  [0-9]+ of 60 rows")
        self.assertRegex(self.does("status"), r"loading\n  Writing to Sierra, load " + ID + r"\n  \[")
        self.assertEqual(self.ctl("run").status, 2)
        self.assertEqual(self.ctl("run", "--wait").status, 2)
        self.does("cancel")
        waiter.join(60)
        self.assertEqual(waited["result"].status, 2, waited)
        self.assertIn("The load was cancelled; what was done is reported", waited["result"].stdout)
        terminal.until("What it was to have done:")
        self.house.switch(latency_ms="0")
        self.does("status", exit_status=2)
        self.does("run", "--wait")
        self.assertRegex(self.does("status"), r"\n  rows +60\n")
        self.assertEqual(sum(p["expirationDate"] != "2024-03-01" for n, p in self.house.dump().items() if n != BYSTANDER["id"]), 60)
        terminal.process.terminate()
        self.assertEqual(terminal.end(), 0)

    def test_patrond_ends(self):
        self.start()
        watching = {}
        thread = threading.Thread(target=lambda: watching.update(result=self.ctl("watch")))
        thread.start()
        time.sleep(0.5)
        self.stop()
        thread.join(30)
        self.assertEqual(watching["result"].status, 1)
        self.assertEqual(self.ctl("status").stderr, f"patronctl: {self.socket}: patrond is not running: systemctl start patrond\n")

    def test_bad_configuration(self):
        self.start()
        with open(self.house.path("patrond.conf"), "a", encoding="utf-8") as file:
            file.write("[sierra]\nspeed = 9\n")
        line = sum(1 for _ in open(self.house.path("patrond.conf"), encoding="utf-8"))
        result = self.ctl("reload")
        self.assertEqual(result.status, 1)
        self.assertIn(f"patrond.conf:{line}: [sierra] has no key of that name", result.stderr)
        self.assertIn("the old configuration stays", result.stderr)
        self.house.config(QUIET, ("share",))
        self.does("reload")
        self.idle()
        self.does("run", "--wait")

    @unittest.skipIf(os.geteuid() != 0, "becomes another user")
    def test_who_may(self):
        self.start()
        other = pwd.getpwnam("daemon")
        result = self.ctl("run", user=other.pw_uid, group=other.pw_gid, extra_groups=[])
        self.assertEqual((result.status, result.stderr),
                         (1, f"patronctl: {self.socket}: you must be root or in the group patrond-admin\n"))

    def test_nothing_of_a_row(self):
        """Neither name nor key nor date of birth, in no answer."""
        self.house.share("feed.zip", rows(100, 60))
        self.start()
        said = self.does("status", "--json", exit_status=4) + self.does("run", "--dry-run", "--again", "--json", exit_status=4)
        said += self.does("release", "--wait", "--json", self.held_id()) + self.does("status", "--json")
        for word in ("Vandermolen", "Nele", "7700", "7790", "2012", "Tannery", "feed.zip"):
            self.assertNotIn(word.lower(), said.lower())


if __name__ == "__main__":
    stagekit.main()
