# SPDX-License-Identifier: GPL-2.0-only
"""The unit file under a real systemd: the probes attach in its sandbox, and it is one."""

from ..lib import account, frames, unit, vm
from ..lib.registry import Context, Findings, test

ATTACH = r"""
seen() { [ "$(wc -l </run/unit.out)" -ge "$1" ]; }
frames_on() { n=$(wc -l </run/unit.out); wait_for 60 seen $((n + $1)); }

attach() { # NAME [OPTION...]
	name=$1; shift
	in_sandbox "/usr/sbin/optee-top --json -d 0.5 $*"
	start
	wait_for 60 seen 1
	optee-load -o /tmp/load.$name "name=$name ta=invoke_tests repeat=50 nop gap=5" ||
		die "optee-load failed"
	frames_on 2
	# A process of systemd's, not of root's: it has these capabilities and no more.
	grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/"$(shows MainPID)"/status \
		>/tmp/status.$name
	shows MemoryPeak >/tmp/memory.$name
	systemctl stop $unit || die "stop failed"
	is Result success || die "the result is $(shows Result)"
	cp /run/unit.out /tmp/top.$name
}
attach fentry
attach kprobes --kprobes

# Without the one capability that reads the driver's BTF it has to fail, and say so.
in_sandbox AmbientCapabilities= 'AmbientCapabilities=CAP_BPF CAP_PERFMON' \
	"/usr/sbin/optee-top --json -n 1"
systemctl start $unit
ended() { is ActiveState failed; }
wait_for 30 ended
shows ExecMainStatus >/tmp/status.less
journalctl -u $unit -o cat --no-pager | grep '^optee-top: ' | tail -1 >/tmp/said.less
systemctl reset-failed
systemd-analyze security --no-pager $unit >/tmp/security
id -u optee-top >/tmp/uid
"""
CAPABILITIES = 1 << 21 | 1 << 38 | 1 << 39  # SYS_ADMIN, PERFMON, BPF
PRIVILEGE = 4
MEMORY_LIMIT = 40 << 20


def status(text: bytes) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in text.decode().splitlines())


def check_attached(findings: Findings, guest: vm.Run, name: str) -> None:
    seen = frames.load(guest.files[f"top.{name}"])
    frames.check_sane(findings, seen)
    findings.equal(f"{name}: pools in the first frame", [p["tee"] for p in seen[0]["pools"]], [0])
    truth = account.load(guest.files[f"load.{name}"])
    rows = [s["calls"] for s in frames.final_sessions(seen) if s["client"] == name]
    findings.equal(f"{name}: calls of the session", rows, [len(truth.calls)])
    have = status(guest.read(f"status.{name}"))
    findings.equal(f"{name}: its user", set(have["Uid"].split()),
                   {guest.read("uid").decode().strip()})
    for key, want in (("CapEff", CAPABILITIES), ("CapBnd", CAPABILITIES)):
        findings.equal(f"{name}: {key}", int(have[key], 16), want)
    for key, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")):
        findings.equal(f"{name}: {key}", have[key], wanted)
    memory = int(guest.read(f"memory.{name}"))
    findings.true(f"{name}: its memory was {memory} bytes at most", memory < MEMORY_LIMIT)
    print(f"    {name}: at most {memory / 1e6:.1f} MB with all that the kernel took for it")


@test()
def unit_attaches(context: Context) -> None:
    """As the unit's user, with three capabilities, fentry and kprobes; not with two."""
    findings = Findings()
    names = [f"{what}.{name}" for name in ("fentry", "kprobes")
             for what in ("top", "load", "status", "memory")]
    guest = unit.run(context, ATTACH, gets=[*names, "status.less", "said.less", "security", "uid"])
    for name in ("fentry", "kprobes"):
        check_attached(findings, guest, name)
    findings.equal("the status without CAP_SYS_ADMIN", int(guest.read("status.less")), PRIVILEGE)
    said = guest.read("said.less").decode()
    findings.true(f"what it says without it is {said!r}", "CAP_SYS_ADMIN" in said)
    here = unit.figure_here(context.dir / "tree" / unit.UNIT)
    there = unit.figure(guest.read("security").decode())
    print(f"    systemd-analyze security: {here} here, {there} in the guest")
    for where, figure in (("here", here), ("in the guest", there)):
        findings.true(f"its exposure is {figure} {where}", figure < unit.LIMIT)
    findings.done()


# What is tried in the sandbox, and whether it is to succeed.
TRIES = (
    ("write /etc", "echo >/etc/tried", False),
    ("write /usr", "echo >/usr/tried", False),
    ("write its logs", "echo >/var/log/optee-top/tried", True),
    ("write its runtime directory", "echo >/run/optee-top/tried", True),
    ("write elsewhere in /run", "echo >/run/tried", False),
    ("see /root", "ls /root/seen", False),
    ("see /tmp", "ls /tmp/seen", False),
    ("open the TEE", ": </dev/tee0", False),
    ("write a sysctl", "echo 1 >/proc/sys/kernel/panic", False),
    ("write tracefs", "echo 0 >/sys/kernel/tracing/tracing_on", False),
    ("read comm of others", "cat /proc/1/comm", True),
    ("read BTF", "cat /sys/kernel/btf/vmlinux", True),
    ("read the log of Linux", "dmesg", False),
    ("set the clock", "[ -z \"$(date -s @$(date +%s) 2>&1 >/dev/null)\" ]", False),
    ("mount", "mount -t tmpfs none /mnt", False),
    ("load a module", "modprobe virtio_net", False),
    ("make a user namespace", "unshare -U true", False),
    ("chroot", "chroot / true", False),
    ("open an IPv6 socket", "nc -w 2 ::1 4002", False),
    ("connect to this machine", "nc -w 5 127.0.0.1 4002 </dev/null | grep -q there", True),
    ("connect to another", "nc -w 5 10.0.2.15 4002 </dev/null | grep -q there", False),
)

TRY = r"""
: >/root/seen
: >/tmp/seen
# The tries need what they try: the files are world-writable, the mode is not what denies.
chmod 777 /etc /usr /run /root /mnt
chmod 666 /dev/tee0 /proc/sys/kernel/panic 2>/dev/null
nc -ll -p 4002 -e echo there &
in_sandbox "/bin/sh -c '. /usr/lib/tries; exec sleep 1000'"
start
ended() { grep -q '^end$' /run/unit.out; }
wait_for 60 ended
cp /run/unit.out /tmp/tries.in
# As root and outside each of them works: what denies is the sandbox.
sh /usr/lib/tries >/tmp/tries.out 2>/dev/null
systemctl stop $unit
kill %1 2>/dev/null
exit 0
"""


def tries_script() -> str:
    lines = [f"({command}) >/dev/null 2>&1 && echo '{name}: yes' || echo '{name}: no'"
             for name, command, _ in TRIES]
    return "\n".join([*lines, "echo end", ""])


def answers(text: bytes) -> dict[str, bool]:
    return {name: answer == "yes" for name, colon, answer in
            (line.partition(": ") for line in text.decode().splitlines()) if colon}


@test()
def unit_denies(context: Context) -> None:
    """What the sandbox is to deny is denied in it, and works outside of it."""
    context.dir.mkdir(parents=True)
    (context.dir / "tries").write_text(tries_script())
    guest = unit.run(context, TRY, "--forward", "4001", "--put",
                     f"{context.dir / 'tries'}:/usr/lib/tries", gets=("tries.in", "tries.out"))
    findings = Findings()
    inside, outside = (answers(guest.read(f"tries.{w}")) for w in ("in", "out"))
    for name, _, allowed in TRIES:
        findings.equal(f"{name}: in the sandbox", inside.get(name), allowed)
        findings.equal(f"{name}: outside", outside.get(name), True)
    findings.done()
