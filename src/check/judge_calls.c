// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long calls waited, how many there were, which failed. The p99 is by nearest
 * rank: at least 99 % of the calls waited no longer. It is judged exactly, by
 * counting the calls that waited longer than the limit; the figure that is printed
 * is the upper edge of its histogram bucket, hence "at most".
 */
#include <string.h>
#include "base/text.h"
#include "check/judge.h"
#include "model/hist.h"

/* The verdict that the calls we know of allow, if they may not be all. */
static enum verdict of_known(const struct run_summary *s, bool good)
{
	if (!good)
		return VERDICT_FAIL;
	return s->tells_calls && !summary_untold(s) && !summary_blind(s) ? VERDICT_PASS :
									   VERDICT_UNKNOWN;
}

static bool said_missing(const struct run_summary *s, struct finding *f)
{
	if (f->verdict != VERDICT_UNKNOWN)
		return false;
	if (summary_blind(s))
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
	else if (!s->tells_calls)
		finding_set(f, VERDICT_UNKNOWN, "the calls were not recorded one by one");
	else
		finding_set(f, VERDICT_UNKNOWN, "%llu call%s missing among those seen",
			    (unsigned long long)summary_untold(s),
			    summary_untold(s) == 1 ? " is" : "s are");
	return true;
}

void judge_wait_p99(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	const struct summary_waits *w = &s->waits[r->class];
	u64 rank = (99 * w->calls + 99) / 100, may = w->calls - rank;
	u64 p99 = hist_quantile(&w->hist, 0.99);
	char time[32], longest[32];

	f->verdict = of_known(s, r->over <= may);
	if (said_missing(s, f))
		return;
	if (!w->calls) {
		finding_set(f, f->verdict, "no %s calls", class_name(r->class));
		return;
	}
	p99 = p99 > w->longest_ns ? w->longest_ns : p99;
	if (f->verdict == VERDICT_PASS && p99 > r->value)
		p99 = r->value;
	finding_set(f, f->verdict,
		    "at most %s: %llu of %llu calls waited longer than the limit, %llu may; "
		    "longest %s",
		    format_ns(p99, time, sizeof(time)), (unsigned long long)r->over,
		    (unsigned long long)w->calls, (unsigned long long)may,
		    format_ns(w->longest_ns, longest, sizeof(longest)));
}

void judge_wait_longest(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	const struct summary_waits *w = &s->waits[r->class];
	char time[32];

	f->verdict = of_known(s, !r->over);
	if (said_missing(s, f))
		return;
	if (!w->calls)
		finding_set(f, f->verdict, "no %s calls", class_name(r->class));
	else
		finding_set(f, f->verdict, "%s; %llu of %llu calls waited longer than the limit",
			    format_ns(w->longest_ns, time, sizeof(time)),
			    (unsigned long long)r->over, (unsigned long long)w->calls);
}

void judge_calls_at_least(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	u64 own = summary_own_calls(s), all = summary_calls(s), calls = all > own ? all - own : 0;
	enum verdict verdict = calls >= r->value ? VERDICT_PASS : VERDICT_FAIL;

	if (verdict == VERDICT_FAIL && summary_blind(s))
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
	else if (own)
		finding_set(f, verdict, "%llu call%s, and %llu of the driver's own",
			    (unsigned long long)calls, calls == 1 ? "" : "s",
			    (unsigned long long)own);
	else
		finding_set(f, verdict, "%llu call%s", (unsigned long long)calls,
			    calls == 1 ? "" : "s");
}

void judge_failed_calls(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	u64 failed = summary_failed(s);

	(void)r;
	if (!failed && summary_blind(s)) {
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
		return;
	}
	if (!failed) {
		finding_set(f, summary_uncounted(s) ? VERDICT_UNKNOWN : VERDICT_PASS, "%s",
			    summary_uncounted(s) ? "none of those seen, but some were not" :
						   "none");
		return;
	}
	finding_set(f, VERDICT_FAIL, "%llu of %llu calls", (unsigned long long)failed,
		    (unsigned long long)summary_calls(s));
	for (int i = 0; i < s->nr_failures; i++) {
		const struct summary_failure *e = &s->failures[i];

		if (e->serial)
			finding_add(f, "%llu of %s(%u) to %s, the last with 0x%08x",
				    (unsigned long long)e->failed, e->client[0] ? e->client : "?",
				    e->tgid, e->ta[0] ? e->ta : "a TA", e->result);
		else
			finding_add(f, "%llu without a session, the last with 0x%08x",
				    (unsigned long long)e->failed, e->result);
	}
}

void judge_command(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	(void)r;
	if (!s->has_command)
		finding_set(f, VERDICT_UNKNOWN, "there was no command");
	else if (s->command_status > 128)
		finding_set(f, VERDICT_FAIL, "signal %d (%s) ended it", s->command_status - 128,
			    strsignal(s->command_status - 128));
	else
		finding_set(f, s->command_status ? VERDICT_FAIL : VERDICT_PASS,
			    "it ended with status %d", s->command_status);
}
