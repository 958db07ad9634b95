# SPDX-License-Identifier: GPL-2.0-only
"""A module that takes the place of the kernel's own of the same name in the guest."""

import shutil
import subprocess
from pathlib import Path
from typing import Optional, Sequence

from . import kernel
from .host import VmError, build_env
from .kernel import Kernel


def info(module: Path, field: str) -> str:
    try:
        done = subprocess.run(["modinfo", "-F", field, module.resolve()], env=build_env(),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except FileNotFoundError:
        raise VmError(f"cannot look into '{module}': modinfo is not installed; "
                      "run scripts/host-deps vm") from None
    return "" if done.returncode else done.stdout.strip()


def find(modules: Path, name: str) -> Optional[Path]:
    return next((path for path in modules.rglob("*.ko")
                 if path.stem.replace("-", "_") == name), None)


def place(module: Path, modules: Path) -> Path:
    """Where the module belongs, below lib/modules/VERSION."""
    if not module.is_file():
        raise VmError(f"cannot use the module '{module}': there is no such file; "
                      "give the path of a .ko")
    name, magic = info(module, "name"), info(module, "vermagic").split(" ")[0]
    if not name or not magic:
        raise VmError(f"cannot use the module '{module}': it is not a kernel module; "
                      "give a .ko that is not packed")
    if magic != modules.name:
        raise VmError(f"cannot use the module '{module}': it was built for kernel {magic}, "
                      f"and the guest has {modules.name}; build it against that one's "
                      "headers, or give the kernel it was built for")
    own = find(modules, name)
    if not own:
        raise VmError(f"cannot use the module '{module}': kernel {modules.name} has no "
                      f"{name}.ko that it could replace; give a kernel that has")
    return own.relative_to(modules)


def replace(chosen: Kernel, modules: Sequence[Path], scratch: Path) -> Kernel:
    """Return the kernel with these modules in place of its own."""
    if not modules:
        return chosen
    # A kernel's directory, Debian's or ours of one that was given, is where its image is.
    whole, changed = chosen.image.parent, scratch / "changed"
    shutil.copytree(whole / "lib", changed / "lib")
    (version,) = (changed / "lib/modules").iterdir()
    for module in modules:
        shutil.copyfile(module, version / place(module, version))
    kernel.pack(changed, scratch / "modules.cpio")
    return Kernel(chosen.image, scratch / "modules.cpio", chosen.cpu)
