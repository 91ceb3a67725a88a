# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorisation, lists, find, get, query."""

import datetime
import time

from standin_case import LIVE, PEOPLE, Case
from standin_client import BASE, basic


class Authorisation(Case):
    def token(self, path="/v6/token", **headers):
        return self.s.raw("POST", BASE + path, headers=headers)

    def test_token_refusals(self):
        self.refused(self.token(), 401, 113)
        for garbled in ("", "Basic", "Basic ", "x", "Basic a b"):
            self.refused(self.token(Authorization=garbled), 401, 113)
        self.refused(self.token(Authorization="Bearer abc"), 400, 121)
        self.refused(self.token(Authorization=basic("key:wrong")), 401, 127)
        self.s.switch(token_refusal="oauth")
        self.assertEqual(self.token(Authorization=basic("key:wrong")).json()["error"], "invalid_client")

    def test_resource_refusals(self):
        for headers, status, code in (({}, 401, 113), ({"Authorization": "Bearer"}, 401, 113), ({"Authorization": basic()}, 400, 121),
                                      ({"Authorization": "Bearer nobody"}, 401, 123)):
            for method, path in (("GET", "patrons"), ("GET", "patrons/find"), ("PUT", "patrons/1000001"), ("POST", "patrons/")):
                self.refused(self.s.raw(method, BASE + "/v6/" + path, headers=headers), status, code)
        self.assertEqual(self.s.counters()["creates"] + self.s.counters()["updates"], 0)

    def test_token(self):
        for path in ("/v6/token", "/v5/token", "/token", "/v6/token/", "/token/"):
            answer = self.token(path, Authorization=basic())
            self.assertEqual(answer.status, 200, path)
            token = answer.json()
            self.assertEqual(sorted(token), ["access_token", "expires_in", "token_type"])
            self.assertEqual((token["token_type"], token["expires_in"], len(token["access_token"])), ("bearer", 3600, 107))
        first = self.s.login()
        self.s.login()
        self.s.token = first
        self.assertEqual(self.s.api("GET", "info/token").status, 200)
        self.assertEqual(self.s.counters()["tokens_issued"], 7)
        self.s.switch(token_single="yes")
        self.token(Authorization=basic())
        self.refused(self.s.api("GET", "info/token"), 401, 123)

    def test_token_expires(self):
        self.s.switch(token_lifetime=1)
        self.assertEqual(self.s.api("GET", "patrons").status, 200)
        time.sleep(1.1)
        self.refused(self.s.api("GET", "patrons"), 401, 123, "invalid_grant")

    def test_about(self):
        self.assertIn("sierraVersion", self.s.raw("GET", BASE + "/about").json())
        self.assertIsInstance(self.s.api("GET", "patrons/metadata").json(), list)

    def test_paths(self):
        self.s.login()
        headers = {"Authorization": "Bearer " + self.s.token}
        for path in ("/v6/patrons", "/v5/patrons", "/v6/patrons/", "/v5/patrons/1000001", "/v6/patrons/1000001/"):
            self.assertEqual(self.s.raw("GET", BASE + path, headers=headers).status, 200, path)
        for method, path, status in (("GET", BASE + "/v4/patrons", 404), ("GET", BASE + "/patrons", 404), ("GET", "/other", 404),
                                     ("GET", BASE + "/v6/patrons/12x", 404), ("GET", BASE + "/v6/token", 405), ("PUT", BASE + "/v6/patrons", 405)):
            answer = self.s.raw(method, path, headers=headers)
            self.assertEqual(answer.status, status, path)
            self.assertIn("text/html", answer.headers["Content-Type"])


class Lists(Case):
    def ids(self, **params):
        answer = self.s.api("GET", "patrons", **params)
        self.assertEqual(answer.status, 200, answer.raw)
        return [e["id"] for e in answer.json()["entries"]]

    def test_refusals(self):
        for params, code, text in (({"fields": "nonsense"}, 108, "nonsense is not a valid field"), ({"fields": "id,pin"}, 108, "pin is not a valid field"),
                                   ({"limit": "0"}, 108, None), ({"limit": "x"}, 108, None), ({"offset": "-1"}, 108, None), ({"id": "[5"}, 108, None),
                                   ({"id": "[5,x]"}, 108, None), ({"id": "a,b"}, 108, None), ({"deleted": "maybe"}, 108, None),
                                   ({"updatedDate": "[2020-01-01,]"}, 108, None), ({"nonsense": "1"}, 106, "nonsense"),
                                   ({"id": ",".join(str(n) for n in range(1, 2002))}, 108, None)):
            self.refused(self.s.api("GET", "patrons", **params), 400, code, text)
        self.assertEqual(self.s.api("GET", "patrons", fields=",", deleted="true").status, 500)

    def test_end(self):
        for params in ({"offset": 100}, {"id": "[2000000,]"}, {"id": "5"}, {"deleted": "true", "deletedDate": "2001-01-01"}):
            self.assertEqual(self.refused(self.s.api("GET", "patrons", **params), 404, 107),
                             {"code": 107, "specificCode": 0, "httpStatus": 404, "name": "Record not found"})
        self.s.switch(empty_list="200-empty")
        self.assertEqual(self.s.api("GET", "patrons", id="[2000000,]").json(), {"total": 0, "start": 0, "entries": []})
        self.s.switch(empty_list="200-empty-without-total")
        self.assertEqual(self.s.api("GET", "patrons", id="[2000000,]").json(), {"start": 0, "entries": []})

    def test_ranges(self):
        everyone = [p["id"] for p in PEOPLE]
        self.assertEqual(self.ids(), everyone)
        self.assertEqual(self.ids(deleted="false"), LIVE)
        self.assertEqual(self.ids(deleted="true"), [1000006])
        self.assertEqual(self.ids(id="[1000003,1000005]"), [1000003, 1000004, 1000005])
        self.assertEqual(self.ids(id="[1000007,]"), [1000007, 1000008])
        self.assertEqual(self.ids(id="[,1000002]"), [1000001, 1000002])
        self.assertEqual(self.ids(id="1000005,1000002,7"), [1000002, 1000005])
        self.assertEqual(self.ids(id="1000002,1000005", limit=1), [1000002])
        self.assertEqual(self.ids(offset=2, limit=2), [1000003, 1000004])
        self.assertEqual(self.ids(deleted="true", deletedDate="[2020-01-01,2020-12-31]"), [1000006])
        today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        self.assertEqual(self.ids(updatedDate=f"[{today}T00:00:00Z,]"), everyone)
        self.assertEqual(self.s.api("GET", "patrons?id=[1000003,1000003]").json()["entries"][0]["id"], 1000003)

    def test_fields(self):
        def entry(patron_id, **params):
            return self.s.api("GET", "patrons", id=patron_id, **params).json()["entries"][0]
        self.assertEqual(entry(1000001, fields="barcodes,birthDate"), {"id": 1000001, "barcodes": ["100001"], "birthDate": "2010-02-03"})
        self.assertEqual(entry(1000005, fields="id,barcodes,expirationDate"), {"id": 1000005})
        self.assertEqual(entry(1000006, fields="id,names,barcodes"), {"id": 1000006, "deletedDate": "2020-05-05", "deleted": True})
        default = entry(1000002)
        self.assertNotIn("names", default)
        self.assertNotIn("barcodes", default)
        self.assertEqual((default["moneyOwed"], default["blockInfo"]), (101.89, {"code": "-"}))
        self.assertIn("names", entry(1000002, fields="default,names"))
        everything = entry(1000001, fields=",")
        self.assertNotIn("pin", everything)
        self.assertEqual(everything["deleted"], False)
        self.assertEqual(everything["fixedFields"]["53"]["value"], "ch   ")
        self.assertEqual(everything["fixedFields"]["47"]["value"], "15")
        pin = [v["content"] for v in everything["varFields"] if v["fieldTag"] == "="]
        self.assertEqual(len(pin), 1)
        self.assertNotIn("02x03", pin)
        self.s.switch(code_padding="no")
        self.assertEqual(entry(1000001, fields="fixedFields")["fixedFields"]["53"]["value"], "ch")
        both = self.s.api("GET", "patrons?id=1000001&fields=names&fields=barcodes").json()["entries"][0]
        self.assertEqual(sorted(both), ["barcodes", "id", "names"])

    def test_dirty_data_passes(self):
        entry = self.s.api("GET", "patrons/1000008", fields="names,barcodes,varFields").json()
        self.assertNotIn("names", entry)
        self.assertEqual(entry["barcodes"], ["", "12345678 / PREV ID"])
        self.assertIn("subfields", [v for v in entry["varFields"] if v["fieldTag"] == "n"][0])

    def test_total_and_start(self):
        self.assertEqual(self.s.api("GET", "patrons", limit=3, offset=1).json()["total"], 3)
        self.assertEqual(self.s.api("GET", "patrons", limit=3, offset=1).json()["start"], 1)
        self.s.switch(total="true")
        self.assertEqual(self.s.api("GET", "patrons", limit=3, deleted="false").json()["total"], len(LIVE))
        self.s.switch(total="absent")
        self.assertNotIn("total", self.s.api("GET", "patrons").json())


class Pages(Case):
    args = ("--generate", "5000")
    records = None

    def rows(self, **params):
        return len(self.s.api("GET", "patrons", **params).json()["entries"])

    def test_limits(self):
        self.assertEqual(self.rows(), 50)
        self.assertEqual(self.rows(limit=2000), 2000)
        self.assertEqual(self.rows(limit=10000), 2000)
        self.s.switch(over_limit="clamp:500")
        self.assertEqual(self.rows(limit=2000), 500)
        self.s.switch(over_limit="clamp:3000")
        self.assertEqual(self.rows(limit=2500), 2500)
        self.s.switch(over_limit="400")
        self.refused(self.s.api("GET", "patrons", limit=2001), 400, 108)

    def test_harvest_of_derived_records(self):
        seen, at = {}, 0
        while True:
            answer = self.s.api("GET", "patrons", id=f"[{at},]", limit=700, deleted="false", fields="id,barcodes,names,birthDate,expirationDate")
            if answer.status == 404:
                break
            for e in answer.json()["entries"]:
                self.assertGreaterEqual(e["id"], at)
                at = e["id"] + 1
                seen[e["id"]] = e
        self.assertEqual(list(seen), list(range(1000001, 1005001)))
        for i in (0, 39, 40, 1039, 1040, 4999):
            entry = seen[1000001 + i]
            self.assertEqual(entry["barcodes"], [str(10000000 + i)])
            self.assertEqual(entry["birthDate"], str(datetime.date(2005, 1, 1) + datetime.timedelta(days=i % 5000)))
            self.assertEqual(entry["expirationDate"], str(datetime.date(2024, 1, 1) + datetime.timedelta(days=i % 700)))
        self.assertEqual(seen[1000001]["names"], ["ADAMS, ADA"])
        self.assertEqual(seen[1000001 + 41]["names"], ["BAKER, BEN"])

    def test_overlay(self):
        find = {"varFieldTag": "b", "fields": "id,barcodes,deleted"}
        self.assertEqual(self.s.api("GET", "patrons/find", varFieldContent="10000007", **find).json()["id"], 1000008)
        self.assertEqual(self.s.api("PUT", "patrons/1000008", {"barcodes": ["other"]}).status, 204)
        self.refused(self.s.api("GET", "patrons/find", varFieldContent="10000007", **find), 404, 107)
        self.assertEqual(self.s.api("GET", "patrons/find", varFieldContent="other", **find).json()["id"], 1000008)
        link = self.s.api("POST", "patrons/", {"barcodes": ["10000009"]}).json()["link"]
        self.assertTrue(link.endswith("/1005001"))
        self.refused(self.s.api("GET", "patrons/find", varFieldContent="10000009", **find), 409, 133)
        self.assertEqual(self.s.counters()["creates_of_existing_barcode"], 1)
        self.assertEqual(self.s.api("PUT", "patrons/1000003", {"expirationDate": "2030-01-01"}).status, 204)
        ids = [e["id"] for e in self.s.api("GET", "patrons", id="[1000001,]", limit=2000).json()["entries"]]
        self.assertEqual(ids, list(range(1000001, 1002001)))
        self.assertEqual(self.s.api("GET", "patrons", id="[1005000,]").json()["entries"][-1]["id"], 1005001)
        status, dumped = self.s.stop()
        self.assertEqual((status, [r["id"] for r in dumped]), (0, [1000003, 1000008, 1005001]))
        self.setUp()
        self.s.switch(dump_generated="yes")
        self.assertEqual(len(self.s.dump()), 5000)


class Finds(Case):
    def find(self, content, tag="b", **params):
        return self.s.api("GET", "patrons/find", varFieldTag=tag, varFieldContent=content, **params)

    def test_refusals(self):
        self.refused(self.s.api("GET", "patrons/find", varFieldTag="b"), 400, 105)
        self.refused(self.s.api("GET", "patrons/find", varFieldContent="100001"), 400, 105)
        self.refused(self.find("100001", "q"), 400, 108)
        self.refused(self.find("100001", fields="nonsense"), 400, 108, "nonsense is not a valid field")
        self.refused(self.find("100001", limit=5), 400, 106)
        self.assertEqual(self.refused(self.find("nobody"), 404, 107)["name"], "Record not found")
        self.refused(self.find("100006"), 404, 107)
        self.refused(self.find("12345678"), 404, 107)
        error = self.refused(self.find("twice"), 409, 133)
        self.assertEqual((error["name"], error["description"]),
                         ("Internal server error", "Duplicate patrons found for the specified varFieldTag[b]."))

    def test_found(self):
        self.assertEqual(self.find("100001", fields="id,barcodes,deleted").json(), {"id": 1000001, "deleted": False, "barcodes": ["100001"]})
        self.assertEqual(self.find("900002", fields="id").json(), {"id": 1000002})
        self.assertEqual(self.find("12345678 / prev id", fields="id").json(), {"id": 1000008})
        self.s.switch(find_match="exact")
        self.assertEqual(self.find("twice", fields="id").json(), {"id": 1000003})
        self.s.switch(find_deleted="yes")
        self.assertEqual(self.find("100006", fields="id,barcodes").json(), {"id": 1000006, "deletedDate": "2020-05-05", "deleted": True})

    def test_get(self):
        self.assertEqual(self.refused(self.s.api("GET", "patrons/5"), 404, 107)["name"], "Record not found")
        self.refused(self.s.api("GET", "patrons/1000001", fields="nonsense"), 400, 108)
        self.assertEqual(self.s.api("GET", "patrons/1000007", fields="names").json(), {"id": 1000007, "names": ["GHOST, GUS"]})
        self.assertEqual(self.s.api("GET", "patrons/1000006").json(), {"id": 1000006, "deletedDate": "2020-05-05", "deleted": True})

    def test_query(self):
        def query(target, op, operands, path="patrons/query?offset=0&limit=10"):
            return self.s.api("POST", path, {"target": {"record": {"type": "patron"}, **target}, "expr": {"op": op, "operands": operands}})
        tag = {"field": {"tag": "b"}}
        self.refused(query(tag, "equals", ["twice"], "patrons/query?offset=0"), 400, 105)
        self.refused(query(tag, "nonsense", ["twice"]), 400, 130)
        self.refused(self.s.api("POST", "patrons/query?offset=0&limit=1", "{"), 400, 130)
        links = query(tag, "equals", ["twice", ""]).json()
        self.assertEqual([e["link"].rsplit("/", 1)[1] for e in links["entries"]], ["1000003", "1000004"])
        self.assertEqual(query(tag, "equals", ["nobody", ""]).json(), {"total": 0, "start": 0, "entries": []})
        for op, operands, ids in (("equals", ["2026-01-01"], ["1000001"]), ("greater_than", ["2026-01-01"], ["1000002"]),
                                  ("between", ["2026-01-01", "2027-01-01"], ["1000001", "1000002"])):
            links = query({"id": 43}, op, operands).json()
            self.assertEqual([e["link"].rsplit("/", 1)[1] for e in links["entries"]], ids)

    def test_validate(self):
        check = {"barcode": "100001", "pin": "wrong"}
        self.refused(self.s.api("POST", "patrons/validate", check), 400, 108, "Invalid barcode or PIN")
        self.assertEqual(self.s.api("POST", "patrons/validate", dict(check, pin="02x03")).status, 204)
