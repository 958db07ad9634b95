# SPDX-License-Identifier: GPL-2.0-only
"""The optee-top of this machine: what needs no driver is tested without a guest."""

import functools
import os
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple, Optional

from . import vm

TOP = vm.ROOT / "build/native/optee-top"
RECORDING = vm.ROOT / "doc/stranded.rec"  # 20 s; in its second half a strand of 5 s
NOBODY = 65534
_making = threading.Lock()


class Done(NamedTuple):
    status: int
    out: bytes
    err: str


@functools.cache
def _make(*targets: str) -> None:
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "-C", vm.ROOT, *targets],
                   stdin=subprocess.DEVNULL, check=True)


def top() -> Path:
    """Where it is, newly made."""
    with _making:
        _make()
    return TOP


def maker(name: str) -> Path:
    """A program of the tests that makes up what never was, newly made."""
    with _making:
        _make(f"build/native/{name}")
    return TOP.with_name(name)


def install(dest: Path) -> None:
    """What `make install` puts in place, but for the guest, below dest."""
    top()
    with _making:
        subprocess.run(["make", "-s", "-C", vm.ROOT, "CROSS_COMPILE=aarch64-linux-gnu-", "STATIC=1",
                        "SYSROOT=build/vm/sysroot", "prefix=/usr", f"DESTDIR={dest}", "install"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


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
