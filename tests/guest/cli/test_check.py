# SPDX-License-Identifier: GPL-2.0-only
"""`optee-top check` on the real driver: what the load did is what the rules find, in every
format, of a command, of some seconds, and of a recording."""

import re
from typing import Mapping, Sequence

from ..lib import account, kclient, kmod, vm
from ..lib.reports import READERS, Verdict
from ..lib.registry import Context, Failed, Findings, test
from ..lib.cases import FAILURE, RUN, USAGE, Case, Result, check_case, results, run_cases

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
TIME = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s)\b")


def time_of(text: str) -> float:
    """The first time in it, in ns."""
    found = TIME.search(text)
    if not found:
        raise Failed(f"no time in {text!r}")
    return float(found[1]) * UNITS[found[2]]


def rules(name: str, *lines: str) -> str:
    return f"cat >/tmp/{name}.rules <<END\n" + "\n".join(lines) + "\nEND\n"


def read(findings: Findings, found: Mapping[str, Result], name: str, kind: str,
         status: int) -> Mapping[str, Verdict]:
    """The verdicts of a run, by rule."""
    result = found[name]
    findings.equal(f"{name}: the exit status ({result.err!r})", result.status, status)
    try:
        return {v.rule: v for v in READERS[kind](result.out.decode())}
    except Exception as error:
        raise Failed(f"{name}: {kind} that cannot be read: {error!r}\n{result.out!r}\n"
                     f"{result.err}") from error


def verdicts(findings: Findings, what: str, have: Mapping[str, Verdict],
             want: Mapping[str, str]) -> None:
    for rule, verdict in want.items():
        if rule not in have:
            findings.add(f"{what}: no {rule} in {list(have)}")
        else:
            findings.equal(f"{what}: {rule} ({have[rule].found})", have[rule].verdict, verdict)


def run_script(context: Context, script: str, *options: str, gets: Sequence[str] = (),
               puts: Mapping[str, str] = {}) -> tuple[vm.Run, Mapping[str, Result]]:
    """Run it, and read what its runs have left; puts are texts for the guest's /."""
    context.dir.mkdir(parents=True, exist_ok=True)
    for name, text in puts.items():
        path = context.dir / name
        path.write_text(text)
        options = (*options, "--put", f"{path}:/{name}")
    guest = vm.run(context, RUN + script + "finish\n", "--icount", *options,
                   gets=("results.tar", *gets))
    return guest, results(guest, context.dir / "results")


# A swallows the wake of C: C waits until A ends.
STRANDED = "optee-load -o /tmp/load 'name=A wait=6000' 'name=B at=20 wait=1000' " \
    "'name=C at=600 wait=100'"
SAMPLE = rules("stranded", "no_stranded 1s", "no_stranded 30s", "no_deadlock", "no_starved 10s",
               "no_starved 200ms", "no_losses", "command_succeeds") + r"""
exec 9<>/dev/tee0
run json optee-top check --json --rules /tmp/stranded.rules -- """ + STRANDED + r"""
cp /tmp/load /tmp/load.json
optee-top record /tmp/recording &
RECORD=$!
recorded() { [ -s /tmp/recording ] && [ "$(cat /proc/$RECORD/wchan)" = hrtimer_nanosleep ]; }
wait_for 60 recorded
""" + STRANDED + r""" || die "optee-load failed"
sleep 2
kill -TERM $RECORD
wait $RECORD || die "record ended with status $?"
run recording optee-top check --format tap --rules /tmp/stranded.rules /tmp/recording
head -c 3000 /tmp/recording >/tmp/torn
run torn optee-top check --rules /tmp/stranded.rules /tmp/torn
run torn_strict optee-top check --strict --rules /tmp/stranded.rules /tmp/torn
"""


def check_stranded(findings: Findings, have: Mapping[str, Verdict],
                   load: account.Account) -> None:
    call = {c.client: c for c in load.calls if c.op == "invoke"}
    wait = ((call["C"].end or 0) - call["C"].start) / 1e9 - 0.1  # it holds its thread for 0.1 s
    verdicts(findings, "json", have, {
        "no_stranded 1s": "fail", "no_stranded 30s": "pass", "no_deadlock": "pass",
        "no_starved 10s": "pass", "no_starved 200ms": "fail", "no_losses": "pass",
        "command_succeeds": "pass"})
    evidence = "\n".join(have["no_stranded 1s"].evidence)
    for part in f"A({call['A'].tid}) holds", f"C({call['C'].tid}) waits", \
            f"    the wake went to A({call['A'].tid}), invoke":
        findings.true(f"no '{part}' in {evidence}", part in evidence)
    stranded = ((call["A"].end or 0) - (call["B"].end or 0)) / 1e9
    have_s = time_of(have["no_stranded 1s"].found.partition("longest ")[2]) / 1e9
    findings.true(f"stranded for {have_s} s, not {stranded}",
                  abs(have_s - stranded) <= 0.1 + 0.01 * stranded)
    have_s = time_of(have["no_starved 10s"].found.partition("longest ")[2]) / 1e9
    findings.true(f"C waited {wait} s, and {have_s} s starved",
                  wait - 0.1 <= have_s < 6.5)


@test()
def check_of_stranded(context: Context) -> None:
    """The one who swallowed the wake is named, live and in a recording."""
    guest, found = run_script(context, SAMPLE, gets=("load.json", "load"))
    findings = Findings()
    live = read(findings, found, "json", "json", FAILURE)
    check_stranded(findings, live, account.load(guest.files["load.json"]))
    # It tells of waits from 1 s on, and C's was longer.
    replayed = read(findings, found, "recording", "tap", FAILURE)
    verdicts(findings, "recording", replayed, {
        "no_stranded 1s": "fail", "no_stranded 30s": "pass", "no_deadlock": "pass",
        "no_starved 10s": "pass", "no_starved 200ms": "fail", "command_succeeds": "unknown"})
    tid = next(c.tid for c in account.load(guest.files["load"]).calls
               if (c.client, c.op) == ("A", "invoke"))
    evidence = "\n".join(replayed["no_stranded 1s"].evidence)
    findings.true(f"the recording does not name A: {evidence}",
                  f"the wake went to A({tid})" in evidence)
    verdicts(findings, "torn", read(findings, found, "torn", "table", FAILURE),
             {"no_losses": "fail"})
    findings.equal("torn: lines said", found["torn"].err.count("\n"), 1)
    findings.equal("torn, --strict: the status", found["torn_strict"].status, 5)
    findings.done()


LIGHT = rules("waits", "wait_longest normal 100ms", "wait_p99 normal 100ms",
              "wait_longest normal 10s", "wait_longest system 1ms", "calls_at_least 1000",
              "calls_at_least 100000", "no_failed_calls") + r"""
exec 9<>/dev/tee0
run json optee-top check --json -- optee-load -o /dev/null 'name=N repeat=20 nop gap=5'
run table optee-top check -- optee-load -o /dev/null 'name=N repeat=20 nop gap=5'
run tap optee-top check --format tap -- optee-load -o /dev/null 'name=N repeat=20 nop gap=5'
run junit optee-top check --format junit -- optee-load -o /dev/null 'name=N repeat=20 nop gap=5'
optee-load -o /dev/null 'name=N repeat=0 nop gap=20' &
LOAD=$!
run live optee-top check --json --live 3
kill $LOAD
wait $LOAD
run waits optee-top check --json --rules /tmp/waits.rules -- optee-load -o /tmp/load \
	'name=H count=2 wait=800' 'name=W ta=invoke_tests at=100 nop' \
	'name=N ta=invoke_tests at=1200 repeat=1000 nop'
"""


@test()
def check_of_light_load(context: Context) -> None:
    """Nothing wrong, in every format; and how long calls waited."""
    guest, found = run_script(context, LIGHT, gets=("load",))
    findings = Findings()
    for name in "json", "table", "tap", "junit", "live":
        have = read(findings, found, name, "json" if name == "live" else name, 0)
        findings.equal(f"{name}: verdicts that are no pass",
                       [v for v in have.values() if v.verdict != "pass"], [])
    seconds = re.search(rb'"seconds":([\d.]+)', found["live"].out)
    findings.true(f"--live 3 watched {seconds and seconds[1]!r} s",
                  seconds is not None and 3 <= float(seconds[1]) < 3.2)
    load = account.load(guest.files["load"])
    wait = next((c.end or 0) - c.start for c in load.calls if (c.client, c.op) == ("W", "invoke"))
    have = read(findings, found, "waits", "json", FAILURE)
    verdicts(findings, "waits", have, {
        "wait_longest normal 100ms": "fail", "wait_p99 normal 100ms": "pass",
        "wait_longest normal 10s": "pass", "wait_longest system 1ms": "pass",
        "calls_at_least 1000": "pass", "calls_at_least 100000": "fail", "no_failed_calls": "pass"})
    longest = time_of(have["wait_longest normal 10s"].found)
    # W's call is hardly more than its wait; a notification may wait longer, but not than H.
    findings.true(f"the longest wait is {longest / 1e6} ms, W waited {wait / 1e6}",
                  0.98 * wait - 3e6 <= longest <= 900e6)
    calls = len(load.calls)
    counted = int(have["calls_at_least 1000"].found.split()[0])
    findings.true(f"{counted} calls, {calls} in the load's account", calls <= counted)
    findings.done()


IN_GUEST = {"overrun.sh": vm.PRELUDE + kclient.SCRIPT + r"""
kclient_run <<END
name=S count=2 system wait=300
END
"""}
OVERRUN = kclient.SCRIPT + rules("overrun", "no_overrun", "no_stranded 30s", "no_deadlock",
                                 "no_reservation_leak", "no_count_leak") + r"""
kclient_load
run overrun optee-top check --json --rules /tmp/overrun.rules -- sh /overrun.sh
printf '%s\n' no_count_leak no_drift no_reservation_leak no_deadlock >/tmp/leak.rules
leak() { # NAME PARAMETER: planted at the first call that the command makes
	run $1 optee-top check --json --rules /tmp/leak.rules -- sh -c '
		insmod /miscount.ko $1 || exit 1
		until [ "$(cat /sys/module/miscount/parameters/planted)" = 1 ]; do
			optee-load -o /dev/null "name=N nop"
		done' sh "$2"
	rmmod miscount
}
leak count add=-1
leak reservation "add=0 sessions=1"
leak none add=0
"""


@test()
def check_of_kernel_clients(context: Context) -> None:
    """An overrun of two system calls; threads and system sessions that the driver has lost."""
    _, found = run_script(context, OVERRUN, *kclient.options(),
                          "--put", f"{kmod.build('miscount')}:/miscount.ko", puts=IN_GUEST)
    findings = Findings()
    have = read(findings, found, "overrun", "json", FAILURE)
    verdicts(findings, "overrun", have, {
        "no_overrun": "fail", "no_deadlock": "pass", "no_stranded 30s": "pass",
        "no_reservation_leak": "pass", "no_count_leak": "pass"})
    evidence = "\n".join(have["no_overrun"].evidence)
    findings.true(f"who overran is not told: {evidence}",
                  re.search(r"overrun end after .*: 2 system calls in flight, 1 in reserve; "
                            r"S-[12]\(\d+\) holds, S-[12]\(\d+\) holds", evidence) is not None)
    have = read(findings, found, "count", "json", FAILURE)
    verdicts(findings, "count", have, {"no_count_leak": "fail", "no_drift": "fail",
                                       "no_reservation_leak": "pass", "no_deadlock": "pass"})
    findings.equal("the count's leak", have["no_count_leak"].evidence,
                   ["tee0: the driver counts 1 of 2 threads free, and 0 calls hold one: it has "
                    "leaked 1"])
    have = read(findings, found, "reservation", "json", FAILURE)
    verdicts(findings, "reservation", have, {"no_count_leak": "pass", "no_drift": "pass",
                                             "no_reservation_leak": "fail"})
    findings.equal("the reservation's", have["no_reservation_leak"].evidence,
                   ["tee0: the driver counts 1 system session, 1 more than at the beginning, "
                    "and 0 sessions of the kernel are open"])
    none = read(findings, found, "none", "json", 0)
    verdicts(findings, "none", none, {rule: "pass" for rule in none})
    findings.done()


BEFORE = rules("bad", "no_overrun", "no_stranded_waiter") + r"""
: >/tmp/empty.rules
"""
CASES = (
    Case("nothing", "optee-top check", USAGE, r"something to look at"),
    Case("two", "optee-top check --live 3 -- true", USAGE, r"one input only"),
    Case("file_too", "optee-top check /tmp/x --live 3", USAGE, r"one input only"),
    Case("no_command", "optee-top check --", USAGE, r"no COMMAND after '--'"),
    Case("elsewhere", "optee-top events -- true", USAGE, r"only 'check' takes a command"),
    Case("alone", "optee-top -- true", USAGE, r"no command before '--'"),
    Case("format", "optee-top check --format xml --live 3", USAGE, r"table, tap, junit or json"),
    Case("both", "optee-top check --json --format tap --live 3", USAGE, r"both JSON and"),
    Case("live_0", "optee-top check --live 0", USAGE, r"'--live 0'"),
    Case("rule", "optee-top check --rules /tmp/bad.rules --live 3", USAGE,
         r"/tmp/bad.rules:2: no rule 'no_stranded_waiter'; did you mean no_stranded\?"),
    Case("empty", "optee-top check --rules /tmp/empty.rules --live 3", USAGE, r"it has no rule"),
    Case("missing", "optee-top check --rules /no/such --live 3", USAGE,
         r"'--rules /no/such': No such file"),
    Case("no_recording", "optee-top check /no/such", FAILURE, r"/no/such"),
    Case("not_there", "optee-top check -- /no/such", 127, r"cannot run '/no/such': No such file"),
    Case("not_run", "optee-top check -- /etc/passwd", 126, r"cannot run '/etc/passwd': Perm"),
    Case("nobody", "su nobody -s /bin/sh -c 'optee-top check --live 1'", 4, r"root|CAP_"),
    Case("help", "optee-top help rules", 0, r"^$"),
    Case("full", "sh -c 'optee-top check --live 1 >/dev/full'", FAILURE,
         r"standard output: No space left"),
    Case("interrupted", "sh -c 'optee-top check --live 100 & P=$!; until grep -q nanosleep "
         "/proc/$P/wchan; do usleep 20000; done; kill -TERM $P; wait $P'", FAILURE,
         r"interrupted: no verdict"),
)
# Its output is no part of the report, and its status is told.
MORE = (
    Case("fails", "optee-top check --json -- sh -c 'echo out; echo err >&2; exit 3'", FAILURE,
         r"^out\nerr\n$"),
    Case("passed_on", "sh -c 'optee-top check --json -- sh -c \"trap \\\"exit 5\\\" TERM; >/tmp/on; "
         "while :; do usleep 20000; done\" & P=$!; until [ -e /tmp/on ]; do usleep 20000; done; "
         "kill -TERM $P; wait $P'", FAILURE, r"^$"),
    Case("killed", "optee-top check --json -- sh -c 'kill -9 $$'", FAILURE, r"^$"),
)


@test()
def check_errors(context: Context) -> None:
    """What goes wrong is said, and what becomes of the command."""
    found = run_cases(context, (*CASES, *MORE), BEFORE + "exec 9<>/dev/tee0\n")
    findings = Findings()
    for case in CASES:
        check_case(findings, case, found[case.name])
    for case, says in zip(MORE, ("it ended with status 3", "it ended with status 5",
                                 "signal 9 (Killed) ended it")):
        have = read(findings, found, case.name, "json", case.status)
        findings.equal(f"{case.name}: the command", have["command_succeeds"].found, says)
        findings.true(f"{case.name}: standard error is {found[case.name].err!r}",
                      re.search(case.says, found[case.name].err) is not None)
    findings.done()
