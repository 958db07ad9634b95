/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps a second process out. Whoever can open a file can lock it, if only for reading:
 * what is locked is therefore a file that nobody but its owner can open, and never one
 * that others read, such as the directory of the log.
 */
#ifndef OPTEE_TOP_LOCK_FILE_H
#define OPTEE_TOP_LOCK_FILE_H

#include <stdbool.h>

/*
 * Makes and locks a file of mode 0600. Returns its descriptor, which holds the lock until
 * it is closed, or -errno: -EWOULDBLOCK another process has it, -ENOLCK a lock on it would
 * mean nothing, because the file is not ours (nor root's) or others can open it.
 */
int lock_file_take(int dirfd, const char *name);

/* Is the file still there, that is, does it still keep others out? */
bool lock_file_there(int fd);

#endif
