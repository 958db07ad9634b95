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

# Where the close of a system session finds no memory (show-close.patch), two normal calls of a
# second each are made at once afterwards.
COUNT_LEAK = r"""
parallel() {
	optee-load -o /tmp/load 'name=N count=2 at=100 wait=1000' || die "optee-load failed"
	calls /tmp/load 'N-[12]'
}
kclient_load
kclient_run <<END
name=S system wait=10
END
echo "S: open, invoke, close: $(sed -n 's/.*"op":"\([a-z]*\)".*"result":\([-0-9]*\)}/\1 \2/p' /tmp/kclient | tr '\n' ' ')"
parallel
"""

# tee-supplicant dies while K's request is made (show-nowait.patch); K does not want to wait.
NOWAIT = r"""
no_supplicant() { ! pidof tee-supplicant >/dev/null; }
up() { read -r now rest </proc/uptime; echo "$now"; }
kclient_load
(printf 'name=K wait=10\n' >$KCLIENT/run; echo $(up) >/tmp/returned) 2>/dev/null &
FROM=$(up)
usleep 1000000
killall -9 tee-supplicant
wait_for 10 no_supplicant
usleep 9000000
if [ -e /tmp/returned ]; then
	echo "$FROM $(cat /tmp/returned)" | awk '{ printf "K has returned after %.1f s\n", $2 - $1 }'
	dmesg | grep -o 'kclient: .K. cannot.*' | tail -n 1
else
	for p in /proc/[0-9]*; do
		read -r c <$p/comm && [ "$c" = K ] && echo "K is in$(sed 's/.*0>\]//' $p/stack | head -n 1) after 10 s"
	done 2>/dev/null
fi
"""

# Linux's own SCMI client sets a clock that needs no time, alone and beside normal clients.
SCMI = r"""
kclient_load
run() { # WHAT
	kclient_run
	sed -n 's/.*"client":"C".*"start_ns":\([0-9]*\),"end_ns":\([0-9]*\).*/\1 \2/p' /tmp/kclient | awk -v what="$1" '
	NR == 1 { from = $1 }
	{ to = $2; if ($2 - $1 > max) max = $2 - $1 }
	END { printf "%s: %d rate changes, 50 ms apart, in %.2f s; the longest took %.1f ms\n", what, NR, (to - from) / 1e9, max / 1e6 }'
}
run "without load" <<END
name=C clock=2 repeat=20 wait=1 gap=50
END
run "beside three normal clients" <<END
name=C clock=2 at=100 repeat=20 wait=1 gap=50
name=N count=3 repeat=30 wait=500
END
"""

BOTTOM_HALF = r"""
# How long each bottom half took, by kprobe events: who of OP-TEE has interrupts to handle waits for it.
T=/sys/kernel/tracing
kclient_load
run() { # WHAT HOLDERS
	usleep 1500000
	echo >$T/trace
	optee-load -o /dev/null "name=H count=$2 wait=5000" 'name=B count=4 at=200 repeat=4 wait=500' || die "optee-load failed"
	usleep 1500000
	sed -n 's/^.* \([0-9.]*\): bh_\([a-z]*\): .*/\1 \2/p' $T/trace | awk -v what="$1" '
	$2 == "begin" { from = $1 }
	$2 == "end" && from { d = ($1 - from) * 1000; n++; if (d > max) max = d; from = 0 }
	END { printf "%s: %d bottom halves, the longest took %.1f ms\n", what, n, max }'
}
echo 'p:bh_begin optee_do_bottom_half' >$T/kprobe_events || die "no kprobe events"
echo 'r:bh_end optee_do_bottom_half' >>$T/kprobe_events
echo 1 >$T/events/kprobes/enable
run "no system session" 2
grep -q vm.ffa=1 /proc/cmdline && exit 0 # there are none
kclient_start <<END
name=S system
name=R at=20000 wait=10
END
run "a system session, idle" 1
"""

KILLED = r"""
# Two kernel tasks have all threads for 30 s, and W waits for one.
up() { read -r now rest </proc/uptime; echo "$now"; }
begin() { # returns with W asleep in the queue, as $PID
	kclient_start <<END
name=H count=2 wait=$1
END
	optee-load -o /dev/null 'name=W ta=invoke_tests sessions=0 open nop close' &
	LOAD=$!
	wait_for 20 asleep
}
asleep() { PID=$(pidof W | tr ' ' '\n' | sort -n | tail -n 1); [ -n "$PID" ] && cat /proc/$PID/task/*/stack 2>/dev/null | grep -q optee_cq_wait; }
gone() { ! cat /proc/$PID/task/*/stack 2>/dev/null | grep -q optee_; }
end() { kclient_wait 60; wait $LOAD; }
kclient_load
begin 30000
FROM=$(up)
kill -9 $PID $LOAD 2>/dev/null
wait_for 60 gone
echo "$FROM $(up)" | awk '{ printf "W was gone %.1f s after kill -9\n", $2 - $1 }'
end
begin 40000
echo freezer >/sys/power/pm_test || die "no pm_test"
echo 5000 >/sys/power/pm_freeze_timeout
dmesg -c >/dev/null
FROM=$(up)
if echo freeze >/sys/power/state 2>/tmp/err; then R=succeeds; else R="fails: $(cat /tmp/err)"; fi
echo "suspend (up to the freezer) $R, after $(echo "$FROM $(up)" | awk '{ printf "%.1f s", $2 - $1 }')"
dmesg | sed 's/^\[ *[0-9.]*\] *//' | grep -iE 'freez|refus' | head -n 5
kill -0 $PID && echo "W still waits"
end && echo "W's call has ended well"
"""

KILLED_REQUEST = r"""
# A client is killed while tee-supplicant works on its request.
decided() { ! kill -0 $S 2>/dev/null || grep -q '^1 test case.*' /tmp/after || grep -q '0 test cases* failed\|of which 0 failed' /tmp/after; }
begin
killall tee-supplicant
wait_for 30 no_supplicant
tee-supplicant >/tmp/supp.err 2>&1 &
S=$!
usleep 500000
invoke_plugin 1 /tmp/plugin.go return /
up() { read -r now rest </proc/uptime; echo "$now"; }
FROM=$(up)
kill -9 $PID
usleep 1000000
if cat /proc/$PID/task/*/stack 2>/dev/null | grep -q optee_supp_thrd_req; then echo "1 s after kill -9 the client waits for the answer"; else echo "1 s after kill -9 the client is gone"; fi
touch /tmp/plugin.go
usleep 500000
(timeout 60 xtest -t regression 6001 >/tmp/after 2>&1) & # two requests at least, which its threads wait for
wait_for 20 decided
if kill -0 $S 2>/dev/null; then echo "tee-supplicant goes on, xtest 6001 has passed"; else wait $S; echo "tee-supplicant has ended with status $?: $(grep -o 'TEE_IOC.*' /tmp/supp.err | head -n 1)"; fi
"""

UNBIND = r"""
# With two calls in flight. What the driver has freed is looked at when they return.
for D in /sys/bus/platform/drivers/optee /sys/bus/arm_ffa/drivers/optee; do
	for DEVICE in "$D"/*; do
		[ -e "$DEVICE/power" ] && break 2
	done
done
optee-load -o /dev/null 'name=A count=2 wait=3000' &
usleep 1500000
if [ ! -e "$D/unbind" ]; then
	echo "there is no $D/unbind"
	exit 0
fi
dmesg -c >/dev/null
echo "${DEVICE##*/}" >"$D/unbind" &
UNBIND=$!
usleep 6000000
dmesg | sed 's/^\[ *[0-9.]*\] *//' | grep -E 'Freeing non-free|Unable to handle|Internal error|BUG|WARNING|^pc :|^lr :|already free'
kill -0 $UNBIND 2>/dev/null && echo "unbind has not returned, it is in$(sed 's/.*0>\]//' /proc/$UNBIND/stack | head -n 2 | tr '\n' ' ')"
for pid in $(pidof A-1 A-2); do echo "$(cat /proc/$pid/comm): $(sed -n 's/^State:[[:space:]]*//p' /proc/$pid/status), in$(sed 's/.*0>\]//' /proc/$pid/stack | head -n 1)"; done
"""

# Of a call that waits for another five seconds, while both have all threads: T is two.
CANCEL = r"""
/show-cancel
"""

ASIDE = {
    "tracepoints": TRACEPOINTS,
    "cost": COST,
    "count-leak": COUNT_LEAK,
    "nowait": NOWAIT,
    "scmi": SCMI,
    "bottom-half": BOTTOM_HALF,
    "killed": KILLED,
    "killed-request": KILLED_REQUEST,
    "unbind": UNBIND,
    "cancel": CANCEL,
}
