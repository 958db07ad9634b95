# SPDX-License-Identifier: GPL-2.0-only
"""Sysroots to cross-compile for the guests: unpacked -dev packages.

sysroot has one suite's libc and the libraries of a static program. sysroot-teec has
just libteec, of the guest's own suite, so that the two C libraries do not mix. Those of
32-bit Arm have -arm behind their names."""

import os
from pathlib import Path

from .apt import AptRoot, unpack
from .host import say
from .paths import TOOLS, VM
from .stamp import make

BOOKWORM = ("libc6", "libc6-dev", "linux-libc-dev", "libcrypt-dev", "libcrypt1",
            "libelf-dev", "libelf1", "zlib1g-dev", "zlib1g", "libjansson-dev",
            "libjansson4", "libncurses-dev", "libncurses6", "libncursesw6",
            "libtinfo6")
BACKPORTS = ("libbpf-dev", "libbpf1")
TEEC = ("optee-client-dev", "libteec2", "libckteec0t64")

RECIPE = (TOOLS / "optee_vm" / "sysroot.py",)


def _relative_links(root: Path) -> None:
    """Absolute links would lead to the host's libraries: make them relative."""
    for path in root.rglob("*"):
        if path.is_symlink() and os.path.isabs(os.readlink(path)):
            target = root / os.readlink(path).lstrip("/")
            path.unlink()
            path.symlink_to(os.path.relpath(target, path.parent))


def prepare(arm: bool = False) -> Path:
    """Return the sysroot of static programs."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching the sysroot (about 15 MB)")
        apt = AptRoot("bookworm-armhf" if arm else "bookworm")
        names = [f"{p}/bookworm" for p in BOOKWORM]
        names += [f"{p}/bookworm-backports" for p in BACKPORTS]
        debs = apt.download(names, scratch / "debs")
        # As on a merged-/usr system: some packages still have a /lib.
        (out / "usr/lib").mkdir(parents=True)
        (out / "lib").symlink_to("usr/lib")
        for deb in debs:
            unpack([deb], scratch / "tree")
        _merge(scratch / "tree", out)
        _relative_links(out)

    return make(VM / ("sysroot-arm" if arm else "sysroot"), RECIPE, "", build)


def _merge(tree: Path, out: Path) -> None:
    """Move tree's files into out, following out's links."""
    for path in sorted(tree.rglob("*")):
        dest = out / path.relative_to(tree)
        if path.is_dir() and not path.is_symlink():
            dest.mkdir(parents=True, exist_ok=True)
        else:
            path.rename(dest)


def prepare_teec(arm: bool = False) -> Path:
    """Return the directory with libteec's headers and library."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching libteec's headers")
        apt = AptRoot("trixie-armhf" if arm else "trixie")
        unpack(apt.download([f"{p}/trixie" for p in TEEC], scratch / "debs"), out)

    return make(VM / ("sysroot-teec-arm" if arm else "sysroot-teec"), RECIPE, "", build)
