# SPDX-License-Identifier: GPL-2.0-only
"""ftrace's view of a run: the driver's tracepoints and kprobes on its functions, read
into one record a call.

A task may lose its CPU, and the emulator its own, between ftrace's hook and
optee-top's for the same event. So two traces are made, whose hooks run just before
and just after optee-top's: a tracepoint calls who came later last, and a probe behind
a function's first instructions hits after all at its entry. Every event has an
earliest and a latest time then, every duration bounds, and what was stolen in between
is known instead of guessed."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from typing import Iterator, Mapping, NamedTuple, Optional, Sequence

from .registry import Failed

# A shell fragment: trace_start before and trace_after after optee-top attaches.
SCRIPT = r"""
TRACING=/sys/kernel/tracing
AFTER=$TRACING/instances/after
by_ffa() { ls -d /sys/bus/arm_ffa/drivers/optee/*/driver >/dev/null 2>&1; }
CALL=optee_smc_do_call_with_arg
by_ffa && CALL=optee_ffa_do_call_with_arg
BRACKETED="$CALL optee_cq_wait_init optee_cq_wait_final"
SLEEP=optee_cq_wait_for_completion
# The register of a third argument; where a function has begun but called none; and on 32 bits,
# where optee-top has kprobes and knows of no copy of a function, what this needs, too.
case $(uname -m) in
arm*) THIRD=r2 BEGUN=16 SLEEP=wait_for_completion FIRST=trace_first ;;
*) THIRD=x2 BEGUN=12 FIRST=: ;;
esac

probe() { # [r:]GROUP/EVENT PLACE [ARG...]
	case $1 in r:*) kind= ;; *) kind=p: ;; esac
	echo "$kind$*" >>$TRACING/kprobe_events || die "no kprobe: $*"
}

trace_start() {
	echo mono >$TRACING/trace_clock
	echo 16384 >$TRACING/buffer_size_kb
	for f in $BRACKETED tee_shm_alloc_priv_buf tee_shm_free \
		 optee_rpc_cmd_alloc_suppl optee_rpc_cmd_free_suppl \
		 optee_shm_register optee_shm_unregister optee_do_bottom_half; do
		probe check/$f $f
	done
	probe check/optee_cq_wait_for_completion $SLEEP
	probe check/optee_rpc_cmd optee_rpc_cmd "cmd=+0(%$THIRD):u32"
	if by_ffa; then
		probe check/ffa_begin ffa_sync_send_receive 'first=+0(%x1):x32'
		probe r:check/ffa_end ffa_msg_send_direct_req \
			'err=$retval:s32' 'result=+0($arg4):x32' 'what=+8($arg4):u32'
	fi
	echo 1 >$TRACING/events/check/enable
	echo 1 >$TRACING/events/optee/enable
}

trace_first() { # optee-top has kprobes: of several at one place the last to come is the first
	echo 0 >$TRACING/events/check/enable
	for f in $BRACKETED; do
		echo "-:check/$f" >>$TRACING/kprobe_events || die "cannot remove the kprobe of $f"
		probe check/$f $f
	done
	echo 1 >$TRACING/events/check/enable
}

trace_after() {
	$FIRST
	mkdir $AFTER
	echo mono >$AFTER/trace_clock
	echo 16384 >$AFTER/buffer_size_kb
	for f in $BRACKETED; do
		probe after/$f $f+$BEGUN
	done
	if by_ffa; then # the one calls the other, and does nothing else
		probe after/ffa_begin ffa_msg_send_direct_req
		probe r:after/ffa_end ffa_sync_send_receive
	fi
	echo 1 >$AFTER/events/after/enable
	echo 1 >$AFTER/events/optee/enable
}

trace_stop() {
	echo 0 >$TRACING/tracing_on
	echo 0 >$AFTER/tracing_on
	cat $TRACING/trace >/tmp/trace
	cat $AFTER/trace >/tmp/trace.after
	grep -h -e overrun -e dropped $TRACING/per_cpu/cpu*/stats $AFTER/per_cpu/cpu*/stats \
		>/tmp/trace.stats
	cat $TRACING/kprobe_profile >>/tmp/trace.stats
}
"""
FILES = ("trace", "trace.after", "trace.stats")

RPC_CMDS = {0: "load_ta", 1: "rpmb", 2: "fs", 3: "get_time", 4: "notification", 5: "suspend",
            6: "shm_alloc", 7: "shm_free", 10: "socket", 12: "plugin", 21: "i2c"}
RPC_FUNCS = {0: "alloc", 2: "free", 4: "foreign_intr"}
# Memory for the secure world is given without a call of optee_rpc_cmd().
RPC_HELPERS = {"tee_shm_alloc_priv_buf": "shm_alloc", "optee_rpc_cmd_alloc_suppl": "shm_alloc",
               "tee_shm_free": "shm_free", "optee_rpc_cmd_free_suppl": "shm_free"}
# Calls without a session, named by the function that makes them.
NO_SESSION = {"optee_shm_register": "shm_register", "optee_shm_unregister": "shm_unregister",
              "optee_do_bottom_half": "bottom_half"}
ETHREAD_LIMIT = 1
# By FF-A, of a call that needs a thread; of the answer, what it is and what it wants.
FFA_YIELDING = 1 << 31
TEEC_ERROR_BUSY = 0xffff000d
FFA_WANTS = {0: 0, 1: 0xffff0005, 2: 0xffff0004}  # as by SMC


class Span(NamedTuple):
    """A time, or a duration, that is known to lie between two."""

    low: int
    high: int

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.low - other.high, self.high - other.low)

    def plus(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.high + other.high)

    @property
    def width(self) -> int:
        return self.high - self.low


NOTHING = Span(0, 0)


def total(spans: Sequence[Span]) -> Span:
    return Span(sum(s.low for s in spans), sum(s.high for s in spans))


class Event(NamedTuple):
    comm: str
    tid: int
    at: Span
    name: str
    rest: str


class Call:
    """One call, from optee_..._do_call_with_arg() to optee_cq_wait_final()."""

    def __init__(self, event: Event) -> None:
        self.tid, self.comm, self.called = event.tid, event.comm, event.at
        self.op: Optional[str] = None  # of a call without a session
        self.nested_in: Optional["Call"] = None
        self.queued = self.called  # optee_cq_wait_init()
        self.slept: Optional[Span] = None  # when it first slept in the queue
        self.admitted: Optional[Span] = None
        self.ended = NOTHING
        self.secure = NOTHING
        self.sent = False  # a message by FF-A, and it has not been answered
        self.refused = False
        self.limits, self.limited = 0, NOTHING  # refusals, and the time until the next try
        self.tried: Optional[Span] = None  # when that was
        self.rpcs: Counter[str] = Counter()
        self.rpc_times: dict[str, Span] = defaultdict(lambda: NOTHING)
        self.in_rpc: Optional[str] = None
        self.phase_start = self.returned = NOTHING

    @property
    def entered(self) -> Span:
        assert self.admitted is not None, f"a call of thread {self.tid} was never admitted"
        return self.admitted

    @property
    def wait(self) -> Span:
        """The wait proper begins in optee_cq_wait_init(), optee-top's just before."""
        return (self.entered - Span(self.called.low, self.queued.high)).plus(self.limited)

    @property
    def hold(self) -> Span:
        """Until it came back for good; the driver counts its thread as free a little later."""
        return self.returned - self.entered - self.limited


class Thread:
    """What a thread is doing: its calls, the innermost one last."""

    def __init__(self) -> None:
        self.stack: list[Call] = []
        self.next_op: Optional[str] = None


LINE = re.compile(r"^ *(.*)-(\d+) +\[\d+\] +\S+ +(\d+)\.(\d{6}): (\w+): (.*)$")
RETURNED = re.compile(r"ret \(([0-9a-f]+),")
RPC_CMD = re.compile(r"cmd=(\d+)")
FFA_BEGIN = re.compile(r"first=(0x[0-9a-f]+)")
FFA_END = re.compile(r"err=(-?\d+) result=(0x[0-9a-f]+) what=(\d+)")
MICROSECOND = 1000  # the resolution of a printed trace


def lines(trace: bytes) -> Iterator[tuple[str, str, int, int, str, str]]:
    """Each event of a printed trace: its line, comm, tid, time in ns, name and the rest."""
    for line in trace.decode(errors="replace").splitlines():
        if line.startswith("#") or not line:
            continue
        match = LINE.match(line)
        if not match:
            raise Failed(f"ftrace printed a line that is not an event: {line!r}")
        comm, tid, seconds, micros, name, rest = match.groups()
        yield (line, comm.strip(), int(tid), int(seconds) * 10**9 + int(micros) * 1000,
               name, rest)


def _events(trace: bytes) -> Iterator[Event]:
    for _, comm, tid, ns, name, rest in lines(trace):
        yield Event(comm, tid, Span(ns, ns + MICROSECOND), name, rest)


def _bracketed(before: Sequence[Event], after: Sequence[Event]) -> Iterator[Event]:
    """The events of the trace before, each with its end from the trace after."""
    ends: Mapping[tuple[int, str], list[int]] = defaultdict(list)
    for event in after:
        ends[event.tid, event.name].append(event.at.high)
    following: dict[int, int] = {}  # a thread's next event
    spans = []
    for event in reversed(before):
        times = ends[event.tid, event.name]
        place = bisect_left(times, event.at.low)
        latest = following.get(event.tid, event.at.high)
        # No end: it came before trace_after, or nothing hooks on behind optee-top.
        found = times[place] if place < len(times) else latest
        spans.append(event._replace(at=Span(event.at.low, min(found, latest))))
        following[event.tid] = event.at.high
    return reversed(spans)


def _entered(call: Call, at: Span) -> None:
    if call.in_rpc:
        call.rpcs[call.in_rpc] += 1
        call.rpc_times[call.in_rpc] = call.rpc_times[call.in_rpc].plus(at - call.phase_start)
        call.in_rpc = None
    elif call.refused:
        call.limited = call.limited.plus(at - call.phase_start)
        call.refused, call.tried = False, at
    elif call.admitted is None:
        call.admitted = at
    else:
        raise Failed(f"thread {call.tid} entered the secure world twice at {at.low} ns")
    call.phase_start = at


def _left(call: Call, at: Span, a0: int) -> None:
    call.secure = call.secure.plus(at - call.phase_start)
    call.phase_start = call.returned = at
    if a0 == ETHREAD_LIMIT:
        call.refused = True
        call.limits += 1
    if a0 & 0xffff0000 == 0xffff0000 and a0 != 0xffffffff:
        call.in_rpc = RPC_FUNCS.get(a0 & 0xffff, "other")


def _ffa(call: Call, event: Event) -> None:
    """A message to OP-TEE, and its answer; also such as are of no call."""
    if event.name == "ffa_begin":
        match = FFA_BEGIN.search(event.rest)
        assert match, event.rest
        call.sent = int(match[1], 16) & FFA_YIELDING != 0
        if call.sent:
            _entered(call, event.at)
    elif call.sent:
        match = FFA_END.search(event.rest)
        assert match, event.rest
        err, result, what = int(match[1]), int(match[2], 16), int(match[3])
        call.sent = False
        if not err and result == TEEC_ERROR_BUSY:
            _left(call, event.at, ETHREAD_LIMIT)
        else:
            _left(call, event.at, 0 if err or result else FFA_WANTS[what])


def _step(event: Event, thread: Thread, done: list[Call]) -> None:
    name, stack = event.name, thread.stack
    call = stack[-1] if stack else None
    if name in NO_SESSION:
        thread.next_op = NO_SESSION[name]
    elif name in ("optee_smc_do_call_with_arg", "optee_ffa_do_call_with_arg"):
        stack.append(Call(event))
        stack[-1].nested_in = call
        stack[-1].op, thread.next_op = thread.next_op, None
        return
    if call is None:
        return  # of a call that is not one: shm cache, supplicant's memory
    if name == "optee_cq_wait_init":
        call.queued = event.at
    elif name == "optee_cq_wait_for_completion" and (call.admitted is None or call.refused):
        call.slept = call.slept or event.at
    elif name == "optee_invoke_fn_begin":
        _entered(call, event.at)
    elif name == "optee_invoke_fn_end":
        match = RETURNED.search(event.rest)
        assert match, event.rest
        _left(call, event.at, int(match[1], 16))
    elif name in ("ffa_begin", "ffa_end"):
        _ffa(call, event)
    elif name == "optee_rpc_cmd":
        match = RPC_CMD.search(event.rest)
        assert match, event.rest
        call.in_rpc = RPC_CMDS.get(int(match[1]), "other")
    elif name in RPC_HELPERS and call.in_rpc == "other":
        call.in_rpc = RPC_HELPERS[name]
    elif name == "optee_cq_wait_final":
        call.ended = event.at
        done.append(stack.pop())


def parse(before: bytes, after: bytes, stats: bytes) -> list[Call]:
    """All calls that ended, in the order of their ends; nothing may have been lost."""
    for line in stats.decode().splitlines():
        *name, count = line.split()
        missed = name[0] in ("overrun:", "commit", "dropped") or len(name) == 2
        if missed and int(count):
            raise Failed(f"ftrace lost events: {line.strip()}")
    threads: dict[int, Thread] = defaultdict(Thread)
    done: list[Call] = []
    for event in _bracketed(list(_events(before)), list(_events(after))):
        _step(event, threads[event.tid], done)
    return done


def _edges(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])


def most_at_once(spans: Sequence[tuple[int, int]]) -> int:
    now = most = 0
    for _, change in _edges(spans):
        now += change
        most = max(most, now)
    return most


def time_at_level(spans: Sequence[tuple[int, int]], level: int) -> int:
    """How long so many of them lasted at once."""
    total_ns = now = since = 0
    for ns, change in _edges(spans):
        if now == level:
            total_ns += ns - since
        now += change
        since = ns
    return total_ns
