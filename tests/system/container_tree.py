# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh Debian 12 tree with systemd as its init, made by mmdebstrap from this machine's own package sources, and the package.

    deb = package()                      # built where it is missing or older than the sources
    archive = tree(deb)                  # a tar with what the package depends on; kept in $TMPDIR by its list of packages
    unpack(archive, folder)

mmdebstrap runs once for a list of packages: what it made is kept as $TMPDIR/patrond-tree-HASH.tar."""
import glob
import hashlib
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# What a server has, and what would keep a log or a core if anything let it.
BASE = ("systemd", "systemd-sysv", "dbus", "libnss-systemd", "rsyslog", "systemd-coredump", "openssh-server", "ca-certificates",
        "tzdata", "man-db", "procps")
SUITES = re.compile(r"^bookworm(-updates|-security)?$")


def run(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def package(build=None):
    """Builds the Debian package (preset `package`). Returns its path."""
    if os.environ.get("PATROND_DEB"):
        return os.environ["PATROND_DEB"]
    folder = build or os.path.join(ROOT, "build/package")
    if build is None:
        run("cmake", "--preset", "package", cwd=ROOT)
    run("cmake", "--build", folder)
    for old in glob.glob(os.path.join(folder, "*.deb")):
        os.unlink(old)
    run("cpack", "-G", "DEB", cwd=folder)
    return glob.glob(os.path.join(folder, "*.deb"))[0]


def depends(deb):
    """The names of the packages that it depends on, without versions."""
    field = run("dpkg-deb", "-f", deb, "Depends")
    return sorted({re.sub(r"[ :(|].*", "", one.strip()) for one in field.split(",") if one.strip()})


def one_line_sources(text):
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", "", line.partition("#")[0]).split()
        if len(words) > 3 and words[0] == "deb":
            yield words[1], [words[2]]


def deb822_sources(text):
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", stanza, re.M))
        if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes").strip().lower() != "no":
            for uri in fields.get("URIs", "").split():
                yield uri, fields.get("Suites", "").split()


def sources():
    """Debian 12's own sources of this machine, as lines of a sources.list."""
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for uri, suites in (deb822_sources if path.endswith(".sources") else one_line_sources)(text):
                found += [f"deb {uri} {suite} main" for suite in suites if SUITES.match(suite)]
    if not found:
        raise RuntimeError("no source of Debian 12 in /etc/apt")
    return sorted(set(found))


def tree(deb, extra=()):
    """Returns the archive of a tree with the base, what the package depends on, and the extra packages."""
    packages = sorted({*BASE, *depends(deb), *extra})
    lines = "\n".join(sources()) + "\n"
    name = hashlib.sha256((lines + " ".join(packages)).encode()).hexdigest()[:16]
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"patrond-tree-{name}.tar")
    if not os.path.exists(path):
        listing, new = path + ".list", path + ".new.tar"
        with open(listing, "w", encoding="ascii") as file:
            file.write(lines)
        # minutes at most; a mirror that is a snapshot has run out of date by its own word
        run("mmdebstrap", "--variant=minbase", '--aptopt=Acquire::Check-Valid-Until "false"', "--include=" + ",".join(packages),
            "bookworm", new, listing)
        os.rename(new, path)
        os.unlink(listing)
    return path


def unpack(archive, folder):
    os.makedirs(folder)
    run("tar", "--numeric-owner", "-C", folder, "-xf", archive)
