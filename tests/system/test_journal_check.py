#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What root does in /run/patrond, whose owner is patrond's user: links that somebody who has taken patrond over may put there lead
nowhere. And what journal-check says of a configuration that would keep entries or pass them on."""
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import unittest

import stagekit

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CHECK = SOURCE / "systemd" / "journal-check"
VOLATILE = "[Journal]\nStorage=volatile\n" + "".join(f"ForwardTo{to}=no\n" for to in ("Syslog", "KMsg", "Console", "Wall"))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        for name in ("bin", "run", "outside", "root"):
            (self.top / name).mkdir()
        self.configuration(VOLATILE)

    def program(self, name, text):
        path = self.top / "bin" / name
        path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o755)

    def configuration(self, text):
        (self.top / "configuration").write_text(text, encoding="utf-8")
        self.program("systemd-analyze", f"cat '{self.top}/configuration'\n")

    def check(self):
        """Returns the verdict where one was written to the very file."""
        path = self.top / "run" / "journal"
        result = subprocess.run([CHECK, path, self.top / "root"], env={"PATH": f"{self.top}/bin:{os.environ['PATH']}"},
                                capture_output=True, timeout=30, check=False)
        self.assertEqual(result.returncode, 0, result)
        if not os.path.lexists(path) or not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        return path.read_text(encoding="utf-8").strip()


class Links(Case):
    def test_the_verdicts_name_is_a_link_to_a_folder(self):
        (self.top / "run" / "journal").symlink_to(self.top / "outside")
        self.assertEqual(self.check(), "volatile")
        self.assertEqual(list((self.top / "outside").iterdir()), [])

    def test_a_link_that_is_put_there_at_the_last_moment(self):
        for there in (True, False):
            with self.subTest(there=there):
                theirs = self.top / "outside" / f"shadow{there}"
                if there:
                    theirs.write_text("root:secret\n", encoding="utf-8")
                self.program("rm", f'/bin/rm "$@"; ln -s {theirs} "$2"\n')
                self.assertIsNone(self.check())
                self.assertEqual(theirs.read_text(encoding="utf-8") if theirs.exists() else "", "root:secret\n" if there else "")
                self.assertEqual(theirs.exists(), there)
                (self.top / "run" / "journal").unlink()

    def test_what_an_earlier_run_found_does_not_stay(self):
        for kind in ("file", "folder"):
            with self.subTest(kind=kind):
                earlier = self.top / "run" / "journal"
                earlier.write_text("volatile\n", encoding="utf-8") if kind == "file" else earlier.mkdir()
                self.configuration("")
                self.assertEqual(self.check(), "persistent: Storage= is not volatile")
                earlier.unlink()

    def test_maintainer_scripts_write_nothing_there(self):
        for name in ("postinst", "prerm", "postrm"):
            text = (SOURCE / "packaging" / name).read_text(encoding="utf-8")
            code = "\n".join(line.split("#")[0] for line in text.splitlines())
            with self.subTest(name=name):
                self.assertEqual(re.findall(r"/run/patrond/\S*", code), [])


class Verdicts(Case):
    def test_what_keeps_or_passes_on(self):
        for more, word in (("Storage=persistent", "Storage="), ("Storage=auto", "Storage="), ("ForwardToSyslog=yes", "ForwardToSyslog="),
                           ("ForwardToKMsg=", "ForwardToKMsg="), ("ForwardToSocket=vsock:2:1234", "ForwardToSocket=")):
            with self.subTest(more=more):
                self.configuration(VOLATILE + more + "\n")
                self.assertRegex(self.check(), f"^persistent: {word}")

    def test_what_does_not(self):
        for more in ("", "Storage=none", "ForwardToSocket=", "# ForwardToSocket=vsock:2:1234"):
            with self.subTest(more=more):
                self.configuration(VOLATILE + more + "\n")
                self.assertEqual(self.check(), "volatile")


if __name__ == "__main__":
    stagekit.main()
