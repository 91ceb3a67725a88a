#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Escape tests: each stage, behind the walls that it enters by itself, tries to get out (tests/escape). Every try must be
refused: answered with an error of the walls, or killed by them.

The programs are built with PATROND_TEST_ESCAPE (preset escape). By hand each is started on a socket pair, as nobody; with
--sockets DIR each is reached by its socket DIR/STAGE, as the supervisor reaches it, in whatever unit it lives.

What shows that a refusal is one: without walls the very same tries get out (all that an ordinary user may do); Landlock holds by
itself where seccomp is left out; a hole planted in seccomp's list is found; the stage says that its walls stand, and /proc agrees.
"""
import argparse
import errno
import os
import pwd
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import container
import stagekit
from stagekit import frame

STAGES = ("share", "fetch", "decode", "load", "report", "mail")
WALLS = {"not-dumpable": 1, "no-new-privs": 2, "landlock": 4, "seccomp": 8, "rlimits": 16, "ports": 32, "scope": 64}
REQUIRED = 0x1f
# What the table of the walls answers with; any other error would mean that a try never got as far as the walls.
REFUSALS = {errno.EACCES, errno.EPERM, errno.ENOSYS, errno.EAGAIN, errno.EAFNOSUPPORT, errno.ENOTTY, errno.EOPNOTSUPP}
# answers of one stage alone, each with its reason
ALSO = {
    ("mail", "unix-redirected"): {errno.EINPROGRESS},  # what connect() is answered with there, see standing_rules
    ("mail", "tcp-redirected"): {errno.EINPROGRESS},
}
# In a unit a name may lead nowhere and a network be shut off: the outer wall's answers. By hand they would be the test's fault.
OUTER = {errno.ENOENT, errno.EROFS, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ETIMEDOUT}
# A hole (a system call let through) and the try that must find it.
HOLES = (("memfd_create", "memfd"), ("prctl", "dumpable"), ("inotify_init1", "inotify"), ("tgkill", "signal-itself"),
         ("timer_create", "timer"), ("personality", "read-implies-exec"), ("unshare", "unshare-files"),
         ("ptrace", "ptrace-traceme"), ("setpgid", "setpgid"), ("socketpair", "unix-pair-of-datagrams"))
# What Landlock refuses by itself, whatever system call somebody finds: files in every version, the rest in later ones.
LANDLOCK_ALONE = ("open-passwd", "open-passwd-openat2", "open-own-configuration", "open-credential-of-another", "list-root",
                  "list-working-directory", "make-in-tmp", "make-in-dev-shm", "make-in-working-directory", "make-nameless-in-tmp",
                  "open-proc-self-exe", "open-mem-of-a-process", "open-by-root-of-a-process", "mkdir", "mkfifo", "symlink",
                  "rename", "unlink", "ptrace-a-process", "read-memory-of-a-process", "exec-itself", "exec-a-shell", "execveat")
LANDLOCK_PORTS = ("tcp-to-another-port", "tcp-ipv4-mapped", "listen")
LANDLOCK_SCOPE = ("unix-abstract", "signal-a-process", "signal-a-stage", "signal-queued")
KILLED_BY = (signal.SIGSYS, signal.SIGSEGV)  # SIGSEGV: int 80h on a kernel without it


class Escaped(Exception):
    """The stage does not speak as its build must: nothing is proved."""


class Connection:
    """One stage process at its tries."""

    def __init__(self, sock, process=None):
        self.socket, self.process, self.walls, self.buffer = sock, process, 0, b""

    def wait_for_walls(self):
        while True:
            header = self.read(8)
            length, number, _ = struct.unpack("<IHH", header)
            one = stagekit.Frame(number, self.read(length))
            if one.name == "WALLS":
                self.walls = one.walls
                return
            if one.name == "FAILURE":
                raise Escaped(f"it did not get as far as its walls: {one}")

    def read(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(4096)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        line = b""
        while not line.endswith(b"\n"):
            line += self.read(1)
        return line.decode().rstrip("\n")

    def say(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def attempt(self, name):
        """0: it worked. An errno. "killed", or "died" where it ended otherwise (only seen of a child)."""
        try:
            self.say("try " + name)
            word, value = self.line().split(" ")
            if word != "answer":
                raise Escaped(f"{name}: it said {word}")
            return int(value)
        except (EOFError, ConnectionResetError, BrokenPipeError):
            if self.process is None:
                return "killed"
            status = self.process.wait(10)
            return "killed" if status < 0 and -status in KILLED_BY else f"died ({status})"

    def close(self):
        self.socket.close()
        if self.process:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def listener(family, kind, address):
    one = socket.socket(family, kind)
    one.bind(address)
    if kind == socket.SOCK_STREAM:
        one.listen(512)
    return one


class Aims:
    """What the tries are aimed at: real servers, files and processes that the stages' user can have without walls."""

    def __init__(self, folder, user):
        self.folder, self.user = folder, user
        self.file = os.path.join(folder, "scratch/file")
        os.makedirs(os.path.dirname(self.file))
        self.give(os.path.dirname(self.file))
        credential = os.path.join(folder, "another-credential")
        with open(credential, "w", encoding="ascii") as file:
            file.write("secret of another stage\n")
        self.give(credential)
        self.name = f"patrond-escape-{os.getpid()}"
        self.sockets = {"tcp": listener(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
                        "udp": listener(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
                        "stream": listener(socket.AF_UNIX, socket.SOCK_STREAM, os.path.join(folder, "stream")),
                        "datagram": listener(socket.AF_UNIX, socket.SOCK_DGRAM, os.path.join(folder, "datagram")),
                        "abstract": listener(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.name)}
        for name in ("stream", "datagram"):
            os.chmod(os.path.join(folder, name), 0o777)
        try:
            self.sockets["tcp6"] = listener(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
        except OSError:
            pass
        self.process = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, **stage_user(user),
                                        preexec_fn=lambda: signal.signal(signal.SIGIO, signal.SIG_IGN))  # one try aims it there
        time.sleep(0.1)
        self.values = {"credential": credential, "file": self.file, "stream": os.path.join(folder, "stream"),
                       "datagram": os.path.join(folder, "datagram"), "abstract": self.name, "process": self.process.pid,
                       "process_bytes": writable_memory(self.process.pid)}
        for name in ("tcp", "tcp6", "udp"):
            if name in self.sockets:
                self.values[name] = self.sockets[name].getsockname()[1]

    def give(self, path):
        if self.user:
            os.chown(path, *ids(self.user))

    def fresh(self):
        """As before the last try, which may have worked."""
        for name in os.listdir(os.path.dirname(self.file)):
            os.unlink(os.path.join(os.path.dirname(self.file), name))
        with open(self.file, "w", encoding="ascii") as file:
            file.write("scratch\n")
        self.give(self.file)
        for name in ("tcp", "tcp6", "stream", "abstract"):
            drain(self.sockets.get(name))
        for name in ("udp", "datagram"):
            self.sockets[name].setblocking(False)
            try:
                while self.sockets[name].recv(16):
                    pass
            except BlockingIOError:
                pass

    def close(self):
        self.process.kill()
        self.process.wait()
        for one in self.sockets.values():
            one.close()


def drain(one):
    if one is None:
        return
    one.setblocking(False)
    try:
        while True:
            one.accept()[0].close()
    except BlockingIOError:
        pass


def ids(user):
    """(uid, gid) of a name, or of a number: a unit's dynamic user."""
    if isinstance(user, int):
        return user, user
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def stage_user(user):
    if not user:
        return {}
    uid, gid = ids(user)
    return dict(user=uid, group=gid, extra_groups=[])


def newest_process(name):
    """(pid, uid) of the newest process of that name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file, \
                    open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat, \
                    open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
                if file.read().strip() == name:
                    uid = next(line for line in status if line.startswith("Uid:")).split()[1]
                    found.append((int(stat.read().rsplit(") ", 1)[1].split()[19]), int(pid), int(uid)))
        except OSError:
            pass
    if not found:
        raise Escaped(f"there is no {name}")
    return max(found)[1:]


def writable_memory(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii") as file:
        for line in file:
            if " rw-p " in line:
                return int(line.split("-")[0], 16)
    raise Escaped(f"process {pid} has no memory")


class ByHand:
    """Starts the stages, as the tests' user, with servers that they get as far as their walls with."""

    outer = frozenset()

    def __init__(self, folder, binaries, user, with_victim=True):
        self.folder, self.binaries, self.user = folder, binaries, user
        self.servers = {name: listener(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)) for name in ("sftp", "sierra", "relay")}
        for name in ("credentials", "share", "here"):
            os.makedirs(self.path(name))
            if user:
                os.chown(self.path(name), *ids(user))
        self.make_credentials()
        port = {name: one.getsockname()[1] for name, one in self.servers.items()}
        with open(self.path("patrond.conf"), "w", encoding="ascii") as file:
            file.write(f"[share]\npath = {self.path('share')}\n[report]\nrecipients = staff@library.example\n"
                       f"[sftp]\nhost = 127.0.0.1\nport = {port['sftp']}\nuser = feeds\nknown_hosts = {self.path('known_hosts')}\n"
                       f"[sierra]\nurl = https://127.0.0.1:{port['sierra']}/iii/sierra-api/v6\nca_file = {self.path('ca.pem')}\n"
                       f"[mail]\nrelay = smtp://127.0.0.1:{port['relay']}\nfrom = patrond@library.example\n")
        self.victim = self.start("decode") if with_victim else None  # another stage, with its secret in its memory
        self.victim_pid = self.victim.process.pid if with_victim else 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def drain(self):
        """Lets go of the connections that stages have made on their way to the walls."""
        for one in self.servers.values():
            drain(one)

    def make_credentials(self):
        quiet = dict(check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path("credentials/sftp-key")], **quiet)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
                        "-subj", "/CN=escape", "-keyout", self.path("ca.key"), "-out", self.path("ca.pem")], **quiet)
        with open(self.path("credentials/sftp-key.pub"), encoding="ascii") as public, \
                open(self.path("known_hosts"), "w", encoding="ascii") as file:
            file.write("127.0.0.1 " + public.read())
        for name in ("zip-password", "sierra-key", "report-password", "smtp-password"):
            with open(self.path("credentials/" + name), "w", encoding="ascii") as file:
                file.write("key:secret\n")
        for name in os.listdir(self.path("credentials")):
            if self.user:
                os.chown(self.path("credentials/" + name), *ids(self.user))

    def start(self, stage, without=0, hole=None):
        self.drain()
        mine, theirs = socket.socketpair()
        env = {"PATH": "/usr/bin:/bin", "PATROND_CONFIG": self.path("patrond.conf"),
               "CREDENTIALS_DIRECTORY": self.path("credentials")}
        if without:
            env["PATROND_ESCAPE_WITHOUT"] = hex(without)
        if hole:
            env["PATROND_ESCAPE_HOLE"] = hole
        fd = theirs.fileno()

        def third():
            os.dup2(fd, 3)
            os.set_inheritable(3, True)
            hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))  # what keeps a core from being written is its own doing

        process = subprocess.Popen([os.path.join(self.binaries, "patrond-" + stage)], env=env, preexec_fn=third, pass_fds=(3, fd),
                                   cwd=self.path("here"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **stage_user(self.user))
        theirs.close()
        return begin(stage, mine, process)

    def config(self):
        return self.path("patrond.conf")

    def close(self):
        if self.victim:
            self.victim.close()
        for one in self.servers.values():
            one.close()


class BySockets:
    """Reaches the stages as the supervisor does. Their configuration and servers are those of the machine."""

    outer = OUTER

    def __init__(self, directory):
        self.directory = directory
        self.victim = self.start("decode")
        self.victim_pid, self.user = newest_process("patrond-decode")

    def start(self, stage, without=0, hole=None):
        assert not without and not hole, "a unit's environment is its own"
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.connect(os.path.join(self.directory, stage))
        return begin(stage, one, None)

    def config(self):
        return "/etc/patrond/patrond.conf"

    def close(self):
        self.victim.close()


def begin(stage, sock, process):
    sock.settimeout(30)
    connection = Connection(sock, process)
    if stage == "load":  # it enters its walls once it has its job
        reading, writing = os.pipe()
        payload = struct.pack("<BBiIIQB", 0, 3, int(time.time()) // 86400, 0, 0, 0, 0)
        socket.send_fds(sock, [frame("LOAD", payload)], [reading])
        os.close(reading)
        os.close(writing)
    try:
        connection.wait_for_walls()
    except EOFError:
        status = process.wait(10) if process else None
        raise Escaped(f"{stage} ended before its walls ({status})") from None
    return connection


class Runner:
    def __init__(self, way, aims, verbose=False, before=None):
        self.way, self.aims, self.verbose, self.before = way, aims, verbose, before
        aims.values.update(stage=way.victim_pid, stage_bytes=writable_memory(way.victim_pid))

    def start(self, stage, **how):
        connection = self.way.start(stage, **how)
        for key, value in {**self.aims.values, "config": self.way.config()}.items():
            connection.say(f"set {key} {value}")
        return connection

    def tries(self, stage):
        connection = self.start(stage)
        connection.say("list")
        tries = {}
        while True:
            line = connection.line()
            if line == "end":
                break
            name, proof = line.split(" ")
            tries[name] = proof
        connection.close()
        return tries

    def run(self, stage, names=None, **how):
        """{try: 0, an errno, "killed" or "died (…)"}. A process that is none the worse for a try goes on with the next."""
        answers, connection = {}, None
        for name in names or self.tries(stage):
            self.aims.fresh()
            if connection is None:
                if self.before:
                    self.before()
                connection = self.start(stage, **how)
            answers[name] = connection.attempt(name)
            if self.verbose:
                print(f"  {stage} {name}: {answers[name]}", file=sys.stderr)
            if not isinstance(answers[name], int) or answers[name] == 0:
                connection.close()
                connection = None
        if connection:
            connection.close()
        return answers

    def check_process(self, stage):
        """The walls as the stage tells them and as the kernel shows them. Returns sentences."""
        wrong = []
        connection = self.start(stage)
        if connection.walls & REQUIRED != REQUIRED:
            wrong.append(f"{stage}: its walls are {connection.walls:#x}")
        if connection.process:
            wrong += process_wrong(stage, connection.process.pid)
        connection.close()
        return wrong, connection.walls


def process_wrong(stage, pid):
    wrong = []
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    for key, value in (("Seccomp", "2"), ("NoNewPrivs", "1"), ("Threads", "1")):
        if status.get(key) != value:
            wrong.append(f"{stage}: {key} is {status.get(key)}")
    if os.geteuid() == 0 and os.stat(f"/proc/{pid}/environ").st_uid != 0:
        wrong.append(f"{stage}: it is dumpable")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    for name in ("Max processes", "Max core file size", "Max msgqueue size"):
        if limits[name] != ["0", "0"]:
            wrong.append(f"{stage}: {name} is {limits[name]}")
    return wrong


def judge(stage, name, answer, walls, outer):
    """None where a try was refused as it must be, else a sentence."""
    if answer == "killed" or answer in REFUSALS or answer in outer or answer in ALSO.get((stage, name), ()):
        return None
    if answer == 0:
        # Debian 12's own kernel has no rule for ports; docs/trust.md says so
        if stage == "load" and not walls & WALLS["ports"] and name in ("tcp-to-another-port", "tcp-ipv6", "tcp-ipv4-mapped", "tcp-redirected"):
            return None
        return f"{stage}: {name} ESCAPED"
    what = errno.errorcode.get(answer, answer) if isinstance(answer, int) else answer
    return f"{stage}: {name}: {what} is no answer of the walls"


def without_walls(runner, stage):
    """Everything that an ordinary user may do gets out: else a refusal behind the walls proves nothing."""
    names = [name for name, proof in runner.tries(stage).items() if proof == "open"]
    held = {name: answer for name, answer in runner.run(stage, names, without=0x7f).items() if answer != 0}
    return [f"{stage}: without walls these do not get out, so that they prove nothing: {held}"] if held else []


def by_landlock_alone(runner, stage):
    """A hole in seccomp's list is not yet a way out."""
    connection = runner.start(stage)
    connection.close()
    names = (*LANDLOCK_ALONE, *(LANDLOCK_PORTS if connection.walls & WALLS["ports"] else ()),
             *(LANDLOCK_SCOPE if connection.walls & WALLS["scope"] else ()))
    answers = runner.run(stage, names, without=WALLS["seccomp"])
    out = {name: answer for name, answer in answers.items() if answer not in (errno.EACCES, errno.EPERM, errno.EXDEV)}
    return [f"{stage}: Landlock alone does not refuse these: {out}"] if out else []


def planted_holes(runner, stage):
    found = {hole: runner.run(stage, [name], hole=hole)[name] for hole, name in HOLES}
    missed = {hole: answer for hole, answer in found.items() if answer != 0}
    return [f"{stage}: planted holes that are not found: {missed}"] if missed else []


def controls(runner, stages):
    """Returns (passed, sentences)."""
    wrong, passed = [], 0
    for stage in stages:
        for control in (without_walls, by_landlock_alone, planted_holes):
            bad = control(runner, stage)
            wrong += bad
            passed += not bad
    return passed, wrong


def run_all(way, folder, stages, controlled, verbose=False, before=None):
    """Returns (tried, succeeded, passed, sentences)."""
    aims = Aims(folder, way.user)
    runner = Runner(way, aims, verbose, before)
    tried = succeeded = passed = 0
    wrong = []
    try:
        for stage in stages:
            bad, walls = runner.check_process(stage)
            answers = runner.run(stage)
            for name, answer in answers.items():
                sentence = judge(stage, name, answer, walls, way.outer)
                tried += 1
                if sentence:
                    succeeded += answer == 0
                    bad.append(sentence)
            wrong += bad
            passed += not bad
        good, bad = controls(runner, controlled)
        passed, wrong = passed + good, wrong + bad
    finally:
        aims.close()
    return tried, succeeded, passed, wrong


def build():
    folder = os.environ.get("PATROND_ESCAPE_BIN")
    if folder:
        return folder
    subprocess.run(["cmake", "--preset", "escape"], cwd=stagekit.ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "escape", "--target", "patrond-all"], cwd=stagekit.ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(stagekit.ROOT, "build/escape/bin")


def by_hand(stages=STAGES, controlled=STAGES, verbose=False):
    binaries = stagekit.reachable(build())
    folder = tempfile.mkdtemp(prefix="patrond-escape-")
    os.chmod(folder, 0o755)
    way = ByHand(folder, binaries, "nobody" if os.geteuid() == 0 else None)
    try:
        return run_all(way, folder, stages, controlled, verbose)
    finally:
        way.close()
        shutil.rmtree(folder, ignore_errors=True)


def by_sockets(directory, stages=STAGES, verbose=False):
    folder = tempfile.mkdtemp(prefix="patrond-escape-")
    os.chmod(folder, 0o755)
    way = BySockets(directory)
    try:
        return run_all(way, folder, stages, (), verbose)
    finally:
        way.close()
        shutil.rmtree(folder, ignore_errors=True)


def report(result):
    tried, succeeded, passed, wrong = result
    for sentence in wrong:
        print("  " + sentence)
    print(f"figure escapes_tried {tried} tries")
    print(f"figure escapes_succeeded {succeeded} tries")
    return passed, len(wrong)


def run(_folder=None, _repeat=None):
    """tests/system/run: by hand, with all controls, and then in the units. Within the container's namespaces: the latter."""
    import escape_units  # which uses this module

    if container.is_alone():
        print(escape_units.alone(os.environ["PATROND_ESCAPE_BIN"]), flush=True)
        return 0, 0
    tried, succeeded, passed, wrong = by_hand()
    more = escape_units.run(build())
    if more[4]:
        print(f"  {container.SKIP_WORD}")
    return report((tried + more[0], succeeded + more[1], passed + more[2], wrong + more[3]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sockets", metavar="DIR", help="reach the stages by their sockets (they are of the escape build there)")
    p.add_argument("--stage", action="append", choices=STAGES, help="this one alone; can be given again")
    p.add_argument("--small", action="store_true", help="the everyday size: every try of every stage, the controls of one")
    p.add_argument("--verbose", action="store_true", help="each try as it goes, on standard error")
    opts = p.parse_args()
    stages = opts.stage or STAGES
    controlled = stages[-1:] if opts.small else stages
    passed, failed = report(by_sockets(opts.sockets, stages, opts.verbose) if opts.sockets else
                            by_hand(stages, controlled, opts.verbose))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
