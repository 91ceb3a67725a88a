# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload must not leave behind: a patrond that looks no more, or one that goes on telling of a source it has no longer."""
import os
import signal
import unittest

import stagekit
from test_control import Daemon, until
from test_mail_supervisor import THREE, MailFake, told
from test_supervisor import Fake

# Each listing is a byte in runtime/looks, and waits as long as runtime/shut is there.
COUNTED = """
    here = os.path.dirname(os.path.abspath(sys.argv[0])) + "/runtime/"
    if name == "SHARE_LIST":
        with open(here + "looks", "a") as file:
            file.write("x")
        while os.path.exists(here + "shut"):
            time.sleep(0.02)
        listing("feed.zip", 7)
    else:
        os.pwrite(fds[0], b"content", 0)
        say("COPIED", struct.pack("<Q", 7))
    say("DONE")
    wait()
    """
GONE = """
    say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("share-gone"), 255, 0, 0, -2))
    wait()
    """
NOTHING = """
    say("DONE")
    wait()
    """
SWEPT = """
    if name == "SHARE_SWEEP":
        say("SHARE_FOUND", k.string("all_patrons.csv") + struct.pack("<QqqQQB", 7, 1, 1, 1, 1, 0))
    say("DONE")
    wait()
    """
SFTP = "[sftp]\nhost = h\nuser = u\nknown_hosts = /etc/hostname\npoll_interval = 1s\n"


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Looks(unittest.TestCase):
    def check(self, ask):
        """ask(daemon, spoil) asks for a reload in the middle of a look and spoils the file. Afterwards patrond must look on."""
        with Fake(share=COUNTED) as fake:
            fake.extra = "[share]\npoll_interval = 1s\n"
            config, looks = (os.path.join(fake.directory, name) for name in ("c.conf", "runtime/looks"))
            shut = os.path.join(fake.directory, "runtime/shut")
            write(shut, "")
            with Daemon(fake) as daemon:
                until(lambda: os.path.exists(looks), "the first look")
                ask(daemon, lambda: write(config, read(config) + "[nonsense]\n"))
                os.unlink(shut)
                until(lambda: any("the old one stays" in line for line in list(daemon.lines)), "the refusal")
                before = os.path.getsize(looks)
                until(lambda: os.path.getsize(looks) > before + 1, "later looks")

    def test_signal_with_a_wrong_file(self):
        def ask(daemon, spoil):
            spoil()
            daemon.process.send_signal(signal.SIGHUP)
            daemon.call("Status")  # peers come last: by its answer the signal has been seen
        self.check(ask)

    def test_file_that_goes_wrong_after_it_was_accepted(self):
        def ask(daemon, spoil):
            daemon.call("Reload")
            spoil()
        self.check(ask)


class LostShare(unittest.TestCase):
    """The runbook's cure for a share that stays away: take it out of the configuration and reload."""

    def check(self, fake, failed, more=""):
        with open(os.path.join(fake.directory, "credentials/sftp-key"), "w", encoding="ascii") as file:
            file.write("x\n")
        with Daemon(fake) as daemon:
            until(lambda: failed in daemon.call("Status")["status"], failed)
            daemon.state("idle")
            write(os.path.join(fake.directory, "c.conf"), f"{SFTP}[sierra]\nurl = {fake.url}\n{more}")
            until(lambda: daemon.error("Reload") is None, "a reload")
            until(lambda: daemon.call("Status")["status"].startswith("Idle"), "the end of FAILED")
            self.assertEqual([s["source"] for s in daemon.call("Status")["sources"]], ["sftp"])

    def test_failure_goes_with_it(self):
        with Fake(share=GONE, fetch=NOTHING) as fake:
            fake.extra = SFTP
            self.check(fake, "FAILED: ")

    def test_report_for_it_goes_with_it(self):
        with MailFake(fetch=NOTHING) as fake:
            mail = fake.extra[fake.extra.index("[report]"):]
            fake.extra += SFTP
            write(os.path.join(fake.directory, "runtime/no-share"), "")
            self.check(fake, "report could not be delivered", mail)


class Plaintext(unittest.TestCase):
    def test_is_no_longer_told_without_the_janitor(self):
        with Fake(share=SWEPT) as fake:
            fake.extra = "[janitor]\npolicy = report\n"
            config = os.path.join(fake.directory, "c.conf")
            with Daemon(fake) as daemon:
                until(lambda: "Plaintext on the share: 1 file." in daemon.call("Status")["status"], "plaintext")
                daemon.state("idle")
                write(config, read(config) + "[janitor]\npolicy = off\n")
                until(lambda: daemon.error("Reload") is None, "a reload")
                until(lambda: daemon.call("Status")["status"].startswith("Idle. Next look"), "the end of it")


class Recipients(unittest.TestCase):
    def test_those_who_have_it_already_are_named_again(self):
        """Between the two others were named, whose mail never left: nothing is left to be sent, and nothing is amiss."""
        with MailFake() as fake:
            config = os.path.join(fake.directory, "c.conf")
            with Daemon(fake) as daemon:
                daemon.told("e26")
                daemon.state("idle")
                fake.change("fail('protocol' if skip == 7 else 'mail-unreachable')")  # as the real one: a mail to nobody is none
                good = read(config)
                write(config, good.replace(THREE, THREE + " dora@example.org"))
                until(lambda: daemon.error("Reload") is None, "a reload")
                daemon.state("idle")
                fake.feed(b"another feed, whose report says the same")
                daemon.told("e27")
                write(config, good)
                until(lambda: daemon.error("Reload") is None, "a reload")
                until(lambda: daemon.call("Status")["status"].startswith("Idle."), "the end of FAILED")
                entries = daemon.stop()
            self.assertEqual([e["MESSAGE"] for e in told(entries, "e11")], [])
            self.assertNotIn(7, [mail[0] for mail in fake.mails()], "a mail to nobody")


if __name__ == "__main__":
    stagekit.main()
