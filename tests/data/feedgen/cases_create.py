# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies of created patrons: clean rows at the edges of the rules, names, addresses, telephones, e-mail addresses."""

import datetime

from .people import Quoted
from .registry import case


@case("create-name", "student staff", "created", rate=0.0015, variants=14)
def create_name(w, kind, v):
    """Upper case in full Unicode; a comma inside a part becomes a blank; full stops, suffixes and hyphens stay."""
    p = w.person(kind)
    last, first = p.last, p.first
    L, F, N = last.upper(), first.upper(), w.words.last()
    cell_last, cell_first, name = (
        (last + "\u00df", first, "%sSS, %s" % (L, F)),
        (last + "\u00e9\u00f1\u00fc", first + "\u00eb", "%s\u00c9\u00d1\u00dc, %s\u00cb" % (L, F)),
        ("\u00f8" + last, "\u00e5" + first, "\u00d8%s, \u00c5%s" % (L, F)),
        (last + "\u0142\u0111", first + "\u00e6", "%s\u0141\u0110, %s\u00c6" % (L, F)),
        (last + "," + N, first, "%s %s, %s" % (L, N.upper(), F)),
        (last, first + ",Ann", "%s, %s ANN" % (L, F)),
        (last + ", Jr", first, "%s JR, %s" % (L, F)),
        ("St. " + last, first, "ST. %s, %s" % (L, F)),
        (last + " Jr.", first + " III", "%s JR., %s III" % (L, F)),
        ("O'" + last + "-" + N, first + "-Ann", "O'%s-%s, %s-ANN" % (L, N.upper(), F)),
        (last.lower(), first.upper(), "%s, %s" % (L, F)),
        ("de la " + last, first + " Q", "DE LA %s, %s Q" % (L, F)),
        (last + "\u00ff", first + "\u03c9", "%s\u0178, %s\u03a9" % (L, F)),
        (Quoted(last), Quoted(first), "%s, %s" % (L, F)),
    )[v]
    w.created(p.put(last=cell_last, first=cell_first), names=[name])


@case("create-one-name", "student staff", "created", variants=2)
def create_one_name(w, kind, v):
    """One part missing: the other alone."""
    p = w.person(kind)
    cell, name = (("first", p.last), ("last", p.first))[v]
    w.created(p.put(**{cell: ""}), names=[name.upper()])


@case("create-street", "student", "created", rate=0.001, variants=8)
def create_street(w, kind, v):
    """One street or two, none, only $; upper case, full stops dropped."""
    p = w.person(kind)
    name = w.words.last()
    N = name.upper()
    cells, street = (
        ({"street": "12 N. %s St." % name}, "12 N %s ST" % N),
        ({"streets": ["40 %s Rd" % name, "Apt. 4b"]}, "40 %s RD APT 4B" % N),
        ({"streets": ["40 %s Rd" % name, ""]}, "40 %s RD" % N),
        ({"streets": ["", "PO Box 77 %s" % name]}, "PO BOX 77 %s" % N),
        ({"street": "7-B %s Way #4" % name}, "7-B %s WAY #4" % N),
        ({"street": "9 %s, Unit 3" % name}, "9 %s, UNIT 3" % N),
        ({"street": ""}, None),
        ({"street": "$"}, None),
    )[v]
    lines = [street, p.city_line()] if street else [p.city_line()]
    w.created(p.put(**cells), addresses=[{"lines": lines, "type": "a"}])


@case("create-street", "staff", "created", variants=3)
def create_street_staff(w, kind, v):
    """Staff have an address only where Address1 is there."""
    p = w.person(kind)
    name = w.words.last()
    cell, street = (("", None), ("12 N. %s St." % name, "12 N %s ST" % name.upper()), ("\u00a0", None))[v]
    w.created(p.put(street=cell), addresses=[{"lines": [street, p.city_line()], "type": "a"}] if street else None)


@case("create-city", "student staff", "created", variants=3)
def create_city(w, kind, v):
    """The second line: upper case, full stops dropped, a ZIP of 5 or of 5-4."""
    p = w.person(kind)
    cells, line = (({"city": "St. Mockton"}, "ST MOCKTON NC %s" % p.zip),
                   ({"zip": p.zip + "-0142"}, "%s NC %s-0142" % (p.city.upper(), p.zip)),
                   ({"state": "nc"}, "%s NC %s" % (p.city.upper(), p.zip)))[v]
    w.created(p.put(**cells), addresses=[{"lines": [p.street.upper(), line], "type": "a"}])


@case("create-email", "student", "created", rate=0.001, variants=11)
def create_email(w, kind, v):
    """Split on ; , and blanks, those with an @, duplicates dropped whatever their case, the student's first."""
    p = w.person(kind)
    a, b, c, d = (w.words.email(domain) for domain in ("students.example.org", "home.invalid", "home.invalid", "mail.example.org"))
    email, guardians, want = (
        (a, [b, c], [a, b, c]),
        (a + ";" + b, [c + "," + d], [a, b, c, d]),
        (a + " " + b, [c + " ; " + d + ","], [a, b, c, d]),
        (a, [a.upper(), b], [a, b]),
        (a.title(), [a, b + ";" + b.upper()], [a.title(), b]),
        ("", [b], [b]),
        (a, [""], [a]),
        ("", ["", ""], None),
        ("none", ["n/a;" + b], [b]),
        (";" + a + ";;", ["", "", c], [a, c]),
        ("refused", [""], None),
    )[v]
    w.created(p.put(email=email, guardians=guardians), emails=[",".join(want)] if want else None)


@case("create-email", "staff", "created", variants=4)
def create_email_staff(w, kind, v):
    """The same way."""
    p = w.person(kind)
    a, b = w.words.email("staff.example.org"), w.words.email("mail.example.org")
    cell, want = ((a + ";" + b, [a, b]), (a + " " + a.upper(), [a]), ("", None), ("unknown", None))[v]
    w.created(p.put(email=cell), emails=[",".join(want)] if want else None)


@case("create-phone", "student", "created", variants=3)
def create_phone(w, kind, v):
    """One of type t where there is one, as it stands."""
    p = w.person(kind)
    a = w.words.phone()
    cell, want = (("", None), (" " + a + " ", a), ("(919) %s ext. 4" % a, "(919) %s ext. 4" % a))[v]
    w.created(p.put(phone=cell), phones=[{"number": want, "type": "t"}] if want else None)


@case("create-phone", "staff", "created", variants=4)
def create_phone_staff(w, kind, v):
    """Mobile of type t, home of type p, each where there is one."""
    p = w.person(kind)
    a, b = w.words.phone(), w.words.phone()
    mobile, home = ((a, b), (a, ""), ("", b), ("", ""))[v]
    want = [{"number": n, "type": t} for n, t in ((mobile, "t"), (home, "p")) if n]
    w.created(p.put(mobile=mobile, home=home), phones=want or None)


@case("create-pin", "student", "created", variants=4)
def create_pin(w, kind, v):
    """Month and day of birth in two digits, however the date is spelled; today and 1900 are real dates."""
    p = w.person(kind)
    year = p.dob.year
    p.dob = (datetime.date(year, 1, 9), datetime.date(1904, 2, 29), datetime.date(1900, 1, 1), w.today)[v]
    text, iso, pin = (("1/9/%d" % year, "%d-01-09" % year, "01x09"), ("2/29/1904", "1904-02-29", "02x29"),
                      ("01/01/1900", "1900-01-01", "01x01"),
                      (w.today.strftime("%m/%d/%Y"), w.today.isoformat(), w.today.strftime("%mx%d")))[v]
    w.created(p.put(dob=text), birthDate=iso, pin=pin)


@case("create-pin", "staff", "created", variants=6)
def create_pin_staff(w, kind, v):
    """Of the key: characters 6-7 and 8-9 counted from 0; a shorter one: its last four digits."""
    p = w.person(kind)
    p.key = w.numbers.take((10, 12, 9, 7, 5, 4)[v])
    k = p.key
    pin = k[6] + k[7] + "x" + k[8] + k[9] if v < 2 else k[-4] + k[-3] + "x" + k[-2] + k[-1]
    w.created(p, pin=pin)


@case("create-pin-spelled", "staff", "created")
def create_pin_spelled(w, kind, v):
    """The PIN is taken from the cleaned key."""
    p = w.person(kind)
    k = p.key = w.numbers.take(10)
    w.created(p.put(key="#%s-%s %s" % (k[:2], k[2:7], k[7:])), pin=k[6] + k[7] + "x" + k[8] + k[9], barcodes=[k])


@case("create-leading-zero", "student staff", "created")
def create_leading_zero(w, kind, v):
    """A key with leading zeros, alone in load and index: the barcode keeps them."""
    p = w.person(kind)
    p.key = "00" + p.key
    w.created(p, barcodes=[p.key])
