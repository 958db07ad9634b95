/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics as a file for node_exporter's textfile collector: always whole, by
 * another name until it is. What goes wrong is counted, said once, and tried again.
 */
#ifndef OPTEE_TOP_TEXTFILE_H
#define OPTEE_TOP_TEXTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include "metrics/daemon_stats.h"

struct textfile {
	char name[PATH_MAX], partial[PATH_MAX];
	struct daemon_stats *self;
	int error; /* errno of the last attempt, 0: it succeeded */
};

/*
 * The file is not written yet. name should be absolute and end with .prom, or
 * node_exporter does not read it. Returns 0, or -ENAMETOOLONG.
 */
int textfile_init(struct textfile *t, const char *name, struct daemon_stats *self);

/* Rewrites it; print writes the text, which has to be the classic one. Returns 0 or -errno. */
int textfile_write(struct textfile *t, void (*print)(void *arg, FILE *out), void *arg);

#endif
