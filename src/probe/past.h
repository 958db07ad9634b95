/* SPDX-License-Identifier: GPL-2.0-only */
/* The sessions and calls that were there before us. */
#ifndef OPTEE_TOP_PAST_H
#define OPTEE_TOP_PAST_H

#include <stdbool.h>

struct probes;

/* Of a process, "self" or a number: is it the machine's own? */
enum pid_namespace { PID_NAMESPACE_UNKNOWN, PID_NAMESPACE_FIRST, PID_NAMESPACE_OTHER };

enum pid_namespace pid_namespace_of(const char *pid);

/* Before the programs are loaded: which of them look for what was there. A bare object has none. */
void past_choose(struct probes *p);

/* Runs them. False, with errno: nothing was looked for. */
bool past_find(struct probes *p);

#endif
