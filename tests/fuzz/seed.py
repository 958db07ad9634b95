#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a seed for the fuzzer of a recording: its blocks inflated, and only the first few.

usage: seed.py RECORDING SEED [BLOCKS]"""

import struct
import sys
import zlib
from pathlib import Path

HEAD = struct.Struct("<4sBBHIII")  # sync, type, deflated, schema, stored, size, CRC
SYNC = b"\x89OTR"


def inflated(data: bytes, blocks: int) -> bytes:
    out, at = b"", 0
    while at < len(data) and blocks:
        _, kind, deflated, schema, stored, _, _ = HEAD.unpack_from(data, at)
        content = data[at + HEAD.size:at + HEAD.size + stored]
        content = zlib.decompress(content) if deflated else content
        plain = struct.pack("<BBHII", kind, 0, schema, len(content), len(content))
        out += SYNC + plain + struct.pack("<I", zlib.crc32(plain + content)) + content
        at += HEAD.size + stored
        blocks -= 1
    return out


def main() -> None:
    blocks = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    Path(sys.argv[2]).write_bytes(inflated(Path(sys.argv[1]).read_bytes(), blocks))


if __name__ == "__main__":
    main()
