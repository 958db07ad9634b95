/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel lets a BPF program hook, found out by trying. */
#ifndef OPTEE_TOP_MECHANISM_H
#define OPTEE_TOP_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

enum mechanism { MECH_FENTRY, MECH_FEXIT, MECH_TP_BTF, MECH_RAW_TP, MECH_KPROBE, NR_MECHS };

const char *mechanism_name(enum mechanism m);

/*
 * The types of the kernel and of the driver's module, for several tries: to read them takes
 * longer than a try. All zero before the first; to be freed after the last, as the driver may
 * be another one later.
 */
struct mechanism_types {
	struct btf *kernel, *driver; /* driver: NULL: it has none of its own */
	int driver_fd;
};

/*
 * Loads and attaches an empty program to the target (a function of the driver,
 * or a tracepoint) and takes it away again. False: it cannot be done, and why
 * says so in a few words.
 */
bool mechanism_try(struct mechanism_types *types, enum mechanism m, const char *target, char *why,
		   size_t len);
void mechanism_types_free(struct mechanism_types *types);

#endif
