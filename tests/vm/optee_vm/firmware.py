# SPDX-License-Identifier: GPL-2.0-only
"""The secure world: TF-A from source with an OP-TEE, as one flash image.

With 2 threads OP-TEE is Debian's own binary; with another number, called by FF-A or with
an SCMI server it is built from Debian's source, accepting the same TAs."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

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

# The platform has no SCMI server; this is one.
SERVER = TOOLS / "scmi" / "server.c"
SERVER_PLACE = "core/arch/arm/plat-vexpress"
SCMI = ("CFG_SCMI_PTA=y", "CFG_SCMI_MSG_DRIVERS=y", "CFG_SCMI_MSG_SHM_MSG=y",
        "CFG_SCMI_MSG_CLOCK=y", "CFG_SCMI_MSG_RESET_DOMAIN=y")

RECIPE = (TOOLS / "optee_vm" / "firmware.py", MANIFEST)
PLACE = VM / "secure"


class World(NamedTuple):
    """Which secure world."""

    threads: int = DEBIAN_THREADS
    ffa: bool = False  # called by FF-A, else by SMC
    scmi: bool = False  # with an SCMI server

    @property
    def name(self) -> str:
        return f"{self.threads}{'-ffa' * self.ffa}{'-scmi' * self.scmi}"

    @property
    def recipe(self) -> tuple[Path, ...]:
        return (*RECIPE, SERVER) if self.scmi else RECIPE


def _jobs() -> str:
    return f"-j{os.cpu_count() or 1}"


def _debian_optee() -> Path:
    """Debian's OP-TEE binaries and the TA development kit."""
    def build(scratch: Path, out: Path) -> None:
        say("fetching OP-TEE (about 20 MB)")
        debs = AptRoot("trixie").download(["optee-os/trixie", "optee-os-dev/trixie"],
                                          scratch / "debs")
        unpack(debs, out)

    return make(PLACE / "debian", RECIPE, "", build)


def _source(package: str, suite: str) -> Path:
    def build(scratch: Path, out: Path) -> None:
        say(f"fetching the source of {package}")
        AptRoot(suite).source(package, suite, out / "src")

    return make(PLACE / "source" / package, RECIPE, suite, build) / "src"


def _source_with_server(scratch: Path) -> Path:
    source = shutil.copytree(_source("optee-os", "sid"), scratch / "src", copy_function=os.link)
    shutil.copy(SERVER, source / SERVER_PLACE / "scmi_server.c")
    listed = source / SERVER_PLACE / "sub.mk"
    text = listed.read_text()
    listed.unlink()  # the other name of the file is the source's own
    listed.write_text(f"{text}srcs-y += scmi_server.c\n")
    return source


def _built_optee(world: World) -> Path:
    """OP-TEE from source."""
    # Debian's xtest TAs are signed with the older release's development key.
    key = _debian_optee() / "usr/lib/optee-os-dev" / PLATFORM / "keys/default_ta.pem"

    def build(scratch: Path, out: Path) -> None:
        source = _source_with_server(scratch) if world.scmi else _source("optee-os", "sid")
        core = scratch / "o/core"
        say(f"building OP-TEE with {world.threads} threads (about 40 s)")
        command(["make", _jobs(), f"PLATFORM={PLATFORM}", f"O={scratch / 'o'}",
                 f"CROSS_COMPILE64={CROSS}", f"CROSS_COMPILE_core={CROSS}",
                 f"CROSS_COMPILE_ta_arm64={CROSS}", "CFG_ARM64_core=y",
                 "CFG_USER_TA_TARGETS=ta_arm64", "CFG_ARM_GICV3=y",
                 f"CFG_NUM_THREADS={world.threads}", "PYTHON3=/usr/bin/python3",
                 "CFG_CORE_HEAP_SIZE=524288",   # the default has no room for 1,000 sessions
                 *(["CFG_CORE_SEL1_SPMC=y"] if world.ffa else []),
                 *(SCMI if world.scmi else ()),
                 f"TA_SIGN_KEY={key}", f"TA_PUBLIC_KEY={key}",
                 *(core / part for part in OPTEE_PARTS)],   # no TAs, and nothing to make any
                "build OP-TEE", 1200, source,
                build_env({"CRYPTOGRAPHY_OPENSSL_NO_LEGACY": "1"}),
                VM / f"optee-{world.name}.log")
        for part in OPTEE_PARTS:
            (core / part).rename(out / part)

    return make(PLACE / "optee" / world.name, world.recipe, world.name, build)


def _optee(world: World) -> Path:
    if world == World():
        return _debian_optee() / "usr/lib/optee" / PLATFORM
    return _built_optee(world)


def prepare(world: World = World()) -> Path:
    """Return the flash image with that secure world."""
    if not 1 <= world.threads <= MAX_THREADS:
        raise VmError(f"cannot build OP-TEE with {world.threads} threads: "
                      f"choose from 1 to {MAX_THREADS}")
    optee = _optee(world)
    source = _source("arm-trusted-firmware", "trixie")

    def build(scratch: Path, out: Path) -> None:
        say("building TF-A (about 10 s)")
        header, pager, pageable = (optee / part for part in OPTEE_PARTS)
        command(["make", _jobs(), f"BUILD_BASE={scratch / 'o'}", "PLAT=qemu",
                 f"CROSS_COMPILE={CROSS}", f"BL32={header}",
                 f"BL32_EXTRA1={pager}", f"BL32_EXTRA2={pageable}",
                 "BL32_RAM_LOCATION=tdram", "ARM_LINUX_KERNEL_AS_BL33=1",
                 "PRELOADED_BL33_BASE=0x50000000", "QEMU_USE_GIC_DRIVER=QEMU_GICV3",
                 *(TFA_FFA if world.ffa else TFA_SMC), "bl1", "bl2", "bl31", "fip"],
                "build TF-A", 600, source, build_env(), VM / f"tfa-{world.name}.log")
        made = scratch / "o/qemu/release"
        with open(out / "flash.bin", "wb") as flash:
            flash.write((made / "bl1.bin").read_bytes())
            flash.seek(FIP_OFFSET)
            flash.write((made / "fip.bin").read_bytes())

    return make(PLACE / "firmware" / world.name, world.recipe, world.name, build) / "flash.bin"
