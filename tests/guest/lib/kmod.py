# SPDX-License-Identifier: GPL-2.0-only
"""Builds the test modules of tests/driver/modules for a kernel of the guest."""

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Iterator, NamedTuple, Sequence

from . import target
from .registry import Failed
from .vm import OUT, ROOT

KERNEL = target.KERNEL
SOURCES = ROOT / "tests/driver/modules"
MODULES = ROOT / "build/arm64/ko"
CROSS = "aarch64-linux-gnu-"
ARM = "arm"  # the kernel of a guest of 32-bit Arm
VM = ROOT / "build/vm"
ARM64 = ("ARCH=arm64", f"CROSS_COMPILE={CROSS}")
ARCHS = {ARM: ("ARCH=arm", "CROSS_COMPILE=arm-linux-gnueabihf-")}


class NoHeaders(Failed):
    """This machine cannot build modules of that kernel: its compiler is too old, say."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Headers(NamedTuple):
    tree: Path  # where make is run
    stamp: Path  # newer than all modules that have to be built again


def _headers(kernel: str) -> Headers:
    """The kernel's headers, fetched if they are not there; a directory's own."""
    if os.sep in kernel:
        tree = next(Path(kernel).glob("lib/modules/*/build"), None)
        if not tree:
            raise NoHeaders(f"{kernel} has no lib/modules/VERSION/build")
        return Headers(tree, Path(kernel) / "Image")
    target = ARM if kernel == ARM else f"headers:{kernel}"
    done = subprocess.run([ROOT / "tests/vm/prepare", target],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        why = done.stdout.strip().splitlines() or [f"no headers of kernel {kernel}"]
        raise NoHeaders(why[-1].removeprefix("vm: "))
    if kernel == ARM:
        return Headers(VM / "arm-objects", VM / "kernel-arm/.stamp")
    return Headers(VM / f"headers/{kernel}/build", VM / f"headers/{kernel}/.stamp")


def _is_new(module: Path, *inputs: Path) -> bool:
    return module.exists() and all(module.stat().st_mtime > p.stat().st_mtime for p in inputs)


def _make(name: str, tree: Path, work: Path, arch: Sequence[str]) -> Path:
    """Build in a copy of the sources, as kbuild writes its files among them."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(SOURCES / name, work)
    done = subprocess.run(["make", "-s", "-C", tree, f"M={work}", *arch,
                           f"KCFLAGS={' '.join(target.WERROR)}", "modules"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failed(f"cannot build {name}.ko\n{done.stdout}")
    return work / f"{name}.ko"


def build(name: str, kernel: str = KERNEL) -> Path:
    """Return the module, built if its sources or the kernel's headers are newer."""
    # The guest's own kernel has its modules where tests/vm/run takes them from.
    version = Path(kernel).name
    module = (MODULES if kernel == target.STOCK else MODULES / version) / f"{name}.ko"
    work = OUT / f"kmod-{name}-{version}"
    with locked(work.with_suffix(f"{work.suffix}.lock")):
        headers = _headers(kernel)
        if _is_new(module, headers.stamp, *(SOURCES / name).iterdir()):
            return module
        built = _make(name, headers.tree, work, ARCHS.get(version, ARM64))
        module.parent.mkdir(parents=True, exist_ok=True)
        os.replace(shutil.copy(built, f"{module}.new"), module)
    return module
