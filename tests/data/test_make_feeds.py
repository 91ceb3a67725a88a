#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the feed generator: what it says of a feed must be true of the files that it wrote."""

import collections
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import make_feeds  # noqa: E402
from feedgen import pack, plan, registry, world  # noqa: E402

TODAY = "2026-03-02"
TARGET = "2029-02-26"
LAST_CURRENT = "2029-01-29"
STUDENTS, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"


class Case(unittest.TestCase):
    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix="make-feeds-")
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name

    def make(self, *args, name="out", tool="none", quiet=True):
        out = os.path.join(self.dir, name)
        with contextlib.redirect_stdout(io.StringIO() if quiet else sys.stdout):
            make_feeds.main(["--out", out, "--today", TODAY, "--tool", tool, *args])
        with open(os.path.join(out, "expect_counts.json"), encoding="utf-8") as f:
            return out, json.load(f)

    def small(self, *args, **kw):
        return self.make("--students", "4000", "--staff", "2000", "--patrons", "9000", *args, **kw)

    def refused(self, *args):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as caught:
            make_feeds.main(list(args))
        self.assertNotIn(caught.exception.code, (0, None))


def read(out, name):
    with open(os.path.join(out, name), "rb") as f:
        return f.read()


def lines(out, name):
    return [json.loads(line) for line in read(out, name).decode("utf-8").splitlines()]


def rows(out, name, delimiter=","):
    """The rows by Python's own reader, each byte a character; lines of blanks alone left out."""
    text = read(out, os.path.join("plain", name)).decode("latin-1")
    found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return [r for r in found if len(r) > 1 or re.sub("\u00c2?\u00a0|\u00e2\u0080\u0083", "", "".join(r)).strip()]


def digests(out):
    found = {}
    for folder, _, names in os.walk(out):
        for name in names:
            path = os.path.join(folder, name)
            if not name.endswith(".zip"):
                found[os.path.relpath(path, out)] = hashlib.sha256(read("", path)).hexdigest()
    return found


def key_of(cell):
    """The key of a row with nothing wrong in it: its digits."""
    return re.sub(r"[^0-9]", "", cell)


class Refusals(Case):
    def test_usage(self):
        out = os.path.join(self.dir, "x")
        for args in ([], ["--out", out, "--rate", "no-such-case=0.1"], ["--out", out, "--rate", "student-created=2"],
                     ["--out", out, "--rate", "student-created"], ["--out", out, "--header", "teachers"],
                     ["--out", out, "--students", "0", "--staff", "0"], ["--out", out, "--students", "-1"],
                     ["--out", out, "--today", "2026-02-30"], ["--out", out, "--folder", "../up"],
                     ["--out", out, "--tool", "none", "--no-plain"]):
            with self.subTest(args=args):
                self.refused(*args)
        self.assertFalse(os.path.exists(out))

    def test_too_few_rows_for_the_cases(self):
        self.refused("--out", self.dir, "--preset", "all-cases", "--students", "50", "--staff", "50", "--patrons", "10")

    def test_reason_must_fit_outcome(self):
        w = world.World(seed=1, today=make_feeds.datetime.date(2026, 3, 2))
        with self.assertRaises(ValueError):
            w.add(w.person("student"), "held", "opted-out")
        with self.assertRaises(ValueError):
            w.add(w.person("student"), "skipped")


class Determinism(Case):
    def test_same_seed_same_bytes(self):
        one, _ = self.small("--seed", "7", name="one")
        two, _ = self.small("--seed", "7", name="two")
        three, _ = self.small("--seed", "8", name="three")
        self.assertEqual(digests(one), digests(two))
        self.assertNotEqual(digests(one), digests(three))

    def test_process_makes_no_difference(self):
        one, _ = self.small("--seed", "7", name="one")
        two = os.path.join(self.dir, "two")
        subprocess.run([sys.executable, make_feeds.__file__, "--out", two, "--today", TODAY, "--tool", "none", "--seed", "7",
                        "--students", "4000", "--staff", "2000", "--patrons", "9000"], check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(digests(one), digests(two))


class Counts(Case):
    def check(self, out, counts, delimiter=","):
        expected = lines(out, "expect.jsonl")
        for kind, name in (("student", STUDENTS), ("staff", STAFF)):
            mine = [e for e in expected if e["feed"] == kind]
            said = counts["feeds"][kind]
            self.assertEqual([e["row"] for e in mine], list(range(1, said["rows"] + 1)))
            self.assertEqual(len(rows(out, name, delimiter)), said["rows"])
            self.assertEqual(sum(said["outcomes"].values()), said["rows"])
            outcomes = collections.Counter(e["outcome"] for e in mine)
            self.assertEqual({o: n for o, n in said["outcomes"].items() if n}, dict(outcomes))
            reasons = collections.Counter(e["reason"] for e in mine if e["reason"])
            self.assertEqual({r: n for r, n in said["reasons"].items() if n}, dict(reasons))
        self.assertEqual(sum(counts["feeds"]["student"]["inactive_status"].values()),
                         counts["feeds"]["student"]["reasons"]["inactive"])
        patrons = lines(out, "patrons.jsonl")
        self.assertEqual(len({p["id"] for p in patrons}), len(patrons))
        self.assertEqual(sum(not p.get("deleted") for p in patrons), counts["patrons"])
        self.assertEqual(sum(bool(p.get("deleted")) for p in patrons), counts["patrons_deleted"])

    def test_default(self):
        out, counts = self.small()
        self.assertEqual([counts["feeds"][k]["rows"] for k in ("student", "staff")], [4000, 2000])
        self.assertEqual(counts["patrons"], 9000)
        self.assertEqual(counts["expiration"], TARGET)
        self.check(out, counts)

    def test_all_cases(self):
        out, counts = self.make("--preset", "all-cases")
        self.check(out, counts)

    def test_reports(self):
        out, counts = self.small()
        expected = lines(out, "expect.jsonl")
        for name, outcome, head in (("expect_held_rows.csv", "held", "feed,row,reason,patron_id"),
                                    ("expect_rejected_rows.csv", "rejected", "feed,row,reason")):
            found = read(out, name).decode().splitlines()
            self.assertEqual(found[0], head)
            self.assertEqual(len(found) - 1, sum(e["outcome"] == outcome for e in expected))
        found = list(csv.reader(io.StringIO(read(out, "expect_barcode_errors.csv").decode("utf-8"))))
        self.assertEqual(found[0], ["patron_id", "field", "expiration_date", "class"])
        self.assertEqual(len(found) - 1, counts["report_rows"])
        patrons = {str(p["id"]): p for p in lines(out, "patrons.jsonl")}
        for pid, field, date, sort in found[1:]:
            self.assertIn(field, [b.strip() for b in patrons[pid]["barcodes"]])
            self.assertEqual(date, patrons[pid].get("expirationDate", ""))
            self.assertEqual(sort == "ambiguous", field.isdigit())


class Guards(Case):
    def test_default_has_margin(self):
        for students, staff in ((50, 20), (120, 100), (1000, 500), (2000, 2000), (4000, 2000), (12000, 2000), (30000, 5000)):
            with self.subTest(students=students):
                _, counts = self.make("--students", str(students), "--staff", str(staff), "--patrons", "100")
                self.assertEqual(counts["tripped"], [])
                for kind, said in counts["feeds"].items():
                    n, o, r = said["rows"], said["outcomes"], said["reasons"]
                    for count, most in ((o["created"], 0.20), (r["opted-out"], 0.10), (o["rejected"], 0.03), (o["held"], 0.05),
                                        (r["inactive"], 0.30)):
                        self.assertLessEqual(count, most * n, kind)

    def test_presets_trip_their_guard_alone(self):
        for preset in ("creates", "rejected", "opted-out", "inactive", "held"):
            for students, staff in ((120, 20), (300, 120), (12000, 2000)):
                with self.subTest(preset=preset, students=students):
                    _, counts = self.make("--preset", preset, "--students", str(students), "--staff", str(staff), "--patrons", "10")
                    self.assertEqual(counts["tripped"], [preset])
                    self.assertEqual(list(counts["feeds"]["student"]["tripped"]), [preset])

    def test_shares_count_from_100_rows(self):
        self.assertEqual(plan.tripped(99, {"created": 99}), {})
        self.assertEqual(plan.tripped(100, {"created": 30}), {})
        self.assertEqual(plan.tripped(100, {"created": 31}), {"creates": [31, 100]})

    def test_clean(self):
        _, counts = self.small("--preset", "clean")
        for said in counts["feeds"].values():
            self.assertEqual([said["outcomes"][o] for o in ("skipped", "held", "rejected")], [0, 0, 0])

    def test_rate(self):
        _, counts = self.small("--preset", "clean", "--rate", "student-inactive=0.1", "--rate", "staff-created=0")
        self.assertEqual(counts["feeds"]["student"]["reasons"]["inactive"], 400)
        self.assertEqual(counts["feeds"]["staff"]["outcomes"]["created"], 0)


class Truth(Case):
    """What can be checked of the verdicts without matching: where keys and dates are."""

    def check(self, *args):
        out, _ = self.make(*args)
        bearers = collections.defaultdict(set)
        patrons = {}
        for p in lines(out, "patrons.jsonl"):
            if p.get("deleted"):
                continue
            patrons[p["id"]] = p
            for field in p.get("barcodes") or []:
                bearers[field.strip()].add(p["id"])
        feeds = {"student": rows(out, STUDENTS), "staff": rows(out, STAFF)}
        renewed = set()
        seen = collections.Counter()
        for e in lines(out, "expect.jsonl"):
            row = feeds[e["feed"]][e["row"] - 1]
            key = key_of(row[1]) if len(row) > 1 else ""
            seen[e["outcome"]] += 1
            if e["outcome"] == "created":
                self.assertFalse(bearers[key], e)
                self.assertEqual(e["patron"]["barcodes"], [key])
                self.assertEqual(e["patron"]["expirationDate"], TARGET)
                self.assertNotIn("", [v for v in e["patron"].values()])
                self.assertRegex(e["patron"]["pin"], r"^[0-9]{2}x[0-9]{2}$")
            elif e["outcome"] in ("renewed", "current"):
                self.assertEqual(bearers[key], {e["patron_id"]}, e)
                date = patrons[e["patron_id"]].get("expirationDate", "")
                good = re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}$", date) and date >= LAST_CURRENT
                if e["outcome"] == "renewed":
                    self.assertFalse(good, e)
                    self.assertNotIn(e["patron_id"], renewed, "renewed twice")
                    renewed.add(e["patron_id"])
                else:
                    self.assertTrue(good or e["patron_id"] in renewed, e)
            elif e["reason"] == "ambiguous":
                self.assertGreater(len(bearers[key]), 1, e)
            elif e["reason"] == "identity-mismatch":
                self.assertEqual(bearers[key], {e["patron_id"]}, e)
            elif e["reason"] == "needs-cleanup":
                self.assertFalse(bearers[key], e)
        self.assertGreater(min(seen.values()), 0)

    def test_default(self):
        self.check("--students", "12000", "--staff", "2000", "--patrons", "20000")

    def test_all_cases(self):
        self.check("--preset", "all-cases")

    def test_other_layouts(self):
        self.check("--preset", "all-cases", "--encoding", "cp1252", "--dcid", "--newline", "lf")


class AllCases(Case):
    def test_every_case_once(self):
        out, counts = self.make("--preset", "all-cases")
        expected = lines(out, "expect.jsonl")
        self.assertEqual(set(registry.load()) - {e["case"] for e in expected}, set())
        for outcome, reasons in world.OUTCOMES.items():
            for reason in reasons:
                self.assertTrue(any((e["outcome"], e["reason"]) == (outcome, reason) for e in expected), (outcome, reason))
        self.assertLess(sum(f["rows"] for f in counts["feeds"].values()), 1200)
        self.assertIn(b"\r\n\r\n", read(out, "plain/" + STUDENTS))

    def test_groups_are_true(self):
        expected = lines(self.make("--preset", "all-cases")[0], "expect.jsonl")
        for name, case in registry.load().items():
            found = {e["reason"] or e["outcome"] for e in expected if e["case"] == name} | \
                {e["outcome"] for e in expected if e["case"] == name}
            self.assertIn(case.group, found, name)

    def test_one_feed_alone(self):
        out, counts = self.make("--preset", "all-cases", "--staff", "0")
        self.assertEqual(list(counts["feeds"]), ["student"])
        self.assertEqual(os.listdir(os.path.join(out, "plain")), [STUDENTS])


class Layout(Case):
    def first_line(self, out, name=STUDENTS):
        return re.split(rb"[\r\n]", read(out, "plain/" + name))[0]

    def test_first_line_is_ordinary(self):
        for seed in range(20):
            out, _ = self.make("--preset", "all-cases", "--seed", str(seed), "--patrons", "10")
            for name in (STUDENTS, STAFF):
                self.assertNotRegex(self.first_line(out, name), rb'[\t"]')
                self.assertGreaterEqual(self.first_line(out, name).count(b","), 13)

    def test_header(self):
        out, counts = self.small("--header", "student", "--dcid")
        self.assertTrue(self.first_line(out).startswith(b"S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,"))
        self.assertTrue(self.first_line(out).endswith(b",S_NC_STUDENTDEMO.STUDENTSDCID"))
        self.assertEqual(len(rows(out, STUDENTS)), counts["feeds"]["student"]["rows"] + 1)
        self.assertNotIn(b"UIDStaffID", read(out, "plain/" + STAFF))

    def test_tab(self):
        out, counts = self.small("--delimiter", "tab")
        self.assertGreaterEqual(self.first_line(out).count(b"\t"), 14)
        self.assertEqual(len(rows(out, STUDENTS, "\t")), counts["feeds"]["student"]["rows"])

    def test_newlines(self):
        plain = self.small("--newline", "lf")[0]
        self.assertEqual(self.first_line(plain).count(b"\r"), 0)
        self.assertTrue(read(plain, "plain/" + STAFF).endswith(b"\n"))
        self.assertFalse(read(self.small("--no-final-newline")[0], "plain/" + STAFF).endswith(b"\n"))

    def test_encodings(self):
        bom = read(self.make("--preset", "all-cases", "--encoding", "utf-8-bom")[0], "plain/" + STAFF)
        self.assertEqual(bom[:3], b"\xef\xbb\xbf")
        utf8 = read(self.make("--preset", "all-cases")[0], "plain/" + STUDENTS)
        cp1252 = read(self.make("--preset", "all-cases", "--encoding", "cp1252")[0], "plain/" + STUDENTS)
        self.assertIn("\u00e9\u00f1\u00fc".encode("utf-8"), utf8)
        self.assertIn("\u00e9\u00f1\u00fc".encode("cp1252"), cp1252)
        # What Windows-1252 cannot write stays UTF-8, field by field; some fields of a UTF-8 feed are not UTF-8.
        self.assertIn("\u0142\u0111".encode("utf-8"), cp1252)
        with self.assertRaises(UnicodeDecodeError):
            utf8.decode("utf-8")

    def test_refused_loads(self):
        out, counts = self.small("--refuse", "header-inserted")
        self.assertEqual(counts["refused"], "header-inserted")
        self.assertIn(b",Homeroom,", self.first_line(out))
        out, _ = self.small("--refuse", "open-quote")
        with self.assertRaises((csv.Error, AssertionError)):
            self.assertEqual(len(rows(out, STUDENTS)), 4000)


class Zip(Case):
    def list(self, archive, password):
        return subprocess.run(["7z", "t", "-bd", "-p" + password, archive], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)

    def technical(self, archive):
        done = subprocess.run(["7z", "l", "-slt", archive], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout.decode()

    def test_aes(self):
        out, counts = self.small("--folder", "upload", "--no-plain", tool="7z")
        archive = os.path.join(out, counts["zip"])
        self.assertEqual(self.list(archive, pack.PASSWORD).returncode, 0)
        self.assertNotEqual(self.list(archive, "wrong").returncode, 0)
        said = self.technical(archive)
        self.assertIn("Path = upload/" + STUDENTS, said)
        self.assertIn("Path = upload/" + STAFF, said)
        self.assertEqual(said.count("AES-256"), 2)
        self.assertFalse(os.path.exists(os.path.join(out, "plain")))
        for folder, _, names in os.walk(out):
            self.assertFalse([n for n in names if n in (STUDENTS, STAFF)], folder)

    def test_content_and_password_file(self):
        secret = os.path.join(self.dir, "secret")
        with open(secret, "w", encoding="utf-8") as f:
            f.write("another invented one\nan older one\n")
        out, counts = self.small("--password-file", secret, "--extra", "2", tool="7z")
        found = subprocess.run(["7z", "e", "-so", "-panother invented one", os.path.join(out, counts["zip"]), STAFF],
                               stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
        self.assertEqual(found, read(out, "plain/" + STAFF))
        self.assertEqual(read(out, "zip-password"), b"another invented one\n")
        self.assertIn("notes-2.txt", self.technical(os.path.join(out, counts["zip"])))

    def test_zipcrypto_and_plain(self):
        out, counts = self.small(tool="zip")
        archive = os.path.join(out, counts["zip"])
        self.assertEqual(self.technical(archive).count("ZipCrypto"), 2)
        self.assertEqual(self.list(archive, pack.PASSWORD).returncode, 0)
        out, counts = self.small(tool="zip-plain", name="plain-zip")
        self.assertEqual(self.technical(os.path.join(out, counts["zip"])).count("Encrypted = -"), 2)


class NobodyReal(Case):
    def test_addresses_and_numbers(self):
        out, _ = self.make("--preset", "all-cases")
        text = read(out, "plain/" + STUDENTS) + read(out, "plain/" + STAFF) + read(out, "patrons.jsonl")
        for host in set(re.findall(rb"@([A-Za-z0-9.-]*)", text)):
            self.assertRegex(host.lower(), rb"^((students|staff|mail)\.example\.org|home\.invalid)$")
        bodies = lines(out, "patrons.jsonl") + [e.get("patron", {}) for e in lines(out, "expect.jsonl")]
        phones = {phone["number"] for p in bodies for phone in p.get("phones", ())}
        self.assertGreater(len(phones), 50)
        for phone in phones:
            self.assertRegex(phone, r"^(\()?919(\))?.*555-01[0-9]{2}\b")

    def test_tokens(self):
        out, _ = self.small("--token-mode")
        tokens = read(out, "tokens.txt").decode().split("\n")[:-1]
        self.assertEqual(len(set(t.lower() for t in tokens)), len(tokens))
        self.assertGreaterEqual(min(len(t) for t in tokens), 12)
        known = set(t.lower() for t in tokens)
        students = rows(out, STUDENTS)
        expected = [e for e in lines(out, "expect.jsonl") if e["feed"] == "student"]
        for row, e in zip(students, expected):
            if e["case"] != "student-current":
                continue
            self.assertIn(row[2].lower(), known)
            self.assertIn(row[3].lower(), known)
            self.assertIn(row[7].split()[1].lower(), known)
            self.assertRegex(row[4], r"/190[0-9]$")
        for p in lines(out, "patrons.jsonl"):
            if len(p.get("birthDate", "")) == 10 and p.get("birthDate") not in ("0000-00-00", "2011-02-30"):
                self.assertRegex(p["birthDate"], r"^(190[0-9]-|1980-01-01|1951-03-04)")


def main():
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
    # A subtest that fails is one more failure of the same test; a test counts once.
    failed = len({getattr(t, "test_case", t).id() for t, _ in result.failures + result.errors})
    print("%d passed, %d failed" % (result.testsRun - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
