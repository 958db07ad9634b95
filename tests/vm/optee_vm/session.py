# SPDX-License-Identifier: GPL-2.0-only
"""One command in one guest: carries input, output and files until its exit status.

Everything arrives on one port in order, so that when the status is there, all
output is."""

import fcntl
import os
import select
import signal
import struct
import termios
import time
import tty
from pathlib import Path
from typing import BinaryIO, NamedTuple, Optional, Sequence

from .console import Consoles
from .host import say
from .machine import Machine
from .wire import DATA_MAX, Reader, frame

BOOT_LIMIT = 180.0
TICK = 0.2
ESCAPE = b"\x1d"  # Ctrl-]


class GuestFailed(Exception):
    """The guest, not the command, failed."""


class Escaped(Exception):
    """The user left the guest with the escape key."""


class TimedOut(Exception):
    """The command did not end in time."""


class Job(NamedTuple):
    argv: Sequence[str]
    env: Sequence[str]
    gets: Sequence[tuple[str, Path]]
    timeout: Optional[float]
    interactive: bool


def terminal_size() -> bytes:
    raw = fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8)
    rows, columns = struct.unpack("HHHH", raw)[:2]
    return b"%d %d" % (rows or 24, columns or 80)


class Files:
    """Receives the wanted files, one after the other, each put in place when whole."""

    def __init__(self, gets: Sequence[tuple[str, Path]]) -> None:
        self._wanted = list(gets)
        self._part: Optional[BinaryIO] = None
        self.failed: list[str] = []

    def _open(self) -> BinaryIO:
        path = self._wanted[0][1]
        if self._part is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._part = open(f"{path}.part", "wb")
        return self._part

    def data(self, data: bytes) -> None:
        self._open().write(data)

    def end(self) -> None:
        self._open().close()
        path = self._wanted.pop(0)[1]
        os.replace(f"{path}.part", path)
        self._part = None

    def error(self, cause: str) -> None:
        name, path = self._wanted.pop(0)
        if self._part:
            self._part.close()
            os.unlink(f"{path}.part")
            self._part = None
        self.failed.append(f"cannot get '{name}' from the guest: {cause}")


class Session:
    def __init__(self, machine: Machine, job: Job, consoles: Consoles) -> None:
        self._machine = machine
        self._port = machine.port
        self._job = job
        self._consoles = consoles
        self._reader = Reader()
        self._out = bytearray()
        self._files = Files(job.gets)
        self._started: Optional[float] = None
        self._status: Optional[int] = None
        self._stdin_open = job.interactive or not os.isatty(0)

    def _queue(self, kind: str, data: bytes = b"") -> None:
        self._out += frame(kind, data)

    def _start(self) -> None:
        self._started = time.monotonic()
        for name in self._job.env:
            self._queue("V", name.encode())
        for arg in self._job.argv:
            self._queue("A", os.fsencode(arg))
        for name, _ in self._job.gets:
            self._queue("G", os.fsencode(name))
        if self._job.interactive:
            self._queue("W", terminal_size())
        self._queue("S")
        if not self._stdin_open:
            self._queue("Z")

    def _handle(self, kind: str, data: bytes) -> None:
        if kind == "R":
            self._start()
        elif kind == "F":
            raise GuestFailed(data.decode(errors="replace"))
        elif kind in "OE":
            write_all(1 if kind == "O" else 2, data)
        elif kind == "D":
            self._files.data(data)
        elif kind == "N":
            self._files.end()
        elif kind == "M":
            self._files.error(data.decode(errors="replace"))
        elif kind == "X":
            self._status = int(data)

    def _receive(self) -> None:
        try:
            data = self._port.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            raise GuestFailed("the guest died: QEMU has ended")
        for kind, payload in self._reader.feed(data):
            self._handle(kind, payload)

    def _send(self) -> None:
        try:
            sent = self._port.send(self._out)
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            return
        del self._out[:sent]

    def _read_stdin(self) -> None:
        data = os.read(0, DATA_MAX)
        if self._job.interactive and ESCAPE in data:
            raise Escaped
        if data:
            self._queue("I", data)
        else:
            self._stdin_open = False
            self._queue("Z")

    def _check_time(self, begin: float) -> None:
        now = time.monotonic()
        if self._started is None:
            if now - begin > BOOT_LIMIT:
                raise GuestFailed(f"the guest did not come up in {BOOT_LIMIT:.0f} s")
        elif self._job.timeout and now - self._started > self._job.timeout:
            raise TimedOut(f"the command did not end in {self._job.timeout:g} s")

    def _wait(self) -> dict[int, int]:
        port = self._port.fileno()
        events = {port: select.POLLIN | (select.POLLOUT if self._out else 0)}
        if self._stdin_open and self._started is not None and not self._out:
            events[0] = select.POLLIN
        poll = select.poll()
        for fd, mask in events.items():
            poll.register(fd, mask)
        return dict(poll.poll(TICK * 1000))

    def _loop(self) -> int:
        begin = time.monotonic()
        port = self._port.fileno()
        while self._status is None:
            ready = self._wait()
            if ready.get(port, 0) & select.POLLOUT:
                self._send()
            if ready.get(port, 0) & ~select.POLLOUT:
                self._receive()
            if 0 in ready:
                self._read_stdin()
            self._consoles.follow()
            self._check_time(begin)
        return self._status

    def run(self) -> int:
        """Carry the command to its end and return its exit status."""
        self._port.setblocking(False)
        if self._job.interactive:
            status = self._run_on_terminal()
        else:
            status = self._loop()
        for error in self._files.failed:
            say(error)
        return status or (1 if self._files.failed else 0)

    def _run_on_terminal(self) -> int:
        saved = termios.tcgetattr(0)
        resized = signal.signal(signal.SIGWINCH,
                                lambda *_: self._queue("W", terminal_size()))
        try:
            tty.setraw(0)
            return self._loop()
        finally:
            signal.signal(signal.SIGWINCH, resized)
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data):]
