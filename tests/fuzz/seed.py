#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the corpora of the fuzzers: small inputs of each kind, whole and spoiled.

usage: seed.py [--recording FILE] [--log FILE] [--daemon-client FILE] [--policy FILE.o]

Without an option: what is made here. With one: of that file as well, which is cut down.
--log takes lines of a daemon's log; --daemon-client the output of build/unit/seed-daemon-client; --policy
an object like those of build/policies, compiled with -fdebug-compilation-dir=. so that it
has no path of this machine."""

import argparse
import json
import struct
import zlib
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
HEAD = struct.Struct("<4sBBHIII")  # sync, type, deflated, schema, stored, size, CRC
SYNC = b"\x89OTR"
LOCAL = b"Host: localhost\r\n"

HTTP = {
    "get": b"GET /metrics HTTP/1.1\r\n" + LOCAL + b"\r\n",
    "head": b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "two": 2 * (b"GET /metrics?x=1 HTTP/1.1\r\n" + LOCAL +
                b"Accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\n"
                b"Content-Length: 0\r\n\r\n"),
    "absolute": b"GET http://[::1]:9469/metrics HTTP/1.1\r\nHost: [::1]:9469\r\n\r\n",
    "post": b"POST /metrics HTTP/1.1\r\n" + LOCAL + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "long": b"GET /" + 5000 * b"x",
}
REQUEST = {
    "now": b"follow 18446744073709551615 0\n",
    "calls": b"follow 0 1\n",
    "more": b"follow 1 1\nfollow 1 1\n",
    "long": 100 * b"follow ",
    "nul": b"follow 1 \0001\n",
    "negative": b"follow -1 -1\n",
}
RULES = {
    "usual": b"no_deadlock\nno_starved 2s\nmax_wait normal 10ms # a comment\nno_losses\n",
    "large": b"no_starved 99999999999999999999s\n",
    "nul": b"no_deadlock\n\0\n",
    "long": 2000 * b"no_starved ",
}
OPTIONS = {
    "usual": b"# options\nstarved 2\nlisten 127.0.0.1:9469\nlog /var/log/optee-top\n",
    "empty": b"",
    "nul": b"starved 2\n\0log x\n",
    "large": b"log-mb 1e999\nstarved -1\nreserved 99999999999999999999\n",
    "no_end": b"user nobody",
}
LOG = {
    "no_log": b"\nno line of a log\n{}\n[]\n",
    "numbers": b'{"boot_id":"0","epoch":99999999999999999999,"seq":1,"file":-1}\n'
               b'{"schema":"optee-top/1","ts":"2026-01-01T00:00:00Z","boot_id":null,'
               b'"epoch":99999999999999999999999,"seq":18446744073709551615,"type":"pool"}\n',
    "deep": b"\n" + b'{"schema":"optee-top/1","ts":"2026-01-01T00:00:00Z","boot_id":null,'
            b'"epoch":1,"seq":1,"type":"pool","x":' + 3000 * b"[" + b"}\n",
}


def block(kind: int, content: bytes, schema: int) -> bytes:
    head = struct.pack("<BBHII", kind, 0, schema, len(content), len(content))
    return SYNC + head + struct.pack("<I", zlib.crc32(head + content)) + content


def inflated(data: bytes, most: int) -> bytes:
    """The first blocks, inflated: what a fuzzer changes in deflated ones is mostly no block."""
    out, at = b"", 0
    while at < len(data) and most:
        _, kind, deflated, schema, stored, _, _ = HEAD.unpack_from(data, at)
        content = data[at + HEAD.size:at + HEAD.size + stored]
        out += block(kind, zlib.decompress(content) if deflated else content, schema)
        at += HEAD.size + stored
        most -= 1
    return out


def bombs() -> dict[str, bytes]:
    """Few bytes that would become many, and heads that lie."""
    zeros = zlib.compress(bytes(1 << 20))
    head = struct.pack("<BBHII", 3, 1, 3, len(zeros), 1 << 20)
    lies = b"".join(SYNC + struct.pack("<BBHIII", 4, 0, 3, 2000 - 20 * n, 2000 - 20 * n, 0)
                    for n in range(100))
    return {"bomb": block(1, b"", 3) + SYNC + head + struct.pack("<I", zlib.crc32(head + zeros)) + zeros,
            "lies": lies}


def save(target: str, inputs: dict[str, bytes]) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (folder / name).write_bytes(data)


def spoiled_policy(data: bytes) -> dict[str, bytes]:
    """As it is, cut off, with names that lie behind the strings, and with unaligned heads."""
    btf = data.index(b"\x9f\xeb\x01\x00")
    _, types, _, strings, _ = struct.unpack_from("<IIIII", data, btf + 4)
    at = data.index(b"optee_admission_ops\0", btf + 24 + strings) - (btf + 24 + strings)
    name = data.index(struct.pack("<I", at), btf + 24 + types)
    member = bytearray(data)
    member[name + 12 + 3] = 0x7f  # of its first member
    own = bytearray(data)
    own[name + 3] = 0x7f
    heads = struct.unpack_from("<Q", data, 40)[0]
    odd = bytearray(data[:heads] + b"\0" + data[heads:])
    struct.pack_into("<Q", odd, 40, heads + 1)
    return {"whole": data, "cut_off": data[:len(data) // 2], "type_name": bytes(own),
            "member_name": bytes(member), "odd_heads": bytes(odd)}


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2][7:])
    for kind in ("recording", "log", "daemon-client", "policy"):
        parser.add_argument(f"--{kind}", type=Path)
    given = parser.parse_args()
    save("http", HTTP)
    save("request", REQUEST)
    save("rules", RULES)
    save("options", OPTIONS)
    save("log", LOG)
    save("recording", bombs())
    if given.recording:
        save("recording", {given.recording.stem: inflated(given.recording.read_bytes(), 12)})
    if given.log:
        lines = given.log.read_bytes()
        first = json.loads(lines.split(b"\n")[0])
        cursor = {key: first[key] for key in ("schema", "boot_id", "epoch", "seq")} | {"file": 0}
        save("log", {"lines": b"\n" + lines, "behind": json.dumps(cursor).encode() + b"\n" + lines})
    if given.daemon_client:
        save("daemon_client", {"whole": inflated(given.daemon_client.read_bytes(), 99)})
    if given.policy:
        save("policy", spoiled_policy(given.policy.read_bytes()))


if __name__ == "__main__":
    main()
