# SPDX-License-Identifier: GPL-2.0-only
"""The guest's two consoles: followed live when asked, their ends shown on failure."""

import sys
from pathlib import Path

from .machine import Machine

TAIL_LINES = 30


def tail(path: Path, title: str) -> str:
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
    text = "".join(f"  {line}\n" for line in lines[-TAIL_LINES:]) or "  (empty)\n"
    return f"vm: end of {title}:\n{text}"


class Consoles:
    def __init__(self, machine: Machine, live: bool) -> None:
        self._live = live
        self._paths = {"linux": machine.linux_log, "secure": machine.secure_log}
        self._qemu = machine.qemu_log
        self._seen = {name: 0 for name in self._paths}

    def follow(self) -> None:
        """Print the whole lines that have come since the last call."""
        if not self._live:
            return
        for name, path in self._paths.items():
            if not path.exists():
                continue
            with open(path, "rb") as log:
                log.seek(self._seen[name])
                fresh = log.read()
            whole = fresh.rfind(b"\n") + 1
            self._seen[name] += whole
            for line in fresh[:whole].decode(errors="replace").splitlines():
                sys.stderr.write(f"{name}: {line}\n")

    def show_ends(self) -> None:
        sys.stderr.write(tail(self._paths["secure"], "the secure world's console"))
        sys.stderr.write(tail(self._paths["linux"], "Linux's console"))
        if self._qemu.exists() and self._qemu.stat().st_size:
            sys.stderr.write(tail(self._qemu, "QEMU's messages"))
        sys.stderr.flush()
