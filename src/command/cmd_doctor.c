// SPDX-License-Identifier: GPL-2.0-only
/* doctor: attaches once, for a moment, and tells what came of it. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "collect/collect.h"
#include "command/cmd_doctor.h"
#include "model/figures.h"
#include "probe/attach.h"
#include "probe/driver.h"
#include "probe/firing.h"
#include "probe/obstacles.h"
#include "source/daemon_client.h"

/*
 * What an empty hook adds to a call, in instructions, by mechanism: measured
 * under -icount on Debian's 6.12 for arm64, to about 10.
 */
static const int cost[NR_MECHS] = {
	[MECH_FENTRY] = 165, [MECH_FEXIT] = 233,  [MECH_TP_BTF] = 85,
	[MECH_RAW_TP] = 95,  [MECH_KPROBE] = 710, [MECH_KRETPROBE] = 1150,
};

static void row(const char *what, const char *answer)
{
	printf("%-34s %s\n", what, answer);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void print_hooks(const struct probes *p)
{
	printf("\n%-30s %-9s %-9s %5s  %s\n", "HOOK", "BY", "ATTACHED", "COST", "GIVES");
	for (int h = 0; h < NR_HOOKS; h++) {
		const struct hook_state *s = &p->hooks[h];

		if (!s->gives)
			continue;
		printf("%-30s %-9s %-9s ", s->target, s->attached ? mechanism_name(s->mech) : "-",
		       yes_no(s->attached));
		if (s->attached)
			printf("%5d  %s", cost[s->mech], s->gives);
		else
			printf("%5s  %s", "-", s->gives);
		if (s->why[0])
			printf(" (nothing %s: %s)", s->attached ? "cheaper" : "can", s->why);
		putchar('\n');
	}
	printf("COST: instructions that the empty hook adds to a call, on Debian's 6.12 for arm64\n");
}

static void print_pools(struct probes *p)
{
	struct collect *c = collect_new(p);
	const struct snapshot *s = c ? collect_snapshot(c) : NULL;
	char text[80];

	for (u32 i = 0; s && i < s->nr_pools; i++) {
		struct figures f = pool_figures(s, &s->pools[i]);

		printf("\npool of /dev/tee%u:\n", s->pools[i].id);
		while (figures_next(&f))
			printf("  %-22s %-8s %s\n", f.name,
			       value_format(&f.value, f.unit, text, sizeof(text)), f.help);
	}
	if (s && !s->nr_pools)
		printf("\nno pool seen yet: no process has /dev/tee* open, and no call was made\n");
	collect_free(c);
}

static void print_daemon(const char *socket)
{
	const struct daemon_client_opts want = { .since_ns = ~0ULL,
						 .silence_ns = DAEMON_SILENCE_NS };
	struct daemon_client *st;
	char answer[96];
	int err = daemon_client_open(&st, socket, &want);

	if (!err) {
		snprintf(answer, sizeof(answer), "runs, %s", daemon_client_hello(st)->version);
		daemon_client_close(st);
	} else {
		snprintf(answer, sizeof(answer), "none to be used (%s)",
			 daemon_client_refused(err) ?: strerror(-err));
	}
	row("daemon", answer);
}

static const char *options_text(char *buf, size_t len)
{
	char missing[128];

	obstacles_options(missing, sizeof(missing));
	if (!missing[0])
		return "all that are needed";
	if (missing[0] == '?')
		return "not known (no /proc/config.gz, no /boot/config-*)";
	snprintf(buf, len, "missing: %s", missing);
	return buf;
}

static const char *switched_off(void)
{
	struct switches s;
	bool ftrace, kprobes;

	switches_open(&s);
	ftrace = switch_is_off(&s, MECH_FENTRY);
	kprobes = switch_is_off(&s, MECH_KPROBE);
	switches_close(&s);
	if (ftrace && kprobes)
		return "fentry, fexit (kernel.ftrace_enabled is 0), kprobes (by debugfs)";
	return ftrace  ? "fentry, fexit (kernel.ftrace_enabled is 0)" :
	       kprobes ? "kprobes (by debugfs)" :
			 "none";
}

enum status cmd_doctor(const struct opts *o)
{
	struct probes p = {};
	char options[160];
	struct utsname u;
	enum status status;

	if (!uname(&u))
		printf("%-34s %s %s %s\n", "kernel", u.sysname, u.release, u.machine);
	row("running as root", yes_no(!geteuid()));
	row("kernel lockdown", lockdown_text(lockdown_read()));
	row("kernel options", options_text(options, sizeof(options)));
	row("BTF of the kernel", yes_no(!access("/sys/kernel/btf/vmlinux", R_OK)));
	row("BTF of the optee module", access("/sys/kernel/btf/optee", R_OK) ?
					       "no (built in, not loaded, or built without)" :
					       "yes");
	if (sizeof(void *) == 4) /* see bpf/machine.bpf.h */
		row("BPF programs", "interpreted: no compiler of a 32-bit kernel takes them");
	row("probes that are switched off", switched_off());
	row("optee driver", !driver_visible() ? "not known: /sys is not mounted" :
			    driver_present()  ? "bound to a device" :
			    driver_possible() ? "not loaded" :
						"not in this kernel");
	print_daemon(o->socket);
	if (!driver_visible())
		return fail(STATUS_FAILURE, "cannot try the hooks: %s", NO_SYSFS);
	if (!driver_present())
		return fail(STATUS_KERNEL,
			    "cannot try the hooks: no TEE device; load the optee driver");
	status = probes_attach(&p, &o->attach);
	if (status != STATUS_OK) {
		if (p.hooks[0].target)
			print_hooks(&p);
		return status;
	}
	row("calls and sessions before attach", !p.finds     ? "not looked for" :
						p.everywhere ? "found, in all pid namespaces" :
							       "found");
	row("names of tasks",
	    p.knows_tasks ? "known" : "not known: /proc is of a pid namespace of its own");
	printf("%-34s %.2f s\n", "time to attach", p.attach_seconds);
	print_hooks(&p);
	print_pools(&p);
	probes_detach(&p);
	return STATUS_OK;
}
