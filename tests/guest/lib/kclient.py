# SPDX-License-Identifier: GPL-2.0-only
"""Clients of OP-TEE in the kernel: runs scripts of tests/driver/modules/kclient, which says in its
script.c what their words mean, and reads more of its account than account.py does."""

import json
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from . import kmod

# A shell fragment. The script is on standard input; the account of the last run is
# /tmp/kclient. Needs vm.PRELUDE.
SCRIPT = r"""
KCLIENT=/sys/kernel/debug/optee_top_kclient

kclient_load() {
	insmod /kclient.ko || die "no kclient.ko"
}

kclient_start() { # returns when all sessions are open; the calls begin soon after
	cat >/tmp/kclient.script
	# in one write, however the script came
	dd if=/tmp/kclient.script of=$KCLIENT/run bs=16k 2>/tmp/kclient.err ||
		die "$(head -n 1 /tmp/kclient.err); $(dmesg | grep 'kclient: ' | grep -v taint | tail -n 1)"
}

kclient_is_idle() { read -r kclient_state <$KCLIENT/state && [ "$kclient_state" = idle ]; }

kclient_wait() { # [SECONDS]
	wait_for "${1:-60}" kclient_is_idle
	cat $KCLIENT/account >/tmp/kclient
}

kclient_run() { # [SECONDS]
	kclient_start
	kclient_wait "$@"
}
"""
FILE = "kclient"  # of the guest's /tmp, to load


def options(kernel: str = kmod.KERNEL) -> Sequence[str]:
    """What kclient_load wants of tests/vm/run."""
    return "--put", f"{kmod.build('kclient', kernel)}:/kclient.ko"


class Call(NamedTuple):
    """One call, as the client's task saw it; times are CLOCK_MONOTONIC in ns."""

    client: str
    tid: int
    op: str  # open, invoke, close
    system: bool  # the session's class when it began
    session: Optional[int]  # the TEE's id of it
    start: int
    end: Optional[int]  # None: in flight when the account was read
    result: Optional[int]  # TEE_Result, or -errno


class Promotion(NamedTuple):
    """A session was made a system session, by its client or by another task."""

    client: str
    tid: int
    start: int
    end: int
    error: int  # 0 or -errno


class Scmi(NamedTuple):
    """A clock was set or a domain reset, by way of SCMI."""

    client: str
    tid: int
    op: str  # rate, reset
    start: int
    end: Optional[int]
    error: Optional[int]  # 0 or -errno; None: in flight when the account was read


class Account(NamedTuple):
    """What a run was: account.load() reads its calls, too."""

    start: Optional[int]  # the common start; None: a session could not be opened
    calls: Sequence[Call]
    promotions: Sequence[Promotion]
    scmi: Sequence[Scmi] = ()

    def of(self, client: str, op: str = "invoke") -> Sequence[Call]:
        return [c for c in self.calls if (c.client, c.op) == (client, op)]


def load(path: Path) -> Account:
    """Read the account that kclient_wait left."""
    start: Optional[int] = None
    calls, promotions, scmi = [], [], []
    for line in path.read_text().splitlines():
        o = json.loads(line)
        if o["type"] == "start":
            start = o["mono_ns"]
        elif o["type"] == "system":
            promotions.append(Promotion(o["client"], o["tid"], o["start_ns"], o["end_ns"],
                                        o["result"]))
        elif o["type"] == "scmi":
            scmi.append(Scmi(o["client"], o["tid"], o["op"], o["start_ns"], o["end_ns"],
                             o["result"]))
        else:
            calls.append(Call(o["client"], o["tid"], o["op"], o["system"], o["session_id"],
                              o["start_ns"], o["end_ns"], o["result"]))
    return Account(start, calls, promotions, scmi)
