# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reload must not leave behind: a patrond that looks no more."""
import os
import signal
import unittest

import stagekit
from test_control import Daemon, until
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


if __name__ == "__main__":
    stagekit.main()
