# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens looked for in large files and in streams: in UTF-8 and UTF-16, in upper and lower case.

NUL bytes are dropped before the search, so text in UTF-16 is found as its letters are; a token that is cut by NULs is found, too."""
import os
import subprocess
import tempfile
import threading

CHUNK = 1 << 20


def extents(file, size):
    """(offset, length) of what is written of a sparse file."""
    at = 0
    while at < size:
        try:
            begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:  # a hole up to its end
            return
        at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
        yield begin, at - begin


def chunks(path):
    """The bytes of a file without its holes."""
    with open(path, "rb", buffering=0) as file:
        for begin, length in extents(file, os.fstat(file.fileno()).st_size):
            file.seek(begin)
            while length > 0:
                data = file.read(min(CHUNK, length))
                if not data:
                    return
                length -= len(data)
                yield data
            yield b"\n"


class Search:
    """tokens: plain ASCII texts. Each search returns {token in lower case: how often}."""

    def __init__(self, tokens):
        self.list = tempfile.NamedTemporaryFile(prefix="patrond-tokens-", dir="/dev/shm")
        words = sorted({t.lower() for t in tokens})
        if not words or not all(t.isascii() and len(t) >= 8 and "\n" not in t for t in words):
            raise ValueError("no tokens, or ones that could be there by chance")
        self.list.write("\n".join(words).encode() + b"\n")
        self.list.flush()

    def stream(self, pieces):
        env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        tr = subprocess.Popen(["tr", "-d", "\\000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        grep = subprocess.Popen(["grep", "-aoiF", "-f", self.list.name], stdin=tr.stdout, stdout=subprocess.PIPE, env=env)
        tr.stdout.close()

        def feed():
            with tr.stdin:
                for piece in pieces:
                    tr.stdin.write(piece)

        feeder = threading.Thread(target=feed)
        feeder.start()
        found = {}
        for line in grep.stdout:
            word = line.strip().lower().decode()
            found[word] = found.get(word, 0) + 1
        feeder.join()
        if tr.wait() != 0 or grep.wait() not in (0, 1):
            raise RuntimeError("the search itself has failed")
        return found

    def file(self, path):
        return self.stream(chunks(path))

    def data(self, *pieces):
        return self.stream(iter(pieces))
