/* SPDX-License-Identifier: GPL-2.0-only */
/* Help and manual, both made from the tables: commands, options, fields, conditions. */
#ifndef OPTEE_TOP_HELP_H
#define OPTEE_TOP_HELP_H

#include <stddef.h>
#include "base/fail.h"
#include "render/json_keys.h"

struct status_help {
	enum status status;
	const char *help;
};

extern const struct status_help status_table[];
extern const size_t nr_statuses;

extern const char *const rules_text[2]; /* of files of rules, and of a check without one */

void help_words(const char *text); /* indented, in lines of 78 columns */

/* optee-top --help: the commands, and the options that several of them take. */
void help_usage(void);

/* optee-top COMMAND --help; command: an index into command_table. */
void help_command(size_t command);

/* Help on a topic, or on a command. STATUS_USAGE after saying what there is help on. */
enum status help_topic(const char *topic);

#endif
