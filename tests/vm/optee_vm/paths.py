# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: everything the guest is made of lies below build/vm."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / "tests" / "vm"
VM = ROOT / "build" / "vm"
ARM64 = ROOT / "build" / "arm64"
ARM = ROOT / "build" / "arm"
CROSS = "aarch64-linux-gnu-"
