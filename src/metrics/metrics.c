// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metric by metric, and within each TEE by TEE or TA by TA: both dialects want all
 * samples of a name together.
 */
#include <string.h>
#include "metrics/metrics.h"
#include "model/condition_table.h"
#include "model/figures.h"

const char *metrics_type(enum metrics_dialect dialect)
{
	static const char *const types[] = {
		[METRICS_CLASSIC] = "text/plain; version=0.0.4; charset=utf-8",
		[METRICS_OPENMETRICS] =
			"application/openmetrics-text; version=1.0.0; charset=utf-8",
	};

	return types[dialect];
}

static struct labels labels_of_tee(u32 tee)
{
	struct labels l;

	l.len = 0;
	labels_add_number(&l, "tee", tee);
	return l;
}

static void put_up(struct metric_out *m, bool up)
{
	metric_family(m, &(struct metric){
				 "optee_up", UNIT_COUNT, KIND_NOW,
				 .help = "1 while the OP-TEE driver is loaded and watched" });
	metric_number(m, NULL, up);
}

static void put_host(struct metric_out *m, const struct host *host, const struct snapshot *s)
{
	metric_family(m, &(struct metric){
				 "optee_info", UNIT_COUNT, KIND_NOW, .info = true,
				 .help = "versions of optee-top and of the kernel; who "
					 "counts threads: none, merged (6.8), v6 or policy" });
	for (u32 i = 0; i < s->nr_pools; i++) {
		struct labels l = labels_of_tee(s->pools[i].id);

		labels_add(&l, "version", host->version);
		labels_add(&l, "kernel", host->release);
		labels_add(&l, "design", design_name(s->pools[i].design));
		metric_number(m, &l, 1);
	}
	metric_family(m, &(struct metric){ "optee_attached_timestamp_seconds", UNIT_NS, KIND_NOW,
					   .help = "when optee-top attached, which is when the "
						   "counters of OP-TEE start" });
	metric_number(m, NULL, host->real_ns);
}

/* Of two tables, rows of one metric follow each other: name(i) is that of row i, or NULL. */
typedef const char *metric_name_fn(size_t i);
typedef void put_rows_fn(struct metric_out *m, const struct snapshot *s, size_t first, size_t end);

static void put_by_metric(struct metric_out *m, const struct snapshot *s, size_t nr,
			  metric_name_fn *name, put_rows_fn *put)
{
	for (size_t i = 0, end; i < nr; i = end) {
		end = i + 1;
		if (!name(i))
			continue;
		while (end < nr && name(end) && !strcmp(name(i), name(end)))
			end++;
		put(m, s, i, end);
	}
}

/* The help of a metric whose rows have a help each. */
static void add_help(char help[METRIC_HELP], const char *of_row)
{
	size_t used = strlen(help);

	snprintf(help + used, METRIC_HELP - used, "%s%s", used ? "; " : "", of_row);
}

static void put_pool_metric(struct metric_out *m, const struct snapshot *s, size_t first,
			    size_t end)
{
	const struct pool_field *f = &pool_fields[first];
	char help[METRIC_HELP] = "";

	for (size_t i = first; i < end; i++)
		add_help(help, pool_fields[i].help);
	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = help });
	for (u32 p = 0; p < s->nr_pools; p++)
		for (size_t i = first; i < end; i++) {
			struct value v = pool_fields[i].get(s, &s->pools[p]);
			struct labels l = labels_of_tee(s->pools[p].id);

			if (pool_fields[i].class)
				labels_add(&l, "class", pool_fields[i].class);
			metric_sample(m, &l, &v);
		}
}

static const char *pool_metric(size_t i)
{
	return pool_fields[i].metric;
}

static void put_condition_metric(struct metric_out *m, const struct snapshot *s,
				 const struct condition_field *f)
{
	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = f->help });
	for (u32 p = 0; p < s->nr_pools; p++)
		for (int cond = 0; cond < NR_CONDS; cond++) {
			struct value v = f->get(&s->pools[p].conds[cond]);
			struct labels l = labels_of_tee(s->pools[p].id);

			labels_add(&l, "condition", condition_table[cond].key);
			metric_sample(m, &l, &v);
		}
}

static void put_policy_samples(struct metric_out *m, const struct snap_pool *pool,
			       const struct policy_field *f)
{
	for (u32 p = 0; p < pool->nr_policies; p++)
		for (int class = 0; class < NR_CLASSES; class ++) {
			const struct snap_policy *policy = &pool->policies[p];
			struct value v = f->get(policy, class);
			struct labels l = labels_of_tee(pool->id);

			labels_add(&l, "policy", policy->of.name);
			labels_add(&l, "home", policy_home_name(policy->home));
			labels_add(&l, "class", class_name(class));
			if (f->label)
				labels_add(&l, f->label, f->value);
			metric_sample(m, &l, &v);
		}
}

static void put_policy_metric(struct metric_out *m, const struct snapshot *s, size_t first,
			      size_t end)
{
	const struct policy_field *f = &policy_fields[first];
	char help[METRIC_HELP] = "";

	for (size_t i = first; i < end; i++)
		add_help(help, policy_fields[i].help);
	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = help });
	for (u32 p = 0; p < s->nr_pools; p++)
		for (size_t i = first; i < end; i++)
			put_policy_samples(m, &s->pools[p], &policy_fields[i]);
}

static const char *policy_metric(size_t i)
{
	return policy_fields[i].metric;
}

static void put_scmi_metric(struct metric_out *m, const struct snapshot *s,
			    const struct scmi_field *f)
{
	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = f->help });
	for (u32 p = 0; p < s->nr_pools; p++)
		for (u32 i = 0; i < s->pools[p].nr_scmi; i++) {
			const struct snap_scmi *row = &s->pools[p].scmi[i];
			struct figures names = scmi_figures(row);
			struct labels l = labels_of_tee(s->pools[p].id);
			struct value v = f->get(row);

			while (figures_next(&names))
				if (names.unit == UNIT_TEXT)
					labels_add(&l, names.name,
						   names.value.known ? names.value.text :
								       SCMI_OTHERS);
			metric_sample(m, &l, &v);
		}
}

static void put_lost(struct metric_out *m, const struct snap_losses *losses)
{
	struct figures f = loss_figures(losses);

	metric_family(m,
		      &(struct metric){ LOSS_METRIC, UNIT_COUNT, KIND_TOTAL, .help = LOSS_HELP });
	while (figures_next(&f)) {
		struct labels l = {};

		labels_add(&l, "kind", f.name);
		metric_sample(m, &l, &f.value);
	}
}

/* What each row of snapshot.tas is called: made once, used in every family. */
struct rows {
	const struct snapshot *s;
	struct labels labels[MAX_TAS];
};

static struct labels labels_of_ta(const struct snapshot *s, const struct snap_ta *row)
{
	struct labels l = labels_of_tee(s->pools[row->pool].id);

	labels_add_ta(&l, row->other ? TA_OTHERS : row->known ? row->ta : NULL);
	labels_add(&l, "class", class_name(row->class));
	return l;
}

static void put_ta_metric(struct metric_out *m, const struct rows *rows, const struct ta_field *f)
{
	const struct snapshot *s = rows->s;

	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = f->help,
					   .histogram = f->octaves });
	for (u32 i = 0; i < s->nr_tas; i++) {
		const struct snap_ta *row = &s->tas[i];
		struct value v = f->get(s, row);

		if (f->octaves)
			metric_histogram(m, &rows->labels[i], f->octaves(row), (u64)v.number);
		else
			metric_sample(m, &rows->labels[i], &v);
	}
}

static void put_rpc_metric(struct metric_out *m, const struct rows *rows, const struct rpc_field *f)
{
	const struct snapshot *s = rows->s;

	metric_family(m, &(struct metric){ f->metric, f->unit, f->kind, .help = f->help });
	for (u32 i = 0; i < s->nr_tas; i++)
		for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
			const struct snap_ta *row = &s->tas[i];
			struct labels l;

			if (!row->rpc_count[kind])
				continue;
			l = rows->labels[i];
			labels_add(&l, "kind", rpc_name(kind));
			metric_number(m, &l, f->get(row, kind));
		}
}

static void put_tas(struct metric_out *m, const struct snapshot *s)
{
	struct rows rows;

	rows.s = s;
	for (u32 i = 0; i < s->nr_tas; i++)
		rows.labels[i] = labels_of_ta(s, &s->tas[i]);
	for (size_t i = 0; i < nr_ta_fields; i++)
		if (ta_fields[i].metric)
			put_ta_metric(m, &rows, &ta_fields[i]);
	for (size_t i = 0; i < nr_rpc_fields; i++)
		put_rpc_metric(m, &rows, &rpc_fields[i]);
}

static void put_driver(struct metric_out *m, const struct host *host, const struct snapshot *s)
{
	metric_created(m, host->real_ns);
	put_host(m, host, s);
	put_by_metric(m, s, nr_pool_fields, pool_metric, put_pool_metric);
	for (size_t i = 0; i < nr_condition_fields; i++)
		if (condition_fields[i].metric)
			put_condition_metric(m, s, &condition_fields[i]);
	put_by_metric(m, s, nr_policy_fields, policy_metric, put_policy_metric);
	for (size_t i = 0; i < nr_scmi_fields; i++)
		if (scmi_fields[i].metric)
			put_scmi_metric(m, s, &scmi_fields[i]);
	put_lost(m, &s->losses);
	put_tas(m, s);
}

static void put_self(struct metric_out *m, const struct daemon_stats *self)
{
	const char *last = "";

	metric_created(m, self->since_ns);
	for (int i = 0; i < NR_DAEMON_STATS; i++) {
		const struct daemon_stat_field *f = &daemon_stat_fields[i];
		struct labels l = {};

		if (strcmp(f->metric, last))
			metric_family(m, &(struct metric){ f->metric, f->unit, f->kind,
							   .help = f->help });
		last = f->metric;
		if (f->label)
			labels_add(&l, f->label, f->value);
		if (self->at[i] != STAT_UNUSED)
			metric_number(m, &l, self->at[i]);
	}
}

void metrics_print(FILE *out, enum metrics_dialect dialect, const struct host *host,
		   const struct snapshot *s, const struct daemon_stats *self)
{
	struct metric_out m;

	metric_begin(&m, out, dialect);
	put_up(&m, s && s->nr_pools);
	if (s && s->nr_pools)
		put_driver(&m, host, s);
	if (self)
		put_self(&m, self);
	metric_end(&m);
}
