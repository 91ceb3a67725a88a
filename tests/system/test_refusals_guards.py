# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads that a guard holds, a workspace without room, and what patrond will not even begin with."""
import os
import unittest

import feed_kit
import stagekit
from feed_kit import BYSTANDER, feed, pack, patron, student
from refusal_kit import GOOD, Refusals
from rig import Rig

MANY = [patron(1000100 + i, str(77000000 + i)) for i in range(130)] + [BYSTANDER]
IN_A_NAMESPACE = "needs root, for a mount namespace of its own"


class Shares(unittest.TestCase):
    """A made feed a guard, with too many rows of one kind: what its name says is more than it may be."""

    @classmethod
    def setUpClass(cls):
        cls.rig = Rig(feed_kit.BUILD)
        cls.addClassCleanup(cls.rig.close)
        cls.rig.start_sftp()

    def held(self, guard, figure, reason=None):
        rig = self.rig
        rig.make_feed("--preset", guard, students=300, staff=110, patrons=700, seed=21)
        rig.stop_sierra()
        rig.start_sierra()
        rig.config("[report]\n")
        rig.drop()
        before, counts = rig.dump(), rig.counts()["feeds"]["student"]
        result = rig.patrond("--once", memory=False)
        c = rig.counters()["requests"]
        self.assertEqual((c["post"], c["put"]), (0, 0))
        self.assertEqual(rig.dump(), before)
        self.assertEqual((result.status, result.rows(), result.noise), (4, {}, []), result.messages()[-3:])
        value, limit = counts["reasons"][reason] if reason else counts["outcomes"][guard if guard != "creates" else "created"], figure
        entries = [e for e in result.entries if "GUARD" in e]
        self.assertEqual([(e["GUARD"], e["FEED"], e["VALUE"], e["BASIS"], e["LIMIT_PERCENT"], e["PRIORITY"]) for e in entries],
                         [(guard, "student", str(value), "300", str(limit), "4")])
        self.assertRegex(entries[0]["MESSAGE"], rf"^HELD by guard: {guard} [0-9.]+% > {limit}% \({value} of 300 rows, student\)\. Nothing was written")
        self.assertEqual({kind: int(s["ROWS"]) for kind, s in result.summaries("Plan").items()}, {"student": 300, "staff": 110})
        self.assertEqual(result.summaries("Load"), {})

    def test_creates(self):
        self.held("creates", 30)

    def test_rejected(self):
        self.held("rejected", 5)

    def test_opted_out(self):
        self.held("opted-out", 25, "opted-out")

    def test_inactive(self):
        self.held("inactive", 50, "inactive")

    def test_held(self):
        self.held("held", 10)


class Last(Refusals):
    """Guards against the last time, which patrond remembers."""

    def setUp(self):
        self.house.forget()
        self.house.config("[guard]\ncreates = off\n", ("share",))
        self.house.sierra_with(MANY)
        self.drop("first.zip", range(120), age=900)
        self.assertEqual(self.house.patrond("--once").status, 0)
        self.house.before = self.house.dump()
        self.house.ask("reset-counters", {})

    def drop(self, name, numbers, age):
        rows = [student(77000000 + i) for i in numbers] + [student(77900000)]  # the last one is to be created
        self.house.share(name, pack({feed_kit.STUDENTS: feed(rows)}), age)

    def held(self, sentence):
        result = self.house.patrond("--once")
        self.untouched()
        self.assertEqual((result.status, result.rows()), (4, {}), result.messages()[-3:])
        said = [e["MESSAGE"] for e in result.entries if "GUARD" in e]
        self.assertEqual(len(said), 1, said)
        self.assertIn(f"HELD by guard: {sentence}. Nothing was written", said[0])

    def test_rows(self):
        self.drop("second.zip", range(83), age=60)
        self.held("rows 69.4% < 70% (84 of 121 last time, student)")

    def test_rows_enough(self):
        self.drop("second.zip", range(84), age=60)
        self.assertEqual(self.house.patrond("--once").status, 0)

    def test_patrons(self):
        self.house.sierra_with(MANY[:117])
        self.drop("second.zip", range(119), age=60)
        self.held("patrons 89.3% < 90% (117 of 131 last time)")

    def test_patrons_enough(self):
        self.house.sierra_with(MANY[:118])
        self.drop("second.zip", range(118), age=60)
        self.assertEqual(self.house.patrond("--once").status, 0)

    def test_manual(self):
        self.house.config("[load]\nstart = manual\n[guard]\ncreates = off\n", ("share",))
        self.drop("second.zip", range(121), age=60)
        self.held("manual ([load] start = manual)")
        # a held load takes nothing off: its rows and patrons are no "last time"
        self.house.config("[guard]\ncreates = off\n", ("share",))
        self.drop("third.zip", range(84), age=30)
        self.assertEqual(self.house.patrond("--once").status, 0)


@unittest.skipIf(os.geteuid() != 0, IN_A_NAMESPACE)
class Workspace(Refusals):
    sftp = True

    def within(self, mount):
        """Starts patrond as its own user, in a mount namespace of its own with the workspace mounted so."""
        work = self.house.path("runtime", "work")
        os.makedirs(work, exist_ok=True)
        return ["unshare", "-m", "sh", "-c", f'{mount} {work} && chmod 1777 {work} && exec setpriv --reuid nobody --regid nogroup '
                                             '--clear-groups "$@"', "sh"]

    def test_full(self):
        data = pack({**GOOD, "padding.bin": os.urandom(300_000)})
        for source in ("share", "sftp"):
            with self.subTest(source):
                self.setUp()
                # the janitor would ask what that zip is, and say the same
                self.house.config("[janitor]\npolicy = off\n", (source,))
                if source == "share":
                    self.house.share("feed.zip", data)
                else:
                    self.house.sftp.put("feed.zip", data)
                self.refused("workspace-full", "The workspace is full: the feed does not fit into its tmpfs; give it more room",
                             memory=True, become=False, prefix=self.within("mount -t tmpfs -o size=128k work"))

    def test_room_enough(self):
        self.house.config("", ("share",))
        self.house.share("feed.zip", self.good)
        result = self.house.patrond("--once", "--dry-run", become=False, prefix=self.within("mount -t tmpfs -o size=1m work"))
        self.assertEqual((result.status, len(result.rows())), (0, 3), result.messages()[-2:])

    def test_no_tmpfs(self):
        self.house.share("feed.zip", self.good)
        result = self.house.patrond("--once", become=False, prefix=self.within("mount -t ramfs work"))
        self.assertEqual((result.status, result.entries), (1, []))
        self.assertIn("work in the runtime directory is not on tmpfs: a feed there might reach a disk. Mount a tmpfs on it",
                      "\n".join(result.noise))
        self.untouched()


class Start(Refusals):
    sftp = True

    def setUp(self):
        super().setUp()
        self.house.config("", ("sftp", "share"))
        self.house.share("feed.zip", self.good)

    def not_begun(self, *sentences, status=1, arguments=("--once",), **run):
        result = self.house.patrond(*arguments, **run)
        self.assertEqual((result.status, result.entries), (status, []), result.noise)
        for sentence in sentences:
            self.assertIn(sentence, "\n".join(result.noise))
        self.untouched()
        self.assertEqual(os.listdir(self.house.path("runtime")), [])

    def test_missing_credentials(self):
        for name in ("zip-password", "sierra-key", "sftp-key", "report-password"):
            with self.subTest(name):
                path = self.house.path("credentials", name)
                os.rename(path, path + ".away")
                try:
                    self.not_begun(f"the credential {name} cannot be read (No such file or directory): make {path}, readable by patrond's user alone")
                finally:
                    os.rename(path + ".away", path)
        self.not_begun("CREDENTIALS_DIRECTORY is not set: it names the folder of the credentials",
                       prefix=["env", "-u", "CREDENTIALS_DIRECTORY"])

    def test_credential_of_another(self):
        path = self.house.path("credentials", "zip-password")
        os.chmod(path, 0)
        try:
            self.not_begun("the credential zip-password cannot be read (Permission denied)")
        finally:
            os.chmod(path, 0o400)

    def test_missing_configuration(self):
        self.not_begun("/nowhere/patrond.conf: cannot be read: No such file or directory", arguments=("--once", "--config", "/nowhere/patrond.conf"))

    def test_wrong_configuration(self):
        lines = open(self.house.path("patrond.conf"), encoding="utf-8").read().count("\n")
        for extra, sentence in (("[sierra]\nspeed = 9\n", "[sierra] has no key of that name"), ("[shares]\n", "no section of that name"),
                                ("[sierra]\nconnections = 99\n", "[sierra] connections: "), ("[patron]\nterm = forever\n", "[patron] term: ")):
            with self.subTest(extra):
                self.house.config(extra, ("sftp", "share"))
                self.not_begun(f"patrond.conf:{lines + extra.count(chr(10))}: ", sentence)

    def test_nothing_to_do(self):
        self.house.config("", ())
        self.not_begun("there is no source: neither [share] nor [sftp]")
        with open(self.house.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write(f"[share]\npath = {self.house.path('share')}\n")
        self.not_begun("the section [sierra] is missing")

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_as_root(self):
        self.not_begun("refuses to run as root: no stage runs as uid 0. Where its service is installed: systemctl start patrond, and patronctl run for a look at "
                       "once. By hand start it as a system user of its own", become=False)

    def test_a_journal_that_is_not_its_own(self):
        self.not_begun("--log journal is refused here", "rows must never reach a persistent journal", log="journal")

    def test_usage(self):
        for arguments, sentence in ((("--twice",), "See patrond --help."), (("--once", "now"), "now: no such argument; see patrond --help"),
                                    (("--dry-run",), "--dry-run goes with --once")):
            with self.subTest(arguments):
                self.not_begun(sentence, arguments=arguments)
        self.not_begun("--log is journal, console or json", log="syslog")


if __name__ == "__main__":
    stagekit.main()
