# SPDX-License-Identifier: GPL-3.0-or-later
"""A control socket that says what a test wants it to say: replies, errors, pauses, garbage, a hang-up. And patronctl beside it,
in a pipe or on a terminal of its own whose screen can be read."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

import stagekit

INTERFACE = "org.chapelhillpubliclibrary.patrond"
PATRONCTL = os.path.join(stagekit.BIN, "patronctl")


def reply(parameters=None, continues=False):
    message = {"parameters": parameters or {}}
    if continues:
        message["continues"] = True
    return json.dumps(message).encode() + b"\0"


def error(name, **parameters):
    return json.dumps({"error": name if "." in name else f"{INTERFACE}.{name}", "parameters": parameters}).encode() + b"\0"


class Fake:
    """Answers each method with what it was given: bytes, or a list of bytes and of pauses in seconds (None hangs up). What follows a
    pause of math.inf is never sent. calls are the messages that came."""

    def __init__(self, **methods):
        self.methods = methods
        self.calls = []
        self.directory = tempfile.mkdtemp(prefix="patrond-fake-")
        os.chmod(self.directory, 0o755)
        self.path = os.path.join(self.directory, "control")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(8)
        self.open = []
        self.ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        for one in [self.listener, *self.open]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        shutil.rmtree(self.directory)

    def _accept(self):
        while not self.ended.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        data = b""
        try:
            while not self.ended.is_set():
                while b"\0" not in data:
                    more = peer.recv(65536)
                    if not more:
                        return
                    data += more
                message, data = data.split(b"\0", 1)
                call = json.loads(message)
                self.calls.append(call)
                interface, method = call["method"].rsplit(".", 1)
                assert interface == INTERFACE, interface
                answer = self.methods.get(method, error("org.varlink.service.MethodNotFound", method=call["method"]))
                for part in answer if isinstance(answer, list) else [answer]:
                    if part is None:
                        peer.shutdown(socket.SHUT_RDWR)
                        return
                    if isinstance(part, threading.Event):
                        part.wait(30)
                    elif isinstance(part, (int, float)):
                        self.ended.wait(min(part, 60))
                    else:
                        peer.sendall(part)
        except OSError:
            pass

    def parameters(self, method):
        return [c.get("parameters", {}) for c in self.calls if c["method"].endswith("." + method)]


class Result:
    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    def __repr__(self):
        return f"{self.status} {self.stdout!r} {self.stderr!r}"


def environment(**extra):
    env = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "TERM": "xterm"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    return {**env, **extra}


def patronctl(*arguments, env=None, timeout=60, **options):
    done = subprocess.run([PATRONCTL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          env=environment(**(env or {})), check=False, **options)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Screen:
    """What a terminal shows of bytes: the few sequences that patronctl may write. Any other is an error."""

    def __init__(self, columns, rows):
        self.columns, self.lines = columns, [[]]
        self.row = self.column = 0
        self.rows = rows
        self.colours = False

    def feed(self, text):
        for sequence, character in re.findall(r"\x1b(\[[0-9;]*[A-Za-z]|.?)|([^\x1b])", text, re.S):
            if sequence:
                self._sequence(sequence)
            elif character == "\n":
                self.row += 1
                while len(self.lines) <= self.row:
                    self.lines.append([])
            elif character == "\r":
                self.column = 0
            else:
                self._put(character)

    def _put(self, character):
        assert ord(character) >= 32, f"a control character: {character!r}"
        if self.column >= self.columns:
            self.column = 0
            self.feed("\n")
        line = self.lines[self.row]
        line.extend(" " * (self.column + 1 - len(line)))
        line[self.column] = character
        self.column += 1

    def _sequence(self, sequence):
        number = int(re.sub(r"\D", "", sequence.split(";")[0]) or "0")
        if sequence.endswith("m"):
            self.colours = True
        elif sequence == "[K":
            del self.lines[self.row][self.column:]
        elif sequence == "[J":
            del self.lines[self.row][self.column:]
            del self.lines[self.row + 1:]
        elif sequence.endswith("A"):
            self.row = max(0, self.row - number)
        else:
            raise AssertionError(f"an escape sequence that is not known: {sequence!r}")

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines).rstrip("\n")


class Terminal:
    """patronctl on a terminal of its own. raw is all that it wrote there, standard error included."""

    def __init__(self, *arguments, columns=80, rows=24, env=None):
        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self.columns, self.rows, self.fd, self.bytes = columns, rows, mine, b""
        self.process = subprocess.Popen([PATRONCTL, *arguments], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=environment(**(env or {})), start_new_session=True)
        os.close(theirs)

    def _read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.bytes += data
        return bool(data)

    def until(self, text, timeout=20):
        """Reads until the screen shows a text. Returns the screen."""
        deadline = time.monotonic() + timeout
        while text not in self.screen():
            if time.monotonic() > deadline or not self._read(1) and self.process.poll() is not None:
                raise AssertionError(f"{text!r} is never shown: {self.raw!r}")
        return self.screen()

    def end(self, timeout=20):
        """Reads to the end. Returns the exit status."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and (self._read(0.2) or self.process.poll() is None):
            pass
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            os.close(self.fd)

    @property
    def raw(self):
        return self.bytes.decode(errors="ignore")

    def _screen(self):
        screen = Screen(self.columns, self.rows)
        screen.feed(re.sub("\x1b(\\[[0-9;]*)?$", "", self.raw))  # a sequence may be half read
        return screen

    def screen(self):
        return self._screen().text()

    def coloured(self):
        return self._screen().colours
