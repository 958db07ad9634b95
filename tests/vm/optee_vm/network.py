# SPDX-License-Identifier: GPL-2.0-only
"""The guest's network, when it has one: QEMU's own, in which nothing but the forwarded
ports leads in and nothing leads out.

QEMU itself takes ports that are free, so that nobody can be in between, and is
asked which ones."""

import io
import json
import re
import socket
from typing import Any, Mapping, Sequence

from .host import VmError

GUEST_ADDRESS = "10.0.2.15"
HOST_ADDRESS = "127.0.0.1"
FORWARD = re.compile(r"^\s*TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)", re.M)
ASK_LIMIT = 60.0


def device(ports: Sequence[int]) -> list[str]:
    """QEMU's arguments for a network card with these ports of the guest's forwarded."""
    forwards = "".join(f",hostfwd=tcp:{HOST_ADDRESS}:0-{GUEST_ADDRESS}:{p}" for p in ports)
    return ["-netdev", f"user,id=net,restrict=on{forwards}",
            "-device", "virtio-net-device,netdev=net"]


def monitor(fd: int) -> list[str]:
    """QEMU's arguments to be asked over a socket."""
    return ["-chardev", f"socket,id=monitor,fd={fd}", "-mon", "chardev=monitor,mode=control"]


def _ask(stream: io.BufferedRWPair, question: Mapping[str, Any]) -> Any:
    stream.write(json.dumps(question).encode() + b"\n")
    stream.flush()
    while True:
        answer = json.loads(stream.readline())
        if "error" in answer:
            raise VmError(f"cannot ask QEMU for its ports: {answer['error'].get('desc')}")
        if "return" in answer:
            return answer["return"]


def forwarded(ours: socket.socket) -> dict[int, int]:
    """The port of the host for each port of the guest."""
    ours.settimeout(ASK_LIMIT)
    try:
        with ours.makefile("rwb") as stream:
            stream.readline()  # its greeting
            _ask(stream, {"execute": "qmp_capabilities"})
            text = _ask(stream, {"execute": "human-monitor-command",
                                 "arguments": {"command-line": "info usernet"}})
    except (OSError, ValueError) as error:
        raise VmError(f"cannot ask QEMU for its ports: {error or 'it does not answer'}") from None
    return {int(guest): int(host) for host, guest in FORWARD.findall(text)}
