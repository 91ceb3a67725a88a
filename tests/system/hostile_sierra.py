# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPS server that answers whatever a test tells it to, bytes and all: what no ILS should ever say."""
import socket
import ssl
import threading


def answer(body=b"", status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


TOKEN = answer(b'{"access_token":"abc","token_type":"bearer","expires_in":3600}')


class HostileSierra:
    """script: a function of (method, path, number of the request) that gives bytes, or an iterator of bytes."""

    def __init__(self, pair, script):
        self.script = script
        self.requests = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as tls:
                tls.settimeout(30)
                while self._one(tls):
                    pass
        except OSError:
            pass

    def _one(self, tls):
        data = b""
        while b"\r\n\r\n" not in data:
            more = tls.recv(65536)
            if not more:
                return False
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += tls.recv(65536)
        method, path, _ = lines[0].split(" ")
        self.requests.append((method, path, headers, body))
        reply = TOKEN if path.endswith("/token") else self.script(method, path, len(self.requests))
        for part in [reply] if isinstance(reply, bytes) else reply:
            tls.sendall(part)
        return not (isinstance(reply, bytes) and b"Connection: close" in reply)

    def count(self, method, part=""):
        return sum(1 for r in self.requests if r[0] == method and part in r[1])

    def stop(self):
        self.listener.close()
