# SPDX-License-Identifier: GPL-3.0-or-later
"""A town's share with patrond at it: the real supervisor, share, decode and report; load alone is played.

    with Town() as town:
        town.start()
        town.put("feed.zip", make_zip("10000001"))
        town.wait(lambda: town.loaded() == ["10000001"])
"""
import ctypes
import io
import json
import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import stagekit
from feed_kit import PASSWORD, STAFF, STUDENTS, feed, pack, staff, student

NOBODY = pwd.getpwnam("nobody")
CLONE_NEWNS = 0x00020000

# A load that does what it is told and writes down, by the key of its first row, which feed it was.
LOAD = '''\
#!/usr/bin/python3 -SE
import os, socket, struct, sys, time
sys.excepthook = lambda *what: os._exit(1)  # patrond was killed
HERE = os.path.dirname(os.path.abspath(__file__))
s = socket.socket(fileno=3)
def say(number, payload=b""):
    s.sendall(struct.pack("<IHH", len(payload), number, 0) + payload)
say(0x09, struct.pack("<I", 0x1f))  # the walls that a real one has
data, fds, _, _ = socket.recv_fds(s, 1 << 16, 4)
if not data:
    sys.exit(1)
stream = b""
while True:
    more = os.read(fds[0], 1 << 20)
    if not more:
        break
    stream += more
at, rows, keys = 0, {}, []
whole = False
while at < len(stream):
    length, number, _ = struct.unpack_from("<IHH", stream, at)
    p = stream[at + 8:at + 8 + length]
    at += 8 + length
    if number == 0x81:
        kind, row = struct.unpack_from("<BI", p)
        rows[kind] = row
        size = struct.unpack_from("<I", p, 12)[0]
        keys.append(p[16:16 + size].decode())
    elif number == 0x83:
        whole = True
def note(word):
    with open(os.path.join(HERE, "loads"), "a") as file:
        file.write("%s %s %.6f %d\\n" % (word, keys[0] if keys else "-", time.time(), len(keys)))
note("begun" if whole else "cut")
def counts(number, kind, n):
    v = [n] + [n, 0, 0, 0, 0, 0, 0] + [0] * 19 + [0] * 20 + [0, 0]
    say(number, struct.pack("<B49I", kind, *v))
if len(fds) > 1 and os.path.exists(os.path.join(HERE, "cleanup")):
    n = int(open(os.path.join(HERE, "cleanup")).read())
    for i in range(n):
        field = b"lost"
        os.write(fds[1], struct.pack("<IHH", 17 + len(field), 0x91, 0) + struct.pack("<QBiI", i + 1, 3, -(1 << 31), len(field)) + field)
else:
    n = 0
if len(fds) > 1:
    os.write(fds[1], struct.pack("<IHH", 16, 0x97, 0) + struct.pack("<4I", n, 0, 0, 0))
    os.close(fds[1])
if not whole:
    say(0x05, struct.pack("<HBIIi", %(cut)d, 255, 0, 0, 0))
else:
    say(0x39, struct.pack("<Q", 10))
    for kind, n in rows.items():
        counts(0x35, kind, n)
    for kind, n in rows.items():
        for row in range(1, n + 1):
            say(0x31, struct.pack("<BIBBQ", kind, row, 0, 0, 4711))
    pause = os.path.join(HERE, "pause")
    if os.path.exists(pause):
        time.sleep(float(open(pause).read()))
    for kind, n in rows.items():
        counts(0x33, kind, n)
    note("done")
    say(0x03)
while s.recv(4096):
    pass
'''

_zips = {}


def make_zip(key, kind="student", tool="7z", password=PASSWORD, rows=1):
    """A feed whose first row has this key: what was loaded is told by it."""
    if (key, kind, tool, password, rows) not in _zips:
        make, name = (student, STUDENTS) if kind == "student" else (staff, STAFF)
        lines = [make(str(int(key) + i)) for i in range(rows)]
        _zips[(key, kind, tool, password, rows)] = pack({name: feed(lines)}, tool, password)
    return _zips[(key, kind, tool, password, rows)]


class Town:
    def __init__(self, share=None):
        self.directory = tempfile.mkdtemp(prefix="patrond-town-")
        os.chmod(self.directory, 0o755)
        for name in ("patrond", "patrond-share", "patrond-decode", "patrond-report"):
            os.symlink(os.path.join(stagekit.BIN, name), self.path(name))
        # patrond looks beside its own executable, and a link is not that
        os.unlink(self.path("patrond"))
        shutil.copy(os.path.join(stagekit.BIN, "patrond"), self.path("patrond"))
        shutil.copytree(os.path.join(stagekit.BIN, "profiles"), self.path("profiles"))
        with open(self.path("patrond-load"), "w", encoding="ascii") as file:
            file.write(LOAD.replace("%(cut)d", str(stagekit.FAILURE.index("records-cut"))))
        os.chmod(self.path("patrond-load"), 0o755)
        for name in ("credentials", "runtime", "share"):
            os.mkdir(self.path(name))
        for name, value in (("zip-password", PASSWORD), ("sierra-key", "a:b"), ("report-password", "report password")):
            with open(self.path("credentials", name), "w", encoding="ascii") as file:
                file.write(value + "\n")
        self.share = share or self.path("share")
        open(self.path("loads"), "w", encoding="ascii").close()
        for name in ("runtime", "share", "loads"):
            os.chown(self.path(name), NOBODY.pw_uid, NOBODY.pw_gid)
        self.settings = {"settle": "100ms"}
        self.janitor = {"policy": "off"}
        self.extra = ""
        self.process = None
        self.entries, self.noise = [], []

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def configure(self):
        def section(name, values):
            return f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items())

        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write(section("share", {"path": self.share, **self.settings}) + section("janitor", self.janitor) +
                       f"[sierra]\nurl = https://127.0.0.1:1/{os.path.basename(self.directory)}/v6\n" + self.extra)

    def start(self, *arguments, env=None):
        self.configure()
        self.process = subprocess.Popen(
            [self.path("patrond"), "--config", self.path("patrond.conf"), "--log", "json", *arguments],
            env={"PATH": "/usr/bin:/bin", "CREDENTIALS_DIRECTORY": self.path("credentials"),
                 "RUNTIME_DIRECTORY": self.path("runtime"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_leaks=0"),
                 "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/",
            user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[], umask=0o077)  # as its unit has it
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        return self

    def _read(self, stream):
        for line in stream:
            try:
                self.entries.append({**json.loads(line), "_at": time.time()})
            except ValueError:
                self.noise.append(line)

    def stop(self, how=signal.SIGTERM, timeout=30):
        """Ends patrond; returns its exit status."""
        if self.process is None:
            return None
        self.process.send_signal(how)
        status = self.process.wait(timeout)
        self.reader.join(10)
        self.process.stderr.close()
        self.process = None
        return status

    def once(self, *arguments, env=None, timeout=60):
        """A run with --once; returns its exit status and entries."""
        before = len(self.entries)
        self.start("--once", *arguments, env=env)
        status = self.process.wait(timeout)
        self.reader.join(10)
        self.process.stderr.close()
        self.process = None
        return status, self.entries[before:]

    def put(self, name, data, mtime=None, where=None, owner=True):
        """A file that arrives at once, by a rename."""
        path = os.path.join(os.fsencode(where or self.share), os.fsencode(name))
        temporary = os.path.join(os.path.dirname(path), b".arriving-" + os.urandom(4).hex().encode())
        with open(temporary, "wb") as file:
            file.write(data)
            if owner:
                os.fchown(file.fileno(), NOBODY.pw_uid, NOBODY.pw_gid)
        if mtime is not None:
            os.utime(temporary, (mtime, mtime))
        os.rename(temporary, path)
        return os.stat(path)

    def here(self):
        return sorted(n for n in os.listdir(self.share))

    def loads(self, word="done"):
        with open(self.path("loads"), encoding="ascii") as file:
            return [(line.split()[1], float(line.split()[2])) for line in file if line.startswith(word + " ")]

    def loaded(self):
        return [key for key, _ in self.loads()]

    def said(self, text):
        return [e for e in list(self.entries) if text in e["MESSAGE"]]

    def reasons(self):
        return [e["REASON"] for e in list(self.entries) if "REASON" in e and "OUTCOME" not in e]

    @staticmethod
    def wait(condition, timeout=20):
        """True as soon as the condition holds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.01)
        return bool(condition())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.reader.join(10)
            self.process.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _one(name):
    """One test, in a process of its own: (result word, what it said)."""
    text = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromName(name, sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=text, verbosity=0).run(suite)
    if not result.wasSuccessful():
        return "failed", text.getvalue()
    return "skipped" if result.skipped else "passed" if result.testsRun == 1 else "failed", text.getvalue()


def main(jobs=6):
    """As stagekit.main, but with several towns at once: they mostly wait. Those of a class with `alone` set follow one by one."""
    tests = [test for suite in unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]) for test in suite]
    names = [test.id().partition(".")[2] for test in tests]
    alone = [name for name, test in zip(names, tests) if getattr(test, "alone", False)]
    if len(sys.argv) > 1:
        names, alone = [n for n in names if n.startswith(tuple(sys.argv[1:]))], []
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for batch, at_once in (([n for n in names if n not in alone], jobs), (alone, 1)):
        with multiprocessing.get_context("fork").Pool(at_once, maxtasksperchild=1) as pool:
            for word, text in pool.imap(_one, batch):
                count[word] += 1
                if word == "failed":
                    print(text, file=sys.stderr, flush=True)
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count), flush=True)
    sys.exit(1 if count["failed"] or not names else 0)


def own_mounts():
    """Mounts made from now on are nobody else's. False where that is not to be had."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    return True
