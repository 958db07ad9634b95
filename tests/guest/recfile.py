# SPDX-License-Identifier: GPL-2.0-only
"""Recordings taken apart and put together, as doc/recording.md has it: a reader of its
own, which knows blocks but not what is in them."""

import struct
import zlib
from typing import NamedTuple, Sequence

from .registry import Failed

SYNC = b"\x89OTR"
HEAD = struct.Struct("<4sBBHIII")  # sync, type, flags, schema, stored, size, CRC
HOST, EVENTS, CALLS, SNAPSHOT, END = range(1, 6)
DEFLATED = 1


class Block(NamedTuple):
    type: int
    flags: int
    schema: int
    data: bytes  # as it is in the file
    size: int  # of its content
    at: int = 0

    def content(self) -> bytes:
        return zlib.decompress(self.data) if self.flags & DEFLATED else self.data

    def pack(self) -> bytes:
        middle = HEAD.pack(SYNC, self.type, self.flags, self.schema, len(self.data), self.size,
                           0)[4:16]
        return SYNC + middle + struct.pack("<I", zlib.crc32(middle + self.data)) + self.data

    def having(self, content: bytes) -> "Block":
        """The same with another content."""
        return self._replace(flags=0, data=content, size=len(content))


def blocks(data: bytes) -> list[Block]:
    """All of a whole file; one that is cut off ends with its last whole block."""
    found = []
    at = 0
    while at + HEAD.size <= len(data):
        sync, kind, flags, schema, stored, size, crc = HEAD.unpack_from(data, at)
        inside = data[at + HEAD.size:at + HEAD.size + stored]
        if len(inside) < stored:
            break
        block = Block(kind, flags, schema, inside, size, at)
        if sync != SYNC or block.pack() != data[at:at + HEAD.size + stored]:
            raise Failed(f"no block at {at}: {data[at:at + HEAD.size]!r}")
        if len(block.content()) != size:
            raise Failed(f"the block at {at} has {len(block.content())} bytes, not {size}")
        found.append(block)
        at += HEAD.size + stored
    return found


def join(parts: Sequence[Block]) -> bytes:
    return b"".join(p.pack() for p in parts)
