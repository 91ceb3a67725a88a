#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The janitor: what must never be touched first, then what is found, told and taken away. Run as root."""
import datetime
import os
import random
import stat
import struct
import subprocess
import threading
import time
import unittest

import share_kit
import stagekit
from feed_kit import STUDENT_HEADER, STUDENTS, STAFF, feed, pack, staff, student
from share_kit import NOBODY, Town, make_zip, own_mounts
from test_control import Daemon, until
from test_share import ShareCase
from test_supervisor import Fake

PLAIN = feed([student(str(10000001 + i)) for i in range(30)], header=STUDENT_HEADER)
HEADERLESS = feed([staff(str(20000001 + i)) for i in range(30)])
OTHERS = b"Title,Author,Email,City\n" + b"".join(b"Book %d,Somebody,a@example.org,Durham\n" % i for i in range(50))
FUTURE = 4102444800  # 2100
KNOWN = ["patron_barcodes.csv", "barcode_errors.csv", "all_patrons.csv", "update_20260101.csv", "new_students.csv",
         STUDENTS, STAFF, "chccs-log-student.txt"]


def close_in(seconds, close=18 * 3600):
    """A time zone in which business closes in so many seconds."""
    now = datetime.datetime.now(datetime.timezone.utc)
    offset = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6 - (close - seconds)
    offset = int(offset) if offset > -86400 else int(offset) + 86400
    sign, offset = ("-", -offset) if offset < 0 else ("", offset)
    return f"XXX{sign}{offset // 3600:02d}:{offset // 60 % 60:02d}:{offset % 60:02d}"


class HandsCase(ShareCase):
    """patrond-share alone, asked to sweep and to clean."""

    def configure(self, **how):
        super().configure(**how)
        self.janitor()

    def janitor(self, **values):
        with open(self.path("patrond.conf"), "a", encoding="utf-8") as file:
            file.write("[janitor]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))

    def sweep(self, stage):
        stage.send("SHARE_SWEEP")
        frames = stage.until_end()
        self.assertEqual(frames[-1].name, "DONE", frames[-1])
        return {f.file.decode("utf-8", "surrogateescape"): f for f in frames[:-1] if f.name == "SHARE_FOUND"}

    def clean(self, stage, found, **other):
        values = {**found.fields, **other}
        self.send_clean(stage, values)
        return self.cleaned(stage)

    @staticmethod
    def send_clean(stage, values):
        stage.send("SHARE_CLEAN", stagekit.string(values["file"]) + struct.pack("<QqQQ", values["size"], values["mtime"],
                                                                                values["device"], values["inode"]))

    @staticmethod
    def cleaned(stage):
        frames = stage.until_end()
        if frames[-1].name == "FAILURE":
            return frames[-1].code
        return [f for f in frames if f.name == "SHARE_CLEANED"][0].result


class Hands(HandsCase):
    def test_other_names_are_refused_whoever_asks(self):
        stage = self.stage()
        for name in ("budget.csv", "minutes.txt", "feed.zip", "barcode_errors-20260101.zip", ".hidden"):
            self.put(name, b"other people's")
            st = os.stat(os.path.join(self.share, name))
            with self.subTest(name=name):
                stage.send("SHARE_CLEAN", stagekit.string(name) + struct.pack(
                    "<QqQQ", st.st_size, st.st_mtime_ns // 1000, st.st_dev, st.st_ino))
                self.assertEqual(stage.until_end()[-1].code, "protocol")
        self.assertEqual(len(self.here()), 5)

    def test_nothing_is_cleaned_but_with_the_policy_delete(self):
        self.janitor(policy="report")
        self.put("patron_barcodes.csv", PLAIN)
        stage = self.stage()
        self.assertEqual(self.clean(stage, self.sweep(stage)["patron_barcodes.csv"]), "protocol")
        self.assertEqual(self.here(), ["patron_barcodes.csv"])

    def test_what_is_not_what_was_looked_at_stays(self):
        for name, other in (("size", {"size": 1}), ("time", {"mtime": 1}), ("device", {"device": 1}), ("inode", {"inode": 1})):
            with self.subTest(name=name):
                self.put("patron_barcodes.csv", PLAIN)
                stage = self.stage()
                found = self.sweep(stage)["patron_barcodes.csv"]
                self.assertEqual(self.clean(stage, found, **other), "changed")
                with open(self.path("share/patron_barcodes.csv"), "rb") as file:
                    self.assertEqual(file.read(), PLAIN)

    def test_links_folders_and_fifos_are_not_found(self):
        with open(self.path("outside.csv"), "wb") as file:
            file.write(PLAIN)
        os.symlink(self.path("outside.csv"), self.path("share/patron_barcodes.csv"))
        os.mkdir(self.path("share/all_patrons.csv"))
        os.mkfifo(self.path("share/barcode_errors.csv"))
        self.assertEqual(self.sweep(self.stage()), {})

    def test_a_link_in_the_place_of_what_was_found(self):
        for target in ("outside.csv", "share/others.doc"):
            with self.subTest(target=target):
                self.put("patron_barcodes.csv", PLAIN)
                with open(self.path(target), "wb") as file:
                    file.write(b"x" * len(PLAIN))
                os.chown(self.path(target), NOBODY.pw_uid, NOBODY.pw_gid)
                stage = self.stage()
                found = self.sweep(stage)["patron_barcodes.csv"]
                os.unlink(self.path("share/patron_barcodes.csv"))
                os.symlink(self.path(target), self.path("share/patron_barcodes.csv"))
                self.assertEqual(self.clean(stage, found), "changed")
                with open(self.path(target), "rb") as file:
                    self.assertEqual(file.read(), b"x" * len(PLAIN))
                self.assertTrue(os.path.islink(self.path("share/patron_barcodes.csv")))
                os.unlink(self.path("share/patron_barcodes.csv"))

    def test_a_second_link_is_not_overwritten(self):
        for where in ("other.csv", "share/mine.doc"):
            with self.subTest(where=where):
                self.put("patron_barcodes.csv", PLAIN)
                os.link(self.path("share/patron_barcodes.csv"), self.path(where))
                stage = self.stage()
                self.assertEqual(self.clean(stage, self.sweep(stage)["patron_barcodes.csv"]), "unlinked")
                with open(self.path(where), "rb") as file:
                    self.assertEqual(file.read(), PLAIN)
                self.assertFalse(os.path.exists(self.path("share/patron_barcodes.csv")))

    def test_overwritten_synced_and_gone(self):
        self.put("patron_barcodes.csv", PLAIN)
        stage = self.stage()
        found = self.sweep(stage)["patron_barcodes.csv"]
        with open(self.path("share/patron_barcodes.csv"), "rb") as still_open:
            self.assertEqual(self.clean(stage, found), "overwritten")
            now = still_open.read()
        self.assertEqual(self.here(), [])
        self.assertEqual(len(now), len(PLAIN))
        for word in (b"Vandermolen", b"5/17/2012", b"10000001"):
            self.assertNotIn(word, now)

    def test_read_only_files(self):
        self.put("patron_barcodes.csv", PLAIN)
        os.chmod(self.path("share/patron_barcodes.csv"), 0o444)
        stage = self.stage()
        self.assertEqual(self.clean(stage, self.sweep(stage)["patron_barcodes.csv"]), "unlinked")
        self.assertEqual(self.here(), [])

    def test_unreadable_files_are_found_too(self):
        self.put("patron_barcodes.csv", PLAIN)
        os.chown(self.path("share/patron_barcodes.csv"), 0, 0)
        os.chmod(self.path("share/patron_barcodes.csv"), 0o600)
        stage = self.stage()
        self.assertEqual(self.sweep(stage)["patron_barcodes.csv"].what, "known")

    def test_what_may_not_be_unlinked_stays_and_is_said(self):
        self.put("patron_barcodes.csv", PLAIN)
        for how in ("folder", "file system"):
            with self.subTest(how=how):
                if how == "folder":
                    os.chmod(self.share, 0o555)
                    os.chown(self.share, 0, 0)
                else:
                    os.chmod(self.share, 0o755)
                    os.chown(self.share, NOBODY.pw_uid, NOBODY.pw_gid)
                    subprocess.run(["mount", "--bind", self.share, self.share], check=True)
                    self.mounts.append(self.share)
                    subprocess.run(["mount", "-o", "remount,bind,ro", self.share], check=True)
                stage = self.stage()
                self.assertEqual(self.clean(stage, self.sweep(stage)["patron_barcodes.csv"]), "stays")
                self.assertEqual(self.here(), ["patron_barcodes.csv"])
                self.stop(stage)

    def test_what_is_encrypted_is_no_plaintext(self):
        for data in (b"-----BEGIN PGP MESSAGE-----\n", b"age-encryption.org/v1\n", b"Salted__xxxxxxxx", b"7z\xbc\xaf\x27\x1c"):
            with self.subTest(data=data):
                self.put("patron_barcodes.csv", data)
                self.assertEqual(self.sweep(self.stage()), {})

    def test_names(self):
        asked = {"patron_barcodes.zip": "known-zip", "patron_barcodes.csv.zip": "known-zip", "list.csv": "unknown",
                 "feed.zip": "unknown", "PATRON_BARCODES.CSV": "known", "update_.csv": "known"}
        for name in [*KNOWN, *asked, "barcode_errors-20260101.zip", "book.pdf", ".patron_barcodes.csv", "patron_barcodes.csv~",
                     "notes"]:
            self.put(name, b"data")
        found = {name: f.what for name, f in self.sweep(self.stage()).items()}
        self.assertEqual(found, {**{name: "known" for name in KNOWN}, **asked})

    def test_what_a_killed_stage_left_is_found_again(self):
        self.put("patron_barcodes.csv", PLAIN)
        st = os.stat(self.path("share/patron_barcodes.csv"))
        left = f".patrond-{st.st_ino:016x}-{st.st_size:016x}-{'0f' * 16}.aside"
        os.rename(self.path("share/patron_barcodes.csv"), os.path.join(self.share, left))
        # of another inode: put there by somebody, or taken aside by mistake and never put back
        self.put(f".patrond-{st.st_ino + 1000:016x}-{4:016x}-{'0f' * 16}.aside", b"data")
        stage = self.stage()
        found = self.sweep(stage)
        self.assertEqual(list(found), [left])
        self.assertEqual(self.clean(stage, found[left]), "overwritten")
        self.assertEqual(len(self.here()), 1)

    def test_ten_thousand_files_of_which_forty_are_ours(self):
        random.seed(7)
        ours = [f"update_{i}.csv" for i in range(20)] + [f"new_{i}.csv" for i in range(20)]
        others = {f"document {i}.{random.choice(['doc', 'pdf', 'xlsx', 'csv', 'txt'])}": os.urandom(8) for i in range(9960)}
        for name, data in others.items():
            with open(os.path.join(self.share, name), "wb") as file:
                file.write(data)
        for name in ours:
            self.put(name, PLAIN)
        states = {name: os.stat(os.path.join(self.share, name)) for name in others}
        stage = self.stage()
        known = {name: f for name, f in self.sweep(stage).items() if f.what == "known"}
        self.assertEqual(sorted(known), sorted(ours))
        for found in known.values():
            self.assertEqual(self.clean(stage, found), "overwritten")
        self.assertEqual(set(self.here()), set(others))
        for name, data in others.items():
            now = os.stat(os.path.join(self.share, name))
            self.assertEqual((now.st_ino, now.st_mtime_ns, now.st_ctime_ns),
                             (states[name].st_ino, states[name].st_mtime_ns, states[name].st_ctime_ns))
            with open(os.path.join(self.share, name), "rb") as file:
                self.assertEqual(file.read(), data)

    def test_replaced_between_look_and_deletion(self):
        """Somebody puts other files, and links out of the share, in the place of ours all the time."""
        outside = {}
        for i in range(20):
            outside[self.path(f"outside{i}")] = data = b"outside %d " % i * 50
            with open(self.path(f"outside{i}"), "wb") as file:
                file.write(data)
            os.chmod(self.path(f"outside{i}"), 0o666)
        target = os.path.join(self.share, "patron_barcodes.csv")
        mine, stop = {}, threading.Event()

        def replace():
            i = 0
            while not stop.is_set():
                i += 1
                temporary = os.path.join(self.share, ".t")
                if i % 3 == 0:
                    os.symlink(self.path(f"outside{i % 20}"), temporary)
                else:
                    data = b"%d," % i + b"z" * (len(PLAIN) - 12)
                    data += b"#" * (len(PLAIN) - len(data))
                    with open(temporary, "wb") as file:
                        file.write(data)
                    os.chmod(temporary, 0o666)
                    st = os.stat(temporary)
                    mine[st.st_ino] = mine.get(st.st_ino, set()) | {data}
                os.rename(temporary, target)

        self.put("patron_barcodes.csv", PLAIN)
        stage = self.stage()
        thread = threading.Thread(target=replace)
        thread.start()
        results = {}
        try:
            turns, deadline = 0, time.monotonic() + 60
            # on a busy machine the two may not meet for a while
            while turns < 400 or (not results.get("changed") and time.monotonic() < deadline):
                turns += 1
                for name, found in self.sweep(stage).items():
                    if name == "patron_barcodes.csv":
                        result = self.clean(stage, found)
                        results[result] = results.get(result, 0) + 1
        finally:
            stop.set()
            thread.join()
        self.assertTrue(set(results) <= {"overwritten", "changed", "stays"}, results)
        self.assertGreater(results.get("changed", 0), 0, results)
        for path, data in outside.items():
            with open(path, "rb") as file:
                self.assertEqual(file.read(), data, path)
        # whatever is there now is as its owner wrote it: nothing was overwritten but what was deleted
        for name in self.here():
            path = os.path.join(self.share, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as file:
                    data = file.read()
                self.assertTrue(data == PLAIN or any(data in all_ for all_ in mine.values()), name)


class Head(unittest.TestCase):
    """patrond with its janitor, a real share and a real decode."""

    @classmethod
    def setUpClass(cls):
        if not own_mounts():
            raise unittest.SkipTest("no mount namespace")

    def town(self, **janitor):
        town = Town()
        self.addCleanup(town.close)
        town.janitor = {"days": "Mon-Sun", **janitor}
        return town

    @staticmethod
    def found(town):
        return {e["FILE"]: e["PLAINTEXT"] for e in list(town.entries) if "PLAINTEXT" in e}

    def test_off_and_report_delete_nothing(self):
        for policy in ("off", "report"):
            with self.subTest(policy=policy):
                town = self.town(policy=policy)
                town.put("patron_barcodes.csv", PLAIN)
                town.start(env={"TZ": close_in(1)})
                time.sleep(3.5)
                self.assertEqual(town.stop(), 0)
                self.assertEqual(town.here(), ["patron_barcodes.csv"])
                self.assertEqual(self.found(town), {} if policy == "off" else {"patron_barcodes.csv": "known"})
                # when it appears, and at the close
                self.assertEqual(len(town.said("Plaintext on the share: p")), 0 if policy == "off" else 2)

    def test_not_before_the_close_of_business(self):
        town = self.town()
        town.put("patron_barcodes.csv", PLAIN)
        town.start(env={"TZ": close_in(3600)})
        self.assertTrue(town.wait(lambda: self.found(town)))
        time.sleep(1)
        town.stop()
        self.assertEqual(town.here(), ["patron_barcodes.csv"])

    def test_not_on_other_days(self):
        today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a")
        town = self.town(days=today)
        town.put("patron_barcodes.csv", PLAIN)
        town.start(env={"TZ": close_in(1)})
        time.sleep(3)
        town.stop()
        self.assertEqual(town.here(), ["patron_barcodes.csv"])

    def test_at_the_close_of_business(self):
        town = self.town()
        for name in KNOWN:
            town.put(name, PLAIN)
        town.put("patron_barcodes.zip", pack({"x.txt": b"anything"}, "zip-plain"))
        town.put("old feed.csv.zip", pack({STUDENTS: PLAIN}, "zip-plain"))
        town.put("export.csv", PLAIN)
        town.put("staff list.txt", HEADERLESS)
        town.put("books.csv", OTHERS)
        town.put("all_patrons.zip", pack({"all_patrons.csv": PLAIN}, "7z"))
        town.put("notes.zip", pack({"notes.txt": b"hello"}, "zip-plain"))
        town.put("poem.txt", "O Röslein rot, 1, 2\n".encode("latin-1") * 40)
        town.put("feed.zip", make_zip("10000001"))
        town.start(env={"TZ": close_in(5)})
        self.assertTrue(town.wait(lambda: len([e for e in town.entries if "RESULT" in e]) >= len(KNOWN) + 1, 30), town.entries)
        time.sleep(0.5)
        town.stop()
        self.assertEqual(town.noise, [])
        self.assertEqual(self.found(town), {**{n: "known" for n in KNOWN}, "patron_barcodes.zip": "known-zip",
                                            "old\\x20feed.csv.zip": "unknown", "export.csv": "unknown",
                                            "staff\\x20list.txt": "unknown"})
        self.assertEqual({e["RESULT"] for e in town.entries if "RESULT" in e}, {"overwritten"})
        self.assertEqual(town.here(), sorted(["old feed.csv.zip", "export.csv", "staff list.txt", "books.csv", "all_patrons.zip",
                                              "notes.zip", "poem.txt", "feed.zip"]))

    def test_what_comes_later_is_seen_at_once_and_goes_at_the_next_close(self):
        town = self.town()
        town.start(env={"TZ": close_in(6)})
        self.assertTrue(town.wait(lambda: town.said("is watched")))
        # with a time of the past, as a copy keeps it
        town.put("all_patrons.csv", PLAIN, mtime=time.time() - 40 * 86400)
        self.assertTrue(town.wait(lambda: self.found(town), 4))
        self.assertEqual(town.here(), ["all_patrons.csv"])
        self.assertTrue(town.wait(lambda: town.here() == [], 12))
        town.stop()

    def test_what_was_there_at_the_last_close_goes_at_start(self):
        town = self.town()
        town.put("all_patrons.csv", PLAIN)
        time.sleep(2.1)
        status, entries = town.once(env={"TZ": close_in(-1)})
        self.assertEqual((status, town.here()), (0, []), entries)
        self.assertEqual([e["RESULT"] for e in entries if "RESULT" in e], ["overwritten"])
        self.assertEqual([e["MESSAGE"].partition(": it ")[2] for e in entries if "PLAINTEXT" in e],
                         ["lay there at the last close of business already and is deleted now."])

    def test_a_time_in_the_future_puts_nothing_off(self):
        town = self.town()
        town.put("all_patrons.csv", PLAIN, mtime=FUTURE)
        town.start(env={"TZ": close_in(6)})
        self.assertTrue(town.wait(lambda: self.found(town)), town.entries)
        self.assertTrue(town.wait(lambda: any("RESULT" in e for e in town.entries), 30), town.entries)
        town.stop()
        self.assertEqual(([e["RESULT"] for e in town.entries if "RESULT" in e], town.here()), (["overwritten"], []))

    def test_a_time_in_the_future_puts_nothing_off_at_start(self):
        town = self.town()
        town.put("all_patrons.csv", PLAIN, mtime=FUTURE)
        time.sleep(2.1)
        status, entries = town.once(env={"TZ": close_in(-1)})
        self.assertEqual((status, town.here()), (0, []), entries)

    def test_a_server_whose_clock_is_ahead_puts_nothing_off(self):
        """Both times of the file are in the future then: it appeared when it was first seen."""
        share = f"""
            here = os.path.dirname(os.path.abspath(sys.argv[0])) + "/runtime/cleaned"
            if name == "SHARE_SWEEP" and not os.path.exists(here):
                say("SHARE_FOUND", k.string("all_patrons.csv") + struct.pack("<QqqQQB", 7, {FUTURE}000000, {FUTURE}000000, 1, 1, 0))
            elif name == "SHARE_CLEAN":
                open(here, "w").close()
                say("SHARE_CLEANED", b"\\0")
            say("DONE")
            wait()
            """
        with Fake(share=share) as fake:
            fake.extra = "[share]\npoll_interval = 1s\n[janitor]\npolicy = delete\ndays = Mon-Sun\n"
            with Daemon(fake, TZ=close_in(10)):
                until(lambda: os.path.exists(os.path.join(fake.directory, "runtime/cleaned")), "the close of business")

    def test_a_dry_run_lists_and_leaves(self):
        town = self.town()
        town.put("all_patrons.csv", PLAIN)
        town.put("export.csv", PLAIN)
        time.sleep(2.1)
        status, entries = town.once("--dry-run", env={"TZ": close_in(-1)})
        self.assertEqual((status, town.here()), (0, ["all_patrons.csv", "export.csv"]))
        self.assertEqual({e["FILE"]: e.get("DRY_RUN", "") for e in entries if "PLAINTEXT" in e},
                         {"all_patrons.csv": "1", "export.csv": ""})

    def test_what_stays_is_told(self):
        town = self.town()
        town.put("all_patrons.csv", PLAIN)
        os.chown(town.share, 0, 0)
        os.chmod(town.share, 0o755)
        time.sleep(2.1)
        status, entries = town.once(env={"TZ": close_in(-1)})
        self.assertEqual((status, town.here()), (0, ["all_patrons.csv"]))
        self.assertEqual([(e["RESULT"], e["PRIORITY"]) for e in entries if "RESULT" in e], [("stays", "3")])

    def test_no_answer_is_asked_for_again(self):
        """Decode dies while a file is asked about, which does not change afterwards: it is plaintext all the same."""
        town = self.town(policy="report")
        town.settings["poll_interval"] = "1s"
        town.extra = "[load]\nretry_pause = 1s\n"
        os.unlink(town.path("patrond-decode"))
        with open(town.path("broken"), "w", encoding="ascii"), open(town.path("patrond-decode"), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n[ ! -e '{town.path('broken')}' ] || exit 1\nexec '{os.path.join(stagekit.BIN, 'patrond-decode')}'\n")
        os.chmod(town.path("patrond-decode"), 0o755)
        town.put("export.csv", PLAIN)
        town.start()
        self.assertTrue(town.wait(lambda: len(town.said("could not be looked through")) >= 2, 15), town.entries)
        self.assertEqual(self.found(town), {})
        os.unlink(town.path("broken"))
        self.assertTrue(town.wait(lambda: self.found(town) == {"export.csv": "unknown"}, 20), town.entries)
        failures = len(town.said("could not be looked through"))
        time.sleep(2.5)
        town.stop()
        self.assertEqual(len(town.said("could not be looked through")), failures)
        self.assertEqual(len(town.said("Plaintext on the share: e")), 1)

    def test_names_are_escaped(self):
        town = self.town(patterns="*.csv")
        town.put(b"evil\n\xff=\x1b[2J.csv", PLAIN)
        town.once("--dry-run")
        self.assertEqual(list(self.found(town)), ["evil\\x0a\\xff=\\x1b[2J.csv"])


if __name__ == "__main__":
    share_kit.main()
