// SPDX-License-Identifier: GPL-2.0-only
/* The episodes that were reported and have not ended, and what there is to say of them. */
#include <stdlib.h>
#include <string.h>
#include "collect/episodes.h"

struct known {
	struct episode episode; /* as it was reported first, with its last peak and all parties */
	u64 said_ns;
	int unseen; /* looks since it was seen */
};

struct episodes {
	event_fn report;
	void *arg;
	struct known *known;
	size_t nr, room;
};

struct episodes *episodes_new(event_fn report, void *arg)
{
	struct episodes *c = calloc(1, sizeof(*c));

	if (c) {
		c->report = report;
		c->arg = arg;
	}
	return c;
}

void episodes_free(struct episodes *c)
{
	if (c)
		free(c->known);
	free(c);
}

static struct known *find(struct episodes *c, const struct episode *e)
{
	for (size_t i = 0; i < c->nr; i++) {
		const struct episode *k = &c->known[i].episode;

		if (k->cond == e->cond && k->pool == e->pool && k->serial == e->serial)
			return &c->known[i];
	}
	return NULL;
}

/* NULL: out of memory; it will be tried again at the next look. */
static struct known *add(struct episodes *c, const struct episode *e, u64 now)
{
	struct known *k;

	if (c->nr == c->room) {
		size_t room = c->room ? 2 * c->room : 8;

		k = realloc(c->known, room * sizeof(*k));
		if (!k)
			return NULL;
		c->known = k;
		c->room = room;
	}
	k = &c->known[c->nr++];
	*k = (struct known){ .episode = *e, .said_ns = now };
	return k;
}

static void drop(struct episodes *c, struct known *k)
{
	*k = c->known[--c->nr];
}

void episodes_lasts(struct episodes *c, const struct episode *e, u64 now)
{
	struct known *k = find(c, e);

	if (!k) {
		k = add(c, e, now);
		if (!k)
			return;
		c->report(c->arg, e, EVENT_BEGIN, now, false);
	}
	k->unseen = 0;
	k->episode.peak = e->peak;
	if (e->nr_parties > k->episode.nr_parties) /* more have come */
		k->episode = *e;
	if (now - k->said_ns < STILL_NS)
		return;
	k->said_ns = now;
	c->report(c->arg, &k->episode, EVENT_STILL, now, false);
}

void episodes_ended(struct episodes *c, const struct episode *e)
{
	struct known *k = find(c, e);

	if (k)
		drop(c, k);
	else
		c->report(c->arg, e, EVENT_BEGIN, e->since_ns, false);
	c->report(c->arg, e, EVENT_END, e->end_ns, false);
}

/* An end may be on its way: one look is given to it. */
void episodes_looked(struct episodes *c, u64 now)
{
	for (size_t i = c->nr; i-- > 0;) {
		struct known *k = &c->known[i];
		struct episode e = k->episode;

		if (k->unseen++ < 2)
			continue;
		drop(c, k);
		c->report(c->arg, &e, EVENT_END, now, true);
	}
}
