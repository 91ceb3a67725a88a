# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way with real parts: a zip of 7z or zip over OpenSSH or from the share, patrond, Sierra's stand-in over TLS.

The load is written by hand, and so is what must become of it (hand_feed.py). What depends on Sierra's answers is in
test_end_to_end_failures.py, what depends on several feeds in test_end_to_end_newest.py, many made rows in
test_end_to_end_made.py.
"""
import csv
import hashlib
import io
import os
import re
import unittest

import feed_kit
import hand_feed
import stagekit
from fault_proxy import FaultProxy
from feed_kit import House, pack
from rig import REPORT_PASSWORD, WRITTEN

BOTH = ("student", "staff")
OUTCOMES = ("CREATED", "RENEWED", "CURRENT", "SKIPPED", "HELD", "REJECTED", "FAILED")


def hand_zip(tool="7z", kinds=BOTH, folder="", others=None, **form):
    """The load written by hand, in this form."""
    header = form.pop("header", False)
    dcid = form.pop("dcid", None)
    entries = dict(others or {})
    if "student" in kinds:
        entries[folder + feed_kit.STUDENTS] = feed_kit.feed(
            hand_feed.lines("student"), feed_kit.STUDENT_HEADER if header else None, dcid, **form)
    if "staff" in kinds:
        entries[folder + feed_kit.STAFF] = feed_kit.feed(
            hand_feed.lines("staff"), feed_kit.STAFF_HEADER if header else None, **form)
    return pack(entries, tool)


def leaks(data):
    """The personal data that stand in these bytes, in whatever case."""
    data = data.lower()
    found = []
    for word in hand_feed.PERSONAL:
        for encoding in ("utf-8", "cp1252"):
            if word.encode(encoding).lower() in data or word.upper().encode(encoding).lower() in data or \
                    word.lower().encode(encoding) in data:
                found.append(word)
    return sorted(set(found))


class Case(unittest.TestCase):
    """One house a class, a fresh Sierra with the patrons written by hand for each test."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)
        cls.house.start_sftp()

    def setUp(self):
        self.house.forget()
        self.house.config()
        self.house.sierra_with(hand_feed.patrons())

    def is_complete(self, result, status=0):
        self.assertEqual(result.status, status, (result.messages()[-4:], result.noise[:20]))
        self.assertEqual(result.noise, [])

    def outcomes_are(self, result, kinds=BOTH):
        """Each row's entry says what was written down for it; those that are current have none. Returns ids of creates."""
        rows, made = result.rows(), {}
        for (kind, row), case in hand_feed.expected(kinds).items():
            got = rows.pop((kind, row), ("current", "", case.patron_id))
            if case.outcome == "created":
                made[kind, row] = got[2]
                got = (got[0], got[1], 0)
            self.assertEqual(got, (case.outcome, case.reason, case.patron_id), f"{kind} row {row}: {case.row}")
        self.assertEqual(rows, {}, "outcomes of no row")
        return made

    def sierra_is(self, made, kinds=BOTH):
        """Field by field: those created, those renewed, and that nobody else was touched."""
        before, after = self.house.before, self.house.dump()
        cases = hand_feed.expected(kinds)
        renewed = {case.patron_id for case in cases.values() if case.outcome == "renewed"}
        for number, patron in before.items():
            want = dict(patron)
            now = after.pop(number)
            if number in renewed:
                want["expirationDate"] = hand_feed.NEW
                # the server's own bookkeeping of a PUT
                for field in ("_puts", "_revisions", "_activityDate", "updatedDate", "fixedFields"):
                    want.pop(field, None)
                    now.pop(field, None)
            self.assertEqual(now, want, f"patron {number}")
        for key, number in made.items():
            got = after.pop(number)
            self.assertEqual({field: got[field] for field in WRITTEN if field in got}, cases[key].body, f"row {key}")
            self.assertEqual(got["_posts"], 1)
            self.assertNotIn("varFields", got)
        self.assertEqual(after, {}, "patrons that no row asks for")
        counters = self.house.counters()
        for name in ("creates_of_existing_barcode", "puts_that_changed_nothing", "puts_that_moved_date_backwards",
                     "empty_strings_written"):
            self.assertEqual(counters[name], 0, name)
        self.assertEqual((counters["requests"]["put"], counters["requests"]["post"]), (len(renewed), len(made)))

    def proves(self, result, kinds=BOTH):
        self.is_complete(result)
        self.sierra_is(self.outcomes_are(result, kinds), kinds)


class Forms(Case):
    """The same load in every form in which a feed may come: each must end alike."""

    def loads(self, data, kinds=BOTH, by="sftp"):
        if by == "sftp":
            self.house.sftp.put("feed.zip", data, 1_790_000_000)
        else:
            self.house.share("feed.zip", data)
        result = self.house.patrond("--once")
        self.proves(result, kinds)
        return result

    def test_7z_in_a_folder_with_other_entries(self):
        data = hand_zip("7z", folder="export/2026/", others={"export/READ ME.txt": b"nothing,71000001\n", "notes.csv": b"1,2\n",
                                                             "export/2026/chccs_staff.csv": b"another case\n"})
        self.loads(data)

    def test_zip_with_header_dcid_crlf_and_bom(self):
        self.loads(hand_zip("zip", header=True, dcid=lambda i: str(90000 + i), newline="\r\n", encoding="utf-8-sig"))

    def test_7z_with_tabs_windows_1252_and_header(self):
        self.loads(hand_zip("7z", header=True, delimiter="\t", encoding="cp1252"), by="share")

    def test_zip_with_some_dcids_and_no_header(self):
        self.loads(hand_zip("zip", dcid=lambda i: str(90000 + i) if i % 2 else "", newline="\r\n"), by="share")

    def test_7z_with_tabs_dcid_and_header(self):
        self.loads(hand_zip("7z", header=True, dcid=lambda i: str(i), delimiter="\t"))

    def test_zip_windows_1252_without_header(self):
        self.loads(hand_zip("zip", encoding="cp1252"))

    def test_both_servers_over_ipv6(self):
        if not stagekit.has_ipv6_loopback():
            self.skipTest("no ::1")
        house = self.house
        with FaultProxy(house.sftp.port, host="::1") as sftp, FaultProxy(house.sierra_port, host="::1") as sierra:
            with open(house.path("known_hosts_6"), "w", encoding="ascii") as file:
                file.write(house.sftp.known_hosts("::1", sftp.port))
            house.config(f"[sftp]\nhost = ::1\nport = {sftp.port}\nknown_hosts = {house.path('known_hosts_6')}\n"
                         f"[sierra]\nurl = https://[::1]:{sierra.port}/iii/sierra-api/v6\n")
            self.loads(hand_zip("7z"))
            self.assertGreater(min(sftp.connections, sierra.connections), 0)

    def test_passwords_in_rotation(self):
        self.house.credential("zip-password", "the password of last year\n" + feed_kit.PASSWORD + "\nthe one of next year")
        self.addCleanup(self.house.credential, "zip-password", feed_kit.PASSWORD)
        for tool in ("7z", "zip"):
            with self.subTest(tool):
                self.setUp()
                self.loads(hand_zip(tool), by="share")

    def test_the_feed_itself_stays_as_it_is(self):
        data = hand_zip()
        self.loads(data)
        for path in (self.house.share("feed.zip", data), os.path.join(self.house.sftp.drop, "feed.zip")):
            self.assertEqual(self.house.patrond("--once").status, 0)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), data)

    def test_students_alone(self):
        result = self.loads(hand_zip("zip", kinds=("student",), folder="a/"), kinds=("student",))
        self.assertEqual(set(result.summaries()), {"student"})

    def test_staff_alone(self):
        result = self.loads(hand_zip("7z", kinds=("staff",), header=True), kinds=("staff",), by="share")
        self.assertEqual(set(result.summaries()), {"staff"})


class Entries(Case):
    """What is said of a load, and what is not."""

    def test_summaries_and_their_sums(self):
        self.house.share("feed.zip", hand_zip())
        result = self.house.patrond("--once")
        self.proves(result)
        for kind, counts in hand_feed.COUNTS.items():
            summary = result.summaries()[kind]
            self.assertEqual({name: int(summary.get(name, -1)) for name in counts}, counts)
            self.assertEqual(sum(int(summary[name]) for name in OUTCOMES), int(summary["ROWS"]))
            unexpected = [name for name in summary if name.startswith(("REASON_", "INACTIVE_")) and name not in counts]
            self.assertEqual(unexpected, [])
            self.assertEqual(summary["SYSLOG_IDENTIFIER"], "chccs-log-" + kind)
            self.assertIn(f"{counts['ROWS']} rows: {counts['CREATED']} created", summary["MESSAGE"])

    def test_fields_of_every_entry(self):
        self.house.share("feed.zip", hand_zip())
        result = self.house.patrond("--once")
        self.is_complete(result)
        identifiers = {"student": "chccs-log-student", "staff": "chccs-log-staff", None: "patrond"}
        loads = {e["LOAD"] for e in result.entries if "LOAD" in e}
        self.assertEqual(len(loads), 1)
        for entry in result.entries:
            self.assertEqual(set(entry) & {"MESSAGE", "PRIORITY", "MESSAGE_ID", "SYSLOG_IDENTIFIER"},
                             {"MESSAGE", "PRIORITY", "MESSAGE_ID", "SYSLOG_IDENTIFIER"}, entry)
            self.assertTrue(all(isinstance(value, str) for value in entry.values()), entry)
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], identifiers[entry.get("FEED")])
            self.assertRegex(entry["MESSAGE_ID"], "^[0-9a-f]{32}$")
            self.assertRegex(entry["PRIORITY"], "^[2-7]$")
        rows = [e for e in result.entries if "OUTCOME" in e]
        self.assertEqual(len({e["MESSAGE_ID"] for e in rows}), 1)
        for entry in rows:
            self.assertRegex(entry["ROW"], "^[1-9][0-9]*$")
            self.assertIn(entry["LOAD"], loads)
            self.assertIn(entry["FEED"], BOTH)
            self.assertEqual("PATRON_ID" in entry, bool(int(entry.get("PATRON_ID", 0))))
            self.assertEqual("REASON" in entry, entry["OUTCOME"] in ("skipped", "held", "rejected"))

    def test_current_rows_have_an_entry_where_asked(self):
        self.house.config("[log]\ncurrent = yes\n")
        self.house.share("feed.zip", hand_zip())
        result = self.house.patrond("--once")
        self.proves(result)
        rows = result.rows()
        self.assertEqual(set(rows), set(hand_feed.expected()))
        self.assertEqual(rows["student", 6], ("current", "", 1000106))
        self.assertEqual(rows["student", 35], ("current", "", 1000134))

    def test_no_personal_data_anywhere(self):
        self.assertEqual(leaks("say IBÁÑEZ, born 9/4/2014".encode("cp1252")), ["9/4/2014", "Ibáñez"])
        for form in ("json", "console"):
            with self.subTest(form):
                self.house.forget()
                self.house.sierra_with(hand_feed.patrons())
                self.house.share("feed.zip", hand_zip())
                process = self.house.start_patrond("--once", log=form)
                out, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0, err[-600:])
                self.assertEqual(leaks(out.encode()), [])
                self.assertEqual(leaks(err.encode()), [])
                self.assertIn("student row 30: rejected, name", err)
                for folder, _, names in os.walk(self.house.path("runtime")):
                    self.assertEqual(leaks("\n".join(names).encode()), [])
                    for name in names:
                        with open(os.path.join(folder, name), "rb") as file:
                            self.assertEqual(leaks(file.read()), [], name)
                for name in os.listdir(self.house.path("share")):
                    with open(self.house.path("share", name), "rb") as file:
                        self.assertEqual(leaks(file.read() + name.encode()), [], name)


class Report(Case):
    """The clean-up report, opened by another tool with its password, against rows written by hand."""

    def report(self):
        names = [name for name in os.listdir(self.house.path("share")) if name.startswith("barcode_errors-")]
        self.assertEqual(names, [f"barcode_errors-{hand_feed.TODAY:%Y%m%d}.zip"])
        with open(self.house.path("share", names[0]), "rb") as file:
            files, methods = feed_kit.unpack(file.read(), REPORT_PASSWORD)
        self.assertTrue(all(re.match("AES-256", method) for method in methods), methods)
        return {name: list(csv.reader(io.StringIO(data.decode("utf-8-sig")))) for name, data in files.items()}

    def same(self, got, want):
        self.assertEqual(got[0], want[0])
        self.assertEqual(sorted(got[1:]), sorted(want[1:]))

    def test_barcodes(self):
        self.house.share("feed.zip", hand_zip())
        self.is_complete(self.house.patrond("--once"))
        files = self.report()
        self.assertEqual(set(files), {"barcode_errors.csv", "opted_out_patrons.csv"})
        self.same(files["barcode_errors.csv"], hand_feed.CLEANUP)
        self.same(files["opted_out_patrons.csv"], hand_feed.OPTED_OUT)

    def test_work_lists(self):
        self.house.config("[report]\nrows = yes\n")
        self.house.sftp.put("feed.zip", hand_zip())
        self.is_complete(self.house.patrond("--once"))
        files = self.report()
        self.assertEqual(set(files), {"barcode_errors.csv", "held_rows.csv", "rejected_rows.csv", "opted_out_patrons.csv"})
        self.same(files["barcode_errors.csv"], hand_feed.CLEANUP)
        self.same(files["held_rows.csv"], hand_feed.HELD)
        self.same(files["rejected_rows.csv"], hand_feed.REJECTED)

    def test_of_a_held_load_too(self):
        self.house.config("[load]\nstart = manual\n[report]\nrows = yes\n")
        self.house.share("feed.zip", hand_zip())
        result = self.house.patrond("--once")
        self.assertEqual((result.status, self.house.writes()), (4, 0), result.messages()[-4:])
        files = self.report()
        self.same(files["barcode_errors.csv"], hand_feed.CLEANUP)
        self.same(files["held_rows.csv"], hand_feed.HELD)

    def test_is_no_feed_and_not_made_of_nothing(self):
        self.house.sierra_with([feed_kit.patron(1000001, "71999001"), feed_kit.BYSTANDER])
        self.house.share("feed.zip", pack({feed_kit.STUDENTS: feed_kit.feed([feed_kit.student("71999001")])}))
        self.is_complete(self.house.patrond("--once"))
        self.assertEqual(os.listdir(self.house.path("share")), ["feed.zip"])
        self.house.share("barcode_errors-20260101.zip", hand_zip(), age=1)
        result = self.house.patrond("--once")
        self.is_complete(result)
        self.assertEqual((result.summaries(), result.reasons()), ({}, []))


class Again(Case):
    """A second run and a dry run write nothing."""

    def test_second_run_has_nothing_new(self):
        self.house.sftp.put("feed.zip", hand_zip())
        self.proves(self.house.patrond("--once"))
        after = self.house.dump()
        self.house.ask("reset-counters", {})
        result = self.house.patrond("--once")
        self.is_complete(result)
        self.assertEqual((result.rows(), result.summaries()), ({}, {}))
        self.assertEqual(sum(self.house.counters()["requests"].values()), 0)
        self.assertEqual(self.house.dump(), after)

    def test_second_run_without_memory_finds_everything_done(self):
        self.house.sftp.put("feed.zip", hand_zip())
        made = self.outcomes_are(self.house.patrond("--once", memory=False))
        after = self.house.dump()
        self.house.ask("reset-counters", {})
        result = self.house.patrond("--once", memory=False)
        self.is_complete(result)
        self.assertEqual(self.house.writes(), 0)
        self.assertEqual(self.house.dump(), after)
        self.assertEqual(len(made), 10)
        rows = result.rows()
        for key, case in hand_feed.expected().items():
            got = rows.pop(key, ("current", "", 0))
            if case.outcome in ("created", "renewed", "current"):
                self.assertEqual(got[:2], ("current", ""), key)
            else:
                self.assertEqual(got, (case.outcome, case.reason, case.patron_id), key)
        self.assertEqual(rows, {})
        self.assertEqual(result.summaries()["student"]["CURRENT"], "14")
        self.assertEqual(result.summaries()["staff"]["CURRENT"], "7")

    def everything(self):
        """All files that patrond could write to, with their content and times."""
        found = {}
        for folder in ("share", "runtime", "sftp/drop"):
            for place, folders, names in os.walk(self.house.path(folder)):
                for name in folders + names:
                    path = os.path.join(place, name)
                    stat = os.lstat(path)
                    content = ""
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                found[path] = (stat.st_mtime_ns, oct(stat.st_mode), content)
        return found

    def counts(self, result):
        keep = ("ROWS", "INACTIVE_", "REASON_") + OUTCOMES
        return {kind: {name: n for name, n in summary.items() if name.startswith(keep)}
                for kind, summary in result.summaries().items()}

    def test_dry_run_says_the_same_and_writes_nothing(self):
        old = self.house.share("barcode_errors-20200101.zip", b"an old report, which a real look removes", age=10**7)
        self.house.share("feed.zip", hand_zip())
        self.house.sftp.put("feed.zip", hand_zip("zip", kinds=("staff",)), 1_600_000_000)
        files = self.everything()
        dry = self.house.patrond("--once", "--dry-run")
        self.is_complete(dry)
        self.assertEqual(self.house.writes(), 0)
        self.assertEqual(self.house.dump(), self.house.before)
        self.assertEqual(self.everything(), files)
        self.assertTrue(all(e.get("DRY_RUN") == "1" for e in dry.entries if "OUTCOME" in e or "SUMMARY" in e))
        self.outcomes_are(dry)
        real = self.house.patrond("--once")
        self.proves(real)
        self.assertEqual(self.counts(dry), self.counts(real))
        self.assertEqual({k: v[:2] for k, v in dry.rows().items()}, {k: v[:2] for k, v in real.rows().items()})
        self.assertFalse(os.path.exists(old))

    def test_dry_run_on_a_feed_that_is_done(self):
        self.house.share("feed.zip", hand_zip())
        self.proves(self.house.patrond("--once"))
        files, after = self.everything(), self.house.dump()
        self.house.ask("reset-counters", {})
        dry = self.house.patrond("--once", "--dry-run")
        self.is_complete(dry)
        self.assertEqual((self.house.writes(), self.everything() == files, self.house.dump() == after), (0, True, True))
        self.assertEqual(dry.summaries()["student"]["ROWS"], "37")
        self.assertEqual(dry.summaries()["student"]["CURRENT"], "14")
        self.assertEqual(dry.summaries()["staff"]["CURRENT"], "7")


if __name__ == "__main__":
    stagekit.main()
