#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes synthetic feeds, the patrons to go with them, and what patrond must do with each row.

Every case states its own verdict; none is found by matching. The same options and seed give the same files, byte for byte (the
zip excepted: its salt is random)."""

import argparse
import datetime
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from feedgen import background, pack, plan, registry, write  # noqa: E402
from feedgen.world import World  # noqa: E402

DEFAULT_SIZES = {"students": 12000, "staff": 2000, "patrons": 150000}
# all-cases makes as many rows as its cases need, and some ordinary ones.
ALL_CASES_SIZES = {"students": None, "staff": None, "patrons": 2000}
ALL_CASES_ORDINARY = 20


def arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", metavar="DIR", help="directory to write to; it is made where absent")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--students", type=int, help="rows of the student feed (12000; 0: no such feed)")
    p.add_argument("--staff", type=int, help="rows of the staff feed (2000; 0: no such feed)")
    p.add_argument("--patrons", type=int, help="patrons that are not deleted (150000)")
    p.add_argument("--today", type=datetime.date.fromisoformat, default=datetime.date.today(), metavar="YYYY-MM-DD",
                   help="the day on which the load will start")
    p.add_argument("--header", default="", metavar="student,staff", help="the feeds that have a header")
    p.add_argument("--header-style", choices=write.HEADER_STYLES, default="plain")
    p.add_argument("--refuse", choices=write.REFUSALS, help="break the load so that it must be refused whole")
    p.add_argument("--dcid", action="store_true", help="the student feed has the column STUDENTSDCID")
    p.add_argument("--delimiter", choices=("comma", "tab"), default="comma")
    p.add_argument("--encoding", choices=("utf-8", "utf-8-bom", "cp1252"), default="utf-8")
    p.add_argument("--newline", choices=("lf", "crlf"), default="crlf")
    p.add_argument("--no-final-newline", dest="final_newline", action="store_false")
    p.add_argument("--rate", action="append", default=[], metavar="CASE=FRACTION", help="of the rows of the case's feed")
    p.add_argument("--preset", choices=sorted(plan.PRESETS), default="default")
    p.add_argument("--tool", choices=pack.TOOLS, default="7z",
                   help="7z: AES-256; zip: ZipCrypto; zip-plain: not encrypted; none: no zip")
    p.add_argument("--password-file", metavar="FILE")
    p.add_argument("--zip-name", default="chccs-feed.zip", metavar="NAME")
    p.add_argument("--folder", default="", metavar="NAME", help="folder of the entries within the zip")
    p.add_argument("--extra", type=int, default=0, metavar="N", help="other entries in the zip, which are no feeds")
    p.add_argument("--no-plain", action="store_true", help="remove the unencrypted feeds once they are packed")
    p.add_argument("--token-mode", action="store_true", help="names, streets, e-mails, phones are unique tokens")
    p.add_argument("--list-cases", action="store_true")
    opts = p.parse_args(argv)
    if not opts.list_cases and not opts.out:
        p.error("--out is needed")
    opts.header = [h for h in opts.header.split(",") if h]
    if set(opts.header) - {"student", "staff"}:
        p.error("--header: student, staff or both")
    if os.sep in opts.zip_name or opts.folder.startswith(("/", "..", "-")) or opts.zip_name.startswith("-"):
        p.error("--zip-name and --folder are plain names")
    if opts.no_plain and opts.tool == "none":
        p.error("--no-plain with --tool none would leave nothing")
    opts.delimiter = "," if opts.delimiter == "comma" else "\t"
    opts.given = {}
    for item in opts.rate:
        name, _, value = item.partition("=")
        try:
            opts.given[name] = float(value)
        except ValueError:
            p.error("--rate %s: CASE=FRACTION" % item)
        if not 0 <= opts.given[name] <= 1:
            p.error("--rate %s: from 0 to 1" % item)
    try:
        opts.rates = plan.rates(opts.preset, opts.given)
    except KeyError as e:
        p.error("no case named %s (--list-cases shows them)" % e)
    sizes = ALL_CASES_SIZES if opts.preset == "all-cases" else DEFAULT_SIZES
    for name, size in sizes.items():
        value = getattr(opts, name)
        if value is not None and value < 0:
            p.error("--%s: not below 0" % name)
        setattr(opts, name, size if value is None else value)
    if opts.students == 0 and opts.staff == 0:
        p.error("a load holds a feed at least")
    return opts


def build(opts):
    """Makes the world: the cases' rows, ordinary rows up to the sizes asked for, the background. Returns it."""
    w = World(seed=opts.seed, today=opts.today, token_mode=opts.token_mode, dcid=opts.dcid, delimiter=opts.delimiter,
              encoding=opts.encoding)
    sizes = {"student": opts.students, "staff": opts.staff}
    wanted = {k: 1 if v is None else v for k, v in sizes.items()}
    for case, variant in plan.instances(opts.preset, opts.given, wanted, w):
        w.run(case, variant)
    for kind, size in sizes.items():
        rows, ordinary = w.rows[kind], registry.CASES[kind + "-current"]
        if size is None:
            size = len(rows) + ALL_CASES_ORDINARY
        if size and size <= len(rows):
            raise SystemExit("make_feeds: the cases asked for make %d %s rows, more than %d: raise it or lower the rates"
                             % (len(rows), kind, size))
        while len(rows) < size:
            w.run(ordinary, 0)
        if rows:
            write.in_order(rows)
    background.fill(w, opts.patrons)
    return w


def write_feeds(w, opts, plain):
    """Writes the entries of the zip, relative to plain. Returns their names."""
    os.makedirs(os.path.join(plain, opts.folder))
    names = []
    for kind, rows in w.rows.items():
        if rows:
            names.append(os.path.join(opts.folder, write.NAMES[kind]))
            write.feed(w, kind, os.path.join(plain, names[-1]), opts)
    if opts.refuse == "two-of-a-kind":
        os.mkdir(os.path.join(plain, opts.folder, "again"))
        for name in list(names):
            names.append(os.path.join(opts.folder, "again", os.path.basename(name)))
            shutil.copyfile(os.path.join(plain, name), os.path.join(plain, names[-1]))
    elif opts.refuse == "no-feed":
        os.rename(os.path.join(plain, names[0]), os.path.join(plain, names[0] + ".old"))
        names = [names[0] + ".old"]
    for i in range(opts.extra):
        names.append(os.path.join(opts.folder, "notes-%d.txt" % (i + 1)))
        with open(os.path.join(plain, names[-1]), "w", encoding="ascii") as f:
            f.write("No feed.\n")
    return names


def save(w, opts):
    """Writes all files of the run. Returns the counts."""
    out = opts.out
    plain = os.path.join(out, "plain")
    shutil.rmtree(plain, ignore_errors=True)
    names = write_feeds(w, opts, plain)
    write.expectations(w, os.path.join(out, "expect.jsonl"))
    write.patrons(w, os.path.join(out, "patrons.jsonl"))
    write.reports(w, out)
    if w.token_mode:
        with open(os.path.join(out, "tokens.txt"), "w", encoding="ascii") as f:
            f.writelines(t + "\n" for t in w.words.tokens)
    feeds = write.counts(w)
    result = {"seed": opts.seed, "preset": opts.preset, "refused": opts.refuse, "today": w.today.isoformat(),
              "expiration": w.target_text, "feeds": feeds, "patrons": w.patrons_live,
              "patrons_deleted": len(w.patrons) - w.patrons_live, "report_rows": len(w.report),
              "tripped": sorted({name for f in feeds.values() for name in f["tripped"]})}
    if opts.tool != "none":
        password = pack.read_password(opts.password_file) if opts.password_file else pack.PASSWORD
        with open(os.path.join(out, "zip-password"), "w", encoding="utf-8") as f:
            f.write(password + "\n")
        pack.pack(opts.tool, os.path.abspath(os.path.join(out, opts.zip_name)), plain, names, password)
        result["zip"] = opts.zip_name
        if opts.no_plain:
            shutil.rmtree(plain)
    with open(os.path.join(out, "expect_counts.json"), "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    return result


def show(result):
    for kind, feed in result["feeds"].items():
        print("%s: %d rows" % (kind, feed["rows"]))
        print("  " + ", ".join("%s %d" % kv for kv in feed["outcomes"].items()))
        print("  " + ", ".join("%s %d" % kv for kv in feed["reasons"].items() if kv[1]))
    print("patrons: %d, and %d deleted; clean-up report: %d rows" % (result["patrons"], result["patrons_deleted"],
                                                                    result["report_rows"]))
    if result["refused"]:
        print("to be refused whole: " + result["refused"])
    print("guards tripped by default: " + (", ".join(result["tripped"]) or "none"))


def list_cases():
    for name, c in sorted(registry.load().items()):
        print("%-36s %-8s %-10s %7.5f %3d  %s" % (name, c.feed, c.group, c.rate, c.variants, c.text))
    print("%-36s %-8s %-10s %7.5f %3d  %s" % (plan.EMPTY_LINE, "each", "no row", plan.EMPTY_LINE_RATE, 4,
                                              "A line that is empty after trimming, between rows."))


def main(argv=None):
    opts = arguments(argv)
    if opts.list_cases:
        list_cases()
        return 0
    show(save(build(opts), opts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
