# SPDX-License-Identifier: GPL-3.0-or-later
"""A real mail server for the tests: Debian's Exim, unprivileged, on loopback, with a configuration of its own.

    server = EximServer(folder, certificate, key, user="nobody").start()
    server.port (STARTTLS), server.tls_port (TLS from the first byte)
    server.mails() -> [(envelope recipients, bytes of the message)]
    server.stop()

It offers log-in only over TLS (patron:secret word), takes mail for example.org alone, none larger than size_limit, refuses
the recipient nobody@example.org for good and later@example.org for now, and the sender refused@example.org.
"""
import email
import glob
import os
import pwd
import signal
import socket
import subprocess
import time

EXIM = "/usr/sbin/exim4"
LOGIN, PASSWORD = "patrond@example.org", "relay password ½"

CONFIG = """
primary_hostname = relay.example.org
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port} : {tls_port}
tls_on_connect_ports = {tls_port}
tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {key}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/exim.pid
exim_user = {user}
exim_group = {group}
never_users =
domainlist local_domains = example.org
message_size_limit = {size_limit}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
smtp_accept_max = 20
host_lookup =
rfc1413_query_timeout = 0s
ignore_bounce_errors_after = 0s
keep_environment =
prdr_enable = false
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}

begin acl
acl_mail:
  deny senders = refused@example.org
       message = no such sender here
  deny condition = ${{if eq{{$tls_in_cipher}}{{}}}}
       message = TLS first
  deny condition = {login_needed}
       !authenticated = *
       message = log in first
  accept
acl_rcpt:
  deny local_parts = nobody
       message = no such user
  defer local_parts = later
       message = try again later
  accept domains = +local_domains
  deny message = relay not permitted

begin routers
here:
  driver = accept
  transport = box

begin transports
box:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  user = {user}
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{login}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class EximServer:
    def __init__(self, folder, certificate, key, user="nobody", size_limit="1M", login_needed=False):
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        entry = pwd.getpwnam(user)
        for name in ("", "spool", "log", "mail"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
            os.chown(os.path.join(folder, name), entry.pw_uid, entry.pw_gid)
        self.config = os.path.join(folder, "exim.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(port=self.port, tls_port=self.tls_port, folder=folder, certificate=certificate, key=key,
                                     user=user, group=entry.pw_gid, size_limit=size_limit, login=LOGIN, password=PASSWORD,
                                     login_needed="true" if login_needed else "false"))
        self.identity = dict(user=user, group=entry.pw_gid, extra_groups=[]) if os.geteuid() == 0 else {}
        self.process = None

    def start(self):
        self.process = subprocess.Popen([EXIM, "-C", self.config, "-bdf", "-q10s"], stdin=subprocess.DEVNULL,
                                        stdout=open(os.path.join(self.folder, "out"), "wb"), stderr=subprocess.STDOUT,
                                        cwd="/", **self.identity)
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                    if one.recv(3) == b"220":
                        return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Exim did not start: " + self.log())
            time.sleep(0.05)

    def log(self):
        text = ""
        for path in [os.path.join(self.folder, "out"), *glob.glob(os.path.join(self.folder, "log/*"))]:
            with open(path, encoding="utf-8", errors="replace") as file:
                text += file.read()
        return text

    def mails(self, count=None, timeout=20):
        """What was delivered: [(recipients of the envelope, bytes)], oldest first. count: waits until there are that many."""
        deadline = time.monotonic() + timeout
        while True:
            paths = sorted(glob.glob(os.path.join(self.folder, "mail/new/*")), key=os.path.getmtime)
            if count is None or len(paths) >= count or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        found = []
        for path in paths:
            with open(path, "rb") as file:
                data = file.read()
            to = email.message_from_bytes(data).get_all("Envelope-to")
            found.append((sorted(", ".join(to).replace("\n", "").split(", ")), data))
        return found

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
