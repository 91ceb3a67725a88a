# SPDX-License-Identifier: GPL-3.0-or-later
"""decode: a feed of a million rows through the decode stage, against others that read the same bytes and do less with them."""
import fcntl
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import stagekit

PASSWORD = "bench password of the feed"
NAME = "CHCCS_Students_upload.csv"
TODAY = 20680  # 2026-08-15
RATIO_MAX = 1.5
SMALL_ROWS = 10_000
PIPE_SIZE = 256 << 10  # bytes: the supervisor's pipe between decode and load
LOOK = 0.005  # seconds between two looks at decode's memory
FLAT = 2 << 20  # bytes that the peak may differ by: a page of the pipe, a row

FIRST = ("Ada", "Alan", "Emmy", "Kurt", "Grace", "José", "Zoë", "Carl", "Sofía", "John", "Mary", "Anne-Marie", "Lê", "Noah")
LAST = ("Lovelace", "Turing", "Noether", "Gödel", "Hopper", "García Márquez", "O'Brien", "Gauss", "Kovalevskaya", "Nguyen",
        "Smith", "Johnson", "Williams", "Brown", "Jones", "de la Cruz", "Backus")
STREETS = ("Tannery Walk", "Main St", "Martin Luther King Jr Blvd", "Estes Dr Ext", "N Columbia St", "Weaver Dairy Rd")
SCRIPT = "import csv, sys\nn = 0\nfor row in csv.reader(open(sys.argv[1], newline='', encoding='utf-8')):\n    n += 1\nprint(n)\n"


def lines(rows):
    """Rows as a SIS writes them: every tenth repeats the street, every fifth has quotes, one in a hundred is opted out."""
    for row in range(1, rows + 1):
        first, last = FIRST[row * 7 % len(FIRST)], LAST[row * 11 % len(LAST)]
        street = f"{row * 13 % 9000 + 1} {STREETS[row % len(STREETS)]}"
        if row % 5 == 0:
            street = f'"{street}, Apt {row % 40}"'
        if row % 10 == 1:
            street += f",Unit {row % 90}"
        yield (f"{1 if row % 100 == 3 else ''},{1000000 + row * 17 % 8000000},{first},{last},"
               f"{row % 12 + 1:02}/{row % 28 + 1:02}/{2005 + row % 15},3{row % 20:02},{row % 13:02},{street},Chapel Hill,NC,"
               f"27514,s{row}@students.example.org,919-555-{row % 10000:04},parent{row}@home.invalid,"
               f"{'other%d@work.invalid' % row if row % 3 else ''},{2 if row % 50 == 7 else 0}\r\n")


class Feed:
    def __init__(self, folder, rows):
        self.rows = rows
        self.folder = os.path.join(folder, str(rows))
        os.mkdir(self.folder)
        self.csv = os.path.join(self.folder, NAME)
        self.size = crc = 0
        with open(self.csv, "wb") as file:
            for line in lines(rows):
                data = line.encode()
                crc = zlib.crc32(data, crc)
                self.size += len(data)
                file.write(data)
        self.zip = os.path.join(self.folder, "feed.zip")
        subprocess.run(["7z", "a", "-tzip", "-mem=AES256", "-mtc=off", "-bso0", "-bsp0", "-p" + PASSWORD, self.zip, self.csv],
                       check=True, stdin=subprocess.DEVNULL)
        self.ae1 = os.path.join(self.folder, "ae1.zip")
        self.make_ae1(crc)

    def make_ae1(self, crc):
        """The very same encrypted bytes, called AE-1: libzip 1.7.3 cannot read an AE-2 entry to its end."""
        with open(self.zip, "rb") as file:
            data = bytearray(file.read())
        central = data.rfind(b"PK\x01\x02")
        for at in (14, central + 16):
            struct.pack_into("<I", data, at, crc)
        data = bytes(data[:1024]).replace(b"\x01\x99\x07\x00\x02\x00AE", b"\x01\x99\x07\x00\x01\x00AE") + bytes(data[1024:central]) + \
            bytes(data[central:]).replace(b"\x01\x99\x07\x00\x02\x00AE", b"\x01\x99\x07\x00\x01\x00AE")
        with open(self.ae1, "wb") as file:
            file.write(data)


class Decode:
    """One job of a load: seconds from the program's start to its DONE, processor time, most resident memory, figures."""

    def __init__(self, build, folder, feed):
        zip_fd = os.open(feed.zip, os.O_RDONLY)
        null = os.open("/dev/null", os.O_WRONLY)
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        self.peak = 0
        begun = time.monotonic()
        stage = stagekit.Stage(os.path.join(build, "bin/patrond-decode"), os.path.join(folder, "patrond.conf"),
                               os.path.join(folder, "credentials"))
        stage.send("DECODE_RECORDS", struct.pack("<Bi", 1, TODAY), fds=[zip_fd, writer])
        os.close(writer)
        drain = threading.Thread(target=self.drain, args=(reader, null, stage.process.pid))
        drain.start()
        frames = stage.until_end(timeout=600)
        self.wall = time.monotonic() - begun
        drain.join()
        stage.socket.close()
        _, status, usage = os.wait4(stage.process.pid, 0)
        stage.process.returncode = status
        self.cpu = usage.ru_utime + usage.ru_stime
        for fd in (zip_fd, null, reader):
            os.close(fd)
        shape = [frame for frame in frames if frame.name == "SHAPE"]
        self.shape = shape[0].fields if shape else {}
        self.wrong = [] if frames[-1].name == "DONE" and self.shape.get("rows") == feed.rows else [f"it ended with {frames[-1]}"]

    def drain(self, reader, null, pid):
        """Takes the records and throws them away, as a load that is never in the way. Looks at the memory now and then."""
        looked = 0
        while os.splice(reader, null, 1 << 20) > 0:
            if time.monotonic() - looked < LOOK:
                continue
            looked = time.monotonic()
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    found = re.search(r"^VmHWM:\s*(\d+) kB", file.read(), re.M)
            except OSError:
                continue
            if found:
                self.peak = max(self.peak, int(found[1]) << 10)


class Command:
    """A command whose output is thrown away, or is a number."""

    def __init__(self, argv, expect=None):
        begun = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if expect is not None else subprocess.DEVNULL)
        out = process.stdout.read() if expect is not None else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        self.wall = time.monotonic() - begun
        self.cpu = usage.ru_utime + usage.ru_stime
        self.wrong = [] if status == 0 else [f"{argv[0]} ended with status {status}"]
        if expect is not None and not self.wrong and str(expect) not in out.decode().split():
            self.wrong = [f"{argv[0]} says {out[:80]!r}, not {expect}"]


def others(build, folder, feed):
    """What reads the same data; the larger the number of columns it looks at, the more it is a fair comparison."""
    return {
        "libzip": lambda: Command([os.path.join(build, "bin/bench-zip-read"), feed.ae1, os.path.join(folder, "credentials/zip-password")],
                                  feed.size),
        "7z": lambda: Command(["7z", "x", "-so", "-p" + PASSWORD, feed.zip]),
        "python_csv": lambda: Command([sys.executable, "-I", "-c", SCRIPT, feed.csv], feed.rows),
        "miller": lambda: Command(["mlr", "--icsv", "--onidx", "--implicit-csv-header", "--allow-ragged-csv-input", "count", feed.csv],
                                  feed.rows),
    }


def best(runs, field):
    """The least disturbed one: whatever else a machine does only makes a run longer."""
    return min(getattr(run, field) for run in runs)


def run(score, build, opts):
    folder = tempfile.mkdtemp(prefix="patrond-bench-decode-")
    try:
        os.chmod(folder, 0o755)
        os.mkdir(os.path.join(folder, "credentials"))
        with open(os.path.join(folder, "patrond.conf"), "w", encoding="ascii"):
            pass
        with open(os.path.join(folder, "credentials/zip-password"), "w", encoding="ascii") as file:
            file.write(PASSWORD + "\n")
        os.chmod(os.path.join(folder, "credentials/zip-password"), 0o644)
        measure(score, build, folder, opts)
    finally:
        shutil.rmtree(folder)


def measure(score, build, folder, opts):
    score.say(f"Making feeds of {SMALL_ROWS} and {opts.rows} rows.")
    small, feed = Feed(folder, SMALL_ROWS), Feed(folder, opts.rows)
    score.say(f"{feed.size / 1e6:.0f} MB of text, {os.path.getsize(feed.zip) / 1e6:.0f} MB packed; each read {opts.repeat} times in "
              f"turn, the shortest counts; load average {os.getloadavg()[0]:.1f}")
    runs = {"decode": []}
    for _ in range(opts.repeat):
        runs["decode"].append(Decode(build, folder, feed))
        for name, command in others(build, folder, feed).items():
            runs.setdefault(name, []).append(command())
    for name, all_runs in runs.items():
        score.say(f"{name:<11} {', '.join(f'{one.wall:.2f}' for one in all_runs)} s; processor time "
                  f"{', '.join(f'{one.cpu:.2f}' for one in all_runs)} s")
        score.prove(f"{name} reads all of it", [line for one in all_runs for line in one.wrong])
    wall = best(runs["decode"], "wall")
    for name in list(runs)[1:]:
        score.figure(f"decode_vs_{name}", wall / best(runs[name], "wall"), "ratio", 3)
        score.figure(f"decode_vs_{name}_cpu", best(runs["decode"], "cpu") / best(runs[name], "cpu"), "ratio", 3)
    score.figure("decode_rows_per_second", round(feed.rows / wall), "rows/s")
    score.figure("decode_rows_per_cpu_second", round(feed.rows / best(runs["decode"], "cpu")), "rows/s")
    score.figure("decode_megabytes_per_second", feed.size / wall / 1e6, "MB/s", 1)
    few = [Decode(build, folder, small) for _ in range(opts.repeat)]
    peak, few_peak = (statistics.median(one.peak for one in some) for some in (runs["decode"], few))
    score.figure("decode_peak_memory", peak / (1 << 20), "MiB", 2)
    score.figure("decode_peak_memory_small", few_peak / (1 << 20), "MiB", 2)
    score.prove(f"memory is flat from {SMALL_ROWS} to {opts.rows} rows", 0 < peak <= few_peak + FLAT)
    for field, told in (("wall", "by the clock"), ("cpu", "in processor time")):
        score.prove(f"at most {RATIO_MAX} of libzip's bare read, {told}",
                    best(runs["decode"], field) <= RATIO_MAX * best(runs["libzip"], field))
