# SPDX-License-Identifier: GPL-2.0-only
"""Make a thing once: a lock, a scratch directory, and a stamp of its recipe.

The stamp is a hash of the recipe's own files, so that an edited recipe makes
its artefact again and nothing else does."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path
from typing import Callable, Iterator, Sequence

from .paths import VM


def _digest(recipe: Sequence[Path], key: str) -> str:
    digest = hashlib.sha256(key.encode())
    for path in recipe:
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    locks = VM / "lock"
    locks.mkdir(parents=True, exist_ok=True)
    with open(locks / name, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(dest: Path, recipe: Sequence[Path], key: str,
         build: Callable[[Path, Path], None]) -> Path:
    """Return dest, made by build(scratch, out) if its recipe is not the stamped one.

    build works below scratch, which goes away, and leaves dest's new content in
    out, which takes dest's place at the end."""
    want = _digest(recipe, key)
    stamp = dest / ".stamp"

    def fresh() -> bool:
        return stamp.exists() and stamp.read_text() == want

    if fresh():
        return dest
    name = str(dest.relative_to(VM)).replace(os.sep, "-")
    with locked(name):
        if fresh():
            return dest
        scratch = VM / "scratch" / name
        shutil.rmtree(scratch, ignore_errors=True)
        out = scratch / "out"
        out.mkdir(parents=True)
        build(scratch, out)
        (out / ".stamp").write_text(want)
        dest.parent.mkdir(parents=True, exist_ok=True)
        if dest.exists():
            dest.rename(scratch / "old")
        out.rename(dest)
        shutil.rmtree(scratch)
    return dest
