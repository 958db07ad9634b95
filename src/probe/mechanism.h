/* SPDX-License-Identifier: GPL-2.0-only */
/* What a kernel lets a BPF program hook, found out by trying. */
#ifndef OPTEE_TOP_MECHANISM_H
#define OPTEE_TOP_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>
#include "types.h"

enum mechanism {
	MECH_FENTRY,
	MECH_FEXIT,
	MECH_TP_BTF,
	MECH_RAW_TP,
	MECH_KPROBE,
	MECH_KRETPROBE,
	NR_MECHS
};

static inline bool is_kprobe(enum mechanism m)
{
	return m == MECH_KPROBE || m == MECH_KRETPROBE;
}

const char *mechanism_name(enum mechanism m);

/* types: NULL: it has none of its own. */
struct module_types {
	struct btf *types;
	int fd;
};

/*
 * The types of the kernel, of the driver's module and of that for FF-A, for several tries: to
 * read them takes longer than a try. All zero before the first; to be freed after the last, as
 * the driver may be another one later.
 */
struct mechanism_types {
	struct btf *kernel;
	struct module_types driver, ffa;
	/* Do fentry and fexit, do kprobes fire? 0: not tried yet, 1: they do, -1: they do not. */
	int ftrace_fires, kprobes_fire;
};

/* Reads the types of the kernel and the driver, once. False: the kernel has none. */
bool mechanism_load(struct mechanism_types *types);

/*
 * Loads and attaches an empty program to the target (a function of the driver or of FF-A,
 * or a tracepoint) and takes it away again. False: it cannot be done, and why
 * says so in a few words.
 */
bool mechanism_try(struct mechanism_types *types, enum mechanism m, const char *target, char *why,
		   size_t len);

/* Does the driver have this function? True also where its types cannot be read. */
bool mechanism_knows(struct mechanism_types *types, const char *function);

/* Has the kernel addresses of another size than this program? False where its types cannot be read. */
bool mechanism_word_differs(struct mechanism_types *types);

/*
 * Functions of the driver: their addresses, which are 0 before, as /proc/kallsyms has them. Returns
 * how many there are. 0: there is none, or addresses are hidden from us.
 */
size_t functions_find(const char *const names[], u64 addresses[], size_t n);

/* Do attached probes of this mechanism fire? False: the kernel's switch for them is off. */
bool mechanism_is_on(struct mechanism_types *types, enum mechanism m);
void mechanism_types_free(struct mechanism_types *types);

#endif
