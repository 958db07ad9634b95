/* SPDX-License-Identifier: GPL-2.0-only */
/* Help and manual, both made from the tables: commands, options, fields, conditions. */
#ifndef OPTEE_TOP_HELP_H
#define OPTEE_TOP_HELP_H

#include <stddef.h>

struct command_help {
	const char *name, *args, *help;
};

extern const struct command_help command_table[];
extern const size_t nr_commands;

/* What src/json.c writes of conditions, events, records and the host; each table ends with a key of NULL. */
struct key_help {
	const char *key, *help;
};

extern const struct key_help condition_keys[], event_keys[], why_keys[], who_keys[],
	call_records_keys[], host_keys[];

void help_usage(void);      /* --help */
void help_fields(void);     /* help fields */
void help_conditions(void); /* help conditions */
void help_man(void);        /* the manual page, optee-top(8), as troff */

#endif
