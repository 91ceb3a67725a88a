# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a sierra-standin and talks to it; for tests, Python's standard library only."""

import base64
import http.client
import json
import os
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse

CREDENTIALS = "key:secret-of-the-key"
BASE = "/iii/sierra-api"


def basic(credentials=CREDENTIALS):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


class Answer:
    """A status, headers and the raw body; json() parses it."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()

    def json(self):
        return json.loads(self.raw.decode("utf-8"))


class Standin:
    """One running server. records: dicts that are loaded before it starts."""

    def __init__(self, *args, records=None, tls=None, binary=None):
        self.dir = tempfile.TemporaryDirectory(prefix="standin-")
        ready = self.path("ready")
        command = [binary or os.environ["SIERRA_STANDIN"], "--listen", "127.0.0.1:0", "--ready-file", ready,
                   "--credentials", CREDENTIALS, "--dump", self.path("dump.jsonl")]
        command += ["--cert", tls[0], "--key", tls[1]] if tls else ["--plain"]
        if records is not None:
            with open(self.path("load.jsonl"), "w", encoding="utf-8") as f:
                f.writelines(json.dumps(r) + "\n" for r in records)
            command += ["--load", self.path("load.jsonl")]
        self.tls = tls
        self.token = None
        self.process = subprocess.Popen(command + list(args))
        deadline = time.monotonic() + 60
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the stand-in did not start")
            time.sleep(0.005)
        with open(ready, encoding="ascii") as f:
            self.port = int(f.read())

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def connect(self, timeout=20):
        if self.tls:
            context = ssl.create_default_context(cafile=self.tls[0])
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def raw(self, method, path, body=None, headers=None, connection=None):
        """One request with nothing added; on a connection of its own unless one is given."""
        own = connection or self.connect()
        try:
            own.request(method, path, body=body, headers=headers or {})
            return Answer(own.getresponse())
        finally:
            if not connection:
                own.close()

    def login(self):
        answer = self.raw("POST", BASE + "/v6/token", headers={"Authorization": basic()})
        assert answer.status == 200, answer.raw
        self.token = answer.json()["access_token"]
        return self.token

    def api(self, method, path, body=None, connection=None, **params):
        """One authorised request below /v6; a body that is no str is sent as JSON."""
        if self.token is None:
            self.login()
        if params:
            path += "?" + urllib.parse.urlencode(params)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        return self.raw(method, BASE + "/v6/" + path, body, {"Authorization": "Bearer " + self.token}, connection)

    def switch(self, **values):
        """Names with _ for -; faults by fault("name@kind")."""
        return self.admin("POST", "switch", {k.replace("_", "-"): v for k, v in values.items()})

    def fault(self, name, when):
        answer = self.admin("POST", "switch", {"fault." + name: when})
        assert answer.status == 200, answer.raw
        return answer

    def admin(self, method, path, body=None):
        return self.raw(method, "/_standin/" + path, None if body is None else json.dumps(body))

    def counters(self):
        return self.admin("GET", "counters").json()

    def dump(self):
        """All stored records by id, without stopping."""
        lines = self.admin("GET", "dump").raw.decode("utf-8").splitlines()
        return {r["id"]: r for r in map(json.loads, lines)}

    def stop(self):
        """Ends the server; returns its exit status and the records that it dumped."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        dumped = []
        if os.path.exists(self.path("dump.jsonl")):
            with open(self.path("dump.jsonl"), encoding="utf-8") as f:
                dumped = [json.loads(line) for line in f]
        self.dir.cleanup()
        return status, dumped
