# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's share as it is in town: Samba's server, mounted by the kernel's cifs as README.md says.

Feeds arrive on the server's side, where inotify on the mount does not see them."""
import json
import os
import re
import time

from feed_kit import BYSTANDER, PASSWORD, patron
from installed import SHARE
from rig import ROOT
from share_kit import make_zip
from vm_town import Town

SERVER, FOLDER = "town-server", "/srv/town/chccs-library"
SMB_CONF = f"""[global]
workgroup = TOWN
server role = standalone server
interfaces = lo
bind interfaces only = yes
disable netbios = yes
smb ports = 445
log file = /run/town-smbd.log
load printers = no
printing = bsd

[chccs-library]
path = {FOLDER}
valid users = town
read only = no
create mask = 0660
directory mask = 0770
"""
SETTINGS = ("[share]\nremote_poll_interval = 2s\nsettle = 3s\nstall_timeout = 10s\nafter_load = {after_load}\n"
            "[janitor]\npolicy = delete\ndays = Mon-Sun\nclose_of_business = {close}\n")
PLAIN = b"barcode,id\r\n" + b"".join(b"%d,%d\r\n" % (21000000 + i, 1000000 + i) for i in range(200))
ANSWER_LIMIT = 10.0  # seconds for patronctl's answer while the server is silent; the machine is emulated


def line_of_readme():
    """The line for /etc/fstab that README.md shows."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = re.search(r"^\s*//\S+ " + SHARE + r" cifs (\S+) 0 0$", file.read(), re.M)
    if not found:
        raise RuntimeError("README.md shows no line for /etc/fstab")
    return found.group(0).strip()


class Cifs(Town):
    def settings(self, after_load="keep", close="03:00"):
        self.configure(SETTINGS.format(after_load=after_load, close=close), sources=("share",))

    def put(self, name, data, append=False):
        """A file on the server's side."""
        self.machine.run("sh", "-c", f'cat {">>" if append else ">"}"$1" && chown town "$1"', "sh", f"{FOLDER}/{name}", stdin=data)

    def listing(self):
        return set(self.machine.run("ls", FOLDER).stdout.splitlines())

    def created(self):
        """{barcode: how many patrons of it} beyond those that were there."""
        counts = {}
        for number, one in self.library.dump().items():
            if number not in self.before:
                for barcode in one.get("barcodes", []):
                    counts[barcode] = counts.get(barcode, 0) + 1
        return counts

    def loads(self, since):
        return [e for e in self.result(since).entries if e.get("SUMMARY") == "Load"]

    def taken(self, key, timeout=120):
        """Whether the feed with that key is loaded in time, once."""
        return self.wait(lambda: self.created().get(key) == 1, timeout) and self.machine.wait_status("^Idle", 60) != ""

    def mounted(self):
        """Mounts it; with nofail mount says nothing of a server that does not answer yet."""
        return self.machine.sh(f"mountpoint -q {SHARE} || mount {SHARE}; mountpoint -q {SHARE}", check=False).returncode == 0

    # --- the steps ---

    def prepared(self):
        m, lib = self.machine, self.library
        line = re.sub("^//[^/]+", "//localhost", line_of_readme())
        m.run("systemctl", "stop", "patrond", check=False)
        m.run("sh", "-c", "cat >>/etc/fstab", stdin=line + "\n")
        credentials = re.search("credentials=([^, ]+)", line).group(1)
        m.put({"/etc/samba/smb.conf": (0o644, SMB_CONF.encode()), credentials: (0o600, b"username=town\npassword=town password\n")})
        m.run("useradd", "-M", "town", check=False)
        m.run("smbpasswd", "-s", "-a", "town", stdin="town password\ntown password\n")
        # what other steps have loaded is no measure for feeds of one row
        m.sh(f"rm -rf {SHARE}/* /run/patrond/state; mkdir -p {FOLDER}; chown town {FOLDER}")
        m.run("systemd-run", "--unit", SERVER, "smbd", "-F", "--no-process-group")
        if not self.wait(self.mounted, 60):
            raise AssertionError("the share cannot be mounted: " + m.sh("dmesg | tail -5").stdout)
        lib.credential("zip-password", PASSWORD)
        patrons = lib.path("patrons.jsonl")
        with open(patrons, "w", encoding="utf-8") as file:
            for one in (BYSTANDER, patron(1000998, "lost card", "LOST, LARS")):
                file.write(json.dumps(one) + "\n")
        lib.stop_sierra()
        lib.start_sierra(load=patrons)
        self.before = lib.dump()
        self.settings()
        since = self.now()
        m.run("systemctl", "restart", "patrond")
        m.wait_status("^Idle", 60)
        kind = m.sh(f"stat -f -c %T {SHARE}; grep -c ' cifs ' /proc/self/mountinfo").stdout.split()
        wrong = [] if kind == ["smb2", "1"] else [f"the share is {kind}"]
        said = self.result(since).messages()
        wrong += [] if any("compared" in text or "is watched" in text for text in said) else said
        self.prove("the share is mounted by the kernel's cifs with README's options, and watched", wrong)

    def arrivals(self):
        m, wrong, since = self.machine, [], self.now()
        at = time.monotonic()
        self.put("first.zip", make_zip("10000001"))
        wrong += [] if self.taken("10000001") else ["one that is there at once is not taken"]
        took = time.monotonic() - at
        data = make_zip("20000002", rows=60)
        for piece in range(4):
            self.put("slow.zip", data[piece * len(data) // 4:(piece + 1) * len(data) // 4], append=True)
            time.sleep(2)
        wrong += [] if self.taken("20000002") else ["one that is written slowly is not taken"]
        self.put("third.zip.filepart", make_zip("10000003"))
        time.sleep(10)
        wrong += ["one under way was taken"] if "10000003" in self.created() else []
        m.run("mv", FOLDER + "/third.zip.filepart", FOLDER + "/third.zip")
        wrong += [] if self.taken("10000003") else ["one that is renamed into its name is not taken"]
        self.put("third again.zip", make_zip("10000003"))
        m.run("touch", FOLDER + "/first.zip")
        time.sleep(12)
        wrong += [f"{b}: created {n} times" for b, n in self.created().items() if n != 1]
        loads = len(self.loads(since))
        wrong += [] if loads == 3 else [f"{loads} loads, not 3"]
        reasons = self.result(since).reasons()
        self.prove("arrivals on the server's side are taken by polling, whole and once; the same bytes again are not", wrong + reasons)
        self.score.figure("vm_cifs_take_latency", took, "s", 1)
        found = [n for n in self.listing() if n.startswith("barcode_errors-")]
        self.prove("the clean-up report is delivered to the server", len(found) == 1)

    def moved_and_cleaned(self):
        m, wrong = self.machine, []
        now = int(m.run("date", "+%s").stdout)
        close = time.strftime("%H:%M", time.gmtime(now + 150))
        m.sh("rm -f /etc/localtime")  # UTC
        self.put("patron_barcodes.csv", PLAIN)
        self.put("annual report.csv", b"year,visits\r\n2025,1\r\n")
        self.settings("move", close)
        since = self.now()
        m.run("systemctl", "restart", "patrond")
        self.put("fourth.zip", make_zip("10000004"))
        wrong += [] if self.taken("10000004") else ["the feed is not taken"]
        wrong += [] if self.wait(lambda: m.run("ls", FOLDER + "/done/fourth.zip", check=False).returncode == 0
                                 and "fourth.zip" not in self.listing(), 30) else [f"it is not moved: {self.listing()}"]
        self.prove("after_load = move: it lies in done/ on the server", wrong)
        gone = self.wait(lambda: "patron_barcodes.csv" not in self.listing(), 240)
        wrong = [] if gone else [f"plaintext outlived the close of business at {close}: {self.result(since).messages()[-8:]}"]
        wrong += [] if m.run("date", "+%H:%M").stdout.strip() >= close else ["it was deleted before the close of business"]
        results = {e["FILE"]: e["RESULT"] for e in self.result(since).entries if "RESULT" in e and "FILE" in e}
        wrong += [] if results.get("patron_barcodes.csv") == "overwritten" else [str(results)]
        other = m.run("cat", FOLDER + "/annual report.csv", text=False).stdout
        wrong += [] if other == b"year,visits\r\n2025,1\r\n" else ["somebody else's file was touched"]
        self.prove("the janitor overwrites and deletes its own at the close of business, on the server too; nothing else", wrong)

    def away_and_back(self):
        m, wrong = self.machine, []
        since = self.now()
        plain = m.run("umount", SHARE, check=False)
        self.score.say(f"          (umount while patrond watches: {plain.stderr.strip() or 'works'})")
        if plain.returncode != 0:
            m.run("umount", "-l", SHARE)
        # the empty folder beneath is not the share
        time.sleep(8)
        self.put("fifth.zip", make_zip("10000005"))
        wrong += [] if self.wait(self.mounted, 60) else ["it cannot be mounted again"]
        wrong += [] if self.taken("10000005", 180) else [f"a feed that came meanwhile is not taken: {self.result(since).messages()[-8:]}"]
        wrong += [f"{b}: created {n} times" for b, n in self.created().items() if n != 1]
        self.prove("unmounted and mounted again: what came meanwhile is taken", wrong)

    def silent_server(self):
        m, wrong, worst = self.machine, [], 0.0
        m.run("systemctl", "kill", "-s", "STOP", SERVER)
        self.put("sixth.zip", make_zip("10000006"))
        m.run("patronctl", "run", check=False)
        seen = set()
        deadline = time.monotonic() + 75
        while time.monotonic() < deadline:
            begun = time.monotonic()
            done = m.run("patronctl", "status", check=False, timeout=60)
            worst = max(worst, time.monotonic() - begun)
            wrong += [] if done.returncode in (0, 2) else [f"patronctl status: {done.returncode} {done.stderr}"]
            seen.add(m.status()["StatusText"])
            time.sleep(2)
        hung = m.sh("timeout 5 ls " + SHARE, check=False).returncode
        wrong += [] if hung != 0 else ["the mount answers, so nothing was shown"]
        wrong += [] if any(text.startswith("FAILED") for text in seen) else [f"STATUS= never said so: {sorted(seen)}"]
        wrong += [] if worst < ANSWER_LIMIT else [f"patronctl status took {worst:.1f} s"]
        wrong += [] if m.status()["ActiveState"] == "active" and m.status()["NRestarts"] == "0" else [str(m.status())]
        self.score.say("          " + "; ".join(sorted(seen)))
        self.prove("while the server is silent patronctl is answered, and STATUS= says FAILED", wrong)
        self.score.figure("vm_status_while_hung", worst, "s", 2)
        m.run("systemctl", "kill", "-s", "CONT", SERVER)
        wrong = [] if self.taken("10000006", 240) else [f"not taken: {m.status()['StatusText']}"]
        wrong += [f"{b}: created {n} times" for b, n in self.created().items() if n != 1]
        self.prove("the server answers again: it heals, and the feed that came meanwhile is taken, once", wrong)

    def put_away(self):
        m = self.machine
        m.run("systemctl", "stop", "patrond")
        m.sh(f"umount {SHARE} || umount -l {SHARE}; systemctl stop {SERVER}")

    STEPS = ("prepared", "arrivals", "moved_and_cleaned", "away_and_back", "silent_server", "put_away")
    ALWAYS = ("prepared", "put_away")
