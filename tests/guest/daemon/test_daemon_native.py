# SPDX-License-Identifier: GPL-2.0-only
"""The daemon where there is no driver: what it does with signals, and with files that are taken
away. Needs no guest, but root."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

from ..lib import native
from ..lib.registry import Context, Findings, test

SECONDS = 30


def wait_for(what: Callable[[], object]) -> bool:
    """It holds before the time is over."""
    end = time.monotonic() + SECONDS
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def worker(pid: int) -> int:
    """Its process, once it has given up its privileges; else 0."""
    try:
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{child[0]}/status").read_text() if child else ""
    except OSError:
        return 0
    return int(child[0]) if f"\nUid:\t{native.NOBODY}" in status else 0


@contextlib.contextmanager
def daemon(context: Context, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """One whose socket and messages are in the directory of the test; it serves."""
    context.dir.mkdir(parents=True, exist_ok=True)
    run = Path("/run") / f"optee-top-{context.name}"
    config = context.dir / "conf"
    config.touch()
    with open(context.dir / "err", "wb") as err, \
            subprocess.Popen([native.top(), "daemon", "--config", config, "--socket",
                              run / "sock", *map(str, options)],
                             stdin=subprocess.DEVNULL, stderr=err) as process:
        try:
            assert wait_for(lambda: worker(process.pid) and (run / "sock").exists())
            yield process
            process.terminate()
            process.wait(SECONDS)
        finally:
            process.kill()
            for path in run.glob("*"):
                path.unlink()
            with contextlib.suppress(FileNotFoundError):
                run.rmdir()


@test()
def daemon_other_signals(context: Context) -> None:
    """Signals that mean nothing to it end neither the supervisor nor the worker."""
    if os.geteuid():
        return
    findings = Findings()
    with daemon(context) as process:
        first = worker(process.pid)
        for sig in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM,
                    signal.SIGPROF, signal.SIGIO, signal.SIGPIPE, signal.SIGXFSZ):
            for pid in first, process.pid:
                os.kill(pid, sig)
        time.sleep(1)
        findings.equal("worker", worker(process.pid), first)
    findings.equal("status", process.returncode, 0)
    findings.done()


@test()
def daemon_log_moved(context: Context) -> None:
    """The log's directory is moved away, where only root can make another: SIGHUP makes it."""
    if os.geteuid():
        return
    findings = Findings()
    log, old = (Path("/var/log") / f"{context.name}{end}" for end in ("", ".old"))
    for directory in log, old:
        shutil.rmtree(directory, ignore_errors=True)
    try:
        with daemon(context, "--log", log) as process:
            findings.true("there is no log", wait_for(log.is_dir))
            log.rename(old)
            process.send_signal(signal.SIGHUP)
            findings.true("there is no new directory", wait_for(log.is_dir))
            findings.equal("owner", log.stat().st_uid, native.NOBODY)
            time.sleep(0.5)
        findings.equal("said", [line for line in (context.dir / "err").read_text().splitlines()
                                if "denied" in line], [])
    finally:
        for directory in log, old:
            shutil.rmtree(directory, ignore_errors=True)
    findings.done()


def served(sock: Path) -> bool:
    """A client is: it gets a HELLO."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        try:
            client.connect(str(sock))
            client.sendall(b"follow 0 0\n")
            return bool(client.recv(1))
        except OSError:
            return False


def scraped(sock: Path) -> bool:
    """The metrics are there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        try:
            client.connect(str(sock))
            client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            return client.recv(15) == b"HTTP/1.1 200 OK"
        except OSError:
            return False


@test()
def daemon_socket_removed(context: Context) -> None:
    """The sockets are removed, then their directory: each is made again, by the same worker."""
    if os.geteuid():
        return
    findings = Findings()
    sock, metrics = (Path("/run") / f"optee-top-{context.name}" / name
                     for name in ("sock", "metrics"))
    with daemon(context, "--listen", metrics) as process:
        first, mode = worker(process.pid), sock.stat().st_mode
        findings.true("no client is served", served(sock))
        findings.true("there are no metrics", scraped(metrics))
        sock.unlink()
        metrics.unlink()
        process.send_signal(signal.SIGHUP)
        findings.true("SIGHUP: no client is served", wait_for(lambda: served(sock)))
        findings.true("SIGHUP: there are no metrics", wait_for(lambda: scraped(metrics)))
        findings.equal("SIGHUP: mode", sock.stat().st_mode, mode)
        shutil.rmtree(sock.parent)
        findings.true("the directory: no client is served", wait_for(lambda: served(sock)))
        findings.true("the directory: there are no metrics", wait_for(lambda: scraped(metrics)))
        findings.true("there is no lock", Path(f"{sock}.lock").exists())
        findings.equal("worker", worker(process.pid), first)
    findings.equal("status", process.returncode, 0)
    said = (context.dir / "err").read_text()
    for path in sock, metrics:
        findings.equal(f"said of {path}", said.count(f"the socket '{path}' had been removed"), 2)
        findings.true(f"{path} is left", not path.exists())
    findings.done()
