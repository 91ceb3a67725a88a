# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault, connections that break, delays, TLS."""

import concurrent.futures
import http.client
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from standin_case import FULL, PEOPLE, Case
from standin_client import Standin


class Closed(Exception):
    """The connection was closed without a byte."""


class Faults(Case):
    """Each fault: what the client sees, and whether the request took effect."""

    def try_post(self):
        """Status, body; Closed when there is no byte; IncompleteRead when the body breaks off."""
        connection = self.s.connect()
        try:
            return self.s.api("POST", "patrons/", FULL, connection=connection)
        except (http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLEOFError) as e:
            raise Closed from e
        finally:
            connection.close()

    def try_list(self):
        return self.s.api("GET", "patrons", fields="id,names", deleted="false")

    def created(self):
        return self.s.counters()["creates"]

    def test_drops(self):
        self.s.fault("drop-before-response@post", "nth:1")
        self.s.fault("drop-after-commit@post", "nth:2")
        self.s.fault("partial-body@post", "nth:3")
        self.s.login()
        self.assertRaises(Closed, self.try_post)
        self.assertEqual(self.created(), 0)
        self.assertRaises(Closed, self.try_post)
        self.assertEqual(self.created(), 1)
        self.assertRaises(http.client.IncompleteRead, self.try_post)
        self.assertEqual(self.created(), 2)
        self.assertEqual(self.try_post().status, 200)
        self.assertEqual(self.s.counters()["statuses"]["none"], 2)
        self.assertEqual(self.s.counters()["faults"], {"drop-before-response": 1, "drop-after-commit": 1, "partial-body": 1})

    def test_drop_sends_nothing(self):
        self.s.fault("drop-before-response@token", "always")
        with socket.create_connection(("127.0.0.1", self.s.port), 10) as s:
            s.sendall(b"POST /iii/sierra-api/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            self.assertEqual(s.recv(1000), b"")

    def test_answers(self):
        page = ("text/html", b"<html>")
        envelope = ("application/json", b'"code"')
        for fault, status, form, effect in (
                ("html-502", 502, page, 0), ("html-502-after-commit", 502, page, 1), ("html-200", 200, page, 0), ("html-200-after-commit", 200, page, 1),
                ("error-500-111", 500, envelope, 0), ("error-500-111-after-commit", 500, envelope, 1), ("rate-exceeded-500", 500, envelope, 0),
                ("status-429", 429, page, 0), ("status-503", 503, page, 0), ("status-504-after-commit", 504, page, 1), ("api-disabled-117", 503, envelope, 0),
                ("unauthorized-131", 401, envelope, 0), ("forbidden-116", 403, envelope, 0), ("token-revoked", 401, envelope, 0),
                ("empty-200", 200, ("application/json", b""), 1), ("truncated-json", 200, ("application/json", b'{"link"'), 1)):
            with self.subTest(fault=fault):
                self.s.admin("POST", "clear-faults")
                self.s.admin("POST", "reset-counters")
                self.s.login()
                self.s.fault(fault + "@post", "nth:1")
                answer = self.try_post()
                self.assertEqual(answer.status, status)
                self.assertIn(form[0], answer.headers["Content-Type"])
                self.assertIn(form[1], answer.raw)
                self.assertEqual((self.created(), self.s.counters()["faults"]), (effect, {fault: 1}))
                if fault not in ("rate-exceeded-500", "token-revoked") and form is envelope:
                    self.assertIn(answer.json()["code"], (111, 117, 131, 116))
                if fault == "rate-exceeded-500":
                    self.assertEqual(answer.json()["name"], "Rate exceeded for endpoint")
                if fault == "token-revoked":
                    self.refused(answer, 401, 123)
                    self.refused(self.s.api("GET", "patrons"), 401, 123)
                    self.s.login()
                if fault == "empty-200":
                    self.assertEqual(answer.raw, b"")
                if fault == "truncated-json":
                    self.assertRaises(ValueError, answer.json)
                self.assertEqual(self.try_post().status, 200)

    def test_empty_200_of_put(self):
        self.s.fault("empty-200@put", "always")
        answer = self.s.api("PUT", "patrons/1000001", {"patronType": 3})
        self.assertEqual((answer.status, answer.raw, self.record(1000001)["patronType"]), (200, b"", 3))

    def test_retry_after(self):
        self.s.fault("status-429@list", "nth:1,2")
        self.s.fault("status-503@list", "nth:3")
        self.assertIsNone(self.try_list().headers["Retry-After"])
        self.s.switch(retry_after=7)
        self.assertEqual(self.try_list().headers["Retry-After"], "7")
        self.assertEqual(self.try_list().headers["Retry-After"], "7")
        self.assertIsNone(self.try_list().headers["Retry-After"])

    def test_finds(self):
        def find():
            return self.s.api("GET", "patrons/find", varFieldTag="b", varFieldContent="100001", fields="id,barcodes")
        self.s.fault("wrong-record@find", "nth:1")
        self.s.fault("conflict-409", "nth:2")
        self.s.fault("id-as-string@find", "nth:3")
        self.assertNotIn("100001", find().json().get("barcodes", []))
        self.refused(find(), 409, 133)
        self.assertEqual(find().json()["id"], "1000001")
        self.assertEqual(find().json()["id"], 1000001)

    def test_lists(self):
        def page():
            return self.s.api("GET", "patrons", id="[1000004,]", limit=3, fields="id")
        for fault in ("list-error-mid", "list-repeat", "list-truncated", "id-as-string"):
            self.s.fault(fault, {"list-error-mid": "nth:1,2", "list-repeat": "nth:3", "list-truncated": "nth:4", "id-as-string": "nth:5"}[fault])
        error = page()
        self.assertEqual((error.status, error.json()["code"]), (200, 111))
        self.assertNotIn("entries", error.json())
        self.s.switch(list_error_form="entry")
        entries = page().json()["entries"]
        self.assertEqual((len(entries), entries[2].get("code")), (3, 111))
        self.assertEqual([e["id"] for e in page().json()["entries"]], [1000001, 1000002, 1000003])
        self.assertRaises(ValueError, page().json)
        self.assertEqual([e["id"] for e in page().json()["entries"]], ["1000004", "1000005", "1000006"])
        self.assertEqual([e["id"] for e in page().json()["entries"]], [1000004, 1000005, 1000006])

    def test_slow(self):
        self.s.switch(slow_ms=600)
        self.s.fault("slow@post", "nth:1,2")
        self.s.login()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            start = time.monotonic()
            waiting = pool.submit(self.try_post)
            time.sleep(0.2)
            self.assertEqual(self.created(), 1)
            self.assertEqual(self.try_list().status, 200)
            self.assertLess(time.monotonic() - start, 0.55)
            self.assertEqual(waiting.result().status, 200)
            self.assertGreater(time.monotonic() - start, 0.55)
            self.s.switch(slow_commit="after")
            waiting = pool.submit(self.try_post)
            time.sleep(0.2)
            self.assertEqual(self.created(), 1)
            self.assertEqual(waiting.result().status, 200)
            self.assertEqual(self.created(), 2)

    def test_late_commit_of_a_lost_request(self):
        self.s.switch(slow_ms=500, slow_commit="after")
        self.s.fault("slow@post", "always")
        self.s.login()
        connection = self.s.connect(timeout=0.2)
        with self.assertRaises(TimeoutError):
            self.s.api("POST", "patrons/", FULL, connection=connection)
        connection.close()
        self.assertEqual(self.created(), 0)
        time.sleep(0.6)
        self.assertEqual(self.created(), 1)

    def schedule(self, name, when, n):
        self.s.fault(name, when)
        return [self.try_list().status != 200 for _ in range(n)]

    def test_schedules(self):
        for when, hits in (("nth:2,5", [2, 5]), ("every:3", [3, 6, 9]), ("first:2", [1, 2]), ("from:8", [8, 9, 10]), ("off", []),
                           ("always", list(range(1, 11))), ("rate:0", [])):
            got = self.schedule("error-500-111@list", when, 10)
            self.assertEqual([i + 1 for i, hit in enumerate(got) if hit], hits, when)
        self.s.admin("POST", "clear-faults")
        self.s.fault("error-500-111", "nth:2")
        self.assertEqual([self.try_list().status, self.s.api("GET", "patrons/1000001").status, self.try_list().status], [200, 200, 500])

    def test_seed_decides(self):
        runs = []
        for seed in ("7", "7", "8"):
            s = Standin("--seed", seed, "--switch", "fault.error-500-111@list=rate:0.3", records=PEOPLE)
            try:
                runs.append([s.api("GET", "patrons").status for _ in range(100)])
            finally:
                s.stop()
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])
        self.assertTrue(10 < runs[0].count(500) < 60)

    def test_switches_all_or_none(self):
        answer = self.s.admin("POST", "switch", {"total": "absent", "no-such": "1", "fault.slow": "always"})
        self.assertEqual(answer.status, 400)
        self.assertIn("no-such", answer.json()["error"])
        self.assertEqual(self.s.admin("GET", "switches").json()["total"], "page")
        self.assertEqual(self.s.admin("POST", "switch").status, 400)
        self.assertEqual(self.s.admin("GET", "nonsense").status, 404)


class Connections(Case):
    def test_keepalive(self):
        connection = self.s.connect()
        for _ in range(5):
            self.assertEqual(self.s.api("GET", "patrons", connection=connection).status, 200)
        connection.close()
        # One to log in, one for all five, one for this look.
        self.assertEqual(self.s.counters()["connections_accepted"], 3)

    def test_closes_without_a_word(self):
        self.s.login()
        self.s.switch(keepalive_close_after=2)
        connection = self.s.connect()
        for _ in range(2):
            answer = self.s.api("GET", "patrons", connection=connection)
            self.assertEqual(answer.status, 200)
            self.assertNotEqual((answer.headers["Connection"] or "").lower(), "close")
        self.assertEqual(connection.sock.recv(10), b"")
        connection.close()

    def test_latency_does_not_queue(self):
        self.s.login()
        self.s.switch(latency_ms=300)
        self.s.admin("POST", "reset-counters")
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: self.s.api("GET", "patrons").status, range(20)))
        self.assertEqual(answers, [200] * 20)
        self.assertTrue(0.3 <= time.monotonic() - start < 2)
        counters = self.s.counters()
        self.assertEqual((counters["max_connections"], counters["requests"]["list"]), (20, 20))
        self.assertEqual(counters["max_requests"], 20)

    def test_stop_while_waiting(self):
        self.s.login()
        self.s.switch(latency_ms=60000)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.s.api, "POST", "patrons/", FULL)
            while self.s.counters()["creates"] == 0:
                time.sleep(0.02)
            start = time.monotonic()
            status, dumped = self.s.stop()
            self.assertEqual((status, len(dumped)), (0, len(PEOPLE) + 1))
            self.assertLess(time.monotonic() - start, 10)
            waiting.exception()


class Tls(Case):
    """The same over HTTPS: a self-made certificate that is really verified."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        pair = (os.path.join(folder.name, "cert.pem"), os.path.join(folder.name, "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True, timeout=60)
        self.s = Standin("--generate", "4000", tls=pair)
        self.addCleanup(self.s.stop)

    def test_untrusted(self):
        with self.assertRaises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection("127.0.0.1", self.s.port, timeout=10, context=ssl.create_default_context()).request("GET", "/")

    def test_work(self):
        connection = self.s.connect()
        self.assertEqual(len(self.s.api("GET", "patrons", limit=2000, fields=",", connection=connection).json()["entries"]), 2000)
        self.assertEqual(self.s.api("PUT", "patrons/1000001", {"expirationDate": "2030-01-01"}, connection=connection).status, 204)
        self.assertEqual(self.s.api("POST", "patrons/", FULL, connection=connection).status, 200)
        connection.close()

    def test_drops(self):
        self.s.login()
        self.s.fault("drop-after-commit@post", "nth:1")
        self.s.fault("partial-body@list", "nth:1")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.s.api("POST", "patrons/", FULL)
        self.assertEqual(self.s.counters()["creates"], 1)
        with self.assertRaises((http.client.IncompleteRead, ssl.SSLEOFError)):
            self.s.api("GET", "patrons")

    def test_closes_without_a_word(self):
        self.s.login()
        self.s.switch(keepalive_close_after=1)
        connection = self.s.connect()
        self.assertEqual(len(self.s.api("GET", "patrons", limit=2000, fields=",", connection=connection).json()["entries"]), 2000)
        try:
            self.assertEqual(connection.sock.recv(10), b"")
        except (ConnectionResetError, ssl.SSLEOFError):
            pass
        connection.close()

    def test_latency(self):
        self.s.login()
        self.s.switch(latency_ms=300)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            self.assertEqual(list(pool.map(lambda _: self.s.api("GET", "patrons/1000001").status, range(10))), [200] * 10)
        self.assertLess(time.monotonic() - start, 2)
