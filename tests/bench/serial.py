#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain serial loader that patrond is measured against: Python's standard library, a new connection for each request,
one request after the other, as such scripts are written. It does the job of a load of the default layout: unpacks the zip
(by 7z, in memory), retrieves all patrons in pages, matches by barcode, name and birth date, moves expiration dates, creates
the rest. It is no model: an answer other than the expected one ends it, and nothing is looked up, checked or read back.

    serial.py URL CA KEY:SECRET ZIP PASSWORD-FILE
"""
import base64
import csv
import datetime
import io
import json
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

PAGE = 2000


def fold(text):
    return "".join(c for c in text.upper() if c.isalnum())


def rows_of(archive, name, password):
    data = subprocess.run(["7z", "e", "-so", "-bso0", "-bsp0", "-p" + password, archive, name], check=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120).stdout
    return [row for row in csv.reader(io.StringIO(data.decode(errors="replace"), newline="")) if any(c.strip() for c in row)]


class Loader:
    def __init__(self, url, ca, credential):
        self.url, self.requests, self.token = url, 0, None
        self.context = ssl.create_default_context(cafile=ca)
        basic = base64.b64encode(credential.encode()).decode()
        answer = self.send("POST", "/token", b"grant_type=client_credentials", "Basic " + basic,
                           "application/x-www-form-urlencoded")
        self.token = "Bearer " + answer["access_token"]

    def send(self, method, path, body=None, authorization=None, kind="application/json"):
        request = urllib.request.Request(self.url + path, data=body, method=method)
        request.add_header("Authorization", authorization or self.token)
        request.add_header("Accept", "application/json")
        if body is not None:
            request.add_header("Content-Type", kind)
        self.requests += 1
        with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
            data = answer.read()
        return json.loads(data) if data else None

    def index(self):
        by_barcode, at = {}, 1
        while True:
            try:
                page = self.send("GET", f"/patrons/?deleted=false&limit={PAGE}&fields=id,barcodes,names,birthDate,expirationDate"
                                 f"&id=%5B{at},%5D")
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
                return by_barcode
            for patron in page["entries"]:
                for barcode in patron.get("barcodes", []):
                    by_barcode.setdefault(barcode.strip(), []).append(patron)
            at = page["entries"][-1]["id"] + 1


def student(row):
    """The values of a row, or None where it is to be passed over."""
    row = [cell.strip() for cell in row]
    at = 10 if len(row) > 10 and row[10][:5].isdigit() else 11
    if len(row) < at + 5 or row[0].lower() not in ("", "0", "n", "no", "false") or row[-1] not in ("0", "1"):
        return None
    try:
        birth = datetime.datetime.strptime(row[4], "%m/%d/%Y").date()
    except ValueError:
        return None
    emails = [e for cell in [row[at + 1]] + row[at + 3:-1] for e in cell.replace(";", " ").replace(",", " ").split() if "@" in e]
    return dict(key=row[1].replace(" ", "").replace("-", "").lstrip("#"), first=row[2], last=row[3], birth=birth, email=emails,
                street=" ".join(row[7:at - 2]), city=f"{row[at - 2]} {row[at - 1]} {row[at]}",
                phones=[(row[at + 2], "t")], pin=birth.strftime("%mx%d"))


def staff(row):
    row = [cell.strip() for cell in row]
    if len(row) != 14:
        return None
    key = row[1].replace(" ", "").replace("-", "").lstrip("#")
    return dict(key=key, first=row[2], last=row[3], birth=None, email=[e for e in [row[10]] if "@" in e],
                street=row[4], city=f"{row[5]} {row[6]} {row[7]}", phones=[(row[8], "t"), (row[9], "p")],
                pin=f"{key[6:8]}x{key[8:10]}" if len(key) > 9 else f"{key[-4:-2]}x{key[-2:]}")


def same_person(person, patron):
    names = [[fold(part) for part in name.partition(",")[::2]] for name in patron.get("names", [])]
    last = any(fold(person["last"]) == surname for surname, _ in names)
    first = any(given.startswith(fold(person["first"])) for _, given in names)
    if person["birth"] is None:
        return last or first
    if "birthDate" not in patron:
        return last
    return patron["birthDate"] == person["birth"].isoformat() or (last and first)


def body_of(person, expires):
    body = {"names": [f"{person['last']}, {person['first']}".upper()], "barcodes": [person["key"]], "patronType": 15,
            "expirationDate": expires.isoformat(), "pin": person["pin"],
            "birthDate": person["birth"].isoformat() if person["birth"] else "1980-01-01",
            "addresses": [{"lines": [line.upper().replace(".", "") for line in (person["street"], person["city"]) if line],
                           "type": "a"}]}
    phones = [{"number": number, "type": kind} for number, kind in person["phones"] if number]
    if phones:
        body["phones"] = phones
    if person["email"]:
        body["emails"] = [",".join(person["email"])]
    return body


def main():
    url, ca, credential, archive, password_file = sys.argv[1:]
    with open(password_file, encoding="utf-8") as file:
        password = file.read().rstrip("\n")
    loader = Loader(url, ca, credential)
    patrons = loader.index()
    expires = datetime.date.today() + datetime.timedelta(weeks=156)
    done = {"renewed": 0, "created": 0}
    for name, parse in (("CHCCS_Students_upload.csv", student), ("CHCCS_staff.csv", staff)):
        seen = set()
        for row in rows_of(archive, name, password):
            person = parse(row)
            if not person or not person["key"].isdigit() or len(person["key"]) < 4 or person["key"] in seen:
                continue
            seen.add(person["key"])
            found = patrons.get(person["key"], [])
            if not found:
                loader.send("POST", "/patrons/", json.dumps(body_of(person, expires)).encode())
                done["created"] += 1
            elif len(found) == 1 and same_person(person, found[0]):
                if found[0].get("expirationDate", "") < (expires - datetime.timedelta(days=28)).isoformat():
                    loader.send("PUT", f"/patrons/{found[0]['id']}",
                                json.dumps({"expirationDate": expires.isoformat()}).encode())
                    done["renewed"] += 1
    print(json.dumps(dict(done, requests=loader.requests)))


if __name__ == "__main__":
    try:
        main()
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code} {error.read()[:200]!r}")
