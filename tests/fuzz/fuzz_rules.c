// SPDX-License-Identifier: GPL-2.0-only
/* Whatever a file of rules has in it. */
#include "fuzz.h"
#include "check/rules.h"

static void fuzz_rules(const uint8_t *data, size_t size)
{
	struct rules rules;
	char path[32];
	int fd = fuzz_file(data, size, path);

	if (rules_load(&rules, path, size & 1) == STATUS_OK) {
		rules_starved(&rules, 1000000000);
		rules_release(&rules);
	}
	close(fd);
}

FUZZ_TARGET(rules);
