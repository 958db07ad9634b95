# SPDX-License-Identifier: GPL-2.0-only
"""Clients choose their names: no byte of them may do any harm in any output."""

from . import frames, vm
from .registry import Context, Findings, test

NAMES = (
    b"\x1b[31mred\x1b[0m",
    b"\x1b]0;title\x07",
    b'quote"\'s',
    b"back\\slash\\x41",
    b"new\nline\rcr",
    b"\xff\xfe\x80bytes",
    "größe ☃".encode()[:15],
    b"\xc2\x9b2J\x7f\x01\x1f",  # CSI as one character
    b"{},[]:%s%n",
    b"  spaces  ",
)

RUN = r"""
trap '' PIPE
optee-load -o /dev/null --ready-file /tmp/ready %s &
LOAD=$!
wait_for 60 test -e /tmp/ready
top_start -d 0.5
optee-top -b -d 0.5 -n 2 >/tmp/batch 2>/tmp/batch.err || die "batch: $(cat /tmp/batch.err)"
optee-top -b -d 0.5 -n 1 -p "$(printf '\033')" >/tmp/filtered || die "the filter failed"
kill $LOAD
wait $LOAD
top_stop
"""


def sayable(name: bytes) -> str:
    """The name in optee-load's notation."""
    return "".join(f"\\x{byte:02x}" for byte in name)


def shown(name: bytes) -> str:
    """As optee-top promises to show it: printable ASCII, the rest and \\ as \\xNN."""
    return "".join(chr(b) if 0x20 <= b < 0x7f and b != 0x5c else f"\\x{b:02x}" for b in name)


def back(text: str) -> bytes:
    """What a reader makes of a shown name."""
    if not text.isascii():
        return text.encode()
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


@test()
def hostile_comm(context: Context) -> None:
    # Some are in flight, some in the queue, at every moment.
    clients = " ".join(f"'name={sayable(n)} repeat=0 wait=150..300'" for n in NAMES)
    guest = vm.run(context, RUN % clients, gets=("top.jsonl", "batch", "filtered"))
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
        strange = set(guest.read(name)) - set(range(0x20, 0x7f)) - {0x0a}
        findings.equal(f"bytes in {name} that are not printable ASCII", sorted(strange), [])
    lines = guest.read("batch").decode("latin-1").splitlines()
    findings.equal("lines of sessions in the two batch frames",
                   sum(1 for line in lines if " user " in line), 2 * len(NAMES))
    findings.true("no waiter is shown in batch", any(line.startswith("wait ") for line in lines))
    findings.done()
