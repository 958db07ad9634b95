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
#include "base/fail.h"

struct out_file {
	FILE *stream;
	int fd;
	bool ascii;             /* it is a terminal that gets no UTF-8 */
	int error;              /* errno of the first write that failed */
	char name[PATH_MAX];    /* "": standard output */
	char partial[PATH_MAX]; /* the name until it is complete; "": it has none */
};

/* Is name, standard output as below, the regular file at path, by whatever name or link? */
bool out_file_is(const char *name, const char *path);

/* NULL or "-": standard output. After a failure, which it has said, nothing is open. */
enum status out_file_open(struct out_file *f, const char *name);

/*
 * If complete, gives the file its name and waits until both are on the disk. Otherwise, and
 * after any failure, nothing is left of it. Prints one line if something went wrong. If the
 * reader of a pipe has gone, that is no error, but f->error is EPIPE.
 */
enum status out_file_close(struct out_file *f, bool complete);

/* Copies owner, group and mode from another file, as far as our privileges allow. */
void out_file_like(int fd, const struct stat *old);

#endif
