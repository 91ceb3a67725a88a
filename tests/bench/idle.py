# SPDX-License-Identifier: GPL-3.0-or-later
"""idle: what a patrond that waits costs, as the installed service in a container."""
import os
import re
import shutil
import tempfile
import time

SECONDS = 60
REMOTE_POLL = 30  # [share] remote_poll_interval
MEMORY_MAX = 12.0  # MiB; more than that is a leak or a library too many
PROGRAMS = ("patrond", "patrond-share")


def pids(machine):
    found = {}
    for line in machine.run("ps", "-C", ",".join(PROGRAMS), "-o", "pid=,comm=").stdout.splitlines():
        pid, name = line.split()
        found[name] = int(pid)
    return found


def status(machine, pid):
    return dict(re.findall(r"^(\w+):\s*(\d+)", machine.run("cat", f"/proc/{pid}/status").stdout, re.M))


def run_alone(score, build, place):
    import sys
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
    from installed import Library
    from service_proof import Machine
    scratch = tempfile.mkdtemp(prefix="patrond-idle-")
    os.chmod(scratch, 0o755)
    try:
        with Library(build) as library, Machine(*place, scratch) as machine:
            library.make_feed(students=2000, staff=200, patrons=6000, seed=7)
            library.start_sftp()
            library.start_sierra()
            machine.prepare()
            machine.put(library.files(pauses=False))
            library.drop()
            since = machine.now()
            machine.run("systemctl", "start", "patrond")
            machine.wait_over(since)
            # after a load, and after what it looks for when the share's watch has begun
            time.sleep(5)
            machine.wait_status("^Idle")
            measure(score, machine)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def measure(score, machine):
    looks = len(machine.entries("STAGE=fetch"))
    before, running = {}, pids(machine)
    for name, pid in running.items():
        before[name] = status(machine, pid)
    time.sleep(SECONDS)
    after = {name: status(machine, pid) for name, pid in running.items()}
    wakeups = {name: int(after[name]["voluntary_ctxt_switches"]) - int(before[name]["voluntary_ctxt_switches"]) for name in running}
    memory = int(after["patrond"]["VmRSS"]) / 1024
    score.figure("idle_memory", memory, "MiB", 1)
    score.figure("idle_wakeups", wakeups["patrond"], "a_minute")
    score.figure("idle_wakeups_share", wakeups.get("patrond-share", -1), "a_minute")
    score.figure("idle_memory_share", int(after.get("patrond-share", {}).get("VmRSS", 0)) / 1024, "MiB", 1)
    # two timers: the share's watch looks whether the share still answers, and says so, every remote_poll_interval (30 s); the
    # watchdog is fed every half to three quarters of its three minutes. Sources are looked at every five minutes.
    looked = len(machine.entries("STAGE=fetch")) - looks
    alive = SECONDS // REMOTE_POLL
    score.prove("the supervisor wakes for these timers alone", [] if wakeups["patrond"] <= alive + 1 else [f"{wakeups['patrond']} times"])
    score.prove("the share's watch wakes for its timer alone", [] if wakeups.get("patrond-share", 99) <= alive else [str(wakeups)])
    score.prove("no look fell into the minute, so the figures are of rest", looked == 0)
    score.prove(f"at most {MEMORY_MAX:.0f} MiB of it", [] if memory <= MEMORY_MAX else [f"{memory:.1f} MiB"])


def run(score, build, _opts):
    import sys
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
    import container
    if container.is_alone():
        run_alone(score, build, container.prepared())
        return
    if not container.can_be_alone():
        score.say(f"  {container.SKIP_WORD}")
        return
    counted = None
    with container.alone("idle") as process:
        for line in process.stdout:
            found = re.match(r"(\d+) passed, (\d+) failed$", line)
            counted = (int(found.group(1)), int(found.group(2))) if found else counted
            if not found and not line.startswith("---"):
                score.say(line.rstrip("\n"))
    # one that died without counting has failed
    passed, failed = counted or (0, 1)
    score.passed, score.failed = score.passed + passed, score.failed + failed
