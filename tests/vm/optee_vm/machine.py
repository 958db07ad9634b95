# SPDX-License-Identifier: GPL-2.0-only
"""The machine: QEMU's arguments, its device tree, and the process.

TF-A starts Linux in place, so kernel, initramfs and device tree are loaded to
fixed addresses. OP-TEE's static shared memory at 0x42000000 stays clear of them."""

import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple, Sequence

from . import network, scmi
from .debian import CPU
from .host import VmError, command

QEMU = "qemu-system-aarch64"
RAM_BASE = 0x40000000
ARCHIVE_ALIGN = 4096
MIN_MEM = 768
MAX_CPUS = 4
KERNEL_ARGS = ("console=ttyAMA0", "quiet", "panic=-1", "sysrq_always_enabled",
               "rdinit=/init", "cryptomgr.notests")
# With icount no layout, seed or date changes from run to run. The seeds stay there:
# an OP-TEE without one takes another, slower path.
FIXED_ARGS = ("nokaslr", "norandmaps")
FIXED_CLOCK = ("-rtc", "base=2026-01-01,clock=vm")
FIXED_SEEDS = {"kaslr-seed": 2, "rng-seed": 8}  # in 32-bit cells
# What OP-TEE itself says of the first in /firmware/optee, but for the interrupt, which
# nothing raises.
SECOND_TEE = (("s", "compatible", "linaro,optee-tz"), ("s", "method", "smc"),
              ("x", "interrupts", "0", "c8", "1"))


class Board(NamedTuple):
    """What the firmware of a machine expects."""

    machine: str
    kernel: int
    initrd: int
    dtb: int = 0  # where it is loaded to; 0: QEMU knows where
    nodes: Sequence[tuple[str, ...]] = ()  # to add to the device tree: path, type, name, values


ARM64 = Board("virt,secure=on,gic-version=3", 0x50000000, 0x60000000)
# The driver wants an interrupt, since OP-TEE announces
# notifications. See arm.py for the addresses.
ARM = Board("virt,secure=on,gic-version=2", 0x41000000, 0x46000000, 0x44000000,
            (("/firmware/optee", "s", "compatible", "linaro,optee-tz"),
             ("/firmware/optee", "s", "method", "smc"),
             ("/firmware/optee", "x", "interrupts", "0", "bb", "4")))


class Config(NamedTuple):
    firmware: Path
    kernel: Path
    archives: Sequence[Path]
    cpus: int
    mem: int
    icount: bool
    flags: Sequence[str]
    ports: Sequence[int] = ()  # of the guest's, to be reached from the host
    twice: bool = False  # a second device of the OP-TEE
    scmi: str = ""  # its SCMI server's channels, one of scmi.CHANNELS
    cpu: str = CPU
    board: Board = ARM64


class Machine:
    """A running guest; the host's end of its port is .port."""

    def __init__(self, config: Config, scratch: Path) -> None:
        self.config = config
        self.linux_log = scratch / "linux.log"
        self.secure_log = scratch / "secure.log"
        self.qemu_log = scratch / "qemu.log"
        if not shutil.which(QEMU):
            raise VmError(f"cannot start the guest: {QEMU} is not installed; "
                          "run scripts/host-deps vm")
        loaders, end = self._place()
        dtb = self._device_tree(scratch / "guest.dtb", end)
        self.port, theirs = socket.socketpair()
        self.monitor, asked = socket.socketpair()
        with theirs, asked, open(self.qemu_log, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL",
                 *self._hardware(theirs.fileno(), self._network(asked.fileno())),
                 *loaders, *self._load_tree(dtb)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[theirs.fileno(), asked.fileno()], start_new_session=True)

    def _hardware(self, port: int, more: Sequence[str] = (), machine: str = "") -> list[str]:
        config = self.config
        if config.icount:
            speed = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
                     *FIXED_CLOCK]
        else:
            speed = ["-accel", "tcg,thread=multi"]
        return [QEMU, "-machine", f"{config.board.machine}{machine}",
                "-cpu", config.cpu, "-smp", str(config.cpus), "-m", str(config.mem),
                *speed, "-nodefaults", "-display", "none", "-no-reboot",
                "-bios", str(config.firmware),
                "-serial", f"file:{self.linux_log}",
                "-serial", f"file:{self.secure_log}",
                # Linux finds the last device first; its port has to be /dev/vport0p1.
                *more,
                "-device", "virtio-serial-device",
                "-chardev", f"socket,id=port,fd={port}",
                "-device", "virtserialport,chardev=port,name=optee-top"]

    def _network(self, monitor: int) -> list[str]:
        ports = self.config.ports
        return [*network.device(ports), *network.monitor(monitor)] if ports else []

    def forwarded(self) -> dict[int, int]:
        """The port of the host for each of the guest's that was asked for."""
        return network.forwarded(self.monitor) if self.config.ports else {}

    def _load_tree(self, dtb: Path) -> list[str]:
        addr = self.config.board.dtb
        return ["-device", f"loader,file={dtb},addr={addr:#x},force-raw=on"] if addr else \
               ["-dtb", str(dtb)]

    def _place(self) -> tuple[list[str], int]:
        """Loader arguments for kernel and archives, and the initramfs' end."""
        board = self.config.board
        args = ["-device", f"loader,file={self.config.kernel},"
                           f"addr={board.kernel:#x},force-raw=on"]
        addr = end = board.initrd
        for archive in self.config.archives:
            args += ["-device", f"loader,file={archive},addr={addr:#x},force-raw=on"]
            end = addr + archive.stat().st_size
            addr = -(-end // ARCHIVE_ALIGN) * ARCHIVE_ALIGN
        if board.kernel + self.config.kernel.stat().st_size * 2 > board.initrd:
            raise VmError("cannot place the kernel: its image is too large for where "
                          "tests/vm/optee_vm/machine.py has the initramfs")
        room = RAM_BASE + (self.config.mem << 20) - end
        if room < 2 * (end - board.initrd):
            raise VmError(f"cannot fit the initramfs into {self.config.mem} MB; "
                          "give the guest more with --mem")
        return args, end

    def _device_tree(self, dtb: Path, initrd_end: int) -> Path:
        """The tree of just this hardware, plus what a boot loader would add."""
        port, other = socket.socketpair()
        with port, other:
            argv = self._hardware(port.fileno(), machine=f",dumpdtb={dtb}")
            done = subprocess.run(argv, capture_output=True, timeout=60,
                                  stdin=subprocess.DEVNULL, pass_fds=[port.fileno()])
        if done.returncode or not dtb.exists():
            raise VmError("cannot make the device tree: QEMU says: "
                          + done.stderr.decode(errors="replace").strip())
        fixed = FIXED_ARGS if self.config.icount else ()
        args = " ".join((*KERNEL_ARGS, *fixed, *self.config.flags))
        for kind, name, value in (("s", "bootargs", args),
                                  ("x", "linux,initrd-start", f"{self.config.board.initrd:x}"),
                                  ("x", "linux,initrd-end", f"{initrd_end:x}")):
            command(["fdtput", "-t", kind, dtb, "/chosen", name, value],
                    "edit the device tree")
        for node, kind, name, *values in self.config.board.nodes:
            command(["fdtput", "-p", "-t", kind, dtb, node, name, *values],
                    "add the device to the device tree")
        if self.config.twice:
            for kind, name, *values in SECOND_TEE:
                command(["fdtput", "-p", "-t", kind, dtb, "/optee-2", name, *values],
                        "add a device to the device tree")
        if self.config.scmi:
            for p in scmi.properties(self.config.scmi):
                command(["fdtput", "-p", "-t", p.kind, dtb, p.node, p.name, *p.values],
                        "add SCMI to the device tree")
        if self.config.icount:
            for node in ("/chosen", "/secure-chosen"):
                for name, cells in FIXED_SEEDS.items():
                    command(["fdtput", "-t", "x", dtb, node, name, *["5eed5eed"] * cells],
                            "fix the device tree's seeds")
        return dtb

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.port.close()
        self.monitor.close()
