# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child's record looks like wherever it may have been left, and the search for it.

    needles = Needles(library.feed)          # of a feed made with --token-mode
    needles.search(tool, folder, ...)        # [(where, form)], empty where nothing of it is left
"""
import csv
import glob
import json
import os
import subprocess


class Needles:
    """Every name, street, e-mail and telephone token, each key, each birth date in both its written forms and each PIN as JSON."""

    def __init__(self, feed, path):
        found = {}
        with open(os.path.join(feed, "tokens.txt"), encoding="ascii") as file:
            found.update((line.strip(), "token") for line in file if line.strip())
        for name in glob.glob(os.path.join(feed, "plain", "*.csv")):
            with open(name, encoding="utf-8", newline="") as file:
                for row in csv.reader(file):
                    student = "Students" in name
                    if len(row) > 4 and row[1].isdigit() and len(row[1]) >= 12:
                        found[row[1]] = "key"
                    if student and len(row) > 4:
                        self.add_date(found, row[4])
        for name in ("patrons.jsonl", "expect.jsonl"):
            with open(os.path.join(feed, name), encoding="utf-8") as file:
                for line in file:
                    patron = json.loads(line)
                    patron = patron.get("patron") or patron
                    if str(patron.get("birthDate", "")).startswith("190"):
                        year, month, day = patron["birthDate"].split("-")
                        self.add_date(found, f"{month}/{day}/{year}")
                    if patron.get("pin") and "x" in patron["pin"]:
                        found[f'"pin":"{patron["pin"]}"'] = "pin"
        self.words = sorted(w for w in found if len(w) >= 8 and w.isascii())
        self.kinds = found
        self.path = path
        self.write(self.words)

    @staticmethod
    def add_date(found, text):
        """MM/DD/YYYY, as the feed has it; and as Sierra has it."""
        parts = text.split("/")
        if len(parts) == 3 and parts[2].startswith("190"):
            month, day, year = (int(p) for p in parts)
            found[f"{month:02}/{day:02}/{year}"] = "birth date"
            found[f"{year}-{month:02}-{day:02}"] = "birth date"

    def write(self, words):
        self.words = words
        with open(self.path, "w", encoding="ascii") as file:
            file.write("".join(w + "\n" for w in words))

    def count(self, kind):
        return sum(1 for w in self.words if self.kinds[w] == kind)

    def search(self, tool, *arguments, stdin=None):
        """Looks in files, folders, `--pid PID`, and `-` for standard input. Returns (bytes, files, [(where, word, form)])."""
        done = subprocess.run([tool, self.path, *map(str, arguments)], stdin=stdin or subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=300, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"residue-search: {done.returncode}: {done.stderr[-1000:]}")
        hits = []
        for line in done.stdout.splitlines():
            if line.startswith("hit "):
                where, _, number, form = line[4:].rsplit(" ", 3)
                hits.append((where, self.words[int(number) - 1], form))
            elif line.startswith("searched "):
                words = line.split()
                total, files, counted = int(words[1]), int(words[4].rstrip(",")), int(words[5])
        return total, files, hits + [("and more", "", "")] * max(0, counted - len(hits))
