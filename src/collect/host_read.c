// SPDX-License-Identifier: GPL-2.0-only
/* What there is to say of this machine, read once as the probes are attached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "base/text_read.h"
#include "collect/host_read.h"

/* Both at one moment: the real time is read between two readings of the other. */
static void read_clocks(struct host *h)
{
	u64 before = clock_now();
	struct timespec resolution;

	h->real_ns = clock_ns(CLOCK_REALTIME);
	h->mono_ns = (before + clock_now()) / 2;
	clock_getres(CLOCK_MONOTONIC, &resolution);
	h->resolution_ns = (u64)resolution.tv_sec * 1000000000 + (u64)resolution.tv_nsec;
}

void host_read_boot_id(struct host *h)
{
	char *text, *rest;
	size_t nul_line;

	if (text_read("/proc/sys/kernel/random/boot_id", TEXT_FILE, &text, &nul_line))
		return;
	rest = text;
	snprintf(h->boot_id, sizeof(h->boot_id), "%s", text_line(&rest) ?: "");
	free(text);
}

static void list_hooks(struct host *h, const struct probes *probes)
{
	size_t used = 0;

	for (int i = 0; i < NR_HOOKS && used < sizeof(h->hooks); i++)
		if (probes->hooks[i].attached)
			used += (size_t)snprintf(h->hooks + used, sizeof(h->hooks) - used,
						 "%s%s %s", used ? ", " : "",
						 mechanism_name(probes->hooks[i].mech),
						 probes->hooks[i].target);
}

void host_read(struct host *h, const struct probes *probes, const struct attach_opts *opts)
{
	struct utsname u = {};
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	uname(&u);
	*h = (struct host){
		.version = VERSION,
		.cpus = cpus > 0 ? (u32)cpus : 0,
		.starved_ns = opts->starved_ns,
		.reserved = opts->reserved,
		.calls = opts->calls && !opts->on_demand,
	};
	snprintf(h->machine, sizeof(h->machine), "%.15s", u.machine);
	snprintf(h->release, sizeof(h->release), "%.64s", u.release);
	text_sanitise(h->name, u.nodename, (sizeof(h->name) - 1) / 4);
	read_clocks(h);
	host_read_boot_id(h);
	list_hooks(h, probes);
}
