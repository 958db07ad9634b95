# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that looks for mistakes of the driver: Debian's source of the guest's kernel,
built with debug.config. Its directory is one that run, kernel/build and validate take.

The objects stay beside it: modules are built against them."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from . import source
from .host import VmError, build_env, command, say
from .kernel import DEFAULT
from .paths import CROSS, TOOLS, VM
from .stamp import make

CONFIG = TOOLS / "debug.config"
RECIPE = (TOOLS / "optee_vm" / "debug.py", CONFIG)
OBJECTS = VM / "debug-objects"
LOG = VM / "debug-kernel.log"
STEPS = re.compile(rb"^  (?:CC|AR|AS|LD) ", re.M)
ALL_STEPS = 1080  # about
TELL = 20.0  # seconds between two words on how far it is


def _source() -> Path:
    def build(scratch: Path, out: Path) -> None:
        archive = source.fetch(DEFAULT, scratch)
        say("unpacking it (1.6 GB)")
        command(["tar", "-xJf", archive, "-C", out, "--strip-components=1"],
                "unpack the kernel's source", 1200)

    return make(VM / "linux" / DEFAULT, (TOOLS / "optee_vm" / "source.py",), "", build)


def _make(tree: Path, *args: str) -> list[str]:
    return ["make", "-C", str(tree), f"O={OBJECTS}", f"-j{os.cpu_count() or 1}", "ARCH=arm64",
            f"CROSS_COMPILE={CROSS}", "LOCALVERSION=-debug", *args]


def _configure(tree: Path) -> None:
    """What is named in CONFIG and cannot be had is an error, not a kernel without it."""
    command(_make(tree, f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"), "configure the kernel")
    have = set((OBJECTS / ".config").read_text().splitlines())
    lacking = [line for line in CONFIG.read_text().splitlines()
               if line.startswith("CONFIG_") and line not in have]
    if lacking:
        raise VmError(f"cannot configure the kernel: it does not take {' '.join(lacking)}; "
                      f"see what that depends on, and add it to {CONFIG}")


def _compile(tree: Path) -> None:
    with open(LOG, "wb") as log, subprocess.Popen(
            _make(tree, "Image", "modules"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=build_env()) as job:
        told = time.monotonic()
        while job.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                done = len(STEPS.findall(LOG.read_bytes()))
                say(f"{done} of about {ALL_STEPS} steps")
    if job.returncode:
        sys.stderr.write(LOG.read_bytes()[-3000:].decode(errors="replace"))
        raise VmError(f"cannot build the kernel: make failed; see {LOG}")


def prepare() -> Path:
    """Return the directory of the kernel: Image and lib/modules/VERSION."""
    def build(scratch: Path, out: Path) -> None:
        tree = _source()
        OBJECTS.mkdir(parents=True, exist_ok=True)
        _configure(tree)
        say("building a kernel with lockdep and KASAN (about 20 min with two CPUs)")
        _compile(tree)
        command(_make(tree, f"INSTALL_MOD_PATH={out}", "INSTALL_MOD_STRIP=1",
                      "modules_install"), "lay out the modules")
        (OBJECTS / "arch/arm64/boot/Image").rename(out / "Image")

    return make(VM / "debug", RECIPE, DEFAULT, build)
