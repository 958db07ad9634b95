# SPDX-License-Identifier: GPL-2.0-only
"""The tests at work. Each is a process of its own, so that it is known how much CPU it took,
with its guests. As many begin as there are CPUs, and more as long as those leave some of the
CPUs' time: a guest that sleeps does not keep one that works from it."""

import os
import select
import signal
import sys
import time
import traceback
from typing import Callable, NamedTuple, NoReturn, Optional, Sequence

from .registry import Failed, Test

MOST = 6  # slots at once, whatever they leave: a guest has a gigabyte
LOOK = 2.0  # seconds: what begins has to show what it needs
SPARE = 0.3  # of a CPU: when so much is left another test begins
MAX_SAID = 60000  # bytes of a failure: they have to fit into a pipe


class Done(NamedTuple):
    test: Test
    why: Optional[str]  # it failed
    seconds: float
    cpu: float  # seconds, too


def _said(check: Callable[[], None]) -> str:
    """What is wrong; nothing if all is well."""
    try:
        check()
    except Failed as failure:
        return str(failure) or "?"
    except BaseException:
        return "the test itself broke\n" + traceback.format_exc()
    return ""


class Job:
    """A test in its process."""

    def __init__(self, test: Test, check: Callable[[], None]) -> None:
        self.test = test
        self._start = time.monotonic()
        self._said, theirs = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if not self._pid:
            self._work(check, theirs)
        os.close(theirs)
        self.fd = os.pidfd_open(self._pid)

    @staticmethod
    def _work(check: Callable[[], None], said: int) -> NoReturn:
        try:
            os.write(said, _said(check).encode(errors="replace")[:MAX_SAID])
            sys.stdout.flush()
        finally:
            os._exit(0)

    def end(self) -> Done:
        """It has ended, or is made to."""
        said = os.read(self._said, MAX_SAID).decode(errors="replace")
        _, status, usage = os.wait4(self._pid, 0)
        os.close(self._said)
        os.close(self.fd)
        why = f"its process ended with status {status}" if status else said or None
        return Done(self.test, why, time.monotonic() - self._start,
                    usage.ru_utime + usage.ru_stime)

    def stop(self) -> None:
        os.kill(self._pid, signal.SIGTERM)


class Idle:
    """How much of the CPUs nobody had since the last look."""

    def __init__(self) -> None:
        self._last = self._read()

    @staticmethod
    def _read() -> tuple[float, int]:
        with open("/proc/stat") as stat:
            words = stat.readline().split()
        return time.monotonic(), int(words[4]) + int(words[5])  # idle, and waiting for a disk

    def look(self) -> Optional[float]:
        """CPUs; None if it is too early to tell."""
        now, idle = self._read()
        then, before = self._last
        if now - then < LOOK:
            return None
        self._last = now, idle
        return (idle - before) / os.sysconf("SC_CLK_TCK") / (now - then)

    def forget(self) -> None:
        self._last = self._read()


def run(tests: Sequence[Test], most: int, begin: Callable[[Test], Job],
        done: Callable[[Done], None]) -> None:
    """All of them, in this order."""
    waiting, at_work, idle = list(tests), [], Idle()

    def needs(test: Test) -> int:
        return min(test.slots, most)

    def may_begin(test: Test) -> bool:
        used = sum(needs(job.test) for job in at_work) + needs(test)
        if used <= min(os.cpu_count() or 1, most) or not at_work:
            return True
        return used <= most and (idle.look() or 0) >= SPARE

    try:
        while waiting or at_work:
            while waiting and may_begin(waiting[0]):
                at_work.append(begin(waiting.pop(0)))
                idle.forget()
            poll = select.poll()
            for job in at_work:
                poll.register(job.fd, select.POLLIN)
            ready = {fd for fd, _ in poll.poll(LOOK * 1000)}
            for job in [job for job in at_work if job.fd in ready]:
                at_work.remove(job)
                done(job.end())
    finally:
        for job in at_work:
            job.stop()
        for job in at_work:
            job.end()
