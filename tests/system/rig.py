# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole library in one folder: OpenSSH's server, the stand-in for Sierra over TLS, a share, credentials, and patrond.

    with Rig(build) as rig:
        rig.make_feed(preset="all-cases")
        rig.start_sftp(); rig.start_sierra(); rig.drop()
        result = rig.patrond("--once")
        result.status, result.entries, rig.differences()
"""
import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from sftp_server import SftpServer  # noqa: E402
from stagekit import ALL_WALLS, reachable  # noqa: E402

USER = "nobody" if os.geteuid() == 0 else None
API_KEY = "patrond-test-key:patrond-test-secret"
REPORT_PASSWORD = "report password of the tests"
# fields of a patron that patrond may ever write
WRITTEN = ("names", "barcodes", "patronType", "expirationDate", "birthDate", "pin", "addresses", "phones", "emails")


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], check=True, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=600, **kwargs)


class Result:
    """What a run of patrond left: exit status, the journal entries (--log json), standard output."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr
        self.entries, self.noise = [], []
        for line in stderr.splitlines():
            try:
                self.entries.append(json.loads(line))
            except ValueError:
                self.noise.append(line)

    def rows(self):
        """{(feed, row): (outcome, reason, patron id)}"""
        return {(e["FEED"], int(e["ROW"])): (e["OUTCOME"], e.get("REASON", ""), int(e.get("PATRON_ID", 0)))
                for e in self.entries if "OUTCOME" in e}

    def summaries(self, what="Load"):
        return {e["FEED"]: e for e in self.entries if e.get("SUMMARY") == what}

    def check_walls(self):
        """In every test: who said that a sandbox was entered meant all of it, and no load was loaded outside of one."""
        walls = {e["STAGE"]: int(e["WALLS"], 16) for e in self.entries if "WALLS" in e}
        assert all(w & ALL_WALLS == ALL_WALLS for w in walls.values()), f"walls are missing: {walls}"
        assert not self.summaries() or {"decode", "load"} <= set(walls), f"a load by stages outside of their walls: {walls}"

    def reasons(self):
        """The REASON of every entry that tells of a failure."""
        return [e["REASON"] for e in self.entries if int(e["PRIORITY"]) <= 4 and "REASON" in e and "OUTCOME" not in e]

    def messages(self):
        return [e["MESSAGE"] for e in self.entries]


class Rig:
    def __init__(self, build, directory=None):
        self.build = os.path.dirname(reachable(os.path.join(build, "bin")))
        self.own = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="patrond-rig-")
        os.makedirs(self.directory, exist_ok=True)
        os.chmod(self.directory, 0o755)
        self.sftp = None
        self.sierra = None
        self.sierra_port = None
        self.settings = {}
        self.url_host = "127.0.0.1"
        for name in ("credentials", "runtime", "share"):
            os.makedirs(self.path(name), exist_ok=True)
        self.make_certificates()
        self.credential("sierra-key", API_KEY)
        self.credential("report-password", REPORT_PASSWORD)
        self.give(self.path("runtime"), self.path("share"))

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def give(self, *paths):
        """Makes patrond's user the owner."""
        if USER:
            entry = pwd.getpwnam(USER)
            for path in paths:
                os.chown(path, entry.pw_uid, entry.pw_gid)

    def credential(self, name, value):
        path = self.path("credentials", name)
        data = value if isinstance(value, bytes) else (value + "\n").encode()
        if os.path.exists(path):
            os.unlink(path)
        with open(path, "wb") as file:
            os.fchmod(file.fileno(), 0o400)
            file.write(data)
        self.give(path)

    def make_certificates(self):
        """A CA of the rig's own, and certificates for 127.0.0.1 and ::1, and for another name."""
        if os.path.exists(self.path("ca.pem")):
            return
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", "/CN=patrond test CA", "-keyout", self.path("ca.key"), "-out", self.path("ca.pem"))
        for name, alternative in (("sierra", "IP:127.0.0.1,IP:::1,IP:10.0.2.2,DNS:localhost"), ("other", "DNS:elsewhere.invalid")):
            run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={name}", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
            with open(self.path(name + ".ext"), "w", encoding="ascii") as file:
                file.write(f"subjectAltName={alternative}\nbasicConstraints=CA:FALSE\n")
            run("openssl", "x509", "-req", "-days", "30", "-in", self.path(name + ".csr"), "-CA", self.path("ca.pem"),
                "-CAkey", self.path("ca.key"), "-CAcreateserial", "-extfile", self.path(name + ".ext"), "-out",
                self.path(name + ".pem"))

    # --- feeds ---

    def make_feed(self, *options, name="feed", today=None, plain=False, **values):
        """Runs the generator; options as its command line, values as --key value. Returns the folder of what it made."""
        out = self.path(name)
        command = [sys.executable, os.path.join(ROOT, "tests/data/make_feeds.py"), "--out", out, *([] if plain else ["--no-plain"]),
                   *options]
        for key, value in values.items():
            command += ["--" + key.replace("_", "-"), str(value)]
        if today:
            command += ["--today", str(today)]
        run(*command)
        self.feed = out
        self.credential("zip-password", open(os.path.join(out, "zip-password"), encoding="utf-8").read().rstrip("\n"))
        return out

    def expectations(self, feed=None):
        with open(os.path.join(feed or self.feed, "expect.jsonl"), encoding="utf-8") as file:
            return {(e["feed"], e["row"]): e for e in map(json.loads, file)}

    def counts(self, feed=None):
        with open(os.path.join(feed or self.feed, "expect_counts.json"), encoding="utf-8") as file:
            return json.load(file)

    def drop(self, path=None, name="chccs-feed.zip", mtime=None):
        """Puts a zip into the SFTP drop."""
        with open(path or os.path.join(self.feed, "chccs-feed.zip"), "rb") as file:
            return self.sftp.put(name, file.read(), mtime)

    # --- servers ---

    def start_sftp(self, **options):
        self.sftp = SftpServer(directory=self.path("sftp"), **options).start()
        with open(self.sftp.client_key, "rb") as file:
            self.credential("sftp-key", file.read())
        with open(self.path("known_hosts"), "w", encoding="ascii") as file:
            file.write(self.sftp.known_hosts())
        return self.sftp

    def start_sierra(self, *options, certificate="sierra", load=True, switches=()):
        """Starts the stand-in with the feed's patrons (load=False: with none, or what the options say)."""
        ready = self.path("sierra.ready")
        if os.path.exists(ready):
            os.unlink(ready)
        command = [os.path.join(self.build, "bin/sierra-standin"), "--listen", "127.0.0.1:0", "--ready-file", ready, "--cert",
                   self.path(certificate + ".pem"), "--key", self.path(certificate + ".key"), "--credentials", API_KEY]
        if load:
            command += ["--load", load if isinstance(load, str) else os.path.join(self.feed, "patrons.jsonl")]
        for switch in switches:
            command += ["--switch", switch]
        command += list(options)
        self.sierra = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=open(self.path("sierra.log"), "ab"))
        deadline = time.monotonic() + 60
        while not os.path.exists(ready):
            if self.sierra.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the stand-in did not start: " + open(self.path("sierra.log"), errors="replace").read()[-800:])
            time.sleep(0.02)
        self.sierra_port = int(open(ready, encoding="ascii").read())
        self.before = None
        return self.sierra

    def stop_sierra(self):
        if self.sierra:
            self.sierra.send_signal(signal.SIGKILL)
            self.sierra.wait()
            self.sierra = None

    def ask(self, path, data=None):
        """The stand-in's own side: counters, dump, switches."""
        context = ssl._create_unverified_context()
        request = urllib.request.Request(f"https://127.0.0.1:{self.sierra_port}/_standin/{path}",
                                         data=json.dumps(data).encode() if data is not None else None)
        with urllib.request.urlopen(request, context=context, timeout=120) as answer:
            return answer.read()

    def counters(self):
        return json.loads(self.ask("counters"))

    def dump(self):
        """{id: patron}, every field stored."""
        return {p["id"]: p for p in map(json.loads, self.ask("dump").splitlines())}

    # --- patrond ---

    def config(self, extra="", sources=("sftp", "share")):
        """Writes patrond.conf: short pauses, everything else at its default. extra is added as it stands."""
        text = ""
        if "sftp" in sources and self.sftp:
            text += (f"[sftp]\nhost = 127.0.0.1\nport = {self.sftp.port}\nuser = {self.sftp.user}\npath = {self.sftp.drop}\n"
                     f"known_hosts = {self.path('known_hosts')}\nsettle = 200ms\nstall_timeout = 5s\n")
        if "share" in sources:
            text += f"[share]\npath = {self.path('share')}\nsettle = 200ms\n[report]\n"
        text += (f"[sierra]\nurl = https://{self.url_host}:{self.sierra_port}/iii/sierra-api/v6\nca_file = {self.path('ca.pem')}\n"
                 "connect_timeout = 5s\nlate_commit = 100ms\nretry_pause = 10ms\nretry_pause_max = 100ms\nrate_pause = 50ms\nfind_pause = 10ms\n")
        path = self.path("patrond.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + extra)
        return path

    def environment(self, memory):
        env = {"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": self.path("credentials"), "TZ": os.environ.get("TZ", "UTC")}
        if memory:
            env["RUNTIME_DIRECTORY"] = self.path("runtime")
        if "ASAN_OPTIONS" in os.environ:
            env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        return env

    def start_patrond(self, *arguments, memory=True, log="json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, prefix=(),
                      env=None, become=True):
        """become: False where the prefix does it, or where patrond is to be root."""
        become = dict(user=USER, group=pwd.getpwnam(USER).pw_gid, extra_groups=[]) if USER and become else {}
        command = [*prefix, os.path.join(self.build, "bin/patrond"), "--config", self.path("patrond.conf"), "--log", log,
                   *arguments]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd="/", text=True,
                                env={**self.environment(memory), **(env or {})}, **become)

    def patrond(self, *arguments, memory=True, timeout=600, **options):
        """Runs patrond to its end. memory: whether it remembers what earlier runs of this rig loaded."""
        process = self.start_patrond(*arguments, memory=memory, **options)
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        result = Result(process.returncode, stdout or "", stderr or "")
        result.check_walls()
        return result

    # --- the proof ---

    def differences(self, before, after, feed=None, most=20):
        """What in Sierra is not as the expectations say. before and after are dumps. Returns sentences; none is right."""
        wrong = []
        expected = self.expectations(feed)
        target = self.counts(feed)["expiration"]
        renewed = {e["patron_id"]: key for key, e in expected.items() if e["outcome"] == "renewed"}
        new = {}
        for patron_id, patron in after.items():
            if patron_id not in before:
                for barcode in patron.get("barcodes", []):
                    new.setdefault(barcode, []).append(patron)
        for key, e in expected.items():
            if e["outcome"] != "created":
                continue
            found = new.pop(e["patron"]["barcodes"][0], [])
            if len(found) != 1:
                wrong.append(f"{key}: {len(found)} patrons were created, not one")
                continue
            for field in WRITTEN:
                if found[0].get(field) != e["patron"].get(field):
                    wrong.append(f"{key}: {field} is {found[0].get(field)!r}, not {e['patron'].get(field)!r}")
        wrong += [f"patrons were created that no row asks for: {len(p)} of one barcode" for p in new.values()]
        for patron_id, patron in before.items():
            now = after.get(patron_id)
            if now is None:
                wrong.append(f"patron {patron_id} is gone")
                continue
            for field in set(patron) | set(now):
                # what every PUT leaves behind beside its field: revisions, times, the stand-in's own counters
                if patron_id in renewed and (field.startswith("_") or field in ("updatedDate", "fixedFields")):
                    continue
                was, is_ = patron.get(field), now.get(field)
                if field == "expirationDate" and patron_id in renewed:
                    was = target
                if was != is_:
                    wrong.append(f"patron {patron_id}: {field} changed from {was!r} to {is_!r}")
        return wrong[:most]

    def wrong_outcomes(self, result, most=20):
        """Rows whose outcome in the journal is not the expected one; rows that are current have no entry."""
        wrong = []
        rows = result.rows()
        for key, e in self.expectations().items():
            got = rows.pop(key, ("current", "", 0))
            want = (e["outcome"], e["reason"] or "")
            if got[:2] != want:
                wrong.append(f"{key}: {got[:2]}, not {want} ({e.get('case', '')})")
            elif e["patron_id"] and got[2] not in (0, e["patron_id"]):
                wrong.append(f"{key}: patron {got[2]}, not {e['patron_id']}")
        wrong += [f"{key}: an outcome of no row" for key in rows]
        return wrong[:most]

    # --- life ---

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop_sierra()
        if self.sftp:
            self.sftp.stop()
        if self.own:
            shutil.rmtree(self.directory, ignore_errors=True)
