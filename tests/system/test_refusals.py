# SPDX-License-Identifier: GPL-3.0-or-later
"""Zips and feeds that are refused whole: each with its reason and its sentence, and nothing is written to Sierra."""
import io
import unittest
import zipfile

import feed_kit
import stagekit
from feed_kit import PASSWORD, STAFF, STUDENTS, STAFF_HEADER, STUDENT_HEADER, feed, flip, pack, rename, staff, student
from refusal_kit import GOOD, ROWS, Refusals


class Zips(Refusals):
    def zip_refused(self, data, reason, sentence):
        self.house.share("feed.zip", data)
        return self.refused(reason, sentence)

    def tearDown(self):
        self.house.credential("zip-password", PASSWORD)

    def test_the_good_one_is_taken(self):
        """What the others are measured by: it is the fault alone that refuses them."""
        self.house.share("feed.zip", self.good)
        result = self.house.patrond("--once", "--dry-run", memory=False)
        self.assertEqual((result.status, result.reasons()), (0, []))
        self.assertEqual({row[0] for row in result.rows().values()}, {"renewed", "created"})
        self.untouched()

    def test_wrong_password(self):
        self.house.credential("zip-password", "not the password\nnor this one")
        for tool in ("7z", "zip"):
            with self.subTest(tool):
                self.zip_refused(pack(GOOD, tool), "zip-password",
                                 "No password of the credential zip-password opens the zip: has the district changed it?")

    def test_corrupt(self):
        sentence = "The zip is damaged or was tampered with; have it sent again."
        crypto = pack(GOOD, "zip")
        for what, data in (("AES, in the first file", flip(self.good, 200)),
                           ("AES, its authentication code", flip(self.good, self.good.index(b"PK\x03\x04", 4) - 1)),
                           ("ZipCrypto, in the first file", flip(crypto, 200))):
            with self.subTest(what):
                self.zip_refused(data, "zip-corrupt", sentence)

    def test_cut_short_and_no_zip_at_all(self):
        sentence = "The file is not a readable zip: a broken upload, or one still under way; send it again."
        for what, data in (("cut in the middle", self.good[:len(self.good) // 2]), ("without its last byte", self.good[:-1]),
                           ("a text", b"Dear library, the feed comes tomorrow.\n" * 9), ("nothing", b""),
                           ("its directory is elsewhere", self.good[7:])):
            with self.subTest(what):
                self.zip_refused(data, "not-a-zip", sentence)

    def test_plain(self):
        self.zip_refused(pack(GOOD, "zip-plain"), "zip-plain", "is not encrypted: it is refused, and the district must be told; "
                         "delete it from where it lies.")

    def test_one_plain_entry_among_encrypted_ones(self):
        one = pack({STUDENTS: GOOD[STUDENTS]}, "zip")
        for name in (STAFF, "note.txt"):
            with self.subTest(name):
                self.zip_refused(pack({name: GOOD[STAFF]}, "zip-plain", to=one), "zip-plain", "The zip, or a file in it, is not")

    def test_bomb(self):
        for tool in ("7z", "zip"):
            with self.subTest(tool):
                self.zip_refused(pack({STAFF: staff("8850000001").encode() + b"\n" * (24 << 20)}, tool), "zip-ratio",
                                 "A file in the zip unpacks to so much that it must be a zip bomb.")

    def test_bomb_that_lies_about_its_size(self):
        data = pack({STAFF: staff("8850000001").encode() + b"\n" * (24 << 20)}, "zip")
        size = len(staff("8850000001")) + (24 << 20)
        lie = data.replace(size.to_bytes(4, "little"), (100_000).to_bytes(4, "little"))
        self.assertNotEqual(lie, data)
        self.zip_refused(lie, "zip-corrupt", "damaged or was tampered with")

    def test_too_many_entries(self):
        self.zip_refused(pack({**GOOD, **{f"{i}.txt": b"." for i in range(80)}}), "zip-entries", "The zip has too many entries.")

    def test_names_that_leave_their_folder(self):
        data = pack({"xx/" + STAFF: GOOD[STAFF]})
        data = data if data.count(b"xx/CHCCS") == 2 else self.fail("7z names it otherwise")
        for name in (b"../CHCCS", b"/x/CHCCS"):
            with self.subTest(name):
                self.zip_refused(rename(data, b"xx/CHCCS", name), "zip-name", "an entry whose name leaves its folder")

    def test_a_method_that_is_not_read(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as file:
            file.writestr(STAFF, GOOD[STAFF])
        data = bytearray(out.getvalue())
        central = data.index(b"PK\x01\x02")
        data[6] |= 1  # said to be encrypted
        data[central + 8] |= 1
        self.zip_refused(bytes(data), "zip-method", "packed by a method that patrond does not read")

    def test_neither_feed(self):
        for what, entries in (("other files", {"CHCCS_parents.csv": b"1,2\n"}), ("another case", {STAFF.lower(): GOOD[STAFF]}),
                              ("a folder of that name", {STAFF + "/x": b"1\n"})):
            with self.subTest(what):
                self.zip_refused(pack(entries), "no-feed", "neither a student nor a staff feed: see pattern in [feed student]")

    def test_two_of_a_kind(self):
        entry = self.zip_refused(pack({"a/" + STAFF: GOOD[STAFF], "b/" + STAFF: GOOD[STAFF], STUDENTS: GOOD[STUDENTS]}),
                                 "two-of-a-kind", "The zip holds two staff feeds: which one is meant cannot be told.")
        self.assertEqual(entry["FEED"], "staff")


class Feeds(Refusals):
    """A feed that is refused takes the other one of its zip with it."""

    def feed_refused(self, data, reason, sentence, kind="student", row=None):
        entries = dict(GOOD, **{STUDENTS if kind == "student" else STAFF: data})
        self.house.share("feed.zip", pack(entries))
        entry = self.refused(reason, sentence)
        self.assertEqual((entry["FEED"], entry.get("ROW")), (kind, row))

    def test_wrong_header(self):
        names = STUDENT_HEADER.split(",")
        for what, header, column in (
                ("one inserted", names[:7] + ["Homeroom"] + names[7:], 8),
                ("one missing", names[:6] + names[7:], 7),
                ("two changed places", names[:2] + [names[3], names[2]] + names[4:], 3),
                ("one more at the end", names + ["S_NC_STUDENTDEMO.STUDENTSDCID", "Note"], 17),
                ("the other feed's", STAFF_HEADER.split(","), 1)):
            with self.subTest(what):
                self.feed_refused(feed(ROWS, ",".join(header)), "header",
                                  f"The header of the student feed does not fit its profile at column {column}: a column was "
                                  "inserted, removed or renamed; nothing was read on.")
        self.feed_refused(feed([staff("8850000001")], STAFF_HEADER.replace("LastName", "Surname")), "header",
                          "staff feed does not fit its profile at column 4", kind="staff")

    def test_empty(self):
        for what, data in (("nothing", b""), ("empty lines", b"\r\n   \r\n\n"), ("a header alone", feed([], STUDENT_HEADER)),
                           ("a byte order mark", b"\xef\xbb\xbf")):
            with self.subTest(what):
                self.feed_refused(data, "feed-empty", "The student feed has no rows.")

    def test_cut_short_within_quotes(self):
        data = feed(ROWS) + b'0,75000003,Malwine,Undersleigh,5/17/2012,312,07,"4 Tannery'
        self.feed_refused(data, "quote-open", "A quote opened at row 3 of the student feed, column 8, is never closed", row="3")

    def test_a_quote_that_swallows_rows(self):
        data = b'0,75000003,"Malwine,Undersleigh\n' + feed(ROWS * 20)
        self.feed_refused(data, "quote-rows", "Quotes that open in row 1 of the student feed, column 3, hold whole rows", row="1")

    def test_two_stray_quotes_swallow_rows(self):
        rows = feed(ROWS).splitlines()
        data = rows[0] + b'\n' + rows[1].rsplit(b",", 1)[0] + b',"\n' + rows[0] + b'\n' + rows[1] + b'"\n'
        self.feed_refused(data, "quote-rows", "a quote too many has swallowed them", row="2")

    def test_lines_that_end_in_cr_alone(self):
        self.feed_refused(feed(ROWS).replace(b"\r\n", b"\n").replace(b"\n", b"\r"), "line-end",
                          "a carriage return stands without its line feed", row="1")

    def test_one_line_that_ends_in_cr_alone(self):
        lines = feed(ROWS * 3).replace(b"\r\n", b"\n").split(b"\n")
        data = lines[0] + b"\n" + lines[1] + b"\r" + b"\n".join(lines[2:])
        self.feed_refused(data, "line-end", "rows could run into one another", row="2")

    def test_text_after_a_closing_quote(self):
        data = feed(ROWS) + b'0,75000003,"Mal"wine,Undersleigh,5/17/2012,312,07,,Chapel Hill,NC,27514,,,,0\n'
        self.feed_refused(data, "quote-text", "At row 3 of the student feed, column 3, text follows a closing quote", row="3")

    def test_row_too_long(self):
        data = feed(ROWS) + b",".join([b"x" * 8000] * 9) + b"\n"
        self.feed_refused(data, "row-too-long", "Row 3 of the student feed is longer than any row can be.", row="3")

    def test_cell_too_long(self):
        data = feed([staff("8850000001"), staff("8850000002", "x" * 9000)])
        self.feed_refused(data, "cell-too-long", "A cell of row 2 of the staff feed, column 3, is longer than any cell can be.",
                          kind="staff", row="2")

    def test_too_many_columns(self):
        self.feed_refused(feed(ROWS) + b"," * 300 + b"\n", "too-many-cells", "Row 3 of the student feed has more columns", row="3")

    def test_nul_bytes(self):
        for what, data, row in (("one in a name", feed(ROWS).replace(b"Malwine", b"Mal\0ine"), "2"),
                                ("a block of them at the end", feed(ROWS) + b"\0" * 512, "3"),
                                ("UTF-16", feed(ROWS).decode().encode("utf-16"), "1")):
            with self.subTest(what):
                self.feed_refused(data, "nul-byte", f"Row {row} of the student feed holds a NUL byte: it is damaged", row=row)


if __name__ == "__main__":
    stagekit.main()
