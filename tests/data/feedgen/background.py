# SPDX-License-Identifier: GPL-3.0-or-later
"""The library's other patrons, whom no row means: with cards of their own, and with the untidiness of a real catalogue."""

from .cases_held import malformed

MALFORMED = 0.003
AMBIGUOUS = 0.0004
NO_BARCODE = 0.03
NO_EXPIRATION = 0.02
NO_BIRTH_DATE = 0.06
DELETED = 0.005
WEB_NUMBERS = 200000


def fill(w, total):
    """Makes patrons until total live ones are there, and deleted ones beside them."""
    rnd, today = w.rnd, w.today.toordinal()
    fromordinal = type(w.today).fromordinal
    birth_dates = [w.birth_date().isoformat() if w.token_mode else fromordinal(today - 2000 - int(rnd() * 28000)).isoformat()
                   for _ in range(4000)]
    dates = [fromordinal(today - 1500 + int(rnd() * 2600)).isoformat() for _ in range(4000)]
    web = 0
    while w.patrons_live < total:
        name = w.words.last().upper() + ", " + w.words.first().upper()
        sort = rnd()
        exp = dates[int(rnd() * 4000)] if rnd() >= NO_EXPIRATION else None
        dob = birth_dates[int(rnd() * 4000)] if rnd() >= NO_BIRTH_DATE else None
        if sort < MALFORMED:
            fields = malformed(w, w.card())
            field = fields[int(rnd() * len(fields))]
            barcodes = [field[0]] if rnd() < 0.7 else [w.card(), field[0]]
            w.patron(names=[name], barcodes=barcodes, exp=exp, dob=dob, report=[field])
            continue
        if sort < MALFORMED + AMBIGUOUS and w.patrons_live + 1 < total:
            card = w.card()
            for who in (name, "%s, %s" % (w.words.last().upper(), w.words.first().upper())):
                w.patron(names=[who], barcodes=[card], exp=exp, dob=dob, report=[(card, "ambiguous")])
            continue
        if sort < 0.03 + NO_BARCODE:
            w.patron_light(name, "" if rnd() < 0.3 else None, exp, dob, 3)
            continue
        if sort < 0.1:
            w.patron(names=[name] * (1 if rnd() < 0.9 else 2), barcodes=[w.card(), w.card()], exp=exp, dob=dob)
            continue
        if sort < 0.25 and web < WEB_NUMBERS:
            # Six digits from a registration on the web share one number space with keys.
            web += 1
            w.patron_light(name, w.numbers.take(6), exp, dob, 10)
            continue
        w.patron_light(name, w.card(), exp, dob, 1)
    for _ in range(int(total * DELETED)):
        w.patron(names=None, barcodes=[w.card()], exp=None, dob=None, deleted=True)
