# SPDX-License-Identifier: GPL-2.0-only
"""The optee-top of this machine: what needs no driver is tested without a guest."""

import fcntl
import functools
import os
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional

from . import vm

TOP = vm.ROOT / "build/native/optee-top"
RECORDING = vm.ROOT / "doc/stranded.rec"  # 20 s; in its second half a strand of 5 s
NOBODY = 65534
MADE = tuple(sorted(path.stem for path in (vm.ROOT / "tests/programs/made").glob("*.c")))


class Done(NamedTuple):
    status: int
    out: bytes
    err: str


def _make(*args: str) -> None:
    """One at a time: tests are processes."""
    TOP.parent.mkdir(parents=True, exist_ok=True)
    with open(TOP.parent.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "-C", vm.ROOT, *args],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


@functools.cache
def _made(*targets: str) -> None:
    _make(*targets)


def prepare() -> None:
    """Make all that tests want of this machine, before there are several of them."""
    _make("all", *(f"build/native/{name}" for name in MADE))
    top()
    for name in MADE:
        maker(name)


def top() -> Path:
    """Where it is, newly made."""
    _made("all")
    return TOP


def maker(name: str) -> Path:
    """A program of the tests that makes up what never was, newly made."""
    _made(f"build/native/{name}")
    return TOP.with_name(name)


def install(dest: Path) -> None:
    """What `make install` puts in place, but for the guest, below dest."""
    top()
    _make("CROSS_COMPILE=aarch64-linux-gnu-", "STATIC=1", "SYSROOT=build/vm/sysroot", "prefix=/usr",
          f"DESTDIR={dest}", "install")


def run(*args: object, stdin: Optional[Path] = None, user: Optional[int] = None,
        seconds: float = 60) -> Done:
    """optee-top with these arguments; a user can be chosen by root only."""
    with open(stdin or os.devnull, "rb") as source:
        done = subprocess.run([top(), *map(str, args)], stdin=source, capture_output=True,
                              user=user, timeout=seconds)
    return Done(done.returncode, done.stdout, done.stderr.decode())


def unprivileged() -> Optional[int]:
    """Somebody who may nothing: a user of whom only root can make use."""
    return NOBODY if os.geteuid() == 0 else None
