# SPDX-License-Identifier: GPL-2.0-only
"""Debian's systemd for the guest: an archive on top of the base file system, with which
the guest's first process is systemd, and the agent and tee-supplicant are units.

There is no D-Bus and no udev: root's systemctl needs neither."""

import re
from pathlib import Path
from typing import Iterator

from .apt import AptRoot, unpack
from .cpio import Cpio
from .host import VmError, command, say
from .paths import TOOLS, VM
from .stamp import make

PACKAGES = ("systemd", "libsystemd-shared", "libsystemd0", "libacl1", "libapparmor1", "libaudit1",
            "libblkid1", "libcap-ng0", "libcap2", "libcrypt1", "libkmod2",
            "libmount1", "libpam0g", "libpcre2-8-0", "libseccomp2", "libselinux1", "mount",
            "tee-supplicant", "libc6", "libssl3t64", "liblzma5", "libzstd1", "zlib1g",
            "libbpf1", "libelf1t64")
# What it loads when it is there: modules, regular expressions, its own BPF programs.
OPENED = ("libkmod.so.2", "libpcre2-8.so.0", "libbpf.so.1", "libzstd.so.1")
TREES = ("usr/lib/systemd", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d", "usr/lib/sysctl.d")
PROGRAMS = ("systemctl", "journalctl", "mount", "umount")
LIBS = "usr/lib/aarch64-linux-gnu"
# Without D-Bus these cannot work, and nobody logs in here.
MASKED = ("systemd-logind.service", "getty.target", "systemd-hostnamed.socket",
          "systemd-user-sessions.service", "systemd-firstboot.service",
          "ldconfig.service", "systemd-journal-catalog-update.service")
WANTED = ("agent.service", "tee-supplicant.service")

GUEST = TOOLS / "guest" / "systemd"
RECIPE = (TOOLS / "optee_vm" / "systemd.py", TOOLS / "optee_vm" / "cpio.py",
          GUEST / "agent.service")
NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def _needed(path: Path) -> list[str]:
    return NEEDED.findall(command(["readelf", "-d", path], f"read {path.name}"))


def _libraries(tree: Path, programs: Iterator[Path]) -> dict[str, Path]:
    """The libraries that the programs need, and that those need, by guest name."""
    found: dict[str, Path] = {}
    places = (tree / LIBS, tree / LIBS / "systemd", tree / "usr/lib")
    wanted = [*OPENED, *(name for program in programs for name in _needed(program))]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        path = next((p / name for p in places if (p / name).exists()), None)
        if not path:
            raise VmError(f"cannot put systemd into the guest: no package has {name}; "
                          f"add its package to {Path(__file__).name}")
        found[name] = path
        wanted += _needed(path)
    return found


def _is_elf(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def _programs(tree: Path) -> list[Path]:
    bins = tree / "usr/bin"
    return [*(bins / name for name in PROGRAMS), *sorted(bins.glob("systemd-*"))]


def _fill(cpio: Cpio, tree: Path) -> None:
    programs = _programs(tree)
    for program in programs:
        cpio.copy(program, f"/usr/bin/{program.name}")
    for name in TREES:
        cpio.copy(tree / name, f"/{name}")
    elf = (p for p in [*programs, *(tree / "usr/lib/systemd").rglob("*")] if _is_elf(p))
    for name, path in sorted(_libraries(tree, elf).items()):
        where = path.parent.relative_to(tree)
        cpio.copy(path.resolve(), f"/{where}/{name}", 0o755)
    cpio.copy(tree / "usr/lib/systemd/system/tee-supplicant.service",
              "/lib/systemd/system/tee-supplicant.service")
    cpio.copy(GUEST / "agent.service", "/etc/systemd/system/agent.service", 0o644)
    for name in MASKED:
        cpio.link(f"/etc/systemd/system/{name}", "/dev/null")
    for name in WANTED:
        cpio.link(f"/etc/systemd/system/multi-user.target.wants/{name}", f"../{name}")
    cpio.link("/etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target")
    cpio.file("/etc/os-release", b"ID=debian\nPRETTY_NAME=\"a guest with OP-TEE\"\n")
    cpio.file("/etc/machine-id", b"0123456789abcdef0123456789abcdef\n")
    cpio.file("/etc/fstab", b"")
    cpio.dir("/var/log/journal")


def prepare() -> Path:
    """Return the archive that goes on top of that of the base file system."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching the guest's systemd (about 12 MB)")
        debs = AptRoot("trixie").download([f"{p}/trixie" for p in PACKAGES], scratch / "debs")
        unpack(debs, scratch / "tree")
        with Cpio(out / "systemd.cpio") as cpio:
            _fill(cpio, scratch / "tree")

    return make(VM / "systemd", RECIPE, "", build) / "systemd.cpio"
