# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on real parts, shown: an encrypted feed travels over OpenSSH through patrond into the stand-in for Sierra."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import Rig, Result  # noqa: E402

passed, failed = 0, 0


def prove(what, wrong):
    global passed, failed
    if wrong:
        failed += 1
        print(f"  WRONG  {what}")
        for line in wrong:
            print(f"         {line}")
    else:
        passed += 1
        print(f"  ok     {what}")


def run_once(rig, memory):
    """patrond --once with its progress on our standard output, its entries in a file that is read and removed."""
    with tempfile.TemporaryFile("w+", dir="/dev/shm") as entries:
        sys.stdout.flush()
        status = rig.start_patrond("--once", memory=memory, stdout=None, stderr=entries).wait(600)
        entries.seek(0)
        return Result(status, "", entries.read())


def main():
    with Rig(sys.argv[1]) as rig:
        print("Making a synthetic district: 12,000 students and 2,000 staff, 150,000 patrons.")
        rig.make_feed("--extra", "2", "--folder", "export", seed=2026)
        rig.start_sftp()
        rig.start_sierra("--latency", "2")
        rig.config()
        rig.drop()
        before = rig.dump()
        print(f"An AES-256 zip lies in the SFTP drop of OpenSSH's server on port {rig.sftp.port};")
        print(f"the stand-in for Sierra answers HTTPS on port {rig.sierra_port}.\n\n$ patrond --once")
        first = run_once(rig, memory=True)
        after = rig.dump()
        counts = rig.counts()["feeds"]
        print("\nProof, by asking the stand-in:")
        prove("patrond ended with status 0 (complete)", [] if first.status == 0 else
              [f"status {first.status}"] + first.messages()[-5:] + first.noise[-5:])
        prove("every row's outcome is the expected one", rig.wrong_outcomes(first))
        prove("the counts of both feeds are the expected ones",
              [f"{feed}: {outcome} {first.summaries().get(feed, {}).get(outcome.upper())}, not {n}"
               for feed, c in counts.items() for outcome, n in c["outcomes"].items()
               if first.summaries().get(feed, {}).get(outcome.upper()) != str(n)])
        prove("every patron in Sierra is as the rows ask, field by field; no other was touched",
              rig.differences(before, after))
        c = rig.counters()
        prove("no PUT changed nothing, no date moved backwards, no barcode exists twice",
              [f"{k}: {c[k]}" for k in ("puts_that_changed_nothing", "puts_that_moved_date_backwards",
                                        "creates_of_existing_barcode") if c[k]])
        prove("a clean-up report lies on the share, encrypted",
              [] if any(n.startswith("barcode_errors-") for n in os.listdir(rig.path("share"))) else ["there is none"])
        print("\n$ patrond --once   (again, its memory of the feed taken away)")
        rig.ask("reset-counters", {})
        second = run_once(rig, memory=False)
        c = rig.counters()
        writes = c["requests"]["post"] + c["requests"]["put"]
        prove("the second run ended with status 0", [] if second.status == 0 else [f"status {second.status}"])
        prove("the second run wrote nothing", [f"{writes} writes"] if writes else [])
        prove("nothing in Sierra changed", [] if rig.dump() == after else ["patrons differ"])
        rows = sum(c["rows"] for c in counts.values())
        print(f"\nfigure rows {rows} rows\nfigure second_run_writes {writes} requests")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
