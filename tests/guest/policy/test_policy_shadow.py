# SPDX-License-Identifier: GPL-2.0-only
"""Policies in shadow on the stock driver: what they would have decided is what their rules say,
worked out from the recording of the same calls (shadow.py)."""

import re
from typing import Any, Mapping, Sequence

from ..lib import frames, kclient, policy, shadow, vm
from ..lib.registry import Context, Findings, test
from ..lib.cases import FAILURE, RUN, USAGE, Case, check_case, results
from .test_policy_faults import build

THREADS = 4
SYSTEM, SYSTEM_CALLS = 4, 30

LOAD = f"""
for name in {' '.join(policy.NAMES)}; do
	set -- "$@" --shadow $name
done
kclient_load
optee-top --json -d 0.5 "$@" record /tmp/all.rec >/tmp/live 2>/tmp/err & RECORD=$!
RECORDED=all
wait_for 120 test -s /tmp/live
kclient_start <<END
name=S count={SYSTEM - 1} system-at=400 at=0 wait=14 gap=6 repeat={SYSTEM_CALLS}
name=L system-at=700 at=20 wait=31 gap=3 repeat={SYSTEM_CALLS}
END
optee-load -o /tmp/load 'name=N count=4 repeat=25 wait=11 gap=7' 'name=M repeat=9 wait=60 gap=20' ||
	die "optee-load failed"
kclient_wait
usleep 1500000 # the next frame
cp /tmp/live /tmp/frames
kill -TERM $RECORD
wait $RECORD || die "record ended with $?: $(cat /tmp/err)"
[ ! -s /tmp/err ] || die "record says: $(cat /tmp/err)"
optee-top export /tmp/all.rec --format csv --output /tmp/all.csv || die "export: status $?"
"""

# Which are no policies, or none that the kernel lets in.
ERRORS = (
    Case("missing", "optee-top --json -n 1 --shadow /nowhere.o", FAILURE,
         r"cannot shadow '/nowhere.o': No such file or directory"),
    Case("name", "optee-top --json -n 1 --shadow nobody", USAGE,
         r"cannot shadow 'nobody': no such policy; there are bounded, "),
    Case("text", "optee-top --json -n 1 --shadow /etc/passwd", FAILURE,
         r"cannot shadow '/etc/passwd': it is not a BPF object; "),
    Case("no_table", "optee-top --json -n 1 --shadow /policies/no-table.o", FAILURE,
         r"cannot shadow '/policies/no-table.o': it has no table of callbacks; "),
    Case("old_policy_h", "optee-top --json -n 1 --shadow /policies/old.o", FAILURE,
         r"cannot shadow '/policies/old.o': it was built with an older policy.h; build it again"),
    Case("other_version", "optee-top --json -n 1 --shadow /policies/grown.o", FAILURE,
         r"cannot shadow '/policies/grown.o': .* another version of optee_admission.h; build it again"),
    Case("twice", "optee-top --json -n 1 --shadow v6 --shadow /policies/v6.o", FAILURE,
         r"cannot shadow '/policies/v6.o': it calls itself 'v6', as 'v6' does; "),
    Case("none", "optee-top policy shadow", USAGE, r"'policy shadow' needs NAME\|FILE...; see "),
    Case("command", "optee-top policy shadow --json -n 1 v6 nobody", USAGE,
         r"cannot shadow 'nobody': no such policy; there are bounded, "),
    Case("eleven", f"optee-top --json -n 1 {'--shadow x ' * 11}", USAGE,
         r"cannot shadow 'x': that is one more than 10 policies"),
    Case("verifier", "optee-top --json -n 1 --shadow /policies/reads-beyond.o", FAILURE,
         r"the kernel refuses its admit: .*'return c->priv\[c->client_in_flight\] \? WAIT : "
         r"ENTER;': .*memory access"),
)
ODD = ("garbage", "gives-up", "spoils", "template", "upstream")
UNANSWERED = f"""
for name in {' '.join(ODD)}; do
	set -- "$@" --shadow /policies/$name.o
done
top_start -d 0.5 "$@"
optee-load -o /tmp/load 'name=N count=4 repeat=20 wait=9 gap=4' || die "optee-load failed"
top_stop
"""

Row = Mapping[str, Any]


def rows(frame: frames.Object) -> Mapping[tuple[str, str], Row]:
    """Those of shadows, by name and class."""
    return {(p["policy"], p["class"]): p for p in frame["pools"][0]["policies"]
            if p["home"] == "shadow"}


def check_sums(findings: Findings, seen: Mapping[tuple[str, str], Row],
               calls: Mapping[str, int]) -> None:
    """What holds of each policy, whatever its rule."""
    findings.equal("shadows", sorted(seen), sorted((n, c) for n in policy.NAMES for c in calls))
    for (name, of), row in seen.items():
        findings.equal(f"{name}: {of} calls", row["calls"], calls[of])
        verdicts = ("enter", "enter_reserved", "wait_no_thread", "wait_kept", "wait_rate")
        findings.equal(f"{name}: {of} verdicts", sum(row[v] for v in verdicts), row["calls"])
        findings.true(f"{name}: {of}: more wait_kept that differ than there are",
                      row["stricter_kept"] <= row["wait_kept"]
                      and row["stricter_rate"] <= row["wait_rate"]
                      and row["looser"] <= row["enter"] + row["enter_reserved"])


def check_reserves(findings: Findings, seen: Mapping[tuple[str, str], Row],
                   promotions: int) -> None:
    for name, gives in shadow.RESERVES.items():
        yes = sum(gives(n, THREADS) for n in range(promotions))
        row = seen[name, "system"]
        findings.equal(f"{name}: reservations given and refused",
                       (row["reserve_yes"], row["reserve_no"]), (yes, promotions - yes))


def check_rules(findings: Findings, seen: Mapping[tuple[str, str], Row],
                bounds: Mapping[str, shadow.Bounds], calls: int) -> None:
    for name, of_name in bounds.items():
        findings.true(f"{name}: {of_name.slack} of {calls} calls are ties",
                      of_name.slack <= calls // 15)
        for (of, figure), least in of_name.least.items():
            have, most = seen[name, of][figure], of_name.most[of, figure]
            findings.true(f"{name}: {of} {figure} is {have}, not {least} to {most}",
                          least <= have <= most)


@test()
def policy_shadow(context: Context) -> None:
    guest = vm.run(context, policy.SCRIPT + kclient.SCRIPT + LOAD, "--icount", "--threads",
                   str(THREADS), *kclient.options(),
                   gets=["frames", "all.csv", "kclient"], seconds=600)
    findings = Findings()
    recorded = policy.calls(guest.files["all.csv"])
    account = kclient.load(guest.files["kclient"])
    last = frames.load(guest.files["frames"])[-1]
    seen = rows(last)
    asked = [c for c in recorded if not c.internal]
    of = {"normal": sum(not c.system for c in asked), "system": sum(c.system for c in asked)}
    findings.equal("clients that got a reservation",
                   sum(not p.error for p in account.promotions), SYSTEM)
    findings.true(f"calls that had to wait: {sum(c.slept for c in asked)} of {len(asked)}",
                  sum(c.slept for c in asked) > len(asked) // 10)
    check_sums(findings, seen, of)
    check_reserves(findings, seen, SYSTEM)
    bounds = shadow.bounds(recorded, account, THREADS)
    check_rules(findings, seen, bounds, len(asked))
    # The driver's own rule agrees with all that the driver did, and the load sets others apart.
    for c in of:
        for figure in ("stricter_kept", "stricter_rate", "looser"):
            findings.equal(f"upstream: {c} {figure}", seen["upstream", c][figure], 0)
    different = {tuple(seen[n, c][f] for c in of for f in shadow.FIGURES) for n in bounds}
    findings.equal("rules that are told apart", len(different), len(bounds))
    findings.true("tacap keeps no rate", seen["tacap", "normal"]["stricter_rate"] > 0)
    findings.equal("losses", [n for n, lost in last["losses"].items() if lost], [])
    findings.done()


def odd_policy(context: Context, name: str, policy_h: str, contract: str) -> Sequence[str]:
    """v6 made with other headers, as NAME.o."""
    place = context.dir / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "policy.h").write_text(policy_h)
    (place / "optee_admission.h").write_text(contract)
    (place / "v6.c").write_text((policy.SOURCES / "v6.c").read_text())
    return policy.compile(context, place / "v6.c", name=name, native=False)


def odd_objects(context: Context) -> Sequence[str]:
    """An object without a policy, one without twins for shadows, one of a later version."""
    context.dir.mkdir(parents=True, exist_ok=True)
    plain = context.dir / "no-table.c"
    plain.write_text('char f[] __attribute__((section("license"))) = "GPL";\n')
    header = (policy.SOURCES / "policy.h").read_text()
    contract = (vm.ROOT / "include/optee_admission.h").read_text()
    twin = re.compile(r'\tPOLICY_SECTION\("\?freplace"\).*?\n\t\}\s*\\\n', re.DOTALL)
    return [*policy.compile(context, plain, native=False),
            *odd_policy(context, "old", twin.sub("", header), contract),
            *odd_policy(context, "grown", header,
                        contract.replace("\tu64 retry_ns;", "\tu64 more;\n\tu64 retry_ns;"))]


@test(check_all=True)
def policy_shadow_errors(context: Context) -> None:
    """Who is no policy is told so; one that gives no answers counts as the driver's rule, and
    one that writes where it may not spoils no other."""
    puts = ["--put", f"{policy.OBJECTS}:/policies", *odd_objects(context),
            *build(context, "garbage", "gives-up", "spoils", "reads-beyond")]
    script = RUN + UNANSWERED + "".join(f"run {c.name} {c.command}\n" for c in ERRORS) + "finish\n"
    guest = vm.run(context, script, "--icount", *puts, gets=("results.tar", "top.jsonl"),
                   seconds=600)
    found = results(guest, context.dir / "results")
    findings = Findings()
    for case in ERRORS:
        check_case(findings, case, found[case.name])
    last = frames.load(guest.files["top.jsonl"])[-1]
    seen = {name: {k: v for k, v in row.items() if k != "policy"}
            for (name, of), row in rows(last).items() if of == "normal"}
    findings.true(f"calls: {seen['upstream']['calls']}, with no thread for "
                  f"{seen['upstream']['wait_no_thread']}",
                  seen["upstream"]["calls"] >= 80 and seen["upstream"]["wait_no_thread"] > 20)
    for name in ("garbage", "gives-up", "spoils", "mine"):
        findings.equal(f"{name}: the row", seen[name], seen["upstream"])
    unanswered = last["losses"]["shadows_unanswered"]
    findings.true(f"answers that were none: {unanswered}", unanswered > 0 and not unanswered % 2)
    findings.done()
