// SPDX-License-Identifier: GPL-2.0-only
/* As scripts/policy-blob put them together: the words are those of their sources. */
#include <stdlib.h>
#include <string.h>
#include "base/inflate.h"
#include "policy/policy_carried.h"

/* Hidden: of a local symbol ld for arm64 mixes up entries in the global offset table. */
extern const unsigned char carried_gzipped[] __attribute__((visibility("hidden")));
extern const unsigned long carried_gzipped_bytes __attribute__((visibility("hidden")));

__asm__(".pushsection .rodata\n"
	"carried_gzipped: .incbin \"build/gen/policies.gz\"\n"
	"carried_gzipped_end: .balign 8\n"
	"carried_gzipped_bytes: .dc.a carried_gzipped_end - carried_gzipped\n"
	".popsection\n");

static const char *take_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	*end = '\0';
	*at = end + 1;
	return line;
}

void carried_read(struct carried *c)
{
	size_t size = inflate_size(carried_gzipped, carried_gzipped_bytes);
	char *at = malloc(size);

	if (!at)
		abort(); /* out of memory, at the start */
	inflate_all(carried_gzipped, carried_gzipped_bytes, at);
	*c = (struct carried){ .memory = at };
	while (at < c->memory + size && c->nr < MAX_CARRIED) {
		struct carried_policy *p = &c->policies[c->nr++];

		p->name = take_line(&at);
		p->rule = take_line(&at);
		p->use_it = take_line(&at);
		p->size = strtoul(take_line(&at), NULL, 10);
		p->object = at;
		at += p->size;
	}
}

void carried_free(struct carried *c)
{
	free(c->memory);
	*c = (struct carried){};
}
