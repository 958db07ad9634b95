/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts with a number each, in a table of a fixed size that is emptied when it is full. */
#ifndef OPTEE_TOP_INTERN_H
#define OPTEE_TOP_INTERN_H

#include <stdbool.h>
#include "abi.h"

#define INTERN_MAX   4096 /* texts; a power of two */
#define INTERN_BYTES (256 << 10)

struct intern {
	u32 index[2 * INTERN_MAX]; /* number of the text, 0: none */
	u32 at[INTERN_MAX + 1];    /* of each number: its kind and text, in bytes */
	char bytes[INTERN_BYTES];
	u32 count, used;
};

/*
 * The number of a text of that kind, from 1 on; is_new: it had none before. 0: the
 * table is full.
 */
u32 intern_text(struct intern *t, u8 kind, const char *text, bool *is_new);

/* Is there room for so many texts of so many bytes in all? */
bool intern_has_room(const struct intern *t, u32 texts, u32 bytes);

void intern_clear(struct intern *t);

/* FNV-1a. */
u32 intern_hash(u8 kind, const char *text);

#endif
