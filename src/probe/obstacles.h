/* SPDX-License-Identifier: GPL-2.0-only */
/* Why the running kernel refuses to load or attach a probe. */
#ifndef OPTEE_TOP_OBSTACLES_H
#define OPTEE_TOP_OBSTACLES_H

#include <stddef.h>

enum lockdown {
	LOCKDOWN_UNKNOWN,
	LOCKDOWN_NONE,
	LOCKDOWN_INTEGRITY,
	LOCKDOWN_CONFIDENTIALITY, /* BPF programs may not read the kernel's memory */
	NR_LOCKDOWNS
};

enum lockdown lockdown_read(void);

/* The bracketed word of /sys/kernel/security/lockdown, or the last lockdown= of a command line. */
enum lockdown lockdown_of_file(const char *text);
enum lockdown lockdown_of_command_line(const char *text);

/* For doctor. */
const char *lockdown_text(enum lockdown l);

/*
 * The kernel options that the probes need and that this kernel was built without, separated by
 * blanks; "": none; "?": there is no list of its options.
 */
const char *obstacles_options(char *buf, size_t len);

/*
 * The end of an error message: `says`, the kernel's or libbpf's own words, and the likely cause, or
 * how to report it.
 */
const char *obstacle(char *buf, size_t len, const char *says);

/* The same for a given level of lockdown and missing options. */
const char *obstacle_text(char *buf, size_t len, enum lockdown lockdown, const char *missing,
			  const char *says);

#endif
