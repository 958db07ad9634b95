# SPDX-License-Identifier: GPL-2.0-only
"""The guest tests: each registers itself with a decorator, the runner lists them."""

import importlib
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Sequence

Check = Callable[["Context"], None]


class Failed(Exception):
    """A test found something wrong: the first line says what, the rest is details."""


class Context(NamedTuple):
    """What a test is given."""

    name: str
    dir: Path  # its own, kept until its next run
    binary: Optional[Path]  # an optee-top to test instead of build/arm64's


class Test(NamedTuple):
    name: str
    check: Check
    slots: int
    long: bool
    check_all: bool


ALONE = 99  # all of them, however many there are
TESTS: list[Test] = []


def test(slots: int = 1, long: bool = False,
         check_all: bool = False) -> Callable[[Check], Check]:
    """Register a function as the test of its name.

    One with check_all is left to 'make check-all': 'make check' has no time for it, and
    another test that it does run looks at the same thing more briefly.

    slots=2 is for a test that runs two guests at once, slots=ALONE for one that compares
    times and so has to have the machine for itself; a guest with --icount has a clock of its
    own and does not. A long one is begun early, so that not all wait for it at the end."""
    def register(check: Check) -> Check:
        TESTS.append(Test(check.__name__, check, slots, long, check_all))
        return check
    return register


def load_all() -> Sequence[Test]:
    """Import every test module of the other directories; the tests in them register themselves."""
    for path in sorted(Path(__file__).parents[1].glob("*/test_*.py")):
        importlib.import_module(f"guest.{path.parent.name}.{path.stem}")
    return TESTS


def fail(what: str, details: Sequence[str] = ()) -> None:
    raise Failed("\n".join([what, *details]))


def expect(what: str, have: object, want: object) -> None:
    if have != want:
        raise Failed(f"{what} is {have!r}, not {want!r}")


class Findings:
    """Collects what is wrong, so that one look shows all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, finding: str) -> None:
        self.found.append(finding)

    def equal(self, what: str, have: object, want: object) -> None:
        if have != want:
            self.add(f"{what} is {have!r}, not {want!r}")

    def true(self, what: str, holds: bool) -> None:
        if not holds:
            self.add(what)

    def done(self) -> None:
        if self.found:
            fail(f"{self.found[0]}" + (f" (and {len(self.found) - 1} more)"
                                       if len(self.found) > 1 else ""), self.found[1:])
