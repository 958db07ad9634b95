/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads small text files: options, rules, cursors, and files in /proc and debugfs. Their size
 * is limited, a FIFO does not block, and the result is the whole file or an error: a NUL byte
 * cannot hide what follows it.
 */
#ifndef OPTEE_TOP_TEXT_READ_H
#define OPTEE_TOP_TEXT_READ_H

#include <stddef.h>

#define TEXT_READ_MOST (1 << 20) /* bytes of a file */

enum text_kind {
	TEXT_FILE,  /* regular files only, which includes those in /proc */
	TEXT_INPUT, /* pipes as well, for files named on the command line; may block */
};

/*
 * Points *text at the text, to be freed by the caller; a leading byte order mark is dropped.
 * Returns 0 or -errno. -EILSEQ: there is a NUL byte, and *line is its line; else *line is 0.
 */
int text_read(const char *path, enum text_kind kind, char **text, size_t *line);

/* Describes an error of text_read(). */
const char *text_read_why(int err);

/* Cuts the next line off, without its LF or CR LF. NULL at the end. */
char *text_line(char **rest);

#endif
