// SPDX-License-Identifier: GPL-2.0-only
/*
 * Samples of a log, each with its time in ms: what a database for many devices
 * imports. Names and labels are those of the metrics (src/metrics/metrics.c); lines of the
 * same figure do not follow each other, so there is no HELP nor TYPE among them.
 */
#include <string.h>
#include "log/log_export.h"
#include "model/condition_table.h"
#include "model/figures.h"
#include "model/hist.h"

static void family(struct metric_out *m, const char *name, enum field_unit unit, bool histogram)
{
	metric_family(m, &(struct metric){ .name = name,
					   .unit = unit,
					   .kind = KIND_NOW,
					   .histogram = histogram });
	m->headed = true;
}

static u64 count_of(const json_t *n)
{
	return json_is_integer(n) && json_integer_value(n) > 0 ? (u64)json_integer_value(n) : 0;
}

/* One that is not known is left out. */
static void put_number(struct metric_out *m, const struct labels *l, const json_t *n)
{
	const struct value v = { .known = json_is_integer(n),
				 .number = (double)json_integer_value(n) };

	if (json_is_integer(n) && json_integer_value(n) >= 0)
		metric_number(m, l, (u64)json_integer_value(n));
	else
		metric_sample(m, l, &v);
}

static const json_t *member(const json_t *json, const char *name, enum field_unit unit)
{
	char key[64];

	return json_object_get(json, field_json_key(name, unit, key, sizeof(key)));
}

static struct labels labels_of(const json_t *json)
{
	struct labels l;

	l.len = 0;
	labels_add_number(&l, "tee", (u32)count_of(json_object_get(json, "tee")));
	return l;
}

static void put_conditions(struct metric_out *m, const json_t *json)
{
	const json_t *conditions = json_object_get(json, "conditions");

	for (int cond = 0; cond < NR_CONDS; cond++) {
		const json_t *c = json_object_get(conditions, condition_table[cond].key);
		struct figures f = condition_figures(NULL);
		struct labels l = labels_of(json);

		labels_add(&l, "condition", condition_table[cond].key);
		while (figures_next(&f)) {
			if (!f.metric)
				continue;
			family(m, f.metric, f.unit, false);
			put_number(m, &l, member(c, f.name, f.unit));
		}
	}
}

static void put_pool(struct metric_out *m, const json_t *json)
{
	for (size_t i = 0; i < nr_pool_fields; i++) {
		const struct pool_field *f = &pool_fields[i];
		struct labels l = labels_of(json);

		if (!f->metric)
			continue;
		if (f->class)
			labels_add(&l, "class", f->class);
		family(m, f->metric, f->unit, false);
		put_number(m, &l, member(json, f->name, f->unit));
	}
	put_conditions(m, json);
}

/* From [lower edge, calls] to calls by octave. */
static void put_histogram(struct metric_out *m, const struct labels *l, const json_t *json,
			  const struct ta_field *f)
{
	u64 octaves[HIST_OCTAVES] = {};
	const json_t *pairs;
	char key[64];

	snprintf(key, sizeof(key), "%s_histogram", f->name);
	pairs = json_object_get(json, key);
	for (size_t i = 0; i < json_array_size(pairs); i++) {
		const json_t *pair = json_array_get(pairs, i);
		u64 edge = count_of(json_array_get(pair, 0));
		unsigned int octave = 0;

		while (octave < HIST_OCTAVES - 1 && edge >= hist_octave_end(octave))
			octave++;
		octaves[octave] += count_of(json_array_get(pair, 1));
	}
	metric_histogram(m, l, octaves, count_of(member(json, f->name, f->unit)));
}

static void put_rpc_kinds(struct metric_out *m, const struct labels *of_ta, const json_t *json)
{
	const json_t *kinds = json_object_get(json, "rpc_kinds");

	for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
		const json_t *rpc = json_object_get(kinds, rpc_name(kind));
		struct labels l = *of_ta;

		labels_add(&l, "kind", rpc_name(kind));
		for (size_t i = 0; rpc && i < nr_rpc_fields; i++) {
			family(m, rpc_fields[i].metric, rpc_fields[i].unit, false);
			put_number(m, &l, member(rpc, rpc_fields[i].name, rpc_fields[i].unit));
		}
	}
}

static void put_ta(struct metric_out *m, const json_t *json)
{
	struct labels l = labels_of(json);

	labels_add_ta(&l, json_string_value(json_object_get(json, "ta")));
	labels_add(&l, "class", json_string_value(json_object_get(json, "class")) ?: "");
	for (size_t i = 0; i < nr_ta_fields; i++) {
		const struct ta_field *f = &ta_fields[i];

		if (!f->metric)
			continue;
		family(m, f->metric, f->unit, f->octaves);
		if (f->octaves)
			put_histogram(m, &l, json, f);
		else
			put_number(m, &l, member(json, f->name, f->unit));
	}
	put_rpc_kinds(m, &l, json);
}

static void put_lost(struct metric_out *m, const json_t *json)
{
	struct figures f = loss_figures(NULL);

	family(m, LOSS_METRIC, UNIT_COUNT, false);
	while (figures_next(&f)) {
		struct labels l;

		l.len = 0;
		labels_add(&l, "kind", f.name);
		put_number(m, &l, json_object_get(json, f.name));
	}
}

static void begin(struct log_out *x)
{
	metric_begin(&x->metrics, x->out, METRICS_CLASSIC);
}

static void line(struct log_out *x, const struct log_entry *entry, const json_t *json)
{
	x->metrics.time_ms = entry->real_ns / 1000000;
	if (entry->type == LOG_POOL)
		put_pool(&x->metrics, json);
	else if (entry->type == LOG_TA)
		put_ta(&x->metrics, json);
	else if (entry->type == LOG_LOSSES)
		put_lost(&x->metrics, json);
}

static void end(struct log_out *x)
{
	metric_end(&x->metrics);
}

const struct log_out_format log_out_prometheus = {
	.name = "prometheus",
	.begin = begin,
	.line = line,
	.end = end,
	.types = 1U << LOG_POOL | 1U << LOG_TA | 1U << LOG_LOSSES,
};
