# SPDX-License-Identifier: GPL-3.0-or-later
"""A load written by hand: each row, the patrons that it meets, and what must become of it, in full.

Nobody in it exists. It was written from the rules alone: nothing here is computed but the days that count from today. A
row of each outcome and reason that does not depend on Sierra's answers; those are in test_end_to_end_failures.py.
"""
import datetime
import os

# patrond's own clock: the rig runs it with this time zone
TODAY = (datetime.date.today() if "TZ" in os.environ else datetime.datetime.now(datetime.timezone.utc).date())
TARGET = TODAY + datetime.timedelta(weeks=156)


def day(n):
    """The day n days after the date to which patrons are renewed."""
    return (TARGET + datetime.timedelta(days=n)).isoformat()


LONG_AGO = "2023-06-30"
NEW = day(0)


class Case:
    """A row; with alone=True its expectation holds only where the other feed is not in the load."""

    def __init__(self, row, outcome, reason="", patron_id=0, body=None, patrons=(), alone=None):
        self.row, self.outcome, self.reason, self.patron_id, self.body = row, outcome, reason, patron_id, body
        self.patrons, self.alone = patrons, alone


def created(row, patrons=(), **body):
    return Case(row, "created", body=dict(patronType=15, expirationDate=NEW, **body), patrons=patrons)


STUDENTS = [
    # 1: everything there; a street with a comma and a full stop, a date without leading zeros
    created('0,71000001,María José,Quinterova Ibáñez,9/4/2014,312,05,"12 Brindlewick Court, Apt. 4",Chapel Hill,NC,27514,'
            'mj.quinterova@students.example.org,919-555-0101,Lucia.Ibanez@home.invalid,0',
            names=["QUINTEROVA IBÁÑEZ, MARÍA JOSÉ"], barcodes=["71000001"], birthDate="2014-09-04", pin="09x04",
            addresses=[{"lines": ["12 BRINDLEWICK COURT, APT 4", "CHAPEL HILL NC 27514"], "type": "a"}],
            phones=[{"number": "919-555-0101", "type": "t"}],
            emails=["mj.quinterova@students.example.org,Lucia.Ibanez@home.invalid"]),
    # 2: a second street, three guardian columns, a key spelled oddly, pre-registered
    created('no,#7100-0 002,Bertilda,Oxwhistle,12/31/2009,320,11,45 Harrowgate St.,Unit $7 B,Carrboro,NC,27510-1234,'
            'tilda@students.example.org;TILDA@students.example.org,,gran@home.invalid uncle@home.invalid,,'
            '"none, GRAN@HOME.INVALID",1',
            names=["OXWHISTLE, BERTILDA"], barcodes=["71000002"], birthDate="2009-12-31", pin="12x31",
            addresses=[{"lines": ["45 HARROWGATE ST UNIT 7 B", "CARRBORO NC 27510-1234"], "type": "a"}],
            emails=["tilda@students.example.org,gran@home.invalid,uncle@home.invalid"]),
    # 3: one name, no street, no telephone, no e-mail
    created("false,71000003,Thaddeusine,,03/05/2016,312,03,,Chapel Hill,NC,27516,,,,0",
            names=["THADDEUSINE"], barcodes=["71000003"], birthDate="2016-03-05", pin="03x05",
            addresses=[{"lines": ["CHAPEL HILL NC 27516"], "type": "a"}]),
    # 4: a line break within quotes, a comma in a name, ß
    created('n,71000004,"Anselmo\n Karl","Weißmoorner, Jr.",1/2/2011,312,09,3 Gristmill Loop,Chapel Hill,NC,27517,,'
            '(919) 555-0104 ,,0',
            names=["WEISSMOORNER JR., ANSELMO KARL"], barcodes=["71000004"], birthDate="2011-01-02", pin="01x02",
            addresses=[{"lines": ["3 GRISTMILL LOOP", "CHAPEL HILL NC 27517"], "type": "a"}],
            phones=[{"number": "(919) 555-0104", "type": "t"}]),
    # 5: the birth dates agree, the names do not; 29 days before the target
    Case("0,71000005,Peregrina,Yttervik,2/28/2013,312,06,8 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "renewed", "", 1000105,
         patrons=[{"id": 1000105, "names": ["OLDNAME, OTHER"], "barcodes": ["71000005"], "birthDate": "2013-02-28",
                   "expirationDate": day(-29), "patronType": 7, "pin": "1234x", "emails": ["kept@home.invalid"],
                   "phones": [{"number": "919-555-0199", "type": "t"}]}]),
    # 6: 28 days before the target is near enough
    Case("0,71000006,Isolde,Brambleforth,4/1/2012,312,07,1 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "current", "", 1000106,
         patrons=[{"id": 1000106, "names": ["BRAMBLEFORTH, ISOLDE"], "barcodes": ["71000006"], "birthDate": "2012-04-01",
                   "expirationDate": day(-28)}]),
    # 7: it never moves backwards
    Case("0,71000007,Ignatius,Brambleforth,4/1/2012,312,07,1 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "current", "", 1000107,
         patrons=[{"id": 1000107, "names": ["BRAMBLEFORTH, IGNATIUS"], "barcodes": ["71000007"], "birthDate": "2012-04-01",
                   "expirationDate": day(200)}]),
    # 8: no expiration date; the key in the second field, with blanks around it
    Case("0,71000008,Wilhelmine,Tarnowitz,6/15/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "renewed", "", 1000108,
         patrons=[{"id": 1000108, "names": ["TARNOWITZ, WILHELMINE"], "barcodes": ["21999108", " 71000008 "],
                   "birthDate": "2010-06-15"}]),
    # 9: another birth date, but both names agree: accents folded, the first word of the first name
    Case("0,71000009,José Luís,Ñandubay-Krøll,6/16/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "renewed", "", 1000109,
         patrons=[{"id": 1000109, "names": ["NANDUBAY-KROLL, JOSE"], "barcodes": ["71000009"], "birthDate": "2011-06-16",
                   "expirationDate": LONG_AGO}]),
    # 10: the patron has no birth date, and one part of the double surname agrees
    Case("0,71000010,Fiammetta,Dellacroix-Umbertino,6/17/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "renewed", "",
         1000110, patrons=[{"id": 1000110, "names": ["UMBERTINO, ZED"], "barcodes": ["71000010"], "expirationDate": LONG_AGO}]),
    # 11: the surname alone is not enough against another birth date
    Case("0,71000011,Leocadia,Hazelgrove,6/18/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "held",
         "identity-mismatch", 1000111,
         patrons=[{"id": 1000111, "names": ["HAZELGROVE, EDNA"], "barcodes": ["71000011"], "birthDate": "1948-06-18",
                   "expirationDate": LONG_AGO}]),
    # 12: two patrons bear it
    Case("0,71000012,Cosimina,Vantongeren,6/19/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "held", "ambiguous",
         patrons=[{"id": 1000112, "names": ["VANTONGEREN, COSIMINA"], "barcodes": ["71000012"], "birthDate": "2010-06-19",
                   "expirationDate": LONG_AGO},
                  {"id": 1000212, "names": ["VANTONGEREN, CONSTANZE"], "barcodes": ["71000012"], "expirationDate": "2024-02-29"}]),
    # 13: only within a malformed field
    Case("0,71000013,Damasius,Oberlander,6/20/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "held", "needs-cleanup",
         1000113, patrons=[{"id": 1000113, "names": ["OBERLANDER, DAMASIUS"], "barcodes": ["71000013 / PREV ID"],
                            "birthDate": "2010-06-20", "expirationDate": LONG_AGO}]),
    # 14: equal but for leading zeros
    Case("0,0071000014,Severina,Plattenberg,6/21/2010,312,10,2 Cobbleshaw Lane,Chapel Hill,NC,27514,,,,0", "held",
         "needs-cleanup", 1000114,
         patrons=[{"id": 1000114, "names": ["PLATTENBERG, SEVERINA"], "barcodes": ["71000014"], "birthDate": "2010-06-21",
                   "expirationDate": LONG_AGO}]),
    # 15, 16: the same key twice, and they agree
    created("0,71000015,Zéphyrine,Lockridge,7/4/2015,312,04,77 Marigold Terrace,Carrboro,NC,27510,,,,0",
            names=["LOCKRIDGE, ZÉPHYRINE"], barcodes=["71000015"], birthDate="2015-07-04", pin="07x04",
            addresses=[{"lines": ["77 MARIGOLD TERRACE", "CARRBORO NC 27510"], "type": "a"}]),
    Case("0,71000015,ZEPHYRINE,Lock-Ridge,07/04/2015,312,04,78 Marigold Terrace,Carrboro,NC,27510,,,,0", "skipped", "duplicate"),
    # 17, 18: the same key twice, and they disagree
    Case("0,71000017,Balthazara,Greystoke,7/5/2015,312,04,79 Marigold Terrace,Carrboro,NC,27510,,,,0", "held", "conflict"),
    Case("0,71000017,Melchiora,Greystoke,7/5/2015,312,04,79 Marigold Terrace,Carrboro,NC,27510,,,,0", "held", "conflict"),
    # 19: opted out, though the patron is there and expired
    Case("1,71000019,Caspariana,Windermoor,7/6/2015,312,04,80 Marigold Terrace,Carrboro,NC,27510,,,,0", "skipped", "opted-out",
         patrons=[{"id": 1000119, "names": ["WINDERMOOR, CASPARIANA"], "barcodes": ["71000019"], "birthDate": "2015-07-06",
                   "expirationDate": LONG_AGO}]),
    # 20: what is not clearly a no is a yes, and nothing else of the row is looked at
    Case("perhaps,,,,,,", "skipped", "opted-out"),
    # 21, 22: an opt-out counts for every row of its key
    Case("0,71000021,Evangelos,Sotherby,7/7/2015,312,04,81 Marigold Terrace,Carrboro,NC,27510,,,,0", "skipped", "opted-out"),
    Case("X,71000021,Evangelos,Sotherby,7/7/2015,312,04,81 Marigold Terrace,Carrboro,NC,27510,,,,9", "skipped", "opted-out"),
    # 23: opted out, and with it a row of the staff feed
    Case("true,8800000023,Gwendolyna,Marchbanks,7/8/2015,312,04,82 Marigold Terrace,Carrboro,NC,27510,,,,0", "skipped",
         "opted-out"),
    # 24, 25: inactive, though the patron is there and expired
    Case("0,71000024,Hildegunde,Fotheringay,7/9/2015,312,04,83 Marigold Terrace,Carrboro,NC,27510,,,,2", "skipped", "inactive",
         patrons=[{"id": 1000124, "names": ["FOTHERINGAY, HILDEGUNDE"], "barcodes": ["71000024"], "birthDate": "2015-07-09",
                   "expirationDate": LONG_AGO}]),
    Case("0,71000025,Ludovica,Fotheringay,7/9/2015,312,04,83 Marigold Terrace,Carrboro,NC,27510,,,,-1", "skipped", "inactive"),
    # 26, 27: the ZIP does not stand where it must; no guardian column
    Case("0,71000026,Mortimera,Pemberwick,7/10/2015,312,84 Marigold Terrace,Carrboro,NC,27510,,,,0", "rejected", "shape"),
    Case("0,71000027,Nicodemia,Pemberwick,7/10/2015,312,04,84 Marigold Terrace,Carrboro,NC,27510,,919-555-0127,0", "rejected",
         "shape"),
    # 28
    Case("0,71000028,Octaviana,Pemberwick,7/10/2015,312,04,84 Marigold Terrace,Carrboro,NC,27510,,,,A", "rejected", "status"),
    # 29: went through a spreadsheet; rejected although the patron is there
    Case("0,71000029.0,Philomenia,Pemberwick,7/10/2015,312,04,84 Marigold Terrace,Carrboro,NC,27510,,,,0", "rejected", "key",
         patrons=[{"id": 1000129, "names": ["PEMBERWICK, PHILOMENIA"], "barcodes": ["710000290"], "birthDate": "2015-07-10",
                   "expirationDate": LONG_AGO}]),
    # 30
    Case("0,71000030,$, ,7/10/2015,312,04,84 Marigold Terrace,Carrboro,NC,27510,,,,0", "rejected", "name"),
    # 31, 32: no day, and a day to come
    Case("0,71000031,Rosamundo,Pemberwick,2/30/2015,312,04,84 Marigold Terrace,Carrboro,NC,27510,,,,0", "rejected", "birth-date"),
    Case("0,71000032,Sebastiana,Pemberwick,1/1/2199,312,04,84 Marigold Terrace,Carrboro,NC,27510,,,,0", "rejected", "birth-date"),
    # 33: the staff feed has its key too
    Case("0,8800000033,Theophania,Quillfeather,8/1/2008,312,12,85 Marigold Terrace,Carrboro,NC,27510,,,,0", "held", "conflict",
         alone=created("", names=["QUILLFEATHER, THEOPHANIA"], barcodes=["8800000033"], birthDate="2008-08-01", pin="08x01",
                       addresses=[{"lines": ["85 MARIGOLD TERRACE", "CARRBORO NC 27510"], "type": "a"}])),
    # 34, 35: two keys of one patron: the first renews it
    Case("0,71000034,Ursulina,Ravenscar,8/2/2008,312,12,86 Marigold Terrace,Carrboro,NC,27510,,,,0", "renewed", "", 1000134,
         patrons=[{"id": 1000134, "names": ["RAVENSCAR, URSULINA"], "barcodes": ["71000034", "71000035"],
                   "birthDate": "2008-08-02", "expirationDate": LONG_AGO}]),
    Case("0,71000035,Ursulina,Ravenscar,8/2/2008,312,12,86 Marigold Terrace,Carrboro,NC,27510,,,,0", "current", "", 1000134),
    # 36: who bore it is deleted
    created("0,71000036,Valentinus,Silverthorn,8/3/2008,312,12,87 Marigold Terrace,Carrboro,NC,27510,,,,0",
            patrons=[{"id": 1000136, "names": ["SILVERTHORN, VALENTINUS"], "barcodes": ["71000036"], "birthDate": "2008-08-03",
                      "expirationDate": LONG_AGO, "deletedDate": "2025-01-15"}],
            names=["SILVERTHORN, VALENTINUS"], barcodes=["71000036"], birthDate="2008-08-03", pin="08x03",
            addresses=[{"lines": ["87 MARIGOLD TERRACE", "CARRBORO NC 27510"], "type": "a"}]),
    # 37: an inactive row takes no part in the test for duplicates, so the one before stands
    Case("0,71000036,Somebody,Elsewhither,8/3/2007,312,12,88 Marigold Terrace,Carrboro,NC,27510,,,,4", "skipped", "inactive"),
]

STAFF = [
    # 1: characters 6 to 9 of a long key make the PIN
    created("Active,8800123456,Ottoline,Fennimarch,9 Larkspur-Bend Rd.,Durham,NC,27701,919-555-0131,919-555-0132,"
            "o.fennimarch@staff.example.org,Teacher,312,Quillhaven Elementary",
            names=["FENNIMARCH, OTTOLINE"], barcodes=["8800123456"], birthDate="1980-01-01", pin="34x56",
            addresses=[{"lines": ["9 LARKSPUR-BEND RD", "DURHAM NC 27701"], "type": "a"}],
            phones=[{"number": "919-555-0131", "type": "t"}, {"number": "919-555-0132", "type": "p"}],
            emails=["o.fennimarch@staff.example.org"]),
    # 2: the last four of a short one; a home telephone alone, two addresses of one spelling
    created("Leave,88004172,Barnabetta,Übelhör,10 Larkspur-Bend Rd.,Durham,NC,27701,,919-555-0133,"
            "b@staff.example.org; B@STAFF.example.org;b2@staff.example.org,Custodian,312,Quillhaven Elementary",
            names=["ÜBELHÖR, BARNABETTA"], barcodes=["88004172"], birthDate="1980-01-01", pin="41x72",
            addresses=[{"lines": ["10 LARKSPUR-BEND RD", "DURHAM NC 27701"], "type": "a"}],
            phones=[{"number": "919-555-0133", "type": "p"}], emails=["b@staff.example.org,b2@staff.example.org"]),
    # 3: no street, so no address; nothing else either
    created(",8800000003,,Clementson,,Durham,NC,27701,,,,,,",
            names=["CLEMENTSON"], barcodes=["8800000003"], birthDate="1980-01-01", pin="00x03"),
    # 4: too short to make a PIN of
    Case("Active,881,Drusillana,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "rejected", "key"),
    # 5: the surname agrees; the placeholder of a birth date is not compared
    Case("Active,8800000005,Eugeniusz,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "renewed", "", 1000505,
         patrons=[{"id": 1000505, "names": ["HAVERSTOCK, SOMEONE"], "barcodes": ["8800000005"], "birthDate": "1961-05-05",
                   "expirationDate": LONG_AGO}]),
    # 6: the first name alone is enough
    Case("Active,8800000006,Florentyna,Newlywedding,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "renewed", "", 1000506,
         patrons=[{"id": 1000506, "names": ["MAIDENNAME, FLORENTYNA"], "barcodes": ["8800000006"], "expirationDate": LONG_AGO}]),
    # 7
    Case("Active,8800000007,Gunthera,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "identity-mismatch", 1000507,
         patrons=[{"id": 1000507, "names": ["CARDHOLDER, CHANCE"], "barcodes": ["8800000007"], "expirationDate": LONG_AGO}]),
    # 8
    Case("Active,8800000008,Hieronyma,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "current", "", 1000508,
         patrons=[{"id": 1000508, "names": ["HAVERSTOCK, HIERONYMA"], "barcodes": ["8800000008"], "expirationDate": NEW}]),
    # 9: three patrons
    Case("Active,8800000009,Irmtraudis,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "ambiguous",
         patrons=[{"id": n, "names": ["HAVERSTOCK, IRMTRAUDIS"], "barcodes": ["8800000009"], "expirationDate": LONG_AGO}
                  for n in (1000509, 1000609, 1000709)]),
    # 10: the run of digits in a field with a letter
    Case("Active,8800000010,Jacobina,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "needs-cleanup", 1000510,
         patrons=[{"id": 1000510, "names": ["HAVERSTOCK, JACOBINA"], "barcodes": ["8800000010X"], "expirationDate": LONG_AGO}]),
    # 11: thirteen columns
    Case("Active,8800000011,Kunigunde,Haverstock,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,", "rejected", "shape"),
    # 12
    Case('Active,8800000012,",",$,11 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,', "rejected", "name"),
    # 13, 14
    created("Active,8800007713,Lambertine,Haverstock,12 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,",
            names=["HAVERSTOCK, LAMBERTINE"], barcodes=["8800007713"], birthDate="1980-01-01", pin="77x13",
            addresses=[{"lines": ["12 LARKSPUR-BEND RD", "DURHAM NC 27701"], "type": "a"}]),
    Case("Active,8800007713,LAMBERTINE,HAVERSTOCK,13 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "skipped", "duplicate"),
    # 15, 16
    Case("Active,8800000015,Mechthilde,Haverstock,13 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "conflict"),
    Case("Active,8800000015,Norbertine,Haverstock,13 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "conflict"),
    # 17: opted out in the student feed
    Case("Active,8800000023,Gwendolyna,Marchbanks,14 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "skipped", "opted-out",
         alone=created("", names=["MARCHBANKS, GWENDOLYNA"], barcodes=["8800000023"], birthDate="1980-01-01", pin="00x23",
                       addresses=[{"lines": ["14 LARKSPUR-BEND RD", "DURHAM NC 27701"], "type": "a"}])),
    # 18: a key of the student feed
    Case("Active,8800000033,Theophania,Quillfeather,14 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "conflict",
         alone=created("", names=["QUILLFEATHER, THEOPHANIA"], barcodes=["8800000033"], birthDate="1980-01-01", pin="00x33",
                       addresses=[{"lines": ["14 LARKSPUR-BEND RD", "DURHAM NC 27701"], "type": "a"}])),
    # 19: an opt-out counts for a key that is equal but for leading zeros; without it that patron must be looked at
    Case("Active,071000019,Caspariana,Windermoor,14 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "skipped", "opted-out",
         alone=Case("", "held", "needs-cleanup", 1000119)),
    # 20, 21: equal but for leading zeros
    Case("Active,88001020,Othmarine,Haverstock,15 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "conflict"),
    Case("Active,088001020,Othmarine,Haverstock,15 Larkspur-Bend Rd.,Durham,NC,27701,,,,,,", "held", "conflict"),
]

# Barcodes in need of clean-up beside those above, one of each class.
OTHERS = [
    {"id": 1000901, "names": ["PERIWINKLE, ODA"], "barcodes": ["71000901; 71000902"], "expirationDate": "2027-01-31"},
    {"id": 1000902, "names": ["PERIWINKLE, OTA"], "barcodes": ["21999902", "71000903-1"]},
    {"id": 1000903, "names": ["PERIWINKLE, UTA"], "barcodes": [" N/A "], "expirationDate": "2026-02-28"},
    {"id": 1000904, "names": ["PERIWINKLE, EDA"], "barcodes": ["\N{BLACK STAR}71000904"], "expirationDate": "2026-02-28"},
    {"id": 1000905, "names": ["PERIWINKLE, IDA"], "barcodes": ["", "71000905"], "expirationDate": "2028-12-31"},
    {"id": 1000906, "names": ["PERIWINKLE, ADA"], "barcodes": [], "expirationDate": "2028-12-31"},
]

CLEANUP = [
    ["patron_id", "field", "expiration_date", "class"],
    ["1000112", "71000012", LONG_AGO, "ambiguous"],
    ["1000113", "71000013 / PREV ID", LONG_AGO, "note"],
    ["1000212", "71000012", "2024-02-29", "ambiguous"],
    ["1000509", "8800000009", LONG_AGO, "ambiguous"],
    ["1000510", "8800000010X", LONG_AGO, "letters"],
    ["1000609", "8800000009", LONG_AGO, "ambiguous"],
    ["1000709", "8800000009", LONG_AGO, "ambiguous"],
    ["1000901", "71000901; 71000902", "2027-01-31", "several"],
    ["1000902", "71000903-1", "", "punctuation"],
    ["1000903", "N/A", "2026-02-28", "letters"],
    ["1000904", "\N{BLACK STAR}71000904", "2026-02-28", "other"],
]

HELD = [
    ["feed", "row", "reason", "patron_id"],
    ["student", "11", "identity-mismatch", "1000111"],
    ["student", "12", "ambiguous", ""],
    ["student", "13", "needs-cleanup", "1000113"],
    ["student", "14", "needs-cleanup", "1000114"],
    ["student", "17", "conflict", ""],
    ["student", "18", "conflict", ""],
    ["student", "33", "conflict", ""],
    ["staff", "7", "identity-mismatch", "1000507"],
    ["staff", "9", "ambiguous", ""],
    ["staff", "10", "needs-cleanup", "1000510"],
    ["staff", "15", "conflict", ""],
    ["staff", "16", "conflict", ""],
    ["staff", "18", "conflict", ""],
    ["staff", "20", "conflict", ""],
    ["staff", "21", "conflict", ""],
]

# student 19 alone: an opt-out of which the key is equal but for zeros means nobody for sure
OPTED_OUT = [["patron_id"], ["1000119"]]
REJECTED = [
    ["feed", "row", "reason"],
    ["student", "26", "shape"],
    ["student", "27", "shape"],
    ["student", "28", "status"],
    ["student", "29", "key"],
    ["student", "30", "name"],
    ["student", "31", "birth-date"],
    ["student", "32", "birth-date"],
    ["staff", "4", "key"],
    ["staff", "11", "shape"],
    ["staff", "12", "name"],
]

# What each feed's summary must say.
COUNTS = {
    "student": {"ROWS": 37, "CREATED": 6, "RENEWED": 5, "CURRENT": 3, "SKIPPED": 9, "HELD": 7, "REJECTED": 7, "FAILED": 0,
                "REASON_OPTED_OUT": 5, "REASON_INACTIVE": 3, "REASON_DUPLICATE": 1, "REASON_AMBIGUOUS": 1,
                "REASON_NEEDS_CLEANUP": 2, "REASON_IDENTITY_MISMATCH": 1, "REASON_CONFLICT": 3, "REASON_SHAPE": 2,
                "REASON_STATUS": 1, "REASON_KEY": 1, "REASON_NAME": 1, "REASON_BIRTH_DATE": 2, "INACTIVE_STATUS_2": 1,
                "INACTIVE_STATUS_4": 1, "INACTIVE_STATUS_MINUS_1": 1, "VERIFIED": 11, "DIFFERENT": 0},
    "staff": {"ROWS": 21, "CREATED": 4, "RENEWED": 2, "CURRENT": 1, "SKIPPED": 3, "HELD": 8, "REJECTED": 3, "FAILED": 0,
              "REASON_OPTED_OUT": 2, "REASON_DUPLICATE": 1, "REASON_AMBIGUOUS": 1, "REASON_NEEDS_CLEANUP": 1,
              "REASON_IDENTITY_MISMATCH": 1, "REASON_CONFLICT": 5, "REASON_SHAPE": 1, "REASON_KEY": 1, "REASON_NAME": 1,
              "VERIFIED": 6, "DIFFERENT": 0},
}


def lines(kind):
    """The rows as they stand in the feed, with empty lines between some, which are no rows."""
    rows = [case.row for case in (STUDENTS if kind == "student" else STAFF)]
    return rows[:3] + [""] + rows[3:10] + ["   "] + rows[10:]


def patrons():
    return [dict({"patronType": 15}, **patron) for case in STUDENTS + STAFF for patron in case.patrons] + \
        [dict(patron, patronType=15) for patron in OTHERS]


def expected(kinds=("student", "staff")):
    """{(feed, row): Case} of a load that holds these feeds."""
    cases = {}
    for kind in kinds:
        for place, case in enumerate(STUDENTS if kind == "student" else STAFF):
            cases[kind, place + 1] = case.alone if case.alone and len(kinds) == 1 else case
    return cases


# What must be found in no output and no file: names, streets, e-mail addresses, telephone numbers, birth dates, PINs, keys.
PERSONAL = """
Quinterova Ibáñez María Mar\\u00eda Oxwhistle Bertilda Thaddeusine Weißmoorner Weissmoorner Anselmo Yttervik Peregrina
Brambleforth Isolde Ignatius Tarnowitz Wilhelmine Ñandubay Nandubay Krøll Dellacroix Umbertino Fiammetta Hazelgrove Leocadia
Vantongeren Cosimina Constanze Oberlander Damasius Plattenberg Severina Lockridge Zéphyrine Zephyrine Greystoke Balthazara
Melchiora Windermoor Caspariana Sotherby Evangelos Gwendolyna Marchbanks Fotheringay Hildegunde Ludovica Pemberwick Mortimera
Nicodemia Octaviana Philomenia Rosamundo Sebastiana Quillfeather Theophania Ravenscar Ursulina Silverthorn Valentinus
Elsewhither Fennimarch Ottoline Übelhör Barnabetta Clementson Haverstock Drusillana Eugeniusz Florentyna Newlywedding
Maidenname Gunthera Cardholder Hieronyma Irmtraudis Jacobina Kunigunde Lambertine Mechthilde Norbertine Othmarine Periwinkle
Oldname Brindlewick Harrowgate Gristmill Cobbleshaw Marigold Larkspur Quillhaven Carrboro
students.example.org home.invalid staff.example.org 555-01 5550101 5550131
9/4/2014 2014-09-04 20140904 12/31/2009 2009-12-31 03/05/2016 2016-03-05 1/2/2011 2011-01-02 2/28/2013 2013-02-28 4/1/2012
2012-04-01 6/15/2010 2010-06-15 2010-06-18 1948-06-18 7/4/2015 2015-07-04 2015-07-06 2/30/2015 1/1/2199 2008-08-01 1980-01-01
1961-05-05 09x04 12x31 03x05 01x02 07x04 08x01 08x03 34x56 41x72 00x03 77x13 1234x
71000001 71000002 7100-0 71000005 71000012 71000013 71000019 71000029 71000036 8800123456 88004172 8800000003 8800007713
88001020 21999108
""".split()
