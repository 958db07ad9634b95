// SPDX-License-Identifier: GPL-2.0-only
/*
 * Was there an episode of a condition? The counters tell how many there were and
 * how long the longest was, also of those too short to be reported one by one; the
 * events are the evidence.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "check/judge.h"
#include "model/condition_table.h"
#include "model/event_text.h"

#define SHOWN 5 /* episodes in the evidence */

static int longer_first(const void *left, const void *right)
{
	const struct event *a = *(const struct event *const *)left,
			   *b = *(const struct event *const *)right;

	return (a->duration_ns < b->duration_ns) - (a->duration_ns > b->duration_ns);
}

static void show(struct finding *f, const struct event *e)
{
	char line[EVENT_REPORT];

	finding_add(f, "%s", event_report(e, line, sizeof(line)));
	for (u32 i = 0; event_chain(e, i, line, EVENT_LINE); i++)
		finding_add(f, "    %s", line);
}

/* The longest of those that the rule is about, and how many there are besides. */
static void show_episodes(const struct summary_episodes *of, u64 least_ns, u64 count,
			  struct finding *f)
{
	const struct event *about[SUMMARY_EPISODES];
	bool more = least_ns && of->forgotten_ns > least_ns;
	u64 nr = 0, shown;

	for (int i = 0; i < of->nr; i++)
		if (of->kept[i].duration_ns >= least_ns)
			about[nr++] = &of->kept[i];
	qsort(about, nr, sizeof(*about), longer_first);
	shown = nr < SHOWN ? nr : SHOWN;
	for (u64 i = 0; i < shown; i++)
		show(f, about[i]);
	if (least_ns)
		count = nr;
	if (count > shown)
		finding_add(f, "and %llu%s more", (unsigned long long)(count - shown),
			    more ? " or" : "");
}

/* Why nobody can tell; NULL: it was known of every pool. */
static const char *not_known(const struct run_summary *s, enum condition cond)
{
	if (summary_blind(s))
		return summary_blind(s);
	for (u32 i = 0; i < s->nr_pools; i++) {
		if (s->pools[i].cond_known[cond] && s->pools[i].cond_lapsed[cond])
			return "it was not known all the time";
		if (s->pools[i].cond_known[cond])
			continue;
		if (s->pools[i].last.total < 0)
			return "Linux does not count OP-TEE's threads here, so this cannot be detected";
		return "this kernel, its hooks or an older recording cannot tell; see 'optee-top doctor'";
	}
	return s->nr_pools ? NULL : NO_TEE_SEEN;
}

void judge_condition(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	enum condition cond = r->cond;
	/* An episode of a starved waiter begins when it has waited for so long. */
	u64 before = condition_table[cond].by_starved ? s->starved_ns : 0;
	u64 least = r->value > before ? r->value - before : 0;
	const char *unknown = not_known(s, cond);
	u64 count = 0, longest = 0;
	char time[48] = "", limit[32];

	for (u32 i = 0; i < s->nr_pools; i++) {
		u64 of_pool = summary_longest(s, &s->pools[i], cond);

		count += summary_count(&s->pools[i], cond);
		longest = of_pool > longest ? of_pool : longest;
	}
	if (count < (u64)s->episodes[cond].nr)
		count = (u64)s->episodes[cond].nr; /* some began after the last snapshot */
	if (longest) /* else they were so short that nobody told how long */
		snprintf(time, sizeof(time), ", the longest%s %s", before ? " wait" : "",
			 format_ns(before + longest, limit, sizeof(limit)));
	if (count && longest >= least) {
		finding_set(f, VERDICT_FAIL, "%llu time%s%s", (unsigned long long)count,
			    count == 1 ? "" : "s", time);
		show_episodes(&s->episodes[cond], least, count, f);
	} else if (unknown) {
		finding_set(f, VERDICT_UNKNOWN, "%s", unknown);
	} else if (r->value < before && r->value) {
		finding_set(f, VERDICT_UNKNOWN,
			    "waits shorter than %s were not reported; see --starved",
			    format_ns(before, limit, sizeof(limit)));
	} else if (count) {
		finding_set(f, VERDICT_PASS, "%llu, none that long%s", (unsigned long long)count,
			    time);
	} else {
		finding_set(f, VERDICT_PASS, "none");
	}
}
