# SPDX-License-Identifier: GPL-3.0-or-later
"""scale: the largest district against a large Sierra, as a dry run, and the index by itself."""
import json
import os
import subprocess
import time

from rig import Rig
from scale_feed import FIRST_BARCODE, FIRST_ID, Feed
from watch import Watch

GIB = 1 << 30
BYTES_MAX = 48
PASSWORD = "the password of the largest feed"
GUARDS = "[guard]\n" + "".join(f"{name} = off\n" for name in ("creates", "rejected", "opted-out", "inactive", "held", "rows",
                                                             "patrons"))


def check_rows(watch, feed, most=20):
    """Every row has the outcome that it was made for. All rows of this feed have an entry: none is current."""
    wrong, seen, summaries = [], {name: bytearray(len(rows)) for name, rows in feed.expected.items()}, {}
    for _, line in watch.entries():
        entry = json.loads(line)
        if "SUMMARY" in entry:
            summaries[entry["FEED"]] = entry
        if "OUTCOME" not in entry:
            continue
        name, row = entry["FEED"], int(entry["ROW"])
        got, want = (entry["OUTCOME"], entry.get("REASON", "")), feed.wanted(name, row)
        if seen[name][row - 1] or got != want:
            wrong.append(f"{name} row {row}: {got}, not {want}, or twice")
        elif got[0] == "renewed":
            i = feed.patron_of(row + (feed.student_rows if name == "staff" else 0))
            if int(entry.get("PATRON_ID", 0)) != FIRST_ID + i:
                wrong.append(f"{name} row {row}: patron {entry.get('PATRON_ID')}")
        seen[name][row - 1] = 1
        if len(wrong) >= most:
            return wrong
    for name, rows in seen.items():
        if not all(rows):
            wrong.append(f"{name}: {len(rows) - sum(rows)} rows without an outcome")
    for name, counts in feed.counts()[0].items():
        for outcome, n in counts.items():
            told = summaries.get(name, {}).get(outcome.upper())
            if told != str(n):
                wrong.append(f"{name}: the summary says {told} {outcome}, not {n}")
    return wrong


def measure_index(score, build, opts):
    done = subprocess.run([os.path.join(build, "bin/bench-index"), str(opts.patrons), str(opts.rows), str(FIRST_BARCODE)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        score.prove("the index by itself", [done.stderr.strip()])
        return
    got = {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}
    score.figure("scale_bytes_per_barcode", got["bytes_a_barcode"], "bytes", 2)
    score.figure("scale_bytes_per_barcode_dearest", got["dearest"], "bytes", 2)
    score.figure("scale_bytes_per_patron_in_all", got["total"] / opts.patrons, "bytes", 2)
    score.figure("scale_index_make", got["make_seconds"], "s", 2)
    score.figure("scale_index_ask", got["ask_seconds"], "s", 2)
    score.prove(f"at most {BYTES_MAX} bytes a barcode beyond names", got["bytes_a_barcode"] <= BYTES_MAX)
    score.prove("the allocator's account of the index is its own, within 2 %",
                abs(got["heap"] - got["total"]) <= 0.02 * got["total"])


def show(score, watch, opts):
    for phase, seconds in watch.phases().items():
        score.figure(f"scale_{phase}", seconds, "s", 2)
    spans = watch.named("patrond-decode")
    if spans:
        # the longest lived: a short one before it has only looked at what the zip is
        longest = max(spans, key=lambda p: p.seen - p.begun)
        score.figure("scale_decoding", longest.seen - longest.begun, "s", 2)
    score.figure("scale_whole", watch.wall, "s", 2)
    score.figure("scale_cpu", watch.cpu_all, "s", 2)
    for name in sorted({p.name for p in watch.processes.values()}):
        processes = watch.named(name)
        score.say(f"  {name}: {sum(p.cpu for p in processes):.2f} s of processor time, "
                  f"{max(p.pss_most for p in processes) / (1 << 20):.1f} MiB at most")
    score.say(f"  at the peak, of {watch.looks} looks: "
              + ", ".join(f"{name} {size / (1 << 20):.1f} MiB" for name, size in watch.peak_parts.items()))
    score.figure("scale_peak_memory", watch.peak / (1 << 20), "MiB", 1)


def run(score, build, opts):
    measure_index(score, build, opts)
    with Rig(build) as rig:
        begun = time.monotonic()
        feed, path = Feed(opts.rows, opts.patrons), rig.path("feed.zip")
        size = feed.pack(path, PASSWORD)
        rig.credential("zip-password", PASSWORD)
        score.say(f"{opts.rows} rows, {size / (1 << 20):.0f} MiB, in a zip of {os.path.getsize(path) / (1 << 20):.0f} MiB, "
                  f"made in {time.monotonic() - begun:.0f} s; {opts.patrons} patrons; no latency but what the stand-in needs; "
                  f"load average {os.getloadavg()[0]:.1f}")
        rig.start_sftp()
        rig.drop(path)
        os.unlink(path)
        rig.start_sierra("--generate", str(opts.patrons), "--first-id", str(FIRST_ID), "--first-barcode", str(FIRST_BARCODE),
                         load=False)
        rig.config(GUARDS)
        with Watch(rig, interval=0.1, memory=True) as watch:
            watch.run("--once", "--dry-run", timeout=3600)
            counters = rig.counters()
            show(score, watch, opts)
            score.figure("scale_standin_cpu", counters["cpu_seconds"], "s", 2)
            score.prove("the dry run completes", [] if watch.status == 0 else
                        [f"status {watch.status}", *watch.text().splitlines()[-3:]])
            score.prove("every row has the outcome that it was made for", check_rows(watch, feed))
        written = counters["requests"]["put"] + counters["requests"]["post"]
        score.prove("nothing was written", [f"{written} writes"] if written else [])
        score.prove("all processes of patrond together under 1 GiB", 0 < watch.peak < GIB)
