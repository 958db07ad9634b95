# SPDX-License-Identifier: GPL-2.0-only
"""The guest's base file system: Debian's busybox, OP-TEE's user space and our agent."""

from pathlib import Path
from typing import NamedTuple

from .apt import AptRoot, unpack
from .cpio import Cpio
from .host import command, say
from .paths import CROSS, TOOLS, VM
from .stamp import make

PACKAGES = ("busybox-static", "kmod", "libc6", "libssl3t64", "zlib1g", "libzstd1",
            "libteec2", "libckteec0t64", "tee-supplicant",
            "ncurses-base", "ncurses-term")
XTEST = "optee-test-qemu"
LIBRARIES = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1",
             "libcrypto.so.3", "libz.so.1", "libzstd.so.1", "libteec.so.2",
             "libckteec.so.0")
PROGRAMS = ("bin/busybox", "bin/kmod", "sbin/tee-supplicant")
KMOD = ("modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod")
TERMINALS = ("xterm", "xterm-256color", "linux", "vt100", "vt220", "screen",
             "screen-256color", "tmux", "tmux-256color", "dumb")
DIRS = ("/tmp", "/dev", "/proc", "/sys", "/run", "/root", "/etc", "/mnt",
        "/var/lib/tee", "/data/tee", "/lib/modules", "/lib/optee-top-test")


class Arch(NamedTuple):
    name: str  # of the file system
    base: str  # of the packages
    libraries: str
    loader: str
    cross: str
    xtest: bool  # Debian has OP-TEE's tests


ARM64 = Arch("rootfs", "trixie", "aarch64-linux-gnu", "ld-linux-aarch64.so.1", CROSS, True)
ARM = Arch("rootfs-arm", "trixie-armhf", "arm-linux-gnueabihf", "ld-linux-armhf.so.3",
           "arm-linux-gnueabihf-", False)

GUEST = TOOLS / "guest"
RECIPE = (TOOLS / "optee_vm" / "rootfs.py", TOOLS / "optee_vm" / "cpio.py",
          GUEST / "agent.c", GUEST / "init")


def _fill(cpio: Cpio, arch: Arch, tree: Path, agent: Path) -> None:
    usr = tree / "usr"
    libs = usr / "lib" / arch.libraries
    for name in ("bin", "sbin", "lib"):
        cpio.dir(f"/usr/{name}")
    for name in DIRS:
        cpio.dir(name)
    cpio.copy(GUEST / "init", "/init", 0o755)
    cpio.copy(agent, "/usr/sbin/agent", 0o755)
    cpio.file("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"
                             b"nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n")
    cpio.file("/etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    for name in PROGRAMS:
        cpio.copy(usr / name, f"/usr/{name}", 0o755)
    for name in KMOD:
        cpio.link(f"/usr/sbin/{name}", "../bin/kmod")
    cpio.copy((libs / arch.loader).resolve(), f"/lib/{arch.loader}", 0o755)
    for name in LIBRARIES:
        cpio.copy((libs / name).resolve(), f"/lib/{arch.libraries}/{name}", 0o644)
    if arch.xtest:
        cpio.copy(usr / "bin/xtest", "/usr/bin/xtest", 0o755)
        cpio.copy(usr / "lib/optee_armtz", "/lib/optee_armtz")
        cpio.copy(usr / "lib/tee-supplicant", "/lib/tee-supplicant")
    for name in TERMINALS:
        found = next(d / name[0] / name for d in (usr / "share/terminfo",
                     usr / "lib/terminfo") if (d / name[0] / name).exists())
        cpio.copy(found.resolve(), f"/usr/share/terminfo/{name[0]}/{name}")


def prepare(arch: Arch = ARM64) -> Path:
    """Return the archive of the base file system."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching the guest's user space (about 15 MB)")
        names = [*PACKAGES, *([XTEST] if arch.xtest else [])]
        debs = AptRoot(arch.base).download([f"{p}/trixie" for p in names], scratch / "debs")
        unpack(debs, scratch / "tree")
        agent = scratch / "agent"
        command([f"{arch.cross}gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s",
                 "-o", agent, GUEST / "agent.c"], "build the guest's agent")
        with Cpio(out / "rootfs.cpio") as cpio:
            # The links first: what follows is written behind them.
            cpio.dir("/usr")
            for name in ("bin", "sbin", "lib"):
                cpio.top_link(name, f"usr/{name}")
            _fill(cpio, arch, scratch / "tree", agent)

    return make(VM / arch.name, RECIPE, "", build) / "rootfs.cpio"
