# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the feeds with a real zip tool, as the district does."""

import os
import shutil
import subprocess

TOOLS = ("7z", "zip", "zip-plain", "none")
PASSWORD = "invented-password-of-the-tests"


def read_password(path):
    """The first line of the file, as the credential zip-password is read."""
    with open(path, encoding="utf-8") as src:
        password = src.readline().rstrip("\r\n")
    if not password:
        raise ValueError("%s: no password in its first line" % path)
    return password


def pack(tool, archive, directory, names, password):
    """Packs names, relative to directory, into archive. Replaces an archive that is there."""
    command = {
        "7z": ["7z", "a", "-tzip", "-mem=AES256", "-mmt=2", "-bd", "-bso0", "-bsp0", "-p" + password, archive],
        "zip": ["zip", "-q", "-e", "-P", password, archive],
        "zip-plain": ["zip", "-q", archive],
    }[tool]
    if shutil.which(command[0]) is None:
        raise RuntimeError("%s is not installed" % command[0])
    if os.path.exists(archive):
        os.unlink(archive)
    subprocess.run(command + names, cwd=directory, check=True, stdin=subprocess.DEVNULL, timeout=600)
