# SPDX-License-Identifier: GPL-2.0-only
"""The machine changes while optee-top looks: CPUs come and go, and OP-TEE is not the only TEE."""

from ..lib import account, frames, kmod, vm
from ..lib.registry import Context, Findings, test

# Two of four CPUs at the attach. Then they come, and others go, under load. /dev/tee0 is another
# TEE's, and has a client.
RUN = r"""
cpu() { echo $2 >/sys/devices/system/cpu/cpu$1/online || die "cannot switch CPU $1 to $2"; }
modprobe tee
insmod /othertee.ko || die "no othertee.ko"
wait_for 10 test -e /dev/tee0
exec 5<>/dev/tee0
cpu 2 0
cpu 3 0
modprobe optee
wait_for 30 test -e /dev/tee1
tee-supplicant -d
optee-top record --strict /tmp/recording >/tmp/record.out 2>&1 &
RECORD=$!
wait_for 60 test -s /tmp/recording
top_start -d 0.2
optee-load -o /tmp/load --ready-file /tmp/ready 'name=asker count=6 ta=invoke_tests repeat=400 nop gap=5..15' \
	'name=holder count=2 repeat=12 wait=100..300 gap=20' &
LOAD=$!
wait_for 60 test -e /tmp/ready
for turn in 1 2 3; do
	cpu 2 1
	cpu 3 1
	usleep 300000
	cpu 1 0
	usleep 300000
	cpu 1 1
	cpu 2 0
	cpu 3 0
	usleep 300000
done
kill -0 $LOAD || die "the load was over before the CPUs had changed"
wait $LOAD || die "optee-load failed"
top_stop
kill -INT $RECORD
wait $RECORD
echo "record: $?"
optee-top export --format jsonl --output /tmp/calls.jsonl /tmp/recording || die "export failed"
"""


@test(slots=2, check_all=True)
def cpus_come_and_go(context: Context) -> None:
    """All calls are counted and recorded on whatever CPU they were, and those of OP-TEE only."""
    guest = vm.run(context, RUN, "--no-tee", "--cpus", "4",
                   "--put", f"{kmod.build('othertee')}:/othertee.ko",
                   gets=("top.jsonl", "load", "record.out", "calls.jsonl"), seconds=300)
    findings = Findings()
    findings.equal("what record said", guest.out.decode(), "record: 0\n")
    seen = frames.load(guest.files["top.jsonl"])
    frames.check_sane(findings, seen)
    findings.equal("TEEs", {p["tee"] for f in seen for p in f["pools"]}, {1})
    truth = account.load(guest.files["load"])
    rows = frames.final_sessions(seen)
    recorded = [o for o in frames.parse(guest.read("calls.jsonl")) if o["type"] == "call"]
    for pid in {c.pid for c in truth.calls}:
        mine = [c for c in truth.calls if c.pid == pid and c.ordinal is not None]
        findings.equal(f"calls of client {pid}, by its sessions",
                       sum(r["calls"] for r in rows if r["pid"] == pid), len(mine))
        findings.equal(f"calls of client {pid}, recorded",
                       len([o for o in recorded if o["pid"] == pid and o["session"] is not None]),
                       len(mine))
    findings.equal("the most threads in use", seen[-1]["pools"][0]["in_use_peak"], 2)
    findings.done()
