# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Samba server on 127.0.0.1, on a port of its own, with one share and one user; and smbnetfs, a FUSE client for it.

    with Samba(folder) as samba:       # the folder that the server shares
        path = samba.mount()           # where the client sees it
"""
import os
import pwd
import shutil
import subprocess
import tempfile
import time

from sftp_server import HOST, free_port

SHARE, PASSWORD = "chccs-library", "share secret"
SMBD = "/usr/sbin/smbd"


def missing():
    """Why it cannot be had here, or None."""
    for program in (SMBD, shutil.which("smbpasswd"), shutil.which("smbnetfs")):
        if not program or not os.path.exists(program):
            return "samba and smbnetfs are not there"
    return None if os.path.exists("/dev/fuse") else "no FUSE here"


class Samba:
    def __init__(self, folder, user="nobody"):
        self.folder, self.user, self.port = folder, user, free_port()
        self.directory = tempfile.mkdtemp(prefix="samba-")
        os.chmod(self.directory, 0o755)
        self.server = self.client = None
        for name in ("lock", "state", "cache", "private", "pid", "rpc", "client", "client/.smb", "mount"):
            os.mkdir(self.path(name))
        self._write("smb.conf", f"""[global]
server role = standalone server
interfaces = 127.0.0.1/8
bind interfaces only = yes
smb ports = {self.port}
disable netbios = yes
server min protocol = SMB2
workgroup = TOWN
netbios name = FILESERVER
lock directory = {self.path("lock")}
state directory = {self.path("state")}
cache directory = {self.path("cache")}
private dir = {self.path("private")}
pid directory = {self.path("pid")}
ncalrpc dir = {self.path("rpc")}
passdb backend = smbpasswd:{self.path("private", "smbpasswd")}
load printers = no
printcap name = /dev/null
disable spoolss = yes
[{SHARE}]
path = {folder}
read only = no
valid users = {user}
force user = {user}
""")
        self._write("client/.smb/smb.conf", "[global]\nworkgroup = TOWN\nclient min protocol = SMB2\nname resolve order = host\n")
        self._write("client/.smb/smbnetfs.conf", f'auth "{user}" "{PASSWORD}"\nuse_libsecret "false"\n', 0o600)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def _write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def start(self):
        pwd.getpwnam(self.user)
        subprocess.run(["smbpasswd", "-c", self.path("smb.conf"), "-a", "-s", self.user], check=True, capture_output=True,
                       text=True, input=f"{PASSWORD}\n{PASSWORD}\n")
        with open(self.path("log"), "ab") as log:
            self.server = subprocess.Popen([SMBD, "-F", "--no-process-group", "-s", self.path("smb.conf"), "--debug-stdout", "-d0"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
        return self

    def mount(self):
        """Returns the share's path in the client's mount, in this process's mount namespace."""
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.path("client"), "LC_ALL": "C.UTF-8"}
        with open(self.path("log"), "ab") as log:
            # no caches in the kernel: what the client knows of the server's changes is seen
            self.client = subprocess.Popen(["smbnetfs", self.path("mount"), "-f", "-o",
                                            "allow_other,attr_timeout=0,entry_timeout=0,negative_timeout=0,direct_io",
                                            "-o", f"config={self.path('client/.smb/smbnetfs.conf')}",
                                            "-o", "smb_query_browsers=false"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=environment)
        path = self.path("mount", f"{HOST}:{self.port}", SHARE)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                os.listdir(path)
                return path
            except OSError:
                time.sleep(0.1)
        with open(self.path("log"), encoding="utf-8", errors="replace") as file:
            raise RuntimeError("the share cannot be mounted: " + file.read()[-2000:])

    def unmount(self):
        subprocess.run(["umount", "-l", self.path("mount")], check=False, capture_output=True)
        if self.client is not None:
            self.client.terminate()
            self.client.wait(10)
            self.client = None

    def stop(self):
        """The server alone: the client's mount stays, without anybody behind it."""
        if self.server is not None:
            os.killpg(self.server.pid, 15)
            self.server.wait(10)
            self.server = None

    def close(self):
        self.unmount()
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
