/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which characters may be printed as they are, and how many columns they take: the same on
 * every machine, whatever its locale.
 */
#ifndef OPTEE_TOP_PRINTABLE_H
#define OPTEE_TOP_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How many of the n bytes at s are a printable character in UTF-8; *width is set to its
 * columns, 1 or 2. 0: they begin with none.
 */
size_t printable_char(const char *s, size_t n, int *width);

/* All of it is. */
bool printable(const char *s, size_t n);

/* The columns that a printable text takes. */
int printable_width(const char *text);

/* How many bytes of it fit into so many columns; neither a character nor a \xNN is cut. */
size_t printable_cut(const char *text, int width);

/* Cuts it or fills it up with blanks: exactly so many columns, if buf is large enough. Returns buf. */
const char *printable_fit(char *buf, size_t len, const char *text, int width);

/* Takes the last character off a printable text where not all of its bytes are there. */
void printable_end(char *text);

/* Is a terminal of this environment to be sent UTF-8? */
bool printable_locale(void);

/* Is fd a terminal that is not? For such a one, what is not ASCII may have controls. */
bool printable_wants_ascii(int fd);

/*
 * Puts bytes into dst, those that are not ASCII as \xNN, as far as there is room and without
 * a NUL. Returns how many bytes it put. *n says how many there are, and then how many it took.
 */
size_t printable_ascii(char *dst, size_t len, const char *bytes, size_t *n);

/* On such a terminal stdout escapes what is not ASCII from now on. Curses cannot use it then. */
void printable_guard_stdout(void);

#endif
