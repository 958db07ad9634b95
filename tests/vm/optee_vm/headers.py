# SPDX-License-Identifier: GPL-2.0-only
"""Kernel headers to build modules for the guest with the cross compiler.

    make -C build/vm/headers/6.12/build M=DIR modules

Debian's header packages use programs that run on the build machine: those come from
the build machine's architecture, all else from arm64's."""

import re
from pathlib import Path

from .apt import AptRoot, unpack
from .host import VmError, command, say
from .kernel import KERNELS, check
from .paths import CROSS, TOOLS, VM
from .stamp import make

RECIPE = (TOOLS / "optee_vm" / "headers.py",)
# On an arm64 host too the cross compiler's name is that of the native one.
PREFIX = f"CROSS_COMPILE := {CROSS}\n" \
         "here := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))/..)\n"


def _check_compiler(headers: Path, name: str) -> None:
    """The kernel's own compiler flags need its compiler's release or a newer one."""
    wanted = re.search(r"gcc-(\d+)", (headers / ".kernelvariables").read_text())
    have = command([f"{CROSS}gcc", "-dumpversion"], "ask the compiler").split(".")[0]
    if wanted and int(have) < int(wanted[1]):
        raise VmError(f"cannot build modules of kernel {name}: it wants gcc {wanted[1]}, "
                      f"and {CROSS}gcc is {have.strip()}; build on a newer Debian")


def _relocate(headers: Path) -> None:
    """Debian's headers name /usr/src and one release of the compiler: make both ours."""
    makefile = headers / "Makefile"
    makefile.write_text(PREFIX + makefile.read_text().replace("/usr/src/", "$(here)/"))
    variables = headers / ".kernelvariables"
    variables.write_text(re.sub(r"gcc-\d+", "gcc", variables.read_text()))


def prepare(name: str) -> Path:
    """Return the directory in which to run make to build modules of kernel name."""
    check(name)

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
        _check_compiler(out / "usr/src" / headers, name)
        _relocate(out / "usr/src" / headers)
        (out / "build").symlink_to(f"usr/src/{headers}")

    return make(VM / "headers" / name, RECIPE, name, build) / "build"
