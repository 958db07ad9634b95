# SPDX-License-Identifier: GPL-2.0-only
"""What one run adds to the guest: the freshly built programs and the put files."""

import os
from pathlib import Path
from typing import Sequence

from .cpio import Cpio
from .host import VmError
from .paths import ARM, ARM64


def _programs(built: Path) -> list[Path]:
    return [p for p in sorted(built.rglob("*"))
            if p.is_file() and os.access(p, os.X_OK) and built / "ko" not in p.parents
            and ".so" not in p.name]


def pack(archive: Path, puts: Sequence[tuple[Path, str]], arm: bool = False) -> Path:
    """Write the archive of build/arm64's programs and modules, or build/arm's, and the put
    files."""
    built = ARM if arm else ARM64
    with Cpio(archive) as cpio:
        for program in _programs(built):
            cpio.copy(program, f"/usr/bin/{program.name}", 0o755)
        for module in sorted((built / "ko").glob("*.ko")):
            cpio.copy(module, f"/lib/optee-top-test/{module.name}")
        for source, name in puts:
            try:
                cpio.copy(source, name)
            except OSError as error:
                raise VmError(f"cannot put '{source}' into the guest: "
                              f"{error.strerror}") from None
    return archive
