# SPDX-License-Identifier: GPL-2.0-only
"""A load on the machine that runs the tests: a compiler on every CPU, without a pause."""

import contextlib
import os
import subprocess
from typing import Callable, Iterator

from .vm import ROOT

# A line for each file that was compiled: a load that has stopped must not go unnoticed.
FOREVER = """
while gcc -std=gnu11 -D_GNU_SOURCE -O2 -Iinclude -Isrc -S -o /dev/null src/record/schema.c
do echo
done
"""


@contextlib.contextmanager
def compilers(fail: Callable[[str, str], None]) -> Iterator[None]:
    """They work until the tests have ended; if one does not, that is a failure."""
    cpus = os.cpu_count() or 1
    print(f"loaded: {cpus} compilers at work", flush=True)
    with contextlib.ExitStack() as stack:
        at_work = [stack.enter_context(subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sh", "-c", FOREVER], cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)) for _ in range(cpus)]
        try:
            yield
            for compiler in at_work:
                if compiler.poll() is not None:
                    fail("loaded", "a compiler stopped before the tests did")
        finally:
            for compiler in at_work:
                compiler.kill()
            done = sum(len(compiler.communicate()[0]) for compiler in at_work)
            print(f"loaded: {done} files were compiled", flush=True)
