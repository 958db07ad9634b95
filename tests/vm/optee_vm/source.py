# SPDX-License-Identifier: GPL-2.0-only
"""The driver's source in Debian's kernels, to build a changed driver from.

Of a whole kernel's source only drivers/tee/optee is kept, and the top Makefile, which
has the version."""

import tarfile
from pathlib import Path

from .apt import AptRoot, unpack
from .host import VmError, say
from .kernel import KERNELS, check
from .paths import TOOLS, VM
from .stamp import make

RECIPE = (TOOLS / "optee_vm" / "source.py",)
DRIVER = "drivers/tee/optee"
KEPT = ("Makefile", DRIVER)


def _is_kept(name: str) -> bool:
    return any(name == kept or name.startswith(f"{kept}/") for kept in KEPT)


def _extract(archive: Path, out: Path) -> None:
    """Read through the archive once; the driver lies in one run of its members."""
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            member.name = member.name.partition("/")[2]
            if member.isfile() and _is_kept(member.name):
                tar.extract(member, out, set_attrs=False)
    if not (out / DRIVER).is_dir():
        raise VmError(f"cannot get the driver's source: {archive.name} has no {DRIVER}; "
                      "Debian may have changed its package, see tests/vm/optee_vm/source.py")


def fetch(name: str, scratch: Path) -> Path:
    """Fetch the whole source of kernel name: an archive below scratch."""
    say(f"fetching the source of kernel {name} (about 150 MB)")
    debian = KERNELS[name]
    apt = AptRoot(debian.base)
    package = next(d for d in apt.depends(f"linux-source/{debian.suite}")
                   if d.startswith("linux-source-"))
    debs = apt.download([f"{package}/{debian.suite}"], scratch / "debs")
    unpack(debs, scratch / "full")
    return next((scratch / "full/usr/src").glob("linux-source-*.tar.xz"))


def prepare(name: str) -> Path:
    """Return the directory of the driver's source in kernel name."""
    check(name)

    def build(scratch: Path, out: Path) -> None:
        _extract(fetch(name, scratch), out)

    return make(VM / "source" / name, RECIPE, name, build) / DRIVER
