#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is mailed, when, and when not again: the supervisor with a mail stage that does what each test says, and that lies.

The stages are small programs in Python (test_supervisor.py). What the mail stage was asked is a line a mail in runtime/mails.
"""
import json
import os
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import mail_kit
import stagekit
from test_supervisor import Fake, reasons

THREE = "anna@example.org bert@example.org cleo@example.org"
PAPER = "here = os.path.dirname(os.path.abspath(sys.argv[0]))\n"

# The feed's bytes and the report's digest stand in files, so that a test can change them.
SHARE = PAPER + """
while True:
    if name == "SHARE_LIST":
        listing("feed.zip", len(open(here + "/feed", "rb").read()), os.stat(here + "/feed").st_mtime_ns // 1000)
    elif name == "SHARE_COPY":
        data = open(here + "/feed", "rb").read()
        os.pwrite(fds[0], data, 0)
        say("COPIED", struct.pack("<Q", len(data)))
    elif name == "SHARE_DELIVER" and os.path.exists(here + "/runtime/no-share"):
        say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index("share-full"), 255, 0, 0, 0))
        wait()
    say("DONE")
    name, payload, fds = request()
"""
REPORT = PAPER + """
while os.read(fds[0], 4096):
    pass
what = open(here + "/report", "rb").read()
if what:
    os.pwrite(fds[1], b"zip of " + what, 0)
say("REPORTED", struct.pack("<Q9I32s", len(what) and 7 + len(what), *([1, 0, 0, 2, 0, 0, 3, 4, 5] if what else [0] * 9),
                            hashlib.sha256(what).digest() if what else bytes(32)))
say("DONE")
wait()
"""
MAIL = PAPER + """
import json
today, kinds, tag, skip, *counts = struct.unpack("<iBQI8I", payload)
assert kinds == 1
body = os.pread(fds[0], 1000, 0).decode() if fds else None
everybody = 7 & ~skip
with open(here + "/runtime/mails", "a") as file:
    file.write(json.dumps([skip, tag, counts, body]) + "\\n")
def leaving(bits):
    say("MAIL_LEAVING", struct.pack("<I", bits))
def mailed(taken, refused=0):
    say("MAILED", struct.pack("<2I", taken, refused))
def fail(code, column=0, number=0):
    say("FAILURE", struct.pack("<HBIIi", k.FAILURE.index(code), 255, 0, column, number))
    wait()
def well():
    leaving(everybody); mailed(everybody); say("DONE")
    wait()
"""


class MailFake(Fake):
    def __init__(self, mail="well()", notify="attach", recipients=THREE, **stages):
        super().__init__(share=SHARE, report=REPORT, mail=MAIL + mail + "\n", **stages)
        path = os.path.join(self.directory, "credentials/report-password")
        with open(path, "w", encoding="ascii") as file:
            file.write("secret\n")
        self.mail_extra(notify, recipients)
        self.feed(b"content")
        self.report(b"one")
        self.process = None

    def mail_extra(self, notify="attach", recipients=THREE, more=""):
        self.extra = (f"stage_timeout = 4s\nretry_pause = 1ms\nretry_pause_max = 1ms\n[share]\npoll_interval = 1s\nremote_poll_interval = 1s\n[report]\n"
                      f"recipients = {recipients}\n[mail]\nrelay = smtp://relay\nfrom = a@b\nnotify = {notify}\n{more}")

    def write(self, name, data):
        with open(os.path.join(self.directory, name + ".new"), "wb") as file:
            file.write(data)
        os.chmod(file.name, 0o644)
        os.rename(file.name, os.path.join(self.directory, name))

    def feed(self, data):
        self.write("feed", data)

    def report(self, data):
        self.write("report", data)

    def change(self, mail):
        """Another mail stage from now on."""
        path = os.path.join(self.directory, "patrond-mail")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head = text[:text.index("def well():")]
        tail = "def well():\n    leaving(everybody); mailed(everybody); say(\"DONE\")\n    wait()\n"
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(head + tail + mail + "\n")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def mails(self):
        path = os.path.join(self.directory, "runtime/mails")
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii") as file:
            return [json.loads(line) for line in file]

    def until(self, done, what, timeout=30):
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(what)
            time.sleep(0.05)

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        return process.returncode, [json.loads(line) for line in err.splitlines()]


def each(rows, check):
    """Each row of a table in a house of its own, some of them side by side: most of their time is waiting."""
    with ThreadPoolExecutor(3) as pool:
        for row, done in [(row, pool.submit(check, row)) for row in rows]:
            try:
                done.result()
            except AssertionError as e:
                raise AssertionError(f"{row}: {e}") from None


def told(entries, ending):
    return [e for e in entries if e["MESSAGE_ID"].endswith(ending)]


def mailed(entries):
    return [(e["RECIPIENTS"], e["MAILED"]) for e in told(entries, "0e26") if "RECIPIENTS" in e]


class Mails(unittest.TestCase):
    def test_sent_once(self):
        with MailFake() as fake:
            status, entries = fake.run()
            self.assertEqual((status, mailed(entries)), (0, [("3", "3")]), entries)
            self.assertEqual(fake.mails(), [[0, mail_kit.list_tag(THREE), [1, 0, 0, 2, 0, 0, 3, 4], "zip of one"]])

    def test_not_again_when_nothing_changed(self):
        with MailFake() as fake:
            fake.run()
            for n in range(2):
                fake.feed(b"another feed %d" % n)
                status, entries = fake.run()
                self.assertEqual((status, len(told(entries, "0e03"))), (0, 1), "no load")
                self.assertEqual([e["MESSAGE"] for e in told(entries, "0e26")],
                                 ["The clean-up report says the same as the last one mailed: it is not mailed again."])
            self.assertEqual(len(fake.mails()), 1)
            fake.feed(b"a third feed")
            fake.report(b"two")
            fake.run()
            self.assertEqual([m[3] for m in fake.mails()], ["zip of one", "zip of two"])
            # and back: that is news again
            fake.feed(b"a fourth feed")
            fake.report(b"one")
            fake.run()
            self.assertEqual(len(fake.mails()), 3)

    def test_news_after_there_was_nothing(self):
        with MailFake() as fake:
            fake.run()
            for n, what in enumerate((b"", b"one")):
                fake.feed(b"feed %d" % n)
                fake.report(what)
                fake.run()
            self.assertEqual([m[3] for m in fake.mails()], ["zip of one", "zip of one"])

    def test_others_are_named(self):
        with MailFake() as fake:
            fake.run()
            fake.mail_extra(recipients="cleo@example.org dora@example.org emil@example.org")
            fake.feed(b"another")
            fake.run()
            self.assertEqual([m[0] for m in fake.mails()], [0, 0])

    def test_dry_run(self):
        with MailFake() as fake:
            status, _ = fake.run("--once", "--dry-run")
            self.assertEqual((status, fake.mails()), (0, []))

    def test_nobody_to_be_mailed(self):
        with MailFake() as fake:
            fake.extra = "[report]\n"
            status, entries = fake.run()
            self.assertEqual((status, fake.mails(), told(entries, "0e26")), (0, [], []))

    def test_held_load(self):
        load = """
        say("INDEXED", struct.pack("<Q", 10))
        counts("PLAN", 1, created=1)
        say("GUARD", struct.pack("<BBQQI", 0, 0, 1, 1, 30))
        say("DONE")
        wait()
        """
        with MailFake(load=load) as fake:
            status, entries = fake.run()
            self.assertEqual((status, mailed(entries)), (4, [("3", "3")]))

    def test_no_load_fails_by_a_mail(self):
        def check(row):
            mail, reason = row
            with MailFake(mail) as fake:
                status, entries = fake.run()
                self.assertEqual((status, reasons(entries)), (0, [reason]), entries[-4:])
                self.assertEqual(told(entries, "0e27")[0]["MAILED"], "0")
        each((("fail('mail-unreachable')", "mail-unreachable"), ("fail('connect', number=111)", "connect"),
                             ("fail('mail-auth', number=535)", "mail-auth"), ("os._exit(1)", "stage-died"),
                             ("say('LISTING', k.string('x') + bytes(16)); wait()", "protocol"),
                             ("time.sleep(60)", "stage-silent"), ("fail('credential', number=-126)", "credential"),
                             ("fail('config', number=-22)", "config")), check)

    def test_no_such_program(self):
        with MailFake() as fake:
            os.unlink(os.path.join(fake.directory, "patrond-mail"))
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)), (0, ["stage-missing"]))

    def test_lies(self):
        def check(mail):
            with MailFake(mail) as fake:
                status, entries = fake.run()
                self.assertEqual(status, 0)
                self.assertEqual(len(told(entries, "0e11")), 1, "no suspicion")
        each(("leaving(8); wait()", "leaving(0); wait()", "leaving(7); leaving(7); wait()", "mailed(7); wait()",
                     "leaving(3); mailed(7); wait()", "leaving(7); mailed(7, 8); wait()", "leaving(7); mailed(7); mailed(7); wait()",
                     "say('MAIL_LEAVING', bytes(3)); wait()"), check)

    def test_unclear_is_said_and_not_sent_again(self):
        def check(mail):
            with MailFake(mail) as fake:
                status, entries = fake.run()
                self.assertEqual((status, reasons(entries)), (0, ["mail-unclear"]), entries[-3:])
                fake.change("well()")
                fake.feed(b"another")
                fake.run()
                self.assertEqual(len(fake.mails()), 1)
        each(("leaving(7); os._exit(1)", "leaving(7); time.sleep(60)", "leaving(7); fail('mail-unclear')",
                     "leaving(7); say('LISTING', k.string('x') + bytes(16)); wait()", "leaving(7); say('DONE'); wait()"), check)

    def test_refused_by_the_relay_after_all_is_sent_again(self):
        for code in ("mail-refused", "mail-too-large", "mail-auth"):
            with self.subTest(code), MailFake(f"leaving(7); fail('{code}', number=554)") as fake:
                status, entries = fake.run()
                self.assertEqual((status, reasons(entries)), (0, [code]))
                fake.change("well()")
                fake.feed(b"another")
                status, entries = fake.run()
                self.assertEqual(mailed(entries), [("3", "3")])

    def test_some_are_refused(self):
        with MailFake("leaving(5); mailed(5, 2); fail('mail-recipient', column=2, number=550)") as fake:
            status, entries = fake.run()
            self.assertEqual((status, reasons(entries)), (0, ["mail-recipient"]))
            self.assertEqual(mailed(entries), [("3", "2")])
            self.assertIn("recipient 2", told(entries, "0e27")[0]["MESSAGE"])
            fake.change("well()")
            fake.feed(b"another")
            status, entries = fake.run()
            self.assertEqual([m[0] for m in fake.mails()], [0, 5], "those who have it are not to be mailed again")
            self.assertEqual(mailed(entries), [("3", "3")])

    def test_killed_while_the_last_bytes_leave(self):
        with MailFake("leaving(7); time.sleep(60)") as fake:
            fake.extra = fake.extra.replace("retry_pause = 1ms", "stage_timeout = 60s\nretry_pause = 1ms")
            process = fake.start()
            state = os.path.join(fake.directory, "runtime/state")
            fake.until(lambda: os.path.exists(state) and "mailed" in open(state, encoding="ascii").read(), "not remembered")
            process.kill()
            process.communicate()
            fake.change("well()")
            fake.feed(b"another")
            status, entries = fake.run()
            self.assertEqual((status, len(fake.mails())), (0, 1))
            self.assertEqual(len(told(entries, "0e26")), 1)

    def test_share_is_full(self):
        """The attached report goes all the same; a notice waits until what it tells of is there."""
        for notify, now in (("attach", 1), ("notice", 0)):
            with self.subTest(notify), MailFake(notify=notify) as fake:
                block = os.path.join(fake.directory, "runtime/no-share")
                with open(block, "w", encoding="ascii"):
                    pass
                process = fake.start("--log=json")
                try:
                    fake.until(lambda: "no-share" in os.listdir(os.path.join(fake.directory, "runtime")), "")
                    time.sleep(1.5)
                    self.assertEqual(len(fake.mails()), now)
                    os.unlink(block)
                    fake.until(lambda: len(fake.mails()) == 1, "no mail")
                    time.sleep(1.2)
                    self.assertEqual([m[3] for m in fake.mails()], ["zip of one" if notify == "attach" else None])
                finally:
                    status, entries = fake.stop(process)
                self.assertEqual(status, 0)
                self.assertEqual(mailed(entries), [("3", "3")])

    def test_tried_again_at_later_looks(self):
        with MailFake("fail('mail-unreachable', number=28)") as fake:
            process = fake.start("--log=json")
            try:
                fake.until(lambda: len(fake.mails()) >= 3, "not tried again")
                fake.change("well()")
                time.sleep(2.5)
                count = len(fake.mails())
                time.sleep(1.5)
                self.assertEqual(len(fake.mails()), count, "sent again and again")
            finally:
                status, entries = fake.stop(process)
            self.assertEqual((status, mailed(entries)), (0, [("3", "3")]))
            self.assertGreaterEqual(reasons(entries).count("mail-unreachable"), 3)

    def test_pauses_grow(self):
        with MailFake("fail('mail-unreachable')") as fake:
            fake.extra = fake.extra.replace("retry_pause = 1ms\nretry_pause_max = 1ms", "retry_pause = 1h\nretry_pause_max = 6h")
            process = fake.start("--log=json")
            try:
                fake.until(lambda: len(fake.mails()) == 2, "not tried at the next look")
                time.sleep(2.5)
                self.assertEqual(len(fake.mails()), 2)
            finally:
                fake.stop(process)

    def test_a_newer_report_takes_its_place(self):
        with MailFake("time.sleep(1); fail('mail-unreachable')") as fake:
            fake.extra = fake.extra.replace("retry_pause = 1ms", "stage_timeout = 20s\nretry_pause = 1ms")
            process = fake.start("--log=json")
            try:
                fake.until(lambda: len(fake.mails()) == 1, "no mail")
                fake.report(b"two")
                fake.feed(b"another")
                fake.until(lambda: [m[3] for m in fake.mails()][-1] == "zip of two", "the old one is tried on and on")
                fake.change("well()")
                time.sleep(3)
                self.assertEqual(fake.mails()[-1][3], "zip of two")
            finally:
                _, entries = fake.stop(process)
            self.assertEqual(mailed(entries), [("3", "3")])

    def test_loads_go_on_beside_a_slow_mail(self):
        with MailFake("time.sleep(8); well()") as fake:
            fake.extra = fake.extra.replace("retry_pause = 1ms", "stage_timeout = 20s\nretry_pause = 1ms")
            process = fake.start("--log=json")
            try:
                fake.until(lambda: len(fake.mails()) == 1, "no mail")
                begun = time.monotonic()
                fake.feed(b"another")
                state = os.path.join(fake.directory, "runtime/state")
                fake.until(lambda: len([c for c in json.load(open(state, encoding="ascii"))["contents"] if c["state"] == 1]) == 2,
                           "no second load")
                self.assertLess(time.monotonic() - begun, 7, "the load waited for the mail")
            finally:
                fake.stop(process)

    def test_stopped_while_mailing(self):
        for once in (True, False):
            cancel = "s.recv(100); fail('cancelled')"
            with self.subTest(once=once), MailFake(cancel) as fake:
                fake.extra = fake.extra.replace("retry_pause = 1ms", "stage_timeout = 20s\nretry_pause = 1ms")
                process = fake.start(*(() if once else ("--log=json",)))
                fake.until(lambda: len(fake.mails()) == 1, "no mail")
                time.sleep(0.3)
                begun = time.monotonic()
                status, entries = fake.stop(process)
                self.assertLess(time.monotonic() - begun, 4)
                self.assertEqual((status, reasons(entries)), (2 if once else 0, ["cancelled"]))

    def test_configuration(self):
        for extra, what in (("[mail]\nrelay = smtp://relay\n", "[mail] from is missing"), ("[mail]\nfrom = a@b\n", "[mail] relay is missing"),
                            ("[report]\nrecipients = a@b\n", "[report] recipients need [mail]"),
                            ("[mail]\nrelay = smtp://r\nfrom = a@b\n", "[mail] needs [report] recipients")):
            with self.subTest(what), MailFake() as fake:
                fake.extra = extra
                process = fake.start()
                _, err = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 1)
                self.assertIn(what, err)
        with MailFake() as fake:
            fake.extra += "user = patrond\n"
            process = fake.start()
            _, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 1)
            self.assertIn("smtp-password", err)


if __name__ == "__main__":
    stagekit.main()
