# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail relay that misbehaves at one point, and notes what it was told, and whether under TLS.

    with HostileSmtp(certificate, key, at="rcpt", how="550 no") as relay:
        ... relay.port ...
        relay.commands   [(tls, line)]
        relay.bodies     messages that came with their final dot
        relay.partial    bytes of a message that broke off

`at` names the step: greeting ehlo starttls handshake auth mail rcpt data body final quit. `how` is what it does there:
an SMTP answer ("550 no"; bytes: as they are, line's end included), or silent, drop, slow (a byte a second), endless (an answer without an end), long (a line without
an end), garbage, and for single steps what METHODS below says. recipients: {address: answer} at rcpt.
"""
import socket
import ssl
import threading
import time

ENOUGH = 64 << 20  # bytes of an endless answer, after which the test has failed anyway


class Gone(Exception):
    pass


class HostileSmtp:
    def __init__(self, certificate=None, key=None, at=None, how=None, tls_first=False, recipients=None, offers=None,
                 address="127.0.0.1"):
        self.at, self.how, self.tls_first = at, how, tls_first
        self.recipients = recipients or {}
        self.offers = ["STARTTLS", "AUTH PLAIN LOGIN", "SIZE 10000000"] if offers is None else offers
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.commands, self.bodies, self.partial, self.logins = [], [], b"", []
        self.connections = self.sent = 0
        self.stopping = threading.Event()
        self.listener = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        # what it does not read shall not fit into the kernel's buffers
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.listener.close()
        for thread in self.threads[1:]:
            thread.join(10)

    def accept(self):
        while not self.stopping.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.serve, args=(peer,), daemon=True)
            self.threads.append(thread)
            thread.start()

    # --- one connection ---

    def serve(self, peer):
        session = Session(self, peer)
        try:
            session.run()
        except (Gone, OSError, ssl.SSLError, ValueError):
            pass
        finally:
            self.partial += session.half
            session.close()


class Session:
    def __init__(self, relay, peer):
        self.relay, self.peer, self.tls, self.buffer, self.half = relay, peer, False, b"", b""
        peer.settimeout(20)

    def close(self):
        try:
            self.peer.close()
        except OSError:
            pass

    def send(self, data):
        self.peer.sendall(data)
        self.relay.sent += len(data)

    def hold(self):
        """Until the other side gives up."""
        self.peer.settimeout(0.2)
        while not self.relay.stopping.is_set():
            try:
                if not self.peer.recv(65536):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                break
        raise Gone

    def flood(self, piece):
        while not self.relay.stopping.is_set() and self.relay.sent < ENOUGH:
            self.send(piece)
        raise Gone

    def answer(self, step, well):
        """The answer to a step: well, unless this relay misbehaves here. Returns True where it was well."""
        if self.relay.at != step:
            self.send(well.encode() + b"\r\n")
            return True
        how = self.relay.how
        if how == "silent":
            self.hold()
        if how == "drop":
            raise Gone
        if how == "slow":
            for byte in (well[:3] + "-" + "x" * 60).encode():
                if self.relay.stopping.is_set():
                    break
                self.send(bytes([byte]))
                time.sleep(1)
            raise Gone
        if how == "endless":
            self.flood((well[:3] + "-and more\r\n").encode() * 100)
        if how == "long":
            self.flood((well[:3] + "-").encode() + b"x" * 65536)
        if how == "garbage":
            self.send(b"\x00\xff\x80 this is no SMTP\r\n\r\n\r\n")
            self.hold()
        line = how if isinstance(how, bytes) else how.encode() + b"\r\n"
        self.send(line)
        return line[:1] in b"23"

    def line(self):
        while b"\n" not in self.buffer:
            data = self.peer.recv(65536)
            if not data:
                raise Gone
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        line = line.rstrip(b"\r").decode("latin-1")
        self.relay.commands.append((self.tls, line))
        return line

    def start_tls(self):
        if self.relay.at == "handshake":
            if self.relay.how == "silent":
                self.hold()
            if self.relay.how == "garbage":
                self.send(b"220 this is no TLS\r\n")
                self.hold()
            raise Gone
        self.peer = self.relay.context.wrap_socket(self.peer, server_side=True)
        self.peer.settimeout(20)
        self.tls, self.buffer = True, b""

    def run(self):
        if self.relay.tls_first:
            self.start_tls()
        self.answer("greeting", "220 relay.example.org ESMTP")
        while True:
            self.command(self.line())

    def command(self, line):
        word = line.split(" ", 1)[0].upper()
        handler = {"EHLO": self.ehlo, "HELO": self.ehlo, "STARTTLS": self.starttls, "AUTH": self.auth, "MAIL": self.mail,
                   "RCPT": self.rcpt, "DATA": self.data, "QUIT": self.quit}.get(word)
        if handler is None:
            self.send(b"500 what?\r\n")
        else:
            handler(line)

    def ehlo(self, _):
        if self.relay.at == "ehlo":
            self.answer("ehlo", "250 relay.example.org")
            return
        offers = [o for o in self.relay.offers if not (self.tls and o == "STARTTLS")]
        lines = ["relay.example.org", *offers]
        self.send("".join(f"250{'-' if i < len(lines) - 1 else ' '}{text}\r\n" for i, text in enumerate(lines)).encode())

    def starttls(self, _):
        if self.relay.at == "starttls" and self.relay.how == "inject":
            # what stands behind the answer in the clear would be read as if it had come under TLS
            self.send(b"220 go ahead\r\n250-relay.example.org\r\n250 AUTH PLAIN\r\n235 in\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n")
            self.start_tls()
            return
        if self.relay.at == "starttls" and self.relay.how == "plain":
            self.send(b"220 go ahead\r\n")  # and goes on without it
            return
        if self.answer("starttls", "220 go ahead"):
            self.start_tls()

    def auth(self, line):
        if line.upper() == "AUTH PLAIN":
            self.send(b"334 \r\n")
            self.relay.logins.append(self.line())
        elif line.upper() == "AUTH LOGIN":
            for challenge in (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
                self.send(challenge)
                self.relay.logins.append(self.line())
        else:
            self.relay.logins.append(line)
        self.answer("auth", "235 welcome")

    def mail(self, _):
        self.answer("mail", "250 ok")

    def rcpt(self, line):
        address = line.split("<", 1)[1].split(">", 1)[0]
        if address in self.relay.recipients:
            self.send(self.relay.recipients[address].encode() + b"\r\n")
            return
        self.answer("rcpt", "250 ok")

    def data(self, _):
        if not self.answer("data", "354 go on"):
            return
        self.half = b""
        while not ("\r\n" + self.half.decode("latin-1")).endswith("\r\n.\r\n"):
            if self.relay.at == "body":
                if self.relay.how == "drop" and len(self.half) > 200:
                    raise Gone
                if self.relay.how == "silent":
                    self.stuck()
                if self.relay.how == "early" and len(self.half) > 200:
                    self.send(b"250 taken already\r\n")
                    raise Gone
            data = self.buffer or self.peer.recv(65536)
            self.buffer = b""
            if not data:
                raise Gone
            self.half += data
        self.relay.bodies.append(self.half[:-3])
        self.half = b""
        self.answer("final", "250 taken")

    def stuck(self):
        """Reads no more, so that the other side cannot write on."""
        self.relay.stopping.wait(15)
        raise Gone

    def quit(self, _):
        if self.answer("quit", "221 bye"):
            raise Gone
