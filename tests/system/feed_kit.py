# SPDX-License-Identifier: GPL-3.0-or-later
"""Zips of every kind, good and evil, and a rig for small feeds written by hand."""
import base64
import csv
import io
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

from rig import API_KEY, Rig

BUILD = os.path.dirname(os.environ.get("PATROND_BIN", os.path.join(os.path.dirname(__file__), "../../build/release/bin")))
STUDENTS, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"
PASSWORD = "the zip's own password"
STUDENT_HEADER = ("S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,First_Name,Last_Name,DOB,SchoolID,Grade_Level,"
                  "Mailing_Street,Mailing_City,Mailing_State,Mailing_Zip,S_NC_STUDENTDEMO.EMAIL_ADDRESS,Home_Phone,"
                  "Guardian_Email,Enroll_Status")
STAFF_HEADER = ("Employment Status,UIDStaffID,FirstName,LastName,Address1,City,State,Zip,Mobile Phone,Home Phone,Email,"
                "PR Job Desc.,PrimarySiteId,Site Name")


# --- zips ---

def pack(entries, tool="7z", password=PASSWORD, to=None):
    """A zip as a person makes it. entries: {name: bytes}. tool: 7z (AES-256), zip (ZipCrypto), zip-plain. to: add to that zip."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        path = os.path.join(directory, "out.zip")
        if to is not None:
            with open(path, "wb") as file:
                file.write(to)
        inside = os.path.join(directory, "in")
        for name, data in entries.items():
            place = os.path.join(inside, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(data)
        if tool == "7z":
            command = ["7z", "a", "-tzip", "-mem=AES256", "-mx=1", "-bso0", "-bsp0", "-p" + password, path, "."]
        else:
            command = ["zip", "-q", "-r", *(["-e", "-P", password] if tool == "zip" else []), path, "."]
        subprocess.run(command, cwd=inside, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        with open(path, "rb") as file:
            return file.read()


def unpack(data, password):
    """The files of a zip, taken out by 7z, and the methods by which they are packed: ({name: bytes}, {method})."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        path = os.path.join(directory, "in.zip")
        with open(path, "wb") as file:
            file.write(data)
        out = os.path.join(directory, "out")
        subprocess.run(["7z", "x", "-bso0", "-bsp0", "-p" + password, "-o" + out, path], check=True,
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        listing = subprocess.run(["7z", "l", "-slt", "-p" + password, path], check=True, stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=120).stdout
        methods = {line.partition(" = ")[2] for line in listing.splitlines() if line.startswith("Method = ")}
        files = {}
        for name in os.listdir(out):
            with open(os.path.join(out, name), "rb") as file:
                files[name] = file.read()
        return files, methods


def flip(data, at):
    """One bit of it turned over."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def rename(data, old, new):
    """Another name, as long, in the local and the central header."""
    assert len(old) == len(new) and data.count(old) == 2
    return data.replace(old, new)


# --- feeds ---

def feed(lines, header=None, dcid=None, delimiter=",", newline="\n", encoding="utf-8"):
    """The bytes of a feed. lines: of text with commas, one a row. dcid: a function of the row's place, for that column."""
    rows = [next(csv.reader([line]), []) if "\n" not in line else next(csv.reader(io.StringIO(line, newline="")))
            for line in lines]
    if dcid:
        rows = [row + [dcid(i)] if len(row) > 1 else row for i, row in enumerate(rows)]
    if header:
        rows.insert(0, header.split(",") + (["S_NC_STUDENTDEMO.STUDENTSDCID"] if dcid else []))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    for row in rows:
        if len(row) > 1:
            writer.writerow(row)
        else:
            out.write((row[0] if row else "") + newline)
    return out.getvalue().encode(encoding)


def student(key, first="Nele", last="Vandermolen", born="5/17/2012", optout="0", status="0"):
    """A student's row that has nothing unusual about it."""
    return (f"{optout},{key},{first},{last},{born},312,07,4 Tannery Walk,Chapel Hill,NC,27514,kid@students.example.org,"
            f"919-555-0150,parent@home.invalid,{status}")


def staff(key, first="Ruben", last="Castelmor"):
    return f"Active,{key},{first},{last},6 Foundry Row,Durham,NC,27701,919-555-0160,,staff@example.org,Teacher,312,Quill School"


def patron(number, barcode, name="VANDERMOLEN, NELE", expires="2024-03-01", born="2012-05-17"):
    """The patron that a row of student() with that key renews."""
    return {"id": number, "patronType": 15, "names": [name], "barcodes": [barcode], "expirationDate": expires,
            "birthDate": born}


# A patron that is nobody's: Sierra is never without any.
BYSTANDER = patron(1000999, "21999000", "BYSTANDER, BRUNO", "2030-01-01", "1970-01-01")


class House(Rig):
    """A rig with helpers for small feeds. Its stand-in is started anew with whatever patrons a test wants."""

    def __init__(self):
        super().__init__(BUILD)
        self.extra, self.sources = "", ("sftp", "share")
        self.credential("zip-password", PASSWORD)

    def config(self, extra="", sources=("sftp", "share")):
        """As the rig's, kept for the next stand-in, and files need not stand still for long."""
        self.extra, self.sources = extra, sources
        quick = "".join(f"[{name}]\nsettle = 40ms\n" for name in sources if name == "share" or self.sftp)
        return super().config(quick + extra, sources)

    def sierra_with(self, patrons, *options, switches=(), **more):
        """Starts the stand-in anew with these patrons, notes how they are, and points the configuration at it."""
        self.stop_sierra()
        path = self.path("patrons.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(p) + "\n" for p in patrons)
        self.start_sierra(*options, load=path, switches=switches, **more)
        self.before = self.dump()
        self.config(self.extra, self.sources)

    def switch(self, **values):
        """Switches of the stand-in, _ for -; faults by fault("name@kind", when)."""
        self.ask("switch", {name.replace("_", "-"): value for name, value in values.items()})

    def fault(self, name, when="always"):
        self.ask("switch", {"fault." + name: when})

    def calm(self):
        self.ask("clear-faults", {})

    def ask_lines(self, path, records):
        """As ask(), with a record a line."""
        data = "".join(json.dumps(record) + "\n" for record in records).encode()
        request = urllib.request.Request(f"https://127.0.0.1:{self.sierra_port}/_standin/{path}", data=data)
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
            return answer.read()

    def unseen(self, body):
        """Makes a patron over the API, as staff would, that no list or look-up shows for an hour."""
        self.switch(read_after_write_lag_ms="3600000")
        context = ssl._create_unverified_context()
        base = f"https://127.0.0.1:{self.sierra_port}/iii/sierra-api/v6/"

        def call(path, data, authorization):
            request = urllib.request.Request(base + path, data=data, headers={"Authorization": authorization,
                                                                              "Content-Type": "application/json"})
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return json.loads(answer.read())
        token = call("token", b"", "Basic " + base64.b64encode(API_KEY.encode()).decode())["access_token"]
        call("patrons", json.dumps(body).encode(), "Bearer " + token)
        self.switch(read_after_write_lag_ms="0")

    def share(self, name, data, age=60):
        """Puts a file on the share, so many seconds old."""
        path = self.path("share", name)
        with open(path + ".part", "wb") as file:
            file.write(data)
        self.give(path + ".part")
        when = time.time() - age
        os.utime(path + ".part", (when, when))
        os.rename(path + ".part", path)
        return path

    def forget(self):
        """Empties the share, the drop and patrond's memory."""
        for folder in [self.path("share"), self.path("runtime")] + ([self.sftp.drop] if self.sftp else []):
            for name in os.listdir(folder):
                path = os.path.join(folder, name)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)

    def writes(self):
        """Requests that write which the stand-in has had since its counters began."""
        requests = self.counters()["requests"]
        return requests["post"] + requests["put"]
