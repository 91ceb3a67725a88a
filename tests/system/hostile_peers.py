# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile peers of the control socket. Run by itself: hostile_peers.py SOCKET SECONDS MESSAGES attacks until its standard
input ends, then on until so many messages were sent, but no longer than that, and prints what it sent as JSON."""
import json
import os
import random
import select
import socket
import sys
import threading
import time

INTERFACE = b"org.chapelhillpubliclibrary.patrond."
SEEDS = [
    b'{"method":"org.varlink.service.GetInfo"}',
    b'{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.varlink.service"}}',
    b'{"method":"%sStatus","parameters":{}}' % INTERFACE,
    b'{"method":"%sMonitor","more":false}' % INTERFACE,
    b'{"method":"%sRelease","parameters":{"load":"20260302T061500-9ec6"}}' % INTERFACE,
    b'{"method":"%sRelease","parameters":{"load":42}}' % INTERFACE,
    b'{"method":"%sRun","parameters":{"source":"nowhere"}}' % INTERFACE,
    b'{"method":"%sRun","parameters":{"dry_run":"yes","again":{}}}' % INTERFACE,
    b'{"method":"%sStatus","oneway":true}' % INTERFACE,
    b'{"method":"%sStatus","upgrade":true}' % INTERFACE,
]
PIECES = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"null", b"true", b"1e999", b"-", b"\xff\xfe",
          b"\x00", b"method", b"parameters", b'"more":true,', b"[" * 100, b"9" * 400, b" " * 300, b"A" * 3000]


# A mutant of Run may be a Run, which would be somebody's right: not where a load is timed.
HARMLESS = [seed for seed in SEEDS if b"Run" not in seed]


def mutated(rng, seeds=SEEDS):
    """One message with its NUL: random bytes, or an honest one with some bytes changed, cut, doubled, or stuffed."""
    if rng.random() < 0.15:
        return rng.randbytes(rng.randrange(0, 400)) + b"\0"
    message = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 8))):
        at = rng.randrange(len(message) + 1)
        what = rng.random()
        if what < 0.3 and message:
            message[min(at, len(message) - 1)] = rng.randrange(256)
        elif what < 0.5:
            del message[at:at + rng.randrange(1, 20)]
        elif what < 0.8:
            message[at:at] = rng.choice(PIECES)
        else:
            message[at:at] = message[:rng.randrange(len(message) + 1)]
    return bytes(message) + b"\0"


def connect(path, timeout=20):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(timeout)
    s.connect(path)
    return s


class Attack:
    """All at once, until stop is set. sent counts the messages of mutate alone: what the others send is no message."""

    def __init__(self, path, messages=None, seed=1, others=True, seeds=SEEDS):
        self.path, self.messages, self.seed, self.others = path, messages, seed, others
        self.seeds = seeds
        self.stop = threading.Event()
        self.sent = self.answers = self.hung_up = self.refused = 0
        self.lock = threading.Lock()

    def open(self):
        try:
            return connect(self.path, 2)
        except OSError:
            with self.lock:
                self.refused += 1
            time.sleep(0.02)
            return None

    def left(self):
        return not self.stop.is_set() and (self.messages is None or self.sent < self.messages)

    def mutate(self, number):
        """Connections with some messages each; all that is answered is read, so that each of them is really looked at."""
        rng = random.Random(f"{self.seed} {number}")
        while self.left():
            s = self.open()
            if not s:
                continue
            sent = answers = 0
            try:
                for _ in range(rng.randrange(1, 12)):
                    s.sendall(mutated(rng, self.seeds))
                    sent += 1
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # hung up on; what was answered before is there to be read
            try:
                for data in iter(lambda: s.recv(1 << 16), b""):
                    answers += data.count(b"\0")
            except OSError:
                pass
            s.close()
            with self.lock:
                self.sent += sent
                self.answers += answers
                self.hung_up += answers < sent

    def half(self):
        """Half messages, and then nothing."""
        while not self.stop.is_set():
            s = self.open()
            if s:
                try:
                    s.sendall(SEEDS[2][:20])
                    self.stop.wait(1)
                except OSError:
                    pass
                s.close()

    def endless(self):
        """Megabytes without a NUL."""
        while not self.stop.is_set():
            s = self.open()
            try:
                for _ in range(64 if s else 0):
                    s.sendall(b"x" * 65536)
            except OSError:
                pass
            if s:
                s.close()

    def unread(self):
        """Calls, pipelined, and no answer is ever read."""
        while not self.stop.is_set():
            s = self.open()
            try:
                while s and not self.stop.is_set():
                    s.sendall((SEEDS[2] + b"\0") * 100)
            except OSError:
                pass
            if s:
                s.close()

    def crowd(self, connections=500):
        """So many connections at once, most of which are hung up on."""
        while not self.stop.is_set():
            held = []
            for _ in range(connections):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                s.setblocking(False)
                try:
                    s.connect(self.path)
                    held.append(s)
                except OSError:
                    s.close()
                    self.stop.wait(0.005)
                if self.stop.is_set():
                    break
            self.stop.wait(1)
            for s in held:
                s.close()
            self.stop.wait(4)  # so that the others come to their turn, too

    def __enter__(self):
        names = [(self.mutate, (n,)) for n in range(12)]
        if self.others:
            names += [(self.half, ()), (self.endless, ()), (self.unread, ()), (self.crowd, ())]
        self.threads = [threading.Thread(target=target, args=arguments, daemon=True) for target, arguments in names]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(30)


def main():
    path, seconds, least = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    os.nice(10)  # what is measured is what the peers do to patrond, not that they use a processor of their own
    with Attack(path, seeds=HARMLESS) as attack:
        deadline, over = time.monotonic() + seconds, False
        print("ready", flush=True)
        while time.monotonic() < deadline and not (over and attack.sent >= least):
            if over:
                time.sleep(0.1)
            elif select.select([sys.stdin], [], [], 0.1)[0]:
                over = not sys.stdin.read(1)
    print(json.dumps({"sent": attack.sent, "answers": attack.answers, "hung_up": attack.hung_up, "refused": attack.refused}))


if __name__ == "__main__":
    main()
