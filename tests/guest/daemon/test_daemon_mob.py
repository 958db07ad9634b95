# SPDX-License-Identifier: GPL-2.0-only
"""Requests that are none, by the thousand: who does as he should is served as if they were not there."""

import re

from ..lib import daemon, frames, vm
from ..lib.exposition import read_classic
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_daemon import unpack

COMMON = daemon.SCRIPT + r"""
memory() { # NAME: what the worker has, and the kernel
	{
		[ $1 != before ] || echo 5 >/proc/$(worker)/clear_refs
		grep -E '^Vm(RSS|HWM):' /proc/$(worker)/status
		grep -E '^(MemAvailable|SUnreclaim):' /proc/meminfo
	} >/tmp/out/memory.$1
}
show() { # NAME
	{ wget -q -O - $URL || die "no metrics"; } >/tmp/out/metrics.$1
}
mkdir -p -m 777 /tmp/out/log
exec 9<>/dev/tee0
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1
"""


def memory(text: str) -> dict[str, int]:
    return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+):\s+(\d+) kB$", text, re.M)}


HOSTILE = COMMON + r"""
client frames 'optee-top --json'
more frames 2
memory before
mob 9470 %d >/tmp/out/mob || die "mob: status $?"
memory after
none() { [ "$(metric optee_top_http_connections)" -le 1 ]; }
wait_for 60 none
show end
optee-top --json -n 1 >/tmp/out/last || die "no frame"
more frames 2
end frames
daemon_stop
pack
"""


def answers(text: str) -> dict[str, int]:
    return {code: int(n) for code, n in (line.split() for line in text.splitlines())}


def mob(context: Context, requests: int) -> None:
    guest = vm.run(context, HOSTILE.replace("%d", str(requests)), "--icount", gets=("out.tar",),
                   seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen: list[Object] = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    daemon.check_intervals(findings, "the good client", seen, 1, 0.3)
    got = answers((out / "mob").read_text())
    text = read_classic((out / "metrics.end").read_text())
    findings.equal("requests made", sum(got.values()), requests)
    counted = {code: int(text.get("optee_top_http_responses_total", code=code) or 0)
               for code in got if code != "none"}
    for code, n in got.items():
        # Whoever leaves, or is deaf, was answered, too.
        findings.true(f"answers {code}: {n} were got, {counted.get(code)} were counted",
                      code == "none" or counted[code] >= n)
    rest = sum(counted.values()) + (text.get("optee_top_http_cut_total") or 0)
    findings.true(f"{rest} answered or cut of {requests}", rest >= requests * 0.8)
    for code in "200", "400", "404", "405", "414", "431", "505":
        findings.true(f"no answer is {code}: {got}", got.get(code, 0) > 0)
    before, after = (memory((out / f"memory.{n}").read_text()) for n in ("before", "after"))
    print(f"    {got}, {int(text.get('optee_top_http_cut_total') or 0)} cut; RSS "
          f"{before['VmRSS']} kB, then {after['VmRSS']} kB")
    findings.true(f"RSS grew to {after['VmRSS']} kB", after["VmRSS"] < 8192)
    findings.done()


@test()
def daemon_mob(context: Context) -> None:
    mob(context, 2000)


@test(check_all=True)
def daemon_mob_10000(context: Context) -> None:
    """More of what daemon_mob does."""
    mob(context, 10000)
