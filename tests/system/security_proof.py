# SPDX-License-Identifier: GPL-3.0-or-later
"""security: how exposed each unit is, as systemd-analyze counts it, and what its walls are where it runs."""
import os
import re
import shutil
import tempfile

from installed import Library
from service_proof import Machine
from score import Score

# at most; what has a network has 0.5 for it, 0.3 for its addresses, 0.1 for the supervisor's socket, 0.1 for none named
LIMITS = {"patrond.service": 0.2, "patrond-decode@1.service": 0.2, "patrond-report@1.service": 0.2, "patrond-share@1.service": 0.2,
          "patrond-fetch@1.service": 1.0, "patrond-load@1.service": 1.0, "patrond-mail@1.service": 1.0}
# fixed users, as the issue of DynamicUser= in their units says
FIXED = ("patrond.service", "patrond-share@1.service")
SECRETS = {"fetch": "sftp-key", "decode": "zip-password", "load": "sierra-key", "report": "report-password", "mail": "smtp-password"}
UNSWAPPABLE = ("patrond.slice", "systemd-journald@patrond.service", *LIMITS)
SHELLS = ("bin/sh", "usr/bin/sh", "usr/bin/python3", "usr/bin/perl", "run/dbus/system_bus_socket", "var/log", "etc/shadow", "etc/credstore")


def exposures(machine, score, units, limits):
    wrong = []
    for unit in units:
        said = machine.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout
        found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        if not found:
            wrong.append(f"{unit}: no figure: {said[-200:]}")
            continue
        value = float(found.group(1))
        score.figure("exposure_" + re.sub(r"@1|\.service", "", unit), value, "points")
        wrong += [] if value <= limits[unit] else [f"{unit}: {value}, over {limits[unit]}"]
    return wrong


def show(machine, unit, name):
    return machine.run("systemctl", "show", unit, "-p", name, "--value").stdout.strip()


def settings(machine, units):
    wrong = []
    for unit in UNSWAPPABLE:
        if unit in units or unit not in LIMITS:
            value = show(machine, unit, "MemorySwapMax")
            wrong += [] if value == "0" else [f"{unit}: MemorySwapMax={value}"]
    for unit in units:
        for name, want in (("LimitCORE", "0"), ("Slice", "patrond.slice"), ("RootDirectory", "/usr/lib/patrond/root")):
            value = show(machine, unit, name)
            wrong += [] if value == want else [f"{unit}: {name}={value}"]
        dynamic = show(machine, unit, "DynamicUser")
        wrong += [] if dynamic == ("no" if unit in FIXED else "yes") else [f"{unit}: DynamicUser={dynamic}"]
        stage = unit.removeprefix("patrond-").partition("@")[0]
        # with another stage's secret in it a unit would have two powers
        text = machine.run("systemctl", "cat", unit).stdout
        loads = re.findall(r"^LoadCredential\w*=(\S+)", text, re.M)
        wrong += [] if loads == ([SECRETS[stage]] if stage in SECRETS else []) else [f"{unit}: LoadCredential={loads}"]
        if stage not in ("fetch", "load", "mail"):
            value = show(machine, unit, "PrivateNetwork")
            wrong += [] if value == "yes" else [f"{unit} has a network"]
    return wrong


def seen_from_inside(machine):
    """What the two processes that live on see: the supervisor, and the share's watch."""
    wrong, found = [], 0
    for line in machine.run("ps", "-C", "patrond,patrond-share", "-o", "pid=,comm=,user=").stdout.splitlines():
        pid, name, user = line.split()
        found += 1
        root = f"/proc/{pid}/root"
        for path in SHELLS:
            if machine.run("test", "-e", f"{root}/{path}", check=False).returncode == 0:
                wrong.append(f"{name} sees /{path}")
        status = machine.run("cat", f"/proc/{pid}/status").stdout
        fields = dict(re.findall(r"^(\w+):\s*(.*)$", status, re.M))
        for field, want in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("CapEff", "0" * 16), ("CapBnd", "0" * 16), ("CapPrm", "0" * 16)):
            wrong += [] if fields[field] == want else [f"{name}: {field} is {fields[field]}"]
        links = machine.run("cat", f"/proc/{pid}/net/dev").stdout.splitlines()[2:]
        wrong += [] if len(links) == 1 and "lo:" in links[0] else [f"{name} has a network: {links}"]
        wrong += [] if user in ("patrond", "patrond-share", "patrond+") else [f"{name} runs as {user}"]
        # undumpable: its files in /proc are root's
        owner = machine.run("stat", "-c", "%U", f"/proc/{pid}/environ").stdout.strip()
        wrong += [] if owner == "root" else [f"{name} can be dumped"]
        wrong += [] if "max core file size 0 0" in re.sub(" +", " ", machine.run("cat", f"/proc/{pid}/limits").stdout.lower()) else [
            f"{name} may leave a core"]
    return wrong + ([] if found == 2 else [f"{found} processes, not two"])


def run(build, _repeat, place):
    deb, archive = place
    score = Score()
    scratch = tempfile.mkdtemp(prefix="patrond-security-")
    os.chmod(scratch, 0o755)
    try:
        with Library(build) as library, Machine(deb, archive, scratch) as machine:
            library.make_feed(students=100, staff=0, patrons=200, seed=1)
            library.start_sftp()
            library.start_sierra()
            machine.prepare()
            machine.put(library.files())
            units = [u for u in LIMITS if os.path.exists(machine.path("/lib/systemd/system/" + u.replace("@1.", "@.")))]
            score.prove("the package has a unit for each program", [f"patrond-{s}" for s in os.listdir(machine.path("/usr/libexec/patrond"))
                                                                    if s.startswith("patrond-") and f"{s}@1.service" not in units])
            score.prove("exposure of each unit", exposures(machine, score, units, LIMITS))
            names = [u.replace("@1.", "@1.") for u in units] + ["patrond.socket", "patrond.slice"]
            said = machine.run("systemd-analyze", "verify", *names, check=False)
            score.prove("systemd-analyze verify says nothing", (said.stdout + said.stderr).splitlines())
            score.prove("no swap, no core, one root, one secret, a network only where it must be", settings(machine, units))
            machine.run("systemctl", "start", "patrond")
            machine.wait_status("^Idle")
            machine.sh("for i in $(seq 50); do pgrep -x patrond-share >/dev/null && break; sleep 0.1; done")
            score.prove("seen from inside: no shell, no log, no capability, no network, no core", seen_from_inside(machine))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return score.passed, score.failed
