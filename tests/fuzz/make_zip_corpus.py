#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes tests/fuzz/corpus/zip anew: small zips of Info-ZIP and 7-Zip, and hostile ones patched from them.

Salts and times differ from run to run, so the files are kept; unit tests read them too. Needs zip and 7z.
"""
import os
import shutil
import struct
import subprocess
import tempfile
import zipfile
import zlib

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "zip")
PASSWORD = "correct horse"
STUDENT, STAFF = "CHCCS_Students_upload.csv", "CHCCS_staff.csv"
STUDENTS = (
    "S_CHCCS_STUDENTINFO.PUBLIC.LIB.OPT.OUT,Student_Number,First_Name,Last_Name,DOB,SchoolID,Grade_Level,Mailing_Street,"
    "Mailing_City,Mailing_State,Mailing_Zip,S_NC_STUDENTDEMO.EMAIL_ADDRESS,Home_Phone,Guardian_Email,Enroll_Status\r\n"
    ",100001,Ada,Lovelace,12/10/2010,304,5,1 Main St,Chapel Hill,NC,27514,ada@x.org,919-555-0100,mum@x.org,0\r\n"
    '1,100002,Alan,Turing,6/23/2012,304,3,"2 Oak St, Apt 1",Chapel Hill,NC,27514,,,,0\r\n'
    ",100003,Emmy,Noether,3/23/2011,304,4,3 Elm St,Carrboro,NC,27510,,,dad@x.org,2\r\n")
STAFF_ROWS = (
    "Active\t2000000001\tGrace\tHopper\t4 Pine St\tCarrboro\tNC\t27510\t919-555-0101\t\tgrace@x.org\tTeacher\t304\tSchool\n"
    "Active\t12\tKurt\tGödel\t5 Fir St\tCarrboro\tNC\t27510\t\t\t\tTeacher\t304\tSchool\n")


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def target(name):
    path = os.path.join(CORPUS, name)
    if os.path.exists(path):
        os.unlink(path)
    return path


def seven(name, method, *args, files=(STUDENT, STAFF)):
    run("7z", "a", "-bso0", "-tzip", "-mtc=off", "-p" + PASSWORD, "-mem=" + method, *args, target(name), *files)


def info(name, *args, files=(STUDENT, STAFF)):
    run("zip", "-q", "-X", "-P", PASSWORD, *args, target(name), *files)


def patched(name, base, *changes):
    """A copy of a file with bytes replaced: (old, new) of equal length everywhere, or a function of the bytearray."""
    with open(os.path.join(CORPUS, base), "rb") as file:
        data = bytearray(file.read())
    for change in changes:
        if callable(change):
            result = change(data)
            data = data if result is None else bytearray(result)
        else:
            old, new = change
            assert len(old) == len(new) and old in data, (name, old)
            data = bytearray(bytes(data).replace(old, new))
    with open(target(name), "wb") as file:
        file.write(data)


def central(data, nth=0):
    at = -1
    for _ in range(nth + 1):
        at = data.find(b"PK\x01\x02", at + 1)
    return at


def both(data, field_local, field_central, size, value, nth=0):
    """Sets a field in an entry's local and central header alike."""
    at = central(data, nth)
    local = struct.unpack_from("<I", data, at + 42)[0]
    data[local + field_local:local + field_local + size] = value.to_bytes(size, "little")
    data[at + field_central:at + field_central + size] = value.to_bytes(size, "little")


def ae1(data):
    """AE-1 instead of AE-2: another version, and the CRC where it is. The MAC is over neither."""
    for nth, text in enumerate((STUDENTS, STAFF_ROWS)):
        both(data, 14, 16, 4, zlib.crc32(text.encode()), nth)
    return bytes(data).replace(b"\x01\x99\x07\x00\x02\x00AE", b"\x01\x99\x07\x00\x01\x00AE")


def good():
    for bits in (128, 192, 256):
        seven(f"good_aes{bits}.zip", f"AES{bits}")
    seven("good_aes256_stored.zip", "AES256", "-mm=Copy")
    seven("good_zipcrypto_7z.zip", "ZipCrypto")
    seven("good_student_alone.zip", "AES256", files=(STUDENT,))
    seven("good_staff_alone.zip", "ZipCrypto", files=(STAFF,))
    patched("good_aes1.zip", "good_aes256.zip", ae1)
    patched("aes1_crc_differs.zip", "good_aes1.zip", lambda data: both(data, 14, 16, 4, 0x12345678))
    info("good_zipcrypto.zip")
    info("good_zipcrypto_stored.zip", "-0")
    info("good_zipcrypto_descriptor.zip", "-fd")
    info("good_zipcrypto_zip64.zip", "-fz")
    info("good_staff_first.zip", files=(STAFF, STUDENT))
    os.makedirs("out/deep")
    os.makedirs("out/empty")
    shutil.copy(STUDENT, "out/deep")
    shutil.copy(STAFF, "out")
    with open("out/readme.txt", "w", encoding="utf-8") as file:
        file.write("a note\n")
    run("zip", "-q", "-X", "-r", "-P", PASSWORD, target("good_folders.zip"), "out")


def streamed():
    """From a pipe to a pipe: sizes unknown beforehand, so the descriptor has them in 64 bits. Its one entry is `-`."""
    made = subprocess.run(["zip", "-q", "-P", PASSWORD, "-", "-"], input=STUDENTS.encode(), check=True, capture_output=True)
    with open(target("streamed.zip"), "wb") as file:
        file.write(made.stdout)


def refused():
    run("zip", "-q", "-X", target("plain.zip"), STUDENT, STAFF)
    info("plain_feed_among_encrypted.zip", files=(STUDENT,))
    run("zip", "-q", "-X", os.path.join(CORPUS, "plain_feed_among_encrypted.zip"), STAFF)
    seven("plain_note_among_encrypted.zip", "AES256")
    run("zip", "-q", "-X", os.path.join(CORPUS, "plain_note_among_encrypted.zip"), "out/readme.txt")
    seven("method_bzip2.zip", "AES256", "-mm=BZip2")
    seven("method_lzma.zip", "ZipCrypto", "-mm=LZMA")
    seven("no_feed.zip", "AES256", files=("out/readme.txt",))
    info("two_students.zip", files=(STUDENT, "out"))
    run("zip", "-q", "-X", "-r", "-P", PASSWORD, os.path.join(CORPUS, "two_students.zip"), "out/deep")
    run("zip", "-q", "-X", "-y", "-P", PASSWORD, target("link.zip"), "link/" + STUDENT)
    with open(STUDENT, "wb") as file:
        file.write(b"0" * (8 << 20))
    seven("bomb.zip", "AES256", files=(STUDENT,))
    info("bomb_zipcrypto.zip", files=(STUDENT,))
    patched("bomb_that_lies.zip", "bomb.zip", lambda data: both(data, 22, 24, 4, 1000))
    patched("bomb_zipcrypto_that_lies.zip", "bomb_zipcrypto.zip", lambda data: lie_descriptor(data, 1000))
    many = [f"many/{i:02}.txt" for i in range(65)]
    os.makedirs("many")
    for name in many:
        with open(name, "w", encoding="utf-8") as file:
            file.write("x")
    info("entries_65.zip", "-0", files=many)
    open(target("empty_file.zip"), "wb").close()
    with zipfile.ZipFile(target("no_entries.zip"), "w"):
        pass


def lie_descriptor(data, size):
    """The claimed size in directory, local header and descriptor."""
    at = central(data)
    packed, true = struct.unpack_from("<II", data, at + 20)
    both(data, 22, 24, 4, size)
    return bytes(data).replace(b"PK\x07\x08" + bytes(data[at + 16:at + 20]) + struct.pack("<II", packed, true),
                               b"PK\x07\x08" + bytes(data[at + 16:at + 20]) + struct.pack("<II", packed, size))


def patches():
    folders = "good_folders.zip"
    patched("dotdot_name.zip", folders, (b"out/deep/", b"../ddddd/"))
    patched("dotdot_inside_name.zip", folders, (b"out/deep/", b"o/../ddd/"))
    patched("absolute_name.zip", folders, (b"out/deep/", b"/tmp/etc/"))
    patched("backslash_name.zip", folders, (b"out/deep/", b"out\\deep/"))
    patched("drive_name.zip", folders, (b"out/deep/", b"C:/ddddd/"))
    patched("control_in_name.zip", folders, (b"out/deep/", b"out/d\nee/"))
    patched("nul_in_name.zip", folders, (b"out/deep/", b"out\0deep/"))
    base = "good_zipcrypto_7z.zip"
    patched("good_zip64_end.zip", base, end64)
    patched("zip64_end_differs.zip", "good_zip64_end.zip", lambda data: data.__setitem__(len(data) - 22 - 20 - 56 + 24, 3))
    patched("strong_encryption.zip", base, lambda data: both(data, 6, 8, 2, 0x41))
    patched("hidden_directory.zip", base, lambda data: both(data, 6, 8, 2, 0x2001))
    patched("aes_version_3.zip", "good_aes256.zip", (b"\x01\x99\x07\x00\x02\x00AE", b"\x01\x99\x07\x00\x03\x00AE"))
    patched("size_lie_central.zip", base, lambda data: data.__setitem__(central(data) + 24, data[central(data) + 24] ^ 1))
    patched("size_lie_both.zip", base,
            lambda data: both(data, 22, 24, 4, struct.unpack_from("<I", data, central(data) + 24)[0] - 1))
    patched("size_over_limit.zip", base, lambda data: both(data, 22, 24, 4, 0xfffffffe))
    patched("crc_differs.zip", base, lambda data: both(data, 14, 16, 3, 0x123456))
    patched("local_name_differs.zip", base, lambda data: data.__setitem__(30, data[30] ^ 1))
    patched("local_says_plain.zip", base, lambda data: data.__setitem__(6, 0))
    patched("entries_overlap.zip", base, overlap)
    patched("count_hides_an_entry.zip", base, hide_entry)
    patched("truncated.zip", base, lambda data: data[:len(data) // 2])
    patched("cut_end_record.zip", base, lambda data: data[:-1])
    patched("junk_before.zip", base, lambda data: b"MZ" * 100 + data)
    patched("junk_after.zip", base, lambda data: data + b"\0")
    patched("directory_offset_past_end.zip", base, lambda data: data[:-6] + b"\xf0\xff\xff\xff" + data[-2:])
    patched("mac_cut.zip", "good_aes256_stored.zip",
            lambda data: data.__setitem__(central(data) - 1, data[central(data) - 1] ^ 1))


def overlap(data):
    """The second entry says that it begins where the first does."""
    data[central(data, 1) + 42:central(data, 1) + 46] = b"\0\0\0\0"


def end64(data):
    """The 64-bit end records of a zip of more than 4 GB, before the old one, whose fields are full."""
    end = data.rfind(b"PK\x05\x06")
    count, size, offset = struct.unpack_from("<HII", data, end + 10)
    record = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<IIQI", 0x07064b50, 0, end, 1)
    old = bytearray(data[end:])
    old[8:20] = b"\xff" * 12
    return data[:end] + record + locator + old


def hide_entry(data):
    end = data.rfind(b"PK\x05\x06")
    data[end + 8:end + 12] = b"\1\0\1\0"


def main():
    os.makedirs(CORPUS, exist_ok=True)
    for name in os.listdir(CORPUS):
        os.unlink(os.path.join(CORPUS, name))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open(STUDENT, "w", encoding="utf-8", newline="") as file:
            file.write(STUDENTS)
        with open(STAFF, "w", encoding="utf-8", newline="") as file:
            file.write(STAFF_ROWS)
        os.makedirs("link")
        os.symlink("/etc/passwd", "link/" + STUDENT)
        good()
        streamed()
        refused()
        patches()
    print(len(os.listdir(CORPUS)), "files")


if __name__ == "__main__":
    main()
