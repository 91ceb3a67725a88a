# SPDX-License-Identifier: GPL-3.0-or-later
"""A Sierra that must not be written to: not the right one, not whole, not to be understood. And what patrond survives."""
import unittest

import hand_feed
import feed_kit
import stagekit
from feed_kit import BYSTANDER, feed, pack, patron, student
from refusal_kit import Refusals
from rig import API_KEY, run

KEYS = [76000000 + i for i in range(13)]
MANY = [patron(1000100 + i, str(key)) for i, key in enumerate(KEYS)] + [BYSTANDER]
# Pages of five: 14 patrons are on three.
SMALL_PAGES = "[sierra]\npage_size = 5\nretry_pause = 1ms\nretry_pause_max = 5ms\nrate_pause = 1ms\n"


class Sierra(Refusals):
    patrons = MANY

    def setUp(self):
        super().setUp()
        self.house.config(SMALL_PAGES, ("share",))
        self.house.calm()
        self.house.share("feed.zip", pack({feed_kit.STUDENTS: feed([student(key) for key in KEYS] + [student("76999999")])}))

    def fresh(self, patrons=None, *options, **more):
        self.house.sierra_with(MANY if patrons is None else patrons, *options, **more)


class Refused(Sierra):
    def test_certificate_of_another_name(self):
        self.fresh(certificate="other")
        self.addCleanup(self.fresh)
        self.refused("tls-name", "Sierra's TLS certificate is for another name than the host of [sierra] url: correct the url, or "
                     "the certificate.")

    def test_unknown_authority(self):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", "/CN=patrond test CA", "-keyout", self.house.path("stranger.key"), "-out", self.house.path("stranger.pem"))
        self.house.config(SMALL_PAGES + f"[sierra]\nca_file = {self.house.path('stranger.pem')}\n", ("share",))
        self.refused("tls-ca", "not signed by an authority that is trusted here: name its CA in [sierra] ca_file.")
        self.house.config(SMALL_PAGES + "[sierra]\nca_file =\n", ("share",))
        self.refused("tls-ca", "not signed by an authority that is trusted here")

    def test_wrong_api_key(self):
        self.addCleanup(self.house.credential, "sierra-key", API_KEY)
        self.house.credential("sierra-key", "patrond-test-key:wrong")
        for form in ("envelope", "oauth"):
            with self.subTest(form):
                self.house.switch(token_refusal=form)
                self.refused("token-refused", "Sierra refused the API key (HTTP 401): is the credential sierra-key right "
                             "(key:secret), and the key enabled?")
        self.house.credential("sierra-key", "no colon in it")
        self.refused("credential", "The credential sierra-key cannot be used (not of its form; sierra-key is key:secret)", status=1)

    def test_key_without_the_role(self):
        self.house.fault("forbidden-116@list")
        self.refused("forbidden", "Sierra's API key lacks a role (HTTP 403): it needs Patrons Read and Patrons Write.")

    def test_switched_off(self):
        self.house.fault("api-disabled-117")
        self.refused("api-disabled", "Sierra's API is switched off (code 117); it is tried again.")

    def test_error_pages_instead_of_json(self):
        unreachable = "Sierra cannot be reached or does not answer"
        hole = "Sierra's list of patrons could not be read (HTTP 200): the index would have a hole, so nothing was written."
        for fault, reason, sentence in (("html-200@token", "sierra-unreachable", unreachable),
                                        ("html-502@token", "sierra-unreachable", unreachable),
                                        ("html-200@list", "index-answer", hole), ("empty-200@list", "index-answer", hole),
                                        ("html-502@list", "sierra-unreachable", unreachable),
                                        ("error-500-111@list", "sierra-unreachable", unreachable)):
            with self.subTest(fault):
                self.house.calm()
                self.house.fault(fault)
                self.refused(reason, sentence)

    def test_a_page_cut_short(self):
        for fault, reason in (("list-truncated", "index-answer"), ("partial-body@list", "sierra-unreachable"),
                              ("drop-before-response@list", "sierra-unreachable")):
            with self.subTest(fault):
                self.house.calm()
                self.house.fault(fault, "from:2")  # the first page is whole
                self.refused(reason, "Sierra")

    def test_an_error_in_the_middle_of_the_list(self):
        for form in ("page", "entry"):
            with self.subTest(form):
                self.house.calm()
                self.house.switch(list_error_form=form)
                self.house.fault("list-error-mid", "from:2")
                self.refused("index-answer", "the index would have a hole, so nothing was written.")

    def test_a_list_that_does_not_go_on(self):
        self.house.fault("list-repeat", "from:2")
        self.refused("index-order", "Sierra's list of patrons does not ascend: the index would have a hole, so nothing was written.")

    def test_too_slow_a_page(self):
        self.house.config(SMALL_PAGES + "page_timeout = 100ms\nretries = 1\n", ("share",))
        self.house.switch(slow_ms="60000")
        self.house.fault("slow@list", "from:2")
        self.refused("sierra-unreachable", "does not answer")

    def test_nobody_at_all(self):
        gone = [dict(p, deletedDate="2025-01-01") for p in MANY]
        self.addCleanup(self.fresh)
        for ending, patrons in (("404-107", []), ("200-empty", []), ("200-empty-without-total", []), ("404-107", gone)):
            with self.subTest(ending, patrons=len(patrons)):
                self.fresh(patrons, switches=["empty-list=" + ending])
                self.refused("index-empty", "Sierra shows no patron at all: that cannot be, so nothing was written.")

    def test_nobody_with_a_barcode(self):
        self.addCleanup(self.fresh)
        self.fresh([{key: value for key, value in p.items() if key != "barcodes"} for p in MANY])
        self.refused("index-no-barcodes", "no patron with a barcode: that cannot be, so nothing was written; may the API key read")

    def test_not_there(self):
        port, self.house.sierra_port = self.house.sierra_port, 1
        try:
            self.house.config(SMALL_PAGES, ("share",))
        finally:
            self.house.sierra_port = port
        self.refused("sierra-unreachable", "Sierra cannot be reached or does not answer")

    def test_wrong_path(self):
        url = f"https://127.0.0.1:{self.house.sierra_port}/iii/sierra-api/v9"
        self.house.config(SMALL_PAGES + f"[sierra]\nurl = {url}\n", ("share",))
        self.refused("sierra-url", "There is no patron API at [sierra] url (HTTP 404): it ends like /iii/sierra-api/v6.")

    def test_a_key_that_may_not_write(self):
        for fault, reason, sentence in (("forbidden-116", "forbidden", "it needs Patrons Read and Patrons Write."),
                                        ("unauthorized-131", "unauthorized", "may not update patrons.")):
            with self.subTest(fault):
                self.house.calm()
                for kind in ("put", "post"):
                    self.house.fault(f"{fault}@{kind}")
                result = self.house.patrond("--once", memory=False)
                self.assertEqual((result.status, result.reasons()), (2, [reason]), result.messages()[-3:])
                told = [e["MESSAGE"] for e in result.entries if "WALLS" not in e]
                self.assertIn(sentence, told[-1])
                self.assertEqual(self.house.dump(), self.house.before)
                self.assertEqual(result.summaries("Plan")["student"]["RENEWED"], "13")


class Survived(Sierra):
    """The index must be whole: every key is found, and only the one that is nobody's is created."""

    def setUp(self):
        super().setUp()
        self.fresh()

    def whole(self):
        result = self.house.patrond("--once", memory=False)
        self.assertEqual((result.status, result.reasons()), (0, []), result.messages()[-3:])
        summary = result.summaries()["student"]
        self.assertEqual((summary["RENEWED"], summary["CREATED"], summary["ROWS"]), ("13", "1", "14"))
        after = self.house.dump()
        self.assertEqual(len(after), len(MANY) + 1)
        self.assertEqual({after[1000100 + i]["expirationDate"] for i in range(13)}, {hand_feed.NEW})
        self.assertEqual(self.house.counters()["creates_of_existing_barcode"], 0)
        return self.house.counters()

    def test_no_trouble(self):
        self.assertEqual(self.whole()["tokens_issued"], 1)

    def test_a_token_that_ends_mid_list(self):
        self.house.fault("token-revoked@list", "nth:2,4")
        counters = self.whole()
        self.assertEqual((counters["tokens_issued"], counters["faults"]["token-revoked"]), (3, 2))

    def test_a_token_of_a_second(self):
        self.house.switch(token_lifetime="1", latency_ms="130", token_single="yes")
        self.assertGreater(self.whole()["tokens_issued"], 1)

    def test_each_ending_of_the_list(self):
        for ending, total in (("404-107", "true"), ("200-empty", "page"), ("200-empty", "absent"),
                              ("200-empty-without-total", "true")):
            with self.subTest(ending, total=total):
                self.fresh(switches=["empty-list=" + ending, "total=" + total])
                self.whole()

    def test_a_page_size_clamped_by_the_server(self):
        for limit in ("clamp:3", "clamp:1", "400"):
            with self.subTest(limit):
                self.house.config("[sierra]\npage_size = 2000\n", ("share",))
                self.fresh(switches=["over-limit=" + limit])
                if limit == "400":
                    self.house.config("[sierra]\npage_size = 7\n", ("share",))
                self.whole()

    def test_ids_as_text_and_connections_that_end(self):
        self.house.fault("id-as-string")
        self.house.switch(keepalive_close_after="2")
        self.whole()

    def test_troubles_that_pass(self):
        for fault in ("html-200", "html-502", "list-truncated", "partial-body", "drop-before-response", "status-429", "status-503",
                      "error-500-111", "rate-exceeded-500", "list-error-mid", "empty-200"):
            with self.subTest(fault):
                self.fresh()
                self.house.fault(fault + "@list", "nth:1,3")
                self.assertEqual(self.whole()["faults"][fault], 2)


if __name__ == "__main__":
    stagekit.main()
