# SPDX-License-Identifier: GPL-2.0-only
"""Kernels built from Debian's source of a kernel of the guests, each of a kind: with what
tests/vm/kinds/common.config and KIND.config ask for. Such a kernel's directory is one that run,
kernel/build and validate take.

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
from .paths import CROSS, ROOT, TOOLS, VM
from .stamp import make

RECIPE = TOOLS / "optee_vm" / "built.py"
KINDS = TOOLS / "kinds"
COMMON = "common"
SETTING = re.compile(r"(?:# )?(CONFIG_\w+)(?:=.*| is not set)$")
STEPS = re.compile(rb"^  (?:CC|AR|AS|LD) ", re.M)
TELL = 20.0  # seconds between two words on how far it is


def kinds() -> list[str]:
    return sorted(path.stem for path in KINDS.glob("*.config") if path.stem != COMMON)


def place(kind: str, name: str) -> Path:
    """Where the kernel of that kind with the source of kernel name is, or will be."""
    return VM / (kind if name == DEFAULT else f"{kind}-{name}")


def objects(kind: str, name: str) -> Path:
    where = place(kind, name)
    return where.with_name(f"{where.name}-objects")


def _configs(kind: str) -> list[Path]:
    return [KINDS / f"{COMMON}.config", KINDS / f"{kind}.config"]


def _source(name: str) -> Path:
    def build(scratch: Path, out: Path) -> None:
        archive = source.fetch(name, scratch)
        say("unpacking it (1.6 GB)")
        command(["tar", "-xJf", archive, "-C", out, "--strip-components=1"],
                "unpack the kernel's source", 1200)

    return make(VM / "linux" / name, (TOOLS / "optee_vm" / "source.py",), "", build)


def _make(kind: str, name: str, *args: str) -> list[str]:
    cache = "ccache " if shutil.which("ccache") else ""
    return ["nice", "make", "-C", str(_source(name)), f"O={objects(kind, name)}",
            f"-j{os.cpu_count() or 1}", "ARCH=arm64", f"CROSS_COMPILE={CROSS}",
            f"CC={cache}{CROSS}gcc", f"LOCALVERSION=-{kind}", *args]


def _configure(kind: str, name: str) -> None:
    """What is named and cannot be had is an error, not a kernel without it."""
    asked = objects(kind, name) / "asked.config"
    asked.write_text("".join(path.read_text() for path in _configs(kind)))
    command(_make(kind, name, f"KCONFIG_ALLCONFIG={asked}", "allnoconfig"),
            "configure the kernel")
    lines = (objects(kind, name) / ".config").read_text().splitlines()
    have = {match[1]: match[0] for line in lines if (match := SETTING.match(line))}
    want = {match[1]: match[0] for line in asked.read_text().splitlines()
            if (match := SETTING.match(line))}  # the last word is the kind's
    lacking = [line for option, line in want.items()
               if have.get(option, f"# {option} is not set") != line]
    if lacking:
        raise VmError(f"cannot configure the kernel: it does not take {' '.join(lacking)}; "
                      f"see what that depends on, and add it to {_configs(kind)[-1]}")


def _compile(kind: str, name: str) -> None:
    where = place(kind, name)
    path = where.with_name(f"{where.name}-kernel.log")
    with open(path, "wb") as log, subprocess.Popen(
            _make(kind, name, "Image", "modules"), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, env=build_env()) as job:
        told = time.monotonic()
        while job.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                say(f"{len(STEPS.findall(path.read_bytes()))} steps done, of about a thousand")
    if job.returncode:
        sys.stderr.write(path.read_bytes()[-3000:].decode(errors="replace"))
        raise VmError(f"cannot build the kernel: make failed; see {path}")


def prepare(kind: str, name: str = DEFAULT) -> Path:
    """Return the directory of the kernel: Image and lib/modules/VERSION."""
    if kind not in kinds():
        raise VmError(f"cannot build a kernel of kind '{kind}': known are "
                      f"{', '.join(kinds())}; a file in tests/vm/kinds makes one more")
    check(name)

    def build(scratch: Path, out: Path) -> None:
        objects(kind, name).mkdir(parents=True, exist_ok=True)
        _configure(kind, name)
        say(f"building kernel {kind}:{name} (10 to 20 min with two CPUs)")
        _compile(kind, name)
        command(_make(kind, name, f"INSTALL_MOD_PATH={out}", "INSTALL_MOD_STRIP=1",
                      "modules_install"), "lay out the modules")
        shutil.copy(objects(kind, name) / "arch/arm64/boot/Image", out / "Image")

    return make(place(kind, name), (RECIPE, *_configs(kind)), name, build)


def resolve(name: str) -> str:
    """The directory of KIND:VERSION, which is built if need be; other names as they are."""
    kind, colon, version = name.partition(":")
    return str(prepare(kind, version or DEFAULT)) if colon and os.sep not in name else name


def types(kind: str, name: str, out: Path) -> Path:
    """The types of that kernel that optee-top reads, for --btf, in the file out."""
    prepare(kind, name)
    module = objects(kind, name) / "drivers/tee/optee/optee.ko"
    command([ROOT / "scripts/min-btf", out, objects(kind, name) / "vmlinux",
             *([module] if module.exists() else [])], "make the kernel's BTF", 600, ROOT)
    return out
