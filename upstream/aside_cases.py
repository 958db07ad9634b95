# SPDX-License-Identifier: GPL-2.0-only
"""What upstream/measure shows of the patches that are not in the series itself."""

# The trace events of the queue against what the clients noted of their calls, by task. A call
# over FF-A is admitted first and sleeps then, as only secure world knows that it has to.
TRACEPOINTS = r"""
T=/sys/kernel/tracing
EVENTS="wait_begin wait_end admit wake release"
for e in $EVENTS; do echo 1 >$T/events/optee/optee_cq_$e/enable || die "no events"; done
echo 8192 >$T/buffer_size_kb
optee-load -o /tmp/load 'name=A count=2 repeat=20 wait=20..60 gap=10..30' 'name=B count=3 repeat=20 wait=10..50 gap=5..20' \
	'name=C ta=invoke_tests repeat=200 nop gap=3' || die "optee-load failed"
for e in $EVENTS; do echo 0 >$T/events/optee/optee_cq_$e/enable; done
# What the clients noted, and what the events say: by task, in the order of their calls.
sed -n 's/.*"client":"\([^"]*\)".*"tid":\([0-9]*\).*"start_ns":\([0-9]*\),"end_ns":\([0-9]*\).*/call \2 \1 \3 \4/p' /tmp/load |
	sort -k4n >/tmp/calls
sed -n 's/^ *\(.*\)-\([0-9]*\) *\[.*\] [^ ]* *\([0-9.]*\): optee_cq_\([a-z_]*\): \(.*\)/event \2 \3 \4 \5/p' $T/trace >/tmp/events
grep entries $T/trace
awk '
$1 == "call" { n[$2]++; took[$2, n[$2]] = ($5 - $4) / 1e6; calls++; next }
{ t = $3 * 1000; tid = $2 }
$4 == "wake" { split($0, p, "pid="); if (p[2] in n) { wakes++; if (!(p[2] in begun)) odd++ } }
!(tid in n) { others += $4 == "admit"; next }
$4 == "wait_begin" { begun[tid] = t; if (!(tid in first)) first[tid] = t; waits++ }
$4 == "wait_end" { waited[tid] += t - begun[tid]; delete begun[tid] }
$4 == "admit" { admits++; k[tid]++; if (!(tid in first)) first[tid] = t }
$4 == "release" {
	releases++
	d = took[tid, k[tid]] - (t - first[tid])
	sum += d; if (d > max) max = d; if (d < 0) bad++
	if (waited[tid] > 0) queued++
	wsum += waited[tid]; tsum += took[tid, k[tid]]
	delete first[tid]; waited[tid] = 0
}
END {
	printf "%d calls in the account, %d admit, %d release, %d admit of others\n", calls, admits, releases, others
	printf "%d calls queued, %d wait_begin, %d wakes of these, %d of them of no sleeper\n", queued, waits, wakes, odd
	printf "the calls took %.0f ms, %.0f ms asleep in the queue; outside of the events: mean %.3f ms, at most %.3f ms; %d negative\n", tsum, wsum, sum / calls, max, bad
}' /tmp/calls /tmp/events
"""

# What a call that does nothing takes its caller; its clock counts instructions.
COST = r"""
T=/sys/kernel/tracing
run() {
	optee-load -o /tmp/load 'name=c ta=invoke_tests repeat=3100 nop' || die "optee-load failed"
	sed -n 's/.*"op":"invoke".*"start_ns":\([0-9]*\),"end_ns":\([0-9]*\).*/\1 \2/p' /tmp/load |
		awk -v w="$1" 'NR > 100 { s += $2 - $1; n++ } END { printf "%s: %.0f instructions each, %d calls\n", w, s / n, n }'
}
run "events off"
for e in wait_begin wait_end admit wake release; do
	echo 1 >$T/events/optee/optee_cq_$e/enable
done 2>/dev/null && run "events on"
"""

ASIDE = {
    "tracepoints": TRACEPOINTS,
    "cost": COST,
}
