// SPDX-License-Identifier: GPL-2.0-only
/* Does the driver give back what it counts, and did we see all of it? */
#include "check/judge.h"
#include "model/fields.h"
#include "model/policy_reason.h"

void judge_losses(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	u64 late = s->losses.count[LOSS_LATE_CALLS];

	(void)r;
	for (int i = 0; i < NR_LOSSES; i++) {
		u64 count = s->losses.count[i];

		if (i == LOSS_LATE_CALLS || !count)
			continue;
		finding_add(f, "%s %llu: %s", loss_fields[i].name, (unsigned long long)count,
			    loss_fields[i].help);
	}
	if (s->losses.missed_known && s->losses.missed)
		finding_add(f, "probes_missed %llu: hook runs skipped by the kernel",
			    (unsigned long long)s->losses.missed);
	if (s->damaged)
		finding_add(f, "the recording is damaged, or was cut off");
	if (s->driver_left)
		finding_add(f, "the driver was unloaded before the end");
	if (f->nr_lines)
		finding_set(f, VERDICT_FAIL, "not all was seen");
	else if (summary_blind(s))
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
	else if (!s->losses.missed_known)
		finding_set(f, VERDICT_UNKNOWN,
			    "none counted, but this kernel does not say which hook runs it skipped");
	else if (s->losses.unknown)
		finding_set(f, VERDICT_UNKNOWN,
			    "none counted, but the recording is older than %u of the %d kinds",
			    s->losses.unknown, NR_LOSSES);
	else if (late)
		finding_set(f, VERDICT_PASS,
			    "none; %llu call%s in flight at the attach: when %s began is not known",
			    (unsigned long long)late, late == 1 ? " was" : "s were",
			    late == 1 ? "it" : "they");
	else
		finding_set(f, VERDICT_PASS, "none");
}

void judge_count_leak(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	bool unknown = !s->nr_pools;

	(void)r;
	for (u32 i = 0; i < s->nr_pools; i++) {
		const struct snap_pool *p = &s->pools[i].last;

		if (p->total < 0 || p->driver_free < 0 || !p->drift_known || !pool_followed(p))
			unknown = true;
		else if (p->drift > 0)
			finding_add(f,
				    "tee%u: the driver counts %d of %d threads free, and %d "
				    "call%s hold%s one: it has leaked %d",
				    p->id, p->driver_free, p->total, p->in_use_all,
				    p->in_use_all == 1 ? "" : "s", p->in_use_all == 1 ? "s" : "",
				    p->drift);
	}
	if (f->nr_lines)
		finding_set(f, VERDICT_FAIL, "threads are missing at the end");
	else if (unknown)
		finding_set(f, VERDICT_UNKNOWN, "%s",
			    summary_blind(s) ? summary_blind(s) :
			    s->nr_pools      ? "the driver's count of threads is not known" :
					       NO_TEE_SEEN);
	else
		finding_set(f, VERDICT_PASS, "none at the end");
}

/*
 * Only a kernel client can have a system session. Its session may be one that we do
 * not know; so this never accuses the driver of more than cannot be accounted for.
 */
void judge_reservation_leak(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	bool unknown = !s->nr_pools;

	(void)r;
	for (u32 i = 0; i < s->nr_pools; i++) {
		const struct summary_pool *p = &s->pools[i];
		int more = p->last.system_sessions - p->system_sessions;

		if (p->last.system_sessions < 0 || p->system_sessions < 0 ||
		    p->sight != SIGHT_UNKNOWN) {
			unknown = true;
		} else if (more > (int)p->open_others) {
			unknown |= p->rest;
			if (!p->rest)
				finding_add(
					f,
					"tee%u: the driver counts %d system session%s, %d more than at "
					"the beginning, and %u session%s of the kernel %s open",
					p->last.id, p->last.system_sessions,
					p->last.system_sessions == 1 ? "" : "s", more,
					p->open_others, p->open_others == 1 ? "" : "s",
					p->open_others == 1 ? "is" : "are");
		}
	}
	if (f->nr_lines)
		finding_set(f, VERDICT_FAIL, "entries stay in reserve for nobody");
	else if (unknown)
		finding_set(f, VERDICT_UNKNOWN, "%s",
			    summary_blind(s) ? summary_blind(s) :
			    s->nr_pools ? "the driver's count of system sessions is not known, or "
					  "which sessions are open" :
					  NO_TEE_SEEN);
	else
		finding_set(f, VERDICT_PASS, "none at the end");
}

/* Then the driver itself counts the ejections. */
static bool takes_policies(const struct run_summary *s)
{
	for (u32 i = 0; i < s->nr_pools; i++)
		if (!s->pools[i].last.takes_policies)
			return false;
	return true;
}

/* From then on the driver's own rule is in force: what else is found is not the policy's. */
void judge_ejection(const struct rule *r, const struct run_summary *s, struct finding *f)
{
	(void)r;
	for (u32 i = 0; i < s->nr_pools; i++) {
		const struct snap_pool *p = &s->pools[i].last;
		u64 more = p->policies_ejected - s->pools[i].policies_ejected;

		if (more && more <= p->policies_ejected)
			finding_add(f, "tee%u: %llu ejected, '%s' last: %s", p->id,
				    (unsigned long long)more, p->policy_left,
				    policy_reason(p->policy_reason));
	}
	if (f->nr_lines)
		finding_set(f, VERDICT_FAIL, "the driver's own rule took a policy's place");
	else if (!s->nr_pools)
		finding_set(f, VERDICT_UNKNOWN, NO_TEE_SEEN);
	else if (summary_blind(s) && !takes_policies(s))
		finding_set(f, VERDICT_UNKNOWN, "%s", summary_blind(s));
	else
		finding_set(f, VERDICT_PASS, "none");
}
