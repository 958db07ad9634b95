# SPDX-License-Identifier: GPL-2.0-only
"""The device tree's part of SCMI over OP-TEE: the protocols and their channels, and clients.

tests/vm/scmi/server.c is the other end."""

from typing import Iterator, NamedTuple

SCMI = "/firmware/scmi"
USERS = "/scmi-users"  # of the test module kclient: its clocks and resets by their numbers
CLOCKS = 3
RESETS = 4
CHANNEL = "linaro,optee-channel-id"
CHANNELS = ("each", "one")  # each protocol has a channel of its own, or all have one
# Nothing refers to a node that has none; these are free in QEMU's tree.
PHANDLES = {"14": 0x5c14, "16": 0x5c16}


class Property(NamedTuple):
    node: str
    name: str
    kind: str  # as fdtput's -t has it
    values: tuple[str, ...]


def _cells(node: str, name: str, *cells: int) -> Property:
    return Property(node, name, "x", tuple(f"{cell:x}" for cell in cells))


def _provider(protocol: str, cells: str, channel: int) -> Iterator[Property]:
    node = f"{SCMI}/protocol@{protocol}"
    yield _cells(node, "reg", int(protocol, 16))
    yield _cells(node, cells, 1)
    yield _cells(node, "phandle", PHANDLES[protocol])
    if channel:
        yield _cells(node, CHANNEL, channel)


def properties(channels: str) -> Iterator[Property]:
    """What the tree has more, for one of CHANNELS."""
    own = channels == "each"
    yield Property(SCMI, "compatible", "s", ("linaro,scmi-optee",))
    yield _cells(SCMI, "#address-cells", 1)
    yield _cells(SCMI, "#size-cells", 0)
    yield _cells(SCMI, CHANNEL, 0)
    yield from _provider("14", "#clock-cells", 1 if own else 0)
    yield from _provider("16", "#reset-cells", 2 if own else 0)
    yield Property(USERS, "compatible", "s", ("optee-top,scmi-users",))
    for name, protocol, count in (("clocks", "14", CLOCKS), ("resets", "16", RESETS)):
        cells = [cell for i in range(count) for cell in (PHANDLES[protocol], i)]
        yield _cells(USERS, name, *cells)
