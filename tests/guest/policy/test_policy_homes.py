# SPDX-License-Identifier: GPL-2.0-only
"""All ten policies, one after the other under one load that has something of everything: the
enforced, the shadow and the native build do the same with every call that they see. policy.run()
compares; here it is looked at that there was enough to compare."""

from ..lib import homes, kclient, policy
from ..lib.registry import Context, Findings, test

ENOUGH = 200

# Processes of several weights and TAs, which call without end. Then kernel clients that all got
# a reservation before there was a policy: more than strict and per-session have entries for.
LOAD = r"""
optee-load -r 0 -s 600 -o /dev/null --ready-file /tmp/ready \
	'name=A nice=8 sessions=3 repeat=0 wait=1..6' \
	'name=B nice=4 ta=invoke_tests sessions=2 repeat=0 nop gap=2' \
	'name=C ta=concurrent sessions=2 repeat=0 burn=1 gap=2' >/tmp/load.out 2>&1 &
LOAD=$!
wait_for 60 test -e /tmp/ready
came() { policy_is $1 && [ "$(state 'queue 0 passes')" -ge 30 ]; }
kclient_start <<END
name=R count=%(threads)d system wait=10 repeat=%(times)d
END
policy_start strict
wait_for 60 came strict
policy_swap per-session
wait_for 60 came per-session
kclient_wait
reserves() { echo $(($(state 'queue 0 reserve_yes') + $(state 'queue 0 reserve_no'))); }
"""

# And those who ask each policy for one.
UNDER = r"""
policy_swap %(name)s
wait_for 60 policy_is %(name)s
kclient_start <<END
name=S count=3 system-at=1 at=20 wait=4 gap=1 repeat=%(calls)d
END
kclient_wait
[ "$(reserves)" = 3 ] || die "%(name)s was asked for $(reserves) reservations"
"""

END = r"""
kill -0 $LOAD || die "the load has ended: $(cat /tmp/load.out)"
kill $LOAD
wait $LOAD
policy_stop
wait_for 20 counters_are_zero
"""


def compared(context: Context, threads: int, calls: int, *options: str) -> None:
    load = {"threads": 2 * threads, "times": 3 * calls}
    under = "".join(UNDER % {"name": name, "calls": calls} for name in policy.NAMES)
    guest = policy.run(context, kclient.SCRIPT + "kclient_load\n" + LOAD % load + under + END,
                       *policy.options(*options, "--threads", str(threads),
                                       *kclient.options()),
                       seconds=400)
    findings = Findings()
    counts = homes.count(guest.files["witnessed"])
    for name in policy.NAMES:
        findings.true(f"{name}: admit was asked {counts.get((name, 'admit'), 0)} times",
                      counts.get((name, "admit"), 0) >= ENOUGH)
    have = {callback: sum(n for (_, c), n in counts.items() if c == callback)
            for callback in homes.CALLBACKS}
    findings.true(f"callbacks: {have}", min(have.values()) > 20)
    findings.done()


@test()
def policy_homes_2(context: Context) -> None:
    compared(context, 2, 20, "--icount")


@test(check_all=True)
def policy_homes_4(context: Context) -> None:
    """On two CPUs and with two more threads what policy_homes_2 looks at on one."""
    compared(context, 4, 15)
