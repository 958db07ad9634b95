# SPDX-License-Identifier: GPL-2.0-only
"""The Debian mirror: OPTEE_TOP_MIRROR, or the first one in the host's apt sources."""

import os
from pathlib import Path
from typing import Iterator, NamedTuple

from .host import VmError

APT = Path("/etc/apt")
RELEASES = {"stable", "testing", "unstable", "sid", "bullseye", "bookworm", "trixie",
            "forky", "duke"}


class Source(NamedTuple):
    uri: str
    suite: str
    components: list[str]


def _deb822(path: Path) -> Iterator[Source]:
    """A .sources file: stanzas of fields, continued on indented lines."""
    for stanza in path.read_text().split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                fields[key] = fields.get(key, "") + " " + line.strip()
            else:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, fields.get("components", "").split())


def _one_line(path: Path) -> Iterator[Source]:
    """A .list file: deb [OPTIONS] URI SUITE COMPONENT..."""
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if words[:1] != ["deb"]:
            continue
        words.pop(0)
        if words and words[0].startswith("["):
            while words and not words.pop(0).endswith("]"):
                pass
        if len(words) >= 3:
            yield Source(words[0], words[1], words[2:])


def _host_sources() -> Iterator[Source]:
    parts = APT / "sources.list.d"
    if (APT / "sources.list").is_file():
        yield from _one_line(APT / "sources.list")
    for path in sorted(parts.glob("*.sources")):
        yield from _deb822(path)
    for path in sorted(parts.glob("*.list")):
        yield from _one_line(path)


def mirror() -> str:
    """Return the URL of a Debian mirror."""
    chosen = os.environ.get("OPTEE_TOP_MIRROR")
    if chosen:
        return chosen.rstrip("/")
    for source in _host_sources():
        if source.suite in RELEASES and "main" in source.components:
            return source.uri.rstrip("/")
    raise VmError("cannot find a Debian mirror: the host's apt sources name none; "
                  "set OPTEE_TOP_MIRROR to the URL of one")
