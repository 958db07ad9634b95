/* SPDX-License-Identifier: GPL-2.0-only */
/* Help and manual, both made from the tables: commands, options, fields. */
#ifndef OPTEE_TOP_HELP_H
#define OPTEE_TOP_HELP_H

#include <stddef.h>

struct command_help {
	const char *name, *args, *help;
};

extern const struct command_help command_table[];
extern const size_t nr_commands;

void help_usage(void);  /* --help */
void help_fields(void); /* help fields */
void help_man(void);    /* the manual page, optee-top(8), as troff */

#endif
