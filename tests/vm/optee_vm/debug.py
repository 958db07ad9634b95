# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that looks for mistakes of the driver: Debian's source of a kernel of the guests,
built with debug.config. Its directory is one that run, kernel/build and validate take.

The objects stay beside it: modules are built against them."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import source
from .host import VmError, build_env, command, say
from .kernel import DEFAULT, check
from .paths import CROSS, TOOLS, VM
from .stamp import make

CONFIG = TOOLS / "debug.config"
RECIPE = (TOOLS / "optee_vm" / "debug.py", CONFIG)
STEPS = re.compile(rb"^  (?:CC|AR|AS|LD) ", re.M)
ALL_STEPS = 1080  # about
TELL = 20.0  # seconds between two words on how far it is


def place(name: str) -> Path:
    """Where the kernel with the source of kernel name is, or will be."""
    return VM / ("debug" if name == DEFAULT else f"debug-{name}")


def _objects(name: str) -> Path:
    return place(name).with_name(f"{place(name).name}-objects")


def _source(name: str) -> Path:
    def build(scratch: Path, out: Path) -> None:
        archive = source.fetch(name, scratch)
        say("unpacking it (1.6 GB)")
        command(["tar", "-xJf", archive, "-C", out, "--strip-components=1"],
                "unpack the kernel's source", 1200)

    return make(VM / "linux" / name, (TOOLS / "optee_vm" / "source.py",), "", build)


def _make(name: str, *args: str) -> list[str]:
    cache = "ccache " if shutil.which("ccache") else ""
    return ["make", "-C", str(_source(name)), f"O={_objects(name)}", f"-j{os.cpu_count() or 1}",
            "ARCH=arm64", f"CROSS_COMPILE={CROSS}", f"CC={cache}{CROSS}gcc",
            "LOCALVERSION=-debug", *args]


def _configure(name: str) -> None:
    """What is named in CONFIG and cannot be had is an error, not a kernel without it."""
    command(_make(name, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"), "configure the kernel")
    have = set((_objects(name) / ".config").read_text().splitlines())
    lacking = [line for line in CONFIG.read_text().splitlines()
               if line.startswith("CONFIG_") and line not in have]
    if lacking:
        raise VmError(f"cannot configure the kernel: it does not take {' '.join(lacking)}; "
                      f"see what that depends on, and add it to {CONFIG}")


def _compile(name: str) -> None:
    path = place(name).with_name(f"{place(name).name}-kernel.log")
    with open(path, "wb") as log, subprocess.Popen(
            _make(name, "Image", "modules"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=build_env()) as job:
        told = time.monotonic()
        while job.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                done = len(STEPS.findall(path.read_bytes()))
                say(f"{done} of about {ALL_STEPS} steps")
    if job.returncode:
        sys.stderr.write(path.read_bytes()[-3000:].decode(errors="replace"))
        raise VmError(f"cannot build the kernel: make failed; see {path}")


def prepare(name: str = DEFAULT) -> Path:
    """Return the directory of the kernel: Image and lib/modules/VERSION."""
    check(name)

    def build(scratch: Path, out: Path) -> None:
        _objects(name).mkdir(parents=True, exist_ok=True)
        _configure(name)
        say("building a kernel with lockdep and KASAN (about 20 min with two CPUs)")
        _compile(name)
        command(_make(name, f"INSTALL_MOD_PATH={out}", "INSTALL_MOD_STRIP=1",
                      "modules_install"), "lay out the modules")
        (_objects(name) / "arch/arm64/boot/Image").rename(out / "Image")

    return make(place(name), RECIPE, name, build)
