#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-mail as the supervisor drives it: relays that misbehave at every step first, then Debian's Exim.

PATROND_BIN names the folder of the built programs (default: build/release/bin). Run as root: stage and relay become nobody.
"""
import base64
import email
import email.policy
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import warnings

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mail_kit
import stagekit
from exim_server import LOGIN, PASSWORD, EximServer
from hostile_smtp import HostileSmtp
from mail_kit import COLLEAGUES, MailCase

REPORT_PASSWORD = "korrekt Pferd ½"


class Refusals(MailCase):
    """Each step of the conversation, and each way of spoiling it. A mail that is not known to be sent is never told as sent."""

    def relay(self, at=None, how=None, certificate="good", scheme="smtp", **options):
        settings = {k: options.pop(k) for k in ("user", "password", "timeout", "host", "recipients", "ca", "sender", "extra")
                    if k in options}
        relay = HostileSmtp(self.file(certificate + ".pem"), self.file(certificate + ".key"), at=at, how=how,
                            tls_first=scheme == "smtps", **options)
        self.configure(relay.port, scheme=scheme, **{"timeout": "1500ms", **settings})
        self.addCleanup(relay.__exit__)
        return relay

    def test_nothing_is_said_without_tls(self):
        for at, how, code in (("starttls", "454 not now", "mail-no-tls"), ("starttls", "501 no", "mail-no-tls"),
                              ("handshake", "garbage", "mail-tls"), ("handshake", "drop", None),
                              ("starttls", "plain", None), ("ehlo", "502 no EHLO here", None)):
            with self.subTest(at=at, how=how):
                relay = self.relay(at, how, user=LOGIN, password=PASSWORD)
                frames = self.mail()
                self.assertEqual([f.name for f in frames], ["FAILURE"])
                if code:
                    self.assertEqual(frames[0].code, code)
                self.assertIn(frames[0].code, ("mail-no-tls", "mail-tls", "mail-refused", "mail-unreachable"))
                self.only_hello(relay)

    def only_hello(self, relay):
        for tls, line in relay.commands:
            # a relay that does not begin TLS takes its bytes for lines
            if not tls and re.match(r"[A-Za-z]{4,}( [ -~]*)?$", line):
                self.assertIn(line.split(" ")[0], ("EHLO", "HELO", "STARTTLS", "QUIT"), "said in the clear")
        self.assertEqual((relay.bodies, relay.logins), ([], []))

    def test_no_starttls_offered_or_the_offer_taken_away(self):
        for offers in (["AUTH PLAIN LOGIN"], [], ["XTARTTLS", "AUTH PLAIN"], ["SIZE 1000"]):
            with self.subTest(offers=offers):
                relay = self.relay(offers=offers, user=LOGIN, password=PASSWORD)
                self.failed("mail-no-tls")
                self.only_hello(relay)

    def test_answers_injected_before_tls(self):
        relay = self.relay("starttls", "inject", user=LOGIN, password=PASSWORD)
        frames = self.mail()
        self.assertEqual([f.name for f in frames], ["FAILURE"], "answers from the clear were believed")
        self.assertIn(frames[0].code, ("mail-answer", "mail-no-tls"))
        self.assertEqual((relay.bodies, relay.logins), ([], []))

    def test_certificates(self):
        for certificate, number in (("expired", 10), ("other", 62), ("stranger", 20)):
            for scheme in ("smtp", "smtps"):
                with self.subTest(certificate=certificate, scheme=scheme):
                    relay = self.relay(certificate=certificate, scheme=scheme, user=LOGIN, password=PASSWORD)
                    self.failed("mail-certificate", number=number)
                    self.only_hello(relay)

    def test_certificate_for_the_name_and_not_the_address(self):
        relay = self.relay(certificate="other", host="localhost")
        self.failed("mail-certificate", number=62)
        self.only_hello(relay)

    def test_no_ca(self):
        self.relay(ca="no-such.pem")
        self.failed("config")
        with open(self.file("empty.pem"), "w", encoding="ascii"):
            pass
        relay = self.relay(ca="empty.pem")
        frames = self.mail()
        self.assertEqual([f.name for f in frames], ["FAILURE"])
        self.only_hello(relay)

    def test_old_tls(self):
        relay = self.relay(scheme="smtps")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            relay.context.maximum_version = ssl.TLSVersion.TLSv1_1
        relay.context.set_ciphers("ALL:@SECLEVEL=0")
        self.failed("mail-tls")

    def test_refused_at_each_step(self):
        table = (("greeting", "mail-refused"), ("ehlo", "mail-refused"), ("auth", "mail-auth"), ("mail", "mail-sender"),
                 ("rcpt", "mail-recipient"), ("data", "mail-refused"))
        for at, code in table:
            for answer in ("421 busy", "451 later", "550 no", "554 never"):
                with self.subTest(at=at, answer=answer):
                    self.relay(at, answer, user=LOGIN, password=PASSWORD)
                    self.failed(code, number=int(answer[:3]), column=1 if at == "rcpt" else 0)

    def test_refused_after_the_final_dot(self):
        for answer, code in (("451 later", "mail-refused"), ("554 no encrypted attachments", "mail-refused"),
                             ("552 too big", "mail-too-large")):
            with self.subTest(answer=answer):
                relay = self.relay("final", answer)
                self.failed(code, number=int(answer[:3]), before=("MAIL_LEAVING",))
                self.assertEqual(len(relay.bodies), 1)

    def test_too_large_by_its_size(self):
        self.relay("mail", "552 too big")
        self.failed("mail-too-large", number=552)

    def test_log_in_wanted(self):
        for at in ("mail", "rcpt"):
            self.relay(at, "530 log in first")
            self.failed("mail-auth", number=530)

    def test_no_way_of_logging_in_that_is_spoken(self):
        relay = self.relay(offers=["STARTTLS", "AUTH NTLM GSSAPI CRAM-MD5 DIGEST-MD5 XOAUTH2"], user=LOGIN, password=PASSWORD)
        self.failed("mail-auth")
        self.assertEqual(relay.logins, [])

    def test_log_in_by_each_way(self):
        plain = base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()
        words = [base64.b64encode(w.encode()).decode() for w in (LOGIN, PASSWORD)]
        for offer, said in (("AUTH PLAIN", [plain]), ("AUTH LOGIN", words)):
            relay = self.relay(offers=["STARTTLS", offer], user=LOGIN, password=PASSWORD)
            self.assertEqual(self.sent(), 7)
            self.assertEqual(relay.logins, said)

    def test_a_password_that_looks_like_a_command(self):
        # in base64: QUIT, DATA; what answers it must not be taken for another step's
        for word in ("QUIT", "DATA"):
            relay = self.relay(offers=["STARTTLS", "AUTH LOGIN"], user="patrond")
            with open(self.file("credentials/smtp-password"), "wb") as file:
                file.write(base64.b64decode(word))
            self.assertEqual(self.sent(), 7)
            self.assertEqual(relay.logins[1], word)

    def test_silence_at_each_step(self):
        for at in ("greeting", "ehlo", "starttls", "handshake", "auth", "mail", "rcpt", "data"):
            with self.subTest(at=at):
                self.relay(at, "silent", user=LOGIN, password=PASSWORD, timeout="600ms")
                begun = time.monotonic()
                self.failed("mail-unreachable")
                self.assertLess(time.monotonic() - begun, 10)

    def test_drop_at_each_step(self):
        for at in ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data"):
            with self.subTest(at=at):
                self.relay(at, "drop", user=LOGIN, password=PASSWORD)
                frames = self.mail()
                self.assertEqual([f.name for f in frames], ["FAILURE"])
                self.assertIn(frames[0].code, ("mail-unreachable", "mail-auth") if at == "auth" else ("mail-unreachable",))

    def test_slow_and_endless_answers(self):
        for how in ("slow", "endless", "long", "garbage"):
            for at in ("greeting", "ehlo", "mail"):
                with self.subTest(at=at, how=how):
                    relay = self.relay(at, how, timeout="700ms")
                    begun = time.monotonic()
                    frames = self.mail()
                    self.assertEqual([f.name for f in frames], ["FAILURE"], frames)
                    self.assertIn(frames[0].code, ("mail-unreachable", "mail-answer"), frames)
                    self.assertLess(time.monotonic() - begun, 10)
                    self.assertLess(relay.sent, 32 << 20, "an answer without an end was read")

    def test_broken_off_in_the_middle(self):
        packed = self.report(rows=8000, width=500)
        for how in ("drop", "silent"):
            with self.subTest(how=how):
                relay = self.relay("body", how)
                self.failed("mail-unreachable", packed=packed)
                self.assertEqual(relay.bodies, [])

    def test_unclear_after_the_final_dot(self):
        """Nobody knows: it is said so, never that it was sent, never that it was not."""
        for how in ("silent", "drop", "garbage"):
            with self.subTest(how=how):
                relay = self.relay("final", how)
                frames = self.failed("mail-unclear", before=("MAIL_LEAVING",))
                self.assertEqual(frames[0].to, 7)
                self.assertEqual(len(relay.bodies), 1)

    def test_nothing_leaves_untold(self):
        """Answers of a form that libcurl takes for whole: no message goes without a word to the supervisor, who would send it again."""
        for at, how in (("data", b"354x\n"), ("data", b"354-\n"), ("data", b"0354\n"), ("rcpt", b"250x\n"), ("rcpt", b"250-\n"),
                        ("rcpt", b"0250\n"), ("final", b"250x\n"), ("final", b"0250\n")):
            with self.subTest(at=at, how=how):
                relay = self.relay(at, how)
                frames = self.mail()
                leaving = [f.to for f in frames if f.name == "MAIL_LEAVING"]
                self.assertTrue(leaving == [7] or (leaving == [] and relay.bodies == []), (frames, len(relay.bodies)))

    def test_taken_whatever_comes_after(self):
        for how in ("silent", "drop", "554 no"):
            with self.subTest(how=how):
                relay = self.relay("quit", how, timeout="20s")
                begun = time.monotonic()
                self.assertEqual(self.sent(), 7)
                self.assertLess(time.monotonic() - begun, 5, "waited for the answer to QUIT")
                self.assertEqual(len(relay.bodies), 1)

    def test_unreachable(self):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.configure(one.getsockname()[1])
            self.failed("connect", number=111)
        self.configure(25, host="no-such-host.invalid")
        self.failed("resolve")

    def test_ipv6(self):
        if not stagekit.has_ipv6_loopback():
            self.skipTest("no ::1")
        relay = self.relay(address="::1", host="[::1]")
        self.assertEqual(self.sent(), 7)
        self.assertEqual(len(relay.bodies), 1)
        self.relay(address="::1", host="[::1]", certificate="other")
        self.failed("mail-certificate", number=62)

    def test_by_name(self):
        """The name is looked up before the walls, by /etc/hosts, and never again."""
        relay = self.relay(host="localhost")
        self.assertEqual(self.sent(), 7)
        self.assertEqual(len(relay.bodies), 1)

    def test_says_hello_by_the_domain_of_the_sender(self):
        relay = self.relay(user=LOGIN, password=PASSWORD)
        self.sent()
        self.assertEqual({line for _, line in relay.commands if line.startswith("EHLO")}, {"EHLO library.example"})

    def test_no_second_connection(self):
        relay = self.relay("ehlo", "drop")
        self.failed("mail-unreachable")
        self.assertEqual(relay.connections, 1)

    def test_recipients_refused_one_by_one(self):
        relay = self.relay(recipients=COLLEAGUES)
        relay.recipients = {"bert@example.org": "550 gone"}
        frames = self.failed("mail-recipient", number=550, column=2, before=("MAIL_LEAVING", "MAILED"))
        self.assertEqual((frames[0].to, frames[1].taken, frames[1].refused), (5, 5, 2))
        # the next try is for those alone who have nothing
        relay.recipients = {}
        relay.commands.clear()
        self.assertEqual(self.sent(skip=5), 2)
        self.assertEqual([line for _, line in relay.commands if line.startswith("RCPT")], ["RCPT TO:<bert@example.org>"])
        self.assertNotIn(b"anna@", relay.bodies[-1])
        relay.recipients = {"cleo@example.org": "450 later"}
        self.failed("mail-recipient", number=450, column=3, skip=3)

    def report(self, rows=3, width=8):
        return mail_kit.make_report(self.folder, REPORT_PASSWORD,
                                    [(1000 + i, base64.b85encode(os.urandom(width)).decode(), "letters")
                                     for i in range(rows)])

    def test_what_is_no_encrypted_report(self):
        packed = self.report()
        for name in ("barcode_errors.csv", "other.csv"):
            with open(self.file(name), "w", encoding="ascii") as file:
                file.write("patron_id,field\n1,2\n")
        table = {
            "nothing": b"",
            "text": b"Anna,Beispiel,2010-01-01\n" * 100,
            "not encrypted": self.zip("barcode_errors.csv"),
            "ZipCrypto": self.zip("barcode_errors.csv", "-psecret", "-mem=ZipCrypto"),
            "AES-128": self.zip("barcode_errors.csv", "-psecret", "-mem=AES128"),
            "another name": self.zip("other.csv", "-psecret", "-mem=AES256"),
            "cut": packed[:-1],
            "something before": b"Anna" + packed,
            "something behind": packed + b"Anna",
            "one file not encrypted": self.zip("barcode_errors.csv", "-psecret", "-mem=AES256", more="held_rows.csv"),
            "a comment": packed[:-2] + b"\x04\0Anna",
            "flag taken off": self.flip(packed, b"PK\x03\x04", 6),
            "flag taken off in the directory": self.flip(packed, b"PK\x01\x02", 8),
            "method changed": self.flip(packed, b"PK\x03\x04", 8),
        }
        relay = self.relay()
        for name, data in table.items():
            with self.subTest(name):
                self.failed("mail-report", packed=data)
        self.assertEqual(relay.bodies, [])

    def zip(self, name, *options, more=None):
        path = self.file("made.zip")
        if os.path.exists(path):
            os.unlink(path)
        subprocess.run(["7z", "a", "-tzip", *options, path, name], cwd=self.folder, check=True, capture_output=True)
        if more:
            with open(self.file(more), "w", encoding="ascii") as file:
                file.write("feed,row\n")
            subprocess.run(["7z", "a", "-tzip", path, more], cwd=self.folder, check=True, capture_output=True)
        with open(path, "rb") as file:
            return file.read()

    @staticmethod
    def flip(packed, magic, offset):
        at = packed.index(magic) + offset
        return packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1:]

    def test_what_the_supervisor_may_not_ask(self):
        relay = self.relay()
        everybody = 7
        for name, payload in (("all skipped", self.payload(skip=everybody)), ("a bit of nobody", self.payload(skip=8)),
                              ("1970", self.payload(today=0)), ("another age", self.payload(today=2932000)), ("no feed", self.payload(kinds=0)),
                              ("a feed that is none", self.payload(kinds=4))):
            with self.subTest(name):
                self.failed("protocol", payload=payload)
        self.failed("config", payload=self.payload(tag=mail_kit.list_tag("eve@elsewhere.example")))
        one, other = stagekit.feed_fd(self.report()), stagekit.feed_fd()
        self.failed("protocol", fds=(one, other))
        read_end, write_end = os.pipe()
        self.failed("mail-report", fds=(read_end,))
        for fd in (one, other, read_end, write_end):
            os.close(fd)
        self.assertEqual(relay.bodies, [])

    def test_credential(self):
        self.relay(user=LOGIN)
        self.failed("credential")
        relay = self.relay(password=PASSWORD)  # nobody to log in as: not even read
        self.assertEqual(self.sent(), 7)
        self.assertEqual(relay.logins, [])

    def test_configuration(self):
        for settings in (dict(recipients=""), dict(sender="patrond@library.example\nbcc = x")):
            self.relay(**settings)
            self.failed("config")
        for bad in ("a b@c", "<a@b>", "a@b>\r\nRCPT TO:<eve@x", "@b", "a@", "a@b@c", '"a"@b', "a@b..c", "-f@b", "a@-b"):
            with self.subTest(bad):
                self.relay(sender=bad)
                self.failed("config")

    def test_cancelled(self):
        self.relay("rcpt", "silent", timeout="30s")
        with stagekit.Stage(os.path.join(mail_kit.BIN, "patrond-mail"), self.file("patrond.conf"), self.file("credentials")) as stage:
            stage.send("MAIL", self.payload())
            self.assertEqual(stage.receive().name, "WALLS")
            time.sleep(0.5)
            stage.send("CANCEL")
            begun = time.monotonic()
            self.assertEqual([f.code for f in stage.until_end()], ["cancelled"])
            self.assertLess(time.monotonic() - begun, 5)

    def test_cancelled_in_the_middle_of_the_message(self):
        """Half a message must not be ended with a dot."""
        relay = self.relay("body", "silent", timeout="30s")
        packed = stagekit.feed_fd(self.report(rows=8000, width=500))
        with stagekit.Stage(os.path.join(mail_kit.BIN, "patrond-mail"), self.file("patrond.conf"), self.file("credentials")) as stage:
            stage.send("MAIL", self.payload(), (packed,))
            self.assertEqual(stage.receive().name, "WALLS")
            time.sleep(0.7)
            stage.send("CANCEL")
            self.assertEqual([f.code for f in stage.until_end()], ["cancelled"])
        os.close(packed)
        relay.stopping.set()
        relay.__exit__()
        self.assertEqual(relay.bodies, [])

    def test_hang_up(self):
        self.relay("rcpt", "silent", timeout="30s")
        stage = stagekit.Stage(os.path.join(mail_kit.BIN, "patrond-mail"), self.file("patrond.conf"), self.file("credentials"))
        stage.send("MAIL", self.payload())
        self.assertEqual(stage.receive().name, "WALLS")
        time.sleep(0.3)
        begun = time.monotonic()
        stage.close()
        self.assertLess(time.monotonic() - begun, 3)


class RealRelay(MailCase):
    """Debian's Exim, whose TLS is GnuTLS."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = EximServer(cls.file("exim"), cls.file("good.pem"), cls.file("good.key"), size_limit="200K",
                                login_needed=True).start()
        cls.packed = mail_kit.make_report(cls.folder, REPORT_PASSWORD)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        super().tearDownClass()

    def setUp(self):
        self.before = len(self.server.mails())

    def relay(self, scheme="smtp", user=LOGIN, password=PASSWORD, **settings):
        self.configure(self.server.port if scheme == "smtp" else self.server.tls_port, scheme=scheme, user=user,
                       password=password, timeout="15s", **settings)

    def new_mails(self, count):
        return self.server.mails(self.before + count)[self.before:]

    def parse(self, data):
        return email.message_from_bytes(data, policy=email.policy.default)

    def test_refusals(self):
        self.relay(password="wrong")
        self.failed("mail-auth", number=535)
        self.relay(user="", password=None)
        frames = self.failed("mail-sender", number=550)
        self.assertEqual(len(frames), 1)
        self.relay(sender="refused@example.org")
        self.failed("mail-sender", number=550)
        self.relay(recipients="nobody@example.org")
        self.failed("mail-recipient", number=550, column=1)
        self.relay(recipients="anna@elsewhere.invalid")
        self.failed("mail-recipient", number=550, column=1)
        self.relay(recipients="later@example.org")
        self.failed("mail-recipient", number=451, column=1)
        self.relay()
        big = mail_kit.make_report(self.folder, REPORT_PASSWORD, [(1 + i, os.urandom(500).hex(), "letters") for i in range(500)])
        self.assertGreater(len(big), 200 << 10)
        self.failed("mail-too-large", number=552, packed=big)
        self.assertEqual(len(self.server.mails()), self.before)

    def test_attached(self):
        for scheme in ("smtp", "smtps"):
            with self.subTest(scheme):
                self.setUp()
                self.relay(scheme)
                self.assertEqual(self.sent(self.packed), 7)
                mails = self.new_mails(3)
                self.assertEqual([to for to, _ in mails], [[a] for a in COLLEAGUES.replace(",", "").split()])
                message = self.parse(mails[0][1])
                self.assertIn(b"TLS1.", mails[0][1].split(b"\n\n")[0])
                parts = list(message.walk())
                self.assertEqual([p.get_content_type() for p in parts], ["multipart/mixed", "text/plain", "application/zip"])
                self.assertEqual(parts[2].get_filename(), "barcode_errors-20251124.zip")
                self.assertEqual(parts[2].get_content(), self.packed)
                self.opens(parts[2].get_content())

    def opens(self, packed):
        path = self.file("received.zip")
        with open(path, "wb") as file:
            file.write(packed)
        wanted = b"patron_id,field,expiration_date,class\n1001,12345678 / PREV ID,,note\n"
        for command in (["7z", "x", "-so", "-p{}", path], ["bsdtar", "-xOf", path, "--passphrase", "{}"]):
            right = subprocess.run([c.format(REPORT_PASSWORD) for c in command], capture_output=True, stdin=subprocess.DEVNULL)
            self.assertEqual((right.returncode, right.stdout), (0, wanted), command[0])
            wrong = subprocess.run([c.format("wrong") for c in command], capture_output=True, stdin=subprocess.DEVNULL)
            self.assertNotEqual(wrong.returncode, 0, command[0])
            self.assertNotIn(b"1001", wrong.stdout)

    def test_headers(self):
        self.relay()
        self.sent(self.packed)
        first = self.parse(self.new_mails(3)[0][1])
        self.assertEqual(first["Subject"], "Barcode clean-up report of 2025-11-24")
        self.assertEqual(first["From"], mail_kit.FROM)
        self.assertEqual([a.addr_spec for a in first["To"].addresses], COLLEAGUES.replace(",", "").split())
        self.assertEqual(first["MIME-Version"], "1.0")
        self.assertEqual(first["Auto-Submitted"], "auto-generated")
        self.assertRegex(first["Message-ID"], r"^<[0-9a-f]{32}@library\.example>$")
        self.assertEqual(first["Date"].datetime.utcoffset().total_seconds(), 0)
        self.assertLess(abs(first["Date"].datetime.timestamp() - time.time()), 60)
        for name in (socket.gethostname(), socket.getfqdn()):
            if name not in ("localhost", ""):
                self.assertNotIn(name.encode(), self.new_mails(3)[0][1], "the machine's name")
        text = first.get_body().get_content()
        for line in ("Barcode fields in need of clean-up: 10", "1  several barcodes", "4  one barcode on several patrons",
                     "held for a person: 5", "rejected: 6", "barcode_errors-20251124.zip"):
            self.assertIn(line, text)
        for line in self.new_mails(3)[0][1].split(b"\n"):
            self.assertLessEqual(len(line), 998)
        self.before += 3
        self.sent(self.packed)
        self.assertNotEqual(self.parse(self.new_mails(3)[0][1])["Message-ID"], first["Message-ID"])

    def test_named_as_on_the_share(self):
        self.relay(recipients="anna@example.org")
        for kinds, name in ((1, "barcode_errors-20251124-student.zip"), (2, "barcode_errors-20251124-staff.zip")):
            self.setUp()
            self.sent(self.packed, kinds=kinds)
            message = self.parse(self.new_mails(1)[0][1])
            self.assertEqual(list(message.walk())[2].get_filename(), name)
            self.assertIn(name, message.get_body().get_content())

    def test_notice_alone(self):
        for how in ("no descriptor", "notify"):
            with self.subTest(how):
                self.setUp()
                self.relay(recipients="anna@example.org", extra="notify = notice\n" if how == "notify" else "")
                self.assertEqual(self.sent(self.packed if how == "notify" else None), 1)
                message = self.parse(self.new_mails(1)[0][1])
                self.assertEqual(message.get_content_type(), "text/plain")
                self.assertIn("on the library's share", message.get_content())

    def test_each_size_of_attachment(self):
        """Around the length of a line in base64, and of libcurl's buffer."""
        self.relay(recipients="anna@example.org")
        sizes = set()
        for n in (*range(1, 8), 300, 401, 555):
            packed = mail_kit.make_report(self.folder, REPORT_PASSWORD, [(1 + i, os.urandom(20).hex(), "letters") for i in range(n)])
            sizes.add(len(packed) % 57)
            self.setUp()
            self.sent(packed)
            self.assertEqual(list(self.parse(self.new_mails(1)[0][1]).walk())[2].get_content(), packed)
        self.assertGreater(len(sizes), 4)


if __name__ == "__main__":
    stagekit.main()
