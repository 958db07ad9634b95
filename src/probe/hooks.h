/* SPDX-License-Identifier: GPL-2.0-only */
/* Which program serves which hook. */
#ifndef OPTEE_TOP_HOOKS_H
#define OPTEE_TOP_HOOKS_H

#include "probe/attach.h"

/*
 * Picks a program for every hook, by name; NULL: none serves it. Fills in the targets, mechanisms and
 * reasons of p->hooks, and what is known of the driver's functions. On failure it has said why.
 */
enum status hooks_choose(struct probes *p, const struct attach_opts *opts,
			 const char *prog[NR_HOOKS]);

/* Is this what tells the end of a call? */
bool hooks_end_by(const struct probes *p, const char *target);

/* It may be missing. */
bool hook_is_optional(int hook);

#endif
