#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The share's figures: how fast a feed is taken, and that the janitor touches nothing but its own. As root.

take_latency: the worst of several arrivals, in seconds, from the feed's completion to the load's start, settle time aside.
janitor_wrongly_touched: files of other people, of 10,000, whose content, inode or times changed, or that are gone.
"""
import argparse
import os
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
if "PATROND_BIN" not in os.environ and "PATROND_BUILD" in os.environ:
    os.environ["PATROND_BIN"] = os.path.join(os.environ["PATROND_BUILD"], "bin")

from share_kit import Town, make_zip, own_mounts  # noqa: E402
from test_janitor import PLAIN, close_in  # noqa: E402

SETTLE = 0.1


def take_latency(arrivals):
    """Seconds, the worst."""
    with Town() as town:
        town.settings["settle"] = f"{int(SETTLE * 1000)}ms"
        town.start()
        if not town.wait(lambda: town.said("is watched")):
            raise RuntimeError("the share is not watched")
        worst = 0.0
        for i in range(arrivals):
            time.sleep(0.8)
            town.put(f"feed{i}.zip", make_zip(str(10000001 + i)))
            at = time.time()
            if not town.wait(lambda: len(town.said("Load 2")) == i + 1):
                raise RuntimeError("a feed was not taken")
            worst = max(worst, town.said("Load 2")[i]["_at"] - at - SETTLE)
        return worst


def janitor_wrongly_touched(files, ours):
    """(how many others were touched, how many of ours are left), at a close of business with patrond running."""
    with Town() as town, tempfile.TemporaryDirectory() as outside:
        town.janitor = {"days": "Mon-Sun", "inspect": ""}
        with open(os.path.join(outside, "linked.csv"), "wb") as file:
            file.write(PLAIN)
        names = [f"{'document' if i % 7 else 'old patron_barcodes'} {i}.{('csv', 'txt', 'doc', 'pdf')[i % 4]}"
                 for i in range(files - ours)]
        for name in names:
            town.put(name, name.encode() * 3)
        os.symlink(os.path.join(outside, "linked.csv"), os.path.join(town.share, "all_patrons.csv"))
        mine = [f"{('update', 'new')[i % 2]}_{i}.csv" for i in range(ours)]
        for name in mine:
            town.put(name, PLAIN)
        os.link(os.path.join(town.share, mine[0]), os.path.join(outside, "second.csv"))
        before = {name: os.stat(os.path.join(town.share, name)) for name in names}
        town.start(env={"TZ": close_in(6)})
        town.wait(lambda: not set(mine) & set(town.here()), 60)
        town.stop()
        left = set(town.here())
        touched = 0
        for name in names:
            if name not in left:
                touched += 1
                continue
            now = os.stat(os.path.join(town.share, name))
            with open(os.path.join(town.share, name), "rb") as file:
                same = file.read() == name.encode() * 3
            touched += not same or (now.st_ino, now.st_mtime_ns) != (before[name].st_ino, before[name].st_mtime_ns)
        for name in ("linked.csv", "second.csv"):
            with open(os.path.join(outside, name), "rb") as file:
                touched += file.read() != PLAIN
        touched += not os.path.islink(os.path.join(town.share, "all_patrons.csv"))
        return touched, len(set(mine) & left)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--small", action="store_true", help="fewer arrivals and files")
    opts = p.parse_args()
    if not own_mounts():
        print("0 passed, 0 failed, 2 skipped")
        return 0
    latency = take_latency(5 if opts.small else 20)
    touched, left = janitor_wrongly_touched(1000 if opts.small else 10000, 40)
    failed = (latency >= 1) + (touched != 0 or left != 0)
    print(f"take_latency {latency:.3f}")
    print(f"janitor_wrongly_touched {touched}")
    print(f"{2 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
