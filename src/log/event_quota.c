// SPDX-License-Identifier: GPL-2.0-only
#include "log/event_quota.h"

/* TEE instances keep their place; there are never more of them than places. */
static struct event_quota *find(struct event_quotas *q, const struct event *e)
{
	struct event_quota *quota;

	for (int i = 0; i < MAX_POOLS; i++) {
		quota = &q->of[i][e->condition];
		if (quota->used && quota->tee == e->tee)
			return quota;
		if (!quota->used)
			break;
	}
	if (!quota->used)
		*quota = (struct event_quota){
			.used = true, .tee = e->tee, .left = EVENT_BURST, .refilled_ns = e->mono_ns
		};
	return quota;
}

static void refill(struct event_quota *quota, u64 now)
{
	u64 n = now > quota->refilled_ns ? (now - quota->refilled_ns) / EVENT_REFILL_NS : 0;

	quota->refilled_ns += n * EVENT_REFILL_NS;
	quota->left = n > EVENT_BURST - quota->left ? EVENT_BURST : quota->left + (u32)n;
}

/* Takes the episode out of those whose begin was written; false: it is not among them. */
static bool forget(struct event_quota *quota, u64 episode)
{
	for (u32 i = 0; i < EVENT_OPEN; i++) {
		if (!quota->open[i] || quota->open[i] != episode)
			continue;
		quota->open[i] = 0;
		return true;
	}
	return false;
}

/* In a free place, which has 0. Where there is none the oldest episode loses its place. */
static void remember(struct event_quota *quota, u64 episode)
{
	u32 at = 0;

	for (u32 i = 1; i < EVENT_OPEN; i++)
		if (quota->open[i] < quota->open[at])
			at = i;
	quota->open[at] = episode;
}

bool event_quota_take(struct event_quotas *q, const struct event *e, bool fits)
{
	struct event_quota *quota = find(q, e);
	/* Episodes that last must not keep those that begin out of the log. */
	u32 least = e->state == EVENT_STILL ? EVENT_BURST / 2 : 0;

	refill(quota, e->mono_ns);
	if (e->state == EVENT_END && forget(quota, e->episode)) {
		quota->left -= quota->left > 0;
		return true;
	}
	if (!fits || quota->left <= least) {
		if (!quota->omitted++)
			quota->since_ns = e->mono_ns;
		return false;
	}
	quota->left--;
	if (e->state == EVENT_BEGIN)
		remember(quota, e->episode);
	return true;
}
