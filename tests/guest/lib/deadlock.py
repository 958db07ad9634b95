# SPDX-License-Identifier: GPL-2.0-only
"""Deadlocks of the call queue, made surely and undone, and states that only look so.

All need the plugin in the guest (PUT: tee-supplicant loads it at boot) and two TEE
threads; deadlock_both needs the module tests/driver/modules/nested, and leaves it loaded. A
function returns when all is as its comment says, and each task of it is asleep where
it should be. A task's role, tid and function stand in /tmp/tasks (TASKS) then:

    P1 .. P3    clients whose call is in the RPC to the plugin
    plugin1 ..  tee-supplicant's threads that serve P1's, P2's RPC; their comm is
                tee-supplicant
    L, lock     two tasks of a client that share a session: L's call is in the RPC to the
                plugin, and lock's waits inside OP-TEE until L's has ended
    outer       a client's task: its call is in the LOAD_TA RPC, its nested one queued
    H-1, H-2    clients whose call waits inside OP-TEE, in an RPC to the kernel
    A-1, A-2    clients whose call is in an RPC to tee-supplicant, which does not run
    W, W-1 ..   clients whose call is queued

OP-TEE's interrupt thread (irq/N-optee_no) may be queued too: once a second it has a
notification to fetch."""

from . import vm
from .events import MS

PLUGIN = vm.ROOT / "build/arm64/calling-plugin.so"
PUT = ("--put", f"{PLUGIN}:/usr/lib/tee-supplicant/plugins/calling.so")
TASKS = "tasks"
FILES = (TASKS, "plugin.log")

# A shell fragment, after vm.PRELUDE.
SCRIPT = r"""
PLUGIN_TA=380231ac-fb99-47ad-a689-9e017eb6e78a
QUEUED=optee_cq_wait_for_completion
IN_SUPP_RPC=optee_supp_thrd_req
IN_LOCK=optee_notif_wait

no_supplicant() { ! pidof tee-supplicant >/dev/null; }
restart_supplicant() {
	killall -q tee-supplicant
	wait_for 30 no_supplicant
	tee-supplicant -d || die "cannot start tee-supplicant"
}

begin() { # whatever was before in this guest; the plugin counts from its first order
	[ ! -e /tmp/plugin.orders ] || restart_supplicant
	rm -f /tmp/plugin.* /tmp/tasks
	LOADS= VICTIM_LOAD=
}

arrived() { grep -q "^$1 .* arrives" /tmp/plugin.log 2>/dev/null; }
is_asleep() { # TID FUNCTION
	at=
	{ read -r at <"/proc/$1/wchan"; } 2>/dev/null
	[ "$at" = "$2" ]
}

find_asleep() { # COMM FUNCTION: a client of ours; sets PID and TID
	for pid in $LOADS; do
		for PID in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
			for TID in $(ls "/proc/$PID/task" 2>/dev/null); do
				comm=
				{ read -r comm <"/proc/$TID/comm"; } 2>/dev/null
				[ "$comm" = "$1" ] && is_asleep "$TID" "$2" && return
			done
		done
	done
	return 1
}

task() { # ROLE FUNCTION [TID]: waits until it sleeps there
	if [ $# = 3 ]; then
		TID=$3
		wait_for 30 is_asleep "$TID" "$2"
	else
		wait_for 30 find_asleep "$1" "$2"
	fi
	echo "$1 $TID $2" >>/tmp/tasks
}

plugin_task() { # ORDER FUNCTION
	task "plugin$1" "$2" "$(sed -n "s/^$1 \([0-9]*\) arrives.*/\1/p" /tmp/plugin.log)"
}

load() { # NAME CLIENT...: its account goes to /tmp/load.NAME
	name=$1; shift
	optee-load -o "/tmp/load.$name" "$@" &
	LOADS="$LOADS $!"
}

invoke_plugin() { # ORDER BEFORE ACTION AFTER: client PN is in the RPC that has the order
	echo "$2 $3 $4" >>/tmp/plugin.orders
	load "P$1" "name=P$1 ta=$PLUGIN_TA cmd=6"
	wait_for 30 arrived "$1"
	task "P$1" $IN_SUPP_RPC
}

# Switches count the times that a task slept: equal numbers say that it never moved.
switches() {
	while read -r role tid at; do
		echo "$role $at" $(sed -n 's/.*ctxt_switches://p' "/proc/$tid/status")
	done </tmp/tasks
}
stuck() { switches >/tmp/switches; }
still_stuck() { [ "$(switches)" = "$(cat /tmp/switches)" ]; }

deadlock_supplicant() { # both threads are held for P1 and P2, both plugin calls are queued
	begin
	invoke_plugin 1 /tmp/plugin.go call /tmp/plugin.late
	VICTIM=$PID VICTIM_LOAD=$!
	invoke_plugin 2 /tmp/plugin.go call /
	touch /tmp/plugin.go
	plugin_task 1 $QUEUED
	plugin_task 2 $QUEUED
	stuck
}

deadlock_both() { # MODULE: held for P1 and outer; plugin1 and outer's nested call are queued
	begin
	insmod "$1" comm=outer wait_ms=100 || die "no nested.ko"
	invoke_plugin 1 /tmp/plugin.go call /tmp/plugin.late
	VICTIM=$PID VICTIM_LOAD=$!
	load outer 'name=outer ta=concurrent sessions=0 open burn=1 close'
	task outer $QUEUED
	touch /tmp/plugin.go
	plugin_task 1 $QUEUED
	stuck
}

# Both threads are held for L and lock; L is behind plugin1, which is queued.
deadlock_lock() {
	begin
	echo "/tmp/plugin.go call /tmp/plugin.late" >/tmp/plugin.orders
	load L "name=L ta=$PLUGIN_TA threads=2 cmd=6"
	wait_for 30 arrived 1
	task L $IN_SUPP_RPC
	VICTIM=$PID VICTIM_LOAD=$!
	wait_for 30 find_asleep L $IN_LOCK
	task lock $IN_LOCK "$TID"
	touch /tmp/plugin.go
	plugin_task 1 $QUEUED
	stuck
}

# One thread is held for P1, plugin1 and W are queued; the other is in reserve, for S,
# which makes a call now and then. Needs kclient.SCRIPT, and ends with kclient_wait.
deadlock_reserve() { # WORDS: of S, for kclient
	begin
	kclient_start <<-END
		name=S system $1
	END
	invoke_plugin 1 /tmp/plugin.go call /tmp/plugin.late
	VICTIM=$PID VICTIM_LOAD=$!
	touch /tmp/plugin.go
	plugin_task 1 $QUEUED
	load W 'name=W ta=invoke_tests nop'
	task W $QUEUED
}

finish() { # all calls end well but the victim's
	for pid in $LOADS; do
		wait "$pid" || [ "$pid" = "$VICTIM_LOAD" ] || die "optee-load failed"
	done
	[ -n "$VICTIM_LOAD" ] || return 0
	touch /tmp/plugin.late
	restart_supplicant
}

# Killed, P1 leaves its RPC and OP-TEE, and all others get through; nothing gentler helps,
# for those in the queue cannot be interrupted. To be told that the one it answers is gone
# ends tee-supplicant, so plugin1 answers only after the others' RPCs are served.
deadlock_rescue() {
	kill -9 "$VICTIM" || die "P1 has no process"
	finish
}

busy_plugins() { # held for P1, P2; plugin2's call is queued, but plugin1 will return at will
	begin
	invoke_plugin 1 /tmp/plugin.end return /
	invoke_plugin 2 /tmp/plugin.go call /
	touch /tmp/plugin.go
	plugin_task 2 $QUEUED
}

# As in deadlock_supplicant P2 waits for plugin2, which is queued; but P1 was killed, and
# its thread went to P3, whose plugin3 will return at will. plugin1 is queued for nobody.
busy_revoked() {
	begin
	load P3 --ready-file /tmp/plugin.P3 --wait-file /tmp/plugin.go3 \
		"name=P3 ta=$PLUGIN_TA cmd=6"
	wait_for 30 test -e /tmp/plugin.P3
	invoke_plugin 1 /tmp/plugin.go call /tmp/plugin.late
	VICTIM=$PID VICTIM_LOAD=$!
	invoke_plugin 2 /tmp/plugin.go call /
	echo "/tmp/plugin.end return /" >>/tmp/plugin.orders
	touch /tmp/plugin.go3
	wait_for 30 find_asleep P3 $QUEUED
	kill -9 "$VICTIM"
	sed -i '/^P1 /d' /tmp/tasks
	wait_for 30 arrived 3
	task P3 $IN_SUPP_RPC
	touch /tmp/plugin.go
	plugin_task 1 $QUEUED
	plugin_task 2 $QUEUED
	stuck
}

busy_waits() { # MS: held for H-1 and H-2 so long, W-1 to W-4 are queued
	begin
	load busy "name=H count=2 wait=$1" 'name=W count=4 at=300 wait=10'
	for n in 1 2; do
		task H-$n msleep_interruptible
	done
	for n in 1 2 3 4; do
		task W-$n $QUEUED
	done
}

# Held for L, which waits so long, and lock, which waits for L's session; W is queued.
busy_lock() { # MS
	begin
	load L "name=L threads=2 wait=$1"
	wait_for 30 find_asleep L msleep_interruptible
	task L msleep_interruptible "$TID"
	wait_for 30 find_asleep L $IN_LOCK
	task lock $IN_LOCK "$TID"
	load W 'name=W ta=invoke_tests nop'
	task W $QUEUED
	stuck
}

# As in deadlock_reserve, but plugin1 will return at will.
busy_reserve() {
	begin
	kclient_start <<-END
		name=S system at=4000 wait=1
	END
	invoke_plugin 1 /tmp/plugin.end return /
	load W 'name=W ta=invoke_tests nop'
	task W $QUEUED
	stuck
}

busy_end() {
	touch /tmp/plugin.end
	finish
}

supplicant_leaves() { # A-1 and A-2 have their sessions by then
	begin
	load A --ready-file /tmp/plugin.A --wait-file /tmp/plugin.go \
		"name=A count=2 ta=$PLUGIN_TA cmd=6"
	wait_for 30 test -e /tmp/plugin.A
	killall tee-supplicant
	wait_for 30 no_supplicant
}

# After supplicant_leaves: held for A-1 and A-2, whose requests nobody takes; W is queued.
busy_alone() {
	touch /tmp/plugin.go
	task A-1 $IN_SUPP_RPC
	task A-2 $IN_SUPP_RPC
	load W 'name=W ta=concurrent sessions=0 open burn=1 close'
	task W $QUEUED
	stuck
}

alone_end() {
	printf '/ return /\n/ return /\n' >/tmp/plugin.orders
	tee-supplicant -d || die "cannot start tee-supplicant"
	finish
}
"""

# Events of several watchers, after SCRIPT, events.SCRIPT and oracle_start.
# watch NAME [OPTION...]: one more optee-top events, which is attached and looks on return.
# mark NAME: what is now, for Marks.
WATCH = r"""
WATCHERS=
watch() {
	name=$1; shift
	optee-top events "$@" >/tmp/events.$name 2>/tmp/events.err &
	EVENTS=$!
	WATCHERS="$WATCHERS $EVENTS"
	wait_for 60 look_sleeps
	mark "$name"
}

watch_stop() {
	for EVENTS in $WATCHERS; do
		events_stop
	done
}

mark() { echo "$1 $(cut -d ' ' -f 1 /proc/uptime)" >>/tmp/marks; }

finish_run() {
	top_stop
	watch_stop
	oracle_stop
	cat /tmp/load.* >/tmp/load
}

oracle_start
top_start -d 0.5
"""


def mark_times(guest: vm.Run) -> dict[str, int]:
    """The next full 10 ms of CLOCK_MONOTONIC: as there is no suspend, uptime is the same."""
    return {name: int(float(at) * 1e9) + 10 * MS
            for name, at in map(str.split, guest.read("marks").decode().splitlines())}
