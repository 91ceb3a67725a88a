# SPDX-License-Identifier: GPL-3.0-or-later
"""A real OpenSSH server on 127.0.0.1 with host keys of its own, unprivileged, SFTP only, log-in by key only.

    with SftpServer() as server:
        server.put("feed.zip", data)
        ... server.port, server.user, server.drop, server.client_key, server.known_hosts() ...
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SSHD = "/usr/sbin/sshd"
HOST = "127.0.0.1"
TYPES = ("ed25519", "rsa", "ecdsa")


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def keygen(path, kind="ed25519", passphrase="", pem=False):
    """Makes a key pair at path and path.pub; returns path."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path]
    if kind == "rsa":
        command += ["-b", "2048"]
    if pem:
        command += ["-m", "PEM"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
    return path


def children_of(pid):
    """Process ids of all descendants."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as file:
                    parents.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(int(name))
            except (OSError, IndexError):
                pass
    found, look = [], [pid]
    while look:
        for child in parents.get(look.pop(), []):
            found.append(child)
            look.append(child)
    return found


class SftpServer:
    """user: who sshd runs as and logs in, when we are root (sshd without root logs in its own user only).

    Not `nobody`: where nss-systemd is, that account counts as locked, and sshd refuses it. settings: lines of sshd_config,
    which win over those here. subsystem: another command than OpenSSH's own SFTP; as sshd runs it by the account's shell,
    sshd then has an /etc/passwd of its own, which needs root.
    """

    def __init__(self, user="backup", host_keys=("ed25519",), port=None, directory=None, settings="",
                 subsystem="internal-sftp"):
        entry = pwd.getpwnam(user) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.user, self.uid, self.gid = entry.pw_name, entry.pw_uid, entry.pw_gid
        self.host, self.port = HOST, port or free_port()
        self.own_directory = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="sftp-server-")
        os.makedirs(self.directory, exist_ok=True)
        os.chmod(self.directory, 0o755)
        self.drop = os.path.join(self.directory, "drop")
        self.log = os.path.join(self.directory, "sshd.log")
        self.settings, self.subsystem = settings, subsystem
        self.process = None
        self.host_key_types = tuple(host_keys)
        os.makedirs(self.drop, exist_ok=True)
        self.client_key = keygen(os.path.join(self.directory, "client_key"))
        for kind in self.host_key_types:
            keygen(self.host_key(kind), kind)
        shutil.copy(self.client_key + ".pub", os.path.join(self.directory, "authorized_keys"))
        self._own_all()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def host_key(self, kind):
        return os.path.join(self.directory, f"host_{kind}")

    def new_host_key(self, kind="ed25519"):
        """Replaces a host key; takes effect with the next start()."""
        for end in ("", ".pub"):
            os.unlink(self.host_key(kind) + end)
        keygen(self.host_key(kind), kind)
        self._own_all()

    def public_host_key(self, kind="ed25519"):
        """`type base64`, as known_hosts has it."""
        with open(self.host_key(kind) + ".pub", encoding="ascii") as file:
            return " ".join(file.read().split()[:2])

    def known_hosts(self, host=HOST, port=None, types=None):
        """The lines for known_hosts, for this server or for another way to it (a proxy's port)."""
        port = port or self.port
        name = host if port == 22 else f"[{host}]:{port}"
        return "".join(f"{name} {self.public_host_key(kind)}\n" for kind in types or self.host_key_types)

    def put(self, name, data=b"", mtime=None):
        """Puts a file into the drop folder as the server's user, whole from the first moment. Returns its path."""
        path = os.path.join(self.drop, name) if isinstance(name, str) else os.path.join(self.drop.encode(), name)
        part = os.path.join(self.directory, "part")
        with open(part, "wb") as file:
            file.write(data)
        if os.geteuid() == 0:
            os.chown(part, self.uid, self.gid)
        if mtime is not None:
            os.utime(part, (mtime, mtime))
        os.rename(part, path)
        return path

    def start(self):
        """Starts sshd and waits until it listens. Returns self."""
        config = os.path.join(self.directory, "sshd_config")
        with open(config, "w", encoding="ascii") as file:
            file.write(self.settings + f"\nListenAddress {self.host}:{self.port}\n"
                       + "".join(f"HostKey {self.host_key(kind)}\n" for kind in self.host_key_types)
                       + f"AuthorizedKeysFile {self.directory}/authorized_keys\n"
                       "PidFile none\nUsePAM no\nStrictModes no\nUseDNS no\nPrintMotd no\nPrintLastLog no\n"
                       "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPubkeyAuthentication yes\n"
                       "AuthenticationMethods publickey\nAllowTcpForwarding no\nMaxStartups 100:30:200\n"
                       "LogLevel INFO\n" + (f"Subsystem sftp {self.subsystem}\n" if self.subsystem else ""))
        command = [SSHD, "-D", "-e", "-f", config]
        become = dict(user=self.uid, group=self.gid, extra_groups=[]) if os.geteuid() == 0 else {}
        if self.subsystem not in ("internal-sftp", None):
            command, become = self._with_a_shell(command), {}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            start_new_session=True, **become)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection((self.host, self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.stop_process()
        with open(self.log, encoding="utf-8", errors="replace") as file:
            raise RuntimeError("sshd did not start: " + file.read()[-2000:])

    def sessions(self):
        """Process ids of the connections that it serves."""
        return children_of(self.process.pid) if self.process else []

    def kill_sessions(self):
        """Ends all connections at once, as a server that crashes; the server itself goes on."""
        for pid in self.sessions():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def stop_process(self):
        """Ends sshd and its connections, keeping keys and files: start() serves them again."""
        if self.process is None:
            return
        pids = self.sessions()
        self.process.kill()
        self.process.wait()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process = None

    def stop(self):
        """Ends it and removes what it made."""
        self.stop_process()
        if self.own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _with_a_shell(self, command):
        passwd = os.path.join(self.directory, "passwd")
        with open("/etc/passwd", encoding="utf-8") as old, open(passwd, "w", encoding="utf-8") as new:
            for line in old:
                fields = line.rstrip("\n").split(":")
                new.write(":".join(fields[:6] + ["/bin/sh"] if fields[0] == self.user else fields) + "\n")
        return ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"', passwd, "setpriv",
                f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"] + command

    def _own_all(self):
        if os.geteuid() == 0:
            for folder, _, files in os.walk(self.directory):
                for name in [folder] + [os.path.join(folder, file) for file in files]:
                    os.chown(name, self.uid, self.gid)


if __name__ == "__main__":
    import sys

    # by hand: serves until interrupted
    server = SftpServer(directory=sys.argv[1] if len(sys.argv) > 1 else None)
    with server:
        print(f"port {server.port}\nuser {server.user}\ndrop {server.drop}\nkey {server.client_key}\n{server.known_hosts()}",
              end="", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass
