/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of terminals without a terminfo database. */
#ifndef OPTEE_TOP_TERMINAL_H
#define OPTEE_TOP_TERMINAL_H

struct terminal {
	const char *name;  /* the entry's own */
	const char *entry; /* as ncurses takes it in $TERMINFO */
};

/* A terminal that works where one of this name ($TERM) does; NULL: none is known to. */
const struct terminal *terminal_like(const char *name);

#endif
