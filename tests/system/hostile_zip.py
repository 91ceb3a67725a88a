# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes zips by hand, byte by byte, so that any field of them can be a lie. Traditional encryption; AES comes from 7-Zip."""
import os
import struct
import subprocess
import tempfile
import zlib

PASSWORD = "korrektes Pferd"
STUDENT, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"


class _Cipher:
    """PKWARE's traditional cipher, from APPNOTE.TXT 6.1."""

    def __init__(self, password):
        self.keys = [0x12345678, 0x23456789, 0x34567890]
        for byte in password.encode():
            self.update(byte)

    @staticmethod
    def crc(value, byte):
        return zlib.crc32(bytes([byte]), value ^ 0xffffffff) ^ 0xffffffff

    def update(self, byte):
        keys = self.keys
        keys[0] = self.crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xff)) * 134775813 + 1) & 0xffffffff
        keys[2] = self.crc(keys[2], keys[1] >> 24)

    def encrypt(self, data):
        out = bytearray()
        for byte in data:
            temp = (self.keys[2] | 2) & 0xffff
            out.append(byte ^ (temp * (temp ^ 1) >> 8 & 0xff))
            self.update(byte)
        return bytes(out)


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def encrypted(packed, crc, password=PASSWORD):
    # not random: a wrong password passes the check of one header in 256
    return _Cipher(password).encrypt(b"not random!" + bytes([crc >> 24]) + packed)


class Entry:
    """One entry as an honest tool would write it; every keyword replaces a field, with local_ or central_ before it in that header alone."""

    def __init__(self, name=STUDENT, text=b"", *, method=8, packed=None, raw=None, descriptor=None, **lies):
        self.name = name if isinstance(name, bytes) else name.encode()
        text = text.encode() if isinstance(text, str) else text
        crc = lies.pop("crc", zlib.crc32(text))
        packed = packed if packed is not None else deflated(text) if method == 8 else text
        self.data = raw if raw is not None else encrypted(packed, crc)
        self.descriptor = descriptor or b""
        self.lies = lies
        self.fields = dict(version=20, flags=1, method=method, time=0x6000, date=0x5b0f, crc=crc, packed=len(self.data), size=len(text),
                           extra=b"", name=self.name, made_by=0x031e, attributes=0o100644 << 16, comment=b"", disk=0)

    def field(self, header, name):
        for key in (f"{header}_{name}", name):
            if key in self.lies:
                return self.lies[key]
        return self.fields[name]

    def local(self):
        f = {name: self.field("local", name) for name in self.fields}
        return struct.pack("<IHHHHHIIIHH", 0x04034b50, f["version"], f["flags"], f["method"], f["time"], f["date"], f["crc"], f["packed"],
                           f["size"], len(f["name"]), len(f["extra"])) + f["name"] + f["extra"] + self.data + self.descriptor

    def central(self, offset):
        f = {name: self.field("central", name) for name in self.fields}
        return struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, f["made_by"], f["version"], f["flags"], f["method"], f["time"], f["date"],
                           f["crc"], f["packed"], f["size"], len(f["name"]), len(f["extra"]), len(f["comment"]), f["disk"], 0,
                           f["attributes"], self.lies.get("offset", offset)) + f["name"] + f["extra"] + f["comment"]


def archive(*entries, before=b"", between=b"", comment=b"", after=b"", **lies):
    """A zip of entries. Lies: count, size, offset, disk of the end record."""
    out, offsets = bytearray(before), []
    for entry in entries:
        offsets.append(len(out))
        out += entry.local() + between
    directory = b"".join(entry.central(offset) for entry, offset in zip(entries, offsets))
    end = struct.pack("<IHHHHIIH", 0x06054b50, lies.get("disk", 0), 0, lies.get("count", len(entries)), lies.get("count", len(entries)),
                      lies.get("size", len(directory)), lies.get("offset", len(out)), len(comment))
    return bytes(out) + directory + end + comment + after


def feed(text, name=STUDENT):
    """An honest zip of one feed."""
    return archive(Entry(name, text))


def seven(text, *options, name=STUDENT):
    """One feed packed by 7-Zip with AES-256."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        subprocess.run(["7z", "a", "-bso0", "-bsp0", "-tzip", "-mtc=off", "-mem=AES256", "-p" + PASSWORD, *options, "feed.zip", name],
                       cwd=folder, check=True, stdin=subprocess.DEVNULL)
        with open(os.path.join(folder, "feed.zip"), "rb") as file:
            return file.read()


def patched(data, *changes):
    """(offset from the first entry's data, or (from the end) negative; xor) each."""
    data = bytearray(data)
    name, extra = struct.unpack_from("<HH", data, 26)
    begin, packed = 30 + name + extra, struct.unpack_from("<I", data, 18)[0]
    for at, mask in changes:
        data[begin + at if at >= 0 else begin + packed + at] ^= mask
    return bytes(data)
