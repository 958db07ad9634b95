# SPDX-License-Identifier: GPL-2.0-only
"""Builds the test modules of tests/kmod for a kernel of the guest."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

from .registry import Failed
from .vm import OUT, ROOT

KERNEL = "6.12"
SOURCES = ROOT / "tests/kmod"
MODULES = ROOT / "build/arm64/ko"


class NoHeaders(Failed):
    """This machine cannot build modules of that kernel: its compiler is too old, say."""


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _headers(kernel: str) -> Path:
    """Return the directory of the kernel's headers, fetched if they are not there."""
    done = subprocess.run([ROOT / "tests/vm/prepare", f"headers:{kernel}"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        why = done.stdout.strip().splitlines() or [f"no headers of kernel {kernel}"]
        raise NoHeaders(why[-1].removeprefix("vm: "))
    return ROOT / f"build/vm/headers/{kernel}"


def _is_new(module: Path, *inputs: Path) -> bool:
    return module.exists() and all(module.stat().st_mtime > p.stat().st_mtime for p in inputs)


def _make(name: str, headers: Path, work: Path) -> Path:
    """Build in a copy of the sources, as kbuild writes its files among them."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(SOURCES / name, work)
    done = subprocess.run(["make", "-s", "-C", headers / "build", f"M={work}", "ARCH=arm64",
                           "KCFLAGS=-Werror", "modules"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failed(f"cannot build {name}.ko\n{done.stdout}")
    return work / f"{name}.ko"


def build(name: str, kernel: str = KERNEL) -> Path:
    """Return the module, built if its sources or the kernel's headers are newer."""
    # The guest's own kernel has its modules where tests/vm/run takes them from.
    module = (MODULES if kernel == KERNEL else MODULES / kernel) / f"{name}.ko"
    work = OUT / f"kmod-{name}-{kernel}"
    with _locked(work.with_suffix(f"{work.suffix}.lock")):
        headers = _headers(kernel)
        if _is_new(module, headers / ".stamp", *(SOURCES / name).iterdir()):
            return module
        built = _make(name, headers, work)
        module.parent.mkdir(parents=True, exist_ok=True)
        os.replace(shutil.copy(built, f"{module}.new"), module)
    return module
