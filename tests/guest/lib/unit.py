# SPDX-License-Identifier: GPL-2.0-only
"""Guests in which systemd runs optee-top by the unit file that `make install` puts in place."""

import re
import subprocess
from pathlib import Path
from typing import Sequence

from . import native, vm
from .registry import Context, Failed

UNIT = "usr/lib/systemd/system/optee-top.service"
LIMIT = 2.0  # of `systemd-analyze security`
OVERALL = re.compile(r"Overall exposure level for \S+ ([0-9.]+)")

PRELUDE = r"""
unit=optee-top.service
shows() { systemctl show -P "$1" $unit; }
is() { [ "$(shows "$1")" = "$2" ]; }

# In place of the real command, in the same sandbox: [NAME=VALUE...], then the command.
in_sandbox() {
	mkdir -p /run/systemd/system/$unit.d
	{
		echo '[Service]'
		echo Type=exec
		echo Restart=no
		while [ $# -gt 1 ]; do echo "$1"; shift; done
		echo ExecStart=
		echo "ExecStart=$1"
		echo StandardOutput=truncate:/run/unit.out
		echo StandardError=journal
	} >/run/systemd/system/$unit.d/test.conf
	: >/run/unit.out
	systemctl daemon-reload || die "daemon-reload failed"
}
start() { systemctl start $unit || { journalctl -u $unit --no-pager >&2; die "no start"; }; }
"""


def install(context: Context) -> Path:
    """The tree of `make install`; with the program that is to be tested."""
    tree = context.dir / "tree"
    native.install(tree)
    if context.binary:
        (tree / "usr/sbin/optee-top").write_bytes(context.binary.read_bytes())
    return tree


def run(context: Context, script: str, *options: str, gets: Sequence[str] = (),
        seconds: float = 240) -> vm.Run:
    puts = [word for top in install(context).iterdir() for word in ("--put", f"{top}:/{top.name}")]
    return vm.run(context, PRELUDE + script, "--icount", "--systemd", *puts, *options, gets=gets,
                  seconds=seconds)


def figure(said: str) -> float:
    """What `systemd-analyze security` says in its last line."""
    found = OVERALL.search(said)
    if not found:
        raise Failed(f"systemd-analyze security gave no figure\n{said[-2000:]}")
    return float(found[1])


def figure_here(unit: Path) -> float:
    """By the systemd of this machine; from the file alone."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return figure(done.stdout + done.stderr)
