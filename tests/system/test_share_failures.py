#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share that is read-only, full or stale: feeds are loaded from it where it can be read, what cannot be delivered is told once and
delivered when it can be. And the report as it is found on the share: opened with the password alone. As root.
"""
import os
import shutil
import signal
import subprocess
import time
import unittest

import share_kit
import stagekit
import test_share_watch as watch
from share_kit import NOBODY, make_zip

PASSWORD = "report password"  # as share_kit has it


class Case(watch.Case):
    def prepare(self):
        self.town.extra = "[report]\n[load]\nretry_pause = 1s\nretry_pause_max = 2s\n"
        self.town.settings["poll_interval"] = "2s"
        with open(self.town.path("cleanup"), "w", encoding="ascii") as file:
            file.write("5")

    def reports(self):
        return [n for n in self.town.here() if n.startswith("barcode_errors-")]

    def tmpfs(self, options=""):
        self.mount("mount", "-t", "tmpfs", "-o", f"uid={NOBODY.pw_uid},mode=0755{options}", "tmpfs")


class Delivering(Case):
    def refused_then_delivered(self, reason, mend):
        town = self.town
        self.assertTrue(town.wait(lambda: town.said("No clean-up report")), [e["MESSAGE"] for e in town.entries][-8:])
        self.assertEqual({e["REASON"] for e in town.said("No clean-up report")}, {reason})
        self.assertEqual(self.reports(), [])
        mend()
        self.assertTrue(town.wait(lambda: self.reports(), 20), [e["MESSAGE"] for e in town.entries][-8:])
        self.assertEqual(town.loaded(), ["10000001"])
        self.assertEqual(len(self.reports()), 1)
        self.opens(os.path.join(town.share, self.reports()[0]))

    def opens(self, path):
        """By 7z and by libarchive's bsdtar: with the password, and not with another."""
        for command in (["7z", "x", "-so", "-p{}", path, "barcode_errors.csv"],
                        ["bsdtar", "-xOf", path, "--passphrase", "{}", "barcode_errors.csv"]):
            for password in (PASSWORD, "another password", ""):
                with self.subTest(tool=command[0], password=password):
                    done = subprocess.run([part.format(password) if "{}" in part else part for part in command],
                                          stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=20,
                                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
                    if password == PASSWORD:
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.assertEqual(done.stdout.count(b"\n"), 6)
                        self.assertTrue(done.stdout.startswith(b"patron_id,field,expiration_date,class\n1,lost,,letters\n"))
                    else:
                        self.assertNotEqual(done.returncode, 0)
                        self.assertNotIn(b"letters", done.stdout)

    def test_read_only(self):
        self.tmpfs()
        self.town.put("a.zip", make_zip("10000001"))
        subprocess.run(["mount", "-o", "remount,ro", self.town.share], check=True)
        self.start()
        self.loaded("10000001")
        self.refused_then_delivered("share-read-only", lambda: subprocess.run(["mount", "-o", "remount,rw", self.town.share], check=True))

    def test_full(self):
        self.tmpfs(",size=64k")
        self.town.put("a.zip", make_zip("10000001"))
        with open(os.path.join(self.town.share, "big.doc"), "wb") as file:
            try:
                while True:
                    os.write(file.fileno(), bytes(4096))
            except OSError:
                pass
        self.start()
        self.loaded("10000001")
        self.refused_then_delivered("share-full", lambda: os.unlink(os.path.join(self.town.share, "big.doc")))

    def test_a_newer_report_takes_the_place_of_one_that_waits(self):
        self.tmpfs()
        self.town.put("a.zip", make_zip("10000001"))
        subprocess.run(["mount", "-o", "remount,ro", self.town.share], check=True)
        self.start()
        self.loaded("10000001")
        self.assertTrue(self.town.wait(lambda: self.town.said("No clean-up report")))
        with open(self.town.path("cleanup"), "w", encoding="ascii") as file:
            file.write("0")
        subprocess.run(["mount", "-o", "remount,rw", self.town.share], check=True)
        self.town.put("b.zip", make_zip("10000002"))
        self.loaded("10000001", "10000002")
        # nothing is to be cleaned up by now, so nothing may stay
        self.assertTrue(self.town.wait(lambda: self.town.said("Nothing is to be cleaned up")))
        time.sleep(3)
        self.assertEqual(self.reports(), [])

    def test_named_for_the_feed_alone_that_was_loaded(self):
        self.start()
        for key, kind in (("10000001", "student"), ("10000500", "staff")):
            self.town.put(kind + ".zip", make_zip(key, kind))
            self.assertTrue(self.town.wait(lambda k=kind: [n for n in self.reports() if n.endswith(f"-{k}.zip")]), self.reports())
        # both say the same of one day, without lists of rows
        self.assertTrue(self.town.wait(lambda: len(self.reports()) == 1), self.reports())
        self.assertRegex(self.reports()[0], r"^barcode_errors-[0-9]{8}-staff\.zip$")


class ByTheControlSocket(Case):
    """What patronctl asks of a patrond that watches a share."""

    def ctl(self, *arguments):
        return subprocess.run([os.path.join(stagekit.BIN, "patronctl"), *arguments, "--socket", self.town.path("runtime", "control")],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)

    def state(self):
        """Of everything on the share but when it was read."""
        return {name: (st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns)
                for name, st in ((n, os.lstat(os.path.join(self.town.share, n))) for n in self.town.here())}

    def test_a_dry_run_changes_nothing_on_the_share(self):
        town = self.town
        town.settings.update(after_load="move", watch="no", poll_interval="1h")
        town.janitor = {"policy": "delete", "days": "Mon-Sun", "close_of_business": "00:00"}
        self.start(watched=False)
        self.assertTrue(town.wait(lambda: os.path.exists(town.path("runtime", "control"))))
        self.idle()
        town.put("a.zip", make_zip("10000001"))
        town.put("barcode_errors-20200101.zip", b"old, and a real look removes it", mtime=1577836800)
        town.put("all_patrons.csv", b"a,b\n")
        before = self.state()
        for _ in range(2):
            done = self.ctl("run", "--dry-run", "--wait")
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(self.state(), before)
        self.assertEqual(town.loaded(), ["10000001"] * 2)  # the played load writes down dry ones, too
        done = self.ctl("run", "--wait")
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(town.wait(lambda: "done" in town.here()), town.here())
        self.assertNotIn("barcode_errors-20200101.zip", town.here())
        self.assertEqual(len(self.reports()), 1)
        self.assertEqual(town.loaded(), ["10000001"] * 3)

    def test_another_share_after_a_reload(self):
        town = self.town
        town.extra = ""
        self.start()
        town.put("a.zip", make_zip("10000001"))
        self.loaded("10000001")
        os.mkdir(town.path("other"))
        os.chown(town.path("other"), NOBODY.pw_uid, NOBODY.pw_gid)
        town.share = town.path("other")
        town.janitor = {"policy": "report"}
        town.configure()
        self.assertEqual(self.ctl("reload").returncode, 0)
        self.assertTrue(town.wait(lambda: len(town.said("is watched")) == 2))
        town.put("b.zip", make_zip("10000002"))
        self.loaded("10000001", "10000002")
        town.put("all_patrons.csv", b"a,b\n")
        self.assertTrue(town.wait(lambda: [e for e in town.entries if e.get("PLAINTEXT") == "known"]))
        self.assertTrue(town.wait(lambda: "Plaintext on the share: 1 file" in self.ctl("status").stdout, 5), self.ctl("status").stdout)
        # the one before is not looked at any more
        town.put("c.zip", make_zip("10000003"), where=town.path("share"))
        self.not_loaded(3)


@unittest.skipUnless(shutil.which("bindfs") and os.path.exists("/dev/fuse"), "no FUSE here")
class Stale(Case):
    """The mount's server has died: every look at it is an error, until it is mounted anew."""

    def serve(self):
        server = subprocess.Popen(["bindfs", "-f", "-o", "allow_other,attr_timeout=0,entry_timeout=0", self.town.path("behind"),
                                   self.town.share], stdin=subprocess.DEVNULL)
        self.assertTrue(self.town.wait(lambda: os.path.ismount(self.town.share)))
        return server

    def unmount(self):
        subprocess.run(["umount", "-l", self.town.share], check=False, capture_output=True)

    def test_stale_and_mounted_anew(self):
        town = self.town
        town.extra = ""
        town.settings["remote_poll_interval"] = "300ms"
        os.mkdir(town.path("behind"))
        os.chown(town.path("behind"), NOBODY.pw_uid, NOBODY.pw_gid)
        self.addCleanup(self.unmount)
        server = self.serve()
        self.start()
        town.put("a.zip", make_zip("10000001"), where=town.path("behind"))
        self.loaded("10000001")
        server.send_signal(signal.SIGKILL)
        server.wait()
        self.assertTrue(town.wait(lambda: town.said("not watched for now")), [e["MESSAGE"] for e in town.entries][-8:])
        self.assertTrue(town.wait(lambda: [e for e in town.entries if e.get("SOURCE") == "share" and e.get("REASON") == "share-gone"]),
                        town.reasons())
        self.unmount()
        server = self.serve()
        town.put("b.zip", make_zip("10000002"), where=town.path("behind"))
        self.loaded("10000001", "10000002", timeout=30)
        self.unmount()
        server.wait(10)


if __name__ == "__main__":
    share_kit.main()
