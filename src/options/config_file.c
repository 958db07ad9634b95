// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's file of options. */
#include <string.h>
#include "base/text_read.h"
#include "options/config_file.h"

/* One line of the daemon's file; it is cut into pieces. */
static enum status config_line(struct opts *o, char *line)
{
	char *name, *value;

	line[strcspn(line, "#")] = '\0';
	name = line + strspn(line, " \t\r");
	value = name + strcspn(name, " \t\r");
	if (*value)
		*value++ = '\0';
	value += strspn(value, " \t");
	for (char *end = value + strlen(value); end > value && strchr(" \t\r", end[-1]);)
		*--end = '\0';
	if (!*name)
		return STATUS_OK;
	for (size_t i = 0; i < nr_options; i++) {
		const struct option_help *option = &option_table[i];

		if (!option->config || strcmp(option->name, name) != 0)
			continue;
		if (!option->arg != !*value)
			return fail(STATUS_USAGE, "'%s' %s", name,
				    option->arg ? "needs a value" : "takes no value");
		return o->given >> i & 1 ? STATUS_OK : opts_set(o, option, name, value);
	}
	return fail(STATUS_USAGE, "'%s' is not an option that this file may set", name);
}

enum status config_file_read(struct opts *o, const char *file, char **text)
{
	size_t nul_line, number = 1;
	int err = text_read(file, TEXT_FILE, text, &nul_line);
	char *line, *rest = *text;

	if (nul_line)
		return fail(STATUS_USAGE, "cannot use '%s': %s; see line %zu", file,
			    text_read_why(err), nul_line);
	if (err)
		return fail(STATUS_FAILURE, "cannot read '%s': %s", file, text_read_why(err));
	for (; (line = text_line(&rest)); number++)
		if (config_line(o, line) != STATUS_OK)
			return fail(STATUS_USAGE, "cannot use '%s': see line %zu", file, number);
	return STATUS_OK;
}
