# SPDX-License-Identifier: GPL-2.0-only
"""A program on a terminal of its own, and what a person would see there."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from types import TracebackType
from typing import Callable, Optional, Sequence

import pyte  # type: ignore[import]

from .registry import Failed

PATIENCE = 30.0  # seconds that anything may take on a busy machine
QUIET = 0.06  # for so long nothing came: a screen is drawn


class Terminal:
    """The emulated terminal; feed it with wait(), look at it with lines()."""

    def __init__(self, argv: Sequence[object], columns: int = 80, rows: int = 24,
                 kind: str = "linux") -> None:  # that is what pyte is
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.slave = slave  # kept: its settings are looked at when the program has ended
        self.before = termios.tcgetattr(slave)
        self.raw = b""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        env = {**os.environ, "TERM": kind, "LC_ALL": "C"}
        env.pop("NO_COLOR", None)
        self.program = subprocess.Popen([str(a) for a in argv], stdin=slave, stdout=slave,
                                        stderr=slave, env=env, start_new_session=True)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        os.close(self.slave)
        os.close(self.master)

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def text(self) -> str:
        return "\n".join(self.lines())

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def take(self, seconds: float) -> bool:
        """What comes first in that time; False: nothing did."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 1 << 16)
        self.raw += data
        self.stream.feed(data)
        return True

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Until a whole screen is so."""
        end = time.monotonic() + seconds
        while True:
            while self.take(QUIET):
                if time.monotonic() > end:
                    break
            if holds():
                return
            if time.monotonic() > end:
                raise Failed(f"waited in vain for {what}; there is\n{self.text()}")

    def shows(self, text: str, seconds: float = PATIENCE) -> None:
        self.wait(repr(text), lambda: text in self.text(), seconds)

    def end(self, seconds: float = PATIENCE) -> int:
        """Its status, when it ends of itself; all that it wrote is taken."""
        try:
            status = self.program.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"it does not end; there is\n{self.text()}") from None
        while self.take(QUIET):
            pass
        return status
