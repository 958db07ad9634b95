// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long SCMI's transfers took. The longest of a message is known since the attach only: where
 * that was before the first snapshot, it may be what was before.
 */
#include "base/text.h"
#include "check/judge.h"
#include "model/fields.h"

static struct snap_scmi before(const struct snap_pool *first, const struct snap_scmi *row)
{
	for (u32 i = 0; i < first->nr_scmi; i++)
		if (first->scmi[i].other == row->other &&
		    first->scmi[i].protocol == row->protocol &&
		    first->scmi[i].message == row->message)
			return first->scmi[i];
	return (struct snap_scmi){};
}

static const char *name_of(const struct snap_scmi *row, char *buf, size_t len)
{
	struct value protocol = scmi_fields[0].get(row), message = scmi_fields[2].get(row);

	snprintf(buf, len, "%s%s%s", protocol.known ? protocol.text : SCMI_OTHERS,
		 message.known ? " " : "", message.text);
	return buf;
}

struct scmi_found {
	u64 transfers, longest_ns;
	bool unsure; /* the longest may be from before */
};

/* True: one of this message took longer than the limit. */
static bool take_row(const struct rule *r, const struct snap_pool *first,
		     const struct snap_scmi *row, struct scmi_found *found)
{
	struct snap_scmi was = before(first, row);
	u64 transfers = row->count - was.count;

	if (!transfers)
		return false;
	found->transfers += transfers;
	if (row->max_ns > found->longest_ns)
		found->longest_ns = row->max_ns;
	if (row->max_ns <= r->value)
		return false;
	if (row->max_ns > was.max_ns)
		return true;
	found->unsure = true;
	return false;
}

static void add_evidence(struct finding *f, const struct snap_pool *first,
			 const struct snap_pool *last, const struct snap_scmi *row)
{
	struct snap_scmi was = before(first, row);
	char name[160], all[32], longest[32], wait[32];

	finding_add(f, "tee%u: %llu transfers of %s: %s, of which %s in the queue; the longest %s",
		    last->id, (unsigned long long)(row->count - was.count),
		    name_of(row, name, sizeof(name)), format_ns(row->ns - was.ns, all, sizeof(all)),
		    format_ns(row->wait_ns - was.wait_ns, wait, sizeof(wait)),
		    format_ns(row->max_ns, longest, sizeof(longest)));
}

void judge_scmi_longest(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	struct scmi_found found = {};
	bool known = false, over = false;
	char time[32];

	for (u32 p = 0; p < s->nr_pools; p++) {
		const struct snap_pool *first = &s->pools[p].first, *last = &s->pools[p].last;

		known |= last->scmi_known;
		for (u32 i = 0; i < last->nr_scmi; i++) {
			if (!take_row(r, first, &last->scmi[i], &found))
				continue;
			over = true;
			add_evidence(f, first, last, &last->scmi[i]);
		}
	}
	if (over)
		finding_set(f, VERDICT_FAIL, "%s", format_ns(found.longest_ns, time, sizeof(time)));
	else if (summary_blind(s))
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
	else if (!known)
		finding_set(f, VERDICT_UNKNOWN, "SCMI's transfers are not seen here");
	else if (!found.transfers)
		finding_set(f, VERDICT_UNKNOWN, "there were no transfers of SCMI");
	else if (found.unsure)
		finding_set(f, VERDICT_UNKNOWN,
			    "there was one of %s, perhaps before the first snapshot",
			    format_ns(found.longest_ns, time, sizeof(time)));
	else if (s->losses.count[LOSS_SCMI] || summary_uncounted(s))
		finding_set(f, VERDICT_UNKNOWN, "%s, but some were not seen",
			    format_ns(found.longest_ns, time, sizeof(time)));
	else
		finding_set(f, VERDICT_PASS, "%s, in %llu transfers",
			    format_ns(found.longest_ns, time, sizeof(time)),
			    (unsigned long long)found.transfers);
}
