/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that runs while a check watches. */
#ifndef OPTEE_TOP_CHILD_H
#define OPTEE_TOP_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/fail.h"

struct child {
	pid_t pid;  /* 0: it does not run (any more) */
	int status; /* when it has ended: as a shell gives it */
};

/*
 * Runs it, its standard output on our standard error. STATUS_NOT_FOUND or
 * STATUS_NOT_RUN after saying why.
 */
enum status child_start(struct child *c, char **argv);

/* Has it ended? */
bool child_ended(struct child *c);

/* Passes a signal on. */
void child_signal(const struct child *c, int sig);

#endif
