# SPDX-License-Identifier: GPL-2.0-only
"""Builds a changed driver for a kernel of the guest, and looks whether one that was built
elsewhere can be used: it has to be for that kernel, and to have BTF, from which
optee-top learns where the driver keeps what."""

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from . import headers, kernel, module, source
from .host import VmError, command, say
from .paths import CROSS

NEEDED = ("Makefile", "optee_private.h")


class Driver(NamedTuple):
    """An optee.ko that can be loaded, and the number that tells it from others."""

    module: Path
    build_id: str


def _modules(kernel_name: str) -> Path:
    """lib/modules/VERSION of the kernel."""
    if kernel_name in kernel.KERNELS:
        return next((kernel.prepare(kernel_name) / "lib/modules").iterdir())
    root = Path(kernel_name)
    if not root.is_dir():
        raise VmError(f"cannot use kernel '{kernel_name}': it is neither one of "
                      f"{', '.join(kernel.KERNELS)} nor a directory")
    for modules in root / "lib/modules", root / "usr/lib/modules":
        if modules.is_dir():
            return next(modules.iterdir())
    raise VmError(f"cannot use the kernel in {root}: it has no lib/modules/VERSION; "
                  "install one kernel's modules there")


def _build_tree(kernel_name: str) -> Path:
    """Where modules of the kernel are built."""
    if kernel_name in kernel.KERNELS:
        return headers.prepare(kernel_name)
    tree = _modules(kernel_name) / "build"
    if not (tree / "Makefile").is_file():
        raise VmError(f"cannot build the driver for kernel '{kernel_name}': it has no "
                      f"{tree.relative_to(kernel_name)}; link its build tree there, or "
                      "build optee.ko there yourself and give that")
    return tree.resolve()


def _sources(given: Path) -> Path:
    """The driver's directory: the one that was given, or of the kernel that was given."""
    if not given.is_dir():
        raise VmError(f"cannot build the driver in '{given}': there is no such directory; "
                      "give one with the files of drivers/tee/optee")
    for place in given, given / source.DRIVER:
        if all((place / name).is_file() for name in NEEDED):
            return place
    lacking = next(name for name in NEEDED if not (given / name).is_file())
    raise VmError(f"cannot build the driver in '{given}': it has no {lacking}, so it is not "
                  "the driver's source; give a directory with the files of drivers/tee/optee")


def _own_source(kernel_name: str) -> Path:
    """The source that the kernel was built from."""
    if kernel_name in kernel.KERNELS:
        return source.prepare(kernel_name).parents[2]
    modules = _modules(kernel_name)
    # The build tree has a link to the source, or is the source.
    for tree in modules / "source", modules / "build/source", modules / "build":
        if (tree / source.DRIVER / NEEDED[1]).is_file():
            return tree.resolve()
    raise VmError(f"cannot build the driver for kernel '{kernel_name}': its source is not "
                  "known; give the directory of the driver's source, too")


def _patch(tree: Path, patch: Path) -> None:
    if not patch.is_file():
        raise VmError(f"cannot apply '{patch}': there is no such file; "
                      "give a patch of drivers/tee/optee")
    command(["patch", "-p1", "-F0", "--batch", "--forward", "-i", patch.resolve()],
            f"apply {patch.name} to the driver's source", cwd=tree)


def build(given: Optional[Path], patches: Sequence[Path], kernel_name: str, out: Path,
          added: Sequence[Path] = (), flags: str = "") -> Path:
    """Build optee.ko below out, from a source directory or, without one, that of Debian's
    kernel, with the patches applied and the added files beside the driver's."""
    tree = _build_tree(kernel_name)
    files = _sources(given or _own_source(kernel_name))
    shutil.rmtree(out, ignore_errors=True)
    work = out / source.DRIVER
    shutil.copytree(files, work, ignore=shutil.ignore_patterns(
        "*.o", "*.ko", "*.mod", "*.mod.c", "*.cmd", "Module.symvers", "modules.order"))
    for path in added:
        shutil.copy(path, work)
    for patch in patches:
        _patch(out, patch)
    say(f"building the driver for kernel {kernel_name}")
    command(["make", "-s", f"-j{os.cpu_count() or 1}", "-C", tree, f"M={work.resolve()}",
             "ARCH=arm64", "CONFIG_OPTEE=m", f"CROSS_COMPILE={CROSS}", f"KCFLAGS={flags}", "modules"], "build the driver")
    if not (work / "optee.ko").is_file():
        raise VmError("cannot build the driver: its Makefile makes no optee.ko; "
                      "keep its obj-$(CONFIG_OPTEE)")
    return work / "optee.ko"


def build_id(ko: Path) -> str:
    found = re.search(r"Build ID: (\w+)", command(["readelf", "-n", ko], f"read '{ko}'"))
    return found[1] if found else ""


def check(ko: Path, kernel_name: str) -> Driver:
    """Can the kernel load it in place of its own, and optee-top follow it?"""
    module.place(ko, _modules(kernel_name))
    if module.info(ko, "name") != "optee":
        raise VmError(f"cannot use the module '{ko}': it is {module.info(ko, 'name')}; "
                      "give the driver's optee.ko")
    if " .BTF " not in command(["readelf", "-SW", ko], f"read '{ko}'"):
        raise VmError(f"cannot use the module '{ko}': it has no BTF, which optee-top needs; build "
                      "it with pahole installed and CONFIG_DEBUG_INFO_BTF_MODULES, where the "
                      "kernel's vmlinux is")
    number = build_id(ko)
    if not number:
        raise VmError(f"cannot use the module '{ko}': it has no build id, by which the guest "
                      "tells that it runs this one; link it with --build-id")
    return Driver(ko, number)


def stock(kernel_name: str) -> str:
    """The build id of the driver that the kernel came with; "": it has no such module."""
    own = module.find(_modules(kernel_name), "optee")
    return build_id(own) if own else ""
