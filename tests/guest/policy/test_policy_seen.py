# SPDX-License-Identifier: GPL-2.0-only
"""What optee-top shows of an attached policy, in each of its outputs: the figures are those
that the driver tells by another way (debugfs), and fit what the clients did; a policy that
was ejected is told of, with the reason."""

import re
from typing import Any, Mapping, Sequence

from ..lib import account, daemon, frames, kclient, policy, vm
from ..lib.reports import read_json
from ..lib.registry import Context, Findings, test
from .test_policy_faults import build

CLASSES = {"normal": "norm", "system": "sys"}  # as JSON and as debugfs have it
FIELDS = {"calls": "calls", "enter": "enter", "enter_reserved": "enter_reserved",
          "wait_kept": "wait_kept", "wait_rate": "wait_rate", "waited": "waited",
          "wait_ns": "wait_ns", "wait_longest_ns": "wait_max_ns"}
METRICS = {"calls": "calls_total", "enter": 'verdicts_total{verdict="enter"}',
           "enter_reserved": 'verdicts_total{verdict="enter_reserved"}',
           "wait_kept": 'verdicts_total{verdict="wait_kept"}',
           "waited": "waited_total", "wait_ns": "wait_seconds_total",
           "wait_longest_ns": "wait_longest_seconds"}
JUDGED_BY_RESERVE = ("overrun", "harmful_overrun", "reserve_breach", "reserve_idle")
NOT_JUDGED = (*JUDGED_BY_RESERVE, "stranded", "lost_wake")

RUN = r"""
left() { policy_is - && [ "$(sed -n 's/^last //p' $STATE)" = "$1" ]; }
daemon_start --group watchers
policy_start single
record_start all
kclient_start <<END
name=S count=2 system at=300 wait=20 gap=30 repeat=20
END
optee-load -o /tmp/load 'name=N count=4 repeat=25 wait=15' || die "optee-load failed"
kclient_wait
usleep 1500000 # the recording's next frame
record_stop
cp $STATE /tmp/state
optee-top --direct --json -n 1 -d 0.5 >/tmp/own.jsonl
as member 'optee-top -b -n 2 -d 1' >/tmp/member.txt # two: the first may be of before
as member 'optee-top --json -n 2 -d 1' >/tmp/member.jsonl
as member 'optee-top metrics' >/tmp/metrics
optee-top replay --json /tmp/all.rec >/tmp/replayed
policy_stop
policy_start gives-up
echo no_ejection >/tmp/rules
optee-top check --json --rules /tmp/rules -- optee-load -o /dev/null 'name=L count=3 wait=100' \
	>/tmp/checked
echo $? >/tmp/checked.status
wait_for 30 left gives-up
as member 'optee-top --json -n 3 -d 1' >/tmp/ejected.jsonl
as member 'optee-top metrics' | grep policies_ >/tmp/ejected.metrics
daemon_stop
"""


def rows(frame: frames.Object) -> Mapping[str, Mapping[str, Any]]:
    """By class."""
    return {p["class"]: p for p in frame["pools"][0]["policies"]}


def debugfs(text: str) -> Mapping[str, int]:
    return {name: int(n) for name, n in re.findall(r"^queue 0 (\w+) (\d+)$", text, re.M)}


def exposed(text: str) -> Mapping[str, str]:
    """By metric and class, and the label that tells the rows of one metric apart."""
    found = {}
    for name, labels, value in re.findall(r"^optee_policy_(\w+)\{(.*)\} (\S+)$", text, re.M):
        of = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        more = "".join(f'{{{k}="{v}"}}' for k, v in of.items()
                       if k not in ("tee", "policy", "home", "class"))
        found[f"{of['class']} {name}{more}"] = value
    return found


def check_figures(findings: Findings, what: str, seen: Mapping[str, Mapping[str, Any]],
                  truth: Mapping[str, int]) -> None:
    for json_class, name in CLASSES.items():
        row = seen[json_class]
        findings.equal(f"{what}: {json_class}: what it is", (row["policy"], row["home"]),
                       ("single", "enforced"))
        for key, field in FIELDS.items():
            findings.equal(f"{what}: {json_class} {key}", row[key], truth[f"{name}_{field}"])
        findings.equal(f"{what}: {json_class}: what only a shadow has",
                       [row[k] for k in ("wait_no_thread", "stricter_kept", "looser")], [None] * 3)
    findings.equal(f"{what}: reservations", (seen["system"]["reserve_yes"],
                   seen["system"]["reserve_no"], seen["normal"]["reserve_yes"]),
                   (truth["reserve_yes"], truth["reserve_no"], None))


def check_batch(findings: Findings, text: str, truth: Mapping[str, int]) -> None:
    last = text[text.rindex("optee-top "):]
    for json_class, name in CLASSES.items():
        found = re.search(rf"^policy tee0 policy=single home=enforced class={json_class} (.*)$",
                          last, re.M)
        findings.true(f"-b has a line for {json_class}", bool(found))
        words = dict(w.split("=") for w in found[1].split()) if found else {}
        for key in ("calls", "enter", "enter_reserved", "wait_kept", "waited"):
            findings.equal(f"-b: {json_class} {key}", words.get(key), str(truth[f"{name}_{key}"]))


def check_metrics(findings: Findings, text: str, truth: Mapping[str, int]) -> None:
    found = exposed(text)
    for json_class, name in CLASSES.items():
        for key, metric in METRICS.items():
            want = truth[f"{name}_{FIELDS[key]}"] / (1e9 if key.endswith("_ns") else 1)
            have = float(found.get(f"{json_class} {metric}", "nan"))
            findings.true(f"metrics: {json_class} {metric} is {have}, not {want}",
                          abs(have - want) < 1e-8)


def check_ejected(findings: Findings, guest: vm.Run) -> None:
    pool = frames.load(guest.files["ejected.jsonl"])[-1]["pools"][0]
    text = guest.read("ejected.metrics").decode()
    findings.equal("ejected: in JSON", (pool["policy"], pool["policy_left"],
                   pool["policies_attached"], pool["policies_ejected"], pool["policies"]),
                   (None, "gives-up: it gave up", 2, 1, []))
    findings.equal("ejected: the design, and what is judged again", (
        pool["design"], [c for c in NOT_JUDGED if pool["conditions"][c] is None]), ("merged", []))
    findings.equal("ejected: check", (guest.read("checked.status"), [
        (v.rule, v.verdict, v.evidence) for v in read_json(guest.read("checked").decode())]),
        (b"1\n", [("no_ejection", "fail", ["tee0: 1 ejected, 'gives-up' last: it gave up"])]))
    findings.equal("ejected: metrics", dict(re.findall(r"^optee_(policies_\w+)\{tee=\"0\"\} (\d+)$",
                   text, re.M)), {"policies_attached_total": "2", "policies_ejected_total": "1"})


def clients(guest: vm.Run) -> Mapping[str, Sequence[bool]]:
    """Of each class: for each call that the clients made and that asks a policy, did it work?"""
    normal = [not c.failed for c in account.load(guest.files["load"]).calls]
    system = [c for c in kclient.load(guest.files["kclient"]).calls]
    # opening is a normal call, whatever becomes of the session
    normal += [c.result == 0 for c in system if c.op == "open"]
    return {"normal": normal, "system": [c.result == 0 for c in system if c.op != "open"]}


@test()
def policy_seen(context: Context) -> None:
    gets = ["state", "load", "kclient", "all.csv", "all.live", "replayed", "own.jsonl",
            "member.txt", "member.jsonl", "metrics", "ejected.jsonl", "ejected.metrics", "checked",
            "checked.status"]
    guest = policy.run(context, kclient.SCRIPT + daemon.SCRIPT + "kclient_load\n" + RUN,
                       *policy.options("--icount", *build(context, "gives-up"),
                                       *kclient.options()), gets=gets, seconds=300)
    findings = Findings()
    truth = debugfs(guest.read("state").decode())
    for name, count in clients(guest).items():
        findings.equal(f"{name}: calls that the driver counts, and the clients made",
                       truth[f"{CLASSES[name]}_calls"], len(count))
    recorded = [c for c in policy.calls(guest.files["all.csv"]) if not c.internal]
    findings.true("nobody had to wait: nothing is tested",
                  any(c.waited > 5 * policy.MS for c in recorded))
    own = frames.load(guest.files["own.jsonl"])[-1]
    check_figures(findings, "own probes", rows(own), truth)
    check_figures(findings, "by the daemon",
                  rows(frames.load(guest.files["member.jsonl"])[-1]), truth)
    check_batch(findings, guest.read("member.txt").decode(), truth)
    check_metrics(findings, guest.read("metrics").decode(), truth)
    findings.equal("design", own["pools"][0]["design"], "policy")
    findings.equal("what is in reserve", own["pools"][0]["reserved"], None)
    findings.equal("conditions that are not known", sorted(
        c for c, v in own["pools"][0]["conditions"].items() if v is None), sorted(NOT_JUDGED))
    findings.equal("the recording, replayed", guest.read("replayed"), guest.read("all.live"))
    check_figures(findings, "recorded", rows(frames.load(guest.files["replayed"])[-1]), truth)
    check_ejected(findings, guest)
    findings.done()
