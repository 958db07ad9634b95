/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one reader of small text files: what somebody wrote by hand, a position that we wrote,
 * what the kernel says. It is bounded, waits for nobody, and gives all of the file or an
 * error: a byte that ends a string in C cannot hide what comes behind it.
 */
#ifndef OPTEE_TOP_TEXT_READ_H
#define OPTEE_TOP_TEXT_READ_H

#include <stddef.h>

#define TEXT_READ_MOST (1 << 20) /* bytes of a file */

enum text_kind {
	TEXT_FILE,  /* a regular file, in /proc, too */
	TEXT_INPUT, /* or a pipe, for what is named on the command line; it may have to wait */
};

/*
 * *text becomes the text, without the mark (BOM) that some editors put before it, to be freed;
 * "" if it is empty. Returns 0 or -errno; *line is the line of a NUL byte (-EILSEQ), else 0.
 */
int text_read(const char *path, enum text_kind kind, char **text, size_t *line);

/* What is wrong, for such an error. */
const char *text_read_why(int err);

/* Cuts off the next line, without its end, be that LF or CR LF; NULL: there is none. */
char *text_line(char **rest);

#endif
