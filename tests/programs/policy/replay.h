/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through what the witness wrote of one policy, and compares another home of it with
 * that: the answer, and all that it wrote. Prints how often each callback was asked, and
 * the first difference.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "witness.h"

static const char *const callback_names[CALLBACKS] = { "reserve", "admit", "rank", "enter",
						       "leave" };

struct replay {
	const char *home;
	uint64_t asked[CALLBACKS], differ;
};

struct field {
	const char *name;
	size_t offset, size;
};

#define FIELD(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct optee_adm_call, name),                                      \
			sizeof(((struct optee_adm_call *)0)->name)                                 \
	}

static const struct field fields[] = {
	FIELD(total),
	FIELD(free),
	FIELD(reserved),
	FIELD(resv_in_flight),
	FIELD(norm_in_flight),
	FIELD(sys_in_flight),
	FIELD(sys_waiting),
	FIELD(norm_waiting),
	FIELD(seq),
	FIELD(now_ns),
	FIELD(wait_ns),
	FIELD(held_ns),
	FIELD(client),
	FIELD(ta),
	FIELD(session),
	FIELD(func),
	FIELD(flags),
	FIELD(weight),
	FIELD(client_in_flight),
	FIELD(ta_in_flight),
	FIELD(session_in_flight),
	FIELD(reserved_zero),
	FIELD(retry_ns),
	FIELD(priv[0]),
	FIELD(priv[1]),
	FIELD(cpriv[0]),
	FIELD(cpriv[1]),
	FIELD(cpriv[2]),
	FIELD(cpriv[3]),
	FIELD(tpriv[0]),
	FIELD(tpriv[1]),
	FIELD(tpriv[2]),
	FIELD(tpriv[3]),
	FIELD(qpriv[0]),
	FIELD(qpriv[1]),
	FIELD(qpriv[2]),
	FIELD(qpriv[3]),
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static inline unsigned long long field_value(const struct optee_adm_call *c, const struct field *f)
{
	uint64_t value = 0; /* little endian, here and in the guest */

	memcpy(&value, (const char *)c + f->offset, f->size);
	return value;
}

/* What the enforced one left of the call: it may not write to anything before. */
static inline struct optee_adm_call replay_want(const struct witnessed *w)
{
	struct optee_adm_call want = w->before;

	memcpy((char *)&want + WRITABLE_FROM, w->after, WRITABLE);
	return want;
}

static inline void replay_explain(const struct replay *r, const struct witnessed *w,
				  const struct optee_adm_call *have, uint64_t answer)
{
	struct optee_adm_call want = replay_want(w);

	printf("%.16s %s: enforced %lld, %s %lld\n  asked:", w->policy, callback_names[w->callback],
	       (long long)w->answer, r->home, (long long)answer);
	for (size_t i = 0; i < FIELDS; i++)
		if (field_value(&w->before, &fields[i]))
			printf(" %s=%llu", fields[i].name, field_value(&w->before, &fields[i]));
	printf("\n");
	for (size_t i = 0; i < FIELDS; i++)
		if (field_value(&want, &fields[i]) != field_value(have, &fields[i]))
			printf("  %s after: enforced %llu, %s %llu\n", fields[i].name,
			       field_value(&want, &fields[i]), r->home,
			       field_value(have, &fields[i]));
}

/* The home was shown w->before, left it as have, and answered. */
static inline void replay_compare(struct replay *r, const struct witnessed *w,
				  const struct optee_adm_call *have, uint64_t answer)
{
	struct optee_adm_call want = replay_want(w);

	r->asked[w->callback]++;
	if (answer == w->answer && !memcmp(&want, have, sizeof(want)))
		return;
	if (!r->differ++)
		replay_explain(r, w, have, answer);
}

/* The next record of the policy. 1: there is one, 0: no more, or -EBADMSG. */
static inline int replay_next(FILE *file, const char *policy, struct witnessed *w)
{
	size_t size;

	while ((size = fread(w, 1, sizeof(*w), file)) == sizeof(*w)) {
		if (w->callback >= CALLBACKS)
			return -EBADMSG;
		if (!strncmp(w->policy, policy, sizeof(w->policy)))
			return 1;
	}
	return size ? -EBADMSG : 0;
}

static inline int replay_end(const struct replay *r, const char *policy)
{
	for (int i = 0; i < CALLBACKS; i++)
		if (r->asked[i])
			printf("%s %s %s %llu\n", r->home, policy, callback_names[i],
			       (unsigned long long)r->asked[i]);
	if (r->differ)
		printf("%s %s differs %llu\n", r->home, policy, (unsigned long long)r->differ);
	return r->differ ? EXIT_FAILURE : 0;
}

#endif
