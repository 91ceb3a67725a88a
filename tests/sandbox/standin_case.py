# SPDX-License-Identifier: GPL-3.0-or-later
"""What all cases of the stand-in share: its people, one whole body, and a server for each test."""

import unittest

from standin_client import Standin


PEOPLE = [
    {"id": 1000001, "names": ["ADAMS, ADA"], "barcodes": ["100001"], "expirationDate": "2026-01-01", "birthDate": "2010-02-03",
     "patronType": 15, "homeLibraryCode": "ch", "emails": ["ada@example.org,mum@example.org"], "pin": "02x03"},
    {"id": 1000002, "names": ["BAKER, BEN"], "barcodes": ["100002", "900002"], "expirationDate": "2027-01-01",
     "phones": [{"number": "9195550100", "type": "t"}], "moneyOwed": 101.89},
    {"id": 1000003, "names": ["COLE, CLEO"], "barcodes": ["twice"]},
    {"id": 1000004, "names": ["DIAZ, DAN"], "barcodes": ["Twice "]},
    {"id": 1000005, "names": ["EVANS, EVE"]},
    {"id": 1000006, "names": ["FLORES, FAY"], "barcodes": ["100006"], "deletedDate": "2020-05-05"},
    {"id": 1000007, "names": ["GHOST, GUS"], "barcodes": ["100007"], "_ghost": True},
    {"id": 1000008, "barcodes": ["", "12345678 / PREV ID"], "varFields": [
        {"fieldTag": "n", "marcTag": "100", "ind1": " ", "ind2": " ", "subfields": [{"tag": "a", "content": "HILL,"}, {"tag": "b", "content": "H"}]},
        {"fieldTag": "x", "content": "a note"}]},
]
LIVE = [p["id"] for p in PEOPLE if "deletedDate" not in p]

FULL = {"names": ["STUDENT, SAM"], "barcodes": ["555555"], "patronType": 15, "expirationDate": "2028-01-02", "birthDate": "2012-03-04",
        "pin": "03x04", "emails": ["a@example.org,b@example.org"], "addresses": [{"lines": ["1 MAIN ST", "CHAPEL HILL NC 27514"], "type": "a"}],
        "phones": [{"number": "9195550100", "type": "t"}], "patronCodes": {"pcode1": "a", "pcode3": 2}, "homeLibraryCode": "ch",
        "blockInfo": {"code": "-"}, "uniqueIds": ["u1"], "pMessage": "x", "langPref": "eng",
        "fixedFields": {"268": {"label": "NOTICE", "value": "z"}}, "varFields": [{"fieldTag": "x", "content": "note"}]}


class Case(unittest.TestCase):
    args = ()
    records = PEOPLE

    def setUp(self):
        self.s = Standin(*self.args, records=self.records)
        self.addCleanup(self.s.stop)

    def refused(self, answer, status, code, text=None, specific=0):
        self.assertEqual(answer.status, status, answer.raw)
        error = answer.json()
        self.assertEqual((error["code"], error["httpStatus"], error["specificCode"]), (code, status, specific), error)
        self.assertTrue(error["name"])
        if text:
            self.assertIn(text, error["name"] + " | " + error.get("description", ""))
        return error

    def record(self, patron_id):
        return self.s.dump()[patron_id]
