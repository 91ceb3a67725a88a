# SPDX-License-Identifier: GPL-3.0-or-later
"""Invented words and unique numbers: no person, street or address here exists."""

import string

_LAST = [a + b + c
         for a in ("Bra", "Dro", "Fel", "Gri", "Hol", "Jum", "Kel", "Lor", "Mav", "Nim", "Orv", "Pel",
                   "Qua", "Rul", "Sov", "Tam", "Ulv", "Vos", "Wim", "Yor", "Zel")
         for b in ("ba", "co", "di", "fu", "ga", "ki", "lo", "mu", "ne", "po", "ra", "su", "te", "vo", "za")
         for c in ("brick", "dell", "fern", "gate", "moor", "nock", "quist", "shaw", "thorn", "wick")]
_FIRST = [a + b + c
          for a in ("Al", "Be", "Ci", "Do", "Eb", "Fa", "Gi", "Ha", "Io", "Ja", "Ka", "Li", "Mo", "Ne",
                    "Os", "Pa", "Ri", "Sa", "Ti", "Ul")
          for b in ("bri", "dan", "fio", "lim", "mar", "nol", "pir", "ros", "tam", "vel", "wen", "zor")
          for c in ("a", "o", "ie", "en", "us", "y")]
_WAYS = ("Ln", "Rd", "Ct", "Way", "Loop", "Trl")
CITIES = ("Testham", "Quarry Bend", "Mockville", "Samplebury", "Fictwick")
ZIPS = ("27510", "27514", "27516", "27517")

_LETTERS = string.ascii_lowercase
_TOKENS = 26 ** 10


class Words:
    """Names, streets, e-mail addresses and telephone numbers; in token mode each is used once and can be searched for."""

    def __init__(self, rng, token_mode):
        self.rnd = rng.random
        self.token_mode = token_mode
        self.count = 0
        self.tokens = []
        self._start = int(rng.random() * _TOKENS)

    def _token(self):
        # An affine walk: unique for 26^10 steps, and without a common beginning that a search could mistake.
        n = (self._start + self.count * 11881376000017) % _TOKENS
        self.count += 1
        out = []
        for _ in range(10):
            n, r = divmod(n, 26)
            out.append(_LETTERS[r])
        token = "Zq" + "".join(out)
        self.tokens.append(token)
        return token

    def last(self):
        if self.token_mode:
            return self._token()
        return _LAST[int(self.rnd() * len(_LAST))]

    def first(self):
        if self.token_mode:
            return self._token()
        return _FIRST[int(self.rnd() * len(_FIRST))]

    def differing(self, make, *others):
        """A word of the given sort that differs from the others."""
        while True:
            word = make()
            if word not in others:
                return word

    def street(self):
        return "%d %s %s" % (10 + int(self.rnd() * 980), self.last(), _WAYS[int(self.rnd() * len(_WAYS))])

    def phone(self):
        if self.token_mode:
            self.count += 1
            number = "555-01%08d" % self.count
            self.tokens.append(number)
            return number
        return "919-555-01%02d" % int(self.rnd() * 100)

    def email(self, domain):
        if self.token_mode:
            return self._token().lower() + "@" + domain
        return "%s.%s%d@%s" % (self.first().lower(), self.last().lower(), int(self.rnd() * 9000) + 1000, domain)


class Numbers:
    """Numbers without a leading zero, each given out once: so that nothing meets in the index but what a case makes meet."""

    def __init__(self, rng):
        self._rng = rng
        self._state = {}

    def take(self, width):
        if width not in self._state:
            self._state[width] = [0, int(self._rng.random() * 10 ** width)]
        state = self._state[width]
        span = 9 * 10 ** (width - 1)
        if state[0] >= span:
            raise ValueError("no more numbers of %d digits: ask for fewer rows or patrons" % width)
        # 73688047 shares no factor with 2, 3 or 5, so the walk meets every number once.
        n = 10 ** (width - 1) + (state[0] * 73688047 + state[1]) % span
        state[0] += 1
        return str(n)
