# SPDX-License-Identifier: GPL-2.0-only
"""`optee-top policy`: a policy is built on the host and lives in the guest; what show says is
what the driver and the clients say; and everything that can be wrong is said in its one line."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from ..lib import account, kclient, kmod, native, policy, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from ..lib.cases import FAILURE, KERNEL, PRIVILEGE, RUN, USAGE, Result, results

FAULTS = vm.ROOT / "tests/programs/policy/faults"
CONTRACT = (vm.ROOT / "include/optee_admission.h").read_text()
ALL = ", ".join(sorted(policy.NAMES))
OTHER = "it was built with another optee_admission.h than this driver: build it with the driver's"
HOLD_MS = 20  # of a call in OP-TEE


class Said(NamedTuple):
    """A status, and the one line on standard error, whole."""

    status: int
    says: str


def words(source: Path) -> tuple[str, str]:
    """The sentence of a policy, and when to use it, from the comment that it begins with."""
    comment = re.search(r"/\*(.*?)\*/", source.read_text(), re.S)
    assert comment
    text = [line.strip(" *") for line in comment[1].splitlines()]
    whole = "\n".join(text)
    rule = re.search(rf"^{source.stem}: (.*?)\n\n", whole, re.M | re.S)
    use = re.search(r"^Use it: (.*?)\s*\Z", whole, re.M | re.S)
    assert rule and use, source
    return " ".join(rule[1].split()), " ".join(use[1].split())


def check_list(findings: Findings, listed: str) -> None:
    have = [" ".join(part.split()) for part in listed.split("\n\n")]
    want = [f"{name} {rule} Use it: {use}" for name in sorted(policy.NAMES)
            for rule, use in [words(policy.SOURCES / f"{name}.c")]]
    findings.equal("the list", have, want)


HEAD = '#include "policy.h"\nADMIT { return ENTER; }\n'
BUILDS: Mapping[str, tuple[str, str]] = {
    "nothing": ('#include "policy.h"\n',
                "it has no table of callbacks; a policy ends with POLICY(...)"),
    "nameless": (HEAD + "POLICY(CALLBACK(admit));\n",
                 'its table has no name; add .name = "..." to it'),
    "blank": (HEAD + 'POLICY(CALLBACK(admit), .name = "my own");\n',
              "its name is not one word of at most 15 plain letters"),
    "slow": (HEAD + 'POLICY(CALLBACK(admit), .name = "slow", .timeout_ms = 30001);\n',
             "its timeout_ms is more than 30000"),
    "twice": (HEAD + 'POLICY(CALLBACK(admit), .name = "twice");\n'
              'POLICY_SECTION(".struct_ops.link") struct optee_admission_ops more;\n',
              "it has more than one table; a policy has one"),
    "other": ('#include "policy.h"\nstruct other { int x; };\n'
              'POLICY_SECTION(".struct_ops.link") struct other table = { 1 };\n',
              "its table is no struct optee_admission_ops"),
}


def check_builds(findings: Findings, context: Context) -> None:
    for name, (text, says) in BUILDS.items():
        source = context.dir / f"{name}.c"
        source.write_text(text)
        done = native.run("policy", "build", source, "--output", context.dir / "refused.o")
        findings.equal(name, done, native.Done(FAILURE, b"", f"optee-top: cannot build '{source}': "
                                                             f"{says}\n"))
    bad = context.dir / "bad.c"
    bad.write_text("int x\n")
    done = native.run("policy", "build", bad, "--output", context.dir / "refused.o")
    findings.true(f"clang says {done}", done.status == 1 and "bad.c:1:" in done.err
                  and "optee-top" not in done.err)
    findings.equal("what is left of those", sorted(context.dir.glob("refused*")), [])


def check_usage(findings: Findings, context: Context) -> None:
    template = policy.SOURCES / "template.c"
    here = context.dir
    for args, status, says in (
            ((), USAGE, "'policy' needs a command; see 'optee-top --help'"),
            (("bild",), USAGE, "no command 'policy bild'; see 'optee-top --help'"),
            (("attach",), USAGE, "'policy attach' needs NAME|FILE; see 'optee-top --help'"),
            (("list", "x"), USAGE, "unexpected argument 'x' for 'policy list'; see 'optee-top --help'"),
            (("swap", "a", "b"), USAGE,
             "unexpected argument 'b' for 'policy swap'; see 'optee-top --help'"),
            (("attach", "none", "--timeout-ms", "30001"), USAGE,
             "cannot use '--timeout-ms 30001': not a whole number from 1 to 30000"),
            (("build", "x.o"), USAGE, "cannot build 'x.o': its name does not end in .c"),
            (("build", "/no/x.c"), FAILURE, "cannot build '/no/x.c': No such file or directory"),
            (("build", template, "--include", "/no"), FAILURE,
             f"cannot build '{template}': there is no policy.h in '/no'"),
            (("build", template, "--output", "/no/x.o"), FAILURE, ""),
            (("attach", "best"), USAGE,
             f"cannot attach 'best': no such policy; there are {ALL}, and files, which have a / "
             "in their name or end in .o")):
        done = native.run("policy", *args)
        findings.equal(f"{args}: the status", done.status, status)
        if says:
            findings.equal(f"{args}: what it says", done.err, f"optee-top: {says}\n")
    findings.equal("without clang", subprocess.run(
        [native.top(), "policy", "build", template, "--output", here / "x.o"],
        env={"PATH": "/no"}, capture_output=True, text=True).stderr,
        f"optee-top: cannot build '{template}': clang: No such file or directory; "
        "apt install clang, or what your system calls it\n")


@test()
def policy_command_build(context: Context) -> None:
    """Needs no guest: the list, and what can be built, in the tree and installed."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    check_list(findings, native.run("policy", "list").out.decode())
    check_builds(findings, context)
    check_usage(findings, context)
    dest = context.dir / "installed"
    subprocess.run(["make", "-s", "-C", vm.ROOT, "prefix=/usr", f"DESTDIR={dest}", "install"],
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    template = dest / "usr/share/optee-top/policy/template.c"
    done = subprocess.run([dest / "usr/sbin/optee-top", "policy", "build", template],
                          cwd=context.dir, capture_output=True, text=True)
    findings.equal("what an installed one says", (done.returncode, done.stdout, done.stderr),
                   (0, "policy 'mine' built: template.o\n", ""))
    findings.true("there is no template.o", (context.dir / "template.o").exists())
    findings.done()


def changed(context: Context, name: str, old: str, new: str, text: str) -> Sequence[str]:
    """A policy that is built with a contract in which something else stands: /p/NAME.o."""
    include = context.dir / name
    include.mkdir(parents=True)
    if old not in CONTRACT:
        raise AssertionError(f"the contract has no {old!r}")
    (include / "optee_admission.h").write_text(CONTRACT.replace(old, new, 1))
    shutil.copy(policy.SOURCES / "policy.h", include)
    return build(context, text, name, "--include", str(include))


def build(context: Context, source: str | Path, name: str, *options: str) -> Sequence[str]:
    path = source if isinstance(source, Path) else context.dir / f"{name}.c"
    if isinstance(source, str):
        path.write_text('#include "policy.h"\n' + source)
    out = context.dir / f"{name}.o"
    done = native.run("policy", "build", path, "--output", out, *options)
    if done.status:
        raise AssertionError(f"{name} is not built: {done.err}")
    return "--put", f"{out}:/p/{name}.o"


CALLBACK = "	void (*leave)(struct optee_adm_call *c);\n"
FIELD = "	u32 reserved_zero;\n"
ADMIT = "	s32 (*admit)(struct optee_adm_call *c);\n"
MEMBER = CALLBACK + "	void (*tell)(struct optee_adm_call *c);\n"
TELL = "POLICY_CALLBACK(void, tell) { c->priv[0] = 1; }\n"


def objects(context: Context) -> Sequence[str]:
    enter = "ADMIT { return ENTER; }\n"
    cut = context.dir / "cut.o"
    made = [
        *build(context, policy.SOURCES / "template.c", "mine"),
        *(word for name in ("writes-count", "vetoes", "never")
          for word in build(context, FAULTS / f"{name}.c", name)),
        *build(context, "ADMIT { return ((s32 (*)(void))5)() > 0; }\n"
               'POLICY(CALLBACK(admit), .name = "calls");\n', "calls"),
        *build(context, enter + 'POLICY(CALLBACK(admit), .flags = 1 << 9, .name = "flag");\n',
               "flag"),
        *changed(context, "newer", CALLBACK, MEMBER,
                 enter + 'POLICY(CALLBACK(admit), .name = "newer");\n'),
        *changed(context, "member", CALLBACK, MEMBER,
                 enter + TELL + 'POLICY(CALLBACK(admit), CALLBACK(tell), .name = "member");\n'),
        *changed(context, "field", FIELD, FIELD + "	u32 colour;\n",
                 'ADMIT { return c->colour ? WAIT : ENTER; }\n'
                 'POLICY(CALLBACK(admit), .name = "field");\n'),
        *changed(context, "callback", ADMIT, ADMIT.replace(" *c)", " *c, u32 more)"),
                 enter + 'POLICY(CALLBACK(admit), .name = "callback");\n'),
    ]
    cut.write_bytes((context.dir / "mine.o").read_bytes()[:3000])
    (context.dir / "text.o").write_text("a text\n")
    return [*made, "--put", f"{cut}:/p/cut.o", "--put", f"{context.dir / 'text.o'}:/p/text.o"]


def drivers(context: Context) -> Sequence[str]:
    """The stock one, and ours as if it had been built for another kernel: its BTF does not fit."""
    stock = next((vm.ROOT / "build/vm/kernels" / kmod.KERNEL).rglob("optee.ko"))
    misfit, part = context.dir / "misfit.ko", context.dir / "btf"
    subprocess.run(["aarch64-linux-gnu-objcopy", "--dump-section", f".BTF={part}",
                    policy.driver(), context.dir / "whole.ko"], check=True)
    part.write_bytes(part.read_bytes()[:1000])
    subprocess.run(["aarch64-linux-gnu-objcopy", "--update-section", f".BTF={part}",
                    policy.driver(), misfit], check=True)
    return "--put", f"{stock}:/stock.ko", "--put", f"{misfit}:/misfit.ko"


LIFE = r"""
T="optee-top policy"
kclient_load
run attach $T attach bounded
run again $T attach none
run busy $T attach none --foreground
kclient_start <<END
name=S count=2 system-at=1 at=300 wait=%(hold)d repeat=3
END
optee-load -o /tmp/load 'name=N count=4 repeat=8 wait=%(hold)d' || die "optee-load failed"
kclient_wait
run shown $T show
run json $T show --json
run debugfs cat $STATE
run swap $T swap single --timeout-ms 2000
run swapped $T show --json
run swap_cut $T swap /p/cut.o
run swap_veto $T swap /p/vetoes.o
run held $T show --json
run detach $T detach
run detach_none $T detach
run swap_none $T swap single
run left $T show --json
for name in writes-count vetoes calls flag member field callback cut text no; do
	run $name $T attach /p/$name.o
done
run verbose $T attach --verbose /p/writes-count.o
run newer $T attach /p/newer.o
run newer_end $T detach

run ejected $T attach /p/never.o --timeout-ms 300
optee-load -o /dev/null 'name=N wait=1' || die "optee-load failed"
run dead_swap $T swap single
run ejected2 $T attach /p/never.o --timeout-ms 300
optee-load -o /dev/null 'name=N wait=1' || die "optee-load failed"
run dead_replaced $T attach /p/mine.o
run dead_end $T detach
cp /p/never.o /policies
policy_hold never 300
optee-load -o /dev/null 'name=N wait=1' || die "optee-load failed"
wait $POLICY; echo $? >/tmp/foreground.status
cp /tmp/policy.log /tmp/foreground.err
: >/tmp/foreground.out
run foreground_state cat $STATE
for signal in TERM INT; do
	policy_hold single
	run other_swap_$signal $T swap none
	kill -$signal $POLICY
	wait $POLICY || die "SIG$signal: status $?"
	policy_is - || die "it is still attached after SIG$signal"
done

echo 1 >/sys/module/optee/parameters/admission_off
run off $T attach single
echo 0 >/sys/module/optee/parameters/admission_off
chmod 755 /tmp
run nobody_show su nobody -s /bin/sh -c "$T show"
run nobody_attach su nobody -s /bin/sh -c "$T attach single"
run nobody_detach su nobody -s /bin/sh -c "$T detach"
umount /sys/fs/bpf
run no_bpffs $T attach single
mount -t bpf bpf /sys/fs/bpf
umount /sys/kernel/debug
run no_debugfs $T show
mount -t debugfs debugfs /sys/kernel/debug

no_supplicant() { ! pidof tee-supplicant >/dev/null; }
unbind() { echo firmware:optee >/sys/bus/platform/drivers/optee/unbind; }
rmmod kclient
killall tee-supplicant
wait_for 30 no_supplicant
unbind
run no_device $T attach single
wait_for 20 rmmod optee # the kernel frees the map of a policy a bit later
run no_driver $T attach single
run no_driver_show $T show
insmod /misfit.ko || die "cannot load misfit.ko"
run misfit $T attach single
unbind
wait_for 20 rmmod optee
insmod /stock.ko || die "cannot load stock.ko"
run stock $T attach single
run stock_show $T show
run stock_detach $T detach
finish
""" % {"hold": HOLD_MS}

CANNOT = "cannot attach '%s': "
REFUSES = ("; 'optee-top policy swap %s' replaces it, 'optee-top policy detach' detaches it")
SOURCE = "%s: '%s': %s; --verbose shows all that the verifier says"
NONE = "no policy is attached; 'optee-top policy attach' does that"
STOCK = "this OP-TEE driver takes no policies; 'make optee-ko' builds one that does"
SAID: Mapping[str, Said] = {
    "again": Said(FAILURE, CANNOT % "none" + "'bounded' is attached" + REFUSES % "none"),
    "busy": Said(FAILURE, CANNOT % "none" + "'bounded' is attached" + REFUSES % "none"),
    "swap_cut": Said(FAILURE, "cannot swap to '/p/cut.o': it is cut off; build it again"),
    "swap_veto": Said(FAILURE, "cannot swap to '/p/vetoes.o': its own init refuses it: "
                               "Device or resource busy"),
    "detach_none": Said(FAILURE, "cannot detach the policy: " + NONE),
    "swap_none": Said(FAILURE, "cannot swap to 'single': " + NONE),
    "writes-count": Said(FAILURE, CANNOT % "/p/writes-count.o" + SOURCE % (
        "writes-count.c:7", "c->free = 100;",
        "a policy may write to optee_adm_call.retry_ns and what follows, not at 4")),
    "vetoes": Said(FAILURE, CANNOT % "/p/vetoes.o" +
                   "its own init refuses it: Device or resource busy"),
    "calls": Said(FAILURE, CANNOT % "/p/calls.o" + SOURCE % (
        "calls.c:2", "ADMIT { return ((s32 (*)(void))5)() > 0; }",
        "program of this type cannot use helper bpf_ktime_get_ns#5")),
    "flag": Said(FAILURE, CANNOT % "/p/flag.o" + "this driver does not know flag 0x200 of its "
                                                 "table; " + OTHER),
    "member": Said(FAILURE, CANNOT % "/p/member.o" + "this driver's struct optee_admission_ops has "
                                                     "no such 'tell'; " + OTHER),
    "field": Said(FAILURE, CANNOT % "/p/field.o" + "this driver's struct optee_adm_call has no "
                                                   "such 'colour'; " + OTHER),
    "callback": Said(FAILURE, CANNOT % "/p/callback.o" + "this driver calls 'admit' with other "
                                                         "arguments; " + OTHER),
    "cut": Said(FAILURE, CANNOT % "/p/cut.o" + "it is cut off; build it again"),
    "text": Said(FAILURE, CANNOT % "/p/text.o" + "it is not a BPF object; 'optee-top policy build' "
                                                 "makes one of a FILE.c"),
    "no": Said(FAILURE, CANNOT % "/p/no.o" + "No such file or directory"),
    "other_swap_TERM": Said(FAILURE, "cannot swap to 'none': 'single' is attached in the "
                                     "foreground of another process; end that"),
    "other_swap_INT": Said(FAILURE, "cannot swap to 'none': 'single' is attached in the "
                                    "foreground of another process; end that"),
    "off": Said(FAILURE, CANNOT % "single" + "admission policies are switched off; "
                "echo 0 >/sys/module/optee/parameters/admission_off"),
    "nobody_show": Said(PRIVILEGE, "cannot show the policy: /sys/kernel/debug/optee_admission: "
                                   "Permission denied; run as root"),
    "nobody_attach": Said(PRIVILEGE, CANNOT % "single" + "Operation not permitted; run as root, or "
                          "with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN"),
    "nobody_detach": Said(PRIVILEGE, "cannot detach the policy: /sys/kernel/debug/optee_admission: "
                                     "Permission denied; run as root"),
    "no_bpffs": Said(FAILURE, CANNOT % "single" + "there is no BPF file system to keep it in; "
                     "mount -t bpf bpf /sys/fs/bpf, or use --foreground"),
    "no_debugfs": Said(FAILURE, "cannot show the policy: debugfs is not mounted; "
                                "mount -t debugfs debugfs /sys/kernel/debug"),
    "no_device": Said(KERNEL, CANNOT % "single" + "the OP-TEE driver has no device"),
    "no_driver": Said(KERNEL, CANNOT % "single" + "there is no OP-TEE driver; load it"),
    "no_driver_show": Said(KERNEL, "cannot show the policy: there is no OP-TEE driver; load it"),
    "misfit": Said(KERNEL, CANNOT % "single" + "this OP-TEE driver has no BTF: it was built for "
                   "another kernel, or without; build it for this one with 'make optee-ko'"),
    "stock": Said(KERNEL, CANNOT % "single" + STOCK),
    "stock_show": Said(KERNEL, "cannot show the policy: " + STOCK),
    "stock_detach": Said(KERNEL, "cannot detach the policy: " + STOCK),
}
DONE: Mapping[str, str] = {
    "attach": "policy 'bounded' attached",
    "swap": "policy 'single' attached in place of 'bounded'",
    "detach": "policy 'single' detached",
    "newer": "policy 'newer' attached",
    "newer_end": "policy 'newer' detached",
    "ejected": "policy 'never' attached",
    "ejected2": "policy 'never' attached",
    "dead_replaced": "policy 'mine' attached",
    "dead_end": "policy 'mine' detached",
}


def debugfs(text: str) -> Mapping[str, str]:
    pairs = (re.match(r"((?:queue \d+ )?\S+) (.*)", line) for line in text.splitlines())
    return {pair[1]: pair[2] for pair in pairs if pair}


def check_figures(findings: Findings, guest: vm.Run, found: Mapping[str, Result]) -> None:
    """JSON has debugfs' figures, and they are the clients'."""
    shown: Object = json.loads(found["json"].out)
    state = debugfs(found["debugfs"].out.decode())
    findings.equal("the policy", (shown["policy"], shown["timeout_ms"], shown["off"]),
                   ("bounded", 30000, False))
    queue: Object = shown["queues"][0]
    for key, value in queue.items():
        if key != "policies":
            findings.equal(f"queue: {key}", str(value), state[f"queue 0 {key}"])
    normal, system = queue["policies"]
    names = {"wait_longest_ns": "wait_max_ns"}
    for row, prefix in (normal, "norm"), (system, "sys"):
        for key in ("calls", "enter", "enter_reserved", "wait_kept", "wait_rate", "waited",
                    "wait_ns", "wait_longest_ns"):
            want = state[f"queue 0 {prefix}_{names.get(key, key)}"]
            have = row[key]
            findings.equal(f"{prefix}: {key}", "0" if have is None else str(have), want)
    calls = account.load(guest.files["load"]).calls
    kernel = kclient.load(guest.files["kclient"])
    made = [c for c in calls if c.op in ("open", "invoke", "close")]
    systems = [c for c in kernel.calls if c.system and c.op == "invoke"]
    findings.equal("calls of both classes", normal["calls"] + system["calls"],
                   len(made) + len(kernel.calls))
    findings.true(f"{system['calls']} system calls, and {len(systems)} that the clients made",
                  0 < len(systems) <= system["calls"] <= len(systems) + 2)
    findings.equal("reservations", (system["reserve_yes"], system["reserve_no"]),
                   (sum(not p.error for p in kernel.promotions),
                    sum(bool(p.error) for p in kernel.promotions)))
    # A call waits for all the time that it is not in OP-TEE, but for what its own takes; how
    # long an open is there is not known.
    took = [(c.op, (c.end or 0) - c.start) for c in made] + [
        (c.op, (c.end or 0) - c.start) for c in kernel.calls]
    beside = [ns - HOLD_MS * policy.MS for op, ns in took if op == "invoke"]
    most = sum(beside) + sum(ns for op, ns in took if op != "invoke")
    waited = normal["wait_ns"] + system["wait_ns"]
    findings.true(f"they waited {waited} ns, which is not {sum(beside) // 2} to {most}",
                  sum(beside) // 2 < waited < most)
    longest = max(row["wait_longest_ns"] or 0 for row in (normal, system))
    findings.true(f"the longest wait was {longest} ns, which is no call's",
                  0 < longest < max(ns for _, ns in took))
    text = found["shown"].out.decode()
    findings.true(f"show says {text!r}", re.match(r"policy bounded, watchdog 30000 ms\n", text)
                  is not None and bool(re.search(rf"^normal +{normal['calls']} ", text, re.M))
                  and bool(re.search(rf"^system +{system['calls']} ", text, re.M)))


def check_life(findings: Findings, found: Mapping[str, Result]) -> None:
    swapped: Object = json.loads(found["swapped"].out)
    findings.equal("after the swap", (swapped["policy"], swapped["timeout_ms"],
                                      swapped["attached"], swapped["last"]["policy"],
                                      swapped["last"]["reason_text"]),
                   ("single", 2000, 2, "bounded", "another one took its place"))
    held: Object = json.loads(found["held"].out)
    findings.equal("after swaps that failed", (held["policy"], held["attached"]), ("single", 2))
    left: Object = json.loads(found["left"].out)
    findings.equal("after detach", (left["policy"], left["timeout_ms"], left["last"]["policy"],
                                    left["last"]["reason_text"], left["queues"][0]["since_ns"]),
                   (None, None, "single", "detached", None))
    state = debugfs(found["foreground_state"].out.decode())
    why = (f"policy 'never' was ejected: a call waited too long, call {state['last_call']}, "
           f"waited {int(state['last_wait_ns']) // 1000000} ms")
    findings.equal("the end in the foreground", (found["foreground"].status,
                                                 found["foreground"].err.splitlines()),
                   (FAILURE, ["policy 'never' attached", "optee-top: " + why]))
    findings.true(f"a swap of an ejected one says {found['dead_swap']}", re.fullmatch(
        r"optee-top: cannot swap to 'single': 'never' was ejected: a call waited too long, "
        r"call \d+, waited \d+ ms\n", found["dead_swap"].err) is not None)
    lines = found["verbose"].err.splitlines()
    findings.true(f"--verbose says {lines}", len(lines) > 8 and
                  lines[-1] == "optee-top: " + SAID["writes-count"].says)


@test()
def policy_command(context: Context) -> None:
    """One guest: the whole life of policies, and every error with its line and status."""
    context.dir.mkdir(parents=True, exist_ok=True)
    guest = vm.run(context, policy.SCRIPT + kclient.SCRIPT + RUN + LIFE,
                   *policy.options(*kclient.options(), *objects(context), *drivers(context)),
                   gets=["results.tar", "load", "kclient"], seconds=400)
    found = results(guest, context.dir / "results")
    findings = Findings()
    for name, want in SAID.items():
        have = found[name]
        findings.equal(name, (have.status, have.out, have.err),
                       (want.status, b"", f"optee-top: {want.says}\n"))
    for name, says in DONE.items():
        have = found[name]
        findings.equal(name, (have.status, have.out.decode(), have.err), (0, says + "\n", ""))
    check_figures(findings, guest, found)
    check_life(findings, found)
    findings.done()
