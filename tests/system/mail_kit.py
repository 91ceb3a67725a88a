# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of mail share: certificates good and bad, a stage driven over its socket, zips as report makes them."""
import os
import shutil
import struct
import subprocess
import tempfile
import threading
import unittest

import stagekit

BIN = stagekit.BIN
TODAY = 20416  # 2025-11-24
FROM = "patrond@library.example"
COLLEAGUES = "anna@example.org, bert@example.org cleo@example.org"
WALLS_REQUIRED = 0x0F


def list_tag(text):
    """The number of a list of recipients, as docs/wire.md has it: FNV-1a over each address and a blank."""
    tag = 14695981039346656037
    for address in text.replace(",", " ").split():
        for byte in address.encode() + b" ":
            tag = (tag ^ byte) * 1099511628211 % (1 << 64)
    return tag


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def make_certificates(folder):
    """ca.pem; good, expired, other (another name) signed by it; stranger, which is not."""
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    path = lambda name: os.path.join(folder, name)
    for ca in ("ca", "strange-ca"):
        openssl("req", "-x509", *new, "-days", "30", "-subj", f"/CN={ca} of the tests", "-keyout", path(ca + ".key"), "-out",
                path(ca + ".pem"))
    for name, alternative, days, ca in (("good", "IP:127.0.0.1,IP:::1,DNS:localhost", "30", "ca"),
                                        ("expired", "IP:127.0.0.1,DNS:localhost", "-1", "ca"),
                                        ("other", "DNS:elsewhere.invalid", "30", "ca"),
                                        ("stranger", "IP:127.0.0.1,DNS:localhost", "30", "strange-ca")):
        openssl("req", *new, "-subj", f"/CN={name}", "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
        with open(path(name + ".ext"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-days", days, "-in", path(name + ".csr"), "-CA", path(ca + ".pem"), "-CAkey", path(ca + ".key"),
                "-CAcreateserial", "-extfile", path(name + ".ext"), "-out", path(name + ".pem"))
        os.chmod(path(name + ".key"), 0o644)  # the servers of the tests are other users


def make_report(folder, password, rows=((1001, "12345678 / PREV ID", "note"),)):
    """A zip by the real report stage over these clean-up rows. Returns its bytes."""
    credentials = os.path.join(folder, "report-credentials")
    os.makedirs(credentials, exist_ok=True)
    with open(os.path.join(credentials, "report-password"), "w", encoding="utf-8") as file:
        file.write(password + "\n")
    with open(os.path.join(folder, "report.conf"), "w", encoding="utf-8") as file:
        file.write("[report]\n")
    data = b"".join(stagekit.frame("REPORT_CLEANUP", struct.pack("<QBi", patron, stagekit.CLASSES.index(kind), stagekit.NO_DATE) +
                                   stagekit.string(field)) for patron, field, kind in rows)
    data += stagekit.frame("REPORT_TRAILER", struct.pack("<4I", len(rows), 0, 0, 0))
    zip_fd = stagekit.feed_fd()
    read_end, write_end = os.pipe()

    def feed():
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(data)

    with stagekit.Stage(os.path.join(BIN, "patrond-report"), os.path.join(folder, "report.conf"), credentials) as stage:
        writer = threading.Thread(target=feed)
        writer.start()
        stage.send("REPORT", struct.pack("<i", TODAY), (read_end, zip_fd))
        os.close(read_end)
        frames = stage.until_end(120)
        writer.join()
    assert frames[-1].name == "DONE", frames
    packed = os.pread(zip_fd, 1 << 30, 0)
    os.close(zip_fd)
    return packed


class MailCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="mail-test-")
        os.chmod(cls.folder, 0o755)
        make_certificates(cls.folder)
        os.makedirs(cls.file("credentials"), exist_ok=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def file(cls, name):
        return os.path.join(cls.folder, name)

    def configure(self, port, scheme="smtp", host="127.0.0.1", user="", password=None, recipients=COLLEAGUES, ca="ca.pem",
                  sender=FROM, extra="", timeout="3s"):
        self.recipients = recipients
        lines = [f"[report]\nrecipients = {recipients}", f"[mail]\nrelay = {scheme}://{host}:{port}", f"from = {sender}",
                 f"ca_file = {self.file(ca)}", f"timeout = {timeout}"]
        if user:
            lines.append(f"user = {user}")
        with open(self.file("patrond.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n" + extra)
        path = self.file("credentials/smtp-password")
        if os.path.exists(path):
            os.unlink(path)
        if password is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(password + "\n")

    def payload(self, skip=0, classes=(1, 2, 0, 3, 0, 4), held=5, rejected=6, today=TODAY, tag=None, kinds=3):
        return struct.pack("<iBQI8I", today, kinds, list_tag(self.recipients) if tag is None else tag, skip, *classes, held, rejected)

    def mail(self, packed=None, payload=None, timeout=60, fds=None, **values):
        """One job; packed: the zip's bytes, or none. Returns the frames after WALLS."""
        own = [stagekit.feed_fd(packed)] if packed is not None else []
        with stagekit.Stage(os.path.join(BIN, "patrond-mail"), self.file("patrond.conf"), self.file("credentials")) as stage:
            try:
                stage.send("MAIL", self.payload(**values) if payload is None else payload, own if fds is None else fds)
            except BrokenPipeError:
                pass  # one that ended in its beginning has said why
            frames = stage.until_end(timeout)
            self.assertIsNone(stage.receive(), "the stage goes on after its job")
            self.status = stage.close()
        for fd in own:
            os.close(fd)
        if frames and frames[0].name == "WALLS":
            self.assertEqual(frames[0].walls & WALLS_REQUIRED, WALLS_REQUIRED)
            frames = frames[1:]
        return [f for f in frames if f.name != "PROGRESS"]

    def sent(self, packed=None, **values):
        """The mail was taken for all who were asked for. Returns their bits."""
        frames = self.mail(packed, **values)
        self.assertEqual([f.name for f in frames], ["MAIL_LEAVING", "MAILED", "DONE"], frames)
        self.assertEqual(self.status, 0)
        self.assertEqual(frames[0].to, frames[1].taken)
        self.assertEqual(frames[1].refused, 0)
        return frames[1].taken

    def failed(self, code, number=None, column=None, before=(), **values):
        """The mail was not sent, for that reason."""
        frames = self.mail(**values)
        self.assertEqual([f.name for f in frames], [*before, "FAILURE"], frames)
        self.assertEqual(frames[-1].code, code, frames)
        if number is not None:
            self.assertEqual(frames[-1].number, number)
        if column is not None:
            self.assertEqual(frames[-1].column, column)
        return frames
