# SPDX-License-Identifier: GPL-2.0-only
"""A guest that a test talks with while it runs: line by line, each done before the next."""

import queue
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Optional, Type

from . import vm
from .registry import Context, Failed

FORWARD = re.compile(r"^forward: (\d+) (\d+)$", re.M)
DID = "did "
LIMIT = 600.0

# Runs what the host says, and says when it is done, and with what status.
LISTEN = r"""
while read -r line; do
	eval "$line" </dev/null
	echo "did $?"
done
"""


class Talk:
    """Started with the functions that a script defines; left, it is gone."""

    def __init__(self, context: Context, script: str, *options: str, tag: str = "guest") -> None:
        context.dir.mkdir(parents=True, exist_ok=True)
        (context.dir / f"{tag}.sh").write_text(vm.PRELUDE + script + LISTEN)
        argv = [str(vm.RUN), "--timeout", f"{LIMIT:g}", *options,
                "--put", f"{context.dir / (tag + '.sh')}:/check.sh"]
        if context.binary:
            argv += ["--put", f"{context.binary}:/usr/bin/optee-top"]
        self._err = context.dir / f"{tag}.err"
        with open(self._err, "wb") as err:
            self._vm = subprocess.Popen([*argv, "--", "sh", "/check.sh"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=err, text=True,
                                        env=vm.environment())
        self._lines: "queue.Queue[Optional[str]]" = queue.Queue()
        assert self._vm.stdout
        threading.Thread(target=self._read, args=(self._vm.stdout,), daemon=True).start()

    def _read(self, out: IO[str]) -> None:
        for line in out:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self._vm.send_signal(signal.SIGTERM)
        self._vm.wait()

    def said(self) -> str:
        return self._err.read_text(errors="replace")[-4000:]

    def port(self, guest: int) -> int:
        """The port of 127.0.0.1 that leads to that of the guest."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._vm.poll() is None:
            for ours, theirs in FORWARD.findall(self._err.read_text(errors="replace")):
                if int(ours) == guest:
                    return int(theirs)
            time.sleep(0.1)
        raise Failed(f"the guest has no port {guest}\n{self.said()}")

    def ask(self, line: str, seconds: float = 180) -> tuple[int, str]:
        """What a line of shell ended with, and printed."""
        assert self._vm.stdin
        try:
            self._vm.stdin.write(line + "\n")
            self._vm.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"the guest is gone before: {line}\n{self.said()}") from None
        out: list[str] = []
        end = time.monotonic() + seconds
        while True:
            try:
                said = self._lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"the guest did not end in {seconds:g} s: {line}\n"
                             + self.said()) from None
            if said is None:
                raise Failed(f"the guest ended in: {line}\n{self.said()}")
            if said.startswith(DID):
                return int(said[len(DID):]), "".join(f"{o}\n" for o in out)
            out.append(said)

    def do(self, line: str, seconds: float = 180) -> str:
        """What a line of shell printed; it has to succeed."""
        status, out = self.ask(line, seconds)
        if status:
            raise Failed(f"in the guest ended with {status}: {line}\n{out[-2000:]}{self.said()}")
        return out

    def fetch(self, name: str, to: Path) -> Path:
        """A text file of the guest's."""
        to.write_text(self.do(f"cat {name}"))
        return to
