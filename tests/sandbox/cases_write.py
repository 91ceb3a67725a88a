# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies refused and taken, creates, updates, the dump."""

import time

from standin_case import FULL, PEOPLE, Case
from standin_client import BASE, Standin


# Each body, the code it is refused with, and what the text must name.
BAD_BODIES = [
    ("", 130, None), ("{", 130, None), ("[]", 130, None), ("null", 130, None), ('{"names":["A"],}', 130, None), ("{'names':[]}", 130, None),
    ('{"names":["A"]} x', 130, None), ('{"names":["a\tb"]}', 130, None), ('{"patronType":01}', 130, None), (b'{"names":["\xff"]}', 130, None),
    ('{"names":["A"],"names":["B"]}', 130, None), ('{"names":["\\ud800"]}', 130, None), ('{"names":["a\\u0000b"]}', 130, None),
    ({"nonsense": 1}, 115, "field(s) unknown : nonsense."), ({"nonsense": 1, "names": ["A"], "other": 2}, 115, "field(s) unknown : nonsense, other."),
    ({"Names": ["A"]}, 115, "Names"), ({"id": 5}, 115, "field(s) unknown : id."),
    *(({key: value}, 115, f"field(s) unknown : {key}.") for key, value in (
        ("homeLibrary", {}), ("autoBlockInfo", {}), ("message", {}), ("moneyOwed", 1), ("suppressed", False), ("updatedDate", "x"),
        ("deleted", False), ("createdDate", "x"), ("_puts", 3), ("_ghost", True))),
    ({"names": "A"}, 130, None), ({"names": [1]}, 130, None), ({"names": [None]}, 130, None), ({"names": None}, 130, None), ({"barcodes": [123456]}, 130, None),
    ({"patronType": "15"}, 130, None), ({"patronType": 1.5}, 130, None), ({"pin": 1234}, 130, None), ({"emails": [["a"]]}, 130, None),
    ({"birthDate": 20100101}, 130, None), ({"addresses": {}}, 130, None), ({"addresses": [{"lines": "x", "type": "a"}]}, 130, None),
    ({"phones": ["919"]}, 130, None), ({"fixedFields": []}, 130, None), ({"varFields": {}}, 130, None), ({"patronCodes": {"pcode3": "2"}}, 130, None),
    ({"addresses": [{"lines": ["x"], "type": "q"}]}, 115, "addresses"), ({"addresses": [{"lines": ["x"]}]}, 115, "addresses"),
    ({"addresses": [{"lines": ["x"], "type": "a", "zip": "1"}]}, 115, "addresses"), ({"phones": [{"number": "1", "type": "x"}]}, 115, "phones"),
    ({"phones": [{"type": "t"}]}, 115, "phones"), ({"fixedFields": {"43": {"value": "2028-01-01"}}}, 115, "field(s) unknown : fixedFields."),
    ({"fixedFields": {"43": {"label": "EXP"}}}, 115, "fixedFields"), ({"varFields": [{"fieldTag": "x", "content": None}]}, 115, "varFields"),
    ({"varFields": [{"fieldTag": "x"}]}, 115, "varFields"), ({"varFields": [{"fieldTag": "xx", "content": "a"}]}, 115, "varFields"),
    ({"patronCodes": {"pcode9": 1}}, 115, "patronCodes"), ({"blockInfo": {"reason": "x"}}, 115, "blockInfo"),
    *(({"expirationDate": d}, 108, "expirationDate") for d in ("", "2023-02-29", "2028-13-01", "2028-00-10", "2028-1-1", "01/02/2028", "2028-01-01T00:00:00Z", "20280101")),
    ({"birthDate": "1900-02-29"}, 108, "birthDate"), ({"patronType": 256}, 108, "patronType"), ({"patronType": -1}, 108, "patronType"),
    ({"homeLibraryCode": "toolong"}, 108, "homeLibraryCode"), ({"pMessage": "xy"}, 108, "pMessage"),
    ({"fixedFields": {"43": {"label": "EXP", "value": "2023-02-29"}}}, 108, "fixedFields"), ({"blockInfo": {"code": "c", "until": "x"}}, 108, "blockInfo"),
]


class Bodies(Case):
    def test_refusals(self):
        before = self.s.dump()
        for method, path in (("POST", "patrons/"), ("PUT", "patrons/1000001")):
            for body, code, text in BAD_BODIES:
                with self.subTest(method=method, body=body):
                    self.refused(self.s.api(method, path, body), 400, code, text)
        self.assertEqual(self.s.dump(), before)

    def test_pin_policy(self):
        for pin, specific in (("2020", 6), ("aaab", 6), ("x1212y", 6), ("abcabc", 6), ("12341234", 6), ("a" * 31, 3), ("0a1" * 11, 3), ("123", 2), ("", 2)):
            self.refused(self.s.api("POST", "patrons/", {"names": ["A"], "pin": pin}), 400, 136, "PIN is not valid", specific)
        for pin in ("05x17", "11x11", "12x12", "1212x" [1:], "02x20"):
            self.assertEqual(self.s.api("POST", "patrons/", {"names": ["A"], "pin": pin}).status, 200, pin)
        self.s.switch(pin_trivial="accept", pin_min=5, pin_max=6)
        self.assertEqual(self.s.api("PUT", "patrons/1000001", {"pin": "11111"}).status, 204)
        self.refused(self.s.api("PUT", "patrons/1000001", {"pin": "1234"}), 400, 136, None, 2)
        self.refused(self.s.api("PUT", "patrons/1000001", {"pin": "1234567"}), 400, 136, None, 3)


class Creates(Case):
    def create(self, body):
        answer = self.s.api("POST", "patrons/", body)
        self.assertEqual(answer.status, 200, answer.raw)
        link = answer.json()["link"]
        self.assertRegex(link, r"^https://sierra\.example\.org/iii/sierra-api/v6/patrons/\d+$")
        return int(link.rsplit("/", 1)[1])

    def test_all_fields(self):
        new = self.create(FULL)
        self.assertEqual(new, 1000009)
        record = self.record(new)
        for key, value in FULL.items():
            if key != "patronCodes":
                self.assertEqual(record[key], value, key)
        self.assertEqual(record["patronCodes"], {"pcode1": "a", "pcode2": "-", "pcode3": 2, "pcode4": 0})
        self.assertEqual((record["_posts"], record["_puts"], record["deleted"]), (1, 0, False))
        self.assertEqual(self.s.api("GET", "patrons/find", varFieldTag="u", varFieldContent="u1", fields="id").json(), {"id": new})
        answer = self.s.raw("POST", BASE + "/v5/patrons", "{}", {"Authorization": "Bearer " + self.s.token})
        self.assertIn("/v5/patrons/1000010", answer.json()["link"])

    def test_text_survives(self):
        name = 'Ö"\\/NIL, ŁUKASZ 家\u2028'
        new = self.create({"names": [name], "addresses": [{"lines": ["1 MAIN ST$CHAPEL HILL", "NC"], "type": "a"}]})
        entry = self.s.api("GET", f"patrons/{new}", fields="names,addresses,varFields").json()
        self.assertEqual(entry["names"], [name])
        self.assertEqual(entry["addresses"], [{"lines": ["1 MAIN ST", "CHAPEL HILL", "NC"], "type": "a"}])
        self.assertIn({"fieldTag": "a", "content": "1 MAIN ST$CHAPEL HILL$NC"}, entry["varFields"])

    def test_duplicates(self):
        self.create(dict(FULL, barcodes=["100001"]))
        self.create(dict(FULL, barcodes=["100006"]))
        self.assertEqual(self.s.counters()["creates_of_existing_barcode"], 1)
        self.refused(self.s.api("GET", "patrons/find", varFieldTag="b", varFieldContent="100001"), 409, 133)
        both = self.s.admin("GET", "patron?barcode=100001").json()
        self.assertEqual([p["id"] for p in both], [1000001, 1000009])
        self.assertEqual(self.s.admin("GET", "patron?barcode=TWICE").json(), [])
        self.s.switch(duplicate_on_post="reject")
        self.refused(self.s.api("POST", "patrons/", FULL | {"barcodes": ["100001"]}), 400, 108, "barcodes")

    def test_lag(self):
        self.s.switch(read_after_write_lag_ms=400)
        new = self.create(FULL)
        find = {"varFieldTag": "b", "varFieldContent": "555555", "fields": "id"}
        self.refused(self.s.api("GET", f"patrons/{new}"), 404, 107)
        self.refused(self.s.api("GET", "patrons/find", **find), 404, 107)
        self.refused(self.s.api("GET", "patrons", id=f"[{new},]"), 404, 107)
        self.create(FULL)
        self.assertEqual(self.s.counters()["creates_of_existing_barcode"], 1)
        time.sleep(0.5)
        self.assertEqual(self.s.api("GET", f"patrons/{new}").status, 200)
        self.refused(self.s.api("GET", "patrons/find", **find), 409, 133)


class Updates(Case):
    def put(self, patron_id, body, status=204):
        answer = self.s.api("PUT", f"patrons/{patron_id}", body)
        self.assertEqual(answer.status, status, answer.raw)
        return answer

    def test_not_found(self):
        self.s.switch(ghost_ids="1000002,1000003")
        for patron_id in (5, 1000006, 1000007, 1000002, 1000003):
            error = self.refused(self.s.api("PUT", f"patrons/{patron_id}", {"patronType": 1}), 404, 107)
            self.assertEqual(error["name"], "Patron record not found")
        self.assertEqual(self.s.api("GET", "patrons/1000002").status, 200)
        self.assertEqual(self.s.counters()["updates"], 0)

    def test_touches_only_what_is_sent(self):
        before = self.record(1000001)
        answer = self.put(1000001, {"expirationDate": "2028-05-05"})
        self.assertEqual(answer.raw, b"")
        after = self.record(1000001)
        self.assertEqual((after["expirationDate"], after["_puts"]), ("2028-05-05", 1))
        for key, value in before.items():
            if key not in ("expirationDate", "updatedDate", "_puts", "_revisions", "_activityDate"):
                self.assertEqual(after[key], value, key)

    def test_counters(self):
        self.put(1000001, {"expirationDate": "2026-01-01"})
        self.put(1000001, {"names": ["ADAMS, ADA"], "emails": ["ada@example.org,mum@example.org"]})
        self.put(1000001, {"expirationDate": "2025-01-01"})
        self.put(1000001, {"expirationDate": "2027-01-01", "emails": [""]})
        counters = self.s.counters()
        self.assertEqual((counters["updates"], counters["puts_that_changed_nothing"], counters["puts_that_moved_date_backwards"],
                          counters["empty_strings_written"]), (4, 2, 1, 1))

    def test_side_effects(self):
        def fixed():
            return self.s.api("GET", "patrons/1000001", fields="fixedFields").json()["fixedFields"]
        self.s.admin("POST", "load", dict(PEOPLE[0], updatedDate="2020-01-01T00:00:00Z", _activityDate="2020-01-01T00:00:00Z"))
        self.assertEqual([fixed()[n]["value"] for n in ("84", "85", "98", "163")], ["2020-01-01T00:00:00Z", 0] + ["2020-01-01T00:00:00Z"] * 2)
        self.put(1000001, {"expirationDate": "2026-01-01"})
        self.assertEqual(fixed()["85"]["value"], 2)
        for n in ("84", "98", "163"):
            self.assertGreater(fixed()[n]["value"], "2025")
        self.put(1000001, {"expirationDate": "x"}, 400)
        self.assertEqual(fixed()["85"]["value"], 2)
        self.s.switch(put_side_effects="no")
        self.put(1000001, {"patronType": 3})
        self.assertEqual(fixed()["85"]["value"], 2)

    def test_arrays(self):
        more = {"phones": [{"number": "2", "type": "p"}]}
        self.put(1000002, more)
        self.assertEqual(self.record(1000002)["phones"], more["phones"])
        self.s.switch(phones_on_put="append")
        self.put(1000002, more)
        self.assertEqual(self.record(1000002)["phones"], more["phones"] * 2)
        self.put(1000002, {"barcodes": ["new"]})
        find = {"varFieldTag": "b", "fields": "id"}
        self.refused(self.s.api("GET", "patrons/find", varFieldContent="100002", **find), 404, 107)
        self.assertEqual(self.s.api("GET", "patrons/find", varFieldContent="new", **find).json(), {"id": 1000002})
        self.put(1000002, {"emails": [], "barcodes": []})
        self.assertEqual(self.s.api("GET", "patrons/1000002", fields="barcodes,emails").json(), {"id": 1000002})

    def test_var_fields(self):
        self.put(1000008, {"varFields": [{"fieldTag": "x", "content": "other"}, {"fieldTag": "b", "content": "vb"}, {"fieldTag": "a", "content": "1$2"}]})
        record = self.record(1000008)
        self.assertEqual([v["content"] for v in record["varFields"] if v["fieldTag"] == "x"], ["other"])
        self.assertEqual((record["barcodes"], record["addresses"]), (["vb"], [{"lines": ["1", "2"], "type": "a"}]))
        self.assertIn("n", [v["fieldTag"] for v in record["varFields"]])
        self.put(1000008, {"varFields": [{"fieldTag": "x", "content": ""}]})
        self.assertNotIn("x", [v["fieldTag"] for v in self.record(1000008)["varFields"]])
        self.s.switch(varfields_on_put="add-only")
        self.put(1000008, {"varFields": [{"fieldTag": t, "content": "new"} for t in "xb"]})
        self.put(1000008, {"varFields": [{"fieldTag": "x", "content": "two"}]})
        record = self.record(1000008)
        self.assertEqual([v["content"] for v in record["varFields"] if v["fieldTag"] == "x"], ["new", "two"])
        self.assertEqual(record["barcodes"], ["vb"])

    def test_fixed_fields(self):
        self.put(1000001, {"fixedFields": {"43": {"label": "EXP", "value": "2029-01-01T08:00:00Z"}, "47": {"label": "P", "value": "7"},
                                           "44": {"label": "P1", "value": "q"}, "85": {"label": "R", "value": 99}}})
        record = self.record(1000001)
        self.assertEqual((record["expirationDate"], record["patronType"], record["patronCodes"]["pcode1"]), ("2029-01-01", 7, "q"))
        self.assertEqual(record["_revisions"], 2)

    def test_delete(self):
        self.assertEqual(self.s.api("DELETE", "patrons/1000001").status, 204)
        self.refused(self.s.api("DELETE", "patrons/1000001"), 404, 107)
        self.refused(self.s.api("GET", "patrons/find", varFieldTag="b", varFieldContent="100001"), 404, 107)
        self.assertEqual(sorted(self.s.api("GET", "patrons/1000001").json()), ["deleted", "deletedDate", "id"])


class State(Case):
    def test_dump_can_be_loaded(self):
        self.s.api("POST", "patrons/", FULL)
        self.s.api("PUT", "patrons/1000002", {"expirationDate": "2029-09-09"})
        shown = self.s.dump()
        status, dumped = self.s.stop()
        self.assertEqual(status, 0)
        self.assertEqual([r["id"] for r in dumped], sorted(r["id"] for r in dumped))
        self.assertEqual({r["id"]: r for r in dumped}, shown)
        for record in PEOPLE:
            for key, value in record.items():
                self.assertEqual(shown[record["id"]][key], "2029-09-09" if (record["id"], key) == (1000002, "expirationDate") else value)
        self.assertEqual((shown[1000001]["pin"], shown[1000009]["pin"]), ("02x03", "03x04"))
        again = Standin(records=dumped)
        self.addCleanup(again.stop)
        self.assertEqual(again.dump(), shown)

    def test_load_at_run_time(self):
        self.s.admin("POST", "load", {"id": 1000001, "names": ["ADAMS, NEW"], "barcodes": ["777"]})
        self.s.admin("POST", "load", {"id": 999, "names": ["FIRST, F"]})
        self.assertEqual(self.s.admin("POST", "load", {"names": 5}).status, 400)
        ids = [e["id"] for e in self.s.api("GET", "patrons", fields="id").json()["entries"]]
        self.assertEqual(ids, [999] + [p["id"] for p in PEOPLE])
        self.refused(self.s.api("GET", "patrons/find", varFieldTag="b", varFieldContent="100001"), 404, 107)
        self.assertEqual(self.s.api("GET", "patrons/find", varFieldTag="b", varFieldContent="777", fields="id").json(), {"id": 1000001})

    def test_reset(self):
        self.s.api("POST", "patrons/", FULL)
        self.assertEqual(self.s.counters()["requests"]["post"], 1)
        self.s.admin("POST", "reset-counters")
        counters = self.s.counters()
        self.assertEqual((counters["requests"]["post"], counters["creates"], counters["tokens_issued"]), (0, 0, 0))
        self.assertGreater(counters["cpu_seconds"], 0)

    def test_unsorted_file(self):
        s = Standin("--first-id", "50", records=[{"id": n} for n in (90, 70, 80)] + [{"names": ["X"]}])
        self.addCleanup(s.stop)
        self.assertEqual([e["id"] for e in s.api("GET", "patrons").json()["entries"]], [70, 80, 90, 91])
