# SPDX-License-Identifier: GPL-2.0-only
"""Private apt roots: Debian packages of other suites and architectures, with
signatures checked, while the host's apt and dpkg stay untouched.

There is one root a base release and architecture, so that a dependency is never taken
from another one by accident."""

import contextlib
import fcntl
import shutil
import time
from pathlib import Path
from typing import Iterator, Sequence

from .host import VmError, build_env, command, say
from .mirror import mirror
from .paths import VM

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Debian keeps a replaced package for about a day.
MAX_AGE = 12 * 3600

# base release, with an architecture if it is not arm64 -> suites with binaries, suites with sources
SUITES = {
    "bullseye": (("bullseye",), ()),
    "bookworm": (("bookworm", "bookworm-backports"), ()),
    "trixie": (("trixie", "trixie-backports"), ("trixie",)),
    "sid": (("sid",), ("sid",)),
    "bookworm-armhf": (("bookworm", "bookworm-backports"), ()),
    "trixie-armhf": (("trixie",), ()),
}


class AptRoot:
    def __init__(self, base: str) -> None:
        self.base = base
        self.arch = base.partition("-")[2] or "arm64"
        self.dir = VM / "apt" / base
        self.conf = self.dir / "apt.conf"

    def _list(self) -> Path:
        return self.dir / "etc/sources.list"

    def _sources(self) -> str:
        binary, source = SUITES[self.base]
        where = f"[signed-by={KEYRING}] {mirror()}"
        lines = [f"deb {where} {s} main" for s in binary]
        lines += [f"deb-src {where} {s} main" for s in source]
        return "\n".join(lines) + "\n"

    def _configure(self) -> None:
        if not KEYRING.exists():
            raise VmError(f"cannot check Debian's signatures: no {KEYRING}; "
                          "install debian-archive-keyring")
        for sub in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial",
                    "cache/archives/partial"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        self._list().write_text(self._sources())
        host_arch = command(["dpkg", "--print-architecture"], "ask dpkg").strip()
        # The host's Acquire settings come along: its proxy, its view of old mirrors.
        acquire = command(["apt-config", "dump", "Acquire"], "read apt's settings")
        self.conf.write_text(acquire + f"""
Dir "{self.dir}";
Dir::State "state";
Dir::State::status "{self.dir}/status";
Dir::Cache "cache";
Dir::Etc "etc";
Dir::Log "log";
APT::Architecture "{self.arch}";
APT::Architectures {{ "{self.arch}"; "{host_arch}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "5";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
""")

    def _run(self, *args: str, cwd: Path | None = None, timeout: float = 600) -> str:
        return command(args, f"use the private apt root of {self.base}", timeout, cwd,
                       build_env({"APT_CONFIG": str(self.conf)}))

    def _stale(self) -> bool:
        stamp = self.dir / "updated"
        return (not stamp.exists() or time.time() - stamp.stat().st_mtime > MAX_AGE
                or self._list().read_text() != self._sources())

    def update(self) -> None:
        say(f"fetching Debian's package lists ({self.base}, about 5 s)")
        self._configure()
        self._run("apt-get", "-q", "--error-on=any", "update")
        (self.dir / "updated").touch()

    @contextlib.contextmanager
    def _ready(self) -> Iterator[None]:
        """Hold the root's lock, with lists that are fresh enough."""
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(self.dir / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._stale():
                self.update()
            yield

    def _fetch(self, dest: Path, *args: str) -> None:
        """Run an apt-get download into dest, with fresh lists when it fails."""
        with self._ready():
            for last in (False, True):
                shutil.rmtree(dest, ignore_errors=True)
                dest.mkdir(parents=True)
                try:
                    self._run("apt-get", "-q", *args, cwd=dest)
                    return
                except VmError:
                    if last:
                        raise
                self.update()

    def depends(self, package: str) -> list[str]:
        """The packages that package (name/suite) depends on, one level."""
        with self._ready():
            out = self._run("apt-cache", "depends", package)
        return [line.split(":", 1)[1].strip() for line in out.splitlines()
                if line.strip().startswith("Depends:")]

    def download(self, packages: Sequence[str], dest: Path) -> list[Path]:
        """Download exactly these packages (name[:arch][/suite]) into dest."""
        self._fetch(dest, "download", *packages)
        return sorted(dest.glob("*.deb"))

    def source(self, package: str, suite: str, dest: Path) -> None:
        """Download package's source and unpack it as dest."""
        tmp = dest.with_name(dest.name + ".src")
        self._fetch(tmp, "source", "--download-only", f"{package}/{suite}")
        dsc = next(tmp.glob("*.dsc"))
        shutil.rmtree(dest, ignore_errors=True)
        command(["dpkg-source", "--no-check", "-x", dsc, dest], f"unpack {dsc.name}")
        shutil.rmtree(tmp)


def unpack(debs: Sequence[Path], dest: Path) -> None:
    """Unpack packages over each other into dest."""
    dest.mkdir(parents=True, exist_ok=True)
    for deb in debs:
        command(["dpkg-deb", "-x", deb, dest], f"unpack {deb.name}")
