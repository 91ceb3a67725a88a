# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy on 127.0.0.1 (host: or on ::1) to a server on 127.0.0.1, that breaks connections in one chosen way.

    with FaultProxy(server.port, "stall", after=200_000) as proxy:
        ... connect to proxy.port ...

Faults (bytes are counted in one direction of each connection, "down": from the server, or "up"):
    pass    nothing
    silent  accepts, and never says a word
    stall   after so many bytes neither side hears anything more, and nothing is closed
    rst     after so many bytes both sides get a reset
    fin     after so many bytes both sides get an orderly end
    slow    so many bytes a second (rate)
    flip    one bit of the byte at that offset
"""
import select
import socket
import struct
import threading
import time

HOST = "127.0.0.1"
FAULTS = ("pass", "silent", "stall", "rst", "fin", "slow", "flip")


class _Connection(threading.Thread):
    def __init__(self, proxy, client):
        super().__init__(daemon=True)
        self.proxy, self.client, self.server = proxy, client, None
        self.counts = {"down": 0, "up": 0}

    def run(self):
        try:
            self._serve()
        except OSError:
            pass
        finally:
            self._close()

    def _serve(self):
        proxy = self.proxy
        if proxy.fault == "silent":
            proxy.stopping.wait()
            return
        self.server = socket.create_connection((HOST, proxy.target), 10)
        self.server.settimeout(None)
        for one in (self.client, self.server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ways = {self.server: (self.client, "down"), self.client: (self.server, "up")}
        while not proxy.stopping.is_set():
            for source in select.select(list(ways), [], [], 0.1)[0]:
                to, direction = ways[source]
                data = source.recv(65536)
                if not data:
                    return
                if not self._pass_on(to, direction, data):
                    return

    def _pass_on(self, to, direction, data):
        """Passes bytes on, or breaks. Returns False at the end of the connection."""
        proxy, at = self.proxy, self.counts[direction]
        self.counts[direction] += len(data)
        with proxy.lock:
            proxy.bytes[direction] += len(data)
        if direction == proxy.direction:
            reached = at + len(data) > proxy.after
            if proxy.fault in ("stall", "rst", "fin") and reached:
                to.sendall(data[:max(0, proxy.after - at)])
                proxy.struck.set()
                if proxy.fault == "stall":
                    proxy.stopping.wait()
                return False
            if proxy.fault == "flip" and at <= proxy.after and reached:
                place = proxy.after - at
                data = data[:place] + bytes([data[place] ^ proxy.bit]) + data[place + 1:]
                proxy.struck.set()
            if proxy.fault == "slow":
                for start in range(0, len(data), proxy.piece):
                    to.sendall(data[start:start + proxy.piece])
                    if proxy.stopping.wait(proxy.piece / proxy.rate):
                        return False
                return True
        to.sendall(data)
        return True

    def _close(self):
        for one in (self.client, self.server):
            if one is None:
                continue
            if self.proxy.fault == "rst":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()


class FaultProxy:
    """fault and its figures may be changed while it runs: each connection looks at them as it goes."""

    def __init__(self, target, fault="pass", after=0, direction="down", rate=100_000, piece=1024, bit=1, port=0, host=HOST):
        if fault not in FAULTS or direction not in ("down", "up"):
            raise ValueError("no such fault or direction")
        self.target, self.fault, self.after, self.direction = target, fault, after, direction
        self.rate, self.piece, self.bit = rate, piece, bit
        self.bytes = {"down": 0, "up": 0}
        self.connections = 0
        self.lock = threading.Lock()
        self.struck = threading.Event()  # the fault has happened
        self.stopping = threading.Event()
        self.listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.accepting.start()
        return self

    def stop(self):
        """Closes everything."""
        self.stopping.set()
        self.accepting.join(5)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def _accept(self):
        while not self.stopping.is_set():
            if select.select([self.listener], [], [], 0.1)[0]:
                client = self.listener.accept()[0]
                self.connections += 1
                thread = _Connection(self, client)
                self.threads.append(thread)
                thread.start()


if __name__ == "__main__":
    import sys

    # by hand: TARGET-PORT FAULT [AFTER]
    with FaultProxy(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0) as running:
        print(f"port {running.port}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass
