# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-load against the stand-in for Sierra over TLS: the tests play supervisor, decode and report."""
import datetime
import http.client
import os
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "sandbox"))

from stagekit import FRAME, KINDS, ROOT, Stage, GUARDS, parse_frames, record, trailer  # noqa: E402
import standin_client  # noqa: E402

BUILD = os.environ.get("PATROND_BIN", os.path.join(ROOT, "build", "bin"))
BINARY = os.path.join(BUILD, "patrond-load")
os.environ.setdefault("SIERRA_STANDIN", os.path.join(BUILD, "sierra-standin"))
TODAY = datetime.date(2026, 8, 17)
TERM = TODAY + datetime.timedelta(weeks=156)
EPOCH = datetime.date(1970, 1, 1)


def days(date):
    return (date - EPOCH).days


def student(row, key, first="ANN", last="SMITH", birth=datetime.date(2012, 5, 17), **fields):
    values = dict(street="1 Main St.", city="Chapel Hill", state="NC", zip="27514", emails="kid@example.org")
    values.update(fields)
    return record("student", row, key=key, first=first, last=last, birth_date=days(birth), **values)


def staff(row, key, first="JO", last="JONES", **fields):
    return record("staff", row, key=key, first=first, last=last, **fields)


def patron(number, barcode, name="SMITH, ANN", expires="2026-09-01", birth="2012-05-17", **more):
    """A record of the stand-in: one that a student row of these defaults renews."""
    values = dict(id=number, names=[name], barcodes=[barcode] if isinstance(barcode, str) else barcode,
                  expirationDate=expires, birthDate=birth, patronType=15)
    values.update(more)
    return {k: v for k, v in values.items() if v is not None}


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Certificates:
    """A CA, a certificate of it for 127.0.0.1, and one for another name."""

    def __init__(self, directory):
        self.directory = directory
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for ca in ("ca", "stranger"):
            openssl("req", "-x509", *ec, "-days", "30", "-subj", "/CN=" + ca, "-keyout", self.path(ca + ".key"),
                    "-out", self.path(ca + ".pem"))
        for name, alternative in (("sierra", "IP:127.0.0.1,DNS:localhost"), ("other", "DNS:elsewhere.invalid")):
            openssl("req", *ec, "-subj", "/CN=" + name, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
            with open(self.path(name + ".ext"), "w", encoding="ascii") as file:
                file.write(f"subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n")
            openssl("x509", "-req", "-days", "30", "-in", self.path(name + ".csr"), "-CA", self.path("ca.pem"), "-CAkey",
                    self.path("ca.key"), "-CAcreateserial", "-extfile", self.path(name + ".ext"), "-out",
                    self.path(name + ".pem"))

    def path(self, name):
        return os.path.join(self.directory, name)

    def pair(self, name="sierra"):
        return self.path(name + ".pem"), self.path(name + ".key")


class Server(standin_client.Standin):
    """The stand-in over TLS; the tests' own talk goes the same way."""

    def __init__(self, certificates, *args, records=None, name="sierra"):
        self.ca = certificates.path("ca.pem")
        super().__init__(*args, records=records, tls=certificates.pair(name))

    def connect(self, timeout=20):
        context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = False
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)


class Outcome:
    """What the supervisor and the report stage saw of a load."""

    def __init__(self, frames, report, counters):
        self.frames, self.report, self.counters = frames, report, counters
        self.last = frames[-1] if frames else None

    def all(self, name):
        return [f for f in self.frames if f.name == name]

    def failure(self):
        return self.last.code if self.last is not None and self.last.name == "FAILURE" else None

    def rows(self):
        """{(feed, row): (outcome, reason, patron id)}"""
        return {(f.feed, f.row): (f.outcome, f.reason, f.patron_id) for f in self.all("OUTCOME") if f.outcome}

    def differs(self):
        return {(f.feed, f.row): f.patron_id for f in self.all("OUTCOME") if f.outcome is None}

    def counts(self, name="COUNTS"):
        return {f.feed: f for f in self.all(name)}

    def requests(self, kind):
        return self.counters["requests"].get(kind, 0)

    def written(self):
        return self.requests("post") + self.requests("put")


def kinds_of(records):
    """The feeds that a trailer at the end counts rows of; both where there is none."""
    if not isinstance(records, bytes) or len(records) < 16 or records[-16:-8] != trailer(0, 0)[:8]:
        return 3
    return sum(1 << kind for kind, rows in enumerate(struct.unpack("<2I", records[-8:])) if rows) or 3


class Load:
    """One load stage under way. records: bytes for the records pipe, or a function that is given its write end."""

    def __init__(self, rig, records, report=True, dry_run=False, last=(0, 0, 0), approvals=(), today=TODAY, env=None, kinds=None):
        rig.write_config()
        if kinds is None:
            kinds = kinds_of(records)
        self.stage = Stage(BINARY, rig.path("patrond.conf"), rig.path("credentials"), env=env, stderr=sys.stderr)
        reading, self.records_fd = os.pipe()
        fds = [reading]
        if report:
            self.report_fd, report_write = os.pipe()
            fds.append(report_write)
        else:
            self.report_fd = None
        payload = struct.pack("<BBiIIQB", int(dry_run), kinds, days(today), *last, len(approvals))
        for guard, feed, value in approvals:
            payload += struct.pack("<BBQ", GUARDS.index(guard), KINDS.index(feed) if feed else 255, value)
        self.stage.send("LOAD", payload, fds)
        for fd in fds:
            os.close(fd)
        self.report = b""
        self.threads = [threading.Thread(target=self._feed, args=(records,), daemon=True)]
        if report:
            self.threads.append(threading.Thread(target=self._drain, daemon=True))
        for thread in self.threads:
            thread.start()

    def _feed(self, records):
        try:
            if callable(records):
                records(self.records_fd)
            else:
                view = memoryview(records)
                while view:
                    view = view[os.write(self.records_fd, view):]
        except BrokenPipeError:
            pass
        finally:
            os.close(self.records_fd)

    def _drain(self):
        while True:
            data = os.read(self.report_fd, 65536)
            if not data:
                break
            self.report += data
        os.close(self.report_fd)

    def end(self, timeout=60):
        """All frames to the end."""
        frames = self.stage.until_end(timeout)
        self.stage.close()
        for thread in self.threads:
            thread.join(20)
        return frames


class LoadRig:
    """Configuration and credential of a load, in a folder that any user can read; servers are started in it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="load-")
        os.chmod(self.directory, 0o755)
        os.mkdir(self.path("credentials"), 0o755)
        self.credential(standin_client.CREDENTIALS)
        self.server = None
        self.host = "127.0.0.1"
        self.settings = {
            "sierra": dict(retry_pause="10ms", retry_pause_max="40ms", retries=2, rate_pause="20ms", find_pause="10ms",
                           find_tries=3, late_commit="0", connect_timeout="2s", page_timeout="4s", request_timeout="2s"),
            "patron": {}, "match": {}, "load": {}, "report": {}, "log": {},
            # a handful of rows is no share of anything, but some tests have more
            "guard": dict(creates="off"),
        }

    def path(self, name):
        return os.path.join(self.directory, name)

    def credential(self, value):
        path = self.path("credentials/sierra-key")
        if os.path.exists(path):
            os.unlink(path)
        if value is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(value + "\n")
            os.chmod(path, 0o644)

    def start(self, certificates, *args, records=None, name="sierra"):
        self.server = Server(certificates, *args, records=records, name=name)
        self.settings["sierra"].setdefault("ca_file", certificates.path("ca.pem"))
        return self.server

    def write_config(self):
        if self.server:
            self.settings["sierra"].setdefault("url", f"https://{self.host}:{self.server.port}/iii/sierra-api/v6")
        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            for section, values in self.settings.items():
                file.write(f"[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))

    def load(self, rows, timeout=60, **kwargs):
        """A whole load of these records, with a true trailer. rows may be bytes or a function: written as they are."""
        if isinstance(rows, (list, tuple)):
            counts = [sum(r[8] == kind for r in rows) for kind in range(len(KINDS))]
            rows = b"".join(rows) + trailer(*counts)
        load = Load(self, rows, **kwargs)
        frames = load.end(timeout)
        counters = self.server.counters() if self.server else {}
        return Outcome(frames, load.report, counters)

    def done(self):
        if self.server:
            self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def report_frames(data):
    return parse_frames(data)
