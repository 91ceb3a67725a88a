# SPDX-License-Identifier: GPL-3.0-or-later
"""A decode stage that lies, beside the real other programs: it is cut off, the load fails, nothing is written, patrond lives."""
import dataclasses
import os
import shutil
import textwrap
import time

from campaign import Verdict
from kills import children, is_gone
from library import CONFIG, Sierra
from rig import Result, USER  # noqa: F401

SYSTEM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system")
SILENCE = 3  # seconds that a stage may be silent here, and a load may take

# What every liar begins with. It inspects honestly; out is the pipe to load.
PRELUDE = textwrap.dedent("""\
    #!/usr/bin/env python3
    import hashlib, os, signal, socket, struct, sys, time
    sys.dont_write_bytecode = True
    sys.path.insert(0, {system!r})
    import stagekit as k
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    s = socket.socket(fileno=3)
    data, fds, _, _ = socket.recv_fds(s, 1 << 16, 4)
    length, number, _ = struct.unpack_from("<IHH", data)
    def say(name, payload=b""):
        s.sendall(k.frame(name, payload))
    def wait():
        while s.recv(4096):
            pass
        os._exit(0)
    say("WALLS", struct.pack("<I", 0x1f))
    if k.FRAME_NAME[number] == "DECODE_INSPECT":
        body = os.pread(fds[0], 1 << 30, 0)
        say("INSPECTED", struct.pack("<BB", 0, {kinds}) + hashlib.sha256(body).digest())
        say("DONE")
        wait()
    out = fds[1]
    def put(*frames):
        data = b"".join(frames)
        while data:
            data = data[os.write(out, data):]
    def row(n, feed="student", key=None, **more):
        fields = dict(key=key or str(77000000 + n), first="Ann", last="Example", street="1 Example Street", city="Chapel Hill",
                      state="NC", zip="27514", birth_date=15000 if feed == "student" else k.NO_DATE)
        return k.record(feed, n, **{{**fields, **more}})
    def rows(n):
        return b"".join(row(i) for i in range(1, n + 1))
    def raw(**change):
        # a record of the right length in which single bytes are other ones: {{offset: value}}
        data = bytearray(row(1))
        for at, value in change.get("at", {{}}).items():
            data[8 + at] = value
        return bytes(data)
    def done():
        os.close(out)
        say("DONE")
        wait()
    def cut():
        os._exit(0)
    """)


@dataclasses.dataclass
class Lie:
    name: str
    body: str
    reasons: tuple = ("records",)  # any of which the failed load must give
    honest: bool = False
    kinds: int = 1                 # the feeds in the zip, as bits
    patient: bool = False          # it lies by going on for ever
    brief: bool = False            # without the clean run after it
    again: str = ""

    def describe(self):
        return self.body.replace("\n", "; ")


def lie(name, body, *reasons, **more):
    return Lie(name, textwrap.dedent(body).strip() + "\n", reasons or ("records",), **more)


LIES = [
    # the control: what an honest decode of this shape leads to
    lie("honest", "put(rows(5), k.trailer(5, 0)); done()", honest=True, kinds=1),
    lie("honest, both feeds", "put(rows(4), row(1, 'staff', key='88000001'), k.trailer(4, 1)); done()", honest=True, kinds=3),
    # malformed
    lie("unknown type", "put(rows(5), struct.pack('<IHH', 0, 0x7777, 0), k.trailer(5, 0)); done()"),
    lie("a frame of another pipe", "put(rows(5), k.frame('REPORT_TRAILER', bytes(16)), k.trailer(5, 0)); done()"),
    lie("an answer on the pipe", "put(rows(5), k.frame('DONE'), k.trailer(5, 0)); done()"),
    lie("reserved field", "put(rows(5), struct.pack('<IHH', 8, k.FRAME['RECORD_TRAILER'], 1) + struct.pack('<2I', 5, 0)); done()"),
    lie("undersized frame", "put(rows(5), struct.pack('<IHH', 3, k.FRAME['RECORD'], 0) + b'xxx', k.trailer(5, 0)); done()"),
    lie("garbage", "put(rows(5), os.urandom(100000)); done()"),
    lie("nothing but zeros", "put(bytes(100000)); done()"),
    lie("bytes after the last field", """
        one = row(1)
        put(struct.pack('<I', len(one) - 8 + 3) + one[4:] + b'xxx', k.trailer(1, 0)); done()"""),
    lie("a string longer than its frame", "put(raw(at={12: 0xff}), k.trailer(1, 0)); done()"),
    lie("feed of no kind", "put(raw(at={0: 2}), k.trailer(1, 0)); done()"),
    lie("verdict of no kind", "put(raw(at={5: 200}), k.trailer(1, 0)); done()"),
    lie("a verdict that only load may give", "put(row(1, verdict='unclear'), k.trailer(1, 0)); done()"),
    lie("a status with an accepted row", "put(row(1, status=3), k.trailer(1, 0)); done()"),
    lie("half a truth", "put(raw(at={7: 2}), k.trailer(1, 0)); done()"),
    lie("born tomorrow", "put(row(1, birth_date=int(time.time()) // 86400 + 3), k.trailer(1, 0)); done()"),
    lie("born in 1899", "put(row(1, birth_date=-25568), k.trailer(1, 0)); done()"),
    lie("never born", "put(row(1, birth_date=k.NO_DATE), k.trailer(1, 0)); done()"),
    lie("staff with a birth date", "put(row(1, 'staff', birth_date=4000), k.trailer(0, 1)); done()", kinds=2),
    lie("no name at all", "put(row(1, first='', last=''), k.trailer(1, 0)); done()"),
    lie("no key", "put(row(1, key='0', zip='').replace(b'\\1\\0\\0\\0000', b'\\0\\0\\0\\0'), k.trailer(1, 0)); done()"),
    lie("key with a blank", "put(row(1, key='77 1'), k.trailer(1, 0)); done()"),
    lie("key with Sierra's line break", "put(row(1, key='77$1'), k.trailer(1, 0)); done()"),
    lie("Sierra's line break in a name", "put(row(1, last='EX$AMPLE'), k.trailer(1, 0)); done()"),
    lie("control character in a street", "put(row(1, street='1\\nSTREET'), k.trailer(1, 0)); done()"),
    lie("NUL in a name", "put(row(1, last='EX\\0AMPLE'), k.trailer(1, 0)); done()"),
    lie("not UTF-8", "put(row(1, last=b'\\xff\\xfe'), k.trailer(1, 0)); done()"),
    lie("overlong UTF-8", "put(row(1, last=b'\\xc0\\xafX'), k.trailer(1, 0)); done()"),
    lie("a surrogate", "put(row(1, last=b'\\xed\\xa0\\x80'), k.trailer(1, 0)); done()"),
    lie("content with a rejected row", "put(row(1, verdict='shape'), k.trailer(1, 0)); done()"),
    # oversized
    lie("a frame of 2 GB", "put(rows(5), struct.pack('<IHH', 0x7fffffff, k.FRAME['RECORD'], 0), bytes(1 << 20)); done()"),
    lie("a frame of 4 GB", "put(rows(5), struct.pack('<IHH', 0xffffffff, k.FRAME['RECORD'], 0), bytes(1 << 20)); done()"),
    lie("a frame over its limit", "put(struct.pack('<IHH', 98305, k.FRAME['RECORD'], 0), bytes(98305), k.trailer(1, 0)); done()"),
    lie("a name over its limit", "put(row(1, last='X' * 257), k.trailer(1, 0)); done()"),
    lie("a key over its limit", "put(row(1, key='7' * 65), k.trailer(1, 0)); done()"),
    lie("a street over its limit", "put(row(1, street='X' * 1026), k.trailer(1, 0)); done()"),
    lie("e-mails over their limit", "put(row(1, emails='x@y.org ' * 2049), k.trailer(1, 0)); done()"),
    lie("more rows than any feed has", "put(row(2000001), k.trailer(1, 0)); done()"),
    # out of order
    lie("the trailer first", "put(k.trailer(5, 0), rows(5)); done()"),
    lie("row 2 before row 1", "put(row(2), row(1), k.trailer(2, 0)); done()"),
    lie("row 0", "put(row(0), k.trailer(1, 0)); done()"),
    lie("a row twice", "put(row(1), row(1), k.trailer(2, 0)); done()"),
    lie("a row left out", "put(row(1), row(3), k.trailer(3, 0)); done()"),
    lie("more rows than the trailer says", "put(rows(5), k.trailer(4, 0)); done()"),
    lie("fewer rows than the trailer says", "put(rows(5), k.trailer(6, 0)); done()"),
    lie("rows of the other feed in the trailer", "put(rows(5), k.trailer(0, 5)); done()", kinds=3),
    lie("a trailer beyond all counting", "put(rows(5), k.trailer(0xffffffff, 0xffffffff)); done()"),
    lie("a record behind the trailer", "put(rows(5) + k.trailer(5, 0) + row(6)); done()"),
    lie("two trailers", "put(rows(5) + k.trailer(5, 0) + k.trailer(5, 0)); done()"),
    lie("a feed that was not asked for", "put(rows(5), row(1, 'staff'), k.trailer(5, 1)); done()", kinds=1),
    lie("a feed that is missing", "put(rows(5), k.trailer(5, 0)); done()", kinds=3),
    # truncated
    lie("nothing", "done()", "records-cut"),
    lie("no trailer", "put(rows(5)); done()", "records-cut"),
    lie("half a trailer", "put(rows(5) + k.trailer(5, 0)[:-1]); done()", "records-cut"),
    lie("half a record", "put(rows(5)[:-7]); done()", "records-cut"),
    lie("half a header", "put(rows(5) + k.trailer(5, 0)[:5]); done()", "records-cut"),
    lie("dies without a word", "cut()", "stage-died"),
    lie("dies in a record", "put(rows(5)[:-7]); cut()", "stage-died"),
    lie("dies by a signal", "put(rows(5)); os.kill(os.getpid(), signal.SIGSEGV)", "stage-died"),
    lie("says done and goes on", "say('DONE'); put(rows(5)); cut()", "records-cut", "protocol", "stage-died"),
    lie("done without the pipe", "say('DONE')\nwait()", "records-cut", "stage-silent", "protocol", patient=True),
    # endless
    lie("rows without end", """
        n = 0
        while True:
            put(b"".join(row(n + i, last="X" * 250, street="Y" * 500) for i in range(1, 200)))
            n += 199
        """, "records", "memory"),
    lie("one row without end", """
        put(struct.pack('<IHH', 98304, k.FRAME['RECORD'], 0))
        while True:
            put(b"x")
            time.sleep(0.05)
        """, "records", "stage-silent", "deadline", patient=True),
    lie("silence", "time.sleep(600)", "stage-silent", "deadline", "records-cut", patient=True),
    lie("silence after the rows", "put(rows(5)); time.sleep(600)", "stage-silent", "deadline", "records-cut", patient=True),
    lie("progress without end", """
        while True:
            say('PROGRESS', struct.pack('<BQQ', 1, 1, 1))
            time.sleep(0.01)
        """, "deadline", "stage-silent", "protocol", patient=True),
    # behind a true trailer
    lie("a late word", "put(rows(5), k.trailer(5, 0)); time.sleep(0.3); put(b'x'); done()"),
    lie("dies behind the trailer", "put(rows(5), k.trailer(5, 0)); os.kill(os.getpid(), signal.SIGKILL)", "stage-died"),
    lie("fails behind the trailer", """
        put(rows(5), k.trailer(5, 0))
        say('FAILURE', struct.pack('<HBIIi', k.FAILURE.index('zip-corrupt'), 255, 0, 0, 0))
        wait()""", "zip-corrupt"),
    lie("silence behind the trailer", "put(rows(5), k.trailer(5, 0)); time.sleep(600)", "stage-silent", "deadline", patient=True),
    lie("lies behind the trailer", "put(rows(5), k.trailer(5, 0)); say('INSPECTED', bytes(34)); wait()", "protocol"),
    # lies to the supervisor
    lie("another stage's answer", "put(rows(5)); say('COPIED', bytes(8)); put(k.trailer(5, 0)); wait()", "protocol"),
    lie("outcomes", "say('OUTCOME', struct.pack('<BIBBQ', 0, 1, 0, 0, 1)); put(k.trailer(0, 0)); wait()", "protocol", "records"),
    lie("a frame of 2 GB to the supervisor", "s.sendall(struct.pack('<IHH', 0x7fffffff, k.FRAME['DONE'], 0)); wait()", "protocol"),
    lie("garbage to the supervisor", "s.sendall(os.urandom(100000)); wait()", "protocol"),
    lie("a failure of no kind", "say('FAILURE', struct.pack('<HBIIi', 9999, 255, 0, 0, 0)); wait()", "protocol"),
]


def campaigns(name=None, small=False):
    """All lies, or the one of that name. small: the clean run comes after every sixth of them only."""
    chosen = [one for one in LIES if name in (None, one.name)]
    for n, one in enumerate(chosen):
        one.brief = small and n % 6 != 2
        one.again = f"--alone '{one.name}' lies"
        return chosen


def put_programs(library, one, rig):
    """Copies of the real programs, and the liar in decode's place: patrond starts what lies beside it."""
    for program in ("patrond", "patrond-load", "patrond-share", "patrond-report"):
        os.makedirs(rig.path("bin"), exist_ok=True)
        shutil.copy(os.path.join(library.build, "bin", program), rig.path("bin"))
    shutil.copytree(os.path.join(library.build, "bin", "profiles"), rig.path("bin", "profiles"), dirs_exist_ok=True)
    with open(rig.path("bin", "patrond-decode"), "w", encoding="utf-8") as file:
        file.write(PRELUDE.format(system=SYSTEM, kinds=one.kinds) + one.body)
    os.chmod(rig.path("bin", "patrond-decode"), 0o755)


def lied(library, one, rig):
    sierra = Sierra(rig, 1)
    put_programs(library, one, rig)
    library.configure(rig, {"load": {"stage_timeout": f"{SILENCE}s", "deadline": f"{SILENCE}s"}} if one.patient else {})
    before, standin = rig.dump(), rig.build
    rig.build = rig.directory
    process = rig.start_patrond("--once")
    stages, deadline = set(), time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        stages.update(children(process.pid))
        time.sleep(0.005)
    if process.poll() is None:
        process.kill()
        process.communicate()
        return ["patrond hangs"]
    result = Result(process.returncode, *process.communicate())
    rig.build = standin
    counters, wrong = rig.counters(), []
    writes = counters["requests"]["post"] + counters["requests"]["put"]
    if one.honest:
        return [] if (result.status, writes) == (0, 5) else [f"an honest decode: status {result.status}, {writes} writes"]
    if result.status != 2:
        wrong.append(f"ended with status {result.status}")
    if writes or rig.dump() != before:
        wrong.append(f"{writes} writes")
    if not any(r in one.reasons for r in result.reasons()):
        wrong.append(f"failed for {result.reasons()}, not {' or '.join(one.reasons)}")
    wrong += [f"not an entry: {line}" for line in result.noise[:2]]
    wrong += [f"process {pid} lives on" for pid in stages if not is_gone(pid)]
    return wrong if one.brief else wrong + lived(library, rig, sierra)


def lived(library, rig, sierra):
    """The same memory, the real decode again: the feed stayed due and is loaded in full."""
    sierra.heal()
    library.configure(rig, {"load": CONFIG["load"]})
    clean = rig.patrond("--once", timeout=120)
    wrong = [] if clean.status == 0 else [f"clean run: status {clean.status}, {clean.reasons()}"]
    return wrong + [f"clean run: {w}" for w in library.truth.state(rig.dump())]


def run(library, one):
    begun = time.monotonic()
    with library.rig() as rig:
        wrong = lied(library, one, rig)
    return Verdict(one.name, wrong, [], seconds=time.monotonic() - begun)
