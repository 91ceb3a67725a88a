# SPDX-License-Identifier: GPL-3.0-or-later
"""service: the package in a real systemd, from dpkg -i to the purge."""
import os
import re
import shutil
import tempfile
import time

import container_tree
from container import Container
from hostile_smtp import HostileSmtp
from installed import SHARE, Library
from rig import Result
from score import Score

STAGES = ("share", "fetch", "decode", "load", "report", "mail")
WALLS_REQUIRED = 0xf
ADMIN = "librarian"
# what of patrond's units the main journal may hold, all of it by PID 1
PID1_SAYS = re.compile(
    r"^(Starting|Started|Stopping|Stopped|Listening on|Closed|Created slice|Removed slice|Reloading|Reloaded|Finished|Failed to start|"
    r"Job|Requested|Stopping) |: (Deactivated successfully|Scheduled restart job|Main process exited|Control process exited|"
    r"Failed with result|Killing process|Watchdog timeout|Consumed|State |Unit process|Start request|Sent signal|Changing|Current|"
    r"Found left-over|This usually indicates|Two services|Dependency|Succeeded|Will)")


class Machine(Container):
    """A container with the package, an administrator, a share and a library around it."""

    def __init__(self, deb, archive, scratch):
        self.deb, self.library, self.cursor = deb, None, None
        folder = os.path.join(scratch, "root")
        container_tree.unpack(archive, folder)
        super().__init__(folder)

    def prepare(self):
        self.install(self.deb)
        self.sh(f"mkdir -p {SHARE} && chown patrond-share:patrond-share {SHARE} && chmod 750 {SHARE}; "
                f"useradd --system {ADMIN} 2>/dev/null; gpasswd -a {ADMIN} patrond-admin")

    def result(self, since=None):
        """What patrond's journal holds of the runs since, as the rig's own tests look at it."""
        result = Result(0, "", "")
        result.entries = [e for e in self.entries(*(["--since", since] if since else [])) if "MESSAGE_ID" in e]
        return result

    def wait_over(self, since, timeout=120):
        """Waits for the end of a load: the last of its summaries, then STATUS= of rest."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.result(since).summaries():
                return self.wait_status("^(Idle|HELD|FAILED)", timeout)
            time.sleep(0.2)
        raise AssertionError(f"no load came to its end: {self.status()}")

    def now(self):
        return self.run("date", "+%Y-%m-%d %H:%M:%S").stdout.strip()

    def main_journal(self):
        """What of patrond the main journal holds: [(who, message)]."""
        found = []
        for e in self.entries(namespace=None):
            unit, said = str(e.get("UNIT", "")), str(e.get("_SYSTEMD_UNIT", ""))
            message = str(e.get("MESSAGE", ""))
            if e.get("SYSLOG_IDENTIFIER") in ("gpasswd", "useradd"):
                continue
            if said.startswith("patrond") or unit.startswith("patrond") or "chccs" in message or "patrond" in message:
                found.append((e.get("_COMM", "?") + "/" + str(e.get("_PID")), message))
        return found


class Service:
    def __init__(self, machine, library, score, relay):
        self.machine, self.library, self.score, self.relay = machine, library, score, relay

    def feed(self, **options):
        self.library.make_feed(**options)
        self.library.stop_sierra()
        self.library.start_sierra(*self.latency)
        return self.library.dump()

    latency = ()

    def afresh(self, extra="", **options):
        """Another feed and its patrons, an empty share and drop, and a patrond that remembers nothing. Returns the dump before."""
        m = self.machine
        m.run("systemctl", "stop", "patrond")
        m.sh(f"rm -f /run/patrond/state /run/patrond/loads {SHARE}/*")
        for name in os.listdir(self.library.sftp.drop):
            os.unlink(os.path.join(self.library.sftp.drop, name))
        before = self.feed(**options)
        self.configure(extra)
        m.run("systemctl", "start", "patrond")
        m.wait_status("^Idle")
        return before

    def look(self):
        """Has it look now, or soon where it is at it."""
        self.machine.run("patronctl", "run", check=False)

    def configure(self, extra=""):
        mail = ("[report]\nrecipients = anna@example.org bert@example.org\n[mail]\nfrom = patrond@library.example\nuser = patrond\n"
                f"relay = smtp://127.0.0.1:{self.relay.port}\nca_file = /etc/patrond/ca.pem\n")
        self.machine.put(self.library.files(mail + extra))

    # --- the steps, in their order ---

    def installed_and_silent(self):
        m, wrong = self.machine, []
        for unit in ("patrond.service", "patrond.socket", "patrond-decode.socket"):
            for verb, want in (("is-active", "inactive"), ("is-enabled", None)):
                got = m.run("systemctl", verb, unit, check=False).stdout.strip()
                if (want and got != want) or got == "enabled":
                    wrong.append(f"{unit} is {got} after the installation")
        units = m.sh("cd /lib/systemd/system && ls patrond*").stdout.split()
        said = m.run("systemd-analyze", "verify", *[u.replace("@.", "@1.") for u in units], check=False)
        wrong += [line for line in (said.stdout + said.stderr).splitlines() if "patrond" in line]
        for page in ("patrond.8", "patronctl.1", "patrond.conf.5", "patrond-stages.7"):
            name, _, section = page.rpartition(".")
            wrong += [] if m.run("man", "-w", section, name, check=False).returncode == 0 else [f"no manual page {page}"]
        self.score.prove("dpkg -i starts and enables nothing; units verify; manual pages are there", wrong)

    def refuses_without_configuration(self):
        m = self.machine
        r = m.run("systemctl", "start", "patrond", check=False)
        said = m.run("systemctl", "status", "patrond", check=False).stdout
        m.run("systemctl", "reset-failed")
        self.score.prove("unconfigured it fails with words, and is not tried again",
                         r.returncode != 0 and "is missing" in said and "restart" not in m.status()["SubState"])

    def main_job(self):
        m, lib = self.machine, self.library
        before = self.feed(students=120, staff=40, patrons=600, seed=11)
        self.configure()
        lib.drop()
        since = m.now()
        m.run("systemctl", "enable", "--now", "patrond")
        status = m.wait_over(since)
        # the mail goes out when all else is done
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any("MAILED" in e for e in m.result(since).entries):
            time.sleep(0.2)
        result = m.result(since)
        self.score.prove("enable --now: the feed is loaded, every row as expected", lib.wrong_outcomes(result)
                         + lib.differences(before, lib.dump()))
        self.score.prove("STATUS= of rest", [] if re.match(
            r"Idle\. Last load \d\d:\d\d: [\d,]+ created, [\d,]+ renewed, [\d,]+ current, [\d,]+ held, 0 failed\. Next look \d\d:\d\d\.$",
            status) else [status])
        walls = {e["STAGE"]: int(e["WALLS"], 16) for e in result.entries if "WALLS" in e}
        self.score.prove("every stage was in its sandbox", [f"{s}: {walls.get(s, 0):#x}" for s in STAGES
                                                            if walls.get(s, 0) & WALLS_REQUIRED != WALLS_REQUIRED])
        said = m.run("systemctl", "status", "patrond").stdout
        self.score.prove("systemctl status shows STATUS and entries", 'Status: "Idle.' in said and "chccs-log-st" in said
                         and "systemd[1]" not in said.split("Status:")[0])
        listing = os.listdir(m.path(SHARE))
        self.score.prove("the clean-up report lies on the share", [] if any(n.startswith("barcode_errors-") for n in listing)
                         else [str(listing)])
        mailed = [(e["MAILED"], e["RECIPIENTS"]) for e in m.result(since).entries if "MAILED" in e]
        self.score.prove("and is mailed, over TLS and with the credential", [] if mailed == [("2", "2")] and len(self.relay.bodies) == 1
                         and len(self.relay.logins) == 1 else [str(mailed), str(self.relay.commands)[-300:]])
        said = m.run("journalctl", "--namespace=patrond", "-x", "-n", "30", "--no-pager").stdout
        self.score.prove("journalctl -x explains", "Subject: Counts of the student feed" in said)

    def quiet_elsewhere(self):
        m, wrong = self.machine, []
        found = m.main_journal()
        wrong += [f"{who}: {text}" for who, text in found if who != "systemd/1" and "patrond.conf" not in text][:10]
        wrong += [text for who, text in found if who == "systemd/1" and not PID1_SAYS.search(text)][:10]
        wrong += [] if found else ["nothing of patrond's start, so the look is blind"]
        # a stage comes and goes at each look; only its failures are told
        wrong += [text for who, text in found if re.search(r"patrond(-|\\x2d)\w+(@|\\x40)", text)][:10]
        logs = m.sh("grep -rlE 'chccs-log|sandbox, |student row' /var/log || true").stdout.split()
        wrong += [f"rows in {name}" for name in logs]
        wrong += [] if os.path.getsize(m.path("/var/log/syslog")) > 0 else ["rsyslog is not there"]
        self.score.prove("the main journal has starts, stops and failures alone; rsyslog gets nothing", wrong)
        kept = m.sh("find /var/log/journal -path '*patrond*' -type f").stdout.split()
        here = m.sh("find /run/log/journal -path '*.patrond*' -type f").stdout.split()
        self.score.prove("volatile: nothing of the namespace below /var/log", kept + ([] if here else ["nor in /run"]))

    def reload(self):
        m, wrong = self.machine, []
        since = m.now()
        self.configure("[log]\ncurrent = yes\n")
        m.run("systemctl", "reload", "patrond")
        time.sleep(0.5)
        wrong += [] if "Configuration read anew." in m.result(since).messages() else ["not read anew"]
        self.configure("[guard]\ncretes = 3%\n")
        r = m.run("systemctl", "reload", "patrond", check=False)
        said = " ".join(str(e.get("MESSAGE")) for e in m.entries("--since", since))
        wrong += [] if r.returncode != 0 else ["a wrong configuration was taken"]
        wrong += [] if re.search(r"patrond\.conf:\d+: \[guard\]", said) else [f"no word of file and line: {said[-300:]}"]
        wrong += [] if m.status()["ActiveState"] == "active" else ["it is not running any more"]
        self.configure()
        m.run("systemctl", "reload", "patrond")
        self.score.prove("reload: the new configuration, or words and the old one", wrong)

    def held_and_let_go(self):
        m, lib, wrong = self.machine, self.library, []
        before = self.afresh(preset="creates", students=120, staff=0, patrons=400, seed=12)
        since = m.now()
        lib.drop()
        self.look()
        status = m.wait_status("^HELD by guard: ")
        wrong += [] if re.match(r"HELD by guard: creates .*\. See patronctl status\.$", status) else [status]
        wrong += [] if lib.dump() == before else ["something was written"]
        m.run("systemctl", "restart", "patrond")
        time.sleep(1)
        m.wait_status("^HELD by guard: ", 20)
        for who, want in (("nobody", False), (ADMIN, True)):
            r = m.run("setpriv", "--reuid", who, "--regid", "nogroup", "--init-groups", "patronctl", "status", check=False)
            if (r.returncode in (0, 3, 4)) != want:
                wrong.append(f"patronctl status as {who}: {r.returncode}: {r.stderr[-200:]}")
        held = [e["LOAD"] for e in m.result(since).entries if "GUARD" in e][-1]
        since = m.now()
        r = m.run("setpriv", "--reuid", ADMIN, "--regid", "nogroup", "--init-groups", "patronctl", "release", held, check=False)
        wrong += [] if r.returncode == 0 else [r.stdout + r.stderr]
        m.wait_status("^Idle")
        result = m.result(since)
        wrong += lib.wrong_outcomes(result) + lib.differences(before, lib.dump())
        self.score.prove("held by a guard, over a restart too; the group patrond-admin lets it go", wrong)

    def failed_source(self):
        m, wrong = self.machine, []
        os.rename(m.path(SHARE), m.path(SHARE) + ".away")
        m.run("patronctl", "run", check=False)
        try:
            m.wait_status(r"^FAILED: \[share\] path", 30)
        except AssertionError as e:
            wrong.append(str(e))
        os.rename(m.path(SHARE) + ".away", m.path(SHARE))
        m.run("patronctl", "run", check=False)
        try:
            m.wait_status("^Idle", 30)
        except AssertionError as e:
            wrong.append(str(e))
        self.score.prove("a source that cannot be read: STATUS= begins with FAILED until it can", wrong)

    def slow_load(self, seed):
        """A load under way, in the middle of writing. Returns the dump before, and when it began."""
        self.latency = ("--latency", "60")
        before = self.afresh(students=400, staff=0, patrons=800, seed=seed, rate="student-created=0.2")
        since = self.machine.now()
        self.library.drop()
        self.look()
        text = self.machine.wait_status(r"^Writing [1-9]")
        return before, since, text

    def stopped_in_the_middle(self):
        m, lib, wrong = self.machine, self.library, []
        before, since, text = self.slow_load(13)
        wrong += [] if re.match(r"Writing [\d,]+ of [\d,]+( \([\d,]+/s\)(, \d+ s to go)?)?$", text) else [text]
        begun = time.monotonic()
        m.run("systemctl", "stop", "patrond")
        took, status = time.monotonic() - begun, m.status()
        wrong += [] if took < 30 and status["Result"] == "success" and status["ActiveState"] == "inactive" else [f"{took:.0f} s", str(status)]
        left = [u for u in m.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "patrond*").stdout.splitlines()
                if " running" in u or " failed" in u or " listening" in u]
        wrong += left
        done = len(lib.dump()) - len(before)
        m.run("systemctl", "start", "patrond")
        m.wait_status("^Idle")
        wrong += lib.differences(before, lib.dump())
        self.score.prove("stopped in the middle of a load: what is in flight is finished, the rest comes with the next start", wrong)
        self.score.say(f"          ({done} created before the stop, which took {took:.1f} s)")

    def upgraded_in_the_middle(self):
        m, lib, wrong = self.machine, self.library, []
        before, since, text = self.slow_load(14)
        m.install(m.deb)
        wrong += [] if m.status()["ActiveState"] == "active" else ["it does not run after the upgrade"]
        m.wait_status("^Idle")
        wrong += lib.differences(before, lib.dump())
        wrong += [text for text in m.result(since).messages() if "compromise" in text]
        m.run("systemctl", "stop", "patrond")
        m.install(m.deb)
        wrong += [] if m.status()["ActiveState"] == "inactive" else ["the upgrade started what was stopped"]
        m.run("systemctl", "start", "patrond")
        self.latency = ()
        self.score.prove("upgraded in the middle of a load: ended cleanly, run again; one that is stopped stays so", wrong)

    def killed(self):
        m, wrong = self.machine, []
        before = m.status()
        m.run("systemctl", "kill", "-s", "KILL", "patrond")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and (m.status()["MainPID"] in ("0", before["MainPID"]) or m.status()["SubState"] != "running"):
            time.sleep(0.2)
        wrong += [] if m.status()["SubState"] == "running" else [str(m.status())]
        m.put({"/etc/systemd/system/patrond.service.d/watchdog.conf": (0o644, b"[Service]\nWatchdogSec=2s\nRestartSec=1s\n")})
        m.sh("systemctl daemon-reload; systemctl restart patrond")
        time.sleep(5)
        wrong += [] if m.status()["NRestarts"] == "0" else ["its loop does not feed the watchdog"]
        m.run("systemctl", "kill", "-s", "STOP", "--kill-whom=main", "patrond")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and m.status()["NRestarts"] == "0":
            time.sleep(0.2)
        wrong += [] if m.status()["NRestarts"] != "0" else ["a loop that stands still is not noticed"]
        os.unlink(m.path("/etc/systemd/system/patrond.service.d/watchdog.conf"))
        m.sh("systemctl daemon-reload; systemctl restart patrond")
        self.score.prove("killed, or its loop standing still, it is started again", wrong)

    def read_only_share(self):
        m, lib, wrong = self.machine, self.library, []
        before = self.afresh(preset="all-cases", students=1500, staff=300, patrons=4000, seed=15)
        m.sh("printf '[guard]\\nheld = 100%%\\nrejected = 100%%\\n' >> /etc/patrond/patrond.conf; systemctl reload patrond")
        shutil.copy(os.path.join(lib.feed, "chccs-feed.zip"), m.path(SHARE + "/district.zip"))
        m.sh(f"chown patrond-share {SHARE}/*; mount --bind {SHARE} {SHARE}; mount -o remount,bind,ro {SHARE}")
        since = m.now()
        time.sleep(1)
        self.look()
        m.wait_over(since)
        result = m.result(since)
        wrong += lib.wrong_outcomes(result) + lib.differences(before, lib.dump())
        wrong += [] if any("clean-up report" in text and "read-only" in text for text in result.messages()) else ["no word of the report"]
        m.sh(f"umount {SHARE}")
        self.score.prove("a share mounted read-only later on: loaded from, and told that the report cannot be delivered", wrong)

    def persistent(self):
        m, lib, wrong = self.machine, self.library, []
        for said, want in (("", "volatile"), ("Storage=none", "volatile"), ("Storage=auto", "persistent: Storage= is not volatile"),
                           ("ForwardToSyslog=yes", "persistent: ForwardToSyslog= is not no"), ("Storage=", "persistent: Storage= is not volatile"),
                           ("# Storage=persistent\n[Other]\nStorage=persistent", "volatile")):
            m.put({"/etc/systemd/journald@patrond.conf.d/90-keep.conf": (0o644, f"[Journal]\n{said}\n".encode())})
            got = m.sh("/usr/libexec/patrond/journal-check /tmp/verdict && cat /tmp/verdict").stdout.strip()
            wrong += [] if got == want else [f"{said!r} is {got!r}, not {want!r}"]
        m.put({"/etc/systemd/journald@patrond.conf.d/90-keep.conf": (0o644, b"[Journal]\nStorage=persistent\n")})
        m.sh("systemctl stop patrond; systemctl restart systemd-journald@patrond.service; systemctl start patrond")
        before = self.afresh(students=100, staff=20, patrons=300, seed=16)
        lib.drop()
        self.look()
        status = m.wait_status("^Idle. Last load")
        wrong += [] if re.search(r" NO LOG: the journal would keep it, Storage= is not volatile\.$", status) else [status]
        wrong += lib.differences(before, lib.dump())
        kept = m.sh("cat /var/log/journal/*.patrond/* | tr -c '[:print:]' '\\n' | grep -aE 'student row|staff row|ROW=' | head -3",
                    check=False).stdout.splitlines()
        files = m.sh("ls /var/log/journal/*.patrond/", check=False).stdout.split()
        wrong += kept + ([] if files else ["the namespace was not made persistent, so nothing was shown"])
        os.unlink(m.path("/etc/systemd/journald@patrond.conf.d/90-keep.conf"))
        m.sh("systemctl stop patrond; systemctl stop systemd-journald@patrond.socket systemd-journald-varlink@patrond.socket "
             "systemd-journald@patrond.service; rm -rf /var/log/journal/*.patrond/*; systemctl start patrond")
        m.wait_status("^Idle.*[0-9]\\.$", 60)
        self.score.prove("where the namespace would keep rows none is written, and STATUS= says so", wrong)

    def rebooted(self):
        m, wrong = self.machine, []
        before = len(m.result().entries)
        m.reboot()
        m.wait_status("^(Idle|HELD|FAILED|Looking|Waiting|Retr|Writing|Reading|Match)")
        after = [e for e in m.entries() if "started" in str(e.get("MESSAGE"))]
        boots = m.run("journalctl", "--namespace=patrond", "--list-boots", "-q", "--no-pager").stdout.strip().splitlines()
        wrong += ([] if before and after else ["nothing to see"]) + ([] if len(boots) == 1 else [f"{len(boots)} boots in it"])
        self.score.prove("after a reboot it runs again, and its journal has forgotten", wrong)

    def purged(self):
        m, wrong = self.machine, []
        m.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--purge", "patrond")
        for place in ("/run/patrond", "/run/log/journal/*.patrond", "/var/log/journal/*.patrond", "/etc/patrond/patrond.conf",
                      "/lib/systemd/system/patrond*", "/usr/lib/patrond", "/usr/libexec/patrond",
                      "/etc/systemd/system/*/patrond.service"):
            wrong += m.sh(f"ls -d {place} 2>/dev/null || true").stdout.split()
        left = m.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "patrond*", "*journald@patrond*").stdout
        wrong += [line for line in left.splitlines() if "not-found" not in line or "running" in line]
        self.score.prove("purged: no unit, no state, no journal of it is left", wrong)

    STEPS = ("installed_and_silent", "refuses_without_configuration", "main_job", "quiet_elsewhere", "reload", "held_and_let_go",
             "failed_source", "stopped_in_the_middle", "upgraded_in_the_middle", "killed", "read_only_share", "persistent",
             "rebooted", "purged")


def run(build, _repeat, place, steps=Service.STEPS):
    deb, archive = place
    score = Score()
    scratch = tempfile.mkdtemp(prefix="patrond-service-")
    os.chmod(scratch, 0o755)
    try:
        with Library(build) as library, Machine(deb, archive, scratch) as machine, \
                HostileSmtp(library.path("sierra.pem"), library.path("sierra.key")) as relay:
            library.credential("smtp-password", "relay password")
            library.make_feed(students=100, staff=0, patrons=100, seed=1)
            library.start_sftp()
            library.start_sierra()
            machine.prepare()
            service = Service(machine, library, score, relay)
            for name in steps:
                begun = time.monotonic()
                try:
                    getattr(service, name)()
                except Exception as e:  # a step that broke has failed; the next ones still say what they see
                    score.prove(name, [f"{type(e).__name__}: {e}"])
                if os.environ.get("PATROND_TEST_TIMES"):
                    score.say(f"          {name}: {time.monotonic() - begun:.1f} s")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return score.passed, score.failed
