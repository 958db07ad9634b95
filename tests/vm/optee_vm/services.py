# SPDX-License-Identifier: GPL-2.0-only
"""The services that others collect and keep metrics with, from Debian's packages:
unpacked, not installed, so that none is started and the host stays as it is."""

from pathlib import Path

from .apt import AptRoot, unpack
from .host import VmError, command, say
from .paths import TOOLS, VM
from .stamp import make

SUITE = "bookworm"
HOST_PACKAGES = ("prometheus", "prometheus-node-exporter", "victoria-metrics")
GUEST_PACKAGES = ("prometheus-node-exporter",)

RECIPE = (TOOLS / "optee_vm" / "services.py",)


def _prepare(whose: str, packages: tuple[str, ...], arch: str) -> Path:
    def build(scratch: Path, out: Path) -> None:
        say(f"fetching {', '.join(packages)} for the {whose}")
        debs = AptRoot(SUITE).download([f"{p}:{arch}/{SUITE}" for p in packages],
                                       scratch / "debs")
        unpack(debs, out)

    return make(VM / "services" / whose, RECIPE, arch, build)


def prepare() -> None:
    """Fetch the services, if they are not there yet."""
    _prepare("host", HOST_PACKAGES,
             command(["dpkg", "--print-architecture"], "ask dpkg").strip())
    _prepare("guest", GUEST_PACKAGES, "arm64")


def _program(whose: str, name: str) -> Path:
    prepare()
    found = VM / "services" / whose / "usr/bin" / name
    if not found.is_file():
        raise VmError(f"cannot find '{name}': it is in none of the packages of the {whose}; "
                      f"add its package to {Path(__file__).name}")
    return found


def program(name: str) -> Path:
    """A program for this machine: prometheus, promtool, prometheus-node-exporter,
    victoria-metrics, vmagent and what else is in their packages."""
    return _program("host", name)


def guest_program(name: str) -> Path:
    """One to be put into a guest: prometheus-node-exporter."""
    return _program("guest", name)
