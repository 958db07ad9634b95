# SPDX-License-Identifier: GPL-2.0-only
"""On a kernel that looks for mistakes (make check-debug): does it find those that are made
on purpose? Then the other tests' silence there means something."""

from ..lib import kmod, target, vm
from ..lib.registry import Context, Findings, test

# What is to be in the kernel's log. Lockdep is switched off by its first report, and by most
# others', so it comes first; of KASAN's there is only one a boot.
MISTAKES = {
    "orders": "WARNING: possible circular locking dependency detected",
    "sleeps": "BUG: sleeping function called from invalid context",
    "reads_freed": "BUG: KASAN: slab-use-after-free in reads_freed",
    "adds_twice": "list_add double add",
    "hangs": "blocked for more than",
}

MAKE = r"""
[ "$(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)" = 1 ] || die "lockdep is off"
echo 5 >/proc/sys/kernel/hung_task_timeout_secs
for what in %s; do
	before=$(dmesg | wc -l)
	insmod /mistaken.ko what=$what 2>/dev/null
	dmesg | tail -n +$((before + 1)) >/tmp/$what
done
""" % " ".join(MISTAKES)


def debug_kernel(context: Context) -> None:
    guest = vm.run(context, MAKE, "--put", f"{kmod.build('mistaken')}:/mistaken.ko",
                   gets=tuple(MISTAKES), mistakes=True)
    findings = Findings()
    for name, wanted in MISTAKES.items():
        said = guest.read(name)
        findings.true(f"{name}: the kernel does not say '{wanted}'", wanted.encode() in said)
        findings.true(f"{name}: the tests would not notice", bool(target.reports(said)))
    findings.done()


if target.OTHER:
    test()(debug_kernel)
