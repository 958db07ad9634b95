# SPDX-License-Identifier: GPL-2.0-only
"""A record per call: none is missing, and there is no buffer unless somebody records."""

from ..lib import frames, vm
from ..lib.registry import Context, Findings, test

RUN = r"""
buffers() { # the sizes of the kernel's ring buffers
	awk '/ringbuf/ { print $2 }' /proc/vmallocinfo | sort -n | tr '\n' ' '
}

top_start -d 0.5
echo "plain $(buffers)" >>/tmp/buffers
top_stop
mv /tmp/top.jsonl /tmp/plain.jsonl
for hooks in "" --kprobes; do
	rm -f /tmp/recording
	top_start -d 0.5 $hooks record /tmp/recording
	echo "record$hooks $(buffers)" >>/tmp/buffers
	optee-load --records 0 -o /dev/null 'name=A ta=os_test count=4 repeat=200 wait=1' ||
		die "optee-load failed"
	top_stop
	mv /tmp/top.jsonl "/tmp/record$hooks.jsonl"
done
no_buffer() { [ -z "$(buffers)" ]; } # the kernel takes its time
wait_for 30 no_buffer
"""
FILES = ("plain.jsonl", "record.jsonl", "record--kprobes.jsonl", "buffers")
EVENTS, CALLS = 64 << 10, 256 << 10  # of the two buffers


@test()
def call_records(context: Context) -> None:
    guest = vm.run(context, RUN, gets=FILES)
    findings = Findings()
    sizes = {name: [int(size) for size in rest] for name, *rest in
             (line.split() for line in guest.read("buffers").decode().splitlines())}
    # Each is mapped twice over, and has a few pages more.
    for name, wanted in ("plain", [EVENTS]), ("record", [EVENTS, CALLS]), \
            ("record--kprobes", [EVENTS, CALLS]):
        findings.equal(f"buffers ({name})", [size // (2 * EVENTS) * EVENTS for size in sizes[name]],
                       wanted)
    plain = frames.load(guest.files["plain.jsonl"])
    findings.equal("records of nobody", plain[-1]["call_records"], None)
    for name in "record", "record--kprobes":
        seen = frames.load(guest.files[f"{name}.jsonl"])
        frames.check_sane(findings, seen, {"calls_late": None})
        last = seen[-1]
        records = last["call_records"]
        accounted = sum(c["calls"] for p in last["pools"] for c in p["class_sums"].values())
        findings.true(f"{name}: only {accounted} calls", accounted >= 800)
        findings.equal(f"{name}: records", (records["emitted"], records["lost"]), (accounted, 0))
        findings.equal(f"{name}: sum of the CPUs", [sum(n) for n in zip(*records["per_cpu"])],
                       [accounted, 0])
        findings.equal(f"{name}: CPUs", len(records["per_cpu"]), 2)
    findings.done()
