# SPDX-License-Identifier: GPL-3.0-or-later
"""What cells may hold: quotes, line breaks, blanks of all sorts, control characters, bytes of Windows-1252, $."""

from .people import Quoted
from .registry import case

NBSP, EM, WIDE, NARROW = "\u00a0", "\u2003", "\u3000", "\u202f"

# Cell of the last name, and what comes out of it; 1 stands for the name.
NAMES = (
    ('1 "Mock"', '1 "MOCK"'),
    ('"1"', '"1"'),
    ("1\nMoor", "1 MOOR"),
    ("1\r\nMoor", "1 MOOR"),
    ("1 \r\n\r\n Moor", "1 MOOR"),
    ("\t1\t", "1"),
    ("1\tMoor", "1 MOOR"),
    ("  1   Moor  ", "1 MOOR"),
    (NBSP + "1" + NBSP + NBSP + "Moor", "1 MOOR"),
    (EM + "1" + WIDE + NARROW + "Moor", "1 MOOR"),
    ("\u16801\u205fMoor\u2009", "1 MOOR"),
    ("1\x01\x1fMoor\x7f", "1 MOOR"),
    ("\x011\x1fMoor", "1 MOOR"),
    ("1\u0085Moor", "1 MOOR"),
    ("1\x0b\x0cMoor", "1 MOOR"),
    ("1$Moor", "1 MOOR"),
    ("1 $ Moor", "1 MOOR"),
    ("$1", "1"),
)

# The same with bytes that are not UTF-8 and so are read as Windows-1252.
RAW = (
    ("1\udce9", "1\u00c9"),
    ("O\udc921", "O\u20191"),
    ("1\udcdf", "1SS"),
    ("1\udc81Moor\udcf1", "1 MOOR\u00d1"),
    ("\udc8d1\udc8f\udc90Moor\udc9d", "1 MOOR"),
    ("1\udca0Moor", "1 MOOR"),
    ("1\udc8a\udc9c", "1\u0160\u0152"),
    # One good letter in UTF-8 and one bad byte: the whole field is read as Windows-1252.
    ("1\u00e9\udce9", "1\u00c3\u00a9\u00c9"),
)


def put_name(w, kind, pair):
    p = w.person(kind)
    cell, want = pair
    name = want.replace("1", p.last.upper())
    w.created(p.put(last=cell.replace("1", p.last)), names=["%s, %s" % (name, p.first.upper())])


@case("cell-name", "student staff", "created", rate=0.0015, variants=len(NAMES))
def cell_name(w, kind, v):
    """Blanks, control characters, line breaks and $ in a name become a blank, runs of them one, both ends are trimmed."""
    put_name(w, kind, NAMES[v])


@case("cell-cp1252", "student staff", "created", rate=0.001, variants=len(RAW))
def cell_cp1252(w, kind, v):
    """A field that is not valid UTF-8 is read as Windows-1252, the bytes 81 8D 8F 90 9D as blanks."""
    put_name(w, kind, RAW[v])


@case("cell-mixed", "student", "created")
def cell_mixed(w, kind, v):
    """One field in UTF-8 and one in Windows-1252 in the same row: each is read for itself."""
    p = w.person(kind)
    w.created(p.put(last=p.last + "\u00f6", first=p.first + "\udcf6"),
              names=["%s\u00d6, %s\u00d6" % (p.last.upper(), p.first.upper())])


@case("cell-street", "student", "created", rate=0.001, variants=8)
def cell_street(w, kind, v):
    """The same in a street: two lines in one cell, commas, quotes, $."""
    p = w.person(kind)
    name = w.words.last()
    cell, want = (("12 %s Ln\nApt 4", "12 %s LN APT 4"), ("12 %s Ln,\r\nApt 4", "12 %s LN, APT 4"),
                  ("12 %s Ln$Apt 4", "12 %s LN APT 4"), ('12 "%s" Ln', '12 "%s" LN'), ("12\t%s Ln", "12 %s LN"),
                  ("12 %s" + NBSP + "Ln ", "12 %s LN"), ("12 %s Ln \udcbd", "12 %s LN \u00bd"), ('"%s"', '"%s"'))[v]
    line = want % name.upper()
    w.created(p.put(street=cell % name), addresses=[{"lines": [line, p.city_line()], "type": "a"}])


@case("cell-dollar", "student", "created", variants=3)
def cell_dollar(w, kind, v):
    """Sierra's own line break never gets there."""
    p = w.person(kind)
    if v == 0:
        a = w.words.phone()
        w.created(p.put(phone=a + "$x4"), phones=[{"number": a + " x4", "type": "t"}])
    elif v == 1:
        w.created(p.put(city="Mock$Bend"),
                  addresses=[{"lines": [p.street.upper(), "MOCK BEND NC " + p.zip], "type": "a"}])
    else:
        w.created(p.put(first=p.first + "$Ann", last=p.last + "$"), names=["%s, %s ANN" % (p.last.upper(), p.first.upper())])


@case("cell-all-quoted", "student staff", "created")
def cell_all_quoted(w, kind, v):
    """Every cell in quotes."""
    p = w.person(kind)
    cells = [Quoted(c) for c in p.cells()]
    w.add(p, "created", body=p.body(), cells=cells)


@case("cell-all-blanks", "student", "renewed")
def cell_all_blanks(w, kind, v):
    """Every cell with blanks of another sort around it."""
    p = w.person(kind)
    pid = w.patron(p)
    blanks = (" ", NBSP, EM, WIDE, "  ")
    w.add(p, "renewed", patron=pid, cells=[blanks[i % 5] + c + blanks[(i + 2) % 5] for i, c in enumerate(p.cells())])


@case("cell-unused", "student", "renewed", variants=3)
def cell_unused(w, kind, v):
    """Columns that nothing is made of may hold anything."""
    p = w.person(kind)
    w.renewed(p.put(school=("", "\u00e9cole, \"3\"", "\udcff\x02")[v], grade=("", "PK", "K\n")[v]), w.patron(p))
