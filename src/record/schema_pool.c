// SPDX-License-Identifier: GPL-2.0-only
/* A pool, with its conditions and admission policies. */
#include <string.h>
#include "model/class_sums.h"
#include "model/condition_table.h"
#include "record/schema.h"
#include "record/schema_pool.h"

u32 code_length(struct codec *c, u32 ours)
{
	u32 n = ours;

	code_upto(c, &n, ours);
	return n;
}

void code_sums(struct codec *c, struct class_sums *s)
{
	if (!c->writes)
		*s = (struct class_sums){};
	for (u32 i = 0; i < c->nr_sums; i++)
		code_u64(c, sum_at(s, i));
}

static void code_condition(struct codec *c, struct snap_cond *cond)
{
	code_bool(c, &cond->known);
	code_u64(c, &cond->count);
	code_u64(c, &cond->lasting);
	code_u64(c, &cond->since_ns);
	code_u64(c, &cond->ns);
	code_u64(c, &cond->longest_ns);
	code_u64(c, &cond->peak);
}

static void code_policy_counts(struct codec *c, struct policy_counts *n)
{
	code_u64(c, &n->calls);
	code_u64(c, &n->enter);
	code_u64(c, &n->enter_reserved);
	code_u64(c, &n->wait_no_thread);
	code_u64(c, &n->wait_kept);
	code_u64(c, &n->wait_rate);
	code_u64(c, &n->waited);
	code_u64(c, &n->wait_ns);
	code_u64(c, &n->wait_max_ns);
	code_u64(c, &n->stricter_kept);
	code_u64(c, &n->stricter_rate);
	code_u64(c, &n->looser);
}

static void code_policies(struct codec *c, struct snap_pool *p)
{
	code_bool(c, &p->takes_policies);
	if (p->takes_policies) {
		code_u64(c, &p->policies_attached);
		code_u64(c, &p->policies_ejected);
		code_text(c, p->policy_left, sizeof(p->policy_left));
		code_u32(c, &p->policy_reason);
	}
	code_upto(c, &p->nr_policies, 1 + MAX_SHADOWS);
	for (u32 i = 0; i < p->nr_policies && !c->failed; i++) {
		struct pool_policy *of = &p->policies[i].of;

		code_enum(c, &p->policies[i].home, NR_POLICY_HOMES);
		code_text(c, of->name, sizeof(of->name));
		code_u64(c, &of->reserve_yes);
		code_u64(c, &of->reserve_no);
		for (int class = 0; class < NR_CLASSES; class ++)
			code_policy_counts(c, &of->counts[class]);
	}
}

static void code_scmi(struct codec *c, struct snap_pool *p)
{
	code_bool(c, &p->scmi_known);
	code_upto(c, &p->nr_scmi, MAX_SCMI);
	for (u32 i = 0; i < p->nr_scmi && !c->failed; i++) {
		struct snap_scmi *row = &p->scmi[i];
		u32 protocol = row->protocol, message = row->message;

		code_bool(c, &row->other);
		code_upto(c, &protocol, 0xff);
		code_upto(c, &message, 0xff);
		row->protocol = (u8)protocol;
		row->message = (u8)message;
		code_u64(c, &row->count);
		code_u64(c, &row->failed);
		code_u64(c, &row->ns);
		code_u64(c, &row->max_ns);
		code_u64(c, &row->wait_ns);
	}
}

void code_pool(struct codec *c, struct snap_pool *p)
{
	u32 n;

	if (!c->writes)
		memset(p, 0, sizeof(*p));
	code_u32(c, &p->id);
	code_int(c, &p->total);
	code_int(c, &p->in_use_all);
	code_int(c, &p->in_rpc);
	code_int(c, &p->waiting_all);
	code_int(c, &p->in_use_all_peak);
	code_int(c, &p->waiting_all_peak);
	for (int class = 0; class < NR_CLASSES; class ++) {
		code_int(c, &p->in_use[class]);
		code_int(c, &p->waiting[class]);
		code_int(c, &p->in_use_peak[class]);
		code_int(c, &p->waiting_peak[class]);
		code_sums(c, &p->sums[class]);
		code_sums(c, &p->sums_iv[class]);
	}
	code_int(c, &p->reserved);
	code_enum(c, &p->design, NR_DESIGNS);
	code_int(c, &p->driver_free);
	code_int(c, &p->system_sessions);
	code_bool(c, &p->drift_known);
	code_int(c, &p->drift);
	code_int(c, &p->judged_reserved);
	n = code_length(c, NR_CONDS);
	for (u32 number = 0; number < n; number++)
		code_condition(c, &p->conds[condition_of_number(number)]);
	code_u64(c, &p->exhausted_ns_iv);
	code_u64(c, &p->oldest_wait_ns);
	if (c->schema >= 3)
		code_policies(c, p);
	if (c->schema >= 4) {
		code_int(c, &p->oldest_wait_at_least);
		code_int(c, &p->system_sessions_unseen);
		code_enum(c, &p->sight, NR_SIGHTS);
	} else {
		p->oldest_wait_at_least = p->system_sessions_unseen = -1;
	}
	if (c->schema >= 6)
		code_int(c, &p->at_arguments);
	else
		p->at_arguments = -1;
	if (c->schema >= 7)
		code_scmi(c, p);
	if (c->schema >= 8)
		code_int(c, &p->threads_at_least);
	else
		p->threads_at_least = -1;
}
