#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the stand-in to its contract: refusals first, then what works, then every fault. SIERRA_STANDIN names the binary."""

import os
import subprocess
import sys
import tempfile
import unittest

from cases_faults import Connections, Faults, Tls
from cases_read import Authorisation, Finds, Lists, Pages
from cases_write import Bodies, Creates, State, Updates

__all__ = ["Authorisation", "Bodies", "Connections", "Creates", "Faults", "Finds", "Lists", "Pages", "State", "Tls", "Updates"]


class Command(unittest.TestCase):
    """The command line refuses what it does not know."""

    def run_with(self, *args):
        return subprocess.run([os.environ["SIERRA_STANDIN"], *args], capture_output=True, text=True, timeout=20)

    def test_refusals(self):
        good = ["--listen", "127.0.0.1:0", "--plain"]
        for bad in ([], ["--plain"], ["--listen", "127.0.0.1:0"], good + ["--switch", "no-such=1"], good + ["--switch", "total=maybe"],
                    good + ["--switch", "over-limit=clamp:0"], good + ["--switch", "total"], good + ["--switch", "fault.no-such=rate:1"],
                    good + ["--switch", "fault.slow=rate:2"], good + ["--switch", "fault.slow=nth:0"], good + ["--switch", "fault.slow=nth:"],
                    good + ["--switch", "fault.slow@nobody=rate:1"], good + ["--switch", "fault.list-repeat@post=rate:1"],
                    good + ["--switch", "fault.slow=every:1,2"], good + ["--generate", "x"], good + ["--expires", "2023-02-29"],
                    good + ["--cert", "/dev/null"], good + ["--load", "/no/such/file"], good + ["--credentials", "nocolon"],
                    ["--listen", "localhost:0", "--plain"], good + ["extra"], good + ["--nonsense"]):
            with self.subTest(args=bad):
                result = self.run_with(*bad)
                self.assertEqual(result.returncode, 1)
                self.assertTrue(result.stderr)

    def test_bad_records(self):
        for line in ('{"names":["A"]', '{"names":"A"}', '{"nonsense":1}', '{"id":5}\n{"id":5}', '[]', '{"barcodes":[5]}', '{"updatedDate":"x"}'):
            with self.subTest(line=line), tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
                f.write(line + "\n")
                f.flush()
                result = self.run_with("--listen", "127.0.0.1:0", "--plain", "--load", f.name)
                self.assertEqual(result.returncode, 1)
                self.assertIn("line ", result.stderr)

    def test_help_lists_all(self):
        text = self.run_with("--help").stdout
        for word in ("empty-list", "read-after-write-lag-ms", "keepalive-close-after", "fault.drop-after-commit", "fault.list-repeat", "--generate"):
            self.assertIn(word, text)


def main():
    if not os.access(os.environ.get("SIERRA_STANDIN", ""), os.X_OK):
        sys.exit("SIERRA_STANDIN must name the built sierra-standin")
    result = unittest.main(exit=False, verbosity=1).result
    failed = len({str(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed or not result.testsRun else 0)


if __name__ == "__main__":
    main()
