# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps in the virtual machine have in common: the machine with the package, and the library around it."""
import json
import os
import time

import vm_image
from rig import Result


class Town:
    """The virtual machine with the package, the library around it, and what the steps have in common."""

    def __init__(self, machine, library, score):
        self.machine, self.library, self.score = machine, library, score

    # --- patrond ---

    def feed(self, *options, latency=0, **values):
        """A feed of tokens, and a Sierra with its patrons. Returns the dump before."""
        self.library.make_feed("--token-mode", *options, **values)
        self.library.stop_sierra()
        self.library.start_sierra(*(["--latency", str(latency)] if latency else []))
        return self.library.dump()

    def tokens(self):
        with open(os.path.join(self.library.feed, "tokens.txt"), encoding="ascii") as file:
            return file.read().split()

    def configure(self, extra="", sources=("sftp", "share")):
        self.machine.put(self.library.files(extra, sources, host=vm_image.HOST))

    def now(self):
        """A place in the namespace's journal, for result()."""
        return self.machine.run("date", "+%s.%N").stdout.strip()

    def result(self, since):
        result = Result(0, "", "")
        text = self.machine.run("journalctl", "--namespace=patrond", "-o", "json", "-q", "--no-pager", "--since", "@" + since).stdout
        result.entries = [e for e in map(json.loads, text.splitlines()) if "MESSAGE_ID" in e]
        return result

    def wait(self, condition, timeout=120, pause=1.0):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(pause)
        return bool(condition())

    def wait_over(self, since, timeout=180):
        """Waits for the end of a load. Returns what the journal has of it."""
        if not self.wait(lambda: self.result(since).summaries(), timeout):
            raise AssertionError(f"no load came to its end: {self.machine.status()}, {self.result(since).messages()[-5:]}")
        self.machine.wait_status("^(Idle|HELD|FAILED)", timeout)
        return self.result(since)

    def prove(self, what, wrong=()):
        self.score.prove(what, wrong)
