// SPDX-License-Identifier: GPL-2.0-only
/* A hash table with linear probing; at most half of its places are in use. */
#include <string.h>
#include "export/intern.h"

#define PLACES (2 * INTERN_MAX)

u32 intern_hash(u8 kind, const char *text)
{
	u32 hash = (2166136261U ^ kind) * 16777619U;

	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 16777619U;
	return hash;
}

bool intern_has_room(const struct intern *t, u32 texts, u32 bytes)
{
	/* Each text has a byte for its kind before it, and its NUL. */
	return t->count + texts <= INTERN_MAX && t->used + bytes + 2 * texts <= INTERN_BYTES;
}

u32 intern_text(struct intern *t, u8 kind, const char *text, bool *is_new)
{
	u32 place = intern_hash(kind, text) % PLACES, len = (u32)strlen(text);

	*is_new = false;
	for (; t->index[place]; place = (place + 1) % PLACES) {
		const char *entry = t->bytes + t->at[t->index[place]];

		if ((u8)entry[0] == kind && !strcmp(entry + 1, text))
			return t->index[place];
	}
	if (!intern_has_room(t, 1, len))
		return 0;
	*is_new = true;
	t->index[place] = ++t->count;
	t->at[t->count] = t->used;
	t->bytes[t->used] = (char)kind;
	memcpy(t->bytes + t->used + 1, text, len + 1);
	t->used += len + 2;
	return t->count;
}

void intern_clear(struct intern *t)
{
	memset(t->index, 0, sizeof(t->index));
	t->count = t->used = 0;
}
