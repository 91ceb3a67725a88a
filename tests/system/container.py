# SPDX-License-Identifier: GPL-3.0-or-later
"""A real systemd booted in a container by systemd-nspawn.

    container.alone("service")           # runs the calling program in namespaces of its own, with a loopback of its own
    with Container(folder) as machine:   # boots it; folder is its root, a tree of container_tree
        machine.run("systemctl", "is-system-running")
        machine.reboot()

Servers that the program starts listen on that loopback, which the container shares: they can be reached from inside, and
neither they nor their files are in its tree. Everything ends with the program."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time

import container_tree

SKIP_WORD = "SKIPPED: this kernel or this user may not make namespaces"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FORCE_RESTART = 133  # systemd-nspawn's status where the container reboots
MARK = "PATROND_TEST_ALONE"
# nspawn's own filter refuses what the units' walls, locked memory and address filters need
CALLS = "@memlock @keyring bpf perf_event_open landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret"


def can_be_alone():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "-n", "-p", "-f", "--mount-proc", "true"], capture_output=True,
                                                stdin=subprocess.DEVNULL, check=False).returncode == 0


def prepared():
    """(package, archive of the tree), made where they are missing: needs the network, so not to be called when alone."""
    if not os.environ.get(MARK):
        # a copy: another run may make the package anew meanwhile
        folder = tempfile.mkdtemp(prefix="patrond-deb-")
        atexit.register(shutil.rmtree, folder, True)
        os.environ["PATROND_DEB"] = shutil.copy(container_tree.package(), folder)
        os.environ["PATROND_TREE"] = container_tree.tree(os.environ["PATROND_DEB"])
    return os.environ["PATROND_DEB"], os.environ["PATROND_TREE"]


def is_alone():
    return bool(os.environ.get(MARK))


def alone(*arguments):
    """Runs this program once more, with these arguments, in namespaces of its own: its servers, its container and their
    processes end with it. Returns the Popen, its output in a pipe."""
    prepared()
    groups = control_groups(f"patrond-test-{os.getpid()}")
    for group in groups:
        os.makedirs(group, exist_ok=True)
    atexit.register(remove_groups, groups)
    prepare = "".join(f"echo 0 >{group}/cgroup.procs && " for group in groups)
    prepare += "mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/sshd && ip link set lo up && exec \"$@\""
    return subprocess.Popen(["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c", prepare, "sh",
                             sys.executable, sys.argv[0], *arguments], env={**os.environ, MARK: "1"}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, text=True)


def control_groups(name):
    """Folders of a control group of our own, in each hierarchy that systemd uses: two containers must not share one."""
    found = []
    with open("/proc/self/cgroup", encoding="ascii") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            for mount in {"name=systemd": ("/sys/fs/cgroup/systemd",), "": ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")}.get(controllers, ()):
                if os.access(f"{mount}{path}/cgroup.procs", os.W_OK):
                    found.append(os.path.normpath(f"{mount}{path}/{name}"))
                    break
    return found


def remove_groups(groups):
    for group in groups:
        for _ in range(20):
            for folder, _, _ in os.walk(group, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    time.sleep(0.05)  # its last process is on its way out
            if not os.path.exists(group):
                break


class Container:
    def __init__(self, folder):
        self.folder, self.process, self.leader = folder, None, None
        self.console = tempfile.NamedTemporaryFile(prefix="patrond-console-", suffix=".log")

    def path(self, name):
        """A file of its disk, as it is seen from outside."""
        return self.folder + name

    def live(self, name):
        """A file as the container sees it: /run and /tmp too."""
        return f"/proc/{self.leader}/root{name}"

    def put(self, files):
        """{path: (mode, bytes)} onto its disk, root's."""
        for name, (mode, data) in files.items():
            path = self.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(data)

    def start(self):
        command = ["systemd-nspawn", "-D", self.folder, "--register=no", "--keep-unit", "--network-namespace-path=/proc/self/ns/net",
                   "--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=all",
                   "--machine=patrond-test", "--system-call-filter=" + CALLS, "-b"]
        # one hierarchy of control groups, as on a host; on hosts of the old kind it lacks the memory controller
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
                                        env={"PATH": PATH, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        self.wait_booted()
        return self

    def find_leader(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        return int(children[-1]) if children else None

    def wait_booted(self, timeout=120):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            self.leader = self.find_leader()
            if self.leader:
                state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.2)
        with open(self.console.name, errors="replace") as file:
            raise RuntimeError("the container did not boot: " + file.read()[-3000:])

    def run(self, *command, check=True, timeout=120, text=True, stdin=None):
        """Runs a command in it. Returns the completed process."""
        done = subprocess.run(["nsenter", "-t", str(self.leader), "-a", "env", "-i", "PATH=" + PATH, "LC_ALL=C.UTF-8",
                               "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=", *map(str, command)], input=stdin, capture_output=True,
                              text=text, timeout=timeout, check=False, **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def sh(self, script, **kwargs):
        return self.run("sh", "-c", script, **kwargs)

    def install(self, deb):
        """Installs the package by dpkg, as an administrator does."""
        with open(deb, "rb") as file:
            self.put({"/root/" + os.path.basename(deb): (0o644, file.read())})
        return self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", "/root/" + os.path.basename(deb))

    def reboot(self):
        self.run("systemctl", "reboot", check=False)
        status = self.process.wait(90)
        if status != FORCE_RESTART:
            raise RuntimeError(f"the container ended with {status} instead of asking for another start")
        self.start()

    def status(self, unit="patrond.service"):
        """{property: value}"""
        text = self.run("systemctl", "show", unit, "-p",
                        "ActiveState,SubState,Result,StatusText,MainPID,NRestarts,ExecMainStatus,InvocationID").stdout
        return dict(line.partition("=")[::2] for line in text.splitlines())

    def entries(self, *arguments, namespace="patrond"):
        """The journal's entries, as dicts. namespace: None is the main journal."""
        import json
        where = ["--namespace=" + namespace] if namespace else []
        text = self.run("journalctl", *where, "-o", "json", "--no-pager", "-q", *arguments).stdout
        return [json.loads(line) for line in text.splitlines()]

    def wait_status(self, wanted, timeout=120, unit="patrond.service"):
        """Waits until STATUS= is as the pattern says. Returns it; raises with what it was instead."""
        import re
        deadline, text = time.monotonic() + timeout, ""
        while time.monotonic() < deadline:
            text = self.status(unit)["StatusText"]
            if re.search(wanted, text):
                return text
            time.sleep(0.1)
        raise AssertionError(f"STATUS= is {text!r}, not {wanted!r}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        self.console.close()
