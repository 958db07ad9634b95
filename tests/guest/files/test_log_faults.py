# SPDX-License-Identifier: GPL-2.0-only
"""A log on disks that are full, read-only, broken or gone: real ones, in a guest.

The log is written by log-made, which stands for a daemon: `log_start`, `log_do` and
`log_end` are all that knows of it."""

import gzip
import re
import subprocess
from pathlib import Path

from ..lib import logfiles, vm
from ..lib.registry import Context, Findings, test

IMAGE_MB = 8

WRITER = r"""
log_start() { # DIR [ARG...]
	mkfifo /tmp/to /tmp/from
	log-made "$@" </tmp/to >/tmp/from 2>/tmp/said &
	LOG=$!
	exec 8>/tmp/to 9</tmp/from
}
log_do() { # COMMAND: its last answer is in $STATS
	echo "$*" >&8
	read -r STATS <&9 || die "the logger has ended: $(cat /tmp/said)"
	echo "$*: $STATS"
}
log_end() {
	exec 8>&-
	wait $LOG || die "the logger ended with status $?: $(cat /tmp/said)"
	exec 9<&-
	rm /tmp/to /tmp/from
	cat /tmp/said
}
stat_of() { # NAME
	set -- $1 $STATS
	while [ "$2" != "$1" ]; do name=$1; shift; shift; set -- $name "$@"; done
	echo $3
}
is() { [ "$1" $2 "$3" ] || die "$4: not $1 $2 $3; $STATS; $(cat /tmp/said)"; }
said() { # HOW_MANY_LINES TEXT: of the last one
	[ "$(wc -l </tmp/said)" = $1 ] || die "not $1 lines said: $(cat /tmp/said)"
	tail -1 /tmp/said | grep -q "$2" || die "not '$2' said at last: $(cat /tmp/said)"
}
disk() { # a file system of its own on a loop device
	mkdir -p /tmp/back /tmp/disk
	mount -t tmpfs -o size=9m none /tmp/back || die "no tmpfs"
	gunzip -c /disk.gz >/tmp/back/img || die "no image"
	modprobe loop && modprobe ext4 || die "no modules"
	DEV=$(losetup -f) && losetup $DEV /tmp/back/img || die "no loop device"
	mount -t ext4 $DEV /tmp/disk || die "no ext4: $(dmesg | tail -3)"
}
"""

FULL = WRITER + r"""
mkdir /tmp/full
mount -t tmpfs -o size=1m none /tmp/full || die "no tmpfs"
log_start /tmp/full/log 8000000 1 jsonl,csv
log_do take 20
is "$(stat_of lost)" -eq 0 "lost at first"
dd if=/dev/zero of=/tmp/full/filler bs=4k 2>/dev/null
log_do take 300
LOST=$(stat_of lost) LINES=$(stat_of lines)
is "$LOST" -gt 500 "lost on a full disk"
log_do take 100
is "$(stat_of lost)" -gt "$LOST" "lost later"
is "$(grep -c 'No space left' /tmp/said)" -eq 2 "said once by each format"
is "$(wc -l </tmp/said)" -eq 2 "and nothing else"
for f in /tmp/full/log/*; do
	[ -z "$(tail -c 1 $f)" ] || die "$f has a torn end"
done
rm /tmp/full/filler
log_do take 5
LOST=$(stat_of lost)
log_do take 100
is "$(stat_of lost)" -eq "$LOST" "lost when there is room again"
is "$(grep -c 'logging to' /tmp/said)" -eq 2 "said once by each format"
is "$(wc -l </tmp/said)" -eq 4 "and nothing else"
log_end
tar c -C /tmp/full -f /tmp/log.tar log
"""


def check_log(context: Context, guest: vm.Run, findings: Findings,
              begins_with_gap: bool = False) -> list[logfiles.Line]:
    """What came back: every line whole, every number there or in a gap."""
    into = context.dir / "back"
    subprocess.run(["rm", "-rf", into], check=True)
    into.mkdir()
    subprocess.run(["tar", "x", "-C", into, "-f", guest.files["log.tar"]], check=True)
    log = into / "log"
    found = logfiles.lines(log)
    done = logfiles.export(log, "--format", "jsonl", status=None)
    findings.equal("what the reader gives", done.out.splitlines(keepends=True),
                   logfiles.text_lines(log))
    logfiles.check_numbers(findings, found, begins_with_gap)
    return found


def stats(guest: vm.Run) -> dict[str, int]:
    """Of the last command."""
    words = re.findall(r": (lines .*)", guest.out.decode())[-1].split()
    return {k: int(v) for k, v in zip(words[::2], words[1::2])}


@test()
def log_full(context: Context) -> None:
    """ENOSPC, and room again: nothing torn, everything lost is counted where it was lost."""
    guest = vm.run(context, FULL, gets=("log.tar",), seconds=300)
    findings = Findings()
    found = check_log(context, guest, findings)
    gaps = [x for x in found if x["type"] == "gap"]
    rows = logfiles.rows(context.dir / "back/log", "gaps")
    lost = sum(g["lines"] for g in gaps), sum(int(r["lines"]) for r in rows)
    findings.equal(f"lost by the gaps of JSON and CSV, {lost}, together", sum(lost),
                   stats(guest)["lost"])
    findings.equal("why", {g["error"] for g in gaps} | {r["error"] for r in rows},
                   {"No space left on device"})
    findings.done()


BROKEN = WRITER + r"""
disk
log_start /tmp/disk/log 4000000 1
log_do take 50
is "$(stat_of lost)" -eq 0 "lost at first"
# Every block of the disk is gone.
: >/tmp/back/img
losetup -c $DEV || die "no capacity"
log_do take 50
is "$(stat_of lost)" -gt 100 "lost on a broken disk"
is "$(stat_of errors)" -gt 0 "errors"
dmesg | grep -q 'beyond end of device' || die "the disk did not fail: $(dmesg | tail -5)"
is "$(wc -l </tmp/said)" -eq 1 "said once"
grep -q 'Input/output error' /tmp/said || die "not EIO: $(cat /tmp/said)"
log_do take 100
is "$(wc -l </tmp/said)" -eq 1 "said once"
# Another disk in its place.
umount -l /tmp/disk
mkdir /tmp/back2
mount -t tmpfs none /tmp/back2
gunzip -c /disk.gz >/tmp/back2/img
DEV=$(losetup -f) && losetup $DEV /tmp/back2/img || die "no second loop device"
mount -t ext4 $DEV /tmp/disk || die "no second disk"
log_do take 5
LOST=$(stat_of lost)
log_do take 50
is "$(stat_of lost)" -eq "$LOST" "lost on the new disk"
tail -1 /tmp/said | grep -q 'logging to' || die "not said: $(cat /tmp/said)"
log_end
tar c -C /tmp/disk -f /tmp/log.tar log
"""

READ_ONLY = WRITER + r"""
disk
log_start /tmp/disk/log 4000000 1
log_do take 50
echo 1 >/proc/sys/kernel/sysrq
echo u >/proc/sysrq-trigger
ro() { grep -q ' /tmp/disk ext4 ro' /proc/mounts; }
wait_for 60 ro
log_do take 50
is "$(stat_of lost)" -gt 100 "lost on a read-only disk"
said 1 'Read-only file system'
# It can neither be rotated nor reopened there.
log_do reopen
log_do take 50
said 1 'Read-only file system'
mount -o remount,rw /tmp/disk || die "no way back"
log_do take 5
LOST=$(stat_of lost)
log_do take 50
is "$(stat_of lost)" -eq "$LOST" "lost when it can be written again"
said 2 'logging to'
# The directory is deleted, and made again by another; and then nobody may make it.
rm -r /tmp/disk/log
log_do take 5
said 3 'a new log starts'
log_do take 5
rm -r /tmp/disk/log
: >/tmp/disk/log
log_do take 20
said 4 'Not a directory'
rm /tmp/disk/log
mkdir -m 700 /tmp/disk/log
log_do take 20
said 5 'logging to'
is "$(stat -c %a /tmp/disk/log/optee-top.jsonl)" = 640 "the mode"
log_end
tar c -C /tmp/disk -f /tmp/log.tar log
"""


def image(context: Context) -> Path:
    """A small ext4, packed."""
    context.dir.mkdir(parents=True, exist_ok=True)
    raw, packed = context.dir / "disk", context.dir / "disk.gz"
    raw.unlink(missing_ok=True)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", raw,
                    f"{IMAGE_MB}M"], stdin=subprocess.DEVNULL, check=True)
    packed.write_bytes(gzip.compress(raw.read_bytes()))
    return packed


def on_disk(context: Context, script: str) -> tuple[vm.Run, list[logfiles.Line], Findings]:
    guest = vm.run(context, script, "--put", f"{image(context)}:/disk.gz", gets=("log.tar",),
                   seconds=300)
    findings = Findings()
    # A log in a new place: what was lost comes before its first line.
    return guest, check_log(context, guest, findings, True), findings


@test()
def log_broken_disk(context: Context) -> None:
    """EIO of a block device that has lost its blocks, then another one."""
    guest, found, findings = on_disk(context, BROKEN)
    gaps = [x for x in found if x["type"] == "gap"]
    findings.equal("gaps on the new disk", len(gaps), 1)
    findings.equal("lost by the gaps", sum(g["lines"] for g in gaps), stats(guest)["lost"])
    findings.equal("sessions on the new disk that were there before",
                   len({x["session"] for x in found if x["type"] == "session"}), 20)
    findings.done()


@test()
def log_read_only(context: Context) -> None:
    """EROFS, a directory that goes and comes, a file in its place."""
    _, found, findings = on_disk(context, READ_ONLY)
    findings.true("the last log has no gap", any(x["type"] == "gap" for x in found))
    findings.done()
