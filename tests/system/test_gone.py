# SPDX-License-Identifier: GPL-3.0-or-later
"""A feed that is taken away before it could be loaded: nobody waits for it any more, and nothing older slips past it."""
import contextlib
import os
import shutil
import tempfile
import unittest

import stagekit
from test_control import GUARDED, Daemon
from test_supervisor import HONEST, Fake

# A share that shows what a file says, "NAME SECOND" a line: the content is the second's digit. With "gone" it cannot be listed.
SHARE = """
    shown = [line.split() for line in open({file!r})]
    if name == "SHARE_LIST":
        if shown == [["gone"]]:
            say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("share-gone"), 255, 0, 0, 2))
            wait()
        for file, second in shown:
            listing(file, 7, (1700000000 + int(second)) * 1000000)
    else:
        size = int.from_bytes(payload[:4], "little")
        file = payload[4:4 + size].decode()
        os.pwrite(fds[0], b"content", 0)
        os.pwrite(fds[0], dict(shown)[file][:1].encode(), 0)
        say("COPIED", struct.pack("<Q", 7))
    say("DONE")
    wait()
    """

# The header of content 2 is bad.
DECODE = """
    content = os.pread(fds[0], 100, 0)
    if name == "DECODE_INSPECT":
        say("INSPECTED", struct.pack("<BB", 0, 1) + hashlib.sha256(content).digest())
    elif content[:1] == b"2":
        say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("header"), 0, 0, 3, 0))
        wait()
    else:
        os.write(fds[1], b".")
    say("DONE")
    wait()
    """

# Without rows it gives up before it decides anything.
LOAD = """
    if not os.read(fds[0], 1):
        say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("records-cut"), 255, 0, 0, 0))
        wait()
    """ + HONEST["load"].replace("\n        ", "\n    ")


class Gone(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        self.file = os.path.join(self.folder.name, "shown")
        self.figure = os.path.join(self.folder.name, "figure")

    def put(self, path, text):
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(text)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def show(self, *lines):
        self.put(self.file, "".join(line + "\n" for line in lines))

    def fake(self, **stages):
        return Fake(share=SHARE.format(file=self.file), **stages)

    @contextlib.contextmanager
    def failed(self):
        """A patrond that stays, whose one feed has failed."""
        self.show("bad.zip 2")
        with self.fake(decode=DECODE, load=LOAD) as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            yield daemon

    @contextlib.contextmanager
    def two_sources(self, changed=("", "")):
        """An empty share, and a drop with a feed that fails: (the library, the file that says what the drop shows)."""
        sftp = os.path.join(self.folder.name, "sftp")
        fetch = SHARE.replace("SHARE_LIST", "FETCH_LIST").replace("share-gone", "connect").format(file=sftp).replace(*changed)
        with self.fake(fetch=fetch, decode=DECODE, load=LOAD) as fake:
            fake.extra = "[sftp]\nhost = 127.0.0.1\nuser = u\nsettle = 1ms\nknown_hosts = /etc/hosts\n"
            shutil.copy(os.path.join(fake.directory, "credentials/zip-password"), os.path.join(fake.directory, "credentials/sftp-key"))
            self.show()
            self.put(sftp, "bad.zip 2\n")
            yield fake, sftp

    @staticmethod
    def about(entries):
        return [e["MESSAGE"] for e in entries if "is gone from its source" in e["MESSAGE"]]

    def test_a_failed_feed_that_is_deleted_is_due_no_more(self):
        self.show("bad.zip 2")
        with self.fake(decode=DECODE, load=LOAD) as fake:
            with Daemon(fake) as daemon:
                daemon.state("idle")
                status = daemon.call("Status")
                self.assertEqual([d["reason"] for d in status["due"]], ["header"])
                self.assertTrue(status["status"].startswith("FAILED"), status["status"])
                self.show("gone")  # of a share that cannot be listed nothing is known
                self.assertEqual(daemon.look()[0], 2)
                self.assertEqual(len(daemon.call("Status")["due"]), 1)
                self.show("good.zip 1")
                status, loads = daemon.look()
                self.assertEqual((status, [f["end"] for f in loads]), (0, ["complete"]))
                status = daemon.call("Status")
                self.assertEqual(status["due"], [])
                self.assertTrue(status["status"].startswith("Idle."), status["status"])
                self.assertEqual(daemon.look(), (0, []))
                self.assertEqual(len(self.about(daemon.stop())), 1)
            with Daemon(fake) as daemon:  # and over a restart
                daemon.state("idle")
                self.assertEqual(daemon.call("Status")["due"], [])
                # it comes back: it is the newest still, and is looked at as before
                self.show("bad.zip 2", "good.zip 1")
                self.assertEqual([f.get("reason") for f in daemon.look()[1]], ["header"])
                self.assertEqual(len(daemon.call("Status")["due"]), 1)
                self.assertEqual(self.about(daemon.stop()), [])

    def test_a_renamed_feed_is_not_gone(self):
        with self.failed() as daemon:
            self.show("other.zip 2")
            daemon.look()
            self.assertEqual(len(daemon.call("Status")["due"]), 1)
            self.assertEqual(self.about(daemon.stop()), [])

    def test_an_older_feed_never_comes_after_a_newer_one(self):
        """The newest was loaded and taken away: what had failed before, and comes back, is overtaken."""
        with self.failed() as daemon:
            self.show("new.zip 3")
            self.assertEqual([f["end"] for f in daemon.look()[1]], ["complete"])
            self.show("bad.zip 2")
            self.assertEqual(daemon.look(), (0, []))
            self.show("bad.zip 29")  # the same bytes with a later time
            self.assertEqual(daemon.look(), (0, []))
            self.assertEqual(daemon.call("Status")["due"], [])
            daemon.stop()

    def test_nothing_older_while_the_newest_is_out_of_sight(self):
        """The newest waits, or was never read, at a source that cannot be listed now: an older one of the other source waits, too."""
        unread = ('        say("COPIED"', '        os._exit(1)\n        say("COPIED"')
        for how, changed in (("due", ("", "")), ("unread", unread)):
            with self.subTest(how=how), self.two_sources(changed) as (fake, sftp):
                with Daemon(fake) as daemon:
                    daemon.state("idle")
                    self.put(sftp, "gone\n")
                    self.show("old.zip 1")
                    for _ in range(2):  # when it is read, and when it is known
                        self.assertEqual(daemon.look(), (2, []))
                    self.show("old.zip 1", "new.zip 3")  # what is newer still does not wait
                    self.assertEqual([f["end"] for f in daemon.look()[1]], ["complete"])
                    daemon.stop()
                with Daemon(fake) as daemon:
                    daemon.state("idle")
                    self.show("old.zip 1")
                    self.put(sftp, "")  # overtaken by what was loaded
                    self.assertEqual(daemon.look(), (0, []))
                    daemon.stop()

    def test_an_older_one_goes_on_when_the_newest_is_gone(self):
        with self.two_sources() as (fake, sftp), Daemon(fake) as daemon:
            daemon.state("idle")
            self.put(sftp, "gone\n")
            self.show("old.zip 1")
            self.assertEqual(daemon.look(), (2, []))
            self.put(sftp, "")
            self.assertEqual([f["end"] for f in daemon.look()[1]], ["complete"])
            daemon.stop()

    def test_a_held_feed_that_is_deleted(self):
        self.show("feed.zip 1")
        self.put(self.figure, "38")
        with self.fake(load=GUARDED.format(figure=self.figure), decode=HONEST["decode"]) as fake, Daemon(fake) as daemon:
            daemon.state("idle")
            self.assertEqual(len(daemon.call("Status")["held"]), 1)
            self.show()
            self.assertEqual(daemon.look(), (0, []))
            self.assertEqual(daemon.call("Status")["held"], [])
            self.show("feed.zip 1")  # a guard holds it as before: nobody has let it go
            self.assertEqual(daemon.look()[0], 4)
            self.assertEqual(len(daemon.call("Status")["held"]), 1)
            self.assertEqual(len(self.about(daemon.stop())), 1)


if __name__ == "__main__":
    stagekit.main()
