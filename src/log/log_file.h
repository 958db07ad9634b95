/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One log file that is written: a line is handed over whole and is in it whole or not
 * at all. When it has its share of the cap it is rotated (src/log/log_dir.h).
 */
#ifndef OPTEE_TOP_LOG_FILE_H
#define OPTEE_TOP_LOG_FILE_H

#include "log/log_dir.h"

struct log_file {
	struct log_dir *dir;
	enum log_names name;
	int fd; /* -1: not open */
	dev_t dev;
	ino_t ino;
	u64 size;
	u64 share;   /* it is rotated from this size on */
	bool torn;   /* there is something behind size that could not be cut off yet */
	bool unsafe; /* it has lines that may not be on the disk yet */
	bool named;  /* its name is on the disk, too */
	bool worn;   /* the disk could not keep its last lines: the next one goes elsewhere */
};

void log_file_init(struct log_file *f, struct log_dir *d, enum log_names name, u64 share);

/*
 * Opens it, or makes it, where it is not open: what a crash left of a last line is cut
 * off; and rotates it if it is time to. Its directory has to be open. 0 or -errno. A
 * size of 0 afterwards: it has no head yet.
 */
int log_file_ready(struct log_file *f);

/* Closes it when it no longer is what its name stands for: moved away, or deleted. */
void log_file_check(struct log_file *f);
void log_file_close(struct log_file *f);

/* Appends a line by one write(); on failure nothing of it stays. 0 or -errno. */
int log_file_append(struct log_file *f, const char *line, size_t len);

/* Has what was appended brought to the disk. 0 or -errno. */
int log_file_sync(struct log_file *f);

#endif
