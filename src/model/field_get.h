/* SPDX-License-Identifier: GPL-2.0-only */
/* What the getters of the field tables make values with; for src/model/fields*.c alone. */
#ifndef OPTEE_TOP_FIELD_GET_H
#define OPTEE_TOP_FIELD_GET_H

#include "model/fields.h"

#define UNUSED(x) ((void)(x))

static inline struct value unknown(void)
{
	return (struct value){};
}

static inline struct value number(double n)
{
	return (struct value){ .known = true, .number = n };
}

static inline struct value number_if(bool known, double n)
{
	return known ? number(n) : unknown();
}

static inline struct value bound_if(bool at_least, struct value v)
{
	v.at_least = at_least && v.known;
	return v;
}

static inline struct value text(const char *s)
{
	struct value v = { .known = true };

	/* Names are at most 64 bytes long: no character is cut. */
	for (size_t i = 0; i < sizeof(v.text) - 1 && s[i]; i++)
		v.text[i] = s[i]; /* the rest is 0 */
	return v;
}

static inline struct value percent(u64 part, u64 whole)
{
	return number_if(whole, 100.0 * (double)part / (double)whole);
}

/* A sum may be a call ahead of another that was read before it. */
static inline u64 less(u64 all, u64 part)
{
	return all > part ? all - part : 0;
}

#endif
