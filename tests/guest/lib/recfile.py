# SPDX-License-Identifier: GPL-2.0-only
"""Recordings taken apart and put together, as doc/recording.md has it: a reader of its
own, which knows the blocks, and of what is in them the calls."""

import struct
import zlib
from typing import Iterator, Mapping, NamedTuple, Sequence

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


class Numbers:
    """The content of a block, value by value."""

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def more(self) -> bool:
        return self.at < len(self.content)

    def byte(self) -> int:
        self.at += 1
        return self.content[self.at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        value = self.number()
        return value >> 1 ^ -(value & 1)


ARGUMENT, RELEASE = 16, 32  # of a call's flags


def calls(block: Block) -> Iterator[Mapping[str, int]]:
    """Each call's figures, by the names that they have in an export; not what came after them."""
    n = Numbers(block.content())
    start = serial = tid = 0
    while n.more():
        mix = n.byte()
        tee, flags = (n.number(), n.number()) if mix & 128 else (0, 0)
        start += n.signed()
        wait, hold, outside = n.number(), n.number(), n.number()
        serial += n.signed()
        tid += n.signed()
        pid, func = tid + n.signed(), n.number()
        call = {"tee": tee, "start_ns": start, "wait_ns": wait, "hold_ns": hold,
                "secure_ns": hold - outside, "serial": serial, "tid": tid, "pid": pid,
                "func": func, "result": n.number() if mix & 32 else 0,
                "limit_wait_ns": n.number() if mix & 64 else 0,
                "argument_ns": n.number() if flags & ARGUMENT else 0}
        if not flags & RELEASE:
            yield call
