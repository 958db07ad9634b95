# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong is said in one line, with the exit status of its kind."""

import re
import struct
from pathlib import Path

from ..lib import frames
from ..lib.cases import FAILURE, KERNEL, PRIVILEGE, USAGE, Case, Result, check_case, run_cases
from ..lib.registry import Context, Findings, test

USAGE_CASES = (
    Case("option", "optee-top --no-such-option", USAGE, r"no option '--no-such-option'"),
    Case("letter", "optee-top -Q", USAGE, r"no option '-Q'"),
    Case("letter_between", "optee-top -bQj", USAGE, r"no option '-Q'"),
    Case("value_too_much", "optee-top --batch=3", USAGE, r"'--batch' takes no value"),
    Case("field", "optee-top -b -n 1 -o no_such_field", USAGE, r"no_such_field"),
    Case("command", "optee-top nosuchcommand", USAGE, r"no command 'nosuchcommand'"),
    Case("surplus", "optee-top doctor surplus", USAGE, r"surplus"),
    Case("of_daemon", "optee-top doctor --listen 9", USAGE, r"'--listen' is an option of 'daemon'"),
    Case("no_value", "optee-top -n", USAGE, r"'-n' needs a value"),
    Case("frames_0", "optee-top -n 0", USAGE, r"'-n 0'"),
    Case("frames_x", "optee-top -n 3x", USAGE, r"'-n 3x'"),
    Case("frames_half", "optee-top -n 1.5", USAGE, r"'-n 1.5'"),
    Case("delay_0", "optee-top -d 0", USAGE, r"'-d 0'"),
    Case("delay_nan", "optee-top -d nan", USAGE, r"'-d nan'"),
    Case("delay_inf", "optee-top -d inf", USAGE, r"'-d inf'"),
    Case("help_on", "optee-top help nothing", USAGE, r"no help on 'nothing'"),
    Case("help", "optee-top --help", 0, r"^$"),
    Case("version", "optee-top --version", 0, r"^$"),
    Case("fields", "optee-top help fields", 0, r"^$"),
)

BTF_CASES = (
    Case("btf_text", "optee-top --btf /etc/passwd -b -n 1", FAILURE, r"'--btf /etc/passwd'"),
    Case("btf_empty", "optee-top --btf /tmp/empty -b -n 1", FAILURE, r"'--btf /tmp/empty'"),
    Case("btf_missing", "optee-top --btf /tmp/no/such -b -n 1", FAILURE,
         r"'--btf /tmp/no/such'.*No such file"),
    Case("btf_dir", "optee-top --btf /tmp -b -n 1", FAILURE, r"'--btf /tmp'"),
    Case("btf_torn", "optee-top --btf /tmp/torn -b -n 1", FAILURE, r"'--btf /tmp/torn'"),
    Case("btf_other", "optee-top --btf /tmp/other -b -n 1", KERNEL, r"'--btf /tmp/other'"),
    Case("btf_none", "optee-top --btf '' -b -n 1", FAILURE, r"'--btf '"),
)

PRIVILEGE_CASES = (
    Case("nobody_top", "su nobody -s /bin/sh -c 'optee-top -b -n 1'", PRIVILEGE, r"root|CAP_"),
    Case("nobody_json", "su nobody -s /bin/sh -c 'optee-top --json -n 1'", PRIVILEGE, r"root|CAP_"),
    Case("nobody_kprobes", "su nobody -s /bin/sh -c 'optee-top -b -n 1 --kprobes'", PRIVILEGE,
         r"root|CAP_"),
    Case("nobody_doctor", "su nobody -s /bin/sh -c 'optee-top doctor >/dev/null'", PRIVILEGE,
         r"root|CAP_"),
)

# What the kernel itself forbids; a lockdown only ever becomes stricter. The last of all cases.
LOCKDOWN = "/sys/kernel/security/lockdown"
LOCKDOWN_CASES = (
    Case("integrity", f"sh -c 'echo integrity >{LOCKDOWN}; exec optee-top -b -n 1 -d 0.5'", 0, r"^$"),
    Case("lockdown", f"sh -c 'echo confidentiality >{LOCKDOWN}; exec optee-top -b -n 1'", KERNEL,
         r"locked down \(confidentiality\).*; boot it with lockdown=integrity"),
    Case("lockdown_kprobes", "optee-top -b -n 1 --kprobes", KERNEL,
         r"locked down \(confidentiality\).*; boot it with lockdown=integrity"),
    Case("lockdown_doctor", "sh -c 'optee-top doctor >/tmp/doctor.txt; S=$?; "
         "grep -q \"^kernel lockdown  *confidentiality\" /tmp/doctor.txt || exit 99; exit $S'", KERNEL,
         r"locked down \(confidentiality\)"),
)

BTF_BEFORE = r"""
mount -t securityfs none /sys/kernel/security
: >/tmp/empty
head -c 100000 /sys/kernel/btf/vmlinux >/tmp/torn
"""


def other_btf(path: Path) -> None:
    """BTF of a kernel that has no TEE: one type, an int."""
    name = b"\0int\0"
    types = struct.pack("<IIII", 1, 1 << 24, 4, 1 << 24 | 32)
    path.write_bytes(struct.pack("<HBBIIIII", 0xeb9f, 1, 0, 24, 0, len(types), len(types),
                                 len(name)) + types + name)

# What the optee driver is looked for in, and what it takes to attach.
AROUND_CASES = (
    Case("no_sysfs", "unshare -m sh -c 'umount -l /sys && exec optee-top --json -n 1'", FAILURE,
         r"/sys is not mounted"),
    Case("files_soft", "sh -c 'ulimit -S -n 40; exec optee-top --json -n 1'", 0, r"^$"),
    Case("files_hard", "sh -c 'ulimit -n 40; exec optee-top --json -n 1'", FAILURE,
         r"limit of open files is 40, and 64 are needed"),
)


@test()
def errors(context: Context) -> None:
    context.dir.mkdir(parents=True, exist_ok=True)
    other_btf(context.dir / "other")
    cases = (*USAGE_CASES, *BTF_CASES, *PRIVILEGE_CASES, *AROUND_CASES, *LOCKDOWN_CASES)
    found = run_cases(context, cases, BTF_BEFORE, "--put", f"{context.dir / 'other'}:/tmp/other")
    findings = Findings()
    for case in cases:
        check_case(findings, case, found[case.name])
    findings.done()


OUTPUT_CASES = (
    Case("full", "sh -c 'optee-top -b -d 0.2 -n 20 >/dev/full'", FAILURE,
         r"standard output: No space left"),
    Case("full_json", "sh -c 'optee-top --json -d 0.2 -n 20 >/dev/full'", FAILURE,
         r"standard output: No space left"),
    Case("closed", "sh -c 'optee-top -b -d 0.2 -n 20 >&-'", FAILURE, r"standard output"),
    Case("help_full", "sh -c 'optee-top --help >/dev/full'", FAILURE, r"standard output"),
    Case("head", "sh -c '{ optee-top -b -d 0.2; echo $? >&2; } | head -1 >/dev/null'", 0, r"^0\n$"),
    Case("n_1", "optee-top -b -n 1 -d 0.5", 0, r"^$"),
    Case("term", "sh -c 'optee-top --json -d 0.2 & P=$!; "
         "while [ ! -s /tmp/term.out ]; do usleep 20000; done; kill -TERM $P; wait $P'", 0, r"^$"),
    # A shell starts background jobs with SIGINT ignored: ask for it back.
    Case("int", "sh -c 'optee-top --json -d 0.2 & P=$!; "
         "while [ ! -s /tmp/int.out ]; do usleep 20000; done; kill -INT $P; wait $P'", 0, r"^$"),
)


def check_output(findings: Findings, found: dict[str, Result]) -> None:
    for case in OUTPUT_CASES:
        check_case(findings, case, found[case.name])
    for name in ("term", "int"):
        frames.parse(found[name].out)
    text = found["n_1"].out.decode()
    findings.true(f"-n 1 printed {text!r}, which is not one frame of a whole interval",
                  re.match(r"optee-top \S+Z interval=0\.5\d\ds\npool ", text) is not None
                  and text.count("optee-top ") == 1 and "\nlost " in text)


@test()
def output(context: Context) -> None:
    """Standard output closed, full, a pipe that ends; signals; one frame."""
    # The pool is known once somebody has the device open.
    found = run_cases(context, OUTPUT_CASES, "exec 9<>/dev/tee0\n")
    findings = Findings()
    check_output(findings, found)
    findings.done()


# Where DKMS puts it, and where depmod lists it.
ELSEWHERE = r"""
M=/lib/modules/$(uname -r)
mv /lib/hidden /lib/modules
mkdir -p $M/updates/dkms
mv $M/kernel/drivers/tee/optee/optee.ko* $M/updates/dkms/
sed -i s,kernel/drivers/tee/optee/,updates/dkms/, $M/modules.dep
optee-top -b -n 1 -d 0.5 &
P=$!
until grep -q "waiting for it" /tmp/elsewhere.err; do kill -0 $P || exit 99; usleep 20000; done
modprobe optee || exit 98
wait $P
"""

WAITING = r"""
optee-top daemon --listen 9470 &
P=$!
until wget -q -O - http://127.0.0.1:9470/metrics | grep -q "^optee_up 0"; do
	kill -0 $P || exit 99
	usleep 100000
done
kill -TERM $P
wait $P
"""


@test()
def no_driver(context: Context) -> None:
    """Nowhere to be loaded from: the views refuse, the daemon waits; then in a directory that is
    not the kernel's own, and the views wait for it."""
    cases = (Case("top", "optee-top -b -n 1", KERNEL, r"no OP-TEE driver"),
             Case("json", "optee-top --json -n 1 --kprobes", KERNEL, r"no OP-TEE driver"),
             Case("daemon", f"sh -c '{WAITING}'", 0, r"no OP-TEE driver.*; waiting for it"),
             Case("elsewhere", f"sh -c '{ELSEWHERE}'", 0, r"^optee-top: the optee driver is not "
                  r"loaded: waiting for it\n$"))
    found = run_cases(context, cases, "mv /lib/modules /lib/hidden\n", "--no-tee")
    findings = Findings()
    for case in cases:
        check_case(findings, case, found[case.name])
    findings.true("no frame once the driver was loaded from elsewhere",
                  b"\npool " in found["elsewhere"].out)
    findings.done()
