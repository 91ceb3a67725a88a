# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a key is found: the fields of the index, spellings of the key, shapes of the row that are good all the same."""

from .people import Quoted
from .registry import case


@case("second-field", "student staff", "renewed", variants=3)
def second_field(w, kind, v):
    """The key stands in another barcode field than the first."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, barcodes=([w.card(), p.key], ["", p.key], [w.card(), w.card(), p.key, ""])[v]))


@case("field-blanks", "student", "renewed", variants=3)
def field_blanks(w, kind, v):
    """Blanks around a barcode: clean, and on no report."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, barcodes=[("  %s", "%s ", " \t%s\u00a0")[v] % p.key]))


@case("field-twice", "student", "renewed")
def field_twice(w, kind, v):
    """One patron with the same barcode twice is not ambiguous."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, barcodes=[p.key, p.key]))


@case("clean-beside-malformed", "student staff", "renewed", variants=2)
def clean_beside_malformed(w, kind, v):
    """A clean field counts whatever else the patron has, even the same number with a note."""
    p = w.person(kind)
    field = p.key + " / PREV ID" if v else w.card() + " / LOST"
    w.renewed(p, w.patron(p, barcodes=[field, p.key], report=[(field, "note")]))


@case("clean-here-tainted-there", "student", "renewed")
def clean_here_tainted_there(w, kind, v):
    """Clean on one patron and tainted on another: not on a tainted one only, so matched."""
    p, q = w.person(kind), w.person(kind)
    field = "%s;%s" % (w.card(), p.key)
    w.patron(q, barcodes=[field], report=[(field, "several")])
    w.renewed(p, w.patron(p))


@case("clean-here-zeros-there", "student", "renewed")
def clean_here_zeros_there(w, kind, v):
    """Clean on one patron, and with a leading zero on another: the very key is matched."""
    p, q = w.person(kind), w.person(kind)
    w.patron(q, barcodes=["0" + p.key])
    w.renewed(p, w.patron(p))


@case("leading-zero-exact", "student", "renewed")
def leading_zero_exact(w, kind, v):
    """A key with leading zeros on a barcode with the very same zeros."""
    p = w.person(kind)
    p.key = "00" + p.key
    w.renewed(p, w.patron(p))


@case("bare-patron", "student staff", "renewed")
def bare_patron(w, kind, v):
    """A patron without names and birth date: nothing to compare, so matched."""
    p = w.person(kind)
    w.renewed(p, w.patron(p, names=None, dob=None))


def spellings(key):
    return (" %s " % key, key[:3] + "-" + key[3:], "#" + key, "# %s %s" % (key[:3], key[3:]), "\u00a0" + key + "\u2003",
            "-".join(key), Quoted(key), "\t" + key, "#" + key[:2] + "-" + key[2:4] + " " + key[4:])


@case("key-spelling", "student staff", "renewed", variants=9)
def key_spelling(w, kind, v):
    """Blanks, hyphens and a leading # are no part of the key."""
    p = w.person(kind)
    w.renewed(p.put(key=spellings(p.key)[v]), w.patron(p))


@case("key-spelling-created", "student staff", "created", variants=9)
def key_spelling_created(w, kind, v):
    """The barcode of a created patron is the cleaned key."""
    p = w.person(kind)
    w.created(p.put(key=spellings(p.key)[v]))


@case("dob-spelling", "student", "renewed", variants=4)
def dob_spelling(w, kind, v):
    """M/D/YYYY and mixtures; the names differ, so the birth date alone carries the match."""
    p = w.person(kind)
    d = p.dob
    text = ("%d/%d/%d" % (d.month, d.day, d.year), "%02d/%d/%d" % (d.month, d.day, d.year),
            "%d/%02d/%d" % (d.month, d.day, d.year), " %02d/%02d/%d " % (d.month, d.day, d.year))[v]
    w.renewed(p.put(dob=text), w.patron(p, names=["%s, %s" % (w.words.last().upper(), w.words.first().upper())]))


@case("second-street", "student", "renewed", variants=4)
def second_street(w, kind, v):
    """The row repeats Mailing_Street: everything after stands one place further on."""
    p = w.person(kind)
    p.put(streets=([p.street, "Apt 4"], [p.street, ""], ["", "Unit 7"], [p.street, p.street])[v])
    w.renewed(p, w.patron(p))


@case("second-street-plus-four", "student", "renewed")
def second_street_plus_four(w, kind, v):
    """The same with a ZIP of 5-4, the mark of the row's shape."""
    p = w.person(kind)
    w.renewed(p.put(streets=[p.street, "# 12"], zip=p.zip + "-0142"), w.patron(p))


@case("zip-blanks", "student", "renewed", variants=2)
def zip_blanks(w, kind, v):
    """A ZIP with blanks around it still tells the shape."""
    p = w.person(kind)
    w.renewed(p.put(zip=(" " + p.zip, p.zip + "\u00a0")[v]), w.patron(p))


@case("guardians", "student", "renewed", variants=4)
def guardians(w, kind, v):
    """One or more guardian columns, empty or not."""
    p = w.person(kind)
    e = p.guardians[0]
    w.renewed(p.put(guardians=([e, e], ["", ""], ["", e, ""], [e, "", "", e])[v]), w.patron(p))


@case("dcid-row", "student", "renewed", variants=4)
def dcid_row(w, kind, v):
    """STUDENTSDCID given, empty or absent in this row, whatever the feed does elsewhere."""
    p = w.person(kind)
    w.renewed(p.put(dcid=("123456", "", None, None)[v], guardians=[""] if v == 3 else p.guardians), w.patron(p))


@case("deleted-patron", "student staff", "created")
def deleted_patron(w, kind, v):
    """The key is on a deleted record alone: absent, so created."""
    p = w.person(kind)
    w.patron(p, deleted=True)
    w.created(p)


@case("deleted-and-live", "student", "renewed")
def deleted_and_live(w, kind, v):
    """A deleted record with the same key does not make the live one ambiguous."""
    p = w.person(kind)
    w.patron(p, deleted=True)
    w.renewed(p, w.patron(p))


@case("near-key", "student", "created", variants=3)
def near_key(w, kind, v):
    """A barcode that begins or ends with the key is another number."""
    p, q = w.person(kind), w.person(kind)
    if v == 2:
        field = "%s7 / LOST" % p.key
        w.patron(q, barcodes=[field], report=[(field, "note")])
    else:
        w.patron(q, barcodes=[p.key + "7" if v else "7" + p.key])
    w.created(p)
