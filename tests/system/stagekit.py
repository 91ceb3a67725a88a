# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives one stage as the supervisor does: a socketpair as its descriptor 3, the frames of docs/wire.md.

An implementation of the protocol that shares no line with the C one, so that a mistake there is seen here.
"""
import atexit
import os
import pwd
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def _enum(text, macro):
    return re.findall(r"^\tX\((\w+), \"?([\w-]+)", text.split(macro, 1)[1].split("\n\n", 1)[0], re.M)


def _header(name):
    with open(os.path.join(ROOT, "include/patrond", name), encoding="utf-8") as file:
        return file.read()


# Numbers of the frames and words of the failures are read from the headers; layouts stand here anew.
FRAME = {name: int(number, 0) for name, number in re.findall(r"^\tX\((\w+), (0x\w+), ", _header("wire.h"), re.M)}
FRAME_NAME = {number: name for name, number in FRAME.items()}
FAILURE = ["none"] + re.findall(r"^\tX\(\w+, \"([\w-]+)\"\)", _header("failure.h"), re.M)
KINDS = ["student", "staff"]
OUTCOMES = ["created", "renewed", "current", "skipped", "held", "rejected", "failed"]
REASONS = ["", "opted-out", "inactive", "duplicate", "ambiguous", "needs-cleanup", "identity-mismatch", "conflict",
           "shape", "status", "key", "name", "birth-date", "refused", "pin-refused", "gone", "unclear", "unreachable",
           "differs"]
GUARDS = ["creates", "rejected", "opted-out", "inactive", "held", "rows", "patrons", "manual"]
CLASSES = ["several", "note", "punctuation", "letters", "other", "ambiguous"]
VERDICTS = ["whole", "unreadable", "plain", "no-feed", "shaped"]
PLAINTEXTS = ["known", "known-zip", "unknown"]
CLEANED = ["overwritten", "unlinked", "changed", "stays"]
PHASES = ["looking", "retrieving", "indexing", "matching", "writing", "checking", "reporting"]
NO_DATE = -(1 << 31)
COLUMNS = re.findall(r"^\tX\(\w+, \"([\w-]+)\"\)", _header("shape.h"), re.M)
RECORD_FIELDS = ["key", "first", "last", "street", "city", "state", "zip", "emails", "phone", "phone2"]


def frame(name, payload=b""):
    return struct.pack("<IHH", len(payload), FRAME[name], 0) + payload


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(value)) + value


class Frame:
    """One answer: .name and, decoded by layout, .fields (a dict); .payload is the raw bytes."""

    def __init__(self, number, payload):
        self.name = FRAME_NAME.get(number, hex(number))
        self.payload = payload
        self.fields = self._decode()

    def __getattr__(self, name):
        try:
            return self.__dict__["fields"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        return f"{self.name}{self.fields or self.payload!r}"

    def _decode(self):
        p = self.payload
        if self.name == "FAILURE":
            code, feed, row, column, number = struct.unpack("<HBIIi", p)
            return dict(code=FAILURE[code], feed=feed, row=row, column=column, number=number)
        if self.name == "PROGRESS":
            phase, done, total = struct.unpack("<BQQ", p)
            return dict(phase=PHASES[phase], done=done, total=total)
        if self.name == "WALLS":
            return dict(walls=struct.unpack("<I", p)[0])
        if self.name == "LISTING":
            n = struct.unpack_from("<I", p)[0]
            size, mtime = struct.unpack_from("<Qq", p, 4 + n)
            return dict(file=p[4:4 + n], size=size, mtime=mtime)
        if self.name == "SHARE_FOUND":
            n = struct.unpack_from("<I", p)[0]
            size, mtime, changed, device, inode, what = struct.unpack_from("<QqqQQB", p, 4 + n)
            return dict(file=p[4:4 + n], size=size, mtime=mtime, changed=changed, device=device, inode=inode,
                        what=PLAINTEXTS[what])
        if self.name == "SHARE_CLEANED":
            return dict(result=CLEANED[p[0]])
        if self.name == "SHARE_WATCHED":
            return dict(local=p[0])
        if self.name == "SHARE_CHANGED":
            return dict(what=p[0])
        if self.name == "COPIED":
            return dict(size=struct.unpack("<Q", p)[0])
        if self.name == "INSPECTED":
            return dict(verdict=VERDICTS[p[0]], kinds=p[1], sha256=p[2:].hex())
        if self.name == "OUTCOME":
            feed, row, kind, reason, patron = struct.unpack("<BIBBQ", p)
            return dict(feed=KINDS[feed], row=row, outcome=OUTCOMES[kind] if kind < len(OUTCOMES) else None,
                        reason=REASONS[reason], patron_id=patron)
        if self.name in ("COUNTS", "PLAN"):
            v = struct.unpack("<B49I", p)
            return dict(feed=KINDS[v[0]], rows=v[1],
                        outcomes={k: n for k, n in zip(OUTCOMES, v[2:9]) if n},
                        reasons={k: n for k, n in zip(REASONS, v[9:28]) if n},
                        statuses={i if i < 10 else str(10 - i): n for i, n in enumerate(v[28:48]) if n},
                        verified=v[48], different=v[49])
        if self.name == "GUARD":
            guard, feed, value, basis, limit = struct.unpack("<BBQQI", p)
            return dict(guard=GUARDS[guard], feed=KINDS[feed] if feed < 2 else None, value=value, basis=basis,
                        limit=limit)
        if self.name == "INDEXED":
            return dict(patrons=struct.unpack("<Q", p)[0])
        if self.name == "REPORTED":
            v = struct.unpack("<Q9I32s", p)
            return dict(size=v[0], classes={k: n for k, n in zip(CLASSES, v[1:7]) if n}, held=v[7], rejected=v[8],
                        opted_out=v[9], digest=v[10])
        if self.name == "MAIL_LEAVING":
            return dict(to=struct.unpack("<I", p)[0])
        if self.name == "MAILED":
            return dict(zip(("taken", "refused"), struct.unpack("<2I", p)))
        if self.name == "RECORD":
            return decode_record(p)
        if self.name == "SHAPE":
            return decode_shape(p)
        if self.name == "RECORD_TRAILER":
            return dict(rows=dict(zip(KINDS, struct.unpack("<2I", p))))
        return {}


def record(feed, row, verdict="", key="", key_fits=True, birth_date=NO_DATE, status=255, **fields):
    """A RECORD frame: feed:u8 row:u32 verdict:u8 status:u8 key_fits:u8 birth_date:i32, then ten strings."""
    payload = struct.pack("<BIBBBi", KINDS.index(feed), row, REASONS.index(verdict), status, int(key_fits), birth_date)
    for name in RECORD_FIELDS:
        payload += string(key if name == "key" else fields.get(name, ""))
    return frame("RECORD", payload)


def decode_shape(p):
    head = struct.unpack_from("<BIIBBHHIIII20II", p)
    at = struct.calcsize("<BIIBBHHIIII20II")
    shape = dict(zip(("feed", "rows", "understood", "delimiter", "header", "cells_min", "cells_max", "key_fits", "birth_dates",
                      "of_age", "active"), head))
    shape.update(feed=KINDS[head[0]], delimiter=chr(head[3]), status_other=head[31],
                 statuses={i if i < 10 else str(10 - i): n for i, n in enumerate(head[11:31]) if n}, reasons={}, columns={})
    for reason in REASONS:
        rows, first = struct.unpack_from("<II", p, at)
        at += 8
        if rows:
            shape["reasons"][reason] = (rows, first)
    for column in COLUMNS:
        position, filled = struct.unpack_from("<HI", p, at)
        at += 6
        if position:
            shape["columns"][column] = (position, filled)
    shape["schools"], count = struct.unpack_from("<IH", p, at)
    shape["school_rows"] = list(struct.unpack_from(f"<{count}I", p, at + 6))
    return shape


def decode_record(p):
    feed, row, verdict, status, fits, birth = struct.unpack_from("<BIBBBi", p)
    at, fields = 12, {}
    for name in RECORD_FIELDS:
        n = struct.unpack_from("<I", p, at)[0]
        fields[name] = p[at + 4:at + 4 + n].decode()
        at += 4 + n
    assert at == len(p), "a record has bytes after its last field"
    return dict(fields, feed=KINDS[feed], row=row, verdict=REASONS[verdict], status=status, key_fits=bool(fits),
                birth_date=birth)


def trailer(students, staff):
    return frame("RECORD_TRAILER", struct.pack("<2I", students, staff))


def parse_frames(data):
    """All frames in bytes; raises where they do not end on a frame's end."""
    at, frames = 0, []
    while at < len(data):
        length, number, zero = struct.unpack_from("<IHH", data, at)
        assert zero == 0 and at + 8 + length <= len(data), "cut or garbled frame"
        frames.append(Frame(number, data[at + 8:at + 8 + length]))
        at += 8 + length
    return frames


# enum wall: not dumpable, no new privileges, Landlock's files, seccomp, limits
ALL_WALLS = 0x1F


def has_ipv6_loopback():
    """Whether there is ::1 here."""
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as file:
            return any(line.startswith("0" * 31 + "1 ") for line in file)
    except OSError:
        return False


class Stage:
    """A stage process, as a non-root user. Use as a context manager."""

    def __init__(self, binary, config, credentials=None, user="nobody", env=None, stderr=None):
        """config: path of a configuration file. credentials: a directory. user: None keeps the uid."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket = mine
        self.walls = 0
        environment = {"PATH": "/usr/bin:/bin", "PATROND_CONFIG": str(config), **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        if credentials:
            environment["CREDENTIALS_DIRECTORY"] = str(credentials)
        fd = theirs.fileno()
        entry = pwd.getpwnam(user) if user and os.geteuid() == 0 else None

        def become():
            if fd != 3:
                os.dup2(fd, 3)
            os.set_inheritable(3, True)
            if entry:
                os.setgroups([])
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)

        # close_fds would close descriptor 3 after become(): keep it by name.
        self.process = subprocess.Popen([str(binary)], env=environment, preexec_fn=become, pass_fds=(3, fd) if fd != 3 else (3,),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        theirs.close()
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, name, payload=b"", fds=()):
        data = frame(name, payload)
        if fds:
            socket.send_fds(self.socket, [data], list(fds))
        else:
            self.socket.sendall(data)

    def send_raw(self, data):
        self.socket.sendall(data)

    def receive(self, timeout=30):
        """The next frame, or None at hang-up."""
        deadline = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 8:
                length, number, _ = struct.unpack_from("<IHH", self.buffer)
                if len(self.buffer) >= 8 + length:
                    payload = self.buffer[8:8 + length]
                    self.buffer = self.buffer[8 + length:]
                    one = Frame(number, payload)
                    self._check_walls(one)
                    return one
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError("the stage said nothing")
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data

    def _check_walls(self, one):
        """In every test: before its walls a stage may only fail, and the kernel says that they stand, too."""
        if one.name == "WALLS":
            self.walls = one.walls
            if one.walls & ALL_WALLS != ALL_WALLS:
                raise AssertionError(f"walls are missing: {one.walls:#x}")
            try:
                with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as file:
                    seccomp = [line.split()[1] for line in file if line.startswith("Seccomp:")]
            except (FileNotFoundError, ProcessLookupError):
                return  # it has ended since
            if seccomp != ["2"] and self.process.poll() is None:
                raise AssertionError(f"seccomp is {seccomp}, though the stage says that it stands")
        elif one.name != "FAILURE" and not self.walls:
            raise AssertionError(f"{one.name} from outside of the walls")

    def until_end(self, timeout=60):
        """All frames up to and with DONE, FAILURE or hang-up. Returns the list."""
        frames = []
        deadline = time.monotonic() + timeout
        while True:
            one = self.receive(max(0.1, deadline - time.monotonic()))
            if one is None:
                return frames
            frames.append(one)
            if one.name in ("DONE", "FAILURE"):
                return frames

    def close(self):
        """Hangs up; the stage must end by itself. Returns its exit status, killing it (an error) after 10 s."""
        self.socket.close()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the stage did not end with its connection") from None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def feed_fd(data=b""):
    """A nameless descriptor like the workspace's, with these bytes."""
    fd = os.memfd_create("feed", 0)
    os.pwrite(fd, data, 0)
    return fd


def reachable(directory):
    """The directory, or where another user cannot reach it (a tree below /root) a copy of it that goes with this process."""
    directory = os.path.abspath(directory)
    at = directory
    while os.geteuid() == 0:
        if not os.path.isdir(at):
            return directory
        if not os.stat(at).st_mode & 0o001:
            break
        if at == "/":
            return directory
        at = os.path.dirname(at)
    else:
        return directory
    base = tempfile.mkdtemp(prefix="patrond-copy-")
    os.chmod(base, 0o755)
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    return shutil.copytree(directory, os.path.join(base, os.path.basename(directory)))


BIN = reachable(os.environ.get("PATROND_BIN", os.path.join(ROOT, "build/release/bin")))


def main():
    """Runs the tests of the calling module, says only what failed, closes with `N passed, N failed, N skipped`."""
    import sys
    import unittest

    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    if len(sys.argv) > 1:
        suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:], sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped", flush=True)
    sys.exit(1 if failed or result.testsRun == 0 else 0)
