#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-share as the supervisor drives it: what must not be read, written, followed or waited for, first.

PATROND_BIN names the folder of the built programs (default: build/bin). Run as root: the stage becomes nobody, and the
test gets a mount namespace of its own.
"""
import ctypes
import datetime
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import stagekit

BIN = stagekit.BIN
NOBODY = pwd.getpwnam("nobody")
WALLS_REQUIRED = 0x0F
CLONE_NEWNS = 0x00020000


def report_name(days_ago=0, feed=""):
    # the stage counts days by UTC
    day = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days_ago)
    return day.strftime(f"barcode_errors-%Y%m%d{feed}.zip")


class ShareCase(unittest.TestCase):
    config = ""

    @classmethod
    def setUpClass(cls):
        # Mounts made here are nobody else's.
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            raise unittest.SkipTest("no mount namespace")
        # in a chroot "/" is no mount, and its mounts were made private by who made it
        subprocess.run(["mount", "--make-rprivate", "/"], check=False, stderr=subprocess.DEVNULL)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="share-test-")
        os.chmod(self.folder, 0o755)
        self.share = self.path("share")
        os.mkdir(self.share)
        os.chown(self.share, NOBODY.pw_uid, NOBODY.pw_gid)
        self.configure()
        self.mounts = []

    def tearDown(self):
        for mount in reversed(self.mounts):
            subprocess.run(["umount", "-l", mount], check=True)
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, pattern="*.zip", path=None, keep=14, rows="no"):
        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write(f"[share]\npath = {path or self.share}\npattern = {pattern}\n[report]\nkeep = {keep}\nrows = {rows}\n")

    def mount(self, options, where=None):
        where = where or self.share
        subprocess.run(["mount", "-t", "tmpfs", "-o", options + f",uid={NOBODY.pw_uid},mode=0755", "tmpfs", where],
                       check=True)
        self.mounts.append(where)

    def umount(self):
        subprocess.run(["umount", self.mounts.pop()], check=True)

    def put(self, name, data=b"zip", age=0, folder=None):
        path = os.path.join(os.fsencode(folder or self.share), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(data)
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        if age:
            os.utime(path, (time.time() - age,) * 2)
        return os.stat(path)

    def here(self):
        return sorted(os.listdir(self.share))

    def stage(self, **how):
        stage = stagekit.Stage(os.path.join(BIN, "patrond-share"), self.path("patrond.conf"), **how)
        self.addCleanup(self.stop, stage)
        first = stage.receive()
        self.assertEqual(first.name, "WALLS", first)
        self.assertEqual(first.walls & WALLS_REQUIRED, WALLS_REQUIRED)
        return stage

    @staticmethod
    def stop(stage):
        stage.close()

    def list(self, stage, payload=b""):
        stage.send("SHARE_LIST", payload)
        frames = stage.until_end()
        self.assertEqual(frames[-1].name, "DONE", frames)
        self.assertTrue(all(f.name == "LISTING" for f in frames[:-1]), frames)
        return {f.file: (f.size, f.mtime) for f in frames[:-1]}

    def names(self, stage, payload=b""):
        return sorted(self.list(stage, payload))

    @staticmethod
    def copy_payload(name, size, mtime_usec):
        return stagekit.string(name) + struct.pack("<Qq", size, mtime_usec)

    def copy(self, stage, name, size, mtime_usec, fd=None):
        """Returns (last frame, bytes copied)."""
        own = fd is None
        fd = stagekit.feed_fd() if own else fd
        stage.send("SHARE_COPY", self.copy_payload(name, size, mtime_usec), (fd,))
        frames = stage.until_end()
        data = os.pread(fd, 1 << 30, 0)
        if own:
            os.close(fd)
        if frames[-1].name == "DONE":
            self.assertEqual([f.name for f in frames if f.name != "PROGRESS"], ["COPIED", "DONE"])
            self.assertEqual(frames[-2].size, len(data))
        return frames[-1], data

    def copy_as_is(self, stage, name, **how):
        st = os.lstat(os.path.join(os.fsencode(self.share), os.fsencode(name)))
        return self.copy(stage, name, st.st_size, st.st_mtime_ns // 1000, **how)

    def deliver(self, stage, name, data=b"report", fd=None):
        own = fd is None
        fd = stagekit.feed_fd(data) if own else fd
        stage.send("SHARE_DELIVER", stagekit.string(name), (fd,))
        last = stage.until_end()[-1]
        if own:
            os.close(fd)
        return last

    def remove(self, stage, name):
        stage.send("SHARE_REMOVE", stagekit.string(name))
        return stage.until_end()[-1]

    def refused(self, frame, code):
        self.assertEqual((frame.name, frame.fields.get("code")), ("FAILURE", code))


class Listing(ShareCase):
    def test_empty(self):
        self.assertEqual(self.names(self.stage()), [])

    def test_what_is_no_feed(self):
        for name in (".hidden.zip", ".feed.zip.AbC", "feed.zip.filepart", "feed.zip.partial", "feed.zip.part", "a.tmp",
                     "feed.zip.crdownload", "feed.zip.FILEPART", "~$feed.zip", "~feed.zip", "feed.zip~", "feed.txt",
                     "feed.ZIP", "feed", "barcode_errors-20251124.zip", "barcode_errors-x.zip", "BARCODE_ERRORS-1.zip",
                     report_name() + ".copy"):
            self.put(name)
        os.mkdir(self.path("share/folder.zip"))
        self.put("feed.zip", folder=self.path("share/folder.zip"))
        self.put("real", folder=self.folder)
        os.symlink(self.path("real"), self.path("share/link.zip"))
        os.symlink("/etc/passwd", self.path("share/away.zip"))
        os.symlink("nowhere", self.path("share/dangling.zip"))
        os.mkfifo(self.path("share/fifo.zip"))
        os.mknod(self.path("share/device.zip"), 0o666 | 0o020000, os.makedev(1, 5))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("share/socket.zip"))
            self.assertEqual(self.names(self.stage()), [])
            self.configure(pattern="*")
            # with a pattern for everything, what is unfinished, linked or ours stays out all the same
            self.assertEqual(self.names(self.stage()),
                             sorted(n.encode() for n in ("feed.txt", "feed.ZIP", "feed", report_name() + ".copy")))

    def test_names_as_they_are(self):
        names = [b"feed.zip", b"two words.zip", b"\xff\xfe latin\xe9.zip", b"new\nline.zip", "schüler.zip".encode(),
                 b"-rf.zip", b"$(id).zip", b"a" * 251 + b".zip"]
        for name in names:
            self.put(name)
        self.assertEqual(self.names(self.stage()), sorted(names))

    def test_pattern(self):
        self.configure(pattern="chccs_20[0-9][0-9]*.zip")
        self.put("chccs_2025.zip")
        self.put("chccs_x.zip")
        self.assertEqual(self.names(self.stage()), [b"chccs_2025.zip"])

    def test_size_and_time(self):
        st = self.put("feed.zip", b"x" * 12345)
        os.utime(self.path("share/feed.zip"), ns=(1_700_000_000_123_456_789,) * 2)
        self.put("old.zip", b"")
        os.utime(self.path("share/old.zip"), (-5, -5))
        self.assertEqual(self.list(self.stage()), {b"feed.zip": (12345, 1_700_000_000_123_456), b"old.zip": (0, -5_000_000)})
        self.assertEqual(st.st_size, 12345)

    def test_no_more_files_than_can_be_looked_at(self):
        for n in range(4096):
            self.put(f"{n}.zip", b"")
        self.put("none.txt")
        stage = self.stage()
        self.assertEqual(len(self.names(stage)), 4096)
        self.put("one more.zip")
        stage.send("SHARE_LIST")
        self.refused(stage.until_end()[-1], "listing-too-long")

    def test_unreadable(self):
        os.chown(self.share, 0, 0)
        os.chmod(self.share, 0o700)
        stage = self.stage()
        stage.send("SHARE_LIST")
        self.refused(stage.until_end()[-1], "share-unreadable")

    def test_not_searchable(self):
        """Names can be read, but nothing of them: that is not an empty share."""
        self.put("feed.zip")
        os.chown(self.share, 0, 0)
        os.chmod(self.share, 0o744)
        stage = self.stage()
        stage.send("SHARE_LIST")
        self.assertIn(stage.until_end()[-1].code, ("share-unreadable", "share-gone"))

    def test_not_there(self):
        os.rmdir(self.share)
        stage = self.stage()
        for _ in range(2):
            stage.send("SHARE_LIST")
            self.refused(stage.until_end()[-1], "share-gone")
        self.refused(self.deliver(stage, report_name()), "share-gone")
        self.put("share", folder=self.folder)  # a file where the folder should be
        stage.send("SHARE_LIST")
        self.refused(stage.until_end()[-1], "share-gone")
        os.unlink(self.share)
        os.mkdir(self.share)

    def test_no_section(self):
        with open(self.path("patrond.conf"), "w", encoding="utf-8"):
            pass
        with stagekit.Stage(os.path.join(BIN, "patrond-share"), self.path("patrond.conf")) as stage:
            self.refused(stage.receive(), "config")
            self.assertIsNone(stage.receive())

    def test_listing_again_and_again(self):
        stage = self.stage()
        for n in range(50):
            self.put(f"{n}.zip")
            self.assertEqual(len(self.names(stage)), n + 1)


class Copying(ShareCase):
    def test_copy(self):
        stage = self.stage()
        for size in (0, 1, 262143, 262144, 262145, 3_000_000):
            with self.subTest(size=size):
                data = os.urandom(size)
                self.put("feed.zip", data)
                last, copied = self.copy_as_is(stage, "feed.zip")
                self.assertEqual(last.name, "DONE")
                self.assertTrue(copied == data)

    def test_names_as_they_are(self):
        stage = self.stage()
        for name in (b"\xff.zip", b"new\nline.zip", b"-rf", b"a" * 255):
            self.put(name, name)
            self.assertEqual(self.copy_as_is(stage, name)[1], name)

    def test_gone_or_no_file(self):
        self.put("secret", b"secret", folder=self.folder)
        os.symlink(self.path("secret"), self.path("share/link.zip"))
        os.symlink("/etc/passwd", self.path("share/passwd.zip"))
        self.put("feed.zip")
        os.symlink("feed.zip", self.path("share/inside.zip"))
        os.mkdir(self.path("share/folder.zip"))
        os.mkfifo(self.path("share/fifo.zip"))
        os.mknod(self.path("share/device.zip"), 0o666 | 0o020000, os.makedev(1, 5))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("share/socket.zip"))
            stage = self.stage()
            for name in ("gone.zip", "link.zip", "passwd.zip", "inside.zip", "folder.zip", "fifo.zip", "device.zip",
                         "socket.zip", ".", ".."):
                with self.subTest(name=name):
                    last, copied = self.copy(stage, name, 3, 0)
                    self.refused(last, "share-file")
                    self.assertEqual(copied, b"")
        self.assertEqual(self.copy_as_is(stage, "feed.zip")[1], b"zip")  # and it goes on serving

    def test_name_with_slash_ends_the_stage(self):
        for name in (b"../patrond.conf", b"/etc/passwd", b"a/b", b"nul\0.zip", b""):
            with self.subTest(name=name):
                stage = self.stage()
                fd = stagekit.feed_fd()
                stage.send("SHARE_COPY", self.copy_payload(name, 1, 1), (fd,))
                self.refused(stage.until_end()[-1], "protocol")
                self.assertIsNone(stage.receive())
                self.assertEqual(os.fstat(fd).st_size, 0)
                os.close(fd)

    def test_not_what_was_listed(self):
        st = self.put("feed.zip", b"four")
        usec = st.st_mtime_ns // 1000
        stage = self.stage()
        for size, mtime in ((3, usec), (5, usec), (4, usec + 1), (4, usec - 1), (1 << 63, usec), (4, -usec)):
            with self.subTest(size=size, mtime=mtime):
                last, copied = self.copy(stage, "feed.zip", size, mtime)
                self.refused(last, "feed-changed")
                self.assertEqual(copied, b"")

    def test_too_large(self):
        with open(self.path("share/huge.zip"), "wb") as file:
            file.truncate((1 << 30) + 1)
        last, copied = self.copy_as_is(self.stage(), "huge.zip")
        self.refused(last, "feed-too-large")
        self.assertEqual(copied, b"")

    def test_unreadable_file(self):
        self.put("feed.zip")
        os.chown(self.path("share/feed.zip"), 0, 0)
        os.chmod(self.path("share/feed.zip"), 0o600)
        self.refused(self.copy_as_is(self.stage(), "feed.zip")[0], "share-unreadable")

    def test_workspace_full(self):
        os.mkdir(self.path("work"))
        self.mount("size=64k", self.path("work"))
        self.put("feed.zip", os.urandom(300000))
        stage = self.stage()
        fd = os.open(self.path("work"), os.O_RDWR | os.O_TMPFILE, 0o600)
        self.refused(self.copy_as_is(stage, "feed.zip", fd=fd)[0], "workspace-full")
        os.close(fd)

    def test_target_that_is_no_empty_file(self):
        self.put("feed.zip")
        for make in (lambda: stagekit.feed_fd(b"x"), lambda: os.pipe()[1], lambda: os.open("/dev/null", os.O_WRONLY)):
            stage = self.stage()
            fd = make()
            st = os.stat(self.path("share/feed.zip"))
            stage.send("SHARE_COPY", self.copy_payload("feed.zip", st.st_size, st.st_mtime_ns // 1000), (fd,))
            self.refused(stage.until_end()[-1], "protocol")
            os.close(fd)

    def copy_while(self, meddle, size=64 << 20):
        """Copies a large file and calls meddle once bytes have arrived. Returns (last frame, bytes, original)."""
        data = os.urandom(1 << 20) * (size >> 20)
        st = self.put("feed.zip", data)
        stage = self.stage()
        fd = stagekit.feed_fd()
        stage.send("SHARE_COPY", self.copy_payload("feed.zip", st.st_size, st.st_mtime_ns // 1000), (fd,))
        while os.fstat(fd).st_size == 0:
            time.sleep(0.0005)
        # stopped, so that what follows is surely in the middle
        stage.process.send_signal(19)
        arrived = os.fstat(fd).st_size
        self.assertLess(arrived, size)
        meddle(st)
        stage.process.send_signal(18)
        last = stage.until_end()[-1]
        copied = os.pread(fd, 1 << 30, 0)
        os.close(fd)
        return last, copied, data

    def test_replaced_while_read(self):
        def replace(_):
            self.put("new", b"another feed", folder=self.folder)
            os.rename(self.path("new"), self.path("share/feed.zip"))
        self.refused(self.copy_while(replace)[0], "feed-changed")

    def test_replaced_by_a_twin_while_read(self):
        def replace(st):
            self.put("new", b"y" * st.st_size, folder=self.folder)
            os.utime(self.path("new"), ns=(st.st_mtime_ns,) * 2)
            os.rename(self.path("new"), self.path("share/feed.zip"))
        self.refused(self.copy_while(replace)[0], "feed-changed")

    def test_replaced_by_a_link_while_read(self):
        def replace(_):
            os.unlink(self.path("share/feed.zip"))
            os.symlink("/etc/passwd", self.path("share/feed.zip"))
        self.refused(self.copy_while(replace)[0], "feed-changed")

    def test_removed_while_read(self):
        self.refused(self.copy_while(lambda _: os.unlink(self.path("share/feed.zip")))[0], "feed-changed")

    def test_overwritten_while_read_with_its_time_put_back(self):
        def overwrite(st):
            with open(self.path("share/feed.zip"), "r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"!")
            os.utime(self.path("share/feed.zip"), ns=(st.st_mtime_ns,) * 2)
        self.refused(self.copy_while(overwrite)[0], "feed-changed")

    def test_cut_while_read(self):
        self.refused(self.copy_while(lambda _: os.truncate(self.path("share/feed.zip"), 100))[0], "feed-changed")

    def test_grows_while_read(self):
        def grow(st):
            with open(self.path("share/feed.zip"), "ab") as file:
                file.write(b"more")
            os.utime(self.path("share/feed.zip"), ns=(st.st_mtime_ns,) * 2)
        self.refused(self.copy_while(grow)[0], "feed-changed")

    def test_undisturbed(self):
        last, copied, data = self.copy_while(lambda _: None)
        self.assertEqual(last.name, "DONE")
        self.assertTrue(copied == data)

    def test_cancel_and_go_on(self):
        data = os.urandom(1 << 20) * 64
        st = self.put("feed.zip", data)
        stage = self.stage()
        fd = stagekit.feed_fd()
        stage.process.send_signal(19)
        stage.send("SHARE_COPY", self.copy_payload("feed.zip", st.st_size, st.st_mtime_ns // 1000), (fd,))
        stage.send("CANCEL")
        stage.process.send_signal(18)
        last = stage.until_end()[-1]
        os.close(fd)
        # CANCEL may be read together with the request; what was said before a request is not about it
        self.assertTrue(last.name == "DONE" or last.code == "cancelled", last)
        self.assertEqual(self.copy_as_is(stage, "feed.zip")[0].name, "DONE")

    def test_cancel_in_the_middle(self):
        stages = []

        def cancel(_):
            stages[-1].send("CANCEL")
        original = self.stage

        def remember():
            stages.append(original())
            return stages[-1]
        self.stage = remember
        last, copied, data = self.copy_while(cancel)
        self.refused(last, "cancelled")
        self.assertLess(len(copied), len(data))
        self.assertEqual(self.names(stages[-1]), [b"feed.zip"])


class Delivering(ShareCase):
    def test_other_names_end_the_stage(self):
        for name in ("feed.zip", "barcode_errors-.zip", "barcode_errors-2025112.zip", "barcode_errors-20250230.zip",
                     "barcode_errors-00000101.zip", "barcode_errors-20251124.zip.exe", "Barcode_errors-20251124.zip",
                     "barcode_errors-20251124.ZIP", ".barcode_errors-20251124.zip", "barcode_errors-+2251124.zip",
                     "barcode_errors-2025112\xb9.zip", "barcode_errors-99999999.zip"):
            with self.subTest(name=name):
                self.refused(self.deliver(self.stage(), name), "protocol")
                self.assertEqual(self.here(), [])
        for name in ("../barcode_errors-20251124.zip", "a/barcode_errors-20251124.zip"):
            self.refused(self.deliver(self.stage(), name), "protocol")
        self.assertEqual(os.listdir(self.folder).count("barcode_errors-20251124.zip"), 0)

    def test_deliver(self):
        stage = self.stage()
        data = os.urandom(200001)
        self.assertEqual(self.deliver(stage, report_name(), data).name, "DONE")
        self.assertEqual(self.here(), [report_name()])
        with open(self.path("share/" + report_name()), "rb") as file:
            self.assertTrue(file.read() == data)
        st = os.stat(self.path("share/" + report_name()))
        self.assertEqual(st.st_mode & 0o7777, 0o640)
        self.assertEqual(self.names(stage), [])  # and it is no feed

    def test_over_one_of_the_same_day(self):
        stage = self.stage()
        for data in (b"first", b"second"):
            self.assertEqual(self.deliver(stage, report_name(), data).name, "DONE")
        with open(self.path("share/" + report_name()), "rb") as file:
            self.assertEqual(file.read(), b"second")

    def test_replaces_older_reports_and_nothing_else(self):
        keep = ["feed.zip", "barcode_errors-2025.zip", "barcode_errors-20250230.zip", report_name(3) + ".bak",
                "my " + report_name(3), "BARCODE_ERRORS-20250101.zip"]
        for name in keep + [report_name(1), report_name(3), report_name(400), "barcode_errors-00010101.zip"]:
            self.put(name)
        os.symlink("feed.zip", self.path("share/" + report_name(5)))
        os.mkdir(self.path("share/" + report_name(6)))
        self.put("mine", folder=self.path("share/" + report_name(6)))
        self.assertEqual(self.deliver(self.stage(), report_name()).name, "DONE")
        self.assertEqual(self.here(), sorted(keep + [report_name(), report_name(5), report_name(6)]))

    def test_reports_of_one_feed_and_of_both(self):
        """With row lists those of another feed stay for the day; without, every report says the same of a day."""
        student, staff, both = report_name(0, "-student"), report_name(0, "-staff"), report_name()
        old = [report_name(1), report_name(1, "-student"), report_name(2, "-staff")]
        cases = [("yes", [student, staff], [staff, student]), ("yes", [student, staff, both], [both]),
                 ("yes", [both, student], [both, student]), ("yes", [student, student], [student]),
                 ("no", [student, staff], [staff]), ("no", [both, student], [student]), ("no", [staff, both], [both])]
        for rows, delivered, left in cases:
            with self.subTest(rows=rows, delivered=delivered):
                self.configure(rows=rows)
                for name in old + ["barcode_errors-20250101-others.zip"]:
                    self.put(name)
                stage = self.stage()
                for name in delivered:
                    self.assertEqual(self.deliver(stage, name).name, "DONE")
                self.assertEqual(self.here(), sorted(left + ["barcode_errors-20250101-others.zip"]))
                self.assertEqual(self.names(stage), [])  # none of them is a feed
                # empty at last: what one feed's report says of the other's rows stays, where it does
                self.assertEqual(self.remove(stage, both).name, "DONE")
                self.assertEqual(self.here(), ["barcode_errors-20250101-others.zip"])

    def test_symlink_in_its_place(self):
        self.put("victim", b"precious", folder=self.folder)
        os.chown(self.path("victim"), NOBODY.pw_uid, NOBODY.pw_gid)
        os.symlink(self.path("victim"), self.path("share/" + report_name()))
        os.symlink(self.path("victim"), self.path(f"share/.{report_name()}.patrond"))
        self.refused(self.deliver(self.stage(), report_name()), "share-file")
        os.unlink(self.path(f"share/.{report_name()}.patrond"))
        self.assertEqual(self.deliver(self.stage(), report_name()).name, "DONE")
        with open(self.path("victim"), "rb") as file:
            self.assertEqual(file.read(), b"precious")
        self.assertFalse(os.path.islink(self.path("share/" + report_name())))

    def test_folder_in_its_place(self):
        os.mkdir(self.path("share/" + report_name()))
        stage = self.stage()
        self.refused(self.deliver(stage, report_name()), "share-file")
        self.assertEqual(self.here(), [report_name()])

    def test_leftover_of_a_delivery_that_was_cut_off(self):
        self.put(f".{report_name()}.patrond", b"half")
        self.assertEqual(self.deliver(self.stage(), report_name()).name, "DONE")
        self.assertEqual(self.here(), [report_name()])

    def test_empty_or_no_zip(self):
        self.refused(self.deliver(self.stage(), report_name(), b""), "protocol")
        read_end, write_end = os.pipe()
        self.refused(self.deliver(self.stage(), report_name(), fd=read_end), "protocol")
        os.close(read_end)
        os.close(write_end)
        self.assertEqual(self.here(), [])

    def test_without_descriptor(self):
        stage = self.stage()
        stage.send("SHARE_DELIVER", stagekit.string(report_name()))
        self.refused(stage.until_end()[-1], "protocol")

    def test_read_only_mount(self):
        self.mount("size=1m")
        self.put("feed.zip")
        self.put(report_name(20))
        subprocess.run(["mount", "-o", "remount,ro", self.share], check=True)
        stage = self.stage()
        self.refused(self.deliver(stage, report_name()), "share-read-only")
        self.assertEqual(self.names(stage), [b"feed.zip"])  # tidying fails, listing does not
        self.assertEqual(self.copy_as_is(stage, "feed.zip")[0].name, "DONE")
        self.refused(self.remove(stage, report_name(20)), "share-read-only")

    def test_folder_without_right_to_write(self):
        os.chown(self.share, 0, 0)
        stage = self.stage()
        self.refused(self.deliver(stage, report_name()), "share-read-only")
        self.assertEqual(self.here(), [])

    def test_full_mount(self):
        self.mount("size=64k")
        self.put(report_name(1), b"yesterday's")
        stage = self.stage()
        self.refused(self.deliver(stage, report_name(), os.urandom(100000)), "share-full")
        self.assertEqual(self.here(), [report_name(1)])  # nothing left behind, nothing lost
        self.assertEqual(self.deliver(stage, report_name(), os.urandom(1000)).name, "DONE")

    def test_no_inode_left(self):
        self.mount("nr_inodes=1")
        self.refused(self.deliver(self.stage(), report_name()), "share-full")

    def test_remove(self):
        for name in ("feed.zip", report_name(), report_name(2)):
            self.put(name)
        os.mkdir(self.path("share/" + report_name(3)))
        stage = self.stage()
        self.assertEqual(self.remove(stage, report_name(2)).name, "DONE")
        self.assertEqual(self.remove(stage, report_name(2)).name, "DONE")  # gone is gone
        self.assertEqual(self.here(), sorted(["feed.zip", report_name(), report_name(3)]))
        self.refused(self.remove(stage, report_name(3)), "share-file")
        self.refused(self.remove(self.stage(), "feed.zip"), "protocol")
        self.refused(self.remove(self.stage(), "../" + report_name()), "protocol")
        self.assertEqual(self.here(), sorted(["feed.zip", report_name(), report_name(3)]))

    def test_reports_that_are_too_old(self):
        self.configure(keep=14)
        for days in (0, 1, 13, 14, 15, 16, 400):
            self.put(report_name(days))
        self.put(report_name(20, "-student"))
        self.put(report_name(20, "-staff"))
        self.put("feed.zip", age=500 * 86400)
        stage = self.stage()
        self.assertEqual(self.names(stage, b"\x01"), [b"feed.zip"])
        self.assertEqual(len(self.here()), 10)  # a dry run only looks
        self.assertEqual(self.names(stage), [b"feed.zip"])
        self.assertEqual(self.here(), sorted(["feed.zip"] + [report_name(days) for days in (0, 1, 13, 14)]))

    def test_leftovers_when_listing(self):
        self.put(f".{report_name(2)}.patrond", age=7200)
        self.put(f".{report_name(2, '-staff')}.patrond", age=7200)
        self.put(f".{report_name(1)}.patrond")  # perhaps another one is at it
        self.put(f".{report_name(1)}.patrond2", age=7200)
        self.put(".feed.zip.patrond", age=7200)
        self.names(self.stage())
        self.assertEqual(self.here(), sorted([f".{report_name(1)}.patrond", f".{report_name(1)}.patrond2",
                                              ".feed.zip.patrond"]))


class Mounts(ShareCase):
    """A share's mount comes and goes under a stage that lives on; the walls stand around the folder of their day."""

    def look(self):
        """What a supervisor does: a stage that failed is replaced by a new one at the next look."""
        if not hasattr(self, "current"):
            self.current = self.stage()
        self.current.send("SHARE_LIST")
        frames = self.current.until_end()
        if frames[-1].name == "DONE":
            return sorted(f.file for f in frames[:-1])
        code = frames[-1].code
        if code == "share-gone" and frames[-1].number == -13:
            self.assertIsNone(self.current.receive(), "a stage outside its walls must end")
            del self.current
        return code

    def test_mounted_over_the_folder_later(self):
        self.put("below.zip")
        self.assertEqual(self.look(), [b"below.zip"])
        self.mount("size=1m")
        self.put("above.zip")
        self.assertEqual(self.look(), "share-gone")
        self.assertEqual(self.look(), [b"above.zip"])
        self.umount()
        self.assertEqual(self.look(), "share-gone")
        self.assertEqual(self.look(), [b"below.zip"])

    def test_mounted_again(self):
        self.mount("size=1m")
        self.put("one.zip")
        self.assertEqual(self.look(), [b"one.zip"])
        self.umount()  # nothing of the stage holds it
        self.mount("size=1m")
        self.put("two.zip")
        self.assertEqual(self.look(), "share-gone")
        self.assertEqual(self.look(), [b"two.zip"])

    def test_made_later(self):
        os.rmdir(self.share)
        self.assertEqual(self.look(), "share-gone")
        os.mkdir(self.share)
        os.chown(self.share, NOBODY.pw_uid, NOBODY.pw_gid)
        self.put("feed.zip")
        self.assertEqual(self.look(), "share-gone")
        self.assertEqual(self.look(), [b"feed.zip"])

    def test_moved_away_and_made_anew(self):
        self.put("old.zip")
        self.assertEqual(self.look(), [b"old.zip"])
        os.rename(self.share, self.path("moved"))
        self.assertEqual(self.look(), "share-gone")
        os.mkdir(self.share)
        os.chown(self.share, NOBODY.pw_uid, NOBODY.pw_gid)
        self.put("new.zip")
        self.assertEqual(self.look(), "share-gone")
        self.assertEqual(self.look(), [b"new.zip"])

    def test_remounted_read_only_and_back(self):
        self.mount("size=1m")
        self.put("feed.zip")
        for option in ("ro", "rw", "ro"):
            subprocess.run(["mount", "-o", "remount," + option, self.share], check=True)
            self.assertEqual(self.look(), [b"feed.zip"])

    def test_through_a_link_in_the_path(self):
        os.symlink(self.share, self.path("link"))
        self.configure(path=self.path("link"))
        self.put("feed.zip")
        self.assertEqual(self.look(), [b"feed.zip"])

    def test_file_mounted_in_the_share(self):
        """Another file system's file under a feed's name is not the share's."""
        self.put("outside", b"secret", folder=self.folder)
        self.put("feed.zip", b"secret")
        subprocess.run(["mount", "--bind", self.path("outside"), self.path("share/feed.zip")], check=True)
        self.mounts.append(self.path("share/feed.zip"))
        self.refused(self.copy_as_is(self.stage(), "feed.zip")[0], "share-file")


class Requests(ShareCase):
    def test_violations_end_the_stage(self):
        long_name = stagekit.string(b"a" * 256)
        bad = {
            "another stage's request": stagekit.frame("FETCH_LIST"),
            "unknown type": struct.pack("<IHH", 0, 0x7e, 0),
            "list with too much": struct.pack("<IHH", 2, 0x50, 0) + b"\0\0",
            "remove with a name that is too long": struct.pack("<IHH", len(long_name), 0x56, 0) + long_name,
            "name longer than the frame": struct.pack("<IHH", 5, 0x56, 0) + struct.pack("<I", 9) + b"x",
            "name shorter than the frame": struct.pack("<IHH", 6, 0x56, 0) + struct.pack("<I", 1) + b"xy",
            "reserved not zero": struct.pack("<IHH", 0, 0x50, 1),
            "copy without descriptor": stagekit.frame("SHARE_COPY", self.copy_payload("feed.zip", 1, 1)),
        }
        for name, data in bad.items():
            with self.subTest(name=name):
                stage = self.stage()
                stage.send_raw(data)
                frames = stage.until_end()
                self.assertTrue(not frames or frames[-1].code == "protocol", frames)
                self.assertIsNone(stage.receive())

    def test_list_with_a_descriptor(self):
        stage = self.stage()
        fd = stagekit.feed_fd()
        stage.send("SHARE_LIST", fds=(fd,))
        os.close(fd)
        self.refused(stage.until_end()[-1], "protocol")

    def test_descriptors_do_not_pile_up(self):
        stage = self.stage()
        self.put("feed.zip")
        for _ in range(300):  # more than a stage may have open
            self.assertEqual(self.copy_as_is(stage, "feed.zip")[0].name, "DONE")
            self.refused(self.copy(stage, "gone.zip", 1, 1)[0], "share-file")
            self.assertEqual(self.names(stage), [b"feed.zip"])

    def test_hang_up(self):
        stage = stagekit.Stage(os.path.join(BIN, "patrond-share"), self.path("patrond.conf"))
        self.assertEqual(stage.receive().name, "WALLS")
        stage.close()  # raises where it goes on

    def test_root_is_refused(self):
        with stagekit.Stage(os.path.join(BIN, "patrond-share"), self.path("patrond.conf"), user=None) as stage:
            self.refused(stage.receive(), "uid-zero")

    def test_many_writers_at_once(self):
        """Files come, go and change all the time: every copy that ends well is one of the files, whole."""
        stage = self.stage()
        running = True
        sizes = (1000, 300000, 700000)

        def meddle():
            n = 0
            while running:
                n += 1
                self.put("new", bytes([n % 256]) * sizes[n % 3], folder=self.folder)
                os.rename(self.path("new"), self.path("share/feed.zip"))
        writer = threading.Thread(target=meddle)
        writer.start()
        good = 0
        try:
            for _ in range(300):
                for name, (size, mtime) in self.list(stage).items():
                    last, data = self.copy(stage, name, size, mtime)
                    if last.name == "DONE":
                        good += 1
                        self.assertEqual(data, data[:1] * size)
                    else:
                        self.assertIn(last.code, ("feed-changed", "share-file"))
        finally:
            running = False
            writer.join()
        self.assertEqual(self.copy_as_is(stage, "feed.zip")[0].name, "DONE")
        self.assertGreater(good, 0)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: needs root (the stage becomes nobody, mounts come and go)")
        sys.exit(77)
    stagekit.main()
