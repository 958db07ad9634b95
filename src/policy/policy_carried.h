/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies that the program carries: those of policies/, but for the template. */
#ifndef OPTEE_TOP_POLICY_CARRIED_H
#define OPTEE_TOP_POLICY_CARRIED_H

#include <stddef.h>

#define MAX_CARRIED 16

struct carried_policy {
	const char *name;
	const char *rule;   /* one sentence */
	const char *use_it; /* when */
	const void *object; /* ELF */
	size_t size;
};

struct carried {
	char *memory; /* of all that the others point to */
	size_t nr;
	struct carried_policy policies[MAX_CARRIED];
};

void carried_read(struct carried *c);
void carried_free(struct carried *c);

#endif
