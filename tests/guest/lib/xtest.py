# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE's own tests: what xtest says of them, and a run of them under a policy."""

import re
from typing import Mapping, NamedTuple

# Needs vm.PRELUDE. Words of its arguments are substrings of the tests' names.
SCRIPT = r"""
xtest_run() { # NAME [WORD...]: what it says is in /tmp/NAME.xtest
	xtest_name=$1; shift
	read -r xtest_from rest </proc/uptime
	xtest -t regression "$@" >/tmp/$xtest_name.xtest 2>&1
	echo "status $?" >>/tmp/$xtest_name.xtest
	read -r xtest_to rest </proc/uptime
	echo "uptime $xtest_from $xtest_to" >>/tmp/$xtest_name.xtest
}
"""
# The same, after policy.SCRIPT: the policy has to be there to the end.
UNDER = r"""
xtest_under() { # POLICY [WORD...]: what the driver counted is in /tmp/POLICY.state
	policy_start $1
	xtest_run "$@"
	policy_is $1 || die "it did not stay: $(cat $STATE)"
	cat $STATE >/tmp/$1.state
	policy_stop
	wait_for 10 counters_are_zero
}
"""

TEST = re.compile(r"^ *(regression_[\w.]+) (OK|FAILED|SKIPPED)", re.M)
SUBTESTS = re.compile(r"^(\d+) subtests of which (\d+) failed", re.M)
STATUS = re.compile(r"^status (\d+)$", re.M)
# Three threads of it count their checks in one variable, without a lock: some counts are lost.
COUNTS_IN_THREADS, LOST = "regression_6016", 3
UPTIME = re.compile(r"^uptime ([\d.]+) ([\d.]+)$", re.M)


class Result(NamedTuple):
    tests: Mapping[str, str]  # OK, FAILED or SKIPPED, by the test's name; cases have a dot
    subtests: int
    failed: int
    status: int
    seconds: float

    @property
    def passed(self) -> int:
        return sum(1 for name, end in self.tests.items() if "." not in name and end == "OK")


def parse(raw: bytes) -> Result:
    text = raw.decode(errors="replace")
    counts, status, uptime = (pattern.search(text) for pattern in (SUBTESTS, STATUS, UPTIME))
    return Result(dict(TEST.findall(text)), int(counts[1]) if counts else 0,
                  int(counts[2]) if counts else 0, int(status[1]) if status else 1,
                  float(uptime[2]) - float(uptime[1]) if uptime else 0.0)


def difference(have: Result, want: Result) -> str:
    """What is not as in the run that it is compared with; "": nothing."""
    names = [name for name in {**want.tests, **have.tests}
             if want.tests.get(name) != have.tests.get(name)]
    said = [f"{name} {have.tests.get(name, 'not run')}, not {want.tests.get(name, 'run')}"
            for name in names if "." not in name or name.rsplit(".", 1)[0] not in names]
    for what in "subtests", "failed", "status":
        off = abs(getattr(have, what) - getattr(want, what))
        if off > (LOST if what == "subtests" and COUNTS_IN_THREADS in want.tests else 0):
            said.append(f"{what} {getattr(have, what)}, not {getattr(want, what)}")
    return "; ".join(said)
