# SPDX-License-Identifier: GPL-2.0-only
"""Clients choose their names: no byte of them may do any harm in any output."""

import re

from . import frames, vm
from .registry import Context, Findings, test

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

RUN = r"""
trap '' PIPE
optee-load -o /dev/null --ready-file /tmp/ready %s &
LOAD=$!
wait_for 60 test -e /tmp/ready
top_start -d 0.5
optee-top -b -d 0.5 -n 2 >/tmp/batch 2>/tmp/batch.err || die "batch: $(cat /tmp/batch.err)"
optee-top -b -d 0.5 -n 1 -p "$(printf '\033')" >/tmp/filtered || die "the filter failed"
for part in café 'back\slash' 'back\x5csl' 日; do
	optee-top -b -d 0.5 -n 1 -p "$part" | grep -c ' user ' >>/tmp/parts
done
kill $LOAD
wait $LOAD
top_stop
"""


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


@test()
def hostile_comm(context: Context) -> None:
    # Some are in flight, some in the queue, at every moment.
    clients = " ".join(f"'name={sayable(n)} repeat=0 wait=150..300'" for n in NAMES)
    guest = vm.run(context, RUN % clients, gets=("top.jsonl", "batch", "filtered", "parts"))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    clients_shown = {s["client"] for s in frames.final_sessions(seen)}
    findings.equal("the clients' names in JSON", sorted(clients_shown),
                   sorted(map(shown, NAMES)))
    findings.equal("the names, decoded", sorted(map(back, clients_shown)), sorted(NAMES))
    callers = {c["comm"] for f in seen for c in f["calls"] if not c["comm"].startswith("irq/")}
    findings.true("no call in flight was ever seen", bool(callers))
    findings.equal("callers that are no clients", sorted(callers - set(map(shown, NAMES))), [])
    for name in ("top.jsonl", "batch", "filtered"):
        strange = set(guest.read(name).decode()) - set(map(chr, range(0x20, 0x7f))) - {"\n"}
        findings.equal(f"characters in {name} that are not to be printed",
                       sorted(strange - set(PRINTABLE)), [])
    findings.equal("rows that -p leaves", guest.read("parts").decode().split(), list("1112"))
    lines = guest.read("batch").decode().splitlines()
    wide = sum(1 for c in "日本語")
    findings.true("a column is not in its place", all(
        line[27:].split()[0:1] != [] and len(line) + (wide if "日本語" in line else 0) >= 100
        for line in lines if " user " in line))
    findings.equal("lines of sessions in the two batch frames",
                   sum(1 for line in lines if " user " in line), 2 * len(NAMES))
    findings.true("no waiter is shown in batch", any(line.startswith("wait ") for line in lines))
    findings.done()
