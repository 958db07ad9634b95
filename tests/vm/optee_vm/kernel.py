# SPDX-License-Identifier: GPL-2.0-only
"""Kernels: an image and the few modules the guest needs, from Debian or a directory.

A kernel directory, ours or the user's, has Image (or vmlinuz) and
lib/modules/VERSION. Debian's are in debian.py."""

import gzip
import lzma
import os
import shutil
import struct
from pathlib import Path
from typing import Iterator, NamedTuple

from .apt import AptRoot, unpack
from .cpio import Cpio
from .debian import CPU, DEFAULT, KERNELS  # noqa: F401
from .host import VmError, command, say
from .paths import TOOLS, VM
from .stamp import make


# What the guest may load; whatever they need comes along.
# The last three are for disks that fail: tests/guest/files/test_log_faults.py.
MODULES = ("virtio_mmio", "virtio_console", "virtio_net", "tee", "ffa-module", "optee",
           "optee-rng", "scmi_transport_optee", "loop", "ext4", "crc32c_generic")
# Files of lib/modules/VERSION that depmod reads.
LISTS = ("modules.order", "modules.builtin", "modules.builtin.modinfo")

RECIPE = (TOOLS / "optee_vm" / "kernel.py", TOOLS / "optee_vm" / "cpio.py")


def _module_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko")[0].replace("-", "_")


def _expand(source: Path, dest: Path) -> None:
    """Copy a module, without its compression: the guest's cpio is plain."""
    if source.suffix == ".xz":
        data = lzma.decompress(source.read_bytes())
    elif source.suffix == ".gz":
        data = gzip.decompress(source.read_bytes())
    elif source.suffix == ".zst":
        command(["zstd", "-q", "-d", source, "-o", dest], f"unpack {source.name}")
        return
    else:
        data = source.read_bytes()
    dest.write_bytes(data)


def _image(data: bytes) -> bytes:
    """The plain Image inside data: as it is, or unpacked from an EFI zboot image."""
    if data[4:8] != b"zimg":
        return data
    offset, size = struct.unpack_from("<II", data, 8)
    kind = data[24:56].split(b"\0")[0].decode()
    if kind != "gzip":
        raise VmError(f"cannot unpack the kernel: its image is packed with {kind}; "
                      "give a kernel directory with a plain Image")
    return gzip.decompress(data[offset:offset + size])


def _version_dir(root: Path) -> Path:
    for modules in (root / "lib/modules", root / "usr/lib/modules"):
        found = [d for d in modules.iterdir() if d.is_dir()] if modules.is_dir() else []
        if len(found) == 1:
            return found[0]
    raise VmError(f"cannot use the kernel in {root}: it has no lib/modules/VERSION; "
                  "install one kernel's modules there")


def _image_file(root: Path, version: str) -> Path:
    for name in ("Image", "vmlinuz", f"boot/vmlinuz-{version}",
                 f"usr/lib/modules/{version}/vmlinuz", f"lib/modules/{version}/vmlinuz"):
        if (root / name).is_file():
            return root / name
    raise VmError(f"cannot use the kernel in {root}: it has neither Image nor vmlinuz; "
                  "copy one there")


def _closure(deps: str) -> Iterator[str]:
    """The paths, in modules.dep, of MODULES and what they need."""
    needs = {}
    for line in deps.splitlines():
        path, _, rest = line.partition(":")
        needs[_module_name(path)] = [path, *rest.split()]
    seen: set[str] = set()
    for name in MODULES:
        for path in needs.get(_module_name(name), ()):
            if path not in seen:
                seen.add(path)
                yield path


def select(source: Path, dest: Path) -> None:
    """Make a small kernel directory dest out of a full one."""
    modules = _version_dir(source)
    version = modules.name
    (dest / "Image").write_bytes(_image(_image_file(source, version).read_bytes()))
    if not (modules / "modules.dep").exists():
        command(["depmod", "-b", modules.parents[2], version], "index the modules")
    small = dest / "lib/modules" / version
    small.mkdir(parents=True)
    for path in _closure((modules / "modules.dep").read_text()):
        name = path.split(".ko")[0] + ".ko"
        (small / name).parent.mkdir(parents=True, exist_ok=True)
        _expand(modules / path, small / name)
    for name in LISTS:
        if (modules / name).exists():
            shutil.copy(modules / name, small / name)
    pack(dest, dest / "modules.cpio")


def pack(root: Path, archive: Path) -> None:
    """Index a kernel directory's modules and write them as a cpio archive."""
    modules = _version_dir(root)
    command(["depmod", "-b", modules.parents[2], modules.name], "index the modules")
    with Cpio(archive) as cpio:
        for path in sorted(modules.iterdir()):
            if path.is_symlink() or path.name in ("vmlinuz", "vmlinux"):
                continue
            cpio.copy(path, f"/lib/modules/{modules.name}/{path.name}")


def check(name: str) -> None:
    if name not in KERNELS:
        raise VmError(f"cannot prepare kernel '{name}': known are {', '.join(KERNELS)}; "
                      "name one of them, or give run a directory")


def packages(name: str) -> tuple[AptRoot, list[str]]:
    """The Debian packages that make up kernel name."""
    debian = KERNELS[name]
    apt = AptRoot(debian.base)
    image = next(d for d in apt.depends(f"linux-image-{debian.flavour}/{debian.suite}")
                 if d.startswith("linux-image-"))
    parts = [d for d in apt.depends(f"{image}/{debian.suite}")
             if d.startswith(("linux-binary-", "linux-modules-"))]
    return apt, [f"{p}/{debian.suite}" for p in parts or [image]]


def prepare(name: str) -> Path:
    """Return the directory of a Debian kernel: Image, lib/modules, modules.cpio."""
    check(name)

    def build(scratch: Path, out: Path) -> None:
        say(f"fetching kernel {name} (about 70 MB)")
        apt, names = packages(name)
        unpack(apt.download(names, scratch / "debs"), scratch / "full")
        select(scratch / "full", out)

    return make(VM / "kernels" / name, RECIPE, repr(KERNELS[name]), build)


class Kernel(NamedTuple):
    image: Path
    modules: Path
    cpu: str


def locate(name: str, scratch: Path) -> Kernel:
    """The image and the modules' archive of a Debian kernel or a kernel directory."""
    if os.sep not in name and name in KERNELS:
        root = prepare(name)
        return Kernel(root / "Image", root / "modules.cpio", KERNELS[name].cpu)
    root = Path(name)
    if not root.is_dir():
        raise VmError(f"cannot use kernel '{name}': it is neither one of "
                      f"{', '.join(KERNELS)} nor a directory")
    small = scratch / "kernel"
    small.mkdir()
    select(root, small)
    return Kernel(small / "Image", small / "modules.cpio", CPU)
