# SPDX-License-Identifier: GPL-2.0-only
"""Names that clients choose to do harm, as optee-load takes and as optee-top shows them."""

import re

NAMES = (
    b"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b'quote"\'s',
    b"back\\slash\\x41",
    b"new\nline\rcr",
    b"\xff\xfe\x80bytes",
    "größe ☃".encode()[:15],  # not in the table of what all terminals print alike
    "café 日本語".encode(),
    "x日本語日本語".encode()[:15],  # as the kernel cuts it, in a character
    "ab\u202ecd".encode(),  # turns the direction of what follows
    b"\xc2\x9b2J\x7f\x01\x1f",  # CSI as one character
    b"{},[]:%s%n",
    b"  spaces  ",
)

PRINTABLE = "éößü日本語"  # of those above that are not ASCII


def sayable(name: bytes) -> str:
    """The name in optee-load's notation."""
    return "".join(f"\\x{byte:02x}" for byte in name)


def shown(name: bytes) -> str:
    """As optee-top promises to show it: printable UTF-8, the rest and \\ as \\xNN."""
    out = ""
    for char in name.decode("utf-8", "surrogateescape"):
        code = ord(char)
        if char in PRINTABLE or (0x20 <= code < 0x7f and char != "\\"):
            out += char
        else:
            out += "".join(f"\\x{b:02x}" for b in char.encode("utf-8", "surrogateescape"))
    return out


def back(text: str) -> bytes:
    """What a reader makes of a shown name."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
