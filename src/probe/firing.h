/* SPDX-License-Identifier: GPL-2.0-only */
/* Do attached probes fire? The kernel attaches them all the same while it is switched off. */
#ifndef OPTEE_TOP_FIRING_H
#define OPTEE_TOP_FIRING_H

#include <stdbool.h>
#include "probe/mechanism.h"

/* The kernel's switches, open for as long as we are attached; -1: it does not show that one. */
struct switches {
	int ftrace, kprobes;
};

struct btf;

void switches_open(struct switches *s);
void switches_close(struct switches *s);

/* The switch, if there is one, that keeps the probes of this mechanism from firing. */
bool switch_is_off(const struct switches *s, enum mechanism m);

/* What to say of it, and what to do. */
const char *switch_name(enum mechanism m);
const char *switch_advice(enum mechanism m);

/*
 * Attaches a probe of this mechanism to a function that exists for such tests, and has the kernel
 * call that. True where it fired, or where it cannot be tried and no switch is off. kernel: its
 * BTF, or NULL.
 */
bool mechanism_fires(enum mechanism m, const struct btf *kernel);

/* A perf event of a k(ret)probe of the function: a CPU that is online takes it, and it fires on all. */
int kprobe_open(enum mechanism m, const char *function);

#endif
