/* SPDX-License-Identifier: GPL-2.0-only */
/* Help and manual, both made from the tables: commands, options, fields, conditions. */
#ifndef OPTEE_TOP_HELP_H
#define OPTEE_TOP_HELP_H

#include <stddef.h>
#include "base/fail.h"
#include "render/json_keys.h"

struct command_help {
	const char *name, *args, *help;
};

extern const struct command_help command_table[];
extern const size_t nr_commands;

/* Of 'optee-top policy': its commands. */
extern const struct command_help policy_commands[];
extern const size_t nr_policy_commands;

struct status_help {
	enum status status;
	const char *help;
};

extern const struct status_help status_table[];
extern const size_t nr_statuses;

extern const char *const rules_text[2]; /* of files of rules, and of a check without one */

void help_words(const char *text); /* indented, in lines of 78 columns */
void help_usage(void);             /* --help */
void help_fields(void);            /* help fields */
void help_conditions(void);        /* help conditions */
void help_rules(void);             /* help rules */

#endif
