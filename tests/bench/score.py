# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark says: figures, one a line, and what passed or failed."""


class Score:
    def __init__(self):
        self.passed = self.failed = 0

    @staticmethod
    def figure(name, value, unit, digits=None):
        print(f"figure {name} {value if digits is None else format(value, f'.{digits}f')} {unit}", flush=True)

    @staticmethod
    def say(text):
        print(text, flush=True)

    def prove(self, what, wrong=()):
        """wrong: sentences, none where all is well; or True or False."""
        if wrong is True or wrong is False:
            wrong = [] if wrong else ["it is not so"]
        if wrong:
            self.failed += 1
            print(f"  FAILED  {what}", *wrong[:20], sep="\n          ", flush=True)
        else:
            self.passed += 1
            print(f"  ok      {what}", flush=True)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0
