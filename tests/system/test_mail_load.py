#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way of a report into a mailbox, on real parts: a zip over OpenSSH, Sierra's stand-in, patrond, Debian's Exim.

The load is written by hand (hand_feed.py): its names, streets, addresses, telephone numbers, birth dates and keys must be found
in no word of the mail.
"""
import email
import email.policy
import os
import quopri
import subprocess
import time
import unittest

import hand_feed
import stagekit
from exim_server import LOGIN, PASSWORD, EximServer
from feed_kit import House
from hostile_smtp import HostileSmtp
from rig import REPORT_PASSWORD
from test_end_to_end import hand_zip, leaks

TO = "anna@example.org bert@example.org"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.house = House()
        cls.addClassCleanup(cls.house.close)
        cls.house.start_sftp()
        for name in ("sierra.key", "other.key"):
            os.chmod(cls.house.path(name), 0o644)
        cls.relay = EximServer(cls.house.path("exim"), cls.house.path("sierra.pem"), cls.house.path("sierra.key"),
                               login_needed=True).start()
        cls.addClassCleanup(cls.relay.stop)
        cls.house.credential("smtp-password", PASSWORD)

    def setUp(self):
        self.house.forget()
        self.mail()
        self.house.sierra_with(hand_feed.patrons())
        self.before = len(self.relay.mails())

    def mail(self, port=None, notify="attach", more="", sources=("sftp", "share"), user=LOGIN, scheme="smtp", recipients=TO):
        report = "" if "share" in sources else "[report]\n"
        self.house.config(f"{report}[report]\nrecipients = {recipients}\n[mail]\nrelay = {scheme}://127.0.0.1:{port or self.relay.port}\n"
                          f"from = patrond@library.example\nuser = {user}\nca_file = {self.house.path('ca.pem')}\n"
                          f"notify = {notify}\ntimeout = 10s\n{more}", sources)

    def new_mails(self, count):
        return self.relay.mails(self.before + count)[self.before:]

    def load(self, data=None, mtime=1_790_000_000, **how):
        self.house.sftp.put("feed.zip", data or hand_zip(), mtime)
        return self.house.patrond("--once", **how)

    def ended(self, result, status=0):
        self.assertEqual((result.status, result.noise), (status, []), result.messages()[-5:])

    def told(self, result, ending):
        return [e for e in result.entries if e["MESSAGE_ID"].endswith(ending)]


class Received(Case):
    def test_a_load_ends_in_the_mailbox(self):
        result = self.load()
        self.ended(result)
        self.assertEqual([(e["RECIPIENTS"], e["MAILED"], e["PRIORITY"]) for e in self.told(result, "0e26")], [("2", "2", "5")])
        self.assertIn("mail", [e.get("STAGE") for e in result.entries if e["MESSAGE_ID"].endswith("0e0b")], "no walls")
        mails = self.new_mails(2)
        self.assertEqual([to for to, _ in mails], [["anna@example.org"], ["bert@example.org"]])
        for _, data in mails:
            self.nothing_personal(data)
        packed = self.attachment(mails[0][1])
        name = f"barcode_errors-{hand_feed.TODAY:%Y%m%d}.zip"
        with open(self.house.path("share", name), "rb") as file:
            self.assertEqual(packed, file.read(), "not what lies on the share")
        self.opens(packed)
        # what patrond printed, too
        self.assertEqual(leaks(result.stderr.encode()) + leaks(result.stdout.encode()), [])
        for word in ("anna@", "bert@", "relay password"):
            self.assertNotIn(word, result.stderr + result.stdout)

    def attachment(self, data):
        message = email.message_from_bytes(data, policy=email.policy.default)
        parts = [p for p in message.walk() if p.get_content_type() == "application/zip"]
        self.assertEqual(len(parts), 1)
        self.assertEqual(parts[0].get_filename(), f"barcode_errors-{hand_feed.TODAY:%Y%m%d}.zip")
        return parts[0].get_content()

    def nothing_personal(self, data):
        """In no header, no text, no name of a part, as they stand and decoded; and the search finds what is planted."""
        message = email.message_from_bytes(data, policy=email.policy.default)
        texts = [data, quopri.decodestring(data)]
        for part in message.walk():
            texts += [f"{name}: {value}".encode() for name, value in part.items()]
            if not part.is_multipart():
                texts.append(part.get_content().encode() if part.get_content_maintype() == "text" else part.get_content())
        for text in texts:
            self.assertEqual(leaks(text), [])
        for row in hand_feed.CLEANUP[1:]:
            for field in row[1:2]:
                self.assertNotIn(field.encode(), b"".join(texts), "a barcode")
        for part in (b"Subject: ", b"Barcode fields", b"filename="):
            self.assertIn(part, data)
            planted = data.replace(part, part + b"Fiammetta ", 1)
            self.assertEqual(leaks(planted), ["Fiammetta"])

    def opens(self, packed):
        path = self.house.path("received.zip")
        with open(path, "wb") as file:
            file.write(packed)
        for command in (["7z", "x", "-so", "-p{}", path], ["bsdtar", "-xOf", path, "--passphrase", "{}"]):
            right = subprocess.run([c.format(REPORT_PASSWORD) for c in command], capture_output=True, stdin=subprocess.DEVNULL)
            self.assertEqual(right.returncode, 0, command[0])
            self.assertTrue(right.stdout.startswith(b"patron_id,field,expiration_date,class\n"), command[0])
            self.assertEqual(len(right.stdout.splitlines()), 1 + self.cleanup_rows() + len(hand_feed.OPTED_OUT))
            wrong = subprocess.run([c.format("wrong") for c in command], capture_output=True, stdin=subprocess.DEVNULL)
            self.assertNotEqual(wrong.returncode, 0, command[0])
            self.assertNotIn(b"patron_id", wrong.stdout)

    @staticmethod
    def cleanup_rows():
        return len(hand_feed.CLEANUP) - (hand_feed.CLEANUP[0][0] == "patron_id")

    def test_not_again_when_the_report_says_the_same(self):
        self.ended(self.load())
        self.new_mails(2)
        # the same rows packed anew: another content, another zip of the report, and nothing new in it
        result = self.load(hand_zip(tool="zip"), 1_790_000_100)
        self.ended(result)
        self.assertEqual(len(self.told(result, "0e03")), 2, "no load")
        self.assertIn("not mailed again", self.told(result, "0e26")[0]["MESSAGE"])
        time.sleep(0.5)
        self.assertEqual(len(self.relay.mails()), self.before + 2)

    def test_dry_run_sends_nothing(self):
        self.house.sftp.put("feed.zip", hand_zip(), 1_790_000_000)
        result = self.house.patrond("--once", "--dry-run")
        self.assertEqual(self.told(result, "0e26"), [])
        self.assertNotIn("mail", [e.get("STAGE") for e in result.entries])
        self.assertEqual(len(self.relay.mails()), self.before)

    def test_held_load_is_reported(self):
        self.mail(more="[load]\nstart = manual\n")
        result = self.load()
        self.ended(result, 4)
        self.assertEqual(len(self.new_mails(2)), 2)

    def test_without_a_share(self):
        self.mail(sources=("sftp",))
        self.ended(self.load())
        self.opens(self.attachment(self.new_mails(2)[0][1]))

    def test_tls_first(self):
        self.mail(port=self.relay.tls_port, scheme="smtps")
        self.ended(self.load())
        self.assertEqual(len(self.new_mails(2)), 2)

    def test_notice(self):
        self.mail(notify="notice")
        self.ended(self.load())
        message = email.message_from_bytes(self.new_mails(2)[0][1], policy=email.policy.default)
        self.assertEqual(message.get_content_type(), "text/plain")
        self.assertEqual(leaks(message.as_bytes()), [])


class Failures(Case):
    def test_each_is_told_and_fails_no_load(self):
        relays = {
            "mail-no-tls": dict(offers=["AUTH PLAIN"]),
            "mail-certificate": dict(certificate="other"),
            "mail-auth": dict(at="auth", how="535 no"),
            "mail-sender": dict(at="mail", how="550 no"),
            "mail-recipient": dict(at="rcpt", how="550 no"),
            "mail-too-large": dict(at="final", how="552 too big"),
            "mail-refused": dict(at="data", how="554 no"),
            "mail-unreachable": dict(at="greeting", how="drop"),
            "mail-unclear": dict(at="final", how="drop"),
        }
        for n, (reason, how) in enumerate(relays.items()):
            certificate = how.pop("certificate", "sierra")
            with self.subTest(reason), HostileSmtp(self.house.path(certificate + ".pem"), self.house.path(certificate + ".key"),
                                                   **how) as relay:
                self.house.forget()
                self.mail(port=relay.port)
                result = self.load(mtime=1_790_000_000 + n)
                self.ended(result)
                self.assertEqual(result.reasons(), [reason])
                entry = self.told(result, "0e27")[0]
                self.assertEqual((entry["PRIORITY"], entry["REASON"]), ("4", reason))
                self.assertGreater(len(entry["MESSAGE"]), 60, "nothing to go by")
                self.assertEqual(leaks(result.stderr.encode()), [])
                # the report is on the share all the same
                self.assertEqual(len([f for f in os.listdir(self.house.path("share")) if f.startswith("barcode_errors")]), 1)

    def test_sent_when_the_relay_is_back(self):
        with HostileSmtp(at="greeting", how="421 busy") as relay:
            port = relay.port
            self.mail(port=port, more="[sftp]\npoll_interval = 1s\n[load]\nretry_pause = 100ms\nretry_pause_max = 1s\n")
            self.house.sftp.put("feed.zip", hand_zip(), 1_790_000_000)
            process = self.house.start_patrond(stderr=open(self.house.path("resident.log"), "w", encoding="utf-8"))
            try:
                self.until(lambda: len(relay.commands) + relay.connections >= 2, "not tried again")
                # the administrator names another relay
                self.mail(more="[sftp]\npoll_interval = 1s\n[load]\nretry_pause = 100ms\nretry_pause_max = 1s\n")
                self.assertEqual(len(self.new_mails(2)), 2)
                time.sleep(2.5)
                self.assertEqual(len(self.relay.mails()), self.before + 2, "sent again")
            finally:
                process.terminate()
                self.assertEqual(process.wait(30), 0)
        with open(self.house.path("resident.log"), encoding="utf-8") as file:
            log = file.read()
        self.assertIn("mail-refused", log)
        self.assertEqual(leaks(log.encode()), [])

    def until(self, done, what, timeout=40):
        deadline = time.monotonic() + timeout
        while not done():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.05)


if __name__ == "__main__":
    stagekit.main()
