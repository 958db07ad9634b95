# SPDX-License-Identifier: GPL-2.0-only
"""The secure world: TF-A from source with an OP-TEE, as one flash image.

With 2 threads OP-TEE is Debian's own binary; with another number it is built
from Debian's source, accepting the same TAs."""

import os
from pathlib import Path

from .apt import AptRoot, unpack
from .host import VmError, build_env, command, say
from .paths import CROSS, TOOLS, VM
from .stamp import make

DEBIAN_THREADS = 2
MAX_THREADS = 64
PLATFORM = "vexpress-qemu_armv8a"
FIP_OFFSET = 256 * 1024
OPTEE_PARTS = ("tee-header_v2.bin", "tee-pager_v2.bin", "tee-pageable_v2.bin")

MANIFEST = TOOLS / "optee_vm" / "spmc.dts"
# How TF-A passes calls on: as they are, or, of the FF-A, as that says.
TFA_SMC = ("SPD=opteed",)
TFA_FFA = ("SPD=spmd", "SPMD_SPM_AT_SEL2=0", "SPMC_OPTEE=1", "CTX_INCLUDE_EL2_REGS=0",
           "ENABLE_SME_FOR_NS=0", "ENABLE_SME_FOR_SWD=0", f"QEMU_TOS_FW_CONFIG_DTS={MANIFEST}",
           "dtbs")

RECIPE = (TOOLS / "optee_vm" / "firmware.py", MANIFEST)


def _jobs() -> str:
    return f"-j{os.cpu_count() or 1}"


def _debian_optee() -> Path:
    """Debian's OP-TEE binaries and the TA development kit."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching OP-TEE (about 20 MB)")
        debs = AptRoot("trixie").download(["optee-os/trixie", "optee-os-dev/trixie"],
                                          scratch / "debs")
        unpack(debs, out)

    return make(VM / "optee" / "debian", RECIPE, "", build)


def _name(threads: int, ffa: bool) -> str:
    return f"{threads}-ffa" if ffa else str(threads)


def _source(package: str, suite: str) -> Path:
    def build(scratch: Path, out: Path) -> None:
        say(f"fetching the source of {package}")
        AptRoot(suite).source(package, suite, out / "src")

    return make(VM / "source" / package, RECIPE, suite, build) / "src"


def _built_optee(threads: int, ffa: bool) -> Path:
    """OP-TEE from source with that many threads."""
    # Debian's xtest TAs are signed with the older release's development key.
    key = _debian_optee() / "usr/lib/optee-os-dev" / PLATFORM / "keys/default_ta.pem"
    name = _name(threads, ffa)

    def build(scratch: Path, out: Path) -> None:
        source = _source("optee-os", "sid")
        core = scratch / "o/core"
        say(f"building OP-TEE with {threads} threads (about 40 s)")
        command(["make", _jobs(), f"PLATFORM={PLATFORM}", f"O={scratch / 'o'}",
                 f"CROSS_COMPILE64={CROSS}", f"CROSS_COMPILE_core={CROSS}",
                 f"CROSS_COMPILE_ta_arm64={CROSS}", "CFG_ARM64_core=y",
                 "CFG_USER_TA_TARGETS=ta_arm64", "CFG_ARM_GICV3=y",
                 f"CFG_NUM_THREADS={threads}", "PYTHON3=/usr/bin/python3",
                 "CFG_CORE_HEAP_SIZE=524288",   # the default has no room for 1,000 sessions
                 *(["CFG_CORE_SEL1_SPMC=y"] if ffa else []),
                 f"TA_SIGN_KEY={key}", f"TA_PUBLIC_KEY={key}",
                 *(core / part for part in OPTEE_PARTS)],   # no TAs, and nothing to make any
                "build OP-TEE", 1200, source,
                build_env({"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}),
                VM / f"optee-{name}.log")
        for part in OPTEE_PARTS:
            (core / part).rename(out / part)

    return make(VM / "optee" / name, RECIPE, name, build)


def _optee(threads: int, ffa: bool) -> Path:
    if threads == DEBIAN_THREADS and not ffa:
        return _debian_optee() / "usr/lib/optee" / PLATFORM
    return _built_optee(threads, ffa)


def prepare(threads: int = DEBIAN_THREADS, ffa: bool = False) -> Path:
    """Return the flash image with an OP-TEE of that many threads, which is called by SMC or
    by FF-A."""
    if not 1 <= threads <= MAX_THREADS:
        raise VmError(f"cannot build OP-TEE with {threads} threads: "
                      f"choose from 1 to {MAX_THREADS}")
    optee = _optee(threads, ffa)
    source = _source("arm-trusted-firmware", "trixie")
    name = _name(threads, ffa)

    def build(scratch: Path, out: Path) -> None:
        say("building TF-A (about 10 s)")
        header, pager, pageable = (optee / part for part in OPTEE_PARTS)
        command(["make", _jobs(), f"BUILD_BASE={scratch / 'o'}", "PLAT=qemu",
                 f"CROSS_COMPILE={CROSS}", f"BL32={header}",
                 f"BL32_EXTRA1={pager}", f"BL32_EXTRA2={pageable}",
                 "BL32_RAM_LOCATION=tdram", "ARM_LINUX_KERNEL_AS_BL33=1",
                 "PRELOADED_BL33_BASE=0x50000000", "QEMU_USE_GIC_DRIVER=QEMU_GICV3",
                 *(TFA_FFA if ffa else TFA_SMC), "bl1", "bl2", "bl31", "fip"],
                "build TF-A", 600, source, build_env(), VM / f"tfa-{name}.log")
        made = scratch / "o/qemu/release"
        with open(out / "flash.bin", "wb") as flash:
            flash.write((made / "bl1.bin").read_bytes())
            flash.seek(FIP_OFFSET)
            flash.write((made / "fip.bin").read_bytes())

    return make(VM / "firmware" / name, RECIPE, name, build) / "flash.bin"
