# SPDX-License-Identifier: GPL-2.0-only
"""The workloads that a driver has to get through, and the rules that hold in each.

All run on one CPU that counts instructions (--icount): the same driver is judged alike
every time, however busy the host is. What only two CPUs at once can do is not tried."""

import re
from typing import NamedTuple, Sequence

from guest.lib import deadlock, kclient

# After vm.PRELUDE. A workload ends by itself or with the name of what did not come.
# Whoever asks often is part of the load, and of the time: 5 times a second, by builtins.
COMMON = r"""
runs() { # PID
	read -r name <"/proc/$1/cmdline" || [ -n "$name" ]
} 2>/dev/null

ends() { # SECONDS PID: well, and by then
	left=$(($1 * 5)); name=
	while runs "$2"; do
		left=$((left - 1)); name=
		[ $left -gt 0 ] || die "a client did not end in $1 s"
		usleep 200000
	done
	wait "$2" || die "a client ended with status $?"
}

within() { # SECONDS COMMAND [ARG...]
	limit=$1; shift
	"$@" &
	ends "$limit" $!
}

given() { # a new file for the account of a client: validation/accounts.py compares them
	mktemp /tmp/accounts/XXXXXX
}
""" + kclient.SCRIPT + r"""
kclient_wait_given() { # as kclient_wait
	kclient_wait "$@"
	cp /tmp/kclient "$(given)"
}
kclient_run_given() { # as kclient_run
	kclient_start
	kclient_wait_given "$@"
}
"""

Rules = Sequence[tuple[str, str]]  # a rule, and why it is there

EVERYWHERE: Rules = (
    ("no_losses", "what was not seen cannot be judged"),
    ("no_deadlock", "none of the workloads has to end in one"),
    ("no_count_mismatch", "the driver admits no call for which OP-TEE has no thread"),
    ("no_drift", "the driver's count of its threads is right all the time"),
    ("no_count_leak", "and all threads are back at the end"),
    ("no_reservation_leak", "as is what was in reserve"),
    ("command_succeeds", "the load got through, and in time"),
)
CALLS_SUCCEED = ("no_failed_calls", "nothing is asked of OP-TEE that it has to refuse")
LIMITED = ("no_overrun", "system calls keep to what is in reserve for them")
WAKES = ("no_lost_wake", "who is to be woken is woken")

# Among calls that last up to 20 ms: one in flight that swallows a wake gives it back when
# it ends. The stock driver has these, and longer ones are looked for in a workload of
# their own.
SHORT_STRANDS = ("no_stranded 100ms", "nobody sleeps on beside a free thread; a wake that "
                 "is swallowed by a call of 20 ms is not what this is about")


class Workload(NamedTuple):
    name: str
    what: str
    script: str  # %(threads)d is T
    rules: Rules
    clients: bool = False  # needs the modules of tests/driver/modules
    plugin: bool = False   # and tests/programs/lib/calling-plugin.c
    account: bool = False  # and tests/programs/lib/tee-account.c
    scmi: bool = False     # and an OP-TEE with an SCMI server
    least_threads: int = 0 # with more than Debian's, OP-TEE is 4.10
    hidden_ms: int = 10    # of a call, that optee-top may not know of: accounts.py
    seconds: int = 30      # about how long the guest takes


IDLE = Workload(
    "idle", "one client, a call now and then",
    "within 20 optee-load -o \"$(given)\" 'name=one ta=invoke_tests repeat=50 nop gap=40'\n",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED, WAKES, SHORT_STRANDS,
     ("calls_at_least 50", "else this is no test"),
     ("no_starved 20ms", "nobody is there to wait for, but the notifications")),
    seconds=12)

CONTENDED = Workload(
    "contended", "more clients than threads, short calls, sessions that come and go",
    r"""
within 60 optee-load -o "$(given)" -s 6 \
	'name=asker ta=invoke_tests repeat=0 nop gap=20..60' \
	'name=short count=%(clients)d repeat=0 wait=1..20 gap=5..30' \
	'name=opener sessions=0 ta=invoke_tests repeat=0 open nop nop close gap=50..100'
""",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED, WAKES, SHORT_STRANDS,
     ("no_starved 1s", "all calls are short: everybody has a turn"),
     ("calls_at_least 300", "else this is no test")),
    seconds=20)

SYSTEM = Workload(
    "system", "one system session beside normal load",
    r"""
kclient_load
kclient_run_given <<END
name=S system repeat=30 wait=30 gap=30
name=N count=%(clients)d repeat=20 wait=20 gap=10
END
""",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED, WAKES, SHORT_STRANDS,
     ("no_harmful_overrun", "one session with one call at a time cannot make any"),
     ("no_reserve_breach", "normal calls leave the entry in reserve alone"),
     ("wait_longest system 5ms", "it is in reserve so that a system call need not wait"),
     ("calls_at_least 90", "else this is no test")),
    clients=True, seconds=20)

# What the reserve is for: the clock is asked for while normal clients want all threads.
SCMI = Workload(
    "scmi", "clocks are set by way of SCMI while normal clients want all threads",
    r"""
kclient_load
kclient_run_given <<END
name=C clock=1 at=200 repeat=20 wait=1 gap=50
name=N count=%(clients)d repeat=15 wait=100
END
""",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED,
     ("scmi_longest 5ms", "a clock that takes 1 ms is not kept waiting by normal clients"),
     ("no_harmful_overrun", "SCMI makes one call at a time for each channel"),
     ("no_reserve_breach", "normal calls leave the entry in reserve alone"),
     ("calls_at_least 100", "else this is no test")),
    clients=True, scmi=True, seconds=20)

# Neither no_stranded nor no_lost_wake here: they judge by the rule of Linux 6.8. A driver that
# holds system calls back for the reserve's sake lets them sleep beside free threads, and gives
# a wake to somebody behind them.
OVERRUN = Workload(
    "overrun", "as many system calls at once as there are threads, and a normal client",
    r"""
kclient_load
kclient_run_given <<END
name=S count=%(threads)d system repeat=3 wait=300 gap=20
name=N at=50 repeat=3 wait=50 gap=20
END
""",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED,
     ("no_harmful_overrun", "least of all while a normal call waits"),
     ("calls_at_least 9", "else this is no test")),
    clients=True, seconds=15)

ROUNDS, ROUND_MS = 10, 1500


def _rounds(name: str, at: int, wait: int) -> str:
    """A client with a call in each round."""
    return f"'name={name} " + " ".join(f"at={n * ROUND_MS + at} wait={wait}"
                                       for n in range(ROUNDS)) + "'"


# A was there first. The wake of B's end is for C, and nothing is for A. Often, so that a
# wake that is lost now and then is among them.
STRANDED = Workload(
    "stranded", "a long call, a short one, and a third that waits for the short one's end",
    "within 60 optee-load -o \"$(given)\" " + " ".join((
        _rounds("A", 0, 1000), _rounds("L count=%(others)d", 10, 1000),
        _rounds("B", 20, 300), _rounds("C", 100, 50))) + "\n",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED, WAKES,
     ("no_stranded 100ms", "C begins when B ends"),
     ("no_starved 400ms", "which is 220 ms after C has come"),
     ("calls_at_least 36", "else this is no test")),
    seconds=15)

# The first page has ten arguments: the last of W needs another one. H holds the threads that normal
# calls may have.
ARGUMENTS = Workload(
    "arguments", "more callers at once than a page has arguments for, and a system session",
    r"""
kclient_load
kclient_start <<END
name=S system at=1500 wait=10
END
optee-load -o "$(given)" 'name=H count=%(normal)d wait=3000' \
	'name=W ta=invoke_tests sessions=12 at=300 nop' &
LOAD=$!
ends 60 $LOAD
kclient_wait_given
""",
    (*EVERYWHERE, CALLS_SUCCEED, LIMITED, WAKES, SHORT_STRANDS,
     ("no_convoy", "who wants an argument need not wait for a thread"),
     ("wait_longest system 5ms", "it is in reserve so that a system call need not wait"),
     ("calls_at_least 13", "else this is no test")),
    clients=True, seconds=15)

# Nine or ten arguments are in use, with the driver's own call: one of V needs a page. All of V
# have ended their calls when they are killed.
CLIENT_KILLED = Workload(
    "client-killed", "clients that are killed with open sessions, one of which needed a page",
    r"""
optee-load -o "$(given)" --ready-file /tmp/crowd 'name=H count=%(threads)d at=100 wait=2500' \
	'name=W ta=invoke_tests sessions=%(crowd)d at=300 nop' &
LOAD=$!
wait_for 60 test -e /tmp/crowd
usleep 600000
optee-load -o /dev/null --ready-file /tmp/held 'name=V count=12 ta=invoke_tests nop hold' \
	2>/dev/null &
ends 60 $LOAD
wait_for 60 test -e /tmp/held
usleep 500000
killall -STOP optee-load # so that nobody sees the others die, and closes in time
killall -9 optee-load
usleep 2500000
""",
    (*EVERYWHERE, CALLS_SUCCEED, WAKES,
     ("no_session_leak", "the sessions of a process end with it"),
     ("calls_at_least 30", "else this is no test")),
    seconds=15)

# Somewhere in these tests of storage OP-TEE has memory of tee-supplicant. OP-TEE 4.5 panics
# when it is told that a request of its storage has failed.
SUPPLICANT_KILLED = Workload(
    "supplicant-killed", "tee-supplicant killed in the middle of a request, and started again",
    r"""
no_supplicant() { ! pidof tee-supplicant >/dev/null; }
for n in 1 2; do
	(while :; do xtest -t regression 6004 6008; done) >/dev/null 2>&1 &
	LOOP=$!
	usleep $((2000000 + n * 370000))
	killall -9 tee-supplicant
	wait_for 10 no_supplicant
	kill $LOOP
	usleep 2000000
	tee-supplicant -d || die "tee-supplicant cannot be started again"
	killall xtest 2>/dev/null
	usleep 500000
	killall -9 xtest 2>/dev/null
	usleep 500000
done
within 60 xtest -t regression 6001
""",
    (*EVERYWHERE, WAKES,
     ("no_supplicant_gone", "who asked tee-supplicant is told that it is gone"),
     ("calls_at_least 20", "else this is no test")),
    least_threads=4, hidden_ms=100, seconds=30)

# In bursts: of so many sessions optee-top keeps each until it has read it.
STORM = Workload(
    "storm", "sessions opened and closed as fast as can be, system sessions among them",
    r"""
kclient_load
for round in 1 2 3; do
	optee-load -o "$(given)" \
		'name=storm count=6 sessions=0 ta=invoke_tests repeat=100 open close' &
	STORM=$!
	kclient_run_given <<END
name=S count=3 system repeat=2 wait=1
END
	ends 60 $STORM
	sleep 1
done
""",
    (*EVERYWHERE, CALLS_SUCCEED, WAKES, SHORT_STRANDS,
     ("no_starved 1s", "all calls are short: everybody has a turn"),
     ("calls_at_least 3600", "else this is no test")),
    clients=True, hidden_ms=100, seconds=20)

# Each part can be got through, but not with a driver that forgets somebody: a call that
# tee-supplicant makes for another call, one that is made inside of another, and normal
# calls that go on only when a system call has been let through.
DEADLOCK = Workload(
    "deadlock", "calls that hold threads and need another call to go on",
    deadlock.SCRIPT + r"""
busy() { # SECONDS
	load busy -s "$1" 'name=busy count=3 repeat=0 wait=5..20 gap=5..20'
}
all_end() {
	for pid in $LOADS; do
		ends 60 "$pid"
	done
	for file in /tmp/load.*; do
		mv "$file" "$(given)"
	done
}

begin
busy 3
invoke_plugin 1 /tmp/plugin.go call /
touch /tmp/plugin.go
all_end

begin
insmod /nested.ko comm=outer wait_ms=100 || die "no nested.ko"
busy 4
load outer 'name=outer ta=concurrent sessions=0 gap=200 open burn=1 close'
all_end

begin
kclient_load
kclient_start <<END
name=S system at=2000 repeat=3 wait=50
END
n=0
while [ $n -lt %(threads)d ]; do
	n=$((n + 1))
	echo "/tmp/plugin.end return /" >>/tmp/plugin.orders
	load "P$n" "name=P$n ta=$PLUGIN_TA cmd=6"
done
wait_for 30 find_asleep P1 $IN_SUPP_RPC
kclient_wait_given 30
touch /tmp/plugin.end
all_end
""",
    (*EVERYWHERE, CALLS_SUCCEED, WAKES,
     ("no_starved 10s", "but the system call who waits for a thread waits for the normal "
      "ones, and they for the system call"),
     ("calls_at_least 60", "else this is no test")),
    clients=True, plugin=True, seconds=30)

# Some of its tests ask for what OP-TEE refuses: their calls may fail.
XTEST = Workload(
    "xtest", "OP-TEE's own tests of sessions, threads and shared memory",
    "within 120 env LD_PRELOAD=/tee-account.so \"TEE_ACCOUNT=$(given)\" xtest -l 0 " + " ".join(f"regression_{n}" for n in (
        1001, 1002, 1004, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1014, 1015, 1025)) + "\n",
    (*EVERYWHERE, LIMITED, WAKES,
     ("calls_at_least 200", "else this is no test")),
    account=True, seconds=30)

# With one thread there can be no system session; and with more than ten OP-TEE, as Debian
# builds it, has no memory for the sessions of a workload.
MIN_THREADS, MAX_THREADS = 2, 10

WORKLOADS = (IDLE, CONTENDED, SYSTEM, SCMI, OVERRUN, STRANDED, ARGUMENTS, CLIENT_KILLED,
             SUPPLICANT_KILLED, DEADLOCK, STORM, XTEST)


def script(workload: Workload, threads: int) -> str:
    """What the guest runs, for a pool of so many threads."""
    text = COMMON + workload.script % {"threads": threads, "clients": threads + 2,
                                       "normal": threads - 1, "crowd": max(9 - threads, 1),
                                       "others": max(threads - 2, 0)}
    # A client cannot be there no times.
    return re.sub(r"'name=L count=0 [^']*' ", "", text)


def rules(workload: Workload) -> str:
    """The rules as optee-top check reads them."""
    return "".join(f"# {why}\n{rule}\n" for rule, why in workload.rules)
