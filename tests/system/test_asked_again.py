# SPDX-License-Identifier: GPL-3.0-or-later
"""A look that a person asks for tries what could not leave, too: the report that is kept and the mail that waits."""
import os
import unittest

import stagekit
from test_control import Daemon, until
from test_mail_supervisor import SHARE, MailFake, told

# The share is full for as many deliveries as the file says.
FULL = SHARE.replace('''name == "SHARE_DELIVER" and os.path.exists(here + "/runtime/no-share")''',
                     '''name == "SHARE_DELIVER" and full()''').replace('while True:', '''
def full():
    left = int(open(here + "/runtime/full").read())
    open(here + "/runtime/full", "w").write(str(max(left - 1, 0)))
    return left > 0
while True:''')


class Asked(unittest.TestCase):
    def house(self, full, mail):
        fake = MailFake(mail=mail)
        self.addCleanup(fake.__exit__)
        # pauses that no test waits for
        fake.extra = fake.extra.replace("= 1ms", "= 3h").replace("poll_interval = 1s", "poll_interval = 3h")
        path = os.path.join(fake.directory, "patrond-share")
        with open(path, encoding="utf-8") as file:
            head = file.read().split("here = ", 1)[0]
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + FULL)
        self.fill(fake, full)
        return fake

    @staticmethod
    def fill(fake, times):
        path = os.path.join(fake.directory, "runtime/full")
        with open(path, "w", encoding="ascii") as file:
            file.write(str(times))
        os.chmod(path, 0o666)

    def test_both_are_tried(self):
        fake = self.house(99, 'fail("mail-unreachable")')
        with Daemon(fake) as daemon:
            daemon.state("idle")
            daemon.told("e27")  # the first mail; one that is still under way would not be tried beside itself
            daemon.look()
            until(lambda: len(fake.mails()) > 1, "the mail of an asked look")
            # once it has failed twice its pause is of hours
            fake.change("well()")
            daemon.look(dry_run=True)  # which leaves the share and the relay alone
            self.assertEqual(len(fake.mails()), 2)
            self.fill(fake, 0)
            daemon.look()
            until(lambda: len(fake.mails()) > 2, "the mail that is tried again")
            until(lambda: daemon.call("Status")["status"].startswith("Idle."), "the end of all trouble")
            entries = daemon.stop()
        self.assertEqual(len([e for e in told(entries, "e0a")]), 2, entries)
        self.assertEqual(len([e for e in told(entries, "e09")]), 1, entries)
        self.assertEqual([e["MAILED"] for e in told(entries, "e26")], ["3"])

    def test_a_newer_report_overtakes_the_kept_one(self):
        """The kept one fails once more, and the load after it delivers its own: nothing is left to be done."""
        fake = self.house(2, "well()")
        with Daemon(fake) as daemon:
            daemon.state("idle")
            self.assertTrue(daemon.call("Status")["status"].startswith("FAILED"))
            fake.feed(b"another")
            fake.report(b"two")
            self.assertEqual([f["end"] for f in daemon.look()[1]], ["complete"])
            until(lambda: daemon.call("Status")["status"].startswith("Idle."), "rest")
            daemon.look()
            entries = daemon.stop()
        self.assertEqual((len(told(entries, "e0a")), len(told(entries, "e09"))), (2, 1), entries)


if __name__ == "__main__":
    stagekit.main()
