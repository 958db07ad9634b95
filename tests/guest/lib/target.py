# SPDX-License-Identifier: GPL-2.0-only
"""The kernel in the guests: Debian's own, or another one that the environment names, on
which all that is timed may take SLOW times as long. Of such a kernel's log every report
of a mistake fails the test: tests/vm/kinds/debug.config is of one that makes them."""

import os
import re
from pathlib import Path
from typing import Sequence

STOCK = "6.12"
KERNEL = os.environ.get("OPTEE_TOP_KERNEL", STOCK)
SLOW = int(os.environ.get("OPTEE_TOP_SLOW", "1"))
OTHER = KERNEL != STOCK
NAME = Path(KERNEL).name
WERROR = ["-Werror"] if os.environ.get("WERROR") == "1" else []  # as in the Makefile

LOG = "kernel.log"  # in the guest's /tmp
# Before a script, whichever way it ends: dash and busybox run it in the first shell only.
PRELUDE = rf"""
SLOW={SLOW}
""" + (rf"""
trap 'dmesg >/tmp/{LOG}; cat /proc/lockdep_stats >>/tmp/{LOG} 2>/dev/null' EXIT
""" if OTHER else "")

# The first lines of lockdep's, KASAN's and all other reports, and what ends them.
REPORT = re.compile(r"\b(BUG|WARNING|Oops|UBSAN|ODEBUG|DEBUG_LOCKS_WARN_ON)\b|Call trace:"
                    r"|INFO: (task |rcu|trying to register)|list_(add|del) (corruption|double)"
                    r"|detected stalls|soft lockup|Unable to handle|Internal error")
LOCKDEP = re.compile(r"^ *debug_locks: +(\d)", re.M)
LINES = 60  # of a report


def reports(log: bytes) -> Sequence[str]:
    """What the kernel has against it; with all that follows, for the reader."""
    text = log.decode(errors="replace")
    lines = text.splitlines()
    first = next((n for n, line in enumerate(lines) if REPORT.search(line)), None)
    if first is not None:
        return lines[first:first + LINES]
    alive = LOCKDEP.search(text)
    return ["lockdep was switched off"] if alive and alive[1] != "1" else []
