# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds that are hostile or broken, each named for what is wrong with it, with its verdict.

A verdict is the word of the refusal (a text), or what becomes of the rows: {reason: rows}, "" for rows that are taken. The
verdicts are the domain's, written down by hand; the code that reads feeds has no part in this file.
"""
import gzip
import random
import struct

from hostile_zip import STAFF, STUDENT, Entry, archive, deflated, encrypted, feed, patched, seven

COLUMNS = ["S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT", "Student_Number", "First_Name", "Last_Name", "DOB", "SchoolID", "Grade_Level",
           "Mailing_Street", "Mailing_City", "Mailing_State", "Mailing_Zip", "S_NC_STUDENTDEMO.EMAIL_ADDRESS", "Home_Phone",
           "Guardian_Email", "Enroll_Status"]
HEADER = ",".join(COLUMNS) + "\r\n"
GOOD = ["", "1234567", "Ada", "Lovelace", "12/10/2010", "304", "5", "1 Main St", "Chapel Hill", "NC", "27514", "ada@x.org", "919-555-0100",
        "mum@x.org", "0"]
OUT, KEY, FIRST, LAST, DOB, SCHOOL, GRADE, STREET, CITY, STATE, ZIP, EMAIL, PHONE, GUARDIAN, STATUS = range(15)
MEMBER = ["Active", "2000000001", "Grace", "Hopper", "2 Oak St", "Carrboro", "NC", "27510", "919-555-0101", "", "g@x.org", "Teacher", "304",
          "School"]
TAKEN, NOBODY = {"": 1}, {"opted-out": 1}


def cells(changes=None, base=None):
    row = list(base or GOOD)
    for column, value in (changes or {}).items():
        row[column] = value
    return row


def line(changes=None, delimiter=",", end="\r\n"):
    return delimiter.join(cells(changes)) + end


def row(column, value):
    """A feed of one row, one cell of which is as given."""
    return feed(line({column: value}))


def bytes_row(column, value):
    before, after = line({column: "@@"}).encode().split(b"@@")
    return feed(before + value + after)


def staff(column, value):
    return feed("\t".join(cells({column: value}, MEMBER)) + "\n", STAFF)


def header(change):
    names = list(COLUMNS)
    change(names)
    return feed(",".join(names) + "\r\n" + line())


def two():
    return line() + line({KEY: "1234568"})


HONEST = line()

ARCHIVES = {
    # what arrives under the name of a zip
    "no byte at all": (lambda: b"", "not-a-zip"),
    "the login page of a file server": (lambda: b"<!DOCTYPE html><html><title>Sign in</title></html>" * 20, "not-a-zip"),
    "the CSV itself, renamed": (lambda: HONEST.encode(), "not-a-zip"),
    "a gzip file": (lambda: gzip.compress(HONEST.encode()), "not-a-zip"),
    "a 7z archive": (lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(500), "not-a-zip"),
    "a zip full of zeroes from its middle on, a broken upload": (lambda: feed(two())[:100] + bytes(300), "not-a-zip"),
    "a zip with an HTTP header before it": (lambda: b"HTTP/1.1 200 OK\r\n\r\n" + feed(HONEST), "zip-corrupt"),
    "a zip with a line break behind it": (lambda: feed(HONEST) + b"\n", "not-a-zip"),
    "two zips one behind the other": (lambda: feed(HONEST) + feed(two()), "zip-corrupt"),
    "a whole zip in the comment of another": (lambda: archive(Entry(STUDENT, HONEST), comment=feed(two())), "zip-corrupt"),
    "a comment that looks like an end record": (lambda: archive(Entry(STUDENT, HONEST), comment=b"PK\5\6" + bytes(18)), "zip-corrupt"),
    "an honest zip with a comment": (lambda: archive(Entry(STUDENT, HONEST), comment=b"made by the district"), TAKEN),
    "the second volume of several": (lambda: archive(Entry(STUDENT, HONEST), disk=1), "zip-corrupt"),
    "an entry on another volume": (lambda: archive(Entry(STUDENT, HONEST, disk=1)), "zip-corrupt"),
    "a directory of more entries than there are": (lambda: archive(Entry(STUDENT, HONEST), count=2), "zip-corrupt"),
    "a directory of 65535 entries without a 64-bit record": (lambda: archive(Entry(STUDENT, HONEST), count=65535), "zip-corrupt"),
    "a directory that is longer than it says": (lambda: archive(Entry(STUDENT, HONEST), size=46), "zip-corrupt"),
    "a directory that begins in the middle of the data": (lambda: archive(Entry(STUDENT, HONEST), offset=10), "zip-corrupt"),
    "an honest zip with bytes between its entries": (
        lambda: archive(Entry(STUDENT, HONEST), Entry("note.txt", "x"), between=b"????"), TAKEN),
    "64 entries": (lambda: archive(Entry(STUDENT, HONEST), *(Entry(f"n{i}.txt", "x", method=0) for i in range(63))), TAKEN),
    "65 entries": (lambda: archive(Entry(STUDENT, HONEST), *(Entry(f"n{i}.txt", "x", method=0) for i in range(64))), "zip-entries"),
    # one entry
    "an entry that begins before the file": (lambda: archive(Entry(STUDENT, HONEST, offset=0xfffffff0)), "zip-corrupt"),
    "an entry that begins inside another": (lambda: archive(Entry("note.txt", HONEST, method=0), Entry(STUDENT, HONEST, offset=20)), "zip-corrupt"),
    "two entries over the same bytes": (lambda: archive(Entry(STUDENT, HONEST), Entry(STUDENT.replace("CHCCS", "OTHER"), HONEST, offset=0)), "zip-corrupt"),
    "packed bytes that reach into the directory": (lambda: archive(Entry(STUDENT, HONEST, local_packed=5000, central_packed=5000)), "zip-corrupt"),
    "the local header knows another method": (lambda: archive(Entry(STUDENT, HONEST, local_method=0)), "zip-corrupt"),
    "the local header knows another size": (lambda: archive(Entry(STUDENT, HONEST, local_size=1)), "zip-corrupt"),
    "the local header knows another CRC": (lambda: archive(Entry(STUDENT, HONEST, local_crc=1)), "zip-corrupt"),
    "the local header knows another time": (lambda: archive(Entry(STUDENT, HONEST, local_time=1)), "zip-corrupt"),
    "the local header has a name of other case": (lambda: archive(Entry(STUDENT, HONEST, local_name=STUDENT.lower().encode())), "zip-corrupt"),
    "only the directory says that it is encrypted": (lambda: archive(Entry(STUDENT, HONEST, raw=deflated(HONEST.encode()), local_flags=0)), "zip-corrupt"),
    "only the local header says that it is encrypted": (lambda: archive(Entry(STUDENT, HONEST, central_flags=0)), "zip-corrupt"),
    "not encrypted": (lambda: archive(Entry(STUDENT, HONEST, raw=deflated(HONEST.encode()), flags=0)), "zip-plain"),
    "a picture beside the feed is not encrypted": (
        lambda: archive(Entry(STUDENT, HONEST), Entry("logo.png", "x", method=0, raw=b"x", flags=0)), "zip-plain"),
    "a folder with content": (lambda: archive(Entry(STUDENT, HONEST), Entry("folder/", "x", method=0, raw=b"x", flags=0)), "zip-plain"),
    "an honest zip with an empty folder": (lambda: archive(Entry(STUDENT, HONEST), Entry("folder/", "", method=0, raw=b"", flags=0)), TAKEN),
    "encrypted with a certificate": (lambda: archive(Entry(STUDENT, HONEST, flags=0x41)), "zip-encryption"),
    "a directory that is encrypted itself": (lambda: archive(Entry(STUDENT, HONEST, flags=0x2001)), "zip-encryption"),
    "packed with deflate64": (lambda: archive(Entry(STUDENT, HONEST, method=9)), "zip-method"),
    "packed with zstd": (lambda: archive(Entry(STUDENT, HONEST, method=93)), "zip-method"),
    "packed with a method of no one": (lambda: archive(Entry(STUDENT, HONEST, method=0xfffe)), "zip-method"),
    "AES without the field that says which": (lambda: archive(Entry(STUDENT, HONEST, method=99)), "zip-encryption"),
    "AES of a strength that there is not": (
        lambda: archive(Entry(STUDENT, HONEST, method=99, extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 4, 8))), "zip-encryption"),
    "AES by another vendor": (
        lambda: archive(Entry(STUDENT, HONEST, method=99, extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"XX", 3, 8))), "zip-encryption"),
    "AES whose field is too short": (
        lambda: archive(Entry(STUDENT, HONEST, method=99, extra=struct.pack("<HHH2sB", 0x9901, 5, 2, b"AE", 3))), "zip-corrupt"),
    "AES within AES": (
        lambda: archive(Entry(STUDENT, HONEST, method=99, extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 99))), "zip-method"),
    "AES of fewer bytes than salt and MAC": (
        lambda: archive(Entry(STUDENT, HONEST, method=99, raw=bytes(20), extra=struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", 3, 8))), "zip-corrupt"),
    "an extra field that ends behind the header": (lambda: archive(Entry(STUDENT, HONEST, extra=b"\x01\x00\xff\xff")), "zip-corrupt"),
    "a 64-bit field twice": (lambda: archive(Entry(STUDENT, HONEST, extra=struct.pack("<HH", 1, 0) * 2)), "zip-corrupt"),
    "a 64-bit size of eight exabytes": (
        lambda: archive(Entry(STUDENT, HONEST, size=0xffffffff, extra=struct.pack("<HHQ", 1, 8, 1 << 63))), "zip-size"),
    "a claim of 3 GiB": (lambda: archive(Entry(STUDENT, HONEST, size=3 << 30)), "zip-size"),
    "a claim of 200 MiB from 100 bytes": (lambda: archive(Entry(STUDENT, HONEST, size=200 << 20)), "zip-ratio"),
    "an empty feed that says it has a byte": (lambda: archive(Entry(STUDENT, "", size=1)), "zip-corrupt"),
    "a stored size that is not the packed one": (lambda: archive(Entry(STUDENT, HONEST, method=0, size=len(HONEST) + 1)), "zip-corrupt"),
    "fewer bytes than the key's header": (lambda: archive(Entry(STUDENT, "", method=0, raw=b"12345")), "zip-corrupt"),
    "text that is longer than it claims": (lambda: archive(Entry(STUDENT, HONEST, packed=deflated(two().encode()))), "zip-corrupt"),
    "text that is shorter than it claims": (lambda: archive(Entry(STUDENT, two(), packed=deflated(HONEST.encode()))), "zip-corrupt"),
    "text whose CRC is another": (lambda: archive(Entry(STUDENT, HONEST, packed=deflated(line({FIRST: "Eva"}).encode()))), "zip-corrupt"),
    "a deflated stream without an end": (lambda: archive(Entry(STUDENT, HONEST, packed=deflated(HONEST.encode())[:-4])), "zip-corrupt"),
    "bytes behind the deflated stream": (lambda: archive(Entry(STUDENT, HONEST, packed=deflated(HONEST.encode()) + b"more")), "zip-corrupt"),
    "a deflated block of a kind that there is not": (lambda: archive(Entry(STUDENT, HONEST, packed=b"\x07" * 40)), "zip-corrupt"),
    "a deflated distance before the beginning": (lambda: archive(Entry(STUDENT, HONEST, packed=b"\x03\x02\x00\x00\x00")), "zip-corrupt"),
    "a descriptor that is not there": (lambda: archive(Entry(STUDENT, HONEST, flags=9, local_crc=0, local_packed=0, local_size=0)), "zip-corrupt"),
    "a descriptor that says something else": (
        lambda: archive(Entry(STUDENT, HONEST, flags=9, descriptor=struct.pack("<IIII", 0x08074b50, 1, 2, 3))), "zip-corrupt"),
    "another password": (lambda: archive(Entry(STUDENT, two(), raw=encrypted(deflated(two().encode()), 0xabababab, "another"))), "zip-password"),
    # AES as 7-Zip writes it, and one bit of it turned
    "AES: the salt turned": (lambda: patched(seven(HONEST), (0, 1)), "zip-password"),
    "AES: the check of the password turned": (lambda: patched(seven(HONEST), (16, 1)), "zip-password"),
    "AES: the first byte of the text turned": (lambda: patched(seven(HONEST), (18, 0x80)), "zip-corrupt"),
    "AES: the last byte of the text turned": (lambda: patched(seven(HONEST), (-11, 1)), "zip-corrupt"),
    "AES: the MAC turned": (lambda: patched(seven(HONEST), (-1, 1)), "zip-corrupt"),
    "AES: stored, one digit of a key turned": (lambda: patched(seven(HONEST, "-mx=0"), (18 + 3, 1)), "zip-corrupt"),
    # names
    "a name that climbs out": (lambda: archive(Entry("../" + STUDENT, HONEST)), "zip-name"),
    "a name that climbs out further on": (lambda: archive(Entry("a/../../" + STUDENT, HONEST)), "zip-name"),
    "a name from the root": (lambda: archive(Entry("/" + STUDENT, HONEST)), "zip-name"),
    "a name on a drive": (lambda: archive(Entry("C:" + STUDENT, HONEST)), "zip-name"),
    "a name on a Windows server": (lambda: archive(Entry("\\\\server\\" + STUDENT, HONEST)), "zip-name"),
    "a name with a line break": (lambda: archive(Entry(STUDENT, HONEST), Entry("a\nb", "x")), "zip-name"),
    "a name with an escape": (lambda: archive(Entry(STUDENT, HONEST), Entry("\x1b[2J", "x")), "zip-name"),
    "a name with a NUL, behind which it is the feed's": (lambda: archive(Entry(b"x\0/" + STUDENT.encode(), HONEST)), "zip-name"),
    "no name": (lambda: archive(Entry(STUDENT, HONEST), Entry("", "x")), "zip-name"),
    "a name of 1025 bytes": (lambda: archive(Entry("n" * 1025, HONEST)), "zip-name"),
    "a name that is a link's": (lambda: archive(Entry(STUDENT, "/etc/passwd", method=0, attributes=0o120777 << 16)), "zip-name"),
    "the feed's name in lower case": (lambda: archive(Entry(STUDENT.lower(), HONEST)), "no-feed"),
    "the feed's name with a blank behind it": (lambda: archive(Entry(STUDENT + " ", HONEST)), "no-feed"),
    "the feed's name in a field of Unicode names alone": (
        lambda: archive(Entry("x.txt", HONEST, extra=struct.pack("<HHBI", 0x7075, 5 + len(STUDENT), 1, 0xaab7ac86) + STUDENT.encode())),
        "no-feed"),
    "the feed's name as that of a folder": (lambda: archive(Entry(STUDENT + "/", "", method=0, raw=b"", flags=0)), "no-feed"),
    "a zip in the zip": (lambda: archive(Entry("feed.zip", feed(HONEST), method=0)), "no-feed"),
    "the student feed twice, in two folders": (lambda: archive(Entry("a/" + STUDENT, HONEST), Entry("b/" + STUDENT, HONEST)), "two-of-a-kind"),
    "the student feed twice under one name": (lambda: archive(Entry(STUDENT, HONEST), Entry(STUDENT, two())), "two-of-a-kind"),
    "other names that are not UTF-8": (lambda: archive(Entry(STUDENT, HONEST), Entry(b"r\xe9sum\xe9.doc", "x")), TAKEN),
}

TEXTS = {
    # bytes
    "UTF-16 with its mark": (lambda: feed((HEADER + HONEST).encode("utf-16")), "nul-byte"),
    "UTF-16 without its mark": (lambda: feed(HONEST.encode("utf-16-le")), "nul-byte"),
    "UTF-32": (lambda: feed(HONEST.encode("utf-32")), "nul-byte"),
    "a NUL in a cell": (lambda: bytes_row(FIRST, b"A\0da"), "nul-byte"),
    "NULs at the end, a preallocated file": (lambda: feed(HONEST.encode() + bytes(512)), "nul-byte"),
    "EBCDIC": (lambda: feed(HONEST.encode("cp037")), "line-end"),
    "a mark of byte order": (lambda: feed(b"\xef\xbb\xbf" + (HEADER + HONEST).encode()), TAKEN),
    "two marks of byte order": (lambda: feed(b"\xef\xbb\xbf\xef\xbb\xbf" + (HEADER + HONEST).encode()), "header"),
    "a mark of byte order before a row": (lambda: feed((HONEST + "\ufeff" + HONEST).encode()), {"": 1, "opted-out": 1}),
    "an end of file of DOS": (lambda: feed(HONEST + "\x1a"), TAKEN),
    "Windows-1252": (lambda: bytes_row(LAST, b"Ren\xe9e"), TAKEN),
    "UTF-8 that is longer than needed": (lambda: bytes_row(LAST, b"\xc0\xafLovelace"), TAKEN),
    "half a character of UTF-8": (lambda: bytes_row(LAST, b"Lovelac\xc3"), TAKEN),
    "nothing but line ends": (lambda: feed("\r\n" * 50), "feed-empty"),
    "nothing but blanks": (lambda: feed(" \t \u00a0"), "feed-empty"),
    # lines
    "lines of an old Mac": (lambda: feed(two().replace("\r\n", "\r")), "line-end"),
    "one line that ends in CR alone": (lambda: feed(line() + line(end="\r") + line()), "line-end"),
    "LF CR for line ends": (lambda: feed(two().replace("\r\n", "\n\r")), "line-end"),
    "CR CR LF, converted twice": (lambda: feed(two().replace("\r\n", "\r\r\n")), {"": 2}),
    "LF and CR LF mixed": (lambda: feed(line(end="\n") + line()), {"": 2}),
    "no end of the last line": (lambda: feed(line(end="")), TAKEN),
    "half of the last line, a broken export": (lambda: feed(line() + line()[:60]), {"": 1, "shape": 1}),
    "Unicode's own line end": (lambda: row(STREET, "1 Main St\u2028Apt 2"), TAKEN),
    "a form feed between pages": (lambda: feed(line() + "\f\r\n" + line()), {"": 2}),
    "a sum at the end": (lambda: feed(two() + "2 rows\r\n"), {"": 2, "opted-out": 1}),
    "a title before the header": (lambda: feed("Students of 2026\r\n" + HEADER + line()), {"opted-out": 2, "": 1}),
    # quotes
    "a quote that never closes": (lambda: feed(line() + line({LAST: '"Lovelace'})), "quote-open"),
    "a quote that closes a few rows later": (lambda: feed(line({LAST: '"Lovelace'}) + line() + line({LAST: 'Love"lace'})), "quote-rows"),
    "two stray quotes with rows between them": (lambda: feed(line({LAST: '"Lovelace'}) + line() * 3 + line({FIRST: '"Ada'})), "quote-rows"),
    "a stray quote in the same column of two neighbours": (
        lambda: feed(line({STREET: '"The Mill'}) + line({OUT: "1", KEY: "1234568", STREET: 'The Mill"'})), "quote-rows"),
    "a stray quote in the same column of two neighbours, an empty line between": (
        lambda: feed(line({STREET: '"The Mill'}) + "\r\n" + line({OUT: "1", KEY: "1234568", STREET: 'The Mill"'})), "quote-rows"),
    "a street of two lines with commas in the first row": (
        lambda: row(STREET, '"1 Main St, Apt 4, Bldg B\r\nc/o Smith, Jones, Inc"'), TAKEN),
    "a stray quote in the names of two neighbours": (
        lambda: feed(line({FIRST: '"Ada'}) + line({KEY: "1234568", LAST: 'Turing"'})), "quote-rows"),
    "text behind a quote": (lambda: feed(line({LAST: '"Love"lace'})), "quote-text"),
    "a blank behind a quote": (lambda: feed(line({LAST: '"Lovelace" '})), "quote-text"),
    "a quote behind a quote": (lambda: feed(line({LAST: '"Lovelace""'})), "quote-open"),
    "a backslash before a quote": (lambda: feed(line({LAST: '"Love\\"lace"'})), "quote-text"),
    "a quote within a cell": (lambda: row(STREET, '5" Pipe Rd'), TAKEN),
    "a NUL behind a quote": (lambda: feed(line({LAST: '"Lovelace"\0'})), "nul-byte"),
    "CR alone behind a quote": (lambda: feed(line({STATUS: '"0"'}, end="\r") + line()), "quote-text"),
    "a line break within quotes": (lambda: row(STREET, '"1 Main St\r\nApt 2"'), TAKEN),
    "every cell in quotes": (lambda: feed(",".join(f'"{cell}"' for cell in GOOD) + "\r\n"), TAKEN),
    "quotes of a word processor": (lambda: row(LAST, "\u201cLovelace\u201d"), TAKEN),
    # delimiters
    "semicolons": (lambda: feed(line(delimiter=";")), NOBODY),
    "bars": (lambda: feed(line(delimiter="|")), NOBODY),
    "tabs": (lambda: feed(line(delimiter="\t")), TAKEN),
    "a tab within quotes in a feed of tabs": (lambda: feed(line({STREET: '"1\tMain St"'}, delimiter="\t")), TAKEN),
    "a header of tabs above rows of commas": (lambda: feed(HEADER.replace(",", "\t") + line()), NOBODY),
    "a tab in a cell of the first row": (lambda: feed(line({STREET: "1 Main\tSt"}) + line()), {"opted-out": 2}),
    "a delimiter behind each row": (lambda: feed(line({STATUS: "0,"})), TAKEN),
    "three delimiters behind each row": (lambda: feed(line({STATUS: "0,,,"})), {"status": 1}),
    "a comma in a street without quotes": (lambda: row(STREET, "1 Main St, Apt 2"), TAKEN),
    "two commas in a street without quotes": (lambda: row(STREET, "1 Main St, Apt 2, rear"), {"shape": 1}),
    "a row of delimiters alone": (lambda: feed(line() + "," * 14 + "\r\n"), {"": 1, "shape": 1}),
    "a row that ran into the next": (lambda: feed(line(end="") + line()), {"shape": 1}),
    "257 cells": (lambda: feed(line() + "," * 256 + "\r\n"), "too-many-cells"),
    "256 cells": (lambda: feed(line() + "," * 255 + "\r\n"), {"": 1, "shape": 1}),
    "a cell of 8193 bytes": (lambda: row(STREET, "x" * 8193), "cell-too-long"),
    "a cell of 8193 bytes in quotes": (lambda: row(STREET, '"' + "x" * 8193 + '"'), "cell-too-long"),
    "a row of 65537 bytes": (lambda: feed(line({GUARDIAN: ",".join(["m@x.org" * 300] * 32)})), "row-too-long"),
    "one line without an end, of a megabyte": (lambda: feed(random.Random(7).randbytes(1 << 19).hex()), "row-too-long"),
    # headers
    "a header alone": (lambda: feed(HEADER), "feed-empty"),
    "the header twice": (lambda: feed(HEADER + HEADER + line()), {"opted-out": 1, "": 1}),
    "a header in quotes, lower case, with blanks": (
        lambda: feed(",".join(f'" {name.lower()} "' for name in COLUMNS) + "\r\n" + line()), TAKEN),
    "a column inserted": (lambda: header(lambda names: names.insert(5, "Middle_Name")), "header"),
    "two columns swapped": (lambda: header(lambda names: names.insert(LAST, names.pop(FIRST))), "header"),
    "a column left out": (lambda: header(lambda names: names.pop(GRADE)), "header"),
    "a column more at the end": (lambda: header(lambda names: names.append("Homeroom")), "header"),
    "empty columns at the end": (lambda: header(lambda names: names.extend(["", ""])), "header"),
    "a column named as another": (lambda: header(lambda names: names.__setitem__(LAST, "First_Name")), "header"),
    "a street thrice": (lambda: header(lambda names: names.insert(STREET, "Mailing_Street")
                                       or names.insert(STREET, "Mailing_Street")), "header"),
    "the opt-out column left out": (lambda: header(lambda names: names.pop(OUT)), "header"),
    "the header of another system": (lambda: feed("stateID|lastName|firstName\n1|A|B\n"), {"opted-out": 2}),
    "the staff's header above students": (lambda: feed("UIDStaffID,FirstName\r\n" + line()), "header"),
    "the students' rows under the staff's name": (lambda: feed(line(), STAFF), {"shape": 1}),
    "the students' header under the staff's name": (lambda: feed(HEADER + line(), STAFF), "header"),
    "a header with one letter more": (lambda: header(lambda names: names.__setitem__(DOB, "DOBs")), "header"),
}

VALUES = {
    # opted out: whatever is not clearly a no
    "opt-out 1": (lambda: row(OUT, "1"), NOBODY),
    "opt-out 0": (lambda: row(OUT, "0"), TAKEN),
    "opt-out No": (lambda: row(OUT, "No"), TAKEN),
    "opt-out FALSE": (lambda: row(OUT, "FALSE"), TAKEN),
    "opt-out 0.0": (lambda: row(OUT, "0.0"), NOBODY),
    "opt-out NULL": (lambda: row(OUT, "NULL"), NOBODY),
    "opt-out N/A": (lambda: row(OUT, "N/A"), NOBODY),
    "opt-out -": (lambda: row(OUT, "-"), NOBODY),
    "opt-out a wide 0": (lambda: row(OUT, "\uff10"), NOBODY),
    "opt-out an O for a 0": (lambda: row(OUT, "O"), NOBODY),
    "opt-out blanks of Unicode": (lambda: row(OUT, "\u00a0\u2003"), TAKEN),
    "opt-out a blank of no width": (lambda: row(OUT, "\u200b"), NOBODY),
    "opt-out a formula": (lambda: row(OUT, '"=""0"""'), NOBODY),
    "opt-out $": (lambda: row(OUT, "$"), NOBODY),
    "opted out and broken in every other way": (lambda: feed("yes,$$,,\x01,32/13/9999\r\n"), NOBODY),
    "opted out, and nothing else in the row": (lambda: feed("1\r\n" + line()), {"opted-out": 1, "": 1}),
    "the flag turned round": (lambda: feed("".join(line({OUT: "1", KEY: str(n)}) for n in range(1, 6))), {"opted-out": 5}),
    # keys
    "key of a spreadsheet": (lambda: row(KEY, "1234567.0"), {"key": 1}),
    "key in scientific notation": (lambda: row(KEY, "1.23E+06"), {"key": 1}),
    "key with thousands": (lambda: row(KEY, '"1,234,567"'), {"key": 1}),
    "key as a formula": (lambda: row(KEY, '"=""1234567"""'), {"key": 1}),
    "key with an apostrophe": (lambda: row(KEY, "'1234567"), {"key": 1}),
    "key with a plus": (lambda: row(KEY, "+1234567"), {"key": 1}),
    "key of two": (lambda: row(KEY, "1234567;1234568"), {"key": 1}),
    "key empty": (lambda: row(KEY, ""), {"key": 1}),
    "key NULL": (lambda: row(KEY, "NULL"), {"key": 1}),
    "key of 65 digits": (lambda: row(KEY, "1" * 65), {"key": 1}),
    "key of Arabic digits": (lambda: row(KEY, "\u0661\u0662\u0663"), {"key": 1}),
    "key with Sierra's line break": (lambda: row(KEY, "1234567$b2"), {"key": 1}),
    "key with blanks, hyphens and a number sign": (lambda: row(KEY, " #1234-567 "), TAKEN),
    "key with a blank of no width": (lambda: row(KEY, "1234567\u200b"), {"key": 1}),
    # names
    "no name": (lambda: feed(line({FIRST: "", LAST: ""})), {"name": 1}),
    "a comma for a name": (lambda: feed(line({FIRST: '","', LAST: "$"})), {"name": 1}),
    "no first name": (lambda: row(FIRST, ""), TAKEN),
    "a name of 257 bytes": (lambda: row(LAST, "x" * 257), {"shape": 1}),
    "a name with an escape": (lambda: row(LAST, "Love\x1b[2Jlace"), TAKEN),
    "a name of C1 controls": (lambda: feed(line({FIRST: "\u0085\u009b", LAST: "\u0007"})), {"name": 1}),
    "a name that turns the reading round": (lambda: row(LAST, "\u202eecalevoL"), TAKEN),
    "a name of an emoji": (lambda: row(FIRST, "\U0001f600"), TAKEN),
    "a name with markup": (lambda: row(LAST, "<script>alert(1)</script>"), TAKEN),
    # dates of birth
    "born on February 30": (lambda: row(DOB, "02/30/2012"), {"birth-date": 1}),
    "born on February 29 of no leap year": (lambda: row(DOB, "02/29/2013"), {"birth-date": 1}),
    "born day first": (lambda: row(DOB, "31/12/2010"), {"birth-date": 1}),
    "born in ISO": (lambda: row(DOB, "2010-12-10"), {"birth-date": 1}),
    "born with two digits of a year": (lambda: row(DOB, "12/10/10"), {"birth-date": 1}),
    "born as a number of a spreadsheet": (lambda: row(DOB, "40522"), {"birth-date": 1}),
    "born with a time": (lambda: row(DOB, "12/10/2010 00:00"), {"birth-date": 1}),
    "born tomorrow": (lambda: row(DOB, "08/16/2026"), {"birth-date": 1}),
    "born today": (lambda: row(DOB, "08/15/2026"), TAKEN),
    "born in 1899": (lambda: row(DOB, "12/31/1899"), {"birth-date": 1}),
    "born in month 13": (lambda: row(DOB, "13/01/2010"), {"birth-date": 1}),
    "born on day 0": (lambda: row(DOB, "01/00/2010"), {"birth-date": 1}),
    "born in year 0": (lambda: row(DOB, "01/01/0000"), {"birth-date": 1}),
    "born nowhere": (lambda: row(DOB, ""), {"birth-date": 1}),
    "born with a minus": (lambda: row(DOB, "-1/10/2010"), {"birth-date": 1}),
    "born with single digits": (lambda: row(DOB, "1/2/2012"), TAKEN),
    # addresses and the shape
    "a ZIP without its zero": (lambda: row(ZIP, "7514"), {"shape": 1}),
    "a ZIP of nine digits": (lambda: row(ZIP, "275141234"), {"shape": 1}),
    "a ZIP of Canada": (lambda: row(ZIP, "K1A 0B1"), {"shape": 1}),
    "a ZIP of five and four": (lambda: row(ZIP, "27514-1234"), TAKEN),
    "a city where the ZIP belongs": (lambda: feed(line({CITY: "27514", ZIP: "Chapel Hill"})), {"shape": 1}),
    "a street of 513 bytes": (lambda: row(STREET, "x" * 513), {"shape": 1}),
    "a guardian without an @": (lambda: row(GUARDIAN, "none"), {"shape": 1}),
    "ninety guardians": (lambda: row(GUARDIAN, ",".join(["m@x.org"] * 90)), TAKEN),
    "guardians of 16 KiB": (lambda: row(GUARDIAN, ",".join(["m@x.org" * 300] * 9)), {"shape": 1}),
    "Sierra's line break in a street": (lambda: row(STREET, "1 Main St$Apt 2"), TAKEN),
    # statuses
    "status of a spreadsheet": (lambda: row(STATUS, "0.0"), {"status": 1}),
    "status a word": (lambda: row(STATUS, "Active"), {"status": 1}),
    "status empty": (lambda: row(STATUS, ""), {"status": 1}),
    "status of two digits": (lambda: row(STATUS, "10"), {"status": 1}),
    "status transferred out": (lambda: row(STATUS, "2"), {"inactive": 1}),
    "status minus one": (lambda: row(STATUS, "-1"), {"inactive": 1}),
    # staff
    "staff: a column more": (lambda: feed("\t".join(MEMBER + ["x"]) + "\n", STAFF), {"shape": 1}),
    "staff: a column fewer": (lambda: feed("\t".join(MEMBER[:-1]) + "\n", STAFF), {"shape": 1}),
    "staff: a key of three digits": (lambda: staff(1, "123"), {"key": 1}),
    "staff: no name": (lambda: feed("\t".join(cells({2: " ", 3: ""}, MEMBER)) + "\n", STAFF), {"name": 1}),
    "staff: any status": (lambda: staff(0, "On leave"), TAKEN),
    "staff: a street of 513 bytes": (lambda: staff(4, "x" * 513), {"shape": 1}),
}

BOMBS = {
    "64 MiB of one letter": (lambda: feed(b"x" * (64 << 20)), "zip-ratio"),
    "64 MiB of line ends": (lambda: feed(b"\n" * (64 << 20)), "zip-ratio"),
    "64 MiB that claim to be a hundred bytes": (lambda: archive(Entry(STUDENT, b"0" * (64 << 20), size=100)), "zip-corrupt"),
    "200,000 of the shortest rows": (lambda: archive(Entry(STUDENT, b"a\n" * 200000, method=0)), {"opted-out": 200000}),
    "a bomb beside the feed": (lambda: archive(Entry(STUDENT, HONEST), Entry("x.txt", b"0" * (64 << 20))), TAKEN),
}

FEEDS = {**ARCHIVES, **TEXTS, **VALUES, **BOMBS}
