# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between patrond and the district's drop: host keys, log-in, a server that is gone. Nothing reaches Sierra."""
import os
import unittest

import stagekit
from fault_proxy import FaultProxy
from feed_kit import pack
from refusal_kit import GOOD, Refusals
from sftp_server import keygen


class Sftp(Refusals):
    sftp = True

    def setUp(self):
        super().setUp()
        self.house.sftp.put("feed.zip", self.good)
        self.known_hosts(self.house.sftp.known_hosts())

    def known_hosts(self, text):
        with open(self.house.path("known_hosts"), "w", encoding="ascii") as file:
            file.write(text)

    def refused(self, reason, sentence, status=2, **run):
        entry = super().refused(reason, sentence, status, **run)
        self.assertEqual(entry["SOURCE"], "sftp")
        self.assertEqual(self.house.counters()["requests"]["token"], 0)
        return entry

    def test_the_good_one_is_taken(self):
        result = self.house.patrond("--once", "--dry-run", memory=False)
        self.assertEqual((result.status, result.reasons(), len(result.rows())), (0, [], 3))

    def test_unknown_host_key(self):
        sentence = "The SFTP server's host key is not in [sftp] known_hosts: get the key from the server's owner by another way"
        key = self.house.sftp.public_host_key()
        for what, text in (("another host", f"sftp.example.org {key}\n"),
                           ("another port", f"[127.0.0.1]:1 {key}\n")):
            with self.subTest(what):
                self.known_hosts(text)
                self.refused("host-key-unknown", sentence)

    def test_changed_host_key(self):
        self.house.sftp.stop_process()
        before = self.house.sftp.known_hosts()
        self.house.sftp.new_host_key()
        self.house.sftp.start()
        self.known_hosts(before)
        self.refused("host-key-changed", "host key DIFFERS from the one in [sftp] known_hosts: somebody may stand between; "
                     "ask the server's owner before you change the file.")

    def test_revoked_host_key(self):
        line = self.house.sftp.known_hosts()
        self.known_hosts(line + "@revoked " + line)
        self.refused("host-key-revoked", "marks @revoked: do not go on; ask the server's owner.")

    def test_no_known_hosts(self):
        self.known_hosts("")
        self.refused("known-hosts", "[sftp] known_hosts cannot be used (No data available): it must be readable by all and hold the server's host "
                     "key, as ssh-keyscan prints it and a person has compared it.")
        os.unlink(self.house.path("known_hosts"))
        self.refused("known-hosts", "[sftp] known_hosts cannot be used (No such file or directory)")

    def with_key(self, path):
        with open(path, "rb") as file:
            self.house.credential("sftp-key", file.read())

        def restore():
            with open(self.house.sftp.client_key, "rb") as file:
                self.house.credential("sftp-key", file.read())

        self.addCleanup(os.unlink, path)
        self.addCleanup(os.unlink, path + ".pub")
        self.addCleanup(restore)

    def test_wrong_key(self):
        self.with_key(keygen(self.house.path("stranger")))
        self.refused("auth-refused", "The SFTP server refused the user or the key: is the public key of the credential sftp-key in "
                     "that account's authorized_keys, and [sftp] user right?")

    def test_key_with_a_passphrase(self):
        self.with_key(keygen(self.house.path("locked"), passphrase="a passphrase"))
        self.refused("ssh-key-unusable", "The credential sftp-key is no usable private key: it must be an OpenSSH or PEM key "
                     "without a passphrase.")

    def test_wrong_user_and_wrong_folder(self):
        self.house.config("[sftp]\nuser = nobody-at-all\n", ("sftp",))
        self.refused("auth-refused", "[sftp] user right?")
        self.house.config("[sftp]\npath = /there/is/none\n", ("sftp",))
        self.refused("remote-folder", "[sftp] path cannot be listed (SFTP status 2): does the folder exist")

    def test_server_not_there(self):
        self.house.sftp.stop_process()
        self.addCleanup(self.house.sftp.start)
        self.refused("connect", "No connection to the host of [sftp] (Connection refused): is it up, and the port right?")

    def test_gone_mid_transfer(self):
        self.house.sftp.put("feed.zip", pack({**GOOD, "padding.bin": os.urandom(900_000)}))
        broken = "The connection broke in the middle of the transfer; it is tried again from the beginning."
        stalled = "The server sent nothing within [sftp] stall_timeout; it is tried again."
        for fault, reason, sentence in (("rst", "transfer-broken", broken), ("fin", "transfer-broken", broken),
                                        ("stall", "transfer-stalled", stalled)):
            with self.subTest(fault), FaultProxy(self.house.sftp.port, fault, after=400_000) as proxy:
                self.known_hosts(self.house.sftp.known_hosts(port=proxy.port))
                self.house.config(f"[sftp]\nport = {proxy.port}\nstall_timeout = 700ms\n", ("sftp",))
                self.refused(reason, sentence)
                self.assertTrue(proxy.struck.is_set())
                # and once the way is clear it is taken, from its beginning
                proxy.fault = "pass"
                result = self.house.patrond("--once", "--dry-run", memory=False)
                self.assertEqual((result.status, len(result.rows())), (0, 3), result.messages()[-2:])

    def test_gone_while_greeting(self):
        with FaultProxy(self.house.sftp.port, "rst", after=600) as proxy:
            self.known_hosts(self.house.sftp.known_hosts(port=proxy.port))
            self.house.config(f"[sftp]\nport = {proxy.port}\n", ("sftp",))
            self.refused("ssh", "The SSH connection failed before a file was seen")

    def test_tampered_on_the_way(self):
        self.house.sftp.put("feed.zip", pack({**GOOD, "padding.bin": os.urandom(900_000)}))
        with FaultProxy(self.house.sftp.port, "flip", after=400_000) as proxy:
            self.known_hosts(self.house.sftp.known_hosts(port=proxy.port))
            self.house.config(f"[sftp]\nport = {proxy.port}\nstall_timeout = 2s\n", ("sftp",))
            self.refused("transfer-broken", "The connection broke in the middle of the transfer")


if __name__ == "__main__":
    stagekit.main()
