// SPDX-License-Identifier: GPL-2.0-only
#include "event_quota.h"

/* TEE instances keep their place; there are never more of them than places. */
static struct event_quota *find(struct event_quotas *q, const struct event *e)
{
	struct event_quota *quota = &q->of[0][e->condition];

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

/* Of too many the oldest is given up: its end has to find room like any other line. */
static void remember(struct event_quota *quota, u64 episode)
{
	quota->open[quota->next] = episode;
	quota->next = (quota->next + 1) % EVENT_OPEN;
}

bool event_quota_take(struct event_quotas *q, const struct event *e, bool fits)
{
	struct event_quota *quota = find(q, e);

	refill(quota, e->mono_ns);
	if (e->state == EVENT_END && forget(quota, e->episode)) {
		quota->left -= quota->left > 0;
		return true;
	}
	if (!fits || !quota->left) {
		if (!quota->omitted++)
			quota->since_ns = e->mono_ns;
		return false;
	}
	quota->left--;
	if (e->state == EVENT_BEGIN)
		remember(quota, e->episode);
	return true;
}
