# SPDX-License-Identifier: GPL-3.0-or-later
"""patrond-fetch against a real OpenSSH server, straight and through a proxy that breaks connections."""
import errno
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from fault_proxy import FaultProxy  # noqa: E402
import hostile_sftp  # noqa: E402
from sftp_server import TYPES, SftpServer, children_of, keygen  # noqa: E402
import stagekit  # noqa: E402
from stagekit import Stage, feed_fd, string  # noqa: E402

BINARY = os.path.join(stagekit.BIN, "patrond-fetch")
MB = 1_000_000
SLOW = 8 if os.environ.get("PATROND_SLOW") else 1  # limits of time, for valgrind and the like
REQUIRED_WALLS = 0b1111


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def write_file(path, data):
    with open(path, "wb") as file:
        file.write(data)


class Rig:
    """Configuration, credential and known_hosts of one stage, in a folder that any user can read."""

    def __init__(self, server, **settings):
        self.server = server
        self.directory = tempfile.mkdtemp(prefix="fetch-")
        os.chmod(self.directory, 0o755)
        os.mkdir(self.path("credentials"), 0o755)
        self.settings = dict(host="127.0.0.1", port=server.port, user=server.user, path=server.drop,
                             known_hosts=self.path("known_hosts"), connect_timeout="5s", stall_timeout="5s")
        self.settings.update(settings)
        self.key(server.client_key)
        self.known_hosts(server.known_hosts(port=self.settings["port"]))

    def path(self, name):
        return os.path.join(self.directory, name)

    def key(self, source):
        """The credential: a file's path, bytes, or None for none."""
        path = self.path("credentials/sftp-key")
        if source is None:
            os.unlink(path)
            return
        with open(path, "wb") as file:
            file.write(source if isinstance(source, bytes) else read_file(source))
        os.chmod(path, 0o644)

    def known_hosts(self, text):
        with open(self.path("known_hosts"), "w", encoding="ascii") as file:
            file.write(text)

    def start(self, **kwargs):
        with open(self.path("patrond.conf"), "w", encoding="utf-8") as file:
            file.write("[sftp]\n" + "".join(f"{key} = {value}\n" for key, value in self.settings.items()
                                            if value is not None))
        return Stage(BINARY, self.path("patrond.conf"), self.path("credentials"), stderr=sys.stderr, **kwargs)

    def done(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Fetch(unittest.TestCase):
    """One server for all tests of a class; an empty drop folder and an own rig for each."""

    host_keys = TYPES
    server_settings = ""

    @classmethod
    def setUpClass(cls):
        cls.server = SftpServer(host_keys=cls.host_keys, settings=cls.server_settings).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        shutil.rmtree(self.server.drop)
        os.mkdir(self.server.drop)
        if os.geteuid() == 0:
            os.chown(self.server.drop, self.server.uid, self.server.gid)
        self.rig = Rig(self.server)
        self.addCleanup(self.rig.done)

    def stage(self, rig=None, **kwargs):
        stage = (rig or self.rig).start(**kwargs)
        self.addCleanup(stage.close)
        return stage

    def through(self, fault="pass", **kwargs):
        """A proxy to the server, and the rig that goes through it."""
        settings = kwargs.pop("settings", {})
        proxy = FaultProxy(self.server.port, fault, **kwargs).start()
        self.addCleanup(proxy.stop)
        rig = Rig(self.server, port=proxy.port, **settings)
        self.addCleanup(rig.done)
        return proxy, rig

    def list(self, stage):
        stage.send("FETCH_LIST")
        return stage.until_end()

    def files(self, stage):
        """The listing as {name: (size, mtime)}; it must end well."""
        frames = self.list(stage)
        self.assertEqual(frames[-1].name, "DONE", frames[-1])
        return {f.file: (f.size, f.mtime) for f in frames if f.name == "LISTING"}

    def ask_copy(self, stage, name, size, mtime, fds):
        stage.send("FETCH_COPY", string(name) + struct.pack("<Qq", size, mtime), fds)

    def copy(self, stage, name, size, mtime, fd=None, timeout=60):
        """Frames of a copy and what is in the descriptor then."""
        own = feed_fd(b"left from before") if fd is None else fd
        try:
            self.ask_copy(stage, name, size, mtime, [own])
            frames = stage.until_end(timeout)
            return frames, read_all(own)
        finally:
            os.close(own)

    def assert_failure(self, frames, code, number=None, line=None):
        self.assertTrue(frames, "the stage said nothing at all")
        self.assertEqual(frames[-1].name, "FAILURE", frames)
        self.assertEqual(frames[-1].code, code, frames[-1])
        if number is not None:
            self.assertEqual(frames[-1].number, number, frames[-1])
        if line is not None:
            self.assertEqual(frames[-1].column, line, frames[-1])
        self.assertEqual([f.name for f in frames].count("FAILURE"), 1)
        self.assertNotIn("DONE", [f.name for f in frames])

    def assert_refused(self, code, rig=None, number=None, line=None, request=True):
        """A stage that never gets as far as the listing."""
        stage = self.stage(rig)
        if request:
            try:
                stage.send("FETCH_LIST")
            except BrokenPipeError:
                pass  # it was refused before it was asked
        frames = stage.until_end()
        self.assert_failure(frames, code, number, line)
        self.assertNotIn("LISTING", [f.name for f in frames])
        self.assertEqual(stage.process.wait(10), 1)
        return frames


def read_all(fd):
    parts, at = [], 0
    while True:
        part = os.pread(fd, 1 << 20, at)
        if not part:
            return b"".join(parts)
        parts.append(part)
        at += len(part)


class Beginning(Fetch):
    """Refusals before anything is asked of the server's folder."""

    def test_root_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("not root")
        stage = self.stage(user=None)
        self.assert_failure(stage.until_end(), "uid-zero")

    def test_configuration_without_host_or_user(self):
        for key in ("host", "user"):
            rig = Rig(self.server, **{key: None})
            self.addCleanup(rig.done)
            self.assert_refused("config", rig)

    def test_credential_missing(self):
        self.rig.key(None)
        self.assert_refused("credential")

    def test_host_without_address(self):
        self.rig.settings["host"] = "sftp.invalid"
        self.assert_refused("resolve")

    def test_port_closed(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.rig.settings["port"] = s.getsockname()[1]
            self.assert_refused("connect", number=errno.ECONNREFUSED)

    def test_no_answer_to_the_connection(self):
        # a listener whose queue is full answers no SYN
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(0)
            port = s.getsockname()[1]
            full = [socket.socket() for _ in range(4)]
            for one in full:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            time.sleep(0.2)
            self.rig.settings.update(port=port, connect_timeout="700ms")
            start = time.monotonic()
            self.assert_refused("connect", number=errno.ETIMEDOUT)
            self.assertLess(time.monotonic() - start, 5 * SLOW)
            for one in full:
                one.close()

    def test_every_address_is_tried(self):
        """A name with two addresses, of which the second answers: needs an /etc/hosts of its own."""
        if os.geteuid() != 0:
            self.skipTest("not root")
        hosts = self.rig.path("hosts")
        write_file(hosts, b"127.0.0.1 two.test\n127.0.0.2 two.test\n")
        done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, sys.executable,
                               os.path.abspath(__file__), "SecondAddress"], timeout=120, check=False,
                              env=dict(os.environ, PATROND_SECOND_ADDRESS="1"), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"1 passed, 0 failed, 0 skipped", done.stdout)


class SecondAddress(unittest.TestCase):
    """Run by Beginning.test_every_address_is_tried alone, where two.test has its addresses."""

    def test_second_address(self):
        server = SftpServer()
        server.host = "127.0.0.2"
        rig = Rig(server, host="two.test")
        self.addCleanup(rig.done)
        rig.known_hosts(server.known_hosts(host="two.test"))
        with server, rig.start() as stage:
            stage.send("FETCH_LIST")
            self.assertEqual([f.name for f in stage.until_end()], ["WALLS", "DONE"])


if "PATROND_SECOND_ADDRESS" not in os.environ:
    del SecondAddress


class HostKeys(Fetch):
    """Each refusal must come before the log-in: the server has not seen our user name then."""

    def setUp(self):
        super().setUp()
        self.log_start = len(read_file(self.server.log))
        self.name = f"[127.0.0.1]:{self.server.port}"
        self.key = self.server.public_host_key

    def lines(self, *lines):
        self.rig.known_hosts("".join(line + "\n" for line in lines))

    def assert_host_refused(self, code, **kwargs):
        self.assert_refused(code, **kwargs)
        time.sleep(0.1)
        log = read_file(self.server.log)[self.log_start:].decode(errors="replace")
        self.assertNotIn(self.server.user, log)
        self.assertNotIn("publickey", log)

    def other_key(self, kind="ed25519"):
        path = keygen(self.rig.path("other_" + kind), kind)
        with open(path + ".pub", encoding="ascii") as file:
            return " ".join(file.read().split()[:2])

    def test_no_file(self):
        os.unlink(self.rig.path("known_hosts"))
        self.assert_host_refused("known-hosts", number=errno.ENOENT)

    def test_empty_file(self):
        self.rig.known_hosts("")
        self.assert_host_refused("known-hosts", number=errno.ENODATA)

    def test_comments_alone(self):
        self.lines("# " + self.name + " " + self.key())
        self.assert_host_refused("known-hosts", number=errno.ENODATA)

    def test_bad_line(self):
        self.lines(self.name + " " + self.key(), "", "other.example.org ssh-ed25519")
        self.assert_host_refused("known-hosts", number=errno.EBADMSG, line=3)

    def test_authority(self):
        self.lines(self.name + " " + self.key(), "@cert-authority * " + self.key())
        self.assert_host_refused("known-hosts", number=errno.EBADMSG, line=2)

    def test_unknown(self):
        self.lines("other.example.org " + self.key())
        self.assert_host_refused("host-key-unknown")

    def test_entry_without_port(self):
        self.lines("127.0.0.1 " + self.key())
        self.assert_host_refused("host-key-unknown")

    def test_changed(self):
        for kind in TYPES:
            with self.subTest(kind):
                self.lines(self.name + " " + self.other_key(kind))
                self.assert_host_refused("host-key-changed")

    def test_revoked(self):
        self.lines(self.name + " " + self.key(), "@revoked * " + self.key())
        self.assert_host_refused("host-key-revoked")

    def test_each_type_is_asked_for(self):
        # the server has all three; only the one that the file knows can be compared
        for kind in TYPES:
            with self.subTest(kind):
                self.lines(self.name + " " + self.key(kind))
                self.assertEqual(self.files(self.stage()), {})

    def test_a_revoked_type_does_not_hide_a_good_one(self):
        self.lines("@revoked " + self.name + " " + self.key("ed25519"), self.name + " " + self.key("rsa"))
        self.assertEqual(self.files(self.stage()), {})

    def test_hashed(self):
        self.rig.known_hosts(self.server.known_hosts())
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", self.rig.path("known_hosts")], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(self.rig.path("known_hosts"), encoding="ascii") as file:
            self.assertTrue(file.read().startswith("|1|"))
        os.chmod(self.rig.path("known_hosts"), 0o644)
        self.assertEqual(self.files(self.stage()), {})

    def test_as_ssh_keyscan_writes_it(self):
        out = subprocess.run(["ssh-keyscan", "-p", str(self.server.port), "127.0.0.1"], check=True, timeout=60,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        self.rig.known_hosts(out.replace("\n", "\r\n"))
        self.assertEqual(self.files(self.stage()), {})


class OtherHostKey(Fetch):
    host_keys = ("ed25519",)

    def test_another_type_alone_is_known(self):
        path = keygen(self.rig.path("other"), "rsa")
        with open(path + ".pub", encoding="ascii") as file:
            self.rig.known_hosts(f"[127.0.0.1]:{self.server.port} " + " ".join(file.read().split()[:2]) + "\n")
        self.assert_refused("host-key-unknown")

    def test_the_server_gets_a_new_key(self):
        server = SftpServer().start()
        self.addCleanup(server.stop)
        rig = Rig(server)
        self.addCleanup(rig.done)
        self.assertEqual(self.files(self.stage(rig)), {})
        server.stop_process()
        server.new_host_key()
        server.start()
        self.assert_refused("host-key-changed", rig)


class Keys(Fetch):
    """The private key of the credential."""

    def test_wrong_key(self):
        self.rig.key(keygen(self.rig.path("wrong")))
        self.assert_refused("auth-refused")

    def test_wrong_user(self):
        self.rig.settings["user"] = "nosuchuser"
        self.assert_refused("auth-refused")

    def test_passphrase(self):
        self.rig.key(keygen(self.rig.path("locked"), passphrase="secret word"))
        self.assert_refused("ssh-key-unusable")
        self.rig.key(keygen(self.rig.path("locked_pem"), "rsa", passphrase="secret word", pem=True))
        self.assert_refused("ssh-key-unusable")

    def test_not_a_key(self):
        good = read_file(self.server.client_key)
        for name, data in (("text", b"not a key\n"), ("public", read_file(self.server.client_key + ".pub")),
                           ("cut", good[:len(good) // 2]), ("no end", good[:good.index(b"-----END")]),
                           ("cut within", good.replace(good.split(b"\n")[2] + b"\n", b""))):
            with self.subTest(name):
                self.rig.key(data)
                self.assert_refused("ssh-key-unusable")

    def test_every_kind_works(self):
        authorized = os.path.join(self.server.directory, "authorized_keys")
        self.addCleanup(write_file, authorized, read_file(authorized))
        for kind, pem in (("ed25519", False), ("rsa", False), ("rsa", True), ("ecdsa", False), ("ecdsa", True)):
            with self.subTest(kind, pem=pem):
                path = keygen(self.rig.path(f"own_{kind}_{pem}"), kind, pem=pem)
                write_file(authorized, read_file(path + ".pub"))
                self.rig.key(path)
                self.assertEqual(self.files(self.stage()), {})

    def test_crlf(self):
        self.rig.key(read_file(self.server.client_key).replace(b"\n", b"\r\n"))
        frames = self.list(self.stage())
        self.assertIn(frames[-1].name, ("DONE", "FAILURE"))
        if frames[-1].name == "FAILURE":
            self.assert_failure(frames, "ssh-key-unusable")


class Listing(Fetch):
    def test_walls_come_first(self):
        stage = self.stage()
        first = stage.receive()
        self.assertEqual(first.name, "WALLS")
        self.assertEqual(first.walls & REQUIRED_WALLS, REQUIRED_WALLS)

    def test_empty_folder(self):
        self.assertEqual(self.files(self.stage()), {})

    def test_what_may_be_a_feed_and_nothing_else(self):
        drop = self.server.drop
        good = {"feed.zip": 0, "chccs 2026.zip": 1, "f\u00e9\u4e16.zip": 32769, "a" * 251 + ".zip": 3}
        for i, (name, size) in enumerate(good.items()):
            self.server.put(name, os.urandom(size), mtime=1_700_000_000 + i)
        for name in (".feed.zip", "feed.zip.filepart", "feed.zip.partial", "feed.zip.part", "feed.zip.tmp",
                     "feed.zip.crdownload", "feed.zip~", "~feed.zip", "barcode_errors-20260801.zip", "feed.csv", "feed.ZIP"):
            self.server.put(name, b"x")
        self.server.put(b"f\xe9ed.zip", b"x")
        os.mkdir(os.path.join(drop, "folder.zip"))
        os.symlink("/etc/passwd", os.path.join(drop, "link.zip"))
        os.mkfifo(os.path.join(drop, "fifo.zip"))
        self.assertEqual(self.files(self.stage()),
                         {name.encode(): (size, (1_700_000_000 + i) * 1_000_000)
                          for i, (name, size) in enumerate(good.items())})

    def test_temporary_names_whatever_the_pattern(self):
        self.rig.settings["pattern"] = "*"
        for name in (".x", "a.filepart", "a.PART", "a.tmp", "a.crdownload", "a~", "~a", "barcode_errors-x.zip"):
            self.server.put(name, b"x")
        self.server.put("plain", b"x")
        self.assertEqual(set(self.files(self.stage())), {b"plain"})

    def test_pattern(self):
        self.rig.settings["pattern"] = "chccs-[0-9]*.zip"
        for name in ("chccs-1.zip", "chccs-x.zip", "Chccs-1.zip", "chccs-22.zip"):
            self.server.put(name, b"x")
        self.assertEqual(set(self.files(self.stage())), {b"chccs-1.zip", b"chccs-22.zip"})

    def test_times_before_and_after_what_fits(self):
        self.server.put("old.zip", b"", mtime=0)
        self.server.put("late.zip", b"", mtime=4_000_000_000)
        self.assertEqual(self.files(self.stage()), {b"old.zip": (0, 0), b"late.zip": (0, 4_000_000_000 * 1_000_000)})

    def test_folder_missing_and_closed(self):
        self.rig.settings["path"] = self.server.drop + "/none"
        self.assert_refused("remote-folder", number=2)
        closed = os.path.join(self.server.drop, "closed")
        os.mkdir(closed, 0)
        self.rig.settings["path"] = closed
        self.assert_refused("remote-folder", number=3)

    def test_many_files_and_one_too_many(self):
        for i in range(4096):
            open(os.path.join(self.server.drop, f"feed{i}.zip"), "wb").close()
        stage = self.stage()
        self.assertEqual(len(self.files(stage)), 4096)
        for i in range(300):
            open(os.path.join(self.server.drop, f"other{i}.txt"), "wb").close()
        self.assertEqual(len(self.files(stage)), 4096)
        open(os.path.join(self.server.drop, "feed.zip"), "wb").close()
        self.assert_failure(self.list(stage), "listing-too-long")

    def test_a_new_file_shows_on_the_same_connection(self):
        stage = self.stage()
        self.assertEqual(self.files(stage), {})
        self.server.put("feed.zip", b"x", mtime=1_700_000_000)
        self.assertEqual(set(self.files(stage)), {b"feed.zip"})

    def test_hang_up_ends_it(self):
        stage = self.stage()
        self.assertEqual(self.files(stage), {})
        self.assertIn(stage.close(), (0, 1))  # the signal and the end of the stream race


class Copying(Fetch):
    def assert_copied(self, stage, name, data, timeout=60):
        size, mtime = self.files(stage)[name.encode()]
        self.assertEqual(size, len(data))
        frames, got = self.copy(stage, name, size, mtime, timeout=timeout)
        self.assertEqual([f.name for f in frames if f.name != "PROGRESS"], ["COPIED", "DONE"], frames)
        self.assertEqual(frames[-2].size, len(data))
        self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(data).digest())
        for f in frames:
            if f.name == "PROGRESS":
                self.assertEqual((f.phase, f.total), ("retrieving", size))
                self.assertLessEqual(f.done, size)

    def test_byte_identical_on_one_connection(self):
        stage = self.stage()
        for size in (0, 1, 32767, 32768, 32769, 5 * MB, 60 * MB, 2):
            with self.subTest(size=size):
                data = os.urandom(size)
                self.server.put("feed.zip", data)
                self.assert_copied(stage, "feed.zip", data)

    def test_a_name_beyond_ascii(self):
        data = os.urandom(70000)
        self.server.put("f\u00e9\u4e16 x.zip", data)
        self.assert_copied(self.stage(), "f\u00e9\u4e16 x.zip", data)

    def test_requests_that_cannot_be(self):
        self.server.put("feed.zip", b"feed", mtime=1_700_000_000)
        self.server.put("other.csv", b"feed", mtime=1_700_000_000)
        mtime = 1_700_000_000_000_000
        fd = feed_fd()
        self.addCleanup(os.close, fd)
        read_only = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
        self.addCleanup(os.close, read_only)
        pipe = os.pipe()
        self.addCleanup(os.close, pipe[0])
        self.addCleanup(os.close, pipe[1])
        drop = os.path.basename(self.server.drop)
        cases = {"other folder": ("../" + drop + "/feed.zip", [fd]), "absolute": ("/etc/x.zip", [fd]), "dots": ("..", [fd]),
                 "outside the pattern": ("other.csv", [fd]), "temporary": (".feed.zip", [fd]), "empty": ("", [fd]),
                 "NUL": ("feed.zip\0.zip", [fd]), "not UTF-8": (b"f\xe9.zip", [fd]), "no descriptor": ("feed.zip", []),
                 "two descriptors": ("feed.zip", [fd, fd]), "read-only": ("feed.zip", [read_only]),
                 "a pipe": ("feed.zip", [pipe[1]])}
        for name, (file, fds) in cases.items():
            with self.subTest(name):
                stage = self.stage()
                self.ask_copy(stage, file, 4, mtime, fds)
                self.assert_failure(stage.until_end(), "protocol")
                self.assertEqual(os.fstat(fd).st_size, 0)

    def test_frames_of_other_stages(self):
        for name, payload in (("DECODE_INSPECT", b""), ("SHARE_LIST", b""), ("REPORT", struct.pack("<i", 0))):
            with self.subTest(name):
                stage = self.stage()
                stage.send(name, payload)
                self.assert_failure(stage.until_end(), "protocol")
        stage = self.stage()
        stage.send_raw(b"\xff" * 64)
        self.assert_failure(stage.until_end(), "protocol")

    def test_another_file_than_listed(self):
        self.server.put("feed.zip", b"feed", mtime=1_700_000_000)
        mtime = 1_700_000_000_000_000
        for size, time_ in ((5, mtime), (3, mtime), (4, mtime + 1_000_000), (4, mtime - 1), (4, -1), (0, mtime)):
            frames, _ = self.copy(self.stage(), "feed.zip", size, time_)
            self.assert_failure(frames, "feed-changed")

    def test_gone_closed_or_no_file(self):
        frames, _ = self.copy(self.stage(), "feed.zip", 4, 0)
        self.assert_failure(frames, "remote-file", number=2)
        os.chmod(self.server.put("closed.zip", b"feed", mtime=1_700_000_000), 0)
        frames, _ = self.copy(self.stage(), "closed.zip", 4, 1_700_000_000_000_000)
        self.assert_failure(frames, "remote-file", number=3)
        os.mkdir(os.path.join(self.server.drop, "folder.zip"))
        frames, _ = self.copy(self.stage(), "folder.zip", 4, 0)
        self.assertIn(frames[-1].code, ("remote-file", "feed-changed"))

    def test_a_link_is_no_feed(self):
        real = self.server.put("feed.zip", b"feed", mtime=1_700_000_000)
        os.symlink(real, os.path.join(self.server.drop, "link.zip"))
        frames, _ = self.copy(self.stage(), "link.zip", 4, 1_700_000_000_000_000)
        self.assert_failure(frames, "feed-changed")

    def test_too_large(self):
        path = self.server.put("feed.zip", b"", mtime=1_700_000_000)
        os.truncate(path, (1 << 30) + 1)  # a hole
        stage = self.stage()
        size, mtime = self.files(stage)[b"feed.zip"]
        frames, got = self.copy(stage, "feed.zip", size, mtime)
        self.assert_failure(frames, "feed-too-large")
        self.assertEqual(got, b"left from before")

    def slow_copy(self, meanwhile, size=3 * MB):
        """Copies at 1.5 MB/s and does something after the first PROGRESS. Returns the frames."""
        _, rig = self.through("slow", rate=1.5 * MB, piece=16384)
        path = self.server.put("feed.zip", os.urandom(size), mtime=1_700_000_000)
        stage = self.stage(rig)
        fd = feed_fd()
        self.addCleanup(os.close, fd)
        self.ask_copy(stage, "feed.zip", size, 1_700_000_000_000_000, [fd])
        while True:
            frame = stage.receive()
            self.assertIn(frame.name, ("WALLS", "PROGRESS"), frame)
            if frame.name == "PROGRESS":
                break
        self.assertGreater(frame.done, 0)
        meanwhile(path, stage)
        return stage.until_end()

    def test_growing_while_copied(self):
        def grow(path, _):
            with open(path, "ab") as file:
                file.write(b"more")

        self.assert_failure(self.slow_copy(grow), "feed-changed")

    def test_growing_with_the_old_time(self):
        def grow(path, _):
            with open(path, "ab") as file:
                file.write(b"more")
            os.utime(path, (1_700_000_000, 1_700_000_000))

        self.assert_failure(self.slow_copy(grow), "feed-changed")

    def test_rewritten_while_copied(self):
        def rewrite(path, _):
            with open(path, "r+b") as file:
                file.write(b"changed")

        self.assert_failure(self.slow_copy(rewrite), "feed-changed")

    def test_cut_while_copied(self):
        self.assert_failure(self.slow_copy(lambda path, _: os.truncate(path, 2 * MB)), "feed-changed")

    def test_replaced_while_copied(self):
        self.assert_failure(
            self.slow_copy(lambda path, _: self.server.put("feed.zip", os.urandom(3 * MB), mtime=1_700_000_001)),
            "feed-changed")

    def test_removed_while_copied(self):
        self.assert_failure(self.slow_copy(lambda path, _: os.unlink(path)), "feed-changed")

    def test_cancelled_while_copied(self):
        start = time.monotonic()
        self.assert_failure(self.slow_copy(lambda _, stage: stage.send("CANCEL"), size=30 * MB), "cancelled")
        self.assertLess(time.monotonic() - start, 10 * SLOW)

    def test_cancelled_before_a_request(self):
        stage = self.stage()
        stage.send("CANCEL")
        stage.send("FETCH_LIST")
        self.assert_failure(stage.until_end(), "cancelled")

    def test_hang_up_while_copied(self):
        _, rig = self.through("slow", rate=MB, piece=16384)
        self.server.put("feed.zip", os.urandom(30 * MB), mtime=1_700_000_000)
        stage = self.stage(rig)
        fd = feed_fd()
        self.addCleanup(os.close, fd)
        self.ask_copy(stage, "feed.zip", 30 * MB, 1_700_000_000_000_000, [fd])
        while stage.receive().name != "PROGRESS":
            pass
        start = time.monotonic()
        self.assertEqual(stage.close(), 1)
        self.assertLess(time.monotonic() - start, 2 * SLOW)

    def test_workspace_full(self):
        fd = small_workspace(1 << 20)
        if fd is None:
            self.skipTest("no mount namespace here")
        self.server.put("feed.zip", os.urandom(5 * MB), mtime=1_700_000_000)
        frames, _ = self.copy(self.stage(), "feed.zip", 5 * MB, 1_700_000_000_000_000, fd)
        self.assert_failure(frames, "workspace-full", number=errno.ENOSPC)


def small_workspace(size):
    """A nameless file on a tmpfs of so many bytes, made in a mount namespace of its own; None where that cannot be."""
    if os.geteuid() != 0:
        return None
    mine, theirs = socket.socketpair()
    code = ("import os,socket,sys\ns=socket.socket(fileno=int(sys.argv[1]))\n"
            "fd=os.open('/mnt',os.O_TMPFILE|os.O_RDWR,0o600)\nsocket.send_fds(s,[b'x'],[fd])\n")
    command = f'mount -t tmpfs -o size={size},mode=1777 none /mnt && exec python3 -c "$0" {theirs.fileno()}'
    with mine, theirs:
        done = subprocess.run(["unshare", "-m", "sh", "-c", command, code], pass_fds=[theirs.fileno()], timeout=60,
                              stderr=subprocess.DEVNULL, check=False)
        return socket.recv_fds(mine, 1, 1)[1][0] if done.returncode == 0 else None


class Rekeying(Fetch):
    server_settings = "RekeyLimit 1M"

    def test_new_keys_every_megabyte(self):
        data = os.urandom(20 * MB)
        self.server.put("feed.zip", data, mtime=1_700_000_000)
        frames, got = self.copy(self.stage(), "feed.zip", len(data), 1_700_000_000_000_000)
        self.assertEqual(frames[-1].name, "DONE", frames)
        self.assertEqual(got, data)


class Faults(Fetch):
    """What a bad line or a dying server does. Never a wrong file, never a wait without end."""

    size = 5 * MB

    def setUp(self):
        super().setUp()
        self.data = os.urandom(self.size)
        self.server.put("feed.zip", self.data, mtime=1_700_000_000)

    def run_through(self, fault, **kwargs):
        """A listing and a copy through a fault. Returns frames of both together, and what was copied."""
        proxy, rig = self.through(fault, settings=dict(stall_timeout="1s"), **kwargs)
        stage = self.stage(rig)
        frames = []
        start = time.monotonic()
        try:
            frames = self.list(stage)
        except BrokenPipeError:
            frames = stage.until_end()
        got = None
        if frames[-1].name == "DONE":
            more, got = self.copy(stage, "feed.zip", self.size, 1_700_000_000_000_000)
            frames += more
        self.took = time.monotonic() - start
        self.struck = proxy.struck.is_set()
        return frames, got

    def test_no_fault(self):
        frames, got = self.run_through("pass")
        self.assertEqual([f.name for f in frames if f.name != "PROGRESS"],
                         ["WALLS", "LISTING", "DONE", "COPIED", "DONE"])
        self.assertEqual(got, self.data)

    def test_silent(self):
        frames, _ = self.run_through("silent")
        self.assert_failure(frames, "transfer-stalled")
        self.assertLess(self.took, 4 * SLOW)

    # from the server come about 2 kB for the handshake, 3.5 kB with the log-in, then the listing, then the file
    PLACES = (0, 10, 500, 1500, 2200, 2800, 3200, 3600, 4000, 4300, 50_000, 2 * MB, 4_900_000)

    def test_stall_anywhere(self):
        codes = []
        for after in self.PLACES:
            with self.subTest(after=after):
                frames, _ = self.run_through("stall", after=after)
                self.assertEqual(frames[-1].code, "transfer-stalled", frames)
                self.assertLess(self.took, 4 * SLOW)
                codes.append([f.name for f in frames].count("DONE"))
        self.assertEqual(set(codes), {0, 1}, "stalls both before and after the listing")

    def test_stall_of_what_we_send(self):
        for after in (0, 1000, 2500, 3500):
            with self.subTest(after=after):
                frames, _ = self.run_through("stall", after=after, direction="up")
                self.assertEqual(frames[-1].code, "transfer-stalled", frames)

    def test_reset_and_end_anywhere(self):
        for fault in ("rst", "fin"):
            for after in self.PLACES:
                with self.subTest(fault, after=after):
                    frames, _ = self.run_through(fault, after=after)
                    self.assertEqual(frames[-1].name, "FAILURE", frames)
                    # a reset at once may come before connect() has answered
                    self.assertIn(frames[-1].code, ("ssh", "transfer-broken") + (("connect",) if after == 0 else ()))
                    if after >= 50_000:
                        self.assertEqual(frames[-1].code, "transfer-broken")
                    self.assertLess(self.took, 1 * SLOW)

    def test_bit_flipped_anywhere(self):
        # where the packet's length is hit the rest of it is awaited in vain, hence stalled
        for after in self.PLACES + (60_001, 1_000_003, 3_000_007):
            for bit in (1, 0x80):
                with self.subTest(after=after, bit=bit):
                    frames, _ = self.run_through("flip", after=after, bit=bit)
                    self.assertTrue(self.struck)
                    self.assertEqual(frames[-1].name, "FAILURE", "a flipped bit went unseen")
                    self.assertIn(frames[-1].code, ("ssh", "transfer-broken", "transfer-stalled"))
                    if after >= 50_000:
                        self.assertIn(frames[-1].code, ("transfer-broken", "transfer-stalled"))

    def test_slow_is_no_stall(self):
        proxy, rig = self.through("slow", rate=400_000, piece=4096, settings=dict(stall_timeout="1s"))
        data = os.urandom(MB)
        self.server.put("slow.zip", data, mtime=1_700_000_000)
        frames, got = self.copy(self.stage(rig), "slow.zip", MB, 1_700_000_000_000_000)
        self.assertEqual(frames[-1].name, "DONE", frames)
        self.assertEqual(got, data)
        self.assertGreaterEqual(len([f for f in frames if f.name == "PROGRESS"]), 2)

    def test_server_killed_mid_transfer(self):
        proxy, rig = self.through("slow", rate=2 * MB, piece=16384)
        stage = self.stage(rig)
        fd = feed_fd()
        self.addCleanup(os.close, fd)
        self.ask_copy(stage, "feed.zip", self.size, 1_700_000_000_000_000, [fd])
        while stage.receive().name != "PROGRESS":
            pass
        self.server.kill_sessions()
        self.assert_failure(stage.until_end(), "transfer-broken")

    def test_server_gone_between_requests(self):
        stage = self.stage()
        self.assertEqual(set(self.files(stage)), {b"feed.zip"})
        self.server.kill_sessions()
        time.sleep(0.2)
        self.assert_failure(self.list(stage), "transfer-broken")

    def test_idle_between_requests_is_no_stall(self):
        self.rig.settings["stall_timeout"] = "500ms"
        stage = self.stage()
        self.assertEqual(set(self.files(stage)), {b"feed.zip"})
        time.sleep(1.5)
        self.assertEqual(set(self.files(stage)), {b"feed.zip"})

    def test_stopped_server_is_a_stall(self):
        self.rig.settings["stall_timeout"] = "1s"
        stage = self.stage()
        self.assertEqual(set(self.files(stage)), {b"feed.zip"})
        pids = children_of(self.server.process.pid)
        for pid in pids:
            os.kill(pid, 19)
        try:
            self.assert_failure(self.list(stage), "transfer-stalled")
        finally:
            for pid in pids:
                os.kill(pid, 18)

    def test_not_an_ssh_server(self):
        for banner in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-1.5-old\r\n", b"\0" * 4096, b"SSH-2.0-x\r\n" + b"\xff" * 4096,
                       b"A" * 100_000):
            with self.subTest(banner[:12]), socket.create_server(("127.0.0.1", 0)) as s:
                rig = Rig(self.server, port=s.getsockname()[1], stall_timeout="1s")
                self.addCleanup(rig.done)
                stage = self.stage(rig)
                peer = s.accept()[0]
                with peer:
                    try:
                        peer.sendall(banner)
                    except OSError:
                        pass
                    frames = stage.until_end()
                self.assertIn(frames[-1].code, ("ssh", "transfer-stalled"), frames)


@unittest.skipIf(os.geteuid() != 0, "sshd runs such a subsystem only with an /etc/passwd of its own")
class Hostile(Fetch):
    """A server that is who it should be, and lies."""

    FEED = (hostile_sftp.SIZE, hostile_sftp.MTIME * 1_000_000)

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="hostile-")
        cls.addClassCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        program = shutil.copy(hostile_sftp.__file__, folder)
        cls.lie_file = os.path.join(folder, "lie")
        cls.server = SftpServer(subsystem=f"/usr/bin/python3 {program} {cls.lie_file}").start()

    def setUp(self):
        super().setUp()
        self.rig.settings["stall_timeout"] = "1s"

    def lie(self, lie):
        write_file(self.lie_file, lie.encode())
        os.chmod(self.lie_file, 0o644)
        return self.stage()

    def lied_copy(self, lie):
        return self.copy(self.lie(lie), "feed.zip", *self.FEED)

    def assert_copied(self, lie):
        frames, got = self.lied_copy(lie)
        self.assertEqual(frames[-1].name, "DONE", frames)
        self.assertEqual(got, hostile_sftp.content(0, hostile_sftp.SIZE))

    def test_no_lie(self):
        self.assertEqual(self.files(self.lie("honest")), {b"feed.zip": self.FEED})
        self.assert_copied("honest")

    def test_short_answers_leave_no_hole(self):
        self.assert_copied("short-answers")

    def test_bare_names_are_asked_for(self):
        self.assertEqual(self.files(self.lie("bare-names")), {b"feed.zip": self.FEED})
        self.assertEqual(self.files(self.lie("bare-gone")), {})
        # what cannot be looked at may be the newest feed
        self.assert_failure(self.list(self.lie("bare-refused")), "remote-folder")

    def test_what_cannot_be_known_again_is_left_out(self):
        self.assertEqual(self.files(self.lie("bare-everywhere")), {})
        self.assertEqual(self.files(self.lie("no-time")), {})

    def test_hostile_names(self):
        self.assertEqual(set(self.files(self.lie("names"))), {b"feed.zip"})

    def test_listings(self):
        broken = ("transfer-broken", "remote-folder")
        for lie, codes in (("endless-folder", ("listing-too-long",)), ("endless-feeds", ("listing-too-long",)),
                           ("folder-breaks", ("remote-folder",)), ("refuses-11", ("remote-folder",)),
                           ("refuses-12", ("remote-folder",)), ("silent-at-11", ("transfer-stalled",)),
                           ("silent-at-12", ("transfer-stalled",)), ("count-of-none", broken), ("count-too-high", broken),
                           ("name-past-the-end", broken), ("other-kind-at-12", broken), ("short-packet-at-12", broken),
                           ("huge-at-12", broken), ("nothing-at-12", broken), ("ends-at-12", ("transfer-broken",)),
                           ("other-request-at-12", broken + ("transfer-stalled",))):
            with self.subTest(lie):
                start = time.monotonic()
                frames = self.list(self.lie(lie))
                self.assertEqual(frames[-1].name, "FAILURE", frames[-1])
                self.assertIn(frames[-1].code, codes)
                self.assertLess(time.monotonic() - start, 4 * SLOW)

    def test_copies(self):
        broken = ("transfer-broken", "remote-file")
        for lie, codes in (("refuses-3", ("remote-file",)), ("refuses-8", ("remote-file",)), ("refuses-7", ("feed-changed",)),
                           ("refuses-5", ("remote-file",)), ("bad-block", ("remote-file",)), ("no-bytes", ("feed-changed",)),
                           ("early-end", ("feed-changed",)), ("longer-file", ("feed-changed",)),
                           ("other-size", ("feed-changed",)), ("other-time-at-the-end", ("feed-changed",)),
                           ("other-file-by-name", ("feed-changed",)), ("folder-behind-the-name", ("feed-changed",)),
                           ("bare-everywhere", ("feed-changed",)), ("too-many-bytes", ("transfer-broken",)),
                           ("silent-at-3", ("transfer-stalled",)), ("silent-at-8", ("transfer-stalled",)),
                           ("silent-at-5", ("transfer-stalled",)), ("silent-at-7", ("transfer-stalled",)),
                           ("ends-at-5", ("transfer-broken",)), ("ends-behind-5", ("transfer-broken",)), ("other-kind-at-5", broken), ("other-kind-at-3", broken),
                           ("short-packet-at-5", broken), ("short-packet-at-3", broken), ("huge-at-5", broken),
                           ("nothing-at-5", broken), ("other-request-at-5", broken + ("transfer-stalled",))):
            with self.subTest(lie):
                start = time.monotonic()
                frames, _ = self.lied_copy(lie)
                self.assertEqual(frames[-1].name, "FAILURE", frames[-1])
                self.assertIn(frames[-1].code, codes)
                self.assertLess(time.monotonic() - start, 4 * SLOW)

    def test_no_sftp(self):
        for lie in ("ends-at-once", "huge-at-1", "short-packet-at-1", "other-kind-at-1"):
            with self.subTest(lie):
                self.assertIn(self.list(self.lie(lie))[-1].code, ("ssh", "transfer-broken"))
        self.assert_failure(self.list(self.lie("silent-at-1")), "transfer-stalled")

    def test_silent_after_the_last_byte(self):
        # all is there and checked: the feed is whole, whether or not the server says that it has closed the file
        self.assert_copied("silent-at-4")


class NoSftp(Fetch):
    def test_server_without_sftp(self):
        server = SftpServer(subsystem=None).start()
        self.addCleanup(server.stop)
        rig = Rig(server)
        self.addCleanup(rig.done)
        self.assert_refused("ssh", rig)

    def test_server_wants_more_than_the_key(self):
        server = SftpServer(settings="AuthenticationMethods publickey,keyboard-interactive\n"
                                     "KbdInteractiveAuthentication yes").start()
        self.addCleanup(server.stop)
        rig = Rig(server)
        self.addCleanup(rig.done)
        self.assert_refused("auth-refused", rig)


if __name__ == "__main__":
    stagekit.main()
