# SPDX-License-Identifier: GPL-2.0-only
"""One policy rules two devices: each has a queue and counters of its own, what one ejects is
left by both, and when one goes the other stays under its policy.

The two are one OP-TEE, which the driver takes for two. It has threads for all calls of both: the
driver's own rule would let a call that finds none sleep until another one of its device ends. And calls
of both are never there at once: where two meet in a mutex of OP-TEE, the one that gives it back
wakes by way of its own device, and a waiter of the other one sleeps on."""

from ..lib import account, policy, vm
from ..lib.registry import Context, Findings, test
from .test_policy_faults import Fault, build, check_log

PATCH = vm.ROOT / "tests/driver/patches/two-devices.patch"
REPEAT = 10
HERE, THERE = 2, 3  # clients of the first device, and of the second
LOADS = ("here", "there", "left", "back")

DEVICES = r"""
open_load() { # NAME DEVICE COUNT: all have their sessions on return, and wait for load_go
	[ $2 = 0 ] || mount --bind /dev/tee$2 /dev/tee0 || die "cannot put tee$2 first"
	optee-load -o /tmp/$1.load --ready-file /tmp/$1.ready --wait-file /tmp/$1.go \
		"name=N count=$3 ta=invoke_tests repeat=%(repeat)d nop" >/tmp/$1.out 2>&1 &
	eval LOAD_$1=$!
	wait_for 60 test -e /tmp/$1.ready
	[ $2 = 0 ] || umount -l /dev/tee0
}
load_go() { touch /tmp/$1.go; }
load_wait() { eval wait \$LOAD_$1 || die "optee-load failed: $(cat /tmp/$1.out)"; }
load_all() { open_load $@; load_go $1; load_wait $1; }
supplicant() { tee-supplicant /dev/teepriv1 2>/dev/null & SUPPLICANT=$!; }
idle() { ! grep -q '_in_flight [1-9]\|_waiting [1-9]' $STATE; }
entered() { echo "$1 $(state 'queue 0 norm_calls') $(state 'queue 1 norm_calls')"; }

supplicant
dmesg_begin
open_load here 0 %(here)d
open_load there 1 %(there)d
policy_hold crowded
load_go there # which are three in its queue
wait_for 10 policy_is -
wait $POLICY && die "policy attach saw no ejection: $(cat /tmp/policy.log)"
load_wait there
load_go here # whom it would not let in
load_wait here
wait_for 20 idle
dmesg_since >/tmp/crowded.dmesg

policy_start upstream
rm /tmp/*.ready /tmp/*.go
load_all here 0 %(here)d
entered first
rm /tmp/*.ready /tmp/*.go
load_all there 1 %(there)d
entered second
policy_swap none
entered swapped

dmesg_begin
kill $SUPPLICANT
wait $SUPPLICANT
echo optee-2 >/sys/bus/platform/drivers/optee/unbind || die "cannot unbind the device"
policy_is none || die "no policy any more: $(cat $STATE)"
entered unbound
load_all left 0 %(here)d
entered left
echo optee-2 >/sys/bus/platform/drivers/optee/bind || die "cannot bind the device"
wait_for 30 test -e /dev/teepriv1
supplicant
load_all back 1 %(there)d
# The driver itself looks for TAs that are devices, by way of the first one.
echo back $(state 'queue 1 norm_calls')
policy_stop
idle || die "somebody is left: $(cat $STATE)"
dmesg_since | grep -v 'optee: \(probing\|revision\|Async\|dynamic\|init\)' >/tmp/dmesg || :
""" % {"repeat": REPEAT, "here": HERE, "there": THERE}


@test()
def policy_devices(context: Context) -> None:
    options = policy.options("--two-devices", "--threads", "4", *build(context, "crowded"),
                             patch=PATCH)
    guest = policy.run(context, DEVICES, *options,
                       gets=["dmesg", "crowded.dmesg", *(f"{n}.load" for n in LOADS)])
    findings = Findings()
    for name, clients in zip(LOADS, (HERE, THERE) * 2):
        calls = account.load(guest.files[f"{name}.load"]).calls
        findings.equal(f"{name}: calls", sum(1 for c in calls if c.op == "invoke"),
                       clients * REPEAT)
        findings.true(f"{name}: calls lost or failed",
                      all(c.end is not None and not c.failed for c in calls))
    check_log(findings, guest, "crowded", Fault("it gave up", -16))
    here, there = (n * (REPEAT + 2) for n in (HERE, THERE))  # they open and close, too
    said = {words[0]: [int(n) for n in words[1:]]
            for words in (line.split() for line in guest.out.decode().splitlines())}
    want = {"first": [here, 0], "second": [here, there], "swapped": [0, 0], "unbound": [0],
            "left": [here], "back": [there]}
    for name, calls_by_device in want.items():
        findings.equal(f"{name}: calls that entered, by device", said.get(name), calls_by_device)
    findings.equal("the kernel's log", guest.read("dmesg"), b"")
    findings.done()
