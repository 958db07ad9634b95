# SPDX-License-Identifier: GPL-2.0-only
"""Write an initramfs archive (cpio "newc"), owned by root, without being root.

The guest's /bin, /sbin and /lib are links into /usr; names are put where the
links lead, so that archives unpacked over each other do not break them."""

import os
import stat
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Optional, Type

MERGED = ("bin", "sbin", "lib")
BLOCK = 512
DIR_MODES = {"tmp": 0o1777}


def guest_path(name: str) -> PurePosixPath:
    """The name's real place in the guest, relative to /."""
    parts = [p for p in PurePosixPath("/", name).parts[1:] if p != "."]
    if parts and parts[0] in MERGED:
        parts.insert(0, "usr")
    return PurePosixPath(*parts)


class Cpio:
    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = open(path, "wb")
        self._ino = 0
        self._dirs: set[PurePosixPath] = {PurePosixPath(".")}

    def __enter__(self) -> "Cpio":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]],
                 error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if kind is None:
            self._entry("TRAILER!!!", 0, b"")
            self._pad(BLOCK)
        self._file.close()

    def _pad(self, size: int) -> None:
        self._file.write(b"\0" * (-self._file.tell() % size))

    def _entry(self, name: str, mode: int, data: bytes) -> None:
        raw = os.fsencode(name) + b"\0"
        self._ino += 1
        nlink = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._ino, mode, 0, 0, nlink, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        self._file.write(b"070701" + b"".join(b"%08X" % f for f in fields) + raw)
        self._pad(4)
        self._file.write(data)
        self._pad(4)

    def dir(self, name: str) -> None:
        self._dir(guest_path(name))

    def _dir(self, path: PurePosixPath) -> None:
        if path in self._dirs:
            return
        self._dir(path.parent)
        self._dirs.add(path)
        mode = DIR_MODES.get(str(path), 0o755)
        self._entry(str(path), stat.S_IFDIR | mode, b"")

    def file(self, name: str, data: bytes, mode: int = 0o644) -> None:
        path = guest_path(name)
        self._dir(path.parent)
        self._entry(str(path), stat.S_IFREG | mode, data)

    def link(self, name: str, target: str) -> None:
        path = guest_path(name)
        self._dir(path.parent)
        self._entry(str(path), stat.S_IFLNK | 0o777, os.fsencode(target))

    def top_link(self, name: str, target: str) -> None:
        """Add a link in / itself, also one of MERGED."""
        self._entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def copy(self, source: Path, name: str, mode: Optional[int] = None) -> None:
        """Add a host file, or a whole host directory, under a guest name."""
        if source.is_dir():
            self.dir(name)
            for child in sorted(source.iterdir()):
                self.copy(child, f"{name}/{child.name}")
        elif source.is_symlink() and mode is None:
            self.link(name, os.readlink(source))
        else:
            executable = 0o755 if os.access(source, os.X_OK) else 0o644
            self.file(name, source.read_bytes(), mode or executable)
