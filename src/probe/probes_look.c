// SPDX-License-Identifier: GPL-2.0-only
/* What is asked of attached probes again and again: a look, and whether they run at all. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "probe/attach.h"
#include "probe/probes_look.h"

/* The switches of the kernel for the hooks that we have. */
static bool silent(const struct probes *p)
{
	bool used[NR_MECHS] = {};

	for (int h = 0; h < NR_HOOKS; h++)
		if (p->hooks[h].attached)
			used[p->hooks[h].mech] = true;
	for (int m = 0; m < NR_MECHS; m++)
		if (used[m] && switch_is_off(&p->switches, m))
			return true;
	return false;
}

int probes_inspect(const struct probes *p)
{
	struct look_args args = { .silent = silent(p) };
	LIBBPF_OPTS(bpf_test_run_opts, sight, .ctx_in = &args, .ctx_size_in = sizeof(args));
	LIBBPF_OPTS(bpf_test_run_opts, plain);
	int err = bpf_prog_test_run_opts(p->look_sight_fd, &sight);

	return err                                                   ?:
		       bpf_prog_test_run_opts(p->inspect_fd, &plain) ?:
		       bpf_prog_test_run_opts(p->look_contexts_fd, &plain);
}

/*
 * kprobe runs that found the probe busy. The kernel tells from 6.7 on, in a
 * member of struct bpf_link_info that is newer than the headers we build with:
 * perf_event.kprobe.missed, the seventh u64.
 */
static bool kprobe_missed(const struct bpf_link *link, u64 *missed)
{
	u64 info[16] = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), info, &len) || len < 7 * sizeof(info[0]))
		return false;
	*missed += info[6];
	return true;
}

bool probes_missed(const struct probes *p, u64 *missed)
{
	bool known = true;

	*missed = 0;
	for (int h = 0; h < NR_HOOKS; h++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (!p->hooks[h].attached)
			continue;
		if (is_kprobe(p->hooks[h].mech) && !kprobe_missed(p->links[h], missed))
			known = false;
		if (bpf_obj_get_info_by_fd(p->prog_fds[h], &info, &len))
			known = false;
		else
			*missed += info.recursion_misses;
	}
	return known;
}
