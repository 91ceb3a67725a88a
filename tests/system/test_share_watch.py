#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The share as it is watched: every way in which a feed can arrive, and every way in which the share can fail. As root.

On the local file system, on tmpfs, and on a FUSE mount (bindfs) whose changes inotify does not report; test_share_samba.py adds a
real Samba share. Each has the same table: arrivals, the report, the janitor.
"""
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
import unittest

import share_kit
import stagekit
from share_kit import NOBODY, Town, make_zip, own_mounts
from test_janitor import PLAIN, close_in


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not own_mounts():
            raise unittest.SkipTest("no mount namespace")

    def setUp(self):
        self.mounts = []
        self.town = Town()
        self.addCleanup(self.clear)
        self.prepare()

    def prepare(self):
        pass

    @property
    def outside(self):
        """Where people put files: the share itself, or what is behind the mount."""
        return self.town.share

    def clear(self):
        self.town.stop() if self.town.process else None
        for mount in reversed(self.mounts):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
        self.town.close()

    def mount(self, *command, where=None):
        subprocess.run([*command, where or self.town.share], check=True)
        self.mounts.append(where or self.town.share)

    def start(self, watched=True):
        self.town.start()
        if watched:
            self.assertTrue(self.town.wait(lambda: self.town.said("is watched")), self.town.entries)
            self.idle()
        return self.town

    def idle(self):
        """Until the looks that the beginning brings are over."""
        time.sleep(0.8)

    def loaded(self, *keys, timeout=20):
        self.assertTrue(self.town.wait(lambda: self.town.loaded() == list(keys), timeout),
                        (self.town.loads(), [e["MESSAGE"] for e in self.town.entries][-12:]))

    def not_loaded(self, seconds=1.5):
        before = self.town.loaded()
        time.sleep(seconds)
        self.assertEqual(self.town.loaded(), before)


class Arrivals(Case):
    """The ways of arriving, on a local file system."""

    slow = 0  # seconds that a poll takes longer than an event
    done_mode = 0o750  # for the share's group, whatever the umask

    def put(self, *arguments, **options):
        return self.town.put(*arguments, where=self.outside, **options)

    def test_renamed_in_written_slowly_and_under_another_name(self):
        self.start()
        self.put("feed.zip", make_zip("10000001"))
        self.loaded("10000001")
        # written slowly, and closed at the end
        data = make_zip("10000002", rows=400)
        with open(os.path.join(self.outside, "slow.zip"), "wb") as file:
            for at in range(0, len(data), len(data) // 8 + 1):
                file.write(data[at:at + len(data) // 8 + 1])
                file.flush()
                time.sleep(0.06)
        self.loaded("10000001", "10000002")
        # under a name that is taken for an upload under way, then by its own
        with open(os.path.join(self.outside, "third.zip.filepart"), "wb") as file:
            file.write(make_zip("10000003"))
        self.not_loaded(1 + self.slow)
        os.rename(os.path.join(self.outside, "third.zip.filepart"), os.path.join(self.outside, "third.zip"))
        self.loaded("10000001", "10000002", "10000003")
        self.assertEqual(self.town.reasons(), [])

    def test_the_same_bytes_again(self):
        self.start()
        self.put("feed.zip", make_zip("10000001"))
        self.loaded("10000001")
        self.put("the same.zip", make_zip("10000001"))
        os.utime(os.path.join(self.outside, "feed.zip"))
        self.put("feed.zip", make_zip("10000001"))
        self.not_loaded(2 + self.slow)

    def test_an_old_feed_that_is_touched_hides_no_newer_one(self):
        """What is new is told by its content: touching an old feed does not make it the newest."""
        self.town.settings["settle"] = "700ms"
        self.start()
        self.put("old.zip", make_zip("10000001"))
        self.loaded("10000001")
        self.put("new.zip", make_zip("10000002"))
        time.sleep(0.05)
        os.utime(os.path.join(self.outside, "old.zip"))
        self.loaded("10000001", "10000002")
        self.not_loaded()

    def test_ten_at_once(self):
        self.start()
        now = time.time()
        for i in range(10):
            self.put(f"feed{i}.zip", make_zip(str(10000001 + i)), mtime=now - 100 + i)
        deadline = time.monotonic() + 30
        while "10000010" not in self.town.loaded() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.not_loaded()
        loaded = self.town.loaded()
        self.assertEqual(loaded[-1], "10000010", loaded)
        self.assertEqual(loaded, sorted(set(loaded)))

    def test_what_is_no_feed(self):
        self.start()
        with open(self.town.path("outside.zip"), "wb") as file:
            file.write(make_zip("10000009"))
        os.symlink(self.town.path("outside.zip"), os.path.join(self.outside, "link.zip"))
        os.mkfifo(os.path.join(self.outside, "fifo.zip"))
        os.mkdir(os.path.join(self.outside, "folder.zip"))
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(os.path.join(self.outside, "socket.zip"))
        self.put("feed.zip~", make_zip("10000008"))
        self.put(b"na\xefve\xff.zip", make_zip("10000001"))
        self.loaded("10000001")
        self.not_loaded()

    def test_a_bad_feed_blocks_no_later_one(self):
        self.start()
        self.put("bad.zip", b"PK\3\4 no zip at all")
        self.put("half.zip", make_zip("10000005")[:-30])
        self.put("plain.zip", make_zip("10000006", tool="zip-plain"))
        self.assertTrue(self.town.wait(lambda: "zip-plain" in self.town.reasons()))
        self.put("good.zip", make_zip("10000001"))
        self.loaded("10000001")
        # whole at last
        self.put("half.zip", make_zip("10000005"))
        self.loaded("10000001", "10000005")

    def test_replaced_while_it_is_read(self):
        self.start()
        a, b = make_zip("10000001"), make_zip("10000002")
        for i in range(6):
            self.put("feed.zip", a if i % 2 else b)
            time.sleep(0.11)
        self.put("feed.zip", make_zip("10000003"))
        self.assertTrue(self.town.wait(lambda: self.town.loaded()[-1:] == ["10000003"]))
        self.not_loaded()
        self.assertEqual(len(self.town.loaded()), len(set(self.town.loaded())))
        self.assertEqual(self.town.loads("cut"), [])

    def test_arrived_while_patrond_was_down(self):
        self.put("a.zip", make_zip("10000001"), mtime=time.time() - 50)
        self.start()
        self.loaded("10000001")
        self.town.stop()
        self.put("b.zip", make_zip("10000002"))
        self.start()
        self.loaded("10000001", "10000002")

    def test_moved_or_deleted_after_the_load(self):
        for policy in ("move", "delete"):
            with self.subTest(policy=policy):
                for name in os.listdir(self.outside):
                    path = os.path.join(self.outside, name)
                    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
                key = "10000031" if policy == "move" else "10000041"
                self.town.settings["after_load"] = policy
                self.start()
                self.put("feed.zip", make_zip(key))
                self.put("bad.zip", b"not a zip", mtime=time.time() - 30)
                self.assertTrue(self.town.wait(lambda: "feed.zip" not in os.listdir(self.outside)), self.town.entries[-5:])
                time.sleep(0.5)
                self.town.stop()
                self.assertIn(key, self.town.loaded())
                self.assertEqual(sorted(os.listdir(self.outside)), ["bad.zip", "done"] if policy == "move" else ["bad.zip"])
                if policy == "move":
                    with open(os.path.join(self.outside, "done/feed.zip"), "rb") as file:
                        self.assertEqual(file.read(), make_zip(key))
                    self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.outside, "done")).st_mode), self.done_mode)


class OnTmpfs:
    def prepare(self):
        super().prepare()
        self.mount("mount", "-t", "tmpfs", "-o", f"uid={NOBODY.pw_uid},mode=0755", "tmpfs")


class OnFuse:
    """Changes are made behind the mount, where its inotify sees nothing."""

    slow = 1

    @classmethod
    def setUpClass(cls):
        if not shutil.which("bindfs") or not os.path.exists("/dev/fuse"):
            raise unittest.SkipTest("no FUSE here")
        super().setUpClass()

    def prepare(self):
        super().prepare()
        os.mkdir(self.town.path("behind"))
        os.chown(self.town.path("behind"), NOBODY.pw_uid, NOBODY.pw_gid)
        # no caches: what the server knows, the client sees; as cifs with cache=none
        self.mount("bindfs", "-o", "attr_timeout=0,entry_timeout=0,negative_timeout=0,direct_io,allow_other",
                   self.town.path("behind"))
        self.town.settings["remote_poll_interval"] = "500ms"

    @property
    def outside(self):
        return self.town.path("behind")


class ArrivalsOnTmpfs(OnTmpfs, Arrivals):
    pass


class ArrivalsOnFuse(OnFuse, Arrivals):
    def test_it_says_that_it_is_not_local(self):
        self.start()
        self.assertEqual(self.town.said("is watched")[0]["LOCAL"], "0")


class Latency(Case):
    alone = True  # nobody else at the processor

    def test_latency(self):
        """Settle time aside, under a second from the feed's completion to the load's start. The worst: tests/system/run share."""
        self.start()
        pauses = []
        for i in range(5):
            self.town.put(f"feed{i}.zip", make_zip(str(10000001 + i)))
            at = time.time()
            self.assertTrue(self.town.wait(lambda: len(self.town.said("Load 2")) == i + 1))
            pauses.append(self.town.said("Load 2")[i]["_at"] - at - 0.1)
            self.idle()
        self.assertLess(sorted(pauses)[2], 1.0, pauses)


class Failures(Case):
    def test_a_share_that_comes_and_goes(self):
        town = self.town
        self.mount("mount", "-t", "tmpfs", "-o", f"uid={NOBODY.pw_uid},mode=0755", "tmpfs")
        self.start()
        town.put("a.zip", make_zip("10000001"))
        self.loaded("10000001")
        subprocess.run(["umount", self.mounts.pop()], check=True)  # nothing of it is kept open
        self.assertTrue(town.wait(lambda: town.said("not watched for now")))
        self.mount("mount", "-t", "tmpfs", "-o", f"uid={NOBODY.pw_uid},mode=0755", "tmpfs")
        town.put("b.zip", make_zip("10000002"))
        self.loaded("10000001", "10000002")
        # and once more, over what is there: no event tells that
        town.settings["remote_poll_interval"] = "300ms"
        town.stop()
        self.start()
        self.mount("mount", "-t", "tmpfs", "-o", f"uid={NOBODY.pw_uid},mode=0755", "tmpfs")
        town.put("c.zip", make_zip("10000003"))
        self.loaded("10000001", "10000002", "10000003")

    def test_a_share_that_is_not_there_yet(self):
        town = self.town
        os.rmdir(town.share)
        self.start(watched=False)
        self.assertTrue(town.wait(lambda: "share-gone" in town.reasons()))
        os.mkdir(town.share)
        os.chown(town.share, NOBODY.pw_uid, NOBODY.pw_gid)
        town.put("a.zip", make_zip("10000001"))
        self.loaded("10000001")

    def test_the_folder_is_replaced(self):
        town = self.town
        self.start()
        os.rename(town.share, town.path("away"))
        os.mkdir(town.share)
        os.chown(town.share, NOBODY.pw_uid, NOBODY.pw_gid)
        town.put("a.zip", make_zip("10000001"))
        self.loaded("10000001")

    def test_a_full_or_read_only_share_does_not_stop_it(self):
        town = self.town
        town.settings["after_load"] = "move"
        self.start()
        os.chown(town.share, 0, 0)
        os.chmod(town.share, 0o755)
        town.put("a.zip", make_zip("10000001"))
        self.loaded("10000001")
        self.assertTrue(town.wait(lambda: town.said("could not be moved")))
        self.not_loaded()
        # told once, and tried again after a pause, not at every look
        town.put("x.zip", b"nothing")
        time.sleep(1.5)
        self.assertEqual(len(town.said("could not be moved")), 1)
        self.assertEqual(town.here(), ["a.zip", "x.zip"])

    def test_a_flood_overflows_the_queue_and_is_looked_through(self):
        with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
            if int(file.read()) > 20000:
                self.skipTest("the queue is too long here")
        town = self.town
        town.settings["pattern"] = "feed*.zip"
        self.start()
        pids = subprocess.run(["pgrep", "-P", str(town.process.pid)], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(len(pids), 1)
        os.kill(int(pids[0]), signal.SIGSTOP)
        for i in range(17000):
            open(os.path.join(town.share, f"other{i}.doc"), "wb").close()
        town.put("feed.zip", make_zip("10000001"))  # the queue is full: no event tells of it
        os.kill(int(pids[0]), signal.SIGCONT)
        self.loaded("10000001", timeout=40)

    def test_the_watch_is_killed(self):
        town = self.town
        self.start()
        pids = subprocess.run(["pgrep", "-P", str(town.process.pid)], capture_output=True, text=True, check=True).stdout.split()
        os.kill(int(pids[0]), signal.SIGKILL)
        self.assertTrue(town.wait(lambda: len(town.said("is watched")) == 2))
        town.put("feed.zip", make_zip("10000001"))
        self.loaded("10000001")

    def test_files_that_cannot_be_read_come_back_after_pauses(self):
        town = self.town
        town.extra = "[load]\nretry_pause = 700ms\nretry_pause_max = 2s\n"
        self.start()
        town.put("locked.zip", make_zip("10000001"))
        os.chmod(os.path.join(town.share, "locked.zip"), 0)
        self.assertTrue(town.wait(lambda: "share-unreadable" in town.reasons()))
        for i in range(10):  # looks, at each of which it would be tried
            town.put(f"x{i}.zip", b"nothing", mtime=1000 + i)
            time.sleep(0.25)
        tries = town.reasons().count("share-unreadable")
        self.assertIn(tries, (2, 3))
        os.chmod(os.path.join(town.share, "locked.zip"), 0o644)
        self.loaded("10000001")


class Reports(Case):
    def prepare(self):
        self.town.extra = "[report]\n"
        self.say(9)

    def say(self, count):
        with open(self.town.path("cleanup"), "w", encoding="ascii") as file:
            file.write(str(count))

    def reports(self):
        return [n for n in self.town.here() if n.startswith("barcode_errors-")]

    def test_counts_replaced_and_removed(self):
        town = self.town
        town.put("barcode_errors-20250101.zip", b"an old one")
        os.utime(os.path.join(town.share, "barcode_errors-20250101.zip"))
        self.start()
        town.put("a.zip", make_zip("10000001"))
        self.assertTrue(town.wait(lambda: town.said("delivered to the share")))
        entry = town.said("delivered to the share")[0]
        self.assertEqual([entry["CLEANUP_" + c.upper()] for c in stagekit.CLASSES], ["0", "0", "0", "9", "0", "0"])
        self.assertIn("(9 letters)", entry["MESSAGE"])
        self.assertTrue(town.wait(lambda: len(self.reports()) == 1))
        town.put("b.zip", make_zip("10000002"))
        self.assertTrue(town.wait(lambda: len(town.said("delivered to the share")) == 2))
        self.assertEqual(len(self.reports()), 1)
        self.say(0)
        town.put("barcode_errors-20250101.zip", b"an old one")
        town.put("c.zip", make_zip("10000003"))
        self.assertTrue(town.wait(lambda: town.said("Nothing is to be cleaned up")))
        self.assertEqual(self.reports(), [])

    def test_a_load_that_breaks_off_removes_nothing(self):
        town = self.town
        self.start()
        town.put("a.zip", make_zip("10000001"))
        self.assertTrue(town.wait(lambda: self.reports()))
        self.say(0)
        os.rename(town.path("patrond-load"), town.path("patrond-load.away"))
        with open(town.path("patrond-load"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 1\n")
        os.chmod(town.path("patrond-load"), 0o755)
        town.put("b.zip", make_zip("10000002"))
        self.assertTrue(town.wait(lambda: "stage-died" in town.reasons()))
        time.sleep(1)
        self.assertEqual(len(self.reports()), 1)


class ReportsOnTmpfs(OnTmpfs, Reports):
    pass


class ReportsOnFuse(OnFuse, Reports):
    pass


class Janitor(Case):
    """At a close of business: its own go, and nothing else."""

    shows_links = True  # how many links a file has

    def test_at_the_close(self):
        town = self.town
        town.janitor = {"days": "Mon-Sun"}
        others = {"budget.csv": b"a,b\n", "minutes.txt": b"of the meeting\n"}
        for name, data in others.items():
            town.put(name, data, where=self.outside)
        for name in ("patron_barcodes.csv", "all_patrons.csv", "update_1.csv"):
            town.put(name, PLAIN, where=self.outside)
        second, elsewhere = os.path.join(self.outside, "second link.doc"), town.path("elsewhere.csv")
        os.link(os.path.join(self.outside, "all_patrons.csv"), second)
        with open(elsewhere, "wb") as file:
            file.write(PLAIN)
        os.symlink(elsewhere, os.path.join(self.outside, "new_1.csv"))
        left = {*others, "new_1.csv", "second link.doc"}
        with open(os.path.join(self.outside, "patron_barcodes.csv"), "rb") as still_open:
            town.start(env={"TZ": close_in(8)})
            self.assertTrue(town.wait(lambda: set(os.listdir(self.outside)) == left, 40),
                            (os.listdir(self.outside), [e["MESSAGE"] for e in town.entries][-8:]))
            now = still_open.read()
        # it was the file itself that was overwritten, whatever lies between
        self.assertEqual(len(now), len(PLAIN))
        self.assertNotIn(b"Vandermolen", now)
        self.assertTrue(town.wait(lambda: len([e for e in list(town.entries) if "RESULT" in e]) >= 3))
        self.assertEqual({e["FILE"]: e["RESULT"] for e in town.entries if "RESULT" in e},
                         {"patron_barcodes.csv": "overwritten", "update_1.csv": "overwritten",
                          "all_patrons.csv": "unlinked" if self.shows_links else "overwritten"})
        for name, data in others.items():
            with open(os.path.join(self.outside, name), "rb") as file:
                self.assertEqual(file.read(), data)
        with open(elsewhere, "rb") as file:
            self.assertEqual(file.read(), PLAIN)
        with open(second, "rb") as file:
            self.assertEqual(file.read() == PLAIN, self.shows_links)


class JanitorOnTmpfs(OnTmpfs, Janitor):
    pass


class JanitorOnFuse(OnFuse, Janitor):
    pass


if __name__ == "__main__":
    share_kit.main()
