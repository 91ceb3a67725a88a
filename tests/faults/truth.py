# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be so after a load that faults struck, and whether what it reported is what happened."""
import collections

# What differs between two runs that did the same; beside them the id of a new patron.
TIMES = ("createdDate", "updatedDate", "_activityDate")
# Rows that Sierra itself refuses are final for a feed.
FINAL = {("failed", "refused"), ("failed", "pin-refused"), ("failed", "gone"), ("held", "ambiguous")}
OPEN = {("failed", "unclear"), ("failed", "unreachable")}
COUNTERS = ("puts_that_changed_nothing", "puts_that_moved_date_backwards", "creates_of_existing_barcode",
            "empty_strings_written")


def bare(patron, *more):
    return {k: v for k, v in patron.items() if k not in TIMES and k not in more}


def keyed(patrons):
    """{first barcode: [patrons]}"""
    found = collections.defaultdict(list)
    for patron in patrons:
        found[(patron.get("barcodes") or [""])[0]].append(patron)
    return found


class Truth:
    def __init__(self, expected, target, before, after):
        """expected: {(feed, row): expectation}; before and after: dumps of the load without faults."""
        self.expected, self.target = expected, target
        self.before = {i: bare(p) for i, p in before.items()}
        self.after = {i: bare(p) for i, p in after.items() if i in before}
        self.created = {k: bare(p[0], "id") for k, p in keyed(p for i, p in after.items() if i not in before).items()}

    def writes(self):
        return {k: e for k, e in self.expected.items() if e["outcome"] in ("created", "renewed")}

    # --- states ---

    def done(self, key, dump):
        """Whether the row's work shows in a dump: the number of patrons with its barcode that are new, or the date is there."""
        e = self.expected[key]
        if e["outcome"] == "renewed":
            return int(dump[e["patron_id"]].get("expirationDate") == self.target)
        barcode = e["patron"]["barcodes"][0]
        return sum(1 for i, p in dump.items() if i not in self.before and barcode in p.get("barcodes", []))

    def new_ids(self, dump):
        """{barcode: ids of the new patrons that bear it}"""
        found = collections.defaultdict(list)
        for i, p in dump.items():
            if i not in self.before:
                for barcode in p.get("barcodes", []):
                    found[barcode].append(i)
        return found

    def state(self, dump, undone=(), ignore=()):
        """How a dump differs from the one without faults. undone: rows that nothing may have been done for."""
        wrong = []
        after, created = dict(self.after), dict(self.created)
        for key in undone:
            e = self.expected[key]
            if e["outcome"] == "renewed":
                after[e["patron_id"]] = self.before[e["patron_id"]]
            else:
                created.pop(e["patron"]["barcodes"][0])
        for i, was in after.items():
            wrong += [f"patron {i}: {w}" for w in self.fields(was, bare(dump[i]) if i in dump else None, ignore)]
        new = keyed(p for i, p in dump.items() if i not in self.before)
        for barcode, was in created.items():
            found = new.pop(barcode, [])
            if len(found) != 1:
                wrong.append(f"{len(found)} patrons were created where one is due")
            else:
                wrong += [f"patron {found[0]['id']}: {w}" for w in self.fields(was, bare(found[0], "id"), ignore)]
        wrong += [f"patron {p['id']} was created for no row" for found in new.values() for p in found]
        return wrong

    @staticmethod
    def fields(was, now, ignore):
        if now is None:
            return ["is gone"]
        return [f"{k} is {now.get(k)!r}, not {was.get(k)!r}" for k in sorted(set(was) | set(now))
                if k not in ignore and was.get(k) != now.get(k)]

    def strangers(self, dump, ignore=()):
        """After a faulty run alone: patrons that no row may touch, and rows half done."""
        wrong, writes = [], self.writes()
        renewable = {e["patron_id"] for e in writes.values() if e["outcome"] == "renewed"}
        for i, was in self.before.items():
            now = bare(dump[i]) if i in dump else None
            if i not in renewable or now is None or now.get("expirationDate") == was.get("expirationDate"):
                wrong += [f"patron {i}: {w}" for w in self.fields(was, now, ignore)]
            else:
                wrong += [f"patron {i}: {w}" for w in self.fields(self.after[i], now, ignore)]
        for barcode, found in keyed(p for i, p in dump.items() if i not in self.before).items():
            if barcode not in self.created:
                wrong.append(f"patron {found[0]['id']} was created for no row")
            elif len(found) > 1:
                wrong.append(f"{len(found)} patrons were created for one row")
            else:
                wrong += [f"patron {found[0]['id']}: {w}" for w in self.fields(self.created[barcode], bare(found[0], "id"), ignore)]
        return wrong

    # --- words ---

    def outcomes(self, result, dump, killed=False, may_lose=True, may_refuse=False):
        """What the entries of a faulty run say, held against the dump after it. Returns sentences; none is true."""
        rows, wrong = result.rows(), []
        new = self.new_ids(dump)
        whole = result.status in (0, 3)
        planned = any(e.get("SUMMARY") in ("Plan", "Load", "Broken off") for e in result.entries)
        for key, e in self.expected.items():
            got = rows.pop(key, None)
            if e["outcome"] in ("created", "renewed"):
                wrong += [f"{key}: {w}" for w in self.write(key, e, got, dump, new, whole, killed, may_lose, may_refuse)]
                continue
            want = (e["outcome"], e["reason"] or "")
            if got is None:
                # current rows are silent; a load that broke off before its writes has told nothing
                if want[0] != "current" and not killed and (whole or (planned and rows)):
                    wrong.append(f"{key}: nothing was said, not {want}")
            elif got[:2] != want:
                wrong.append(f"{key}: {got[:2]}, not {want}")
            elif e["patron_id"] and got[2] not in (0, e["patron_id"]):
                wrong.append(f"{key}: of patron {got[2]}, not {e['patron_id']}")
        wrong += [f"{key}: there is no such row" for key in rows]
        wrong += [f"row {e['ROW']} of {e['FEED']} is said to differ" for e in result.entries if e.get("REASON") == "differs"]
        return wrong

    def write(self, key, e, got, dump, new, whole, killed, may_lose, may_refuse):
        done = self.done(key, dump)
        if got is None:
            if whole:
                return ["nothing was said"]
            return ["was done and nothing said"] if done and not killed else []
        word, ids = got[:2], new.get(e["patron"]["barcodes"][0], []) if e["outcome"] == "created" else [e["patron_id"]]
        if word == (e["outcome"], ""):
            if done != 1:
                return [f"{word[0]} is said, but was done {done} times"]
            return [] if got[2] == ids[0] else [f"{word[0]}: patron {got[2]} is said, not {ids[0]}"]
        if word == ("failed", "unclear"):
            return [] if may_lose else ["unclear, although no answer was lost"]
        if word == ("failed", "unreachable") or (may_refuse and word in FINAL):
            return [f"{word} is said, but it was done"] if done else []
        return [f"{word} is said, not {e['outcome']}"]

    def open_rows(self, result):
        return {key for key, got in result.rows().items() if got[:2] in OPEN}

    def final_rows(self, result):
        """Rows that a run with work to do for them says Sierra refused."""
        writes = self.writes()
        return {key for key, got in result.rows().items() if key in writes and got[:2] in FINAL}

    def clean(self, result, mid):
        """The clean run's entries: what the faulty one left open is done now, the rest is found done."""
        rows, wrong = result.rows(), []
        for key, e in self.expected.items():
            got = rows.pop(key, ("current", "", 0))
            want = (e["outcome"], e["reason"] or "")
            if want[0] in ("created", "renewed") and self.done(key, mid):
                want = ("current", "")
            if got[:2] != want:
                wrong.append(f"the clean run says of {key} {got[:2]}, not {want} ({e.get('case', '')})")
        return wrong + [f"the clean run says {key}, which is no row" for key in rows]
