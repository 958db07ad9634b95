// SPDX-License-Identifier: GPL-2.0-only
/* Names of log files, made and taken apart by one rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "log/log_name.h"

const char *const log_names[NR_LOG_NAMES] = {
	[LOG_NAME_JSONL] = "optee-top.jsonl", [LOG_NAME_POOLS] = "pools.csv",
	[LOG_NAME_TAS] = "tas.csv",           [LOG_NAME_SESSIONS] = "sessions.csv",
	[LOG_NAME_EVENTS] = "events.csv",     [LOG_NAME_LOSSES] = "losses.csv",
	[LOG_NAME_GAPS] = "gaps.csv",
};

const char *log_name_make(const struct log_part *part, char buf[LOG_NAME_LEN])
{
	const char *name = log_names[part->name], *ext = strrchr(name, '.');

	if (!part->number)
		snprintf(buf, LOG_NAME_LEN, "%s", name);
	else
		snprintf(buf, LOG_NAME_LEN, "%.*s.%08u%s%s%s", (int)(ext - name), name,
			 part->number, ext, part->deflated ? ".gz" : "",
			 part->partial ? ".part" : "");
	return buf;
}

bool log_name_parse(const char *file, struct log_part *part)
{
	char made[LOG_NAME_LEN];

	for (int name = 0; name < NR_LOG_NAMES; name++) {
		size_t stem = (size_t)(strrchr(log_names[name], '.') - log_names[name]);

		*part = (struct log_part){ .name = (enum log_names)name };
		if (strncmp(file, log_names[name], stem + 1))
			continue;
		/* What is read there is right when it makes the same name again. */
		part->number = (u32)strtoul(file + stem + 1, NULL, 10);
		part->partial = strstr(file, ".part");
		part->deflated = strstr(file, ".gz");
		return !strcmp(file, log_name_make(part, made));
	}
	return false;
}
