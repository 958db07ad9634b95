/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock that keeps a second process out. Anybody who can open a file, even just for reading,
 * can flock() it. The lock is therefore a file that only its owner can open, and never
 * something that others may read, such as the directory of the log.
 */
#ifndef OPTEE_TOP_LOCK_FILE_H
#define OPTEE_TOP_LOCK_FILE_H

#include <stdbool.h>

/*
 * Creates and locks a file of mode 0600. Returns a descriptor, which holds the lock until it
 * is closed, or -errno: -EWOULDBLOCK if another process has the lock, -ENOLCK if the file
 * belongs to another user or can be opened by others, so that a lock on it means nothing.
 */
int lock_file_take(int dirfd, const char *name);

/* Does the file still exist? A second process would lock a new one otherwise. */
bool lock_file_there(int fd);

#endif
