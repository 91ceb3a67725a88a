# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a run made: the feeds, the patrons, what is expected of each row, the counts and the tables of the report."""

import csv
import json
import os

from .people import DCID_HEADER, STAFF_HEADER, STUDENT_HEADER
from .plan import EMPTY_LINE, EMPTY_LINE_RATE, EMPTY_LINES_ALL_CASES, tripped
from .world import OUTCOMES

NAMES = {"student": "CHCCS_Students_upload.csv", "staff": "CHCCS_staff.csv"}

EMPTY_LINES = {",": ("", "   ", "\u00a0 ", "\t"), "\t": ("", "   ", "\u00a0 ", "\u2003")}


def in_order(rows):
    """Sorts the rows of a feed. The first must be an ordinary one: the first line decides the delimiter, and whether it is a
    header."""
    rows.sort(key=lambda r: r.order)
    for row in rows:
        if row.verdict == ("current", None) and row.alone and row.line.isascii() and not any(c in row.line for c in b'\t"\r\n'):
            break
    else:
        # Of a feed with tabs each line holds them.
        row = next(r for r in rows if r.alone and r.verdict == ("current", None))
    rows.remove(row)
    rows.insert(0, row)


# A quote still open at the end, text after a closing quote: rows would vanish in either.
BROKEN_LINES = {"open-quote": b'0,1,"Mock', "text-after-quote": b'0,1,"Mock"ery,Mock'}
REFUSALS = ("header-inserted", "header-missing", "header-swapped", "no-rows", "open-quote", "text-after-quote", "two-of-a-kind",
            "no-feed")

HEADER_STYLES = ("plain", "repeated", "cased", "no-dcid")


def header(kind, opts):
    """The header in the style asked for; a load that must be refused for its header has one that does not fit."""
    names = list(STAFF_HEADER) if kind == "staff" else STUDENT_HEADER + [DCID_HEADER] * opts.dcid
    if opts.header_style == "repeated" and kind == "student":
        names = names[:8] + names[7:8] + names[8:14] + names[13:14] * 2 + names[14:]
    elif opts.header_style == "cased":
        names = [" %s " % (n.upper() if i % 2 else n.lower()) for i, n in enumerate(names)]
    elif opts.header_style == "no-dcid" and kind == "student":
        names = list(STUDENT_HEADER)
    if opts.refuse == "header-inserted":
        names.insert(5, "Homeroom")
    elif opts.refuse == "header-missing":
        del names[4]
    elif opts.refuse == "header-swapped":
        names[2], names[3] = names[3], names[2]
    return opts.delimiter.join(names).encode("ascii")


def feed(w, kind, path, opts):
    rows = w.rows[kind]
    newline = b"\r\n" if opts.newline == "crlf" else b"\n"
    share = opts.rates.get(EMPTY_LINE, EMPTY_LINE_RATE)
    count = EMPTY_LINES_ALL_CASES if opts.preset == "all-cases" else int(share * len(rows) + 0.5)
    kinds = EMPTY_LINES[w.delimiter]
    lines = [r.line for r in rows]
    # From the end, so that the places stay; never before the first row.
    for i, at in enumerate(sorted((1 + int(w.rnd() * len(rows)) for _ in range(count)), reverse=True)):
        lines.insert(at, w._bytes(kinds[i % len(kinds)]))
    if kind in opts.header or (opts.refuse or "").startswith("header"):
        lines.insert(0, header(kind, opts))
    if opts.refuse in BROKEN_LINES:
        broken = BROKEN_LINES[opts.refuse].replace(b",", w.delimiter.encode("ascii"))
        lines.insert(len(lines) // 2, broken)
    elif opts.refuse == "no-rows":
        lines = [header(kind, opts)]
    with open(path, "wb") as out:
        if opts.encoding == "utf-8-bom":
            out.write(b"\xef\xbb\xbf")
        out.write(newline.join(lines))
        if opts.final_newline:
            out.write(newline)


def expectations(w, path):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for kind, rows in w.rows.items():
            for n, row in enumerate(rows, 1):
                out.write('{"feed":"%s","row":%d,%s\n' % (kind, n, row.tail))


def patrons(w, path):
    w.patrons.sort()
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(text + "\n" for _, text in w.patrons)


def table(path, head, rows):
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def reports(w, directory):
    """The clean-up report, sorted by patron id and field, and the two work lists in the order of the rows."""
    table(os.path.join(directory, "expect_barcode_errors.csv"), ("patron_id", "field", "expiration_date", "class"),
          sorted(w.report))
    held, rejected = [], []
    for kind, rows in w.rows.items():
        for n, row in enumerate(rows, 1):
            outcome, reason = row.verdict
            if outcome == "held":
                pid = json.loads("{" + row.tail)["patron_id"]
                held.append((kind, n, reason, "" if pid is None else pid))
            elif outcome == "rejected":
                rejected.append((kind, n, reason))
    table(os.path.join(directory, "expect_held_rows.csv"), ("feed", "row", "reason", "patron_id"), held)
    table(os.path.join(directory, "expect_rejected_rows.csv"), ("feed", "row", "reason"), rejected)


def counts(w):
    """The counts by feed: rows, every outcome, every reason, and the guards that they trip by default."""
    out = {}
    for kind, rows in w.rows.items():
        if not rows:
            continue
        outcomes = {o: 0 for o in OUTCOMES}
        reasons = {r: 0 for rs in OUTCOMES.values() for r in rs if r}
        for row in rows:
            outcome, reason = row.verdict
            outcomes[outcome] += 1
            if reason:
                reasons[reason] += 1
        out[kind] = {"rows": len(rows), "outcomes": outcomes, "reasons": reasons,
                     "tripped": tripped(len(rows), {**outcomes, **reasons})}
        if kind == "student":
            out[kind]["inactive_status"] = dict(sorted(w.status_counts.items()))
    return out
