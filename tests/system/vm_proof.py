# SPDX-License-Identifier: GPL-3.0-or-later
"""vm: the package in a virtual machine with Debian's stock kernel, where memory control, swap and CIFS are real."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import container_tree
import vm_image
from installed import SHARE, Library
from vm import Machine
from vm_cifs import Cifs
from vm_crash import Crashes
from vm_town import Town

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench"))
from score import Score  # noqa: E402

STAGES = ("share", "fetch", "decode", "load", "report")
WALLS_REQUIRED = 0xf
LIMIT = 40 * 60  # seconds, all of it
EXPOSURE = {"patrond": 0.2, "decode": 0.2, "report": 0.2, "share": 0.2, "fetch": 1.0, "load": 1.0, "mail": 1.0}


class Service(Town):
    """The package on this kernel: installed, its walls, a load from end to end."""

    deb = None

    def installed(self):
        m, wrong = self.machine, []
        release = m.run("uname", "-r").stdout.strip()
        wrong += [] if release.startswith("6.1.") and release.endswith("-amd64") else [f"this is no stock kernel: {release}"]
        m.install(self.deb)
        m.sh(f"mkdir -p {SHARE} && chown patrond-share:patrond-share {SHARE} && chmod 750 {SHARE}")
        units = m.sh("cd /lib/systemd/system && ls patrond*").stdout.split()
        said = m.run("systemd-analyze", "verify", *[u.replace("@.", "@1.") for u in units], check=False, timeout=300)
        wrong += [line for line in (said.stdout + said.stderr).splitlines() if "patrond" in line]
        self.prove(f"installed on {release}; systemd-analyze verify is clean", wrong)

    def exposure(self):
        m, wrong = self.machine, []
        names = [n[len("patrond-"):-len("@.service")] for n in m.sh("cd /lib/systemd/system && ls patrond-*@.service").stdout.split()]
        for name in ("patrond", *names):
            unit = "patrond.service" if name == "patrond" else f"patrond-{name}@1.service"
            said = m.run("systemd-analyze", "security", "--no-pager", unit, check=False, timeout=300).stdout
            found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
            value = float(found.group(1)) if found else 10.0
            self.score.figure("vm_exposure_" + name, value, "of 10")
            wrong += [] if value <= EXPOSURE.get(name, 0.2) else [f"{unit}: {value}"]
        self.prove("systemd-analyze security: exposure within its limits", wrong)

    def main_job(self):
        m, lib = self.machine, self.library
        before = self.feed(students=120, staff=40, patrons=600, seed=11)
        self.configure()
        lib.drop()
        since = self.now()
        m.run("systemctl", "enable", "--now", "patrond")
        result = self.wait_over(since)
        self.prove("enable --now: the feed is loaded over the real network, every row as expected",
                   lib.wrong_outcomes(result) + lib.differences(before, lib.dump()))
        walls = {e["STAGE"]: int(e["WALLS"], 16) for e in result.entries if "WALLS" in e}
        wrong = [f"{s}: {walls.get(s, 0):#x}" for s in STAGES if walls.get(s, 0) & WALLS_REQUIRED != WALLS_REQUIRED]
        self.score.say("          walls: " + ", ".join(f"{s} {w:#x}" for s, w in sorted(walls.items())))
        self.prove("every stage was in its sandbox, with what this kernel has", wrong)
        status = m.status()["StatusText"]
        self.prove("STATUS= of rest", [] if re.match(r"Idle\. Last load \d\d:\d\d: .* 0 failed\. Next look \d\d:\d\d\.$", status) else [status])
        said = m.run("systemctl", "status", "patrond").stdout
        self.prove("systemctl status shows STATUS and entries", 'Status: "Idle.' in said and "chccs-log-st" in said)
        listing = m.run("ls", SHARE).stdout.split()
        self.prove("the clean-up report lies on the share", [] if any(n.startswith("barcode_errors-") for n in listing) else [str(listing)])
        self.volatile()

    def volatile(self):
        m = self.machine
        kept = m.sh("find /var/log/journal -path '*patrond*' -type f").stdout.split()
        here = m.sh("find /run/log/journal -path '*.patrond*' -type f").stdout.split()
        logs = m.sh("grep -rlE 'chccs-log|sandbox, |student row' /var/log || true").stdout.split()
        self.prove("volatile: nothing of the namespace below /var/log", kept + logs + ([] if here else ["nor in /run"]))

    STEPS = ("installed", "exposure", "main_job")
    ALWAYS = ("installed",)


PARTS = (Service, Cifs, Crashes)


def step(score, name, function):
    begun = time.monotonic()
    try:
        function()
    except Exception as e:  # a step that broke has failed; the next ones still say what they see
        score.prove(name, [f"{type(e).__name__}: {e}"])
    score.say(f"          ({name}: {time.monotonic() - begun:.0f} s)")


def install():
    """The packages that the virtual machine alone needs; they are asked for by this command only."""
    steps = 'cd "$1" && . tests/lib.sh && install_packages $RUN_PACKAGES $VM_PACKAGES'
    subprocess.run(["bash", "-c", steps, "run", container_tree.ROOT], check=True, stdin=subprocess.DEVNULL)


def chosen(part, only):
    """The steps of a part: all, or those that were asked for and what they cannot do without."""
    if only and part is not Service and not set(only) & set(part.STEPS):
        return []
    return [name for name in part.STEPS if not only or name in only or name in part.ALWAYS]


def run(build, only=()):
    """only: names of steps."""
    known = [name for part in PARTS for name in part.STEPS]
    if set(only) - set(known):
        raise SystemExit("steps: " + ", ".join(known))
    score, begun = Score(), time.monotonic()
    install()
    deb = container_tree.package()
    image = vm_image.image(deb)
    score.say(f"          (package and disk: {time.monotonic() - begun:.0f} s)")
    folder = tempfile.mkdtemp(prefix="patrond-vm-")
    try:
        booted = time.monotonic()
        with Library(build) as library, Machine(image, folder) as machine:
            score.figure("vm_boot", time.monotonic() - booted, "s", 0)
            library.make_feed(students=100, staff=0, patrons=100, seed=1)
            library.start_sftp()
            library.start_sierra()
            parts = [kind(machine, library, score) for kind in PARTS]
            parts[0].deb = deb
            for part in parts:
                for name in chosen(type(part), only):
                    if time.monotonic() - begun > LIMIT:
                        score.prove(f"{name}: within {LIMIT // 60} minutes", False)
                    else:
                        step(score, name, getattr(part, name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    score.figure("vm_minutes", (time.monotonic() - begun) / 60, "min", 1)
    return score.passed, score.failed
