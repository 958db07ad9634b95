/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of processes, as far as snapshots and events tell them: a cache of a fixed size. */
#ifndef OPTEE_TOP_TASK_NAMES_H
#define OPTEE_TOP_TASK_NAMES_H

#include "snapshot.h"

#define TASK_NAMES 1024

struct task_names {
	struct task_name {
		u32 tgid;
		char comm[COMM_LEN * 4 + 1];
	} names[TASK_NAMES];
};

void task_names_learn(struct task_names *n, const struct snapshot *s);

/* NULL: not known. */
const char *task_names_find(const struct task_names *n, u32 tgid);

#endif
