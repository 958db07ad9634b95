# SPDX-License-Identifier: GPL-2.0-only
"""What really happened in the driver's call queue: an ftrace text of a run on a driver of
6.8 or later over SMC, replayed into calls and the episodes of the queue's conditions.

The queue changes only under its mutex. So every point where the driver lets go of the
mutex is traced, with the counts as they are there, and every completion that it gives:
the events' order is the order of the changes. replay.py checks that they make sense."""

import re
import subprocess
from typing import Iterator, Optional

from .ftrace import lines
from .registry import Failed
from .replay import SESSION, Event, Replay
from .vm import ROOT

# A shell fragment, for script() to complete: oracle_start before the load and oracle_stop
# after it. A wake is traced only while somebody completes somebody: the events at both
# ends of that switch sched_waking on and off, so that a busy guest's wakes cost nothing.
SCRIPT = r"""
ORACLE=/sys/kernel/tracing

oracle_start() {
	echo mono >$ORACLE/trace_clock
	echo 32768 >$ORACLE/buffer_size_kb
	while read -r probe; do
		echo "$probe" >>$ORACLE/kprobe_events || die "no kprobe: $probe"
	done <<-END
	@PROBES@
	END
	echo enable_event:sched:sched_waking >$ORACLE/events/oracle/complete_one/trigger ||
		die "no trigger on complete_one"
	echo disable_event:sched:sched_waking >$ORACLE/events/oracle/unlock/trigger ||
		die "no trigger on unlock"
	echo 1 >$ORACLE/events/oracle/enable
	echo 1 >$ORACLE/events/optee/enable
}

oracle_stop() {
	echo 0 >$ORACLE/tracing_on
	cat $ORACLE/trace >/tmp/oracle.trace
	grep -h -e overrun -e dropped $ORACLE/per_cpu/cpu*/stats >/tmp/oracle.stats
	cat $ORACLE/kprobe_profile >>/tmp/oracle.stats
}
"""
FILES = ("oracle.trace", "oracle.stats")

COUNTS = ("total_thread_count", "free_thread_count", "sys_thread_req_count")
LOCKED = ("optee_cq_wait_init", "optee_cq_wait_for_completion", "optee_cq_wait_final")


def _run(*argv: object) -> str:
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"{argv[0]} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def _calls_of(disassembly: str, callee: str) -> Iterator[tuple[str, int]]:
    """Where the functions call it: at a call its arguments are in known registers,
    whatever else the compiler did."""
    function, start = "", 0
    for line in disassembly.splitlines():
        if match := re.match(r"([0-9a-f]+) <(\w+)>:$", line):
            start, function = int(match[1], 16), match[2]
        elif match := re.match(r"\s+([0-9a-f]+): R_AARCH64_(?:CALL|JUMP)26\s+(\w+)$", line):
            if match[2] == callee:
                yield function, int(match[1], 16) - start


def script(kernel: str = "6.12") -> str:
    """SCRIPT for one of Debian's kernels: the driver's module says where to probe."""
    found = list((ROOT / f"build/vm/kernels/{kernel}").glob("lib/modules/*/kernel/**/optee.ko"))
    if len(found) != 1:
        raise Failed(f"no optee.ko of {kernel} below build/vm/kernels: {found}")
    base = ROOT / f"build/vm/headers/{kernel}/build/vmlinux"
    if not base.exists():
        _run(ROOT / "tests/vm/prepare", f"headers:{kernel}")
    types = _run("bpftool", "-B", base, "btf", "dump", "file", found[0], "format", "raw")
    queue = types[types.index("STRUCT 'optee_call_queue'"):]
    fetch = "cq=%x0:x64"
    for field, name in zip(COUNTS, ("total", "free", "sys")):
        match = re.search(rf"'{field}' type_id=\d+ bits_offset=(\d+)", queue)
        if not match:
            raise Failed(f"struct optee_call_queue of {kernel} has no {field}")
        fetch += f" {name}=+{int(match[1]) // 8}(%x0):s32"
    probes = ["wait_init optee_cq_wait_init cq=%x0:x64 w=%x1:x64 sys=%x2:u8",
              "wait_for optee_cq_wait_for_completion cq=%x0:x64 w=%x1:x64",
              "wait_final optee_cq_wait_final cq=%x0:x64 w=%x1:x64",
              f"complete_one optee_cq_complete_one {fetch}"]
    code = _run("aarch64-linux-gnu-objdump", "-dr", "-j", ".text", found[0])
    probes += [f"complete {function}+{offset} c=%x0:x64"
               for function, offset in _calls_of(code, "complete")
               if function == "optee_cq_complete_one"]
    unlocks = list(_calls_of(code, "mutex_unlock"))
    for name, functions in ("unlock", LOCKED), ("session_unlock", SESSION):
        probes += [f"{name} {function}+{offset} {fetch}"
                   for function, offset in unlocks if function in functions]
    return SCRIPT.replace("@PROBES@", "\n\t".join(f"p:oracle/{probe}" for probe in probes))


def _events(trace: bytes) -> Iterator[Event]:
    return (Event(*fields) for fields in lines(trace))


def replay(trace: bytes, stats: bytes, reserved: Optional[int] = None,
           starved_ns: Optional[int] = None) -> Replay:
    """Replay a run. reserved: how many entries are to be taken as reserved, instead of
    one while there is a system session."""
    for line in stats.decode().splitlines():
        *name, count = line.split()
        if (name[0] in ("overrun:", "commit", "dropped") or len(name) == 2) and int(count):
            raise Failed(f"ftrace lost events: {line.strip()}")
    done = Replay(reserved)
    for event in _events(trace):
        done.step(event)
    done.finish(starved_ns)
    return done
