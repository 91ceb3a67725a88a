# SPDX-License-Identifier: GPL-3.0-or-later
"""The share's figures: how fast a feed is taken, and that the janitor touches nothing but its own. As root.

take_latency: the worst of several arrivals, in seconds, from the feed's completion to the load's start, settle time aside.
janitor_wrongly_touched: files of other people, of 10,000, whose content, inode or times changed, or that are gone.
"""
import os
import tempfile
import threading
import time

SETTLE = 0.1


def take_latency(arrivals):
    """Seconds, the worst."""
    from share_kit import Town, make_zip  # looks for the programs when it is imported

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
    from share_kit import Town
    from test_janitor import PLAIN, close_in

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


def run(folder, _repeat):
    """Prints the figures; returns (passed, failed)."""
    os.environ.setdefault("PATROND_BIN", os.path.join(os.path.abspath(folder), "bin"))
    latency = take_latency(20)
    touched, left = janitor_wrongly_touched(10000, 40)
    print(f"figure take_latency {latency:.3f} seconds")
    print(f"figure janitor_wrongly_touched {touched} files")
    failed = (latency >= 1) + (touched != 0 or left != 0)
    if left:
        print(f"  {left} of the janitor's own files are still there")
    return 2 - failed, failed
