# SPDX-License-Identifier: GPL-3.0-or-later
"""A Varlink client in a few lines: a socket, JSON, NULs. For honest and for hostile peers of the control socket."""
import json
import socket
import time

INTERFACE = "org.chapelhillpubliclibrary.patrond"


class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name} {parameters}")
        self.name, self.parameters = name.rsplit(".", 1)[1], parameters


class Peer:
    def __init__(self, path, timeout=30):
        deadline = time.monotonic() + timeout
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(timeout)
            try:
                self.socket.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.buffer = b""

    def send(self, method, parameters=None, **flags):
        if "." not in method:
            method = INTERFACE + "." + method
        message = {"method": method, **flags}
        if parameters is not None:
            message["parameters"] = parameters
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        """The next message as it came, None at hang-up."""
        while b"\0" not in self.buffer:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not data:
                assert not self.buffer, "half a message"
                return None
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def answer(self):
        message = self.receive()
        if message is None:
            raise ConnectionError("hung up")
        if "error" in message:
            raise VarlinkError(message["error"], message["parameters"])
        return message["parameters"]

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.answer()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def call(path, method, **parameters):
    with Peer(path) as peer:
        return peer.call(method, **parameters)


def error(path, method, **parameters):
    """The name of the error that a call ends in, None where it does not."""
    try:
        call(path, method, **parameters)
    except VarlinkError as e:
        return e.name
    return None
