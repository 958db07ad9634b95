# SPDX-License-Identifier: GPL-2.0-only
"""The frames between host and guest; guest/agent.c is the other end.

A frame is a type (one letter), three bytes of padding, a 32-bit little-endian
length, and that many bytes.

To the guest: A argument, V NAME=VALUE, G file wanted at the end, W terminal size
"rows columns" (before S: the command gets a terminal), S start, I input, Z its end.
To the host: R ready, F the guest failed, O output, E error output, D N M data, end
and failure of a wanted file, in order, X exit status, the last one."""

import struct
from typing import Iterator

HEADER = struct.Struct("<c3xI")
DATA_MAX = 32768


def frame(kind: str, data: bytes = b"") -> bytes:
    return HEADER.pack(kind.encode(), len(data)) + data


class Reader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            kind, size = HEADER.unpack_from(self._buffer)
            end = HEADER.size + size
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size:end])
            del self._buffer[:end]
            yield kind.decode("latin-1"), payload
