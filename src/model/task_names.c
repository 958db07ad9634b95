// SPDX-License-Identifier: GPL-2.0-only
/* Each process has one place, which the last one there takes over. */
#include <stdio.h>
#include "model/task_names.h"

static void set(struct task_names *n, u32 tgid, const char *comm)
{
	struct task_name *name = &n->names[tgid % TASK_NAMES];

	if (!tgid || !comm[0])
		return;
	name->tgid = tgid;
	snprintf(name->comm, sizeof(name->comm), "%s", comm);
}

void task_names_learn(struct task_names *n, const struct snapshot *s)
{
	/* The name of a process is that of its first thread; its sessions know it, too. */
	for (u32 i = 0; i < s->nr_events; i++)
		for (u32 k = 0; k < s->events[i].nr_parties; k++) {
			const struct event_party *p = &s->events[i].parties[k];

			if (p->tid == p->tgid)
				set(n, p->tgid, p->comm);
		}
	for (u32 i = 0; i < s->nr_calls; i++)
		if (s->calls[i].tid == s->calls[i].tgid)
			set(n, s->calls[i].tgid, s->calls[i].comm);
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].serial)
			set(n, s->sessions[i].tgid, s->sessions[i].comm);
}

const char *task_names_find(const struct task_names *n, u32 tgid)
{
	const struct task_name *name = &n->names[tgid % TASK_NAMES];

	return tgid && name->tgid == tgid ? name->comm : NULL;
}
