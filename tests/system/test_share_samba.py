#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The share as it is at a library: on a real Samba server, seen by a client (smbnetfs) to which nobody tells what others change
there. Every way of arriving, what becomes of feeds, the report, the janitor, and a server that goes away. As root.
"""
import os
import signal
import socket
import subprocess
import time
import unittest

import samba
import share_kit
import stagekit
import test_share_watch as watch
from share_kit import NOBODY, make_zip


class OnSamba:
    """Mixed into a Case: people work on the server's side, patrond on the client's."""

    slow = 1.5

    @classmethod
    def setUpClass(cls):
        if samba.missing():
            raise unittest.SkipTest(samba.missing())
        super().setUpClass()

    def prepare(self):
        super().prepare()
        os.mkdir(self.town.path("behind"))
        os.chown(self.town.path("behind"), NOBODY.pw_uid, NOBODY.pw_gid)
        self.server = samba.Samba(self.town.path("behind")).start()
        self.addCleanup(self.server.close)
        self.town.share = self.server.mount()
        self.town.settings.update(remote_poll_interval="500ms", poll_interval="3s", settle="200ms")

    @property
    def outside(self):
        return self.town.path("behind")


class Samba(OnSamba, watch.Arrivals):
    """The table of arrivals."""

    done_mode = 0o755  # the server's own

    def test_what_is_no_feed(self):
        """A link within the share is a file like any other to who sees it by SMB; one that leads out of it is nothing."""
        self.start()
        with open(self.town.path("outside.zip"), "wb") as file:
            file.write(make_zip("10000009"))
        os.symlink(self.town.path("outside.zip"), os.path.join(self.outside, "out.zip"))
        os.symlink("nowhere", os.path.join(self.outside, "dangling.zip"))
        os.mkdir(os.path.join(self.outside, "folder.zip"))
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(os.path.join(self.outside, "socket.zip"))
        self.put("feed.zip~", make_zip("10000008"))
        # in no charset: the server shows it under a name of its own making, or not at all, and either way it is no later feed
        self.put(b"na\xefve\xff.zip", make_zip("10000007"), mtime=time.time() - 100)
        self.put("naïve.zip", make_zip("10000001"))
        self.assertTrue(self.town.wait(lambda: "10000001" in self.town.loaded()), self.town.entries[-5:])
        self.not_loaded(1 + self.slow)
        self.assertLessEqual(set(self.town.loaded()), {"10000001", "10000007"})
        self.put("target.doc", make_zip("10000002"))
        os.symlink("target.doc", os.path.join(self.outside, "link.zip"))
        self.assertTrue(self.town.wait(lambda: self.town.loaded()[-1:] == ["10000002"]), self.town.entries[-5:])

    def test_written_by_the_client_itself(self):
        """Somebody on the same machine, through the same mount."""
        self.start()
        self.town.put("mine.zip", make_zip("10000001"), owner=False)
        self.loaded("10000001")

    def test_it_says_that_it_is_not_local(self):
        self.start()
        self.assertEqual(self.town.said("is watched")[0]["LOCAL"], "0")


class Reports(OnSamba, watch.Reports):
    """Delivered, replaced and removed over SMB."""


class Server(OnSamba, watch.Case):
    def test_it_goes_away_and_comes_back(self):
        town = self.town
        self.start()
        town.put("a.zip", make_zip("10000001"), where=self.outside)
        self.loaded("10000001")
        self.server.stop()
        self.assertTrue(town.wait(lambda: {"share-gone", "share-unreadable", "share-file", "stage-silent"} & set(town.reasons()), 60),
                        [e["MESSAGE"] for e in town.entries][-8:])
        town.put("b.zip", make_zip("10000002"), where=self.outside)
        self.server.start()
        self.loaded("10000001", "10000002", timeout=90)

    def test_it_stops_answering(self):
        """The server is there and says nothing: patrond answers meanwhile, says so, and heals."""
        town = self.town
        town.settings["stall_timeout"] = "2s"
        self.start()
        town.put("a.zip", make_zip("10000001"), where=self.outside)
        self.loaded("10000001")
        os.killpg(self.server.server.pid, signal.SIGSTOP)
        try:
            slowest, said, until = 0, "", time.monotonic() + 60
            while not ("gave no sign" in said or "FAILED" in said) and time.monotonic() < until:
                begun = time.monotonic()
                said = subprocess.run([os.path.join(stagekit.BIN, "patronctl"), "status", "--socket", town.path("runtime", "control")],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20).stdout
                slowest = max(slowest, time.monotonic() - begun)
                time.sleep(0.2)
            self.assertIn("FAILED", said)
            self.assertLess(slowest, 1.5)
            town.put("b.zip", make_zip("10000002"), where=self.outside)
        finally:
            os.killpg(self.server.server.pid, signal.SIGCONT)
        self.loaded("10000001", "10000002", timeout=90)

    def test_read_only_by_its_rights(self):
        """Loads; says that the report and the feed's move cannot be done; does both when it may."""
        town = self.town
        town.extra = "[report]\n"
        with open(town.path("cleanup"), "w", encoding="ascii") as file:
            file.write("3")
        town.settings["after_load"] = "move"
        os.chown(self.outside, 0, 0)
        os.chmod(self.outside, 0o755)
        town.extra = "[report]\n[load]\nretry_pause = 1s\nretry_pause_max = 2s\n"
        self.start()
        town.put("a.zip", make_zip("10000001"), where=self.outside)
        self.loaded("10000001")
        self.assertTrue(town.wait(lambda: town.said("No clean-up report")))
        self.assertTrue(town.wait(lambda: town.said("could not be moved")))
        os.chown(self.outside, NOBODY.pw_uid, NOBODY.pw_gid)
        self.assertTrue(town.wait(lambda: "done" in os.listdir(self.outside), 30), os.listdir(self.outside))
        self.assertTrue(town.wait(lambda: any(n.startswith("barcode_errors-") for n in os.listdir(self.outside)), 30))
        self.assertEqual(town.loaded(), ["10000001"])


class Janitor(OnSamba, watch.Janitor):
    """smbnetfs shows one link of every file, so a second one on the server is not known of (docs/runbook.md says so)."""

    shows_links = False


if __name__ == "__main__":
    share_kit.main(4)
