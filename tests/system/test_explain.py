#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond --explain on zips of 7-Zip: what it prints, what it must never print, where it must not print at all.

PATROND_BIN names the folder of the built programs (default: build/bin). Run as root: it is for root alone.
"""
import glob
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import hostile_profiles
import stagekit

BIN = stagekit.BIN
PASSWORD = "korrektes Pferd"
STUDENT, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"
HEADER = ("S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,First_Name,Last_Name,DOB,SchoolID,Grade_Level,Mailing_Street,"
          "Mailing_City,Mailing_State,Mailing_Zip,S_NC_STUDENTDEMO.EMAIL_ADDRESS,Home_Phone,Guardian_Email,Enroll_Status\r\n")
# Every word of these rows is found nowhere else.
ROWS = (
    ",70000101,Zwentibold,Quastenflosser,03/04/2012,901,5,11 Xylophonweg,Chapel Hill,NC,27514,zq@qmail.example,919-555-7101,,0\r\n"
    "1,70000102,Optoutia,Heimlichmann,03/05/2012,901,5,12 Xylophonweg,Chapel Hill,NC,27514,oh@qmail.example,919-555-7102,,0\r\n"
    ",70000103,Irmtraud,Abgegangen,03/06/2012,902,5,13 Xylophonweg,Chapel Hill,NC,27514,,,,2\r\n"
    ",7000010x,Buchstabia,Falschkey,03/07/2012,902,5,14 Xylophonweg,Chapel Hill,NC,27514,,,,0\r\n"
    ",70000105,Kurzzeile,Formlos\r\n"
    ",70000106,Greisin,Uralt,03/08/1912,902,5,16 Xylophonweg,Chapel Hill,NC,27514,,,,0\r\n"
    ",70000107,Niemals,Geboren,02/30/2012,902,5,17 Xylophonweg,Chapel Hill,NC,27514,,,,0\r\n")
SECRETS = re.findall(r"7000010\w|[A-Z][a-z]{5,}|\d\d \w+weg|\d\d/\d\d/\d{4}|\w+@qmail|919-555-\d+", ROWS.replace("Chapel", ""))
MEMBER = "Active\t2000000001\tGudrun\tLehrkraft\t2 Oak St\tCarrboro\tNC\t27510\t\t\tg@x.org\tTeacher\t304\tSchool\n"


class Explain(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="explain-test-")
        os.chmod(self.folder, 0o755)
        self.config = os.path.join(self.folder, "patrond.conf")
        with open(self.config, "w", encoding="ascii") as file:
            file.write("[sierra]\nurl = https://127.0.0.1:1/iii/sierra-api/v6\n")
        self.credentials = os.path.join(self.folder, "credentials")
        os.mkdir(self.credentials, 0o700)  # root's alone, as /etc/credstore is
        self.credential(PASSWORD)

    def tearDown(self):
        shutil.rmtree(self.folder)
        self.assertEqual(glob.glob("/run/patrond-explain-*"), [])

    def credential(self, text):
        path = os.path.join(self.credentials, "zip-password")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.chmod(path, 0o600)

    def pack(self, files, password=PASSWORD):
        work = tempfile.mkdtemp(dir=self.folder)
        for name, text in files.items():
            with open(os.path.join(work, name), "wb") as file:
                file.write(text.encode())
        target = os.path.join(work, "feed.zip")
        subprocess.run(["7z", "a", "-bso0", "-tzip", *(["-mem=AES256", "-p" + password] if password else []), target, *files],
                       cwd=work, check=True, stdin=subprocess.DEVNULL)
        return target

    def command(self, *arguments):
        return [os.path.join(BIN, "patrond"), "--config", self.config, *arguments]

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": self.credentials,
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

    def run_patrond(self, *arguments, **more):
        return subprocess.run(self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, **more)

    def told(self, done):
        """Nothing of a row may stand in what was printed."""
        everything = (done.stdout + done.stderr).lower()
        self.assertGreater(len(SECRETS), 30)
        for word in SECRETS:
            self.assertNotIn(word.lower(), everything)
        return done

    def refused(self, status, words, *arguments):
        done = self.told(self.run_patrond(*arguments))
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn(words, done.stderr)

    # --- refusals ---

    def test_usage(self):
        feed = self.pack({STUDENT: HEADER + ROWS})
        for status, words, arguments in (
                (1, "requires an argument", ["--explain"]),
                (1, "goes with --explain", ["--show-rows"]),
                (1, "--explain goes with", ["--explain", feed, "--once"]),
                (1, "--explain goes with", ["--explain", feed, "--check-config"]),
                (1, "--explain goes with", ["--explain", feed, "--log", "json"]),
                (1, "no such argument", ["--explain", feed, feed]),
                (1, "No such file", ["--explain", self.folder + "/nothing.zip"]),
                (1, "not a file", ["--explain", self.folder]),
                (1, "not a file", ["--explain", "/dev/null"]),
                (1, "no such argument", ["--explain", "--show-rows", feed, feed]),
                (1, "requires an argument", ["--explain", "--show-rows"]),
                (1, "is no terminal", ["--explain", feed, "--show-rows"]),
                (1, "is no terminal", ["--explain", "--show-rows", feed]),
                (1, "is no terminal", ["--show-rows", f"--explain={feed}"])):
            with self.subTest(arguments):
                self.refused(status, words, *arguments)

    def test_names_of_others(self):
        """What lies on the share has names that others give; a shell puts them here for a star."""
        name = os.path.join(self.folder, "a\x1b]0;b\x07\x9bc.zip")
        for arguments in (["--explain", name], ["--explain", self.config, name]):
            for there in (False, True):
                if there:
                    os.makedirs(name, exist_ok=True)
                with self.subTest(arguments=arguments, there=there):
                    done = self.run_patrond(*arguments)
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn(r"a\x1b]0;b\x07\xc2\x9bc.zip: ", done.stderr)
                    self.assertNotRegex(done.stderr, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
            shutil.rmtree(name)

    def test_for_root_alone(self):
        feed = self.pack({STUDENT: HEADER + ROWS})
        done = self.run_patrond("--explain", feed, user="nobody")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("for root", done.stderr)

    def test_wrong_configuration(self):
        feed = self.pack({STUDENT: HEADER + ROWS})
        with open(self.config, "a", encoding="ascii") as file:
            file.write("[feed student]\nshoe_size = 9\n")
        self.refused(1, "no key of that name", "--explain", feed)

    def test_no_credential(self):
        feed = self.pack({STUDENT: HEADER + ROWS})
        os.unlink(os.path.join(self.credentials, "zip-password"))
        self.refused(1, "zip-password", "--explain", feed)

    def test_refused_feeds(self):
        self.refused(2, "not encrypted", "--explain", self.pack({STUDENT: HEADER + ROWS}, password=None))
        self.refused(2, "No password", "--explain", self.pack({STUDENT: HEADER + ROWS}, password="another"))
        self.refused(2, "neither a student nor a staff feed", "--explain", self.pack({"note.txt": ROWS}))
        self.refused(2, "not a readable zip", "--explain", self.config)

    def test_what_was_read_before_the_refusal(self):
        """The shape of the rows up to the one where a feed breaks, and where it does."""
        done = self.told(self.run_patrond("--explain", self.pack({STUDENT: HEADER + ROWS + ',7,"Zwentibold'})))
        self.assertEqual(done.returncode, 2)
        self.assertIn("student feed: 7 rows", done.stdout)
        self.assertIn("what stands above was read before this", done.stderr)

    def test_dead_stage(self):
        """A decode that dies, or lies, is told, and nothing of it believed."""
        feed, beside = self.pack({STUDENT: HEADER + ROWS}), os.path.join(self.folder, "bin")
        os.mkdir(beside)
        shutil.copytree(os.path.join(stagekit.ROOT, "config/profiles"), os.path.join(self.folder, "profiles"))
        shutil.copy(os.path.join(BIN, "patrond"), beside)
        for body, words in (("exit 3", "ended in the middle"), ("kill -9 $$", "signal 9"),
                            (r"printf '\004\000\000\000\011\000\000\000\000\000\000\000' >&3; sleep 1", "broke the protocol"),
                            (r"printf '\000\000\000\000\003\000\000\000' >&3; sleep 1", "broke the protocol"),
                            ("head -c 100 /dev/urandom >&3; sleep 1", "broke the protocol")):
            with self.subTest(body):
                path = os.path.join(beside, "patrond-decode")
                with open(path, "w", encoding="ascii") as file:
                    file.write("#!/bin/sh\n" + body + "\n")
                os.chmod(path, 0o755)
                done = subprocess.run([os.path.join(beside, "patrond"), "--config", self.config, "--explain", feed],
                                      env=self.environment(), capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
                self.assertIn(words, done.stderr)

    # --- the shape ---

    def test_shape(self):
        done = self.told(self.run_patrond("--explain", self.pack({STUDENT: HEADER + ROWS, STAFF: MEMBER})))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = " ".join(done.stdout.split())
        for words in ("student feed: 7 rows, a header before them, parted by commas, 4 to 15 cells",
                      "keys that fit 6 85.7%", "understood 5 71.4%", "a status to process 4 80.0%", "status 0 4 80.0%",
                      "status 2 1 20.0%", "real birth dates 4 80.0%", "of a pupil's age 3 60.0%",
                      "email 1 20.0% 12", "status 5 100.0% 15", "2 schools, rows of each: 4 1",
                      "opted-out 1 14.2% row 2", "inactive 1 14.2% row 3", "key 1 14.2% row 4", "shape 1 14.2% row 5",
                      "birth-date 1 14.2% row 7", "staff feed: 1 row, no header, parted by tabs, 14 cells each",
                      "No row is left out."):
            self.assertIn(words, text)

    def test_another_configuration(self):
        """It reads as the load would: by the statuses and patterns that are configured."""
        with open(self.config, "a", encoding="ascii") as file:
            file.write("[feed student]\npattern = pupils.csv\nstatuses = 2\n")
        done = self.told(self.run_patrond("--explain", self.pack({"pupils.csv": HEADER + ROWS})))
        self.assertIn("a status to process 1 20.0%", " ".join(done.stdout.split()))

    def test_another_profile(self):
        """Both feeds in one file, told by role, and the birth date joined from another."""
        with open(self.config, "a", encoding="ascii") as file:
            file.write(hostile_profiles.ROSTER)
        feed = os.path.join(self.folder, "roster.zip")
        with open(feed, "wb") as file:
            file.write(hostile_profiles.roster())
        done = self.run_patrond("--explain", feed)
        text = " ".join(done.stdout.split())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in ("student feed: 1 row, a header", "real birth dates 1 100.0%", "birth-date 1 100.0% not in that row, or joined",
                      "staff feed: 1 row, a header"):
            self.assertIn(words, text)

    def test_a_column_that_is_missing_is_named(self):
        with open(self.config, "a", encoding="ascii") as file:
            file.write(hostile_profiles.CAMPUS)
        feed = os.path.join(self.folder, "campus.zip")
        with open(feed, "wb") as file:
            file.write(hostile_profiles.without("publicLibraryOptOut"))
        done = self.run_patrond("--explain", feed)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("lacks the column opt_out", done.stderr)

    def test_nothing_is_looked_up(self):
        """Offline: neither patrond nor its stage opens a socket to anywhere, and no stage runs as root."""
        strace = shutil.which("strace")
        if strace is None:
            self.skipTest("no strace")
        log = os.path.join(self.folder, "trace")
        subprocess.run([strace, "-f", "-o", log, "-e", "trace=connect,socket,execve,setresuid",
                        *self.command("--explain", self.pack({STUDENT: HEADER + ROWS}))],
                       env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
        with open(log, encoding="utf-8", errors="replace") as file:
            trace = file.read()
        self.assertIn("execve", trace)
        self.assertNotIn("AF_INET", trace)

    # --- rows on a terminal ---

    def on_terminal(self, feed, look=None):
        """Runs it on a pseudo-terminal. Returns status and what was shown."""
        master, slave = pty.openpty()
        process = subprocess.Popen(self.command("--explain", feed, "--show-rows"), env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=slave, stderr=slave)
        os.close(slave)
        if look is not None:
            look(process)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        return process.wait(30), shown.decode(errors="replace")

    def test_rows(self):
        status, shown = self.on_terminal(self.pack({STUDENT: HEADER + ROWS}))
        self.assertEqual(status, 0)
        rows = [line for line in shown.splitlines() if line.startswith("student row ")]
        self.assertEqual(len(rows), 7)
        self.assertIn("taken", rows[0])
        for word in ("70000101", "Zwentibold", "Quastenflosser", "11 Xylophonweg", "zq@qmail.example"):
            self.assertIn(word, rows[0])
        self.assertEqual(rows[1], "student row 2: opted-out")  # and no more of that child
        self.assertIn("Formlos", rows[4])
        self.assertIn("student feed: 7 rows", shown)
        for word in ("Optoutia", "Heimlichmann", "70000102"):
            self.assertNotIn(word, shown)

    def test_no_escape_reaches_the_terminal(self):
        evil = (",70000108,\x1b[2J\x1b]0;title\x07,A\x9b31mB\u202eC\u200bD\u061cE\u2060F\U000e0041G\u00ad,03/08/2012,902,5,\x08\x08\x7f St,Chapel Hill,NC,27514,,,,0\r\n")
        _, shown = self.on_terminal(self.pack({STUDENT: HEADER + evil}))
        self.assertIn("70000108", shown)
        for character in "\x1b\x07\x08\x7f\x9b\u202e\u200b\u061c\u2060\U000e0041\u00ad":
            self.assertNotIn(character, shown)
        self.assertIn("B?", shown)  # where it was, something is seen

    def test_no_root_while_rows_are_shown(self):
        """The terminal is not read for a while: decode stands still in the middle, and is looked at."""
        seen, terminals, sessions = {}, set(), set()

        def look(process):
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and len(seen) < 2:
                time.sleep(0.3)
                for pid in [process.pid, *subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True,
                                                         check=False).stdout.split()]:
                    with open(f"/proc/{pid}/status", encoding="ascii") as file:
                        status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
                    uids = set(status["Uid"].split())
                    if "0" not in uids:
                        if status["Name"] == "patrond-decode":
                            terminals.update(self.terminals_of(pid))
                            sessions.add(os.getsid(int(pid)) == int(pid))
                        seen[status["Name"]] = (uids, status["Groups"].strip(), status["CapEff"].strip(), status["Seccomp"].strip())

        text = HEADER + "".join(ROWS.splitlines(True)[0].replace("70000101", str(80000000 + n)) for n in range(5000))
        status, shown = self.on_terminal(self.pack({STUDENT: text}), look)
        self.assertEqual(status, 0)
        self.assertEqual(shown.count("student row "), 5000)
        self.assertEqual(set(seen), {"patrond", "patrond-decode"})
        for _, groups, capabilities, _ in seen.values():
            self.assertEqual((groups, int(capabilities, 16)), ("", 0))
        self.assertEqual(seen["patrond-decode"][3], "2")  # behind its filter
        # what the administrator types is not there to be read, and the terminal is not that of its session
        self.assertEqual((terminals, sessions), ({os.O_WRONLY}, {True}))

    @staticmethod
    def terminals_of(pid):
        """How a process has its terminals open. (A build with sanitizers keeps standard error.)"""
        for fd in os.listdir(f"/proc/{pid}/fd"):
            if fd != "2" and os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/dev/pts/"):
                with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as file:
                    yield int(dict(line.split(":\t", 1) for line in file.read().splitlines())["flags"], 8) & os.O_ACCMODE


if __name__ == "__main__":
    if os.geteuid() != 0 or shutil.which("7z") is None:
        print("skipped: needs root and 7z")
        sys.exit(77)
    stagekit.main()
