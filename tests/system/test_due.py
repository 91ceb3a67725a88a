# SPDX-License-Identifier: GPL-3.0-or-later
"""A load that is due again is run when its pause is over, however long the interval of the looks is."""
import os
import textwrap
import time
import unittest

import stagekit
from test_control import Daemon, until
from test_supervisor import HONEST, Fake

HERE = 'here = os.path.dirname(os.path.abspath(sys.argv[0])) + "/runtime/"\n'
# Each listing is a byte in runtime/looks; once runtime/lost is there the share is gone.
SHARE = HERE + """
if name == "SHARE_LIST":
    with open(here + "looks", "a") as file:
        file.write("x")
    if os.path.exists(here + "lost"):
        say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("share-gone"), 255, 0, 0, -2))
        wait()
    listing("feed.zip", 7)
else:
    os.pwrite(fds[0], b"content", 0)
    say("COPIED", struct.pack("<Q", 7))
say("DONE")
wait()
"""
# The first one breaks off.
LOAD = HERE + """
if not os.path.exists(here + "tried"):
    open(here + "tried", "w").close()
    say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("connect"), 255, 0, 0, 111))
    wait()
"""


class Due(unittest.TestCase):
    def house(self):
        fake = Fake(share=SHARE, load=LOAD + textwrap.dedent(HONEST["load"]))
        self.addCleanup(fake.__exit__)
        fake.extra = "retry_pause = 3s\n[share]\npoll_interval = 10h\n"
        return fake, os.path.join(fake.directory, "runtime/looks")

    def test_when_its_pause_is_over(self):
        fake, looks = self.house()
        with Daemon(fake) as daemon:
            until(lambda: "1 created" in daemon.call("Status")["status"], "the load that is run again")
            time.sleep(2)
            self.assertEqual(os.path.getsize(looks), 2, "looks for nothing")

    def test_not_again_and_again_while_it_cannot_be_run(self):
        fake, looks = self.house()
        with Daemon(fake) as daemon:
            until(lambda: os.path.exists(os.path.join(fake.directory, "runtime/tried")), "the failure")
            with open(os.path.join(fake.directory, "runtime/lost"), "w", encoding="ascii"):
                pass
            until(lambda: os.path.getsize(looks) == 2, "the look at the end of the pause")
            daemon.state("idle")
            time.sleep(4)
            self.assertEqual(os.path.getsize(looks), 2)


if __name__ == "__main__":
    stagekit.main()
