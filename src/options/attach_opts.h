/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line asks of the probes. */
#ifndef OPTEE_TOP_ATTACH_OPTS_H
#define OPTEE_TOP_ATTACH_OPTS_H

#include <stdbool.h>
#include "abi.h"

struct attach_opts {
	const char *btf;    /* --btf FILE, or NULL */
	bool kprobes;       /* --kprobes: as on a kernel without fentry */
	bool mainline_rule; /* --mainline-rule: whatever else the driver's queue has */
	int reserved;       /* --reserved N: judge by N entries in reserve; -1: by the driver's */
	u64 starved_ns;     /* --starved: a wait longer than this starves */
	bool calls;         /* record each call when it has ended; */
	bool on_demand;     /* but only after probes_want_calls() */
	const char *shadows[MAX_SHADOWS]; /* --shadow: policies that are asked */
	u32 nr_shadows;
};

#endif
