# SPDX-License-Identifier: GPL-2.0-only
"""Builds the test modules of tests/kmod for the guest's kernel."""

import os
import shutil
import subprocess
from pathlib import Path

from .registry import Failed
from .vm import OUT, ROOT

KERNEL = "6.12"
SOURCES = ROOT / "tests/kmod"


def _is_new(module: Path, source: Path) -> bool:
    return module.exists() and all(module.stat().st_mtime > p.stat().st_mtime
                                   for p in source.iterdir())


def build(name: str) -> Path:
    """Return the module, built if its sources are newer."""
    module = ROOT / f"build/arm64/ko/{name}.ko"
    source = SOURCES / name
    if _is_new(module, source):
        return module
    headers = ROOT / f"build/vm/headers/{KERNEL}/build"
    work = OUT / f"kmod-{name}"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work)
    subprocess.run([ROOT / "tests/vm/prepare", f"headers:{KERNEL}"], check=True)
    done = subprocess.run(["make", "-s", "-C", headers, f"M={work}", "ARCH=arm64", "modules"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failed(f"cannot build {name}.ko\n{done.stdout}")
    module.parent.mkdir(parents=True, exist_ok=True)
    os.replace(shutil.copy(work / module.name, f"{module}.new"), module)
    return module
