// SPDX-License-Identifier: GPL-2.0-only
/* Each table has a type of its own; here is what they have in common. */
#include "model/figures.h"

/* Takes a row of a table; its value, where there is something to take it from. */
#define TAKE(fields, get_value)                                                                    \
	do {                                                                                       \
		if (f->next == nr_##fields)                                                        \
			return false;                                                              \
		f->name = fields[f->next].name;                                                    \
		f->help = fields[f->next].help;                                                    \
		f->unit = fields[f->next].unit;                                                    \
		f->kind = fields[f->next].kind;                                                    \
		if (f->row && !(f->logged && f->kind == KIND_INTERVAL))                            \
			f->value = get_value;                                                      \
		f->next++;                                                                         \
	} while (0)

static bool take_pool(struct figures *f)
{
	TAKE(pool_fields, pool_fields[f->next].get(f->s, f->row));
	f->metric = pool_fields[f->next - 1].metric;
	return true;
}

static bool take_session(struct figures *f)
{
	TAKE(session_fields, session_fields[f->next].get(f->s, f->row));
	return true;
}

static bool take_ta(struct figures *f)
{
	TAKE(ta_fields, ta_fields[f->next].get(f->s, f->row));
	f->metric = ta_fields[f->next - 1].metric;
	return true;
}

static bool take_policy(struct figures *f)
{
	TAKE(policy_fields, policy_fields[f->next].get(f->row, f->class));
	f->metric = policy_fields[f->next - 1].metric;
	return true;
}

static bool take_condition(struct figures *f)
{
	TAKE(condition_fields, condition_fields[f->next].get(f->row));
	f->metric = condition_fields[f->next - 1].metric;
	return true;
}

static bool take_scmi(struct figures *f)
{
	TAKE(scmi_fields, scmi_fields[f->next].get(f->row));
	f->metric = scmi_fields[f->next - 1].metric;
	return true;
}

/* Those of enum loss, and the hook runs that the kernel skipped. */
static bool take_loss(struct figures *f)
{
	const struct snap_losses *losses = f->row;
	bool missed = f->next == NR_LOSSES;
	const struct loss_field *field;

	if (f->next > NR_LOSSES)
		return false;
	field = missed ? &missed_field : &loss_fields[f->next];
	f->name = field->name;
	f->help = field->help;
	f->unit = UNIT_COUNT;
	f->kind = KIND_TOTAL;
	f->value.known = losses &&
			 (missed ? losses->missed_known : f->next < NR_LOSSES - losses->unknown);
	if (f->value.known)
		f->value.number = (double)(missed ? losses->missed : losses->count[f->next]);
	f->next++;
	return true;
}

struct figures pool_figures(const struct snapshot *s, const struct snap_pool *pool)
{
	return (struct figures){ .take = take_pool, .s = s, .row = pool };
}

struct figures session_figures(const struct snapshot *s, const struct snap_session *row)
{
	return (struct figures){ .take = take_session, .s = s, .row = row };
}

struct figures ta_figures(const struct snapshot *s, const struct snap_ta *row)
{
	return (struct figures){ .take = take_ta, .s = s, .row = row };
}

struct figures policy_figures(const struct snap_policy *policy, enum call_class class)
{
	return (struct figures){ .take = take_policy, .row = policy, .class = class };
}

struct figures condition_figures(const struct snap_cond *cond)
{
	return (struct figures){ .take = take_condition, .row = cond };
}

struct figures scmi_figures(const struct snap_scmi *row)
{
	return (struct figures){ .take = take_scmi, .row = row };
}

struct figures loss_figures(const struct snap_losses *losses)
{
	return (struct figures){ .take = take_loss, .row = losses };
}

bool figures_next(struct figures *f)
{
	do
		if (!f->take(f))
			return false;
	while (f->logged && f->kind == KIND_INTERVAL);
	return true;
}
