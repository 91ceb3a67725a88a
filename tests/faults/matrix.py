# SPDX-License-Identifier: GPL-3.0-or-later
"""Which campaigns there are: every switch and fault alone, and combinations drawn by seed.

Drawn within what a healthy pair survives: a new record shows before the look-ups for it end, a delayed request is over before its
absence is believed, and a find is wrong rarely enough that not all of a row's look-ups are.
"""
import random

from campaign import Campaign

ALL = {"sierra": {"read_back": "all"}}
RECHECK = {"sierra": {"read_back": "all"}, "match": {"recheck_after": "0ms"}}
LAG = {"sierra": {"find_pause": "60ms", "find_tries": 5}}
IMPATIENT = {"sierra": {"request_timeout": "1s", "connections": 8}}
WRITES = ("put", "post")
READS = ("token", "list", "find", "get")
EVERY = READS + WRITES

# Fault: the kinds of request that it can strike.
FAULTS = {
    "drop-before-response": EVERY, "drop-after-commit": EVERY, "empty-200": EVERY, "truncated-json": EVERY,
    "partial-body": EVERY, "html-502": EVERY, "html-502-after-commit": EVERY, "html-200": EVERY,
    "html-200-after-commit": EVERY, "error-500-111": EVERY, "error-500-111-after-commit": EVERY,
    "rate-exceeded-500": EVERY, "status-429": EVERY, "status-503": EVERY, "status-504-after-commit": EVERY,
    "api-disabled-117": EVERY, "token-revoked": EVERY[1:], "unauthorized-131": WRITES, "forbidden-116": EVERY[1:],
    "wrong-record": ("find",), "conflict-409": ("find",), "id-as-string": ("list", "find", "get"),
    "list-error-mid": ("list",), "list-repeat": ("list",), "list-truncated": ("list",), "slow": EVERY,
}
# Faults that end a load at once, wherever they strike, with their reason.
ENDING = {"api-disabled-117": "api-disabled", "forbidden-116": "forbidden", "list-repeat": "index-order"}
# Alone at every request of a kind: (kinds, reason) for which the load must fail.
ALWAYS = {"api-disabled-117": (EVERY, "api-disabled"), "forbidden-116": (EVERY[1:5], "forbidden"),
          "unauthorized-131": (WRITES, "unauthorized"), "list-error-mid": (("list",), "index-answer"),
          "list-repeat": (("list",), "index-order"), "list-truncated": (("list",), "index-answer"),
          "status-429": (("token", "list"), "sierra-unreachable"), "html-502": (("token", "list"), "sierra-unreachable")}

# Switch and value; what goes with it: other switches, configuration, campaign fields.
SWITCHES = [
    ("empty-list", "200-empty", {}, {}, {}),
    ("empty-list", "200-empty-without-total", {}, {}, {}),
    ("total", "true", {}, {}, {}),
    ("total", "absent", {}, {}, {}),
    ("over-limit", "clamp:100", {}, {}, {}),
    ("over-limit", "400", {}, {"sierra": {"page_size": 2000}}, {}),
    ("phones-on-put", "append", {}, {}, {}),
    ("varfields-on-put", "add-only", {}, {}, {}),
    ("duplicate-on-post", "reject", {}, {}, {}),
    ("find-deleted", "yes", {"fault.drop-after-commit@post": "rate:0.1"}, RECHECK, {}),
    ("find-match", "exact", {"fault.drop-after-commit@post": "rate:0.1"}, RECHECK, {}),
    ("read-after-write-lag-ms", "80", {"fault.drop-after-commit@post": "rate:0.1"}, LAG, {}),
    ("pin-min", "6", {}, {}, {"refusing": True}),
    ("pin-max", "4", {}, {}, {"refusing": True, "keep": False}),
    ("pin-trivial", "accept", {}, {}, {}),
    ("code-padding", "no", {}, ALL, {}),
    ("put-side-effects", "no", {}, ALL, {}),
    ("keepalive-close-after", "1", {}, ALL, {}),
    ("keepalive-close-after", "7", {}, ALL, {}),
    ("retry-after", "1", {"fault.status-429@put": "nth:5", "fault.status-503@post": "nth:9"}, {}, {}),
    ("latency-ms", "2", {}, {}, {}),
    ("slow-ms", "1500", {"slow-commit": "before", "fault.slow@put": "nth:3,90", "fault.slow@post": "nth:2,70"}, IMPATIENT, {}),
    ("slow-commit", "after", {"slow-ms": "1500", "fault.slow@put": "nth:3,90", "fault.slow@post": "nth:2,70"}, IMPATIENT, {}),
    ("slow-ms", "200", {"fault.slow": "rate:0.03"}, {"sierra": {"connections": 8}}, {}),
    ("token-lifetime", "1", {"latency-ms": "6"}, ALL, {}),
    ("token-single", "yes", {"token-lifetime": "1", "latency-ms": "6"}, ALL, {}),
    ("token-refusal", "envelope", {}, {}, {"credential": "another-key:another-secret", "reason": "token-refused"}),
    ("token-refusal", "oauth", {}, {}, {"credential": "another-key:another-secret", "reason": "token-refused"}),
    ("list-error-form", "entry", {"fault.list-error-mid": "nth:2,4"}, {}, {}),
    ("list-error-form", "page", {"fault.list-error-mid": "nth:2,4"}, {}, {}),
    ("link-host", "127.0.0.1:1", {}, {}, {}),
    ("ghost-ids", None, {}, {}, {"refusing": True}),
    ("dump-generated", "yes", {}, {}, {}),
]


def alone(name, switches, config, **fields):
    return Campaign(name, switches=switches, config=config, again=f"--alone '{name}' matrix", **fields)


def switches_alone(library):
    ghosts = [e["patron_id"] for e in library.expected.values() if e["outcome"] == "renewed"][:40:7]
    for i, (switch, value, beside, config, fields) in enumerate(SWITCHES):
        if value is None:
            value = ",".join(map(str, ghosts))
        name = f"{switch}={value if switch != 'ghost-ids' else 'some'}"
        yield alone(name, {switch: value, **beside}, config, **{"keep": i % 2 == 0, **fields})


def faults_alone(small):
    """Each fault on each kind of request now and then; small: on all reads together, on PUT, on POST. Then at every request."""
    count = 0
    for fault, kinds in FAULTS.items():
        groups = [[k] for k in kinds] if not small else [[k for k in READS if k in kinds], *([k] for k in WRITES if k in kinds)]
        for group in filter(None, groups):
            count += 1
            # the few requests for tokens and pages are struck by number
            when = {k: "nth:1,3" if k in ("token", "list") else "rate:0.1" for k in group}
            if fault in ENDING:
                when = {k: "nth:2" if k in ("token", "list") else "nth:40" for k in group}
            switches = {f"fault.{fault}@{k}": when[k] for k in group}
            if fault == "slow":
                switches["slow-ms"] = "50"
            refusing = fault == "conflict-409"
            yield alone(f"{fault}@{'+'.join(group)}", switches, RECHECK, keep=count % 2 == 0, refusing=refusing)
    if small:
        return
    for fault, kinds in FAULTS.items():
        for kind in kinds:
            if fault in ("slow", "list-error-mid", "id-as-string", "conflict-409") and kind != "list":
                continue
            count += 1
            reason = ALWAYS.get(fault, ((), ""))
            config = {"load": {"deadline": "20s"}, **({"sierra": {"max_failures": 20}} if kind in WRITES else RECHECK)}
            yield alone(f"{fault}@{kind}=always", {f"fault.{fault}@{kind}": "always", "slow-ms": "50"}, config,
                        keep=count % 2 == 0, reason=reason[1] if kind in reason[0] else "", refusing=fault == "conflict-409")


# --- by seed ---

def when(rng, fault, kind):
    if fault in ENDING:
        return f"nth:{rng.choice((1, 2, 5, 30, 100))}"
    if fault == "slow":
        return "nth:" + ",".join(str(rng.randint(1, 60)) for _ in range(rng.randint(1, 3)))
    if fault == "wrong-record":
        return rng.choice(("rate:0.05", "every:9", "nth:1,4"))
    if kind in ("token", "list"):
        return rng.choice(("nth:1", "nth:2,3", "nth:1,4,5", "rate:0.1", "rate:0.3", "first:2", "every:3", "from:5"))
    return rng.choice(("rate:0.02", "rate:0.1", "rate:0.1", "rate:0.3", "every:3", "every:20", "first:5", "from:50", "nth:1,2,3",
                       "always"))


def some_faults(rng):
    switches = {}
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5))):
        fault = rng.choice(sorted(FAULTS))
        kinds = FAULTS[fault]
        # most of what matters happens at the writes and at the look-ups after them
        kind = rng.choices(kinds, [{"put": 4, "post": 5, "find": 3, "get": 2}.get(k, 1) for k in kinds])[0]
        switches[f"fault.{fault}@{kind}"] = when(rng, fault, kind)
    if any(v == "rate:0.3" or v == "always" for v in switches.values()):
        # wrong look-ups beside many lost creates: rarer still
        for name in switches:
            if name == "fault.wrong-record@find":
                switches[name] = "nth:1,40"
    return switches


PLAIN = {
    "empty-list": ("200-empty", "200-empty-without-total"), "total": ("true", "absent"), "over-limit": ("clamp:70", "clamp:500"),
    "phones-on-put": ("append",), "varfields-on-put": ("add-only",), "duplicate-on-post": ("reject",), "find-deleted": ("yes",),
    "find-match": ("exact",), "read-after-write-lag-ms": (20, 60), "code-padding": ("no",), "put-side-effects": ("no",),
    "keepalive-close-after": (1, 2, 5, 40), "retry-after": (1,), "latency-ms": (1, 3), "token-lifetime": (1, 2),
    "token-single": ("yes",), "list-error-form": ("entry",), "link-host": ("localhost",), "pin-min": (6,),
    "pin-trivial": ("accept",),
}


def some_switches(rng):
    names = rng.sample(sorted(PLAIN), rng.choice((0, 1, 1, 2, 3)))
    if "pin-min" in names and rng.random() < 0.7:
        names.remove("pin-min")  # it leaves nothing to create
    return {name: str(rng.choice(PLAIN[name])) for name in names}


def some_config(rng, switches):
    lag, slow = "read-after-write-lag-ms" in switches, any(k.startswith("fault.slow") for k in switches)
    sierra = {
        "connections": rng.randint(1, 8), "page_size": rng.choice((60, 250, 700, 2000)),
        "retry_pause": f"{rng.randint(1, 10)}ms", "retry_pause_max": f"{rng.randint(20, 60)}ms", "retries": rng.randint(0, 4),
        "rate_pause": f"{rng.randint(2, 20)}ms", "find_pause": "50ms" if lag else f"{rng.randint(1, 20)}ms",
        "find_tries": 5 if lag or "fault.wrong-record@find" in switches else rng.randint(2, 5),
        "max_failures": rng.choice((3, 20, 1000)), "read_back": rng.choice((0, 20, "all")),
    }
    if slow:
        sierra["request_timeout"] = "1s"
    config = {"sierra": sierra, "match": {"recheck_after": rng.choice(("0ms", "15min"))}}
    config["log"] = {"current": rng.choice(("yes", "no"))}
    config["load"] = {"deadline": "20s"}  # some combinations would go on for hours, as they should
    if rng.random() < 0.3:
        config["report"] = {"rows": "yes"}
    return config


def drawn(seed):
    """The campaign of a seed."""
    rng = random.Random(seed)
    switches = {**some_switches(rng), **some_faults(rng)}
    if any(k.startswith("fault.slow") for k in switches):
        switches.update({"slow-ms": rng.choice(("60", "1500")), "slow-commit": rng.choice(("before", "after"))})
    if "retry-after" in switches:
        # a second each: seldom
        for name in switches:
            if name.startswith(("fault.status-429", "fault.status-503")):
                switches[name] = "nth:3"
    refusing = "pin-min" in switches or any(k.startswith("fault.conflict-409") for k in switches)
    return Campaign(f"seed {seed}", seed, switches, some_config(rng, switches), keep=rng.random() < 0.5, refusing=refusing,
                    again=f"--from {seed} --seeds 1 matrix")
