# SPDX-License-Identifier: GPL-2.0-only
"""The kernels of Debian that the guests know: one more is one more line in KERNELS."""

from typing import NamedTuple

CPU = "cortex-a57"


class Debian(NamedTuple):
    base: str
    suite: str
    flavour: str = "arm64"
    cpu: str = CPU


KERNELS = {
    "5.10": Debian("bullseye", "bullseye"),  # with --mem 4096: with less it panics, early
    "6.1": Debian("bookworm", "bookworm"),
    "6.12": Debian("bookworm", "bookworm-backports"),
    # Pages of 16K, which the usual CPU does not have.
    "6.12-16k": Debian("trixie", "trixie", "arm64-16k", "cortex-a76"),
    "7.2": Debian("sid", "sid"),
    "7.3": Debian("trixie", "trixie-backports"),
}
DEFAULT = "6.12"
