# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-load over TLS against the stand-in: refusals first, then what a good load does."""
import datetime
import json
import os
import shutil
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hostile_sierra import HostileSierra, answer  # noqa: E402
from load_kit import (BINARY, FRAME, TERM, TODAY, Certificates, Load, LoadRig, Outcome, days, patron, record,  # noqa: E402
                      report_frames, staff, student, trailer)
import stagekit  # noqa: E402
from stagekit import Stage, frame  # noqa: E402

ROWS = [student(1, "100001"), student(2, "200002", "BOB", "BROWN"), staff(1, "300003")]
PATRONS = [patron(1000001, "100001"), patron(1000002, "555")]


def setUpModule():
    global CERTIFICATES, DIRECTORY
    DIRECTORY = tempfile.mkdtemp(prefix="load-tls-")
    os.chmod(DIRECTORY, 0o755)
    CERTIFICATES = Certificates(DIRECTORY)


def tearDownModule():
    shutil.rmtree(DIRECTORY, ignore_errors=True)


class LoadTest(unittest.TestCase):
    def setUp(self):
        self.rig = LoadRig()
        self.addCleanup(self.rig.done)

    def start(self, *args, records=None, **kwargs):
        switches = [word for name, value in kwargs.pop("switches", {}).items() for word in ("--switch", f"{name}={value}")]
        return self.rig.start(CERTIFICATES, *args, *switches, records=PATRONS if records is None else records, **kwargs)

    def sierra(self, **values):
        self.rig.settings["sierra"].update(values)

    def assert_refused(self, outcome, code, number=None):
        """Ended so, and nothing written."""
        self.assertEqual(outcome.failure(), code, outcome.frames)
        if number is not None:
            self.assertEqual(outcome.last.number, number)
        self.assertEqual(outcome.all("OUTCOME"), [])
        if outcome.counters:
            self.assertEqual(outcome.written(), 0)

    def assert_clean(self, outcome):
        """What no load may ever do."""
        for name in ("creates_of_existing_barcode", "puts_that_changed_nothing", "puts_that_moved_date_backwards",
                     "empty_strings_written"):
            self.assertEqual(outcome.counters[name], 0, name)

    def assert_done(self, outcome):
        self.assertEqual(outcome.last.name, "DONE", outcome.frames)
        self.assert_clean(outcome)


class Tls(LoadTest):
    def test_name(self):
        self.start(name="other")
        self.assert_refused(self.rig.load(ROWS), "tls-name")

    def test_name_of_the_url(self):
        try:
            socket.getaddrinfo("localhost", None, socket.AF_INET)
        except OSError:
            self.skipTest("localhost has no address here: there is no /etc/hosts")
        self.start()
        self.rig.host = "localhost"
        self.assertEqual(self.rig.load(ROWS).last.name, "DONE")

    def test_untrusted(self):
        self.start()
        self.sierra(ca_file=CERTIFICATES.path("stranger.pem"))
        self.assert_refused(self.rig.load(ROWS), "tls-ca")

    def test_system_roots_do_not_count_beside_ca_file(self):
        self.start()
        self.rig.settings["sierra"].pop("ca_file")
        self.assert_refused(self.rig.load(ROWS), "tls-ca")

    def test_ca_file_missing(self):
        self.start()
        self.sierra(ca_file=self.rig.path("nothing.pem"))
        self.assert_refused(self.rig.load(ROWS), "config")

    def test_ca_file_without_certificate(self):
        self.start()
        with open(self.rig.path("empty.pem"), "w", encoding="ascii") as file:
            file.write("no certificate\n")
        self.sierra(ca_file=self.rig.path("empty.pem"))
        self.assert_refused(self.rig.load(ROWS), "tls-ca")

    def test_no_tls(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.sierra(url=f"https://127.0.0.1:{listener.getsockname()[1]}/iii/sierra-api/v6", connect_timeout="300ms")
        self.assert_refused(self.rig.load(ROWS), "sierra-unreachable")

    def test_closed_in_the_handshake(self):
        import threading
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        self.sierra(url=f"https://127.0.0.1:{listener.getsockname()[1]}/iii/sierra-api/v6")
        self.assert_refused(self.rig.load(ROWS), "tls")

    def test_nobody_listens(self):
        self.start()
        self.rig.write_config()
        self.rig.server.stop()
        self.rig.server = None
        self.assert_refused(self.rig.load(ROWS), "sierra-unreachable")

    def test_name_does_not_resolve(self):
        self.sierra(url="https://sierra.invalid/iii/sierra-api/v6")
        self.assert_refused(self.rig.load(ROWS), "resolve")


class Token(LoadTest):
    def test_wrong_key(self):
        self.start()
        self.rig.credential("key:wrong-secret")
        outcome = self.rig.load(ROWS)
        self.assert_refused(outcome, "token-refused", 401)
        # a key may be locked out by hammering
        self.assertEqual(outcome.requests("token"), 1)

    def test_no_key(self):
        self.start()
        self.rig.credential(None)
        self.assert_refused(self.rig.load(ROWS), "credential")

    def test_key_without_colon(self):
        self.start()
        self.rig.credential("keyalone")
        self.assert_refused(self.rig.load(ROWS), "credential")

    def test_refused_oauth(self):
        self.start(switches={"token-refusal": "oauth"})
        self.rig.credential("key:wrong-secret")
        self.assert_refused(self.rig.load(ROWS), "token-refused")

    def test_html_for_a_token(self):
        self.start(switches={"fault.html-200@token": "always"})
        self.assert_refused(self.rig.load(ROWS), "sierra-unreachable")

    def test_broken_then_well(self):
        self.start(switches={"fault.error-500-111@token": "first:2"})
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.requests("token"), 3)

    def test_broken_for_good(self):
        self.start(switches={"fault.error-500-111@token": "always"})
        outcome = self.rig.load(ROWS)
        self.assert_refused(outcome, "sierra-unreachable", 500)
        self.assertEqual(outcome.requests("token"), 3)

    def test_expires_in_the_list(self):
        self.start("--token-lifetime", "1", switches={"latency-ms": 300, "over-limit": "clamp:1"},
                   records=[patron(1000000 + i, str(i + 1)) for i in range(8)])
        outcome = self.rig.load([student(1, "1"), student(2, "99")])
        self.assert_done(outcome)
        self.assertGreater(outcome.requests("token"), 2)
        self.assertEqual(outcome.all("INDEXED")[0].patrons, 8)

    def test_revoked_in_the_list(self):
        self.start(switches={"over-limit": "clamp:1", "fault.token-revoked@list": "nth:2,4"},
                   records=[patron(1000000 + i, str(i + 1)) for i in range(4)])
        outcome = self.rig.load([student(1, "1")])
        self.assert_done(outcome)
        self.assertEqual(outcome.requests("token"), 3)
        self.assertEqual(outcome.all("INDEXED")[0].patrons, 4)

    def test_revoked_among_writes_is_renewed_once(self):
        self.start("--generate", "60", switches={"fault.token-revoked@put": "nth:20", "latency-ms": 10})
        rows = [student(i + 1, str(k), first=f, last=s, birth=b) for i, (k, s, f, b) in enumerate(derived(60, self.rig.server))]
        outcome = self.rig.load(rows)
        self.assert_done(outcome)
        self.assertEqual(outcome.requests("token"), 1 + 2)  # one is the test's own
        self.assertEqual(outcome.counts()["student"].outcomes, {"renewed": 60})

    def test_refused_for_ever(self):
        self.start(switches={"fault.token-revoked@list": "always"})
        outcome = self.rig.load(ROWS)
        self.assert_refused(outcome, "unauthorized")
        self.assertEqual(outcome.requests("list"), 2)

    def test_131_does_not_loop(self):
        self.start(switches={"fault.unauthorized-131@put": "always"})
        self.sierra(connections=1)
        outcome = self.rig.load(ROWS)
        self.assertEqual(outcome.failure(), "unauthorized")
        self.assertEqual(outcome.requests("put"), 2)
        self.assertEqual(outcome.requests("post"), 0)


def derived(count, server):
    """The derived records of --generate as (key, surname, first, birth)."""
    answer = server.api("GET", "patrons", limit=count, deleted="false", id="[1,]", fields="id,names,barcodes,birthDate").json()
    for entry in answer["entries"]:
        surname, first = entry["names"][0].split(", ")
        yield entry["barcodes"][0], surname, first, datetime.date.fromisoformat(entry["birthDate"])


class Index(LoadTest):
    def test_refusals(self):
        """Nothing but the end is the end: each of these once made, elsewhere, a second patron of everybody after it."""
        cases = {
            "fault.html-200@list": "index-answer",
            "fault.html-502@list": "sierra-unreachable",
            "fault.error-500-111@list": "sierra-unreachable",
            "fault.empty-200@list": "index-answer",
            "fault.truncated-json@list": "index-answer",
            "fault.list-truncated@list": "index-answer",
            "fault.partial-body@list": "sierra-unreachable",
            "fault.drop-before-response@list": "sierra-unreachable",
            "fault.list-error-mid@list": "index-answer",
            "fault.list-repeat@list": "index-order",
            "fault.forbidden-116@list": "forbidden",
            "fault.api-disabled-117@list": "api-disabled",
            "fault.rate-exceeded-500@list": "sierra-unreachable",
        }
        for switch, failure in cases.items():
            with self.subTest(switch):
                rig = LoadRig()
                rig.settings["sierra"]["rate_pause"] = "2ms"
                rig.start(CERTIFICATES, "--switch", "over-limit=clamp:2", "--switch", switch + "=from:2",
                          records=[patron(1000000 + i, str(i + 1)) for i in range(6)])
                try:
                    self.assert_refused(rig.load(ROWS), failure)
                finally:
                    rig.done()

    def test_error_among_the_rows(self):
        self.sierra(page_size=2)
        self.start(switches={"fault.list-error-mid@list": "always", "list-error-form": "entry"})
        self.assert_refused(self.rig.load(ROWS), "index-answer")

    def test_survives_what_passes(self):
        for switch in ("html-502", "error-500-111", "empty-200", "truncated-json", "partial-body", "drop-before-response",
                       "list-error-mid", "status-429", "status-503", "rate-exceeded-500", "html-200"):
            with self.subTest(switch):
                rig = LoadRig()
                rig.start(CERTIFICATES, "--switch", "over-limit=clamp:2", "--switch", f"fault.{switch}@list=nth:2,4",
                          records=[patron(1000000 + i, str(i + 1)) for i in range(6)])
                try:
                    outcome = rig.load([student(1, "4"), student(2, "77")])
                    self.assert_done(outcome)
                    self.assertEqual(outcome.all("INDEXED")[0].patrons, 6)
                finally:
                    rig.done()

    def test_wrong_url(self):
        self.start()
        self.sierra(url=f"https://127.0.0.1:{self.rig.server.port}/iii/elsewhere/v6")
        self.assert_refused(self.rig.load(ROWS), "sierra-url")

    def test_ends(self):
        for switch in ("404-107", "200-empty", "200-empty-without-total"):
            for page in (1, 2, 3, 2000):
                with self.subTest(switch, page=page):
                    rig = LoadRig()
                    rig.settings["sierra"]["page_size"] = page
                    rig.start(CERTIFICATES, "--switch", "empty-list=" + switch, records=PATRONS)
                    try:
                        outcome = rig.load(ROWS)
                        self.assert_done(outcome)
                        self.assertEqual(outcome.all("INDEXED")[0].patrons, 2)
                        # a short page is not the end
                        self.assertEqual(outcome.requests("list"), {1: 3, 2: 2, 3: 2, 2000: 2}[page])
                    finally:
                        rig.done()

    def test_clamped(self):
        self.start("--generate", "1000", switches={"over-limit": "clamp:7", "total": "true"}, records=[])
        outcome = self.rig.load(ROWS)
        self.assertEqual(outcome.all("INDEXED")[0].patrons, 1000)

    def test_limit_refused(self):
        self.start("--generate", "5", switches={"over-limit": "400"}, records=[])
        self.rig.settings["sierra"]["page_size"] = 2000
        self.assertEqual(self.rig.load(ROWS).all("INDEXED")[0].patrons, 5)

    def test_empty(self):
        for switch in ("404-107", "200-empty"):
            with self.subTest(switch):
                rig = LoadRig()
                rig.start(CERTIFICATES, "--switch", "empty-list=" + switch, records=[])
                try:
                    self.assert_refused(rig.load(ROWS), "index-empty")
                finally:
                    rig.done()

    def test_no_barcodes(self):
        self.start(records=[patron(1000001, None), patron(1000002, ["", "  "])])
        self.assert_refused(self.rig.load(ROWS), "index-no-barcodes")

    def test_ids_as_text_and_absent_keys(self):
        self.start(switches={"fault.id-as-string": "always"},
                   records=[patron(1000001, "100001", expires=None), patron(1000002, None), patron(1000003, "9", birth=None)])
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.all("INDEXED")[0].patrons, 3)
        self.assertEqual(outcome.rows()["student", 1], ("renewed", "", 1000001))

    def test_unreachable_list_times_out(self):
        self.start(switches={"fault.slow@list": "always", "slow-ms": 3000})
        self.sierra(page_timeout="300ms", retries=1)
        self.assert_refused(self.rig.load(ROWS), "sierra-unreachable")


class Hostile(LoadTest):
    """A server that is not Sierra, or no longer."""

    NO_MORE = answer(b'{"code":107,"specificCode":0,"httpStatus":404,"name":"Record not found"}', "404 Not Found")
    PAGE = answer(b'{"total":1,"start":0,"entries":[{"id":1000001,"barcodes":["100001"],"names":["SMITH, ANN"],'
                  b'"expirationDate":"2026-09-01","birthDate":"2012-05-17"}]}')

    def serve(self, script):
        self.server = HostileSierra(CERTIFICATES.pair(), script)
        self.addCleanup(self.server.stop)
        self.sierra(url=f"https://127.0.0.1:{self.server.port}/iii/sierra-api/v6", ca_file=CERTIFICATES.path("ca.pem"))

    def list_then(self, write):
        """A list of one patron; everything else is the test's."""
        def script(method, path, number):
            if "/patrons?" in path:
                return self.PAGE if "%5B0," in path else self.NO_MORE
            return write(method, path, number)
        self.serve(script)

    def refuse(self, reply, failure):
        self.serve(lambda method, path, number: reply() if callable(reply) else reply)
        outcome = self.rig.load(ROWS)
        self.assert_refused(outcome, failure)
        self.assertEqual(self.server.count("PUT") + self.server.count("POST", "/patrons"), 0)

    def test_what_is_sent(self):
        self.list_then(lambda method, path, number: self.NO_MORE)
        self.rig.settings["sierra"]["user_agent"] = "patrond of a test"
        self.rig.load(ROWS[:1])
        method, path, headers, body = self.server.requests[0]
        self.assertEqual((method, path, body), ("POST", "/iii/sierra-api/v6/token", b"grant_type=client_credentials"))
        self.assertEqual(headers["content-type"], "application/x-www-form-urlencoded")
        self.assertTrue(headers["authorization"].startswith("Basic "))
        method, path, headers, body = self.server.requests[1]
        self.assertEqual((method, path), ("GET", "/iii/sierra-api/v6/patrons?deleted=false&id=%5B0,%5D&limit=2000"
                                                 "&fields=id,barcodes,expirationDate,names,birthDate"))
        self.assertEqual((headers["accept"], headers["authorization"], headers["user-agent"]),
                         ("application/json", "Bearer abc", "patrond of a test"))
        method, path, headers, body = self.server.requests[3]
        self.assertEqual((method, path, headers["content-type"]), ("PUT", "/iii/sierra-api/v6/patrons/1000001", "application/json"))
        self.assertEqual(body, b'{"expirationDate":"%s"}' % TERM.isoformat().encode())
        for _, _, headers, _ in self.server.requests:
            self.assertNotIn("expect", headers)
            self.assertNotIn("accept-encoding", headers)

    def test_redirects_are_not_followed(self):
        for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            with self.subTest(status):
                self.serve(lambda method, path, number: answer(b"", status, ["Location: /elsewhere"]))
                self.assert_refused(self.rig.load(ROWS), "index-answer")
                self.assertEqual(self.server.count("GET", "/elsewhere"), 0)

    def test_create_redirected(self):
        self.list_then(lambda method, path, number: answer(b"", "307 Temporary Redirect", ["Location: /elsewhere"])
                       if method == "POST" else self.NO_MORE)
        outcome = self.rig.load([student(1, "200002", "BOB", "BROWN")])
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 0)})
        self.assertEqual(self.server.count("POST", "/elsewhere"), 0)

    def test_endless_page(self):
        def endless():
            yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"entries\":["
            while True:
                yield b'{"id":1,"names":["' + b"A" * 65536 + b'"]},'
        self.sierra(retries=0, page_timeout="30s")
        self.refuse(endless, "index-answer")

    def test_claims_a_terabyte(self):
        self.sierra(retries=0)
        self.refuse(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n{", "sierra-unreachable")

    def test_drop_by_drop(self):
        def drops():
            yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
            while True:
                time.sleep(0.05)
                yield b" "
        self.sierra(retries=0, page_timeout="500ms")
        self.refuse(drops, "sierra-unreachable")

    def test_no_http(self):
        self.sierra(retries=0)
        self.refuse(b'{"entries":[]}\r\n\r\n', "sierra-unreachable")

    def test_not_the_length_it_says(self):
        body = self.PAGE.split(b"\r\n\r\n")[1]
        self.refuse(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (len(body) - 5) + body,
                    "index-answer")

    def test_compressed_unasked(self):
        import gzip
        self.refuse(answer(gzip.compress(b'{"entries":[]}'), headers=["Content-Encoding: gzip"]), "index-answer")

    def test_empty_list_at_once(self):
        self.refuse(self.NO_MORE, "index-empty")

    def test_always_the_same_page(self):
        self.refuse(self.PAGE, "index-order")

    def test_id_below_the_range(self):
        pages = [self.PAGE, answer(b'{"entries":[{"id":1000002},{"id":1000002}]}')]
        self.serve(lambda method, path, number: pages[0] if "%5B0," in path else pages[1])
        self.assert_refused(self.rig.load(ROWS), "index-order")

    def test_found_is_no_patron(self):
        """A 200 to find that says nothing of a patron is no look-up."""
        self.rig.settings["match"]["recheck_after"] = "0"
        for reply in (b"{}", b"[]", b'{"link":"x"}', b'{"entries":[]}', b"<html></html>", b""):
            with self.subTest(reply):
                self.list_then(lambda method, path, number: answer(reply))
                outcome = self.rig.load([student(1, "200002", "BOB", "BROWN")])
                self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 0)})
                self.assertEqual(self.server.count("POST", "/patrons"), 0)

    def test_create_answered_with_404(self):
        self.list_then(lambda method, path, number: self.NO_MORE)
        outcome = self.rig.load([student(1, "200002", "BOB", "BROWN")])
        self.assertEqual(outcome.failure(), "sierra-url")
        self.assertEqual(outcome.all("OUTCOME"), [])

    def test_retry_after_of_next_year(self):
        """It is capped; and CANCEL is heard while we wait."""
        self.serve(lambda method, path, number: answer(b"", "503 Service Unavailable",
                                                       ["Retry-After: Fri, 01 Jan 2100 00:00:00 GMT"]))
        self.rig.write_config()
        load = Load(self.rig, b"".join(ROWS) + trailer(2, 1))
        time.sleep(1)
        self.assertEqual(self.server.count("GET"), 1)
        load.stage.send("CANCEL")
        self.assertEqual(load.end(10)[-1].code, "cancelled")


class Records(LoadTest):
    """Decode is foreign: what it sends is checked, and nothing is written where it lies."""

    def setUp(self):
        super().setUp()
        self.start()

    def refuse(self, data, failure, **kwargs):
        outcome = self.rig.load(data, **kwargs)
        self.assert_refused(outcome, failure)
        return outcome

    def test_nothing(self):
        self.refuse(b"", "records-cut")

    def test_no_trailer(self):
        self.refuse(b"".join(ROWS), "records-cut")

    def test_cut_in_a_record(self):
        self.refuse(ROWS[0] + ROWS[1][:-5], "records-cut")

    def test_trailer_lies(self):
        self.refuse(ROWS[0] + trailer(2, 0), "records")
        self.refuse(ROWS[0] + trailer(0, 1), "records")
        self.refuse(trailer(0, 1), "records")

    def late(self, last=b"", cancel=False):
        """Rows and trailer at once, then for long nothing; at last the end. Returns the outcome and what was written till then."""
        written = []

        def feed(fd):
            os.write(fd, b"".join(ROWS) + trailer(2, 1))
            time.sleep(0.8)
            written.append(self.rig.server.counters()["requests"]["post"] + self.rig.server.counters()["requests"]["put"])
            os.write(fd, last)
            if cancel:
                load.stage.send("CANCEL")

        load = Load(self.rig, feed)
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        return outcome, written

    def test_the_end_of_the_pipe_is_the_last_word(self):
        """Which the supervisor withholds until decode has ended well."""
        outcome, written = self.late()
        self.assert_done(outcome)
        self.assertEqual((written, outcome.written()), ([0], 3))

    def test_something_comes_behind_the_trailer(self):
        for last in (ROWS[0], b"x", trailer(2, 1)):
            with self.subTest(last):
                outcome, _ = self.late(last)
                self.assert_refused(outcome, "records")

    def test_decode_failed_behind_the_trailer(self):
        outcome, _ = self.late(cancel=True)
        self.assert_refused(outcome, "cancelled")

    def test_feeds_that_were_not_asked_for(self):
        self.refuse(ROWS[0] + ROWS[2] + trailer(1, 1), "records", kinds=1)
        self.refuse(ROWS[0] + ROWS[2] + trailer(1, 1), "records", kinds=2)

    def test_feeds_that_are_missing(self):
        self.refuse(ROWS[0] + trailer(1, 0), "records", kinds=3)
        self.refuse(ROWS[2] + trailer(0, 1), "records", kinds=3)
        self.refuse(trailer(0, 0), "records")

    def test_after_the_trailer(self):
        self.refuse(ROWS[0] + trailer(1, 0) + ROWS[1], "records")

    def test_out_of_order(self):
        self.refuse(student(2, "1") + trailer(1, 0), "records")
        self.refuse(student(1, "1") + student(1, "2") + trailer(2, 0), "records")
        self.refuse(student(1, "1") + student(3, "2") + trailer(2, 0), "records")

    def test_malformed(self):
        for what, data in {
            "no frame": b"\xff" * 64,
            "not a record": frame("DONE"),
            "a supervisor's word": frame("CANCEL"),
            "a report's row": frame("REPORT_REJECTED", bytes(6)),
            "oversized": (1 << 20).to_bytes(4, "little") + FRAME["RECORD"].to_bytes(2, "little") + b"\0\0",
            "reserved field": ROWS[0][:6] + b"\x01\0" + ROWS[0][8:],
            "line break in a name": student(1, "1", first="A\nB"),
            "dollar in a street": student(1, "1", street="A$B"),
            "not UTF-8": student(1, "1", first="X" * 8).replace(b"XXXXXXXX", b"\xffXXXXXXX"),
            "born tomorrow": student(1, "1", birth=TODAY + datetime.timedelta(days=1)),
            "name in a rejected row": record("student", 1, verdict="key", key="x", key_fits=False, first="ANN"),
        }.items():
            with self.subTest(what):
                self.refuse(data + trailer(1, 0), "records")

    def test_endless(self):
        def endless(fd):
            row = 1
            while True:
                # the same row number again is seen at once; true ones go on to the limit
                os.write(fd, record("student", row, verdict="opted-out", key="", key_fits=False))
                row += 1
                if row > 3000:
                    row = 1

        self.refuse(endless, "records")

    def test_slow_decode(self):
        def slow(fd):
            data = b"".join(ROWS) + trailer(2, 1)
            for at in range(0, len(data), 40):
                os.write(fd, data[at:at + 40])
                time.sleep(0.01)

        self.assert_done(self.rig.load(slow))

    def test_refused_while_the_index_is_retrieved(self):
        self.rig.server.fault("slow@list", "always")
        self.rig.server.admin("POST", "switch", {"slow-ms": "3000"})
        started = time.monotonic()
        self.refuse(b"\0" * 8, "records")
        self.assertLess(time.monotonic() - started, 2.5)

    def test_clock_of_the_job(self):
        for today in (datetime.date(1970, 1, 1), datetime.date(2019, 12, 31), datetime.date(9999, 1, 1)):
            with self.subTest(today):
                self.assert_refused(self.rig.load(ROWS, today=today), "protocol")


class Job(LoadTest):
    """The supervisor's word is checked, too."""

    JOB = struct.pack("<BBiIIQB", 0, 3, days(TODAY), 0, 0, 0, 0)

    def refuse(self, name, payload, fds, failure="protocol"):
        self.rig.write_config()
        with Stage(BINARY, self.rig.path("patrond.conf"), self.rig.path("credentials"), stderr=sys.stderr) as stage:
            stage.send(name, payload, fds)
            frames = stage.until_end()
        self.assert_refused(Outcome(frames, b"", self.rig.server.counters()), failure)

    def setUp(self):
        super().setUp()
        self.start()
        self.reading, self.writing = os.pipe()
        self.addCleanup(os.close, self.reading)
        self.addCleanup(os.close, self.writing)

    def test_refusals(self):
        file = os.open(self.rig.path("file"), os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, file)
        for what, name, payload, fds in (
                ("another's job", "REPORT", bytes(4), [self.reading]),
                ("no pipe", "LOAD", self.JOB, []),
                ("a file", "LOAD", self.JOB, [file]),
                ("the wrong end", "LOAD", self.JOB, [self.writing]),
                ("the report's wrong end", "LOAD", self.JOB, [self.reading, self.reading]),
                ("one too many", "LOAD", self.JOB, [self.reading, self.writing, self.writing]),
                ("no feed", "LOAD", b"\0\0" + self.JOB[2:], [self.reading]),
                ("a third feed", "LOAD", b"\0\x07" + self.JOB[2:], [self.reading]),
                ("neither dry nor not", "LOAD", b"\x02" + self.JOB[1:], [self.reading]),
                ("approvals missing", "LOAD", self.JOB[:-1] + b"\x01", [self.reading]),
                ("no such guard", "LOAD", self.JOB[:-1] + b"\x01" + struct.pack("<BBQ", 99, 0, 1), [self.reading]),
                ("no such feed", "LOAD", self.JOB[:-1] + b"\x01" + struct.pack("<BBQ", 0, 7, 1), [self.reading])):
            with self.subTest(what):
                self.refuse(name, payload, fds)

    def test_cancelled_at_once(self):
        self.rig.write_config()
        with Stage(BINARY, self.rig.path("patrond.conf"), self.rig.path("credentials"), stderr=sys.stderr) as stage:
            socket.send_fds(stage.socket, [frame("LOAD", self.JOB) + frame("CANCEL")], [self.reading])
            frames = stage.until_end()
        self.assertEqual(frames[-1].code, "cancelled")
        self.assertEqual(self.rig.server.counters()["requests"]["token"], 0)

    def test_root(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        self.rig.write_config()
        with Stage(BINARY, self.rig.path("patrond.conf"), self.rig.path("credentials"), user=None, stderr=sys.stderr) as stage:
            self.assertEqual(stage.until_end()[-1].code, "uid-zero")


class Guards(LoadTest):
    def students(self, count, first=1):
        return [student(i + 1, str(500000 + first + i), first="NEW", last="CHILD") for i in range(count)]

    def test_creates_hold_the_load(self):
        self.start()
        self.rig.settings["guard"]["creates"] = "30%"
        outcome = self.rig.load(self.students(120))
        self.assertEqual(outcome.last.name, "DONE")
        guard, = outcome.all("GUARD")
        self.assertEqual((guard.guard, guard.feed, guard.value, guard.basis, guard.limit), ("creates", "student", 120, 120, 30))
        self.assertEqual(outcome.all("OUTCOME"), [])
        self.assertEqual(outcome.all("COUNTS"), [])
        self.assertEqual(outcome.counts("PLAN")["student"].outcomes, {"created": 120})
        self.assertEqual(outcome.written(), 0)
        # the report is made of a held load too
        self.assertEqual(report_frames(outcome.report)[-1].name, "REPORT_TRAILER")

    def test_approved(self):
        self.start()
        self.rig.settings["guard"]["creates"] = "30%"
        self.assertEqual(len(self.rig.load(self.students(120), approvals=[("creates", "student", 119)]).all("GUARD")), 1)
        outcome = self.rig.load(self.students(120), approvals=[("creates", "student", 120)])
        self.assert_done(outcome)
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": 120})

    def test_manual(self):
        self.start()
        self.rig.settings["load"]["start"] = "manual"
        outcome = self.rig.load(ROWS)
        self.assertEqual([g.guard for g in outcome.all("GUARD")], ["manual"])
        self.assertEqual(outcome.written(), 0)

    def test_patrons_and_rows(self):
        self.start()
        outcome = self.rig.load(ROWS, last=(1000, 0, 100000))
        self.assertEqual(sorted(g.guard for g in outcome.all("GUARD")), ["patrons", "rows"])
        self.assertEqual(outcome.written(), 0)


class Good(LoadTest):
    def test_load(self):
        self.sierra(connections=1)
        self.start(records=PATRONS + [patron(1000003, "100003", expires=TERM.isoformat()), patron(1000004, ["666", "12 / OLD"])])
        rows = ROWS[:2] + [student(3, "100003"), record("student", 4, verdict="opted-out", key="888", key_fits=True),
                           record("student", 5, verdict="key", key="x1", key_fits=False), student(6, "12")] + ROWS[2:]
        outcome = self.rig.load(rows)
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {
            ("student", 1): ("renewed", "", 1000001),
            ("student", 2): ("created", "", 1000005),
            ("student", 4): ("skipped", "opted-out", 0),
            ("student", 5): ("rejected", "key", 0),
            ("student", 6): ("held", "needs-cleanup", 1000004),
            ("staff", 1): ("created", "", 1000006),
        })
        counts = outcome.counts()
        self.assertEqual(counts["student"].outcomes, {"renewed": 1, "created": 1, "current": 1, "skipped": 1, "rejected": 1,
                                                      "held": 1})
        self.assertEqual(sum(counts["student"].outcomes.values()), counts["student"].rows)
        self.assertEqual((counts["student"].verified, counts["student"].different), (2, 0))
        self.assertEqual(outcome.written(), 3)
        made = self.rig.server.dump()
        self.assertEqual(made[1000001]["expirationDate"], TERM.isoformat())
        self.assertEqual(made[1000005]["names"], ["BROWN, BOB"])
        self.assertEqual(made[1000005]["barcodes"], ["200002"])
        self.assertEqual(made[1000005]["pin"], "05x17")

    def test_again_changes_nothing(self):
        self.start()
        self.assert_done(self.rig.load(ROWS))
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.written(), 3)  # of the first
        self.assertEqual(outcome.all("OUTCOME"), [])
        self.assertEqual(outcome.counts()["student"].outcomes, {"current": 2})

    def test_current_rows_are_told_where_asked(self):
        self.start(records=[patron(1000001, "100001", expires=TERM.isoformat())])
        self.rig.settings["log"]["current"] = "yes"
        outcome = self.rig.load(ROWS[:1])
        self.assertEqual(outcome.rows(), {("student", 1): ("current", "", 1000001)})

    def test_no_report_pipe(self):
        self.start()
        self.assert_done(self.rig.load(ROWS, report=False))

    def test_walls_before_the_first_byte(self):
        self.start()
        outcome = self.rig.load(ROWS)
        self.assertEqual(outcome.frames[0].name, "WALLS")
        self.assertEqual(outcome.frames[0].walls & 15, 15)

    def test_phases(self):
        self.start()
        phases = [f.phase for f in self.rig.load(ROWS).all("PROGRESS")]
        self.assertEqual([p for i, p in enumerate(phases) if p not in phases[:i]], ["indexing", "matching", "writing", "checking"])

    def test_proxy_environment_is_ignored(self):
        self.start()
        outcome = self.rig.load(ROWS, env={"https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
                                           "ALL_PROXY": "socks5://127.0.0.1:1", "SSL_CERT_FILE": "/dev/null"})
        self.assert_done(outcome)

    def test_connections_are_kept(self):
        self.start("--generate", "300", records=[])
        rows = [student(i + 1, k, first=f, last=s, birth=b) for i, (k, s, f, b) in enumerate(derived(300, self.rig.server))]
        before = self.rig.server.counters()["connections_accepted"]
        outcome = self.rig.load(rows)
        self.assert_done(outcome)
        self.assertEqual(outcome.counts()["student"].outcomes, {"renewed": 300})
        self.assertLessEqual(outcome.counters["connections_accepted"] - before, 4 + 1)
        self.assertLessEqual(outcome.counters["max_connections"], 4 + 1)


class DryRun(LoadTest):
    def test_writes_nothing_and_says_the_same(self):
        self.start()
        dry = self.rig.load(ROWS, dry_run=True)
        self.assertEqual(dry.last.name, "DONE")
        self.assertEqual(dry.written(), 0)
        self.assertEqual(dry.requests("find"), 0)
        real = self.rig.load(ROWS)
        self.assert_done(real)
        for kind in ("student", "staff"):
            self.assertEqual(dry.counts()[kind].outcomes, real.counts()[kind].outcomes)
            self.assertEqual(dry.counts("PLAN")[kind].outcomes, real.counts("PLAN")[kind].outcomes)
        self.assertEqual({k: v[:2] for k, v in dry.rows().items()}, {k: v[:2] for k, v in real.rows().items()})

    def test_rechecks_an_old_index(self):
        self.start()
        self.rig.settings["match"]["recheck_after"] = "0"
        outcome = self.rig.load(ROWS, dry_run=True)
        self.assertEqual(outcome.requests("find"), 2)
        self.assertEqual(outcome.written(), 0)
        self.assertEqual(outcome.counts()["student"].outcomes, {"renewed": 1, "created": 1})

    def test_many_rows(self):
        self.start()
        started = time.monotonic()
        outcome = self.rig.load([student(i + 1, str(500000 + i)) for i in range(3000)], dry_run=True)
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": 3000})
        self.assertLess(time.monotonic() - started, 20)


class Creates(LoadTest):
    """The create whose answer was lost, in every form: one patron, never two, and never a blind repeat."""

    ROWS = [student(1, "200002", "BOB", "BROWN")]

    def run_fault(self, fault, when="nth:1", **switches):
        switches = {name.replace("_", "-"): value for name, value in switches.items()}
        self.start(switches={f"fault.{fault}@post": when, **switches})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.counters["creates_of_existing_barcode"], 0)
        return outcome

    def test_done_but_answer_lost(self):
        for fault in ("drop-after-commit", "empty-200", "truncated-json", "partial-body", "html-502-after-commit",
                      "html-200-after-commit", "status-504-after-commit", "error-500-111-after-commit"):
            with self.subTest(fault):
                self.setUp()
                outcome = self.run_fault(fault)
                self.assert_done(outcome)
                self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
                self.assertEqual(outcome.requests("post"), 1)
                self.assertGreaterEqual(outcome.requests("find"), 1)
                self.assertEqual(outcome.counts()["student"].verified, 1)

    def test_not_done_and_answer_lost(self):
        for fault in ("drop-before-response", "html-502", "html-200", "error-500-111"):
            with self.subTest(fault):
                self.setUp()
                outcome = self.run_fault(fault)
                self.assert_done(outcome)
                self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
                self.assertEqual(outcome.requests("post"), 2)
                self.assertEqual(outcome.requests("find"), 3)  # find_tries: a new record may not be visible at once

    def test_visible_late(self):
        self.sierra(find_pause="100ms", find_tries=6)
        outcome = self.run_fault("drop-after-commit", read_after_write_lag_ms=400)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
        self.assertEqual(outcome.requests("post"), 1)

    def test_visible_later_than_all_looks(self):
        """However often it is looked for: before late_commit has passed absence proves nothing."""
        self.sierra(find_pause="10ms", retry_pause_max="20ms", find_tries=2, late_commit="3s")
        outcome = self.run_fault("drop-after-commit", read_after_write_lag_ms=700)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
        self.assertEqual(outcome.requests("post"), 1)
        self.assertGreater(outcome.requests("find"), 2)

    def test_committed_after_we_gave_up(self):
        """The request timed out, and Sierra works on: absence proves nothing until as much time has passed again."""
        self.sierra(request_timeout="800ms", find_pause="50ms", find_tries=2)
        self.start(switches={"fault.slow@post": "nth:1", "slow-ms": 20000, "slow-commit": "after"})
        self.rig.write_config()
        load = Load(self.rig, self.ROWS[0] + trailer(1, 0))
        while self.rig.server.counters()["requests"]["find"] < 2:
            time.sleep(0.01)
        self.rig.server.raw("POST", "/_standin/load", '{"id":1000009,"names":["BROWN, BOB"],"barcodes":["200002"],'
                                                      f'"birthDate":"2012-05-17","expirationDate":"{TERM}"}}\n')
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000009)})
        self.assertEqual(outcome.requests("post"), 1)

    def test_lost_twice(self):
        outcome = self.run_fault("drop-before-response", "always")
        self.assertEqual(outcome.last.name, "DONE")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 0)})
        self.assertEqual(outcome.requests("post"), 2)

    def test_cannot_be_looked_up(self):
        self.start(switches={"fault.drop-after-commit@post": "nth:1", "fault.error-500-111@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 0)})
        self.assertEqual(outcome.requests("post"), 1)
        self.assertEqual(outcome.counters["creates_of_existing_barcode"], 0)

    def test_several_found(self):
        self.start(switches={"fault.drop-after-commit@post": "nth:1", "fault.conflict-409@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 0)})
        self.assertEqual(outcome.requests("post"), 1)

    def test_another_found(self):
        """find answers with a record that does not bear the key: absent."""
        self.start(switches={"fault.drop-before-response@post": "nth:1", "fault.wrong-record@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
        self.assertEqual(outcome.requests("post"), 2)

    def test_deleted_found(self):
        self.start(switches={"fault.drop-before-response@post": "nth:1", "find-deleted": "yes"},
                   records=PATRONS + [patron(1000003, "200002", name="BROWN, BOB", deletedDate="2020-01-01")])
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000004)})

    def test_found_but_another_person(self):
        """Staff registered someone else with that number in the moment that our answer was lost."""
        self.sierra(find_pause="300ms", find_tries=5)
        self.start(switches={"fault.drop-before-response@post": "nth:1"})
        self.rig.write_config()
        load = Load(self.rig, self.ROWS[0] + trailer(1, 0))
        while self.rig.server.counters()["requests"]["find"] == 0:
            time.sleep(0.02)
        self.rig.server.raw("POST", "/_standin/load", '{"id":1000009,"names":["OTHER, PERSON"],"barcodes":["200002"],'
                                                      '"birthDate":"1970-01-01","patronType":1}\n')
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assertEqual(outcome.rows()["student", 1][:2], ("failed", "unclear"))
        self.assertEqual(outcome.requests("post"), 1)

    def test_turned_away_is_looked_up_first(self):
        for fault in ("status-429", "rate-exceeded-500"):
            with self.subTest(fault):
                self.setUp()
                outcome = self.run_fault(fault, "first:2")
                self.assert_done(outcome)
                self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
                self.assertEqual(outcome.requests("post"), 3)
                self.assertEqual(outcome.requests("find"), 4)

    def test_turned_away_for_good(self):
        outcome = self.run_fault("status-429", "always")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 0)})

    def test_a_proxys_503_is_a_lost_answer(self):
        # it may have come after Sierra had begun: at most one POST more, and no claim that nothing was done
        outcome = self.run_fault("status-503", "first:1")
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
        self.assertEqual(outcome.requests("post"), 2)
        self.setUp()
        outcome = self.run_fault("status-503", "always")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 0)})
        self.assertEqual(outcome.requests("post"), 2)

    def test_unauthorised_is_repeated(self):
        outcome = self.run_fault("token-revoked")
        self.assert_done(outcome)
        self.assertEqual(outcome.requests("post"), 2)
        self.assertEqual(outcome.requests("find"), 0)

    def test_refused(self):
        self.start(switches={"pin-min": 8})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.last.name, "DONE")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "pin-refused", 0)})

    def test_refused_from_the_start(self):
        """Nothing that is written is right: the set-up is wrong, and the load ends."""
        self.sierra(max_failures=3, connections=1)
        self.start(switches={"pin-min": 6})
        outcome = self.rig.load([student(i + 1, str(200100 + i)) for i in range(20)])
        self.assertEqual(outcome.failure(), "too-many-failures")
        self.assertEqual(outcome.counts()["student"].reasons, {"pin-refused": outcome.requests("post")})
        self.assertLess(outcome.requests("post"), 20)

    def test_refused_behind_what_was_accepted(self):
        """Sierra takes what is right: rows that it will never take must not keep those behind them from it."""
        self.sierra(max_failures=3, connections=1)
        self.start(switches={"slow-ms": 1000, "slow-commit": "before", "fault.slow@post": "nth:2"})
        self.rig.write_config()
        load = Load(self.rig, b"".join(student(i + 1, str(200100 + i)) for i in range(9)) + trailer(9, 0))
        while self.rig.server.counters()["requests"]["post"] < 2:
            time.sleep(0.01)
        self.rig.server.admin("POST", "switch", {"pin-min": "6"})
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        self.assertIn(outcome.counts()["student"].outcomes, ({"created": 1, "failed": 8}, {"created": 2, "failed": 7}))

    def test_creates_refused_behind_a_renewal(self):
        """That a date is taken says nothing of a patron type or a PIN: a wrong set-up still ends the load, and keeps it due."""
        self.sierra(max_failures=3, connections=1)
        self.start(switches={"pin-min": 6})
        outcome = self.rig.load([student(1, "100001")] + [student(i + 2, str(200100 + i)) for i in range(20)])
        self.assertEqual(outcome.failure(), "too-many-failures")
        self.assertLess(outcome.requests("post"), 20)

    def test_duplicate_refused(self):
        self.start(switches={"duplicate-on-post": "reject"})
        self.rig.settings["match"]["recheck_after"] = "1h"
        self.rig.server.fault("slow@list", "nth:2")  # staff are quicker
        self.rig.server.admin("POST", "switch", {"slow-ms": "800"})
        self.rig.write_config()
        load = Load(self.rig, self.ROWS[0] + trailer(1, 0))
        while self.rig.server.counters()["requests"]["list"] < 2:
            time.sleep(0.02)
        self.rig.server.raw("POST", "/_standin/load", '{"id":1000009,"names":["BROWN, BOB"],"barcodes":["200002"],"patronType":1}\n')
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        # the second page shows it, or Sierra refuses the second one: never two
        self.assertIn(outcome.rows()["student", 1][0], ("failed", "renewed"))
        self.assertEqual(outcome.counters["creates_of_existing_barcode"], 0)

    def test_forbidden_ends_the_load(self):
        self.sierra(connections=1)
        self.start(switches={"fault.forbidden-116@post": "nth:2"})
        outcome = self.rig.load([student(i + 1, str(200000 + i)) for i in range(10)])
        self.assertEqual(outcome.failure(), "forbidden")
        self.assertEqual(list(outcome.rows().values()), [("created", "", 1000003)])
        # what was done is counted, and no more
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": 1})
        self.assertEqual(outcome.counts()["student"].rows, 10)

    def test_closed_connections_are_survived(self):
        for after in (1, 2, 3, 5):
            with self.subTest(after=after):
                self.setUp()
                self.start(switches={"keepalive-close-after": after})
                rows = [student(i + 1, str(200000 + i)) for i in range(30)]
                outcome = self.rig.load(rows, timeout=120)
                self.assert_done(outcome)
                self.assertEqual(outcome.counts()["student"].outcomes, {"created": 30})
                self.assertEqual(len(self.rig.server.dump()), 32)


class Recheck(LoadTest):
    """An old index: each key is looked up before its create."""

    ROWS = [student(1, "200002", "BOB", "BROWN")]

    def setUp(self):
        super().setUp()
        self.rig.settings["match"]["recheck_after"] = "0"

    def appear(self, found, switches=None):
        """The patron comes into being between the index and the create: find alone shows it."""
        self.start(switches={"fault.slow@find": "nth:1", "slow-ms": 400, "slow-commit": "after", **(switches or {})})
        self.rig.write_config()
        load = Load(self.rig, b"".join(self.ROWS) + trailer(1, 0))
        while self.rig.server.counters()["requests"]["find"] == 0:
            time.sleep(0.01)
        for line in found:
            self.rig.server.raw("POST", "/_standin/load", line + "\n")
        return Outcome(load.end(), b"", self.rig.server.counters())

    def test_absent(self):
        self.start()
        outcome = self.rig.load(self.ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})
        self.assertEqual(outcome.requests("find"), 1)

    def test_found_is_renewed(self):
        outcome = self.appear(['{"id":1000009,"names":["BROWN, BOB"],"barcodes":["200002"],"birthDate":"2012-05-17"}'])
        self.assertEqual(outcome.rows(), {("student", 1): ("renewed", "", 1000009)})
        self.assertEqual((outcome.requests("post"), outcome.requests("put")), (0, 1))

    def test_found_is_another(self):
        outcome = self.appear(['{"id":1000009,"names":["OTHER, PERSON"],"barcodes":["200002"],"birthDate":"1970-01-01"}'])
        self.assertEqual(outcome.rows(), {("student", 1): ("held", "identity-mismatch", 1000009)})
        self.assertEqual(outcome.written(), 0)

    def test_several(self):
        self.start(switches={"fault.conflict-409@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("held", "ambiguous", 0)})
        self.assertEqual(outcome.written(), 0)

    def test_not_known(self):
        self.start(switches={"fault.html-502@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.last.name, "DONE")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 0)})
        self.assertEqual(outcome.written(), 0)

    def test_wrong_record(self):
        self.start(switches={"fault.wrong-record@find": "always"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("created", "", 1000003)})


class Reread(LoadTest):
    """An old index: each patron is read before its renewal."""

    ROWS = [student(1, "100001")]

    def setUp(self):
        super().setUp()
        self.rig.settings["match"]["recheck_after"] = "0"
        self.sierra(read_back=0)

    def meanwhile(self, **changed):
        """Staff change the patron between the index and the renewal."""
        self.start(switches={"fault.slow@get": "nth:1", "slow-ms": 400, "slow-commit": "after"})
        self.rig.write_config()
        load = Load(self.rig, b"".join(self.ROWS) + trailer(1, 0))
        while self.rig.server.counters()["requests"]["get"] + self.rig.server.counters()["requests"]["put"] == 0:
            time.sleep(0.01)
        self.rig.server.raw("POST", "/_standin/load", json.dumps(patron(1000001, "100001") | changed) + "\n")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        return outcome

    def test_still_due(self):
        self.start()
        outcome = self.rig.load(self.ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {("student", 1): ("renewed", "", 1000001)})
        self.assertEqual((outcome.requests("get"), outcome.requests("put")), (1, 1))

    def test_young_index(self):
        self.rig.settings["match"]["recheck_after"] = "1h"
        self.start()
        outcome = self.rig.load(self.ROWS)
        self.assertEqual((outcome.requests("get"), outcome.requests("put")), (0, 1))

    def test_never_backwards(self):
        outcome = self.meanwhile(expirationDate="2039-12-31")
        self.assertEqual(outcome.counts()["student"].outcomes, {"current": 1})
        self.assertEqual(outcome.written(), 0)
        self.assertEqual(self.rig.server.dump()[1000001]["expirationDate"], "2039-12-31")

    def test_another_person_now(self):
        outcome = self.meanwhile(names=["OTHER, PERSON"], birthDate="1970-01-01")
        self.assertEqual(outcome.rows(), {("student", 1): ("held", "identity-mismatch", 1000001)})
        self.assertEqual(outcome.written(), 0)

    def test_deleted_meanwhile(self):
        outcome = self.meanwhile(deletedDate="2026-08-17")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "gone", 1000001)})
        self.assertEqual(outcome.written(), 0)

    def test_not_known(self):
        for fault in ("html-502", "truncated-json", "empty-200"):
            with self.subTest(fault):
                self.setUp()
                self.start(switches={f"fault.{fault}@get": "always"})
                outcome = self.rig.load(self.ROWS)
                self.assert_done(outcome)
                self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 1000001)})
                self.assertEqual(outcome.written(), 0)

    def test_dry_run(self):
        self.start()
        outcome = self.rig.load(self.ROWS, dry_run=True)
        self.assertEqual((outcome.requests("get"), outcome.written()), (1, 0))
        self.assertEqual(outcome.rows(), {("student", 1): ("renewed", "", 1000001)})


class Waited(LoadTest):
    """A write that waits for a pause longer than what it rests on may be old: Sierra is asked again before it leaves."""

    def setUp(self):
        super().setUp()
        self.rig.settings["match"]["recheck_after"] = "1s"
        self.sierra(read_back=0, connections=1, request_timeout="1s")

    def meanwhile(self, kind, line, row):
        """Staff are quicker while the first write waits for three seconds."""
        self.start(switches={f"fault.status-429@{kind}": "first:1", "retry-after": 3})
        self.rig.write_config()
        load = Load(self.rig, row + trailer(1, 0))
        while self.rig.server.counters()["requests"][kind] == 0:
            time.sleep(0.01)
        self.rig.server.raw("POST", "/_standin/load", line + "\n")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        return outcome

    def test_date_moved_meanwhile(self):
        outcome = self.meanwhile("put", json.dumps(patron(1000001, "100001") | {"expirationDate": "2039-12-31"}), student(1, "100001"))
        self.assertEqual(outcome.counts()["student"].outcomes, {"current": 1})
        self.assertEqual((outcome.requests("get"), outcome.requests("put")), (1, 1))
        self.assertEqual(self.rig.server.dump()[1000001]["expirationDate"], "2039-12-31")

    def test_registered_meanwhile(self):
        """The first row's key is looked up and absent; then the second's look-up is told to wait, and everything with it."""
        self.rig.settings["match"]["recheck_after"] = "0"
        self.sierra(connections=2)
        self.start(switches={"fault.slow@find": "nth:1", "slow-ms": 600, "slow-commit": "before", "fault.status-429@find": "nth:2",
                             "retry-after": 3})
        self.rig.write_config()
        load = Load(self.rig, student(1, "200001") + student(2, "200002", "BOB", "BROWN") + trailer(2, 0))
        while self.rig.server.counters()["requests"]["find"] < 2:
            time.sleep(0.01)
        time.sleep(1.2)  # the first answer is there, and the pause is not over
        for key, name in (("200001", "SMITH, ANN"), ("200002", "BROWN, BOB")):
            self.rig.server.raw("POST", "/_standin/load", json.dumps(patron(int("1" + key), key, name=name)) + "\n")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        self.assertEqual(outcome.counters["creates_of_existing_barcode"], 0)
        self.assertEqual(outcome.counts()["student"].outcomes, {"renewed": 2})

    def test_another_person_after_a_lost_answer(self):
        """The first answer is lost, and the date not there; the second try waits, and then the barcode is another's."""
        self.sierra(find_pause="50ms", find_tries=2, late_commit="0")
        self.start(switches={"retry-after": 3, "fault.html-502@put": "nth:1", "fault.status-429@put": "nth:2"})
        self.rig.write_config()
        load = Load(self.rig, student(1, "100001") + trailer(1, 0))
        while self.rig.server.counters()["requests"]["put"] < 2:
            time.sleep(0.01)
        other = patron(1000001, "999999", name="STRANGER, TOTAL", birth="1950-01-01")
        self.rig.server.raw("POST", "/_standin/load", json.dumps(other) + "\n")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {("student", 1): ("held", "identity-mismatch", 1000001)})
        self.assertEqual((outcome.requests("put"), self.rig.server.dump()[1000001]["expirationDate"]), (2, other["expirationDate"]))

    def test_nothing_changed_meanwhile(self):
        outcome = self.meanwhile("put", json.dumps(patron(1000001, "100001")), student(1, "100001"))
        self.assertEqual(outcome.rows(), {("student", 1): ("renewed", "", 1000001)})

    def test_not_known_afterwards(self):
        self.start(switches={"fault.status-429@put": "first:1", "retry-after": 3, "fault.html-502@get": "always"})
        outcome = self.rig.load([student(1, "100001")])
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 1000001)})


class Renewals(LoadTest):
    ROWS = [student(1, "100001")]

    def run_fault(self, fault, when="nth:1"):
        self.start(switches={f"fault.{fault}@put": when})
        return self.rig.load(self.ROWS)

    NOT_DONE = ("drop-before-response", "html-502", "html-200", "error-500-111", "status-503", "status-429", "rate-exceeded-500",
                "token-revoked", "unauthorized-131")
    DONE = ("drop-after-commit", "partial-body", "html-502-after-commit", "html-200-after-commit", "error-500-111-after-commit",
            "status-504-after-commit")

    def assert_renewed(self, outcome, puts):
        self.assert_done(outcome)
        self.assertEqual(outcome.rows(), {("student", 1): ("renewed", "", 1000001)})
        self.assertEqual(outcome.requests("put"), puts)

    def test_repeated_where_it_was_not_done(self):
        for fault in self.NOT_DONE:
            with self.subTest(fault):
                self.setUp()
                self.assert_renewed(self.run_fault(fault), 2)

    def test_not_repeated_where_it_was_done(self):
        """Each PUT marks the patron as active, so one whose answer was lost is read before it is sent again."""
        for fault in self.DONE:
            for when in ("nth:1", "always"):
                with self.subTest(fault, when=when):
                    self.setUp()
                    self.sierra(read_back=0)
                    outcome = self.run_fault(fault, when)
                    self.assert_renewed(outcome, 1)
                    self.assertEqual(outcome.requests("get"), 1)

    def test_done_late(self):
        """Given up on time and done after all, before or while it is looked for."""
        for commit in ("before", "after"):
            with self.subTest(commit):
                self.setUp()
                self.sierra(request_timeout="400ms", find_pause="20ms")
                self.start(switches={"fault.slow@put": "nth:1", "slow-ms": 600, "slow-commit": commit})
                self.assert_renewed(self.rig.load(self.ROWS), 1)

    def test_read_is_lost_too(self):
        for fault in ("drop-after-commit", "html-502", "truncated-json", "id-as-string"):
            with self.subTest(fault):
                self.setUp()
                self.start(switches={"fault.drop-after-commit@put": "nth:1", f"fault.{fault}@get": "first:2"})
                self.assert_renewed(self.rig.load(self.ROWS), 1)

    def test_unclear_where_it_cannot_be_known(self):
        for fault in ("drop-before-response", "drop-after-commit"):
            with self.subTest(fault):
                self.setUp()
                self.start(switches={f"fault.{fault}@put": "nth:1", "fault.html-502@get": "always"})
                outcome = self.rig.load(self.ROWS)
                self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 1000001)})
                self.assertEqual(outcome.requests("put"), 1)

    def test_unclear_where_it_is_never_done(self):
        for fault in ("drop-before-response", "error-500-111", "html-200"):
            with self.subTest(fault):
                self.setUp()
                self.sierra(retries=2)
                outcome = self.run_fault(fault, "always")
                self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 1000001)})
                self.assertEqual(outcome.requests("put"), 3)

    def test_unclear_where_it_is_refused_after_a_lost_answer(self):
        self.start(switches={"fault.drop-before-response@put": "nth:1", "fault.status-503@put": "from:2"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unclear", 1000001)})

    def test_gone_meanwhile(self):
        self.start(switches={"fault.drop-before-response@put": "nth:1", "ghost-ids": "1000001"})
        outcome = self.rig.load(self.ROWS)
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "gone", 1000001)})

    def test_unreachable(self):
        outcome = self.run_fault("status-429", "always")
        self.assertEqual(outcome.rows(), {("student", 1): ("failed", "unreachable", 1000001)})

    def test_gone(self):
        self.start(switches={"ghost-ids": "1000001"})
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.rows()["student", 1], ("failed", "gone", 1000001))
        # a failed row never stops the others
        self.assertEqual(outcome.rows()["student", 2][0], "created")

    def test_disabled(self):
        self.sierra(connections=1)
        outcome = self.run_fault("api-disabled-117", "always")
        self.assertEqual(outcome.failure(), "api-disabled")
        self.assertEqual(outcome.all("OUTCOME"), [])

    def test_circuit_breaker(self):
        self.sierra(max_failures=5, connections=2)
        self.start("--generate", "50", switches={"fault.error-500-111@put": "always"}, records=[])
        rows = [student(i + 1, k, first=f, last=s, birth=b) for i, (k, s, f, b) in enumerate(derived(50, self.rig.server))]
        outcome = self.rig.load(rows)
        self.assertEqual(outcome.failure(), "too-many-failures")
        failed = outcome.counts()["student"].outcomes["failed"]
        self.assertTrue(5 <= failed <= 5 + 4 * 2, failed)
        self.assertEqual(len(outcome.rows()), failed)

    def test_patrons_that_are_gone_do_not_break_the_circuit(self):
        """However many there are: those behind them would wait for ever."""
        self.sierra(max_failures=3, connections=1)
        ghosts = [patron(1000001 + i, str(200000 + i), _ghost=True) for i in range(8)]
        self.start(records=ghosts)
        outcome = self.rig.load([student(i + 1, str(200000 + i)) for i in range(9)])
        self.assert_done(outcome)
        self.assertEqual([outcome.rows()["student", i + 1][:2] for i in range(9)], [("failed", "gone")] * 8 + [("created", "")])

    def test_gone_is_no_sign_of_life(self):
        self.sierra(max_failures=3, connections=1)
        records = [patron(1000001 + i, str(200000 + i), **({"_ghost": True} if i % 2 else {})) for i in range(20)]
        self.start(records=records, switches={"fault.error-500-111@put": "always"})
        outcome = self.rig.load([student(i + 1, str(200000 + i)) for i in range(20)])
        self.assertEqual(outcome.failure(), "too-many-failures")


class Pace(LoadTest):
    def rows(self, count):
        return [student(i + 1, str(200000 + i)) for i in range(count)]

    def test_rate_limited_throughout(self):
        self.sierra(retries=6)
        self.start(switches={"fault.status-429": "rate:0.2", "fault.rate-exceeded-500": "rate:0.1"})
        outcome = self.rig.load(self.rows(60), timeout=180)
        self.assert_done(outcome)
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": 60})

    def test_retry_after_is_kept(self):
        self.start(switches={"fault.status-503@put": "nth:1", "retry-after": 2})
        started = time.monotonic()
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertGreaterEqual(time.monotonic() - started, 2)
        # and the supervisor sees life all the while
        self.assertGreater(len(outcome.all("PROGRESS")), 6)

    def test_a_storm(self):
        """Everything at once: whatever fails is said to have failed, and nothing is there twice."""
        self.sierra(retries=4, max_failures=100)
        faults = ("drop-before-response", "drop-after-commit", "empty-200", "truncated-json", "html-502", "error-500-111-after-commit",
                  "status-503", "status-429", "token-revoked", "html-200-after-commit")
        self.start("--seed", "7", switches={f"fault.{name}": "rate:0.02" for name in faults})
        outcome = self.rig.load(self.rows(200), timeout=240)
        self.assertEqual(outcome.last.name, "DONE", outcome.last)
        self.assertEqual(outcome.counters["creates_of_existing_barcode"], 0)
        counts = outcome.counts()["student"]
        self.assertEqual(sum(counts.outcomes.values()), 200)
        stored = self.rig.server.dump()
        bearing = [b for p in stored.values() for b in p.get("barcodes", [])]
        self.assertEqual(len(bearing), len(set(bearing)))
        for (feed, row), (kind, _, patron_id) in outcome.rows().items():
            if kind == "created":
                self.assertEqual(stored[patron_id]["barcodes"], [str(200000 + row - 1)])


class BreakingOff(LoadTest):
    def start_slowly(self, kind, ms=400):
        self.start(switches={f"fault.slow@{kind}": "always", "slow-ms": ms})
        self.sierra(connections=2)
        self.rig.write_config()
        return Load(self.rig, b"".join(student(i + 1, str(200000 + i)) for i in range(40)) + trailer(40, 0))

    def test_cancel_among_writes(self):
        load = self.start_slowly("post")
        while self.rig.server.counters()["requests"]["post"] < 3:
            time.sleep(0.02)
        load.stage.send("CANCEL")
        started = time.monotonic()
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assertEqual(outcome.failure(), "cancelled")
        self.assertLess(time.monotonic() - started, 2)
        created = outcome.counters["creates"]
        # what was in flight was waited for: each create that happened is told
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": created})
        self.assertEqual(len(outcome.rows()), created)
        self.assertLess(created, 10)

    def test_cancel_while_the_plan_is_made(self):
        """It comes when nothing waits for it: it is no less meant."""
        self.start(switches={"fault.slow@list": "always", "slow-ms": 300})  # so all rows are there when the index is whole
        count = 20000
        self.rig.write_config()
        load = Load(self.rig, b"".join(student(i + 1, str(2000000 + i)) for i in range(count)) + trailer(count, 0))
        while True:
            frame = load.stage.receive(60)
            self.assertIn(frame.name, ("WALLS", "INDEXED", "PROGRESS"))
            if frame.name == "PROGRESS" and frame.phase == "matching":
                break
        load.stage.send("CANCEL")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assertEqual((outcome.failure(), outcome.written()), ("cancelled", 0))

    def test_cancel_in_the_list(self):
        load = self.start_slowly("list", 5000)
        time.sleep(0.3)
        load.stage.send("CANCEL")
        started = time.monotonic()
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_refused(outcome, "cancelled")
        self.assertLess(time.monotonic() - started, 2)

    def test_deadline(self):
        self.rig.settings["load"]["deadline"] = "1500ms"
        load = self.start_slowly("post")
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assertEqual(outcome.failure(), "deadline")
        self.assertEqual(outcome.counts()["student"].outcomes, {"created": outcome.counters["creates"]})

    def test_hang_up_ends_it(self):
        load = self.start_slowly("list", 5000)
        time.sleep(0.3)
        load.stage.close()  # asserts that it ends


class ReadBack(LoadTest):
    def test_difference_is_told(self):
        """Staff change a patron before it is read back."""
        self.start(switches={"fault.slow@get": "nth:1", "slow-ms": 500, "slow-commit": "after"})
        self.rig.write_config()
        load = Load(self.rig, ROWS[0] + trailer(1, 0))
        while self.rig.server.counters()["requests"]["get"] == 0:
            time.sleep(0.01)
        self.rig.server.raw("POST", "/_standin/load", '{"id":1000001,"names":["SMITH, ANN"],"barcodes":["100001"],'
                                                      '"expirationDate":"2027-01-01"}\n')
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)
        self.assertEqual(outcome.differs(), {("student", 1): 1000001})
        self.assertEqual(outcome.counts()["student"].different, 1)
        self.assertEqual(outcome.counts()["student"].outcomes, {"renewed": 1})

    def test_lag(self):
        self.sierra(find_pause="50ms", find_tries=8)
        self.start(switches={"read-after-write-lag-ms": 300})
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        self.assertEqual(outcome.counts()["student"].verified, 2)

    def test_sample(self):
        for wanted, read in (("0", 0), ("7", 7), ("all", 30)):
            with self.subTest(wanted):
                self.setUp()
                self.start()
                self.sierra(read_back=wanted)
                outcome = self.rig.load([student(i + 1, str(200000 + i)) for i in range(30)])
                self.assert_done(outcome)
                self.assertEqual(outcome.requests("get"), read)
                self.assertEqual(outcome.counts()["student"].verified, read)

    def test_unreadable_is_neither(self):
        self.start(switches={"fault.error-500-111@get": "always"})
        outcome = self.rig.load(ROWS)
        self.assert_done(outcome)
        counts = outcome.counts()["student"]
        self.assertEqual((counts.verified, counts.different), (0, 0))


class Report(LoadTest):
    def test_rows(self):
        self.rig.settings["report"]["rows"] = "yes"
        self.start(records=PATRONS + [patron(1000003, "77 / OLD"), patron(1000004, "888"), patron(1000005, "888")])
        outcome = self.rig.load([student(1, "77"), student(2, "888"), record("student", 3, verdict="key", key="x", key_fits=False)])
        self.assert_done(outcome)
        frames = report_frames(outcome.report)
        self.assertEqual([f.name for f in frames], ["REPORT_CLEANUP"] * 3 + ["REPORT_HELD"] * 2 + ["REPORT_REJECTED", "REPORT_TRAILER"])
        self.assertEqual(frames[-1].payload, b"\x03\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0")

    def test_opted_out_patrons(self):
        """Each once, by its clean barcode alone; rows asked for or not."""
        self.start(records=PATRONS + [patron(1000003, "77 / OLD"), patron(1000004, "888"), patron(1000005, "888"),
                                      patron(1000006, "4321"), patron(1000007, "1234")])
        outcome = self.rig.load([record("student", n, verdict="opted-out", key=key, key_fits=fits) for n, (key, fits) in enumerate(
            [("4321", True), ("77", True), ("888", True), ("4321", True), ("999999", True), ("1234.0", False), ("1234", True)], 1)])
        self.assert_done(outcome)
        frames = [f for f in report_frames(outcome.report) if f.name in ("REPORT_OPTED_OUT", "REPORT_TRAILER")]
        self.assertEqual([f.payload for f in frames[:-1]], [struct.pack("<Q", 1000006), struct.pack("<Q", 1000007)])
        self.assertEqual(struct.unpack("<4I", frames[-1].payload)[3], 2)
        self.assertEqual({o["patron_id"] for o in outcome.outcomes} if hasattr(outcome, "outcomes") else {0}, {0})

    def test_no_rows_unless_asked_for(self):
        self.start()
        outcome = self.rig.load([record("student", 1, verdict="key", key="x", key_fits=False)])
        self.assertEqual([f.name for f in report_frames(outcome.report)], ["REPORT_TRAILER"])

    def test_no_report_of_a_failed_retrieval(self):
        self.start(switches={"fault.html-200@list": "from:2"})
        self.assertEqual(self.rig.load(ROWS).report, b"")

    def test_reader_gone(self):
        self.start(records=PATRONS + [patron(1000003, "77 / OLD")])
        self.rig.write_config()
        load = Load(self.rig, b"".join(ROWS) + trailer(2, 1), report=True)
        load.stage.receive()
        os.dup2(os.open("/dev/null", os.O_RDONLY), load.report_fd)
        outcome = Outcome(load.end(), b"", self.rig.server.counters())
        self.assert_done(outcome)


if __name__ == "__main__":
    stagekit.main()
