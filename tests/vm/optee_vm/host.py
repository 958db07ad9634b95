# SPDX-License-Identifier: GPL-2.0-only
"""The host: progress and errors in one voice, and commands that cannot hang."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, Mapping, NoReturn, Optional, Sequence


class VmError(Exception):
    """Something the user has to know: 'cannot <do>: <cause>; <remedy>'."""


def say(text: str) -> None:
    print(f"vm: {text}", file=sys.stderr, flush=True)


def die(text: str, status: int = 1) -> NoReturn:
    say(text)
    sys.exit(status)


def ranged(low: int, high: int) -> Callable[[str], int]:
    """The type of a command's argument: a number from low to high."""
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not from {low} to {high}")
        return value
    return number


def build_env(extra: Optional[Mapping[str, str]] = None) -> dict[str, str]:
    """The environment of a build: Debian's python3 first, no make flags of ours."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES",
                        "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "ARCH",
                        "CROSS_COMPILE", "V")}
    env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin:" + env.get("PATH", "")
    env["LC_ALL"] = "C.UTF-8"
    env.update(extra or {})
    return env


def command(argv: Sequence[str | Path], what: str, timeout: float = 300,
            cwd: Optional[Path] = None, env: Optional[Mapping[str, str]] = None,
            log: Optional[Path] = None) -> str:
    """Run argv and return its stdout; its output goes to log when one is given."""
    words = [str(a) for a in argv]
    try:
        if log:
            with open(log, "wb") as out:
                done = subprocess.run(words, cwd=cwd, env=env or build_env(),
                                      stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=subprocess.STDOUT, timeout=timeout)
            text = ""
        else:
            done = subprocess.run(words, cwd=cwd, env=env or build_env(),
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=timeout)
            text = done.stdout.decode(errors="replace")
    except FileNotFoundError:
        raise VmError(f"cannot {what}: {words[0]} is not installed; "
                      "run scripts/host-deps build vm") from None
    except subprocess.TimeoutExpired:
        raise VmError(f"cannot {what}: {words[0]} took more than {timeout:.0f} s"
                      + (f"; see {log}" if log else "")) from None
    if done.returncode:
        tail = (log.read_bytes() if log else done.stdout + done.stderr)[-3000:]
        sys.stderr.write(tail.decode(errors="replace"))
        raise VmError(f"cannot {what}: {words[0]} failed with status {done.returncode}"
                      + (f"; see {log}" if log else "; its last lines are above"))
    return text
