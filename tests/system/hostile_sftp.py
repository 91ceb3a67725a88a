# SPDX-License-Identifier: GPL-3.0-or-later
"""An SFTP server (version 3) that lies, run by a real sshd as its subsystem: hostile_sftp.py FILE.

FILE names the lie; `honest` is none. It has one file, feed.zip, of SIZE bytes of content(), in every folder.
"""
import struct
import sys

SIZE = 200_000
MTIME = 1_700_000_000
INIT, VERSION, OPEN, CLOSE, READ, LSTAT, FSTAT, OPENDIR, READDIR = 1, 2, 3, 4, 5, 7, 8, 11, 12
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EOF, NO_SUCH_FILE, FAILURE = 1, 2, 4
HOSTILE_NAMES = [b"../feed.zip", b"a/feed.zip", b"/etc/x.zip", b"", b".", b"..", b"x" * 300 + b".zip", b"\xff.zip",
                 b".zip", b"y" * 252 + b".zip"]


def content(start, end):
    return bytes((i * 7 + (i >> 8) * 13) & 0xff for i in range(start, min(end, SIZE)))


def string(data):
    return struct.pack(">I", len(data)) + data


def attributes(flags=0xd, size=SIZE, mode=0o100644, mtime=MTIME):
    data = struct.pack(">I", flags)
    if flags & 1:
        data += struct.pack(">Q", size)
    if flags & 4:
        data += struct.pack(">I", mode)
    if flags & 8:
        data += struct.pack(">II", mtime, mtime)
    return data


def entry(name, attrs=None):
    return string(name) + string(b"-rw-r--r--    1 a        a        1 Jan 1 00:00 x") + (attrs or attributes())


class Server:
    def __init__(self, lie):
        self.lie, self.lists, self.stats = lie, 0, 0

    def send(self, kind, payload):
        data = bytes([kind]) + payload
        sys.stdout.buffer.write(struct.pack(">I", len(data)) + data)
        sys.stdout.buffer.flush()

    def status(self, request, code):
        self.send(STATUS, request + struct.pack(">I", code) + string(b"a server's text\xff") + string(b""))

    def say_nothing(self):
        """Until the connection ends: nothing of a test may outlive it."""
        while sys.stdin.buffer.read(65536):
            pass
        sys.exit(0)

    def run(self):
        if self.lie == "ends-at-once":
            return
        while True:
            head = sys.stdin.buffer.read(4)
            if len(head) < 4:
                return
            packet = sys.stdin.buffer.read(struct.unpack(">I", head)[0])
            kind, request, rest = packet[0], packet[1:5], packet[5:]
            if self.lie == f"silent-at-{kind}":
                self.say_nothing()
            if self.lie == f"ends-at-{kind}":
                return
            if self.lie == f"refuses-{kind}":
                self.status(request, FAILURE)
            elif self.lie == f"huge-at-{kind}":
                sys.stdout.buffer.write(b"\xff\xff\xff\xf0" * 64)
                sys.stdout.buffer.flush()
            elif self.lie == f"nothing-at-{kind}":
                sys.stdout.buffer.write(b"\0\0\0\0" * 64)
                sys.stdout.buffer.flush()
            elif self.lie == f"other-kind-at-{kind}":
                self.send(200, request + b"\0" * 20)
            elif self.lie == f"short-packet-at-{kind}":
                self.send(DATA if kind == READ else NAME if kind == READDIR else HANDLE, request[:2])
            elif self.lie == f"other-request-at-{kind}":
                for i in range(1000, 1400):
                    self.status(struct.pack(">I", i), FAILURE)
                self.say_nothing()
            else:
                self.answer(kind, request, rest)
            if self.lie == f"ends-behind-{kind}":
                return

    def answer(self, kind, request, rest):
        if kind == INIT:
            self.send(VERSION, struct.pack(">I", 3))
        elif kind in (OPEN, OPENDIR):
            self.send(HANDLE, request + string(b"h"))
        elif kind == CLOSE:
            self.status(request, 0)
        elif kind == READDIR:
            self.read_folder(request)
        elif kind in (LSTAT, FSTAT):
            self.stat(kind, request)
        elif kind == READ:
            self.read(request, *struct.unpack(">QI", rest[-12:]))
        else:
            self.status(request, 8)

    def read_folder(self, request):
        self.lists += 1
        lie, entries = self.lie, [entry(b"feed.zip")]
        if lie == "endless-folder":
            return self.send(NAME, request + struct.pack(">I", 100) + entry(b"a") * 100)
        if lie == "endless-feeds":
            return self.send(NAME, request + struct.pack(">I", 100)
                             + b"".join(entry(b"%d-%d.zip" % (self.lists, i)) for i in range(100)))
        if lie == "folder-breaks" and self.lists == 2:
            return self.status(request, FAILURE)
        if self.lists == 2:
            return self.status(request, EOF)
        if lie == "count-of-none":
            return self.send(NAME, request + struct.pack(">I", 0))
        if lie == "count-too-high":
            return self.send(NAME, request + struct.pack(">I", 1 << 31) + entry(b"feed.zip"))
        if lie == "names":
            entries = [entry(name) for name in HOSTILE_NAMES] + entries
        if lie.startswith("bare-"):
            entries = [entry(b"feed.zip", attributes(0))]
        if lie == "no-time":
            entries = [entry(b"feed.zip", attributes(5))]
        if lie == "name-past-the-end":
            entries = [struct.pack(">I", 1 << 30) + b"feed.zip"]
        return self.send(NAME, request + struct.pack(">I", len(entries)) + b"".join(entries))

    def stat(self, kind, request):
        self.stats += 1
        if self.lie in ("bare-refused", "bare-gone"):
            return self.status(request, FAILURE if self.lie == "bare-refused" else NO_SUCH_FILE)
        flags, size, mode, mtime = 0xd, SIZE, 0o100644, MTIME
        if self.lie == "bare-everywhere":
            flags = 0
        if self.lie == "folder-behind-the-name":
            mode = 0o040755
        if self.lie == "other-size":
            size += 1
        if self.lie == "other-time-at-the-end" and self.stats > 1:
            mtime += 1
        if self.lie == "other-file-by-name" and kind == LSTAT:
            size += 1
        return self.send(ATTRS, request + attributes(flags, size, mode, mtime))

    def read(self, request, offset, length):
        data = content(offset, offset + length)
        if self.lie == "short-answers":
            data = data[:997]
        if self.lie == "no-bytes" and offset >= 65536:
            data = b""
        elif self.lie == "too-many-bytes":
            data += b"x" * 40000
        elif self.lie == "longer-file" and offset >= SIZE:
            data = b"x"
        elif not data or (self.lie == "early-end" and offset >= 131072):
            return self.status(request, EOF)
        if self.lie == "bad-block" and offset >= 98304:
            return self.status(request, FAILURE)
        return self.send(DATA, request + string(data))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as file:
        Server(file.read()).run()
