# SPDX-License-Identifier: GPL-2.0-only
"""Runs a shell script in a fresh guest and brings back its output and its files."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from . import target
from .registry import Context, Failed

ROOT = Path(__file__).resolve().parents[3]
RUN = ROOT / "tests/vm/run"
OUT = ROOT / "build/check"
TIMED_OUT = 124
GUEST_FAILED = 125

# Limits of time only end what hangs. They are those of a quiet machine, a busy one has more.
BUSY = 4

# What every script begins with. Nothing sleeps and hopes: wait_for asks again and
# again, and ends the script when what it waits for does not come.
PRELUDE = f"""
BUSY={BUSY}
""" + r"""
set -u
cd /tmp
die() { echo "guest script: $*" >&2; exit 99; }

wait_for() { # SECONDS COMMAND [ARG...]
	limit=$(($1 * 50 * BUSY * ${SLOW:-1})); shift
	until "$@"; do
		limit=$((limit - 1))
		[ $limit -gt 0 ] || die "waited in vain for: $*"
		usleep 20000
	done
}

frames() { [ "$(wc -l </tmp/top.jsonl)" -ge "$1" ]; }

top_frame() { # one more whole interval
	kill -0 $TOP 2>/dev/null || die "optee-top has ended"
	frames "$WANTED_FRAMES"
}

top_start() { # [OPTION...]: attached, and its first frame printed, on return
	: >/tmp/top.jsonl
	optee-top --json "$@" >/tmp/top.jsonl 2>/tmp/top.err &
	TOP=$!
	WANTED_FRAMES=1
	wait_for 60 top_frame
}

top_settle() { # what has happened until now is in a frame on return
	WANTED_FRAMES=$(($(wc -l </tmp/top.jsonl) + 2))
	wait_for 60 top_frame
}

top_stop() {
	top_settle
	kill -TERM $TOP
	wait $TOP || die "optee-top ended with status $?: $(cat /tmp/top.err)"
	[ ! -s /tmp/top.err ] || die "optee-top says: $(cat /tmp/top.err)"
}
"""


class Run(NamedTuple):
    """What became of a script."""

    status: int
    out: bytes
    err: str
    files: Mapping[str, Path]

    def read(self, name: str) -> bytes:
        return self.files[name].read_bytes()


def environment() -> dict[str, str]:
    return {**os.environ, "OPTEE_TOP_NO_MAKE": "1", "TERM": "dumb"}


def _argv(context: Context, tag: str, options: Sequence[str], files: Mapping[str, Path],
          seconds: float) -> list[str]:
    argv = [str(RUN), "--timeout", f"{seconds * target.SLOW * BUSY:g}", "--kernel", target.KERNEL,
            *options, "--put", f"{context.dir / (tag + '.sh')}:/check.sh"]
    if context.binary:
        argv += ["--put", f"{context.binary}:/usr/bin/optee-top"]
    for name, path in files.items():
        argv += ["--get", f"{name}:{path}"]
    return [*argv, "--", "sh", "/check.sh"]


def _check_log(log: Path) -> None:
    """Another kernel than Debian's may have found a mistake."""
    said = target.reports(log.read_bytes()) if log.exists() else []
    if said:
        raise Failed("\n".join([f"the kernel reports: {said[0]}", *said]))


def run(context: Context, script: str, *options: str, gets: Sequence[str] = (),
        seconds: float = 180, tag: str = "guest", want: int = 0, mistakes: bool = False) -> Run:
    """Run the script; its wanted files are those of the guest's /tmp. With mistakes the
    kernel may report some."""
    context.dir.mkdir(parents=True, exist_ok=True)
    (context.dir / f"{tag}.sh").write_text(target.PRELUDE + PRELUDE + script)
    log = context.dir / f"{tag}.{target.LOG}"
    log.unlink(missing_ok=True)
    files = {f"/tmp/{name}": context.dir / f"{tag}.{name}" for name in gets}
    if target.OTHER:
        files[f"/tmp/{target.LOG}"] = log
    with subprocess.Popen(_argv(context, tag, options, files, seconds),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment()) as vm:
        try:
            out, err = vm.communicate()
        except BaseException:
            vm.send_signal(signal.SIGTERM)
            raise
    (context.dir / f"{tag}.out").write_bytes(out)
    (context.dir / f"{tag}.err").write_bytes(err)
    said = err.decode(errors="replace")
    if not mistakes:
        _check_log(log)
    if vm.returncode != want:
        known = {TIMED_OUT: "the guest's script timed out", GUEST_FAILED: "the guest failed"}
        why = known.get(vm.returncode, f"the guest's script ended with {vm.returncode}")
        raise Failed(f"{why}\n{out.decode(errors='replace')[-2000:]}{said[-6000:]}")
    return Run(vm.returncode, out, said, {name: files[f"/tmp/{name}"] for name in gets})
