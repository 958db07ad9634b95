# SPDX-License-Identifier: GPL-2.0-only
"""A guest of 32-bit Arm: OP-TEE and a kernel, both built from Debian's sources, since
Debian's own kernels for such machines have no OP-TEE driver.

There is no TF-A: OP-TEE is its own monitor, and has one CPU."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import firmware, kernel, rootfs, source, sysroot
from .host import VmError, build_env, command, say
from .paths import TOOLS, VM
from .stamp import make

CROSS = "arm-linux-gnueabihf-"
KERNEL = "6.12"  # whose source it is
THREADS = 2
CPU = "cortex-a15"
CONFIG = TOOLS / "arm.config"
LOADER = TOOLS / "loader.S"
TA = TOOLS.parent / "programs/ta"
# Where OP-TEE runs, and where the loader looks for the rest: see machine.py.
OPTEE_ADDR = 0x0e100000
KERNEL_ADDR = 0x41000000
DTB_ADDR = 0x44000000
OBJECTS = VM / "arm-objects"  # modules are built against them
ALL_STEPS = 900  # about
STEPS = re.compile(rb"^  (?:CC|AR|AS|LD) ", re.M)
TELL = 20.0  # seconds between two words on how far it is
MEM = 1024  # OP-TEE's shared memory is the end of it

HERE = TOOLS / "optee_vm" / "arm.py"


def _optee(threads: int) -> Path:
    """OP-TEE, tee-raw.bin, and the kit that makes TAs, export-ta_arm32."""
    def build(scratch: Path, out: Path) -> None:
        tree = firmware._source("optee-os", "sid")
        objects = scratch / "o"
        say(f"building OP-TEE for 32 bits with {threads} threads (about 60 s)")
        command(["make", firmware._jobs(), "PLATFORM=vexpress-qemu_virt", f"O={objects}",
                 f"CROSS_COMPILE32={CROSS}", f"CROSS_COMPILE_core={CROSS}",
                 f"CROSS_COMPILE_ta_arm32={CROSS}", "CFG_ARM64_core=n",
                 "CFG_USER_TA_TARGETS=ta_arm32", "CFG_WITH_ARM_TRUSTED_FW=n",
                 f"CFG_NUM_THREADS={threads}", "CFG_CORE_HEAP_SIZE=524288",
                 "PYTHON3=/usr/bin/python3", objects / "core/tee-raw.bin", "ta_dev_kit"],
                "build OP-TEE", 1800, tree,
                build_env({"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}),
                VM / f"optee-arm-{threads}.log")
        (objects / "core/tee-raw.bin").rename(out / "tee-raw.bin")
        (objects / "export-ta_arm32").rename(out / "export-ta_arm32")

    return make(VM / "secure" / f"arm-{threads}", (HERE,), str(threads), build)


def prepare_firmware(threads: int = THREADS) -> Path:
    """Return the flash image with an OP-TEE of that many threads."""
    optee = _optee(threads)

    def build(scratch: Path, out: Path) -> None:
        elf, flash = scratch / "loader.elf", out / "flash.bin"
        command([f"{CROSS}gcc", "-nostdlib", "-static", "-Wl,-Ttext=0", "-Wl,--build-id=none",
                 f"-Wa,-I{optee}", *(f"-D{name}={addr:#x}" for name, addr in (
                     ("OPTEE", OPTEE_ADDR), ("KERNEL", KERNEL_ADDR), ("DTB", DTB_ADDR))),
                 "-o", elf, LOADER], "build the loader")
        command([f"{CROSS}objcopy", "-O", "binary", elf, flash], "make the flash image")

    return make(VM / "flash-arm" / str(threads), (HERE, LOADER), str(threads), build) / "flash.bin"


def prepare_ta(threads: int = THREADS) -> Path:
    """Return the TA that waits, in place of xtest's, which Debian does not have for 32 bits."""
    optee = _optee(threads)

    def build(scratch: Path, out: Path) -> None:
        shutil.copytree(TA, scratch / "ta")
        made = scratch / "o"
        command(["make", "-C", scratch / "ta", f"CROSS_COMPILE={CROSS}", f"O={made}",
                 f"TA_DEV_KIT_DIR={optee / 'export-ta_arm32'}", "PYTHON3=/usr/bin/python3"],
                "build the TA", env=build_env({"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}))
        for ta in made.glob("*.ta"):
            ta.rename(out / ta.name)

    return next(make(VM / "ta-arm", (HERE, *sorted(TA.iterdir())), str(threads), build).glob("*.ta"))


def _source() -> Path:
    def build(scratch: Path, out: Path) -> None:
        archive = source.fetch(KERNEL, scratch)
        say("unpacking it (1.6 GB)")
        command(["tar", "-xJf", archive, "-C", out, "--strip-components=1"],
                "unpack the kernel's source", 1200)

    return make(VM / "linux" / KERNEL, (TOOLS / "optee_vm" / "source.py",), "", build)


def _make(*args: str) -> list[str]:
    cache = "ccache " if shutil.which("ccache") else ""
    return ["make", "-C", str(_source()), f"O={OBJECTS}", firmware._jobs(), "ARCH=arm",
            f"CROSS_COMPILE={CROSS}", f"CC={cache}{CROSS}gcc", "LOCALVERSION=-arm", *args]


def _configure() -> None:
    """What is named in CONFIG and cannot be had is an error, not a kernel without it."""
    command(_make(f"KCONFIG_ALLCONFIG={CONFIG}", "allnoconfig"), "configure the kernel")
    have = set((OBJECTS / ".config").read_text().splitlines())
    lacking = [line for line in CONFIG.read_text().splitlines()
               if line.startswith("CONFIG_") and line not in have]
    if lacking:
        raise VmError(f"cannot configure the kernel: it does not take {' '.join(lacking)}; "
                      f"see what that depends on, and add it to {CONFIG}")


def _compile() -> None:
    path = VM / "arm-kernel.log"
    with open(path, "wb") as log, subprocess.Popen(
            _make("zImage", "modules"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=build_env()) as job:
        told = time.monotonic()
        while job.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                say(f"{len(STEPS.findall(path.read_bytes()))} of about {ALL_STEPS} steps")
    if job.returncode:
        sys.stderr.write(path.read_bytes()[-3000:].decode(errors="replace"))
        raise VmError(f"cannot build the kernel: make failed; see {path}")


def prepare_kernel() -> Path:
    """Return the directory of the kernel: Image, which is a zImage, lib/modules, modules.cpio."""
    def build(scratch: Path, out: Path) -> None:
        full = scratch / "full"
        OBJECTS.mkdir(parents=True, exist_ok=True)
        _configure()
        say("building a kernel for 32-bit Arm (about 5 min with two CPUs)")
        _compile()
        command(_make(f"INSTALL_MOD_PATH={full}", "INSTALL_MOD_STRIP=1", "modules_install"),
                "lay out the modules")
        shutil.copyfile(OBJECTS / "arch/arm/boot/zImage", full / "Image")
        kernel.select(full, out)

    return make(VM / "kernel-arm", (HERE, CONFIG), KERNEL, build)


def locate() -> kernel.Kernel:
    root = prepare_kernel()
    return kernel.Kernel(root / "Image", root / "modules.cpio", CPU)


def prepare() -> None:
    """All that a guest of 32-bit Arm is made of."""
    prepare_firmware()
    prepare_ta()
    prepare_kernel()
    rootfs.prepare(rootfs.ARM)
    sysroot.prepare(True)
    sysroot.prepare_teec(True)
