# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs patrond and watches it from outside: its entries and when they came, its status, and what each process of it takes.

Nothing here asks patrond for a figure of its own making but its status; the rest is the kernel's account."""
import bisect
import json
import os
import re
import resource
import socket
import stat
import tempfile
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
# The first words of STATUS= in each phase; see src/supervisor/status.c.
PHASES = (("Retrieving the feed", "fetching"), ("Retrieving patrons", "indexing"), ("Matching", "matching"),
          ("Writing", "writing"), ("Reading back", "reading_back"), ("Reporting", "reporting"))


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Process:
    """One process of patrond, as it was when it was last seen."""

    def __init__(self, name, now):
        self.name, self.begun, self.seen = name, now, now
        self.cpu = 0.0        # seconds, by the kernel's clock of 10 ms
        self.resident = 0     # bytes, the most so far, by the kernel's own account
        self.pss = 0          # bytes, now
        self.pss_most = 0


class Watch:
    """with Watch(rig) as watch: watch.run("--once")"""

    def __init__(self, rig, interval, memory=False):
        """interval: seconds between looks at the processes. memory: also their proportional set size, which is dear."""
        self.rig, self.interval, self.memory = rig, interval, memory
        self.processes = {}   # by pid
        self.statuses = []    # (time, text)
        self.peak = 0         # bytes: proportional set sizes and workspace together
        self.peak_parts = {}
        self.looks = 0
        self.chunks, self.ends = [], []
        self.output = tempfile.TemporaryFile(dir=rig.directory)
        self.over = threading.Event()

    def __enter__(self):
        self.notify_path = self.rig.path("notify")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.notify_path)
        self.notify.settimeout(0.2)
        os.chmod(self.notify_path, 0o666)
        return self

    def __exit__(self, *_):
        self.notify.close()
        os.unlink(self.notify_path)
        self.output.close()

    def run(self, *arguments, timeout=1800, prefix=()):
        """Runs patrond to its end; what it was like is then in the fields. Returns its exit status."""
        ours, theirs = os.pipe()
        printed = tempfile.TemporaryFile("w+", dir=self.rig.directory)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.begun = time.monotonic()
        process = self.rig.start_patrond(*arguments, memory=False, stdout=printed, stderr=theirs, prefix=prefix,
                                         env={"NOTIFY_SOCKET": self.notify_path})
        os.close(theirs)
        threads = [threading.Thread(target=work, args=more) for work, more in
                   ((self._read, (ours,)), (self._listen, ()), (self._look, (process.pid,)))]
        for thread in threads:
            thread.start()
        try:
            self.status = process.wait(timeout)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            self.ended = time.monotonic()
            self.over.set()
            for thread in threads:
                thread.join()
            os.close(ours)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = self.ended - self.begun
        # patrond waits for its stages, so that theirs is within its own
        self.cpu_all = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        printed.seek(0)
        self.printed = printed.read()
        printed.close()
        return self.status

    # --- what it says ---

    def _read(self, fd):
        """Entries are only stored, with the time, and read when all is over: reading them must not slow patrond."""
        end = 0
        while True:
            data = os.read(fd, 1 << 20)
            if not data:
                return
            self.output.write(data)
            end += len(data)
            self.ends.append(end)
            self.chunks.append(time.monotonic())

    def entries(self):
        """(when its end was read, the line) for every line, in order."""
        self.output.seek(0)
        at = 0
        for line in self.output:
            at += len(line)
            yield self.chunks[bisect.bisect_left(self.ends, at)], line

    def text(self):
        self.output.seek(0)
        return self.output.read().decode()

    def load_span(self):
        """When the load began and ended by patrond's own entries: `Load … started.`, and its last summary."""
        begun = ended = None
        for when, line in self.entries():
            if b'"OUTCOME"' in line:
                continue
            entry = json.loads(line)
            if begun is None and entry["MESSAGE"].endswith(" started.") and "LOAD" in entry:
                begun = when
            if "SUMMARY" in entry:
                ended = when
        return begun, ended

    def _listen(self):
        while not self.over.is_set():
            try:
                data = self.notify.recv(65536)
            except TimeoutError:
                continue
            for line in data.decode(errors="replace").split("\n"):
                if line.startswith("STATUS="):
                    self.statuses.append((time.monotonic(), line[7:]))

    def phases(self):
        """{phase: seconds}: from its first status to that of the next phase, the last one to the end of the load."""
        marks = []
        for when, text in self.statuses:
            for words, name in PHASES:
                if text.startswith(words) and (not marks or marks[-1][1] != name):
                    marks.append((when, name))
        marks.append((self.load_span()[1] or self.ended, "end"))
        seconds = {}
        for (when, name), (until, _) in zip(marks, marks[1:]):
            seconds[name] = seconds.get(name, 0) + max(0, until - when)
        return seconds

    # --- what it takes ---

    def _pids(self, first):
        found, todo = [], [first]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                todo += map(int, read(f"/proc/{pid}/task/{pid}/children").split())
            except OSError:
                pass
        return found

    def _look(self, first):
        while not self.over.wait(self.interval):
            workspace = {}
            for process in self.processes.values():
                process.pss = 0
            for pid in self._pids(first):
                try:
                    self._look_at(pid, workspace)
                except (OSError, ValueError, IndexError, TypeError):
                    pass  # it has ended meanwhile
            total = sum(p.pss for p in self.processes.values()) + sum(workspace.values())
            self.looks += 1
            if self.memory and total > self.peak:
                self.peak = total
                self.peak_parts = {p.name: p.pss for p in self.processes.values() if p.pss}
                self.peak_parts["workspace"] = sum(workspace.values())

    def _look_at(self, pid, workspace):
        now = time.monotonic()
        name = read(f"/proc/{pid}/comm").decode().strip()
        process = self.processes.setdefault(pid, Process(name, now))
        fields = read(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()
        if fields[0] in b"ZX":
            return
        process.name = name  # a stage bears patrond's name until it is executed
        process.cpu = (int(fields[11]) + int(fields[12])) / TICK
        status = re.search(rb"VmHWM:\s*(\d+) kB", read(f"/proc/{pid}/status"))
        process.resident = max(process.resident, int(status[1]) * 1024)
        process.seen = now
        if not self.memory:
            return
        process.pss = int(re.search(rb"^Pss:\s*(\d+) kB", read(f"/proc/{pid}/smaps_rollup"), re.M)[1]) * 1024
        process.pss_most = max(process.pss_most, process.pss)
        for fd in os.listdir(f"/proc/{pid}/fd"):
            path = f"/proc/{pid}/fd/{fd}"
            try:
                target, info = os.readlink(path), os.stat(path)
            except OSError:
                continue
            # the workspace: memory files and nameless ones on tmpfs; several processes may hold one
            if stat.S_ISREG(info.st_mode) and (target.startswith("/memfd:") or target.endswith(" (deleted)")):
                if info.st_ino != os.fstat(self.output.fileno()).st_ino:
                    workspace[info.st_dev, info.st_ino] = info.st_blocks * 512

    def named(self, name):
        return [p for p in self.processes.values() if p.name == name]
