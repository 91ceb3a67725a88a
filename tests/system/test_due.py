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

# With two kinds: a.zip has students, b.zip, which is there from runtime/b on, staff, and a load that takes its time.
TWO = {
    "share": HERE + """
if name == "SHARE_LIST":
    listing("a.zip", 7)
    if os.path.exists(here + "b"):
        listing("b.zip", 7, 1700000001000000)
else:
    os.pwrite(fds[0], b"content" if b"a.zip" in payload else b"staffed", 0)
    say("COPIED", struct.pack("<Q", 7))
say("DONE")
wait()
""",
    "decode": """
if name == "DECODE_INSPECT":
    content = os.pread(fds[0], 100, 0)
    say("INSPECTED", struct.pack("<BB", 0, 1 if content == b"content" else 2) + hashlib.sha256(content).digest())
say("DONE")
wait()
""",
    "load": HERE + """
feed = payload[1] - 1
if feed == 0 and not os.path.exists(here + "tried"):
    open(here + "tried", "w").close()
    say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("connect"), 255, 0, 0, 111))
    wait()
with open(here + "ran", "a") as file:
    file.write("ab"[feed])
say("INDEXED", struct.pack("<Q", 10))
time.sleep(6 * feed)
counts("PLAN", 1, current=1, feed=feed)
counts("COUNTS", 1, current=1, feed=feed)
say("DONE")
wait()
""",
}


class Due(unittest.TestCase):
    def test_when_its_pause_ended_during_another_load(self):
        with Fake(**TWO) as fake:
            fake.extra = "retry_pause = 4s\n[share]\npoll_interval = 10h\n"
            runtime = os.path.join(fake.directory, "runtime")
            with Daemon(fake) as daemon:
                until(lambda: os.path.exists(os.path.join(runtime, "tried")), "the failure")
                daemon.state("idle")
                with open(os.path.join(runtime, "b"), "w", encoding="ascii"):
                    pass
                daemon.call("Reload")  # which begins a look

                def loads():
                    try:
                        with open(os.path.join(runtime, "ran"), encoding="ascii") as file:
                            return file.read()
                    except FileNotFoundError:
                        return ""
                until(lambda: sorted(loads()) == ["a", "b"], "both loads")

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
