#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The escape tests in the units themselves: the package in a real systemd, its stages exchanged for those of the escape build,
each reached by the socket that the supervisor reaches it by.

Run by tests/system/run escape; --inside is what runs in the container, as root, and changes it for good."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import container
import container_tree
import escape_bench
import stagekit

STAGES_AT = "/run/patrond/stages"
PLACE = "/root/escape"  # of the tests and the binaries, in the container
AIMS = "/etc/patrond/escape"  # what a unit sees of it: the configuration's folder
SHARE = "/srv/patrond/chccs-library"
EXTRA = ("python3", "openssl", "openssh-client")


def command(*words):
    return subprocess.run(words, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


class Installed(escape_bench.ByHand):
    """The servers, credentials and configuration of by hand, where the units look for them."""

    def __init__(self, folder):
        super().__init__(folder, "/usr/libexec/patrond", None, with_victim=False)
        os.makedirs(SHARE, exist_ok=True)
        shutil.chown(SHARE, "patrond-share", "patrond-share")
        for name in os.listdir(self.path("credentials")):
            if not name.endswith(".pub"):
                with open(self.path("credentials/" + name), encoding="ascii") as file:
                    write("/etc/credstore/" + name, file.read(), 0o600)
        for name in ("known_hosts", "ca.pem"):
            shutil.copy(self.path(name), "/etc/patrond/" + name)
        with open(self.config(), encoding="ascii") as file:
            write("/etc/patrond/patrond.conf", file.read().replace(self.path("share"), SHARE).replace(self.folder, "/etc/patrond"))


def exchange(binaries):
    """The stages of the escape build, in their units; a supervisor that leaves them alone; no bounds of how often they start."""
    places = {}
    for stage in escape_bench.STAGES:
        text = command("systemctl", "cat", f"patrond-{stage}@.service").stdout
        places[stage] = re.search(r"^ExecStart=(\S+)", text, re.M).group(1)
        shutil.copy(os.path.join(binaries, "patrond-" + stage), places[stage])
        write(f"/etc/systemd/system/patrond-{stage}.socket.d/escape.conf",
              "[Socket]\nMaxConnections=64\nTriggerLimitIntervalSec=0\n")
    write("/etc/systemd/system/patrond.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    command("systemctl", "daemon-reload")
    command("systemctl", "restart", "patrond.service")
    command("systemctl", "restart", *[f"patrond-{stage}.socket" for stage in escape_bench.STAGES])


def inside():
    os.makedirs(AIMS, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="patrond-escape-")
    installed = Installed(folder)
    exchange(os.path.join(PLACE, "bin"))
    way = escape_bench.BySockets(STAGES_AT)
    try:
        passed, failed = escape_bench.report(escape_bench.run_all(way, AIMS, escape_bench.STAGES, (), before=installed.drain))
    finally:
        way.close()
        installed.close()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


def put_tests(machine, binaries):
    for source, to in ((os.path.join(stagekit.ROOT, "tests/system"), "tests/system"),
                       (os.path.join(stagekit.ROOT, "include"), "include"), (binaries, "bin")):
        shutil.copytree(source, machine.path(os.path.join(PLACE, to)), ignore=shutil.ignore_patterns("__pycache__"))


def alone(binaries):
    """In namespaces of its own. Returns what the container said."""
    with tempfile.TemporaryDirectory(prefix="patrond-escape-") as scratch:
        root = os.path.join(scratch, "root")
        container_tree.unpack(os.environ["PATROND_ESCAPE_TREE"], root)
        with container.Container(root) as machine:
            machine.install(os.environ["PATROND_DEB"])
            put_tests(machine, binaries)
            done = machine.run("python3", os.path.join(PLACE, "tests/system/escape_units.py"), "--inside", check=False, timeout=900)
            return done.stdout + (done.stderr[-3000:] if done.returncode != 0 else "")


def run(binaries):
    """(tried, succeeded, passed, sentences, skipped) of every stage in its unit."""
    if not container.can_be_alone():
        return 0, 0, 0, [], 1
    os.environ["PATROND_ESCAPE_BIN"] = binaries
    os.environ.setdefault("PATROND_DEB", container_tree.package())
    os.environ.setdefault("PATROND_TREE", container_tree.tree(os.environ["PATROND_DEB"]))
    os.environ.setdefault("PATROND_ESCAPE_TREE", container_tree.tree(os.environ["PATROND_DEB"], EXTRA))
    with container.alone("escape") as process:
        text = process.stdout.read()
    found = re.search(r"^(\d+) passed, (\d+) failed, 0 skipped$", text, re.M)
    figures = dict(re.findall(r"^figure (\w+) (\d+) ", text, re.M))
    if not found or not figures:
        return 0, 0, 0, ["in units: " + text[-3000:]], 0
    sentences = ["in its unit: " + line.strip() for line in text.splitlines() if line.startswith("  ")]
    return int(figures["escapes_tried"]), int(figures["escapes_succeeded"]), int(found.group(1)), sentences, 0


if __name__ == "__main__":
    if sys.argv[1:] != ["--inside"]:
        print(__doc__)
        sys.exit(2)
    sys.exit(inside())
