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

RECIPE = (TOOLS / "optee_vm" / "firmware.py",)


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


def _built_optee(threads: int) -> Path:
    """OP-TEE from source with that many threads."""
    # Debian's xtest TAs are signed with the older release's development key.
    key = _debian_optee() / "usr/lib/optee-os-dev" / PLATFORM / "keys/default_ta.pem"

    def build(scratch: Path, out: Path) -> None:
        source = scratch / "src"
        say("fetching OP-TEE's source")
        AptRoot("sid").source("optee-os", "sid", source)
        say(f"building OP-TEE with {threads} threads (about 60 s)")
        command(["make", _jobs(), f"PLATFORM={PLATFORM}", f"O={scratch / 'o'}",
                 f"CROSS_COMPILE64={CROSS}", f"CROSS_COMPILE_core={CROSS}",
                 f"CROSS_COMPILE_ta_arm64={CROSS}", "CFG_ARM64_core=y",
                 "CFG_USER_TA_TARGETS=ta_arm64", "CFG_ARM_GICV3=y",
                 f"CFG_NUM_THREADS={threads}", "PYTHON3=/usr/bin/python3",
                 "CFG_CORE_HEAP_SIZE=524288",   # the default has no room for 1,000 sessions
                 f"TA_SIGN_KEY={key}", f"TA_PUBLIC_KEY={key}"],
                "build OP-TEE", 1200, source,
                build_env({"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}),
                VM / f"optee-{threads}.log")
        for part in OPTEE_PARTS:
            (scratch / "o/core" / part).rename(out / part)

    return make(VM / "optee" / str(threads), RECIPE, str(threads), build)


def _optee(threads: int) -> Path:
    if threads == DEBIAN_THREADS:
        return _debian_optee() / "usr/lib/optee" / PLATFORM
    return _built_optee(threads)


def _tfa_source() -> Path:
    def build(scratch: Path, out: Path) -> None:
        say("fetching TF-A's source (about 10 MB)")
        AptRoot("trixie").source("arm-trusted-firmware", "trixie", out / "src")

    return make(VM / "tfa", RECIPE, "", build) / "src"


def prepare(threads: int = DEBIAN_THREADS) -> Path:
    """Return the flash image with an OP-TEE of that many threads."""
    if not 1 <= threads <= MAX_THREADS:
        raise VmError(f"cannot build OP-TEE with {threads} threads: "
                      f"choose from 1 to {MAX_THREADS}")
    optee = _optee(threads)
    source = _tfa_source()

    def build(scratch: Path, out: Path) -> None:
        say("building TF-A (about 10 s)")
        header, pager, pageable = (optee / part for part in OPTEE_PARTS)
        command(["make", _jobs(), f"BUILD_BASE={scratch / 'o'}", "PLAT=qemu",
                 f"CROSS_COMPILE={CROSS}", "SPD=opteed", f"BL32={header}",
                 f"BL32_EXTRA1={pager}", f"BL32_EXTRA2={pageable}",
                 "BL32_RAM_LOCATION=tdram", "ARM_LINUX_KERNEL_AS_BL33=1",
                 "PRELOADED_BL33_BASE=0x50000000", "QEMU_USE_GIC_DRIVER=QEMU_GICV3",
                 "bl1", "bl2", "bl31", "fip"],
                "build TF-A", 600, source, build_env(), VM / f"tfa-{threads}.log")
        made = scratch / "o/qemu/release"
        with open(out / "flash.bin", "wb") as flash:
            flash.write((made / "bl1.bin").read_bytes())
            flash.seek(FIP_OFFSET)
            flash.write((made / "fip.bin").read_bytes())

    return make(VM / "firmware" / str(threads), RECIPE, str(threads), build) / "flash.bin"
