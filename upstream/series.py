# SPDX-License-Identifier: GPL-2.0-only
"""The series, and the driver with some of their patches.

COUNT says which: 2 are the first two of KERNEL/, rfc/1 are all of KERNEL/ and then the first of
KERNEL/rfc/."""

import hashlib
import re
import sys
from pathlib import Path
from typing import Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "tests/vm"))

from optee_vm import built, driver  # noqa: E402
from optee_vm.host import VmError  # noqa: E402
from optee_vm.source import DRIVER  # noqa: E402

KERNELS = ("7.3", "6.12")
TESTS = "KUnit"  # in the name of the patch that adds the tests


def _in(place: Path) -> list[Path]:
    """The patches in order, without the cover letter."""
    return sorted(p for p in place.glob("[0-9]*-*.patch") if not p.name.startswith("0000-"))


def counts(kernel: str) -> list[str]:
    """Every COUNT, from no patch on."""
    aside = sorted(place for place in (HERE / kernel).iterdir() if place.is_dir())
    return [*map(str, range(len(_in(HERE / kernel)) + 1)),
            *(f"{place.name}/{n + 1}" for place in aside for n in range(len(_in(place))))]


def patches(kernel: str, count: str) -> list[Path]:
    if kernel not in KERNELS or count not in counts(kernel):
        raise VmError(f"cannot take {count} patches for kernel {kernel}: there are no such; "
                      f"take one of {', '.join(counts(kernel))}")
    place, _, number = count.rpartition("/")
    if place:
        return _in(HERE / kernel) + _in(HERE / kernel / place)[:int(number)]
    return _in(HERE / kernel)[:int(number)]


def digest(chosen: Sequence[Path]) -> str:
    """Of what the patches change, not of what they say."""
    changes = [re.split(r"^(?=diff --git|--- a/)", patch.read_text(), maxsplit=1, flags=re.M)[1]
               for patch in chosen]
    return hashlib.sha256("".join(changes).encode()).hexdigest()[:8]


def built(kernel: str, chosen: Sequence[Path], with_debug: bool = False, flags: str = "") -> Path:
    """The optee.ko with the patches, for Debian's kernel or for ours that looks for mistakes."""
    name = str(built.prepare("debug", kernel)) if with_debug else kernel
    variant = "-debug" * with_debug + "-tests" * bool(flags)
    out = ROOT / "build/upstream" / f"{kernel}{variant}" / digest(chosen)
    ko = out / DRIVER / "optee.ko"
    return ko if ko.is_file() else driver.build(None, chosen, name, out, flags=flags)


def with_tests(kernel: str, count: str) -> list[Path]:
    """With the tests, which also run where patches before theirs are missing."""
    chosen = patches(kernel, count)
    tests = next(p for p in _in(HERE / kernel) if TESTS in p.name)
    return chosen if tests in chosen else [*chosen, tests]


def built_with_tests(kernel: str, count: str) -> Path:
    chosen = with_tests(kernel, count)
    flags = "-DCONFIG_OPTEE_KUNIT_TEST=1"
    if not any("+#define OPTEE_SHM_ARG_REG_FIRST" in p.read_text() for p in chosen):
        flags += " -DOPTEE_SHM_ARG_REG_FIRST=0"
    return built(kernel, chosen, True, flags)
