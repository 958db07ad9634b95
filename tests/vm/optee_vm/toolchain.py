# SPDX-License-Identifier: GPL-2.0-only
"""A newer Debian's programs, the cross compiler of a newer kernel among them, on this host.

They are unpacked, not installed, and run with the C library of their own release: in the
place of each program is a script that starts it with that."""

import os
from pathlib import Path

from .apt import AptRoot, unpack
from .host import VmError, command, say
from .paths import TOOLS, VM
from .stamp import make

SUITE = "trixie"
RELEASE = "14"  # of its compiler
COMPILER = (f"gcc-{RELEASE}-aarch64-linux-gnu", f"cpp-{RELEASE}-aarch64-linux-gnu",
            "binutils-aarch64-linux-gnu", "pahole")
LIBRARIES = ("libc6", "libgcc-s1", "libstdc++6", "libgmp10", "libisl23", "libmpc3", "libmpfr6",
             "libzstd1", "zlib1g", "libjansson4", "libsframe1", "libelf1t64", "libdw1t64",
             "libbpf1", "liblzma5", "libbz2-1.0", "libssl3t64")
LOADERS = ("usr/lib64/ld-linux-x86-64.so.2", "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1")

TOOLCHAIN = VM / "toolchain"
RECIPE = (TOOLS / "optee_vm" / "toolchain.py",)

WRAPPER = """\
#!/bin/sh
self=$(readlink -f "$0")
root=${{self%/*}}/{root}
exec "$root/{loader}" --library-path "$root/{libraries}" --argv0 "$0" "$self.elf" "$@"
"""


def _host() -> str:
    return command(["dpkg", "--print-architecture"], "ask dpkg").strip()


def _is_program(path: Path) -> bool:
    """Is it an ELF file that names a loader, but no library?"""
    if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return False
    return ".so" not in path.name and " INTERP " in command(["readelf", "-lW", path],
                                                            f"read '{path}'")


def wrap(out: Path, dest: Path, release: Path) -> None:
    """Let the programs in out, which is to become dest, run with the libraries of the
    unpacked release, which is, or will be, in VM/toolchain."""
    loader = next((name for name in LOADERS if (release / name).exists()), None)
    if not loader:
        raise VmError(f"cannot run {SUITE}'s programs here: its libc6 has no loader for {_host()}; "
                      "build on amd64 or arm64")
    libraries = next((release / "usr/lib").glob("*/libc.so.6")).parent.relative_to(release)
    for path in sorted(out.rglob("*")):
        if _is_program(path):
            place = dest / path.parent.relative_to(out)
            path.rename(f"{path}.elf")
            path.write_text(WRAPPER.format(root=os.path.relpath(TOOLCHAIN, place),
                                           loader=loader, libraries=libraries))
            path.chmod(0o755)


def _link_names(tools: Path) -> None:
    """Without the release in its name, as kbuild calls it."""
    for path in tools.glob(f"*-{RELEASE}"):
        plain = path.with_name(path.name.removesuffix(f"-{RELEASE}"))
        if not plain.exists():
            plain.symlink_to(path.name)


def prepare() -> Path:
    """Return the release's directory; in its usr/bin are the compiler's programs,
    aarch64-linux-gnu-*, and pahole."""
    def build(scratch: Path, out: Path) -> None:
        say(f"fetching gcc {RELEASE} (about 45 MB)")
        debs = AptRoot(SUITE).download([f"{p}:{_host()}/{SUITE}" for p in COMPILER + LIBRARIES],
                                       scratch / "debs")
        unpack(debs, out)
        wrap(out, TOOLCHAIN, out)
        _link_names(out / "usr/bin")

    return make(TOOLCHAIN, RECIPE, _host(), build)
