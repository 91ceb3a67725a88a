# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of a virtual machine: the container's tree with Debian's stock kernel and what memory, swap and CIFS are tried with.

    image = vm_image.image(deb)      # an Image: disk, kernel, initrd; kept in $TMPDIR by what it is made of
    image.copy("disk.img")           # a disk to be written to

The package itself is not in it: it is installed in the running machine, as an administrator does it."""
import hashlib
import os
import shutil
import subprocess
import tempfile

import container_tree

HERE = os.path.dirname(os.path.abspath(__file__))
EXTRA = ("linux-image-amd64", "initramfs-tools", "udev", "kmod", "mount", "iproute2", "python3", "samba", "cifs-utils", "stress-ng")
DISK_SIZE = "5G"
AGENT = "/usr/local/sbin/patrond-test-agent"
# Servers on the host are reached as HOST; nothing else is.
HOST = "10.0.2.2"
FILES = {
    "/etc/systemd/network/10-test.network": "[Match]\nName=e*\n\n[Network]\nAddress=10.0.2.15/24\nGateway=" + HOST + "\n",
    "/etc/hostname": "patrond-test\n",
    "/etc/hosts": "127.0.0.1 localhost patrond-test\n",
    "/etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
    "/etc/systemd/system/patrond-test-agent.service":
        "[Unit]\nAfter=dev-virtio\\x2dports-patrond.test.device\nWants=dev-virtio\\x2dports-patrond.test.device\n\n"
        f"[Service]\nExecStart={AGENT}\nOOMScoreAdjust=-1000\nRestart=always\nRestartSec=1\nMemorySwapMax=0\n"
        # what it runs is no service of this machine
        "Delegate=yes\nTasksMax=infinity\nLimitNOFILE=65536\n\n[Install]\nWantedBy=multi-user.target\n",
}
ENABLED = {"multi-user.target.wants": ("/etc/systemd/system/patrond-test-agent.service", "/lib/systemd/system/systemd-networkd.service"),
           "network-online.target.wants": ("/lib/systemd/system/systemd-networkd-wait-online.service",)}
# servers that their packages enable and no test of ours has asked for yet; what no virtual machine needs
MASKED = ("smbd.service", "nmbd.service", "samba-ad-dc.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
          "fstrim.timer", "man-db.timer", "dpkg-db-backup.timer", "getty@tty1.service", "systemd-timesyncd.service")


class Image:
    def __init__(self, folder):
        self.disk, self.kernel, self.initrd = (os.path.join(folder, name) for name in ("disk.img", "vmlinuz", "initrd.img"))

    def copy(self, path):
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.disk, path], check=True, stdin=subprocess.DEVNULL, timeout=300)


def files():
    with open(os.path.join(HERE, "vm_agent.py"), encoding="utf-8") as file:
        return {**FILES, AGENT: file.read()}


def furnish(folder):
    """Agent, network and units into the unpacked tree."""
    for name, text in files().items():
        path = folder + name
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o755 if name == AGENT else 0o644)
            file.write(text)
    system = folder + "/etc/systemd/system"
    for target, units in ENABLED.items():
        os.makedirs(os.path.join(system, target), exist_ok=True)
        for unit in units:
            path = os.path.join(system, target, os.path.basename(unit))
            if not os.path.lexists(path):
                os.symlink(unit, path)
    for unit in MASKED:
        path = os.path.join(system, unit)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("/dev/null", path)


def newest(folder, name):
    return os.path.join(folder, max(f for f in os.listdir(folder) if f.startswith(name + "-")))


def make(archive, folder):
    with tempfile.TemporaryDirectory(prefix="patrond-vm-tree-") as work:
        tree = os.path.join(work, "tree")
        container_tree.unpack(archive, tree)
        furnish(tree)
        new = folder + ".new"
        shutil.rmtree(new, ignore_errors=True)
        os.mkdir(new, 0o700)
        shutil.copy(newest(tree + "/boot", "vmlinuz"), os.path.join(new, "vmlinuz"))
        shutil.copy(newest(tree + "/boot", "initrd.img"), os.path.join(new, "initrd.img"))
        container_tree.run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-d", tree,
                           os.path.join(new, "disk.img"), DISK_SIZE)
        os.rename(new, folder)


def image(deb):
    archive = container_tree.tree(deb, EXTRA)
    made_of = repr((os.path.basename(archive), sorted(files().items()), ENABLED, MASKED, DISK_SIZE))
    name = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    folder = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"patrond-vm-{name}")
    if not os.path.exists(folder):
        make(archive, folder)
    return Image(folder)
