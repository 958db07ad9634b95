# SPDX-License-Identifier: GPL-2.0-only
"""The live view of a recording, on a terminal of this machine: no guest is needed."""

import os
import re
import signal
import subprocess
import termios
import time
from typing import Callable, Mapping, Optional

from ..lib import frames, native, recfile
from ..lib.registry import Context, Findings, test
from ..lib.terminal import Terminal

SIZES = (80, 24), (100, 30)
TITLE = re.compile(r"frame (\d+)/(\d+)  x([\d.]+)")
MARKS = re.compile(r" *\[(PAUSED|END)\]")
FRAMES = 21  # of the recording; --json leaves out the first, which has no interval
CALM = 0.4   # seconds in which a pause shows that it is one


def seen_frames() -> Mapping[int, frames.Object]:
    """By their number on the screen."""
    seen = frames.parse(native.run("replay", native.RECORDING, "--json").out)
    return {f["seq"]: f for f in seen}


def replay(size: tuple[int, int], *options: str, rec: object = native.RECORDING,
           kind: str = "linux") -> Terminal:
    return Terminal([native.top(), "replay", rec, *options], *size, kind=kind)


def frame_of(t: Terminal) -> int:
    title = TITLE.search(t.text())
    return int(title[1]) if title else 0


def go(t: Terminal, key: str, number: int) -> str:
    """Press it; the screen that then comes, without what says that it stands still."""
    t.press(key)
    t.wait(f"frame {number}", lambda: frame_of(t) == number)
    return MARKS.sub("", t.text())


def pause(t: Terminal) -> None:
    t.press("p")
    t.shows("[PAUSED]")


def short(ns: Optional[float]) -> str:
    """A time as the view has it."""
    if ns is None:
        return "-"
    unit, name = next((u, n) for u, n in ((1, "ns"), (1e3, "us"), (1e6, "ms"), (1e9, "s"))
                      if ns < 1000 * u or n == "s")
    if name != "ns" and ns < 10 * unit:
        return f"{ns // (unit / 10) / 10:.1f}{name}"
    return f"{ns // unit:.0f}{name}"


def figures(frame: frames.Object) -> Mapping[str, str]:
    """What the screen has to say of a frame: a pattern each."""
    pool, = frame["pools"]
    sums = pool["class_sums"].values()
    unknown = list(frame["losses"].values()).count(None)
    found = {
        "clock": f"{frame['ts'][:10]} {frame['ts'][11:19]}Z",
        "pool": f"tee{pool['tee']}  T {pool['threads']}  .*free {pool['free']}  normal "
                f"{pool['in_use_normal']}  system {pool['in_use_system']}  in RPC {pool['in_rpc']}"
                rf"  waiting {pool['waiting_normal']}n\+{pool['waiting_system']}s",
        "oldest": f"oldest {short(pool['oldest_wait_ns'])}  "
                  f"exhausted {pool['exhausted_share_percent']:.0f}%",
        "drift": f"reserved {pool['reserved']}  drift {pool['drift']}  design {pool['design']}",
        "totals": f"  calls {sum(s['calls'] for s in sums)}  failed "
                  f"{sum(s['failed'] for s in sums)}  lost 0, {unknown} unknown  missed 0  "
                  f"sessions {len(frame['sessions'])}",
    }
    for name, said in pool["conditions"].items():
        if said and said["lasting"]:
            times = f" {said['lasting']} times" if said["lasting"] > 1 else ""
            found[name] = f"{name.upper()}{times} " \
                f"{re.escape(short(frame['mono_ns'] - said['since_ns']))}"
    for call in frame["calls"]:
        if call["queued"]:
            found[f"waiter {call['tid']}"] = f"{re.escape(short(call['phase_ns']))} " \
                f"{call['class']} +{call['tid']} {re.escape(call['comm'])}"
    for s in frame["sessions"]:
        found[f"session {s['serial']}"] = rf"{re.escape(s['ta'])} +{s['client'] or '-'} +" \
            rf"{s['pid'] or '-'} {s['origin'] or '-'} +{s['class']} +" \
            rf"{s['calls_rate_per_second']:.1f} +{s['in_flight']} +{short(s['wait_p50_ns'])} "
    return found


def check_figures(findings: Findings, what: str, text: str, frame: frames.Object) -> None:
    flat = text.replace("\n      ", "  ")  # the pool's lines
    for name, pattern in figures(frame).items():
        if not re.search(pattern, flat):
            findings.add(f"{what}: no {name} like {pattern!r} in\n{text}")


@test()
def replay_figures(context: Context) -> None:
    """What the screen shows of a frame is what --json says of it."""
    findings = Findings()
    seen = seen_frames()
    strand = next(n for n, f in seen.items() if f["pools"][0]["conditions"]["starved"]["lasting"])
    for size in SIZES:
        with replay(size, "--speed", "1000") as t:
            t.shows("[END]")
            check_figures(findings, f"the end at {size}", t.text(), seen[FRAMES])
            pause(t)
            go(t, "{", 1)
            for number in range(2, strand + 3):
                text = go(t, "]", number)
                if number >= strand:
                    check_figures(findings, f"frame {number} at {size}", text, seen[number])
    findings.done()


def played(t: Terminal) -> Mapping[int, str]:
    """The screens that come of themselves until the end, each when it was whole."""
    found: dict[int, str] = {}

    def ended() -> bool:
        found[frame_of(t)] = MARKS.sub("", t.text())
        return "[END]" in t.text()

    t.wait("the end", ended)
    return found


@test()
def replay_seeks(context: Context) -> None:
    """Back at a frame there is what was there when it was played, the log included."""
    findings = Findings()
    for size in SIZES:
        with replay(size, "--speed", "4") as t:
            screens = played(t)
            findings.true(f"{len(screens)} screens are no test", len(screens) >= FRAMES - 5)
            pause(t)
            for number in range(FRAMES - 1, 0, -1):
                text = go(t, "[", number)
                if number in screens and text != screens[number]:
                    findings.add(f"frame {number} at {size} was\n{screens[number]}\nand is\n{text}")
            first = go(t, "[", 1)  # it goes no further
            findings.equal("sixty frames on", go(t, "}", FRAMES), screens[FRAMES])
            findings.equal("sixty frames back", go(t, "{", 1), first)
    findings.done()


def page_of(t: Terminal) -> str:
    t.press("e")
    t.shows("SINCE ATTACH")
    page = t.text()
    t.press("q")
    t.shows("frame ")
    return page


@test()
def replay_events_page(context: Context) -> None:
    """The page of what happened is that of the frame, too, whichever way it was reached."""
    findings = Findings()
    with replay((100, 60), "--speed", "1000") as t:
        t.shows("[END]")
        pause(t)
        played_to = page_of(t)
        go(t, "{", 1)
        pages = {1: page_of(t)}
        for number in range(2, FRAMES + 1):
            go(t, "]", number)
            pages[number] = page_of(t)
        findings.equal("the last page", pages[FRAMES], played_to)
        findings.true("the first page has a past", "Nothing has happened" in pages[1])
        findings.true("the strand is not told",
                      "the wake went to sensor-hub(184)" in pages[FRAMES])
        for number in range(FRAMES - 1, 0, -1):
            go(t, "[", number)
            page = page_of(t)
            if page != pages[number]:
                findings.add(f"frame {number}: the page was\n{pages[number]}\nand is\n{page}")
    findings.done()


@test()
def replay_keys(context: Context) -> None:
    """p pauses and steps go on, + and - change the speed, and the limits are limits."""
    findings = Findings()
    with replay(SIZES[1], "--speed", "2") as t:  # so slow that it is not over before the pause
        t.shows("frame ")
        pause(t)
        number = frame_of(t)
        time.sleep(1.5)  # three frames, if it went on
        while t.take(0):
            pass
        findings.equal("the frame after a pause", frame_of(t), number)
        go(t, "]", number + 1)
        findings.true("a step ended the pause", "[PAUSED]" in t.text())
        for keys, speed in ("+", "4"), ("--", "1"), ("+", "2"), ("-----", "0.125"), \
                ("+" * 20, "512"), ("-" * 12, "0.125"):
            t.press(keys)
            t.wait(f"speed {speed}", lambda: f"  x{speed}  " in t.text())
        t.press("?")
        t.shows("list the keys")
        t.press(" ")  # the next page, if there was one
        t.press("q")
        t.shows("frame ")
        findings.true("Space in the help ended the pause", "[PAUSED]" in t.text())
        t.press("+" * 20 + " ")
        t.shows("[END]")
        findings.equal("the last frame", frame_of(t), FRAMES)
        t.press("q")
        findings.equal("the status", t.end(), 0)
    findings.done()


def took(speed: str) -> float:
    start = time.monotonic()
    with replay(SIZES[0], "--speed", speed) as t:
        t.wait("the end", lambda: "[END]" in t.text())
    return time.monotonic() - start


@test()
def replay_speed(context: Context) -> None:
    """20 s take a second and what a busy machine adds, at forty times half of it."""
    findings = Findings()
    mono = [f["mono_ns"] for f in seen_frames().values()]
    length = (mono[-1] - mono[0]) / 1e9
    for speed in "20", "5":
        seconds = took(speed)
        least = length / float(speed)
        findings.true(f"{length} s at x{speed} took {seconds} s",
                      least <= seconds <= 2 * least + 5)
    findings.done()


def leaves(findings: Findings, what: str, end: Callable[[Terminal], object]) -> None:
    with replay(SIZES[0], kind="xterm") as t:
        t.wait("a frame", lambda: b"frame 1/" in t.raw)
        findings.true(f"{what}: the terminal is not taken", termios.tcgetattr(t.slave) != t.before)
        end(t)
        findings.equal(f"{what}: status", t.end(), 0)
        findings.equal(f"{what}: settings", termios.tcgetattr(t.slave), t.before)
        findings.true(f"{what}: it ends with {t.raw[-60:]!r}",
                      t.raw.rfind(b"\x1b[?1049l") > t.raw.rfind(b"\x1b[?1049h") >= 0
                      and t.raw.rfind(b"\x1b[?25h") > t.raw.rfind(b"\x1b[?25l"))


@test()
def replay_gives_the_terminal_back(context: Context) -> None:
    findings = Findings()
    leaves(findings, "q", lambda t: t.press("q"))
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE,
                signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
        leaves(findings, sig.name, lambda t: os.kill(t.program.pid, sig))
    findings.done()


@test()
def replay_into_a_closed_pipe(context: Context) -> None:
    """Whoever reads it may have enough at any byte: it ends, and says nothing."""
    findings = Findings()
    for words in (("--json",), ("-b",), ("events", "--json"), ("events",)):
        for taken in 0, 1, 3000, 30000:
            command = f"'{native.top()}' replay '{native.RECORDING}' {' '.join(words)}"
            done = subprocess.run(
                ["bash", "-c", f'{command} | head -c {taken} >/dev/null; exit "${{PIPESTATUS[0]}}"'],
                stdin=subprocess.DEVNULL, capture_output=True, text=True)
            findings.equal(f"status and words of {words}, of which {taken} bytes were read",
                           (done.returncode, done.stderr), (0, ""))
    findings.done()


EVIL = b"\x1b[2Jxxxxxx"  # clears the screen; as long as the name that it replaces


def evil_recording() -> bytes:
    """A client's name has an escape sequence wherever it stands: no recorder writes that."""
    parts = recfile.blocks(native.RECORDING.read_bytes())
    return recfile.join([b.having(b.content().replace(b"sensor-hub", EVIL)) for b in parts])


@test()
def replay_lets_no_escape_through(context: Context) -> None:
    """What has it is skipped, and that is said: once, when the terminal is free."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    evil = context.dir / "evil.rec"
    evil.write_bytes(evil_recording())
    said = f"optee-top: '{evil}' has a block that cannot be read: it is skipped"
    frames_left = None
    for words in ("-b",), ("--json",), ("events",), ("events", "--json"):
        done = native.run("replay", evil, *words)
        findings.equal(f"{words}: status and words", (done.status, done.err), (0, said + "\n"))
        findings.true(f"{words}: an escape", b"\x1b" not in done.out and b"xxxxxx" not in done.out)
        if words == ("--json",):
            frames_left = len(frames.parse(done.out))
    findings.true(f"{frames_left} of {FRAMES} frames are left",
                  frames_left is not None and 2 < frames_left < FRAMES - 5)
    with replay(SIZES[0], "--speed", "1000", rec=evil) as t:
        t.shows("[END]")
        findings.equal("its last frame", frame_of(t), FRAMES)
        findings.true("it spoke amid the view", said.encode() not in t.raw)
        t.press("q")
        findings.equal("the view's status", t.end(), 0)
        findings.true("the terminal was told", EVIL not in t.raw and b"xxxxxx" not in t.raw)
        findings.equal("times that it was said", t.raw.count(b"has a block"), 1)
    findings.done()
