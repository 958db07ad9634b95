/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory of the log files, and its cap: all of them together never have more
 * bytes. Of the name that has the most the oldest rotated file goes. Nothing here
 * asks what time it is. Used by src/log/log_file.c, which appends, and src/log/log_pack.c,
 * which deflates.
 */
#ifndef OPTEE_TOP_LOG_DIR_H
#define OPTEE_TOP_LOG_DIR_H

#include <sys/types.h>
#include "log/log_name.h"

#define LOG_MODE     0640
#define LOG_DIR_MODE 0750
#define LOG_OLD_MAX  1024 /* rotated files that are kept: 16 bytes each */

/* A rotated file. */
struct log_old {
	u64 size;
	u32 number;
	u8 name; /* enum log_names */
	bool deflated;
};

struct log_dir {
	const char *path; /* the owner's */
	int fd;           /* -1: it is not open */
	int lock;         /* keeps other writers out; -1: not held */
	dev_t dev;
	ino_t ino;
	u64 cap;
	u32 used;
	u64 size; /* of all our files in it */
	u64 sizes[NR_LOG_NAMES];
	u32 last_number[NR_LOG_NAMES];
	u64 retired; /* files that were rotated, */
	u64 deleted; /* and deleted for the cap */
	u32 nr_old;
	struct log_old old[LOG_OLD_MAX]; /* in no order */
};

/* used: a bit each name that will be written. */
void log_dir_init(struct log_dir *d, const char *path, u64 cap, u32 used);

/*
 * Opens it, makes it if it is not there, keeps other writers out and looks what is
 * in it; or does nothing where it is open and still is what its path stands for.
 * 0 or -errno; -EWOULDBLOCK: another process logs there; -ENOLCK: src/base/lock_file.h.
 */
int log_dir_open(struct log_dir *d);
void log_dir_close(struct log_dir *d);

/* Is it still what its path stands for, and locked? */
bool log_dir_there(const struct log_dir *d);

/* Deletes until there is room for so many bytes more. 0 or -errno. */
int log_dir_room(struct log_dir *d, u64 bytes);

/* So many bytes of that name more, or less. */
void log_dir_count(struct log_dir *d, enum log_names name, s64 bytes);

/* Gives the written file of that name, of so many bytes, its number. 0 or -errno. */
int log_dir_retire(struct log_dir *d, enum log_names name, u64 size);

struct log_old *log_dir_find(struct log_dir *d, enum log_names name, u32 number);

/* The oldest one that is not deflated; NULL: all are. */
struct log_old *log_dir_plain(struct log_dir *d);

#endif
