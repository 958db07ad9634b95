/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is written whole or not at all: until it is complete it has another
 * name beside its own. It keeps the owner and the mode of the file that it replaces.
 * Standard output, a pipe or a device is written as it comes.
 */
#ifndef OPTEE_TOP_OUT_FILE_H
#define OPTEE_TOP_OUT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include "fail.h"

struct out_file {
	FILE *stream;
	int fd;
	int error;              /* errno of the first write that failed */
	char name[PATH_MAX];    /* "": standard output */
	char partial[PATH_MAX]; /* the name until it is complete; "": it has none */
};

/* NULL or "-": standard output. After a failure, which it has said, nothing is open. */
enum status out_file_open(struct out_file *f, const char *name);

/*
 * complete: gives the file its name; both are on the disk when this returns. Else, and
 * after any failure, nothing is left of it. Says in one line what went wrong; a reader
 * that has gone is no error, but has f->error set to EPIPE.
 */
enum status out_file_close(struct out_file *f, bool complete);

/* Gives a file the owner, the group and the mode of another, as far as we may. */
void out_file_like(int fd, const struct stat *old);

#endif
