# SPDX-License-Identifier: GPL-2.0-only
"""Kernel headers to build modules for the guest with the cross compiler.

    make -C build/vm/headers/6.12/build M=DIR modules

Debian's header packages use programs that run on the build machine: those come from
the build machine's architecture, all else from arm64's. A kernel that wants a newer compiler
than the build machine has gets its own, and with it what else runs there."""

import os
import re
from pathlib import Path

from . import toolchain
from .apt import AptRoot, unpack
from .host import command, say
from .kernel import KERNELS, check
from .paths import CROSS, TOOLS, VM
from .stamp import make

RECIPE = (TOOLS / "optee_vm" / "headers.py", TOOLS / "optee_vm" / "toolchain.py")
# On an arm64 host too the cross compiler's name is that of the native one.
PREFIX = f"CROSS_COMPILE := {CROSS}\n" \
         "here := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))/..)\n"


def _is_too_old(headers: Path) -> bool:
    """Is this host's compiler older than the kernel's, whose flags it would have to know?"""
    wanted = re.search(r"gcc-(\d+)", (headers / ".kernelvariables").read_text())
    have = command([f"{CROSS}gcc", "-dumpversion"], "ask the compiler").split(".")[0]
    return bool(wanted) and int(have) < int(wanted[1])


def _relocate(headers: Path, tools: str) -> None:
    """Debian's headers name /usr/src and one release of the compiler: make both ours."""
    makefile = headers / "Makefile"
    prefix = PREFIX + (f"export kernel_tools := $(realpath $(here)/{tools})\n" if tools else "")
    makefile.write_text(prefix + makefile.read_text().replace("/usr/src/", "$(here)/"))
    variables = headers / ".kernelvariables"
    text = re.sub(r"gcc-\d+", "gcc", variables.read_text())
    if tools:
        text += f"override CROSS_COMPILE = $(kernel_tools)/{CROSS}\n" \
                "override PAHOLE = $(kernel_tools)/pahole\n"
    variables.write_text(text)


def prepare(name: str) -> Path:
    """Return the directory in which to run make to build modules of kernel name."""
    check(name)
    dest = VM / "headers" / name

    def build(scratch: Path, out: Path) -> None:
        say(f"fetching the headers of kernel {name} (about 15 MB)")
        debian = KERNELS[name]
        apt = AptRoot(debian.base)
        host = command(["dpkg", "--print-architecture"], "ask dpkg").strip()
        headers = next(d for d in apt.depends(f"linux-headers-arm64/{debian.suite}")
                       if d.startswith("linux-headers-"))
        needs = apt.depends(f"{headers}/{debian.suite}")
        common = next(d for d in needs if d.endswith("-common"))
        kbuild = next(d for d in needs if d.startswith("linux-kbuild-"))
        debs = apt.download([f"{headers}/{debian.suite}", f"{common}/{debian.suite}",
                             f"{kbuild}:{host}/{debian.suite}"], scratch / "debs")
        unpack(debs, out)
        tree = out / "usr/src" / headers
        tools = ""
        if _is_too_old(tree):
            release = toolchain.prepare()
            toolchain.wrap(out, dest, release)
            tools = os.path.relpath(release / "usr/bin", dest / "usr/src")
        _relocate(tree, tools)
        (out / "build").symlink_to(f"usr/src/{headers}")

    return make(dest, RECIPE, name, build) / "build"
