# SPDX-License-Identifier: GPL-3.0-or-later
"""A library around an installed patrond: the rig's servers, feeds and certificates, and the files that the machine needs.

The machine (a container, or a virtual one) has the package, /etc/patrond and /etc/credstore; the servers, the feed's maker
and everything in the clear stay outside of it."""
import os

from rig import Rig

SHARE = "/srv/patrond/chccs-library"


class Library(Rig):
    def files(self, extra="", sources=("sftp", "share"), host="127.0.0.1", pauses=True):
        """{path: (mode, bytes)}: configuration and credentials, as an administrator puts them there."""
        text = ""
        if "sftp" in sources:
            text += (f"[sftp]\nhost = {host}\nport = {self.sftp.port}\nuser = {self.sftp.user}\npath = {self.sftp.drop}\n"
                     "settle = 200ms\nstall_timeout = 5s\nknown_hosts = /etc/patrond/known_hosts\n")
        if "share" in sources:
            text += f"[share]\npath = {SHARE}\nsettle = 200ms\n[report]\nrows = yes\n"
        text += f"[sierra]\nurl = https://{host}:{self.sierra_port}/iii/sierra-api/v6\nca_file = /etc/patrond/ca.pem\n"
        if pauses:
            text += ("connect_timeout = 5s\nlate_commit = 100ms\nretry_pause = 10ms\nretry_pause_max = 100ms\nrate_pause = 50ms\n"
                     "find_pause = 10ms\n")
        files = {"/etc/patrond/patrond.conf": (0o644, (text + extra).encode()), "/etc/patrond/ca.pem": (0o644, self.read("ca.pem"))}
        if self.sftp:
            files["/etc/patrond/known_hosts"] = (0o644, self.sftp.known_hosts(host).encode())
        for name in os.listdir(self.path("credentials")):
            files["/etc/credstore/" + name] = (0o600, self.read("credentials", name))
        return files

    def read(self, *names):
        with open(self.path(*names), "rb") as file:
            return file.read()
