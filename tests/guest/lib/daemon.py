# SPDX-License-Identifier: GPL-2.0-only
"""The daemon in a guest: shell fragments that start it and its clients, and what holds of
all that it serves."""

import json
from pathlib import Path
from typing import Any, Mapping, Sequence

from . import frames
from .frames import Object
from .registry import Findings

SOCKET = "/run/optee-top/optee-top.sock"
URL = "http://127.0.0.1:9470/metrics"

# "member" is in the group that the daemon serves, "nobody" is not. A client's output is
# /tmp/out/NAME, what it says /tmp/out/NAME.err, its process /tmp/out/NAME.pid.
SCRIPT = r"""
SOCKET=/run/optee-top/optee-top.sock
URL=http://127.0.0.1:9470/metrics
echo 'member:x:901:901:member:/tmp:/bin/sh' >>/etc/passwd
printf 'member:x:901:\nwatchers:x:900:member\n' >>/etc/group
mkdir -p -m 777 /tmp/out

wait_for() { # as vm.py's, but asks less often: these waits are long
	limit=$(($1 * 5 * BUSY)); shift
	until "$@"; do
		limit=$((limit - 1))
		[ $limit -gt 0 ] || die "waited in vain for: $*"
		usleep 200000
	done
}

worker() { # its process, without a blank
	tr -d ' ' <"/proc/$DAEMON/task/$DAEMON/children"
}
serves() { # it has given up its privileges: all is attached
	kill -0 $DAEMON || die "the daemon has ended: $(cat /tmp/out/daemon.err)"
	grep -q '^Uid:.65534' "/proc/$(worker)/status" 2>/dev/null && [ -S $SOCKET ]
}
daemon_start() { # [OPTION...]
	optee-top daemon "$@" 2>>/tmp/out/daemon.err &
	DAEMON=$!
	wait_for 90 serves
}
daemon_stop() {
	kill -TERM $DAEMON
	wait $DAEMON || die "the daemon ended with status $?: $(cat /tmp/out/daemon.err)"
}

as() { # USER COMMAND-LINE
	su "$1" -s /bin/sh -c "$2"
}
client() { # NAME COMMAND-LINE: as member, in the background
	su member -s /bin/sh -c "exec $2" >"/tmp/out/$1" 2>"/tmp/out/$1.err" </dev/null &
	echo $! >"/tmp/out/$1.pid"
}
lines() { wc -l <"/tmp/out/$1"; }
has() { # NAME LINES
	kill -0 "$(cat "/tmp/out/$1.pid")" 2>/dev/null ||
		die "client $1 has ended: $(cat "/tmp/out/$1.err")"
	[ "$(lines "$1")" -ge "$2" ]
}
more() { # NAME LINES: so many more than now
	wait_for 90 has "$1" $(($(lines "$1") + $2))
}
end() { # NAME...: each ends well, and has nothing to say but that a busy machine kept it waiting
	for name; do
		kill -TERM "$(cat "/tmp/out/$name.pid")" || die "client $name has ended"
		wait "$(cat "/tmp/out/$name.pid")" ||
			die "client $name ended with $?: $(cat "/tmp/out/$name.err")"
		! grep -v 'the daemon has sent nothing for [0-9]* s: waiting' "/tmp/out/$name.err" ||
			die "client $name says: $(cat "/tmp/out/$name.err")"
	done
}
metric() { # NAME: its value, as HTTP has it
	wget -q -O - $URL | sed -n "s/^$1 //p"
}
# It is as nice as can be, and leaves the others a second after each load: 300 threads that begin
# at once on one CPU are the scheduler's test, not ours.
flood() { # COMMAND...: calls of 300 sessions, until that holds; /tmp/out/flood has their number
	FLOODS=0
	until "$@"; do
		FLOODS=$((FLOODS + 1))
		[ $FLOODS -le 12 ] || die "after $FLOODS loads in vain: $*"
		optee-load --records 0 -o /tmp/load \
			'name=many nice=19 ta=invoke_tests sessions=300 repeat=80 nop gap=0..20' ||
			die "optee-load failed"
		sed -n 's/.*"type":"client".*"calls":\([0-9]*\),.*/\1/p' /tmp/load >>/tmp/out/flood
		sleep 1
	done
}
said() { # TIMES TEXT: that often the daemon has
	[ "$(grep -c "$2" /tmp/out/daemon.err)" -ge "$1" ]
}
pack() { tar c -f /tmp/out.tar -C /tmp/out . ; }
"""


def by_seq(seen: Sequence[Object]) -> Mapping[int, Object]:
    return {f["seq"]: f for f in seen}


def check_same_frames(findings: Findings, what: str, have: Sequence[Object],
                      want: Sequence[Object], least: int) -> None:
    """Frames that both have are equal, all of them."""
    left, right = by_seq(have), by_seq(want)
    both = sorted(left.keys() & right.keys())
    findings.true(f"{what}: only {len(both)} frames are in both", len(both) >= least)
    for seq in both:
        if left[seq] != right[seq]:
            differ = [k for k in right[seq] if left[seq].get(k) != right[seq][k]]
            findings.add(f"{what}: frame {seq} has other {differ}")


def check_intervals(findings: Findings, what: str, seen: Sequence[Object],
                    seconds: float, slack: float) -> None:
    """Each interval begins where the one before ended, and is about so long."""
    for one, other in zip(seen, seen[1:]):
        gap = other["mono_ns"] - one["mono_ns"]
        findings.equal(f"{what}: interval of frame {other['seq']}", other["interval_ns"], gap)
        findings.true(f"{what}: frame {other['seq']} comes after {gap / 1e9:.3f} s",
                      abs(gap / 1e9 - seconds) <= slack)


def log_lines(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def load(path: Path) -> list[Object]:
    return frames.load(path)
