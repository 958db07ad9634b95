// SPDX-License-Identifier: GPL-2.0-only
/* Names of metrics, from all tables: unique, with unit and kind as Prometheus wants them. */
#include <ctype.h>
#include <string.h>
#include "unit.h"
#include "model/fields.h"

#define MOST 100

struct named {
	const char *name, *help;
	enum field_unit unit;
	enum field_kind kind;
	const char *class;
	bool hist;
};

static int nr;
static struct named all[MOST];

static void add(struct named n)
{
	assert_true(nr < MOST);
	if (n.name)
		all[nr++] = n;
	else
		assert_null(n.class);
}

static void gather(void)
{
	nr = 0;
	for (size_t i = 0; i < nr_pool_fields; i++) {
		const struct pool_field *f = &pool_fields[i];

		add((struct named){ f->metric, f->help, f->unit, f->kind, f->class, false });
	}
	for (size_t i = 0; i < nr_condition_fields; i++) {
		const struct condition_field *f = &condition_fields[i];

		add((struct named){ f->metric, f->help, f->unit, f->kind, NULL, false });
	}
	for (size_t i = 0; i < nr_ta_fields; i++) {
		const struct ta_field *f = &ta_fields[i];

		add((struct named){ f->metric, f->help, f->unit, f->kind, NULL, f->octaves });
	}
	for (size_t i = 0; i < nr_rpc_fields; i++) {
		const struct rpc_field *f = &rpc_fields[i];

		add((struct named){ f->metric, f->help, f->unit, f->kind, NULL, false });
	}
	add((struct named){ LOSS_METRIC, LOSS_HELP, UNIT_COUNT, KIND_TOTAL, NULL, false });
	assert_true(nr > 30);
}

static bool ends(const char *s, const char *with)
{
	size_t len = strlen(s), tail = strlen(with);

	return len > tail && !strcmp(s + len - tail, with);
}

UNIT_TEST(names)
{
	gather();
	for (int i = 0; i < nr; i++) {
		const struct named *n = &all[i];

		assert_true(!strncmp(n->name, "optee_", 6) && strncmp(n->name, "optee_top_", 10));
		for (const char *c = n->name; *c; c++)
			assert_true(islower(*c) || *c == '_');
		assert_int_equal(ends(n->name, "_total"), n->kind == KIND_TOTAL && !n->hist);
		assert_int_equal(strstr(n->name, "_seconds") != NULL, n->unit == UNIT_NS);
		assert_true(n->unit == UNIT_NS || n->unit == UNIT_COUNT);
		assert_true(n->kind != KIND_INTERVAL && n->kind != KIND_IDENTITY);
		assert_null(strstr(n->help, "\n"));
	}
}

/* A name comes twice only with the classes one after the other. */
UNIT_TEST(unique)
{
	gather();
	for (int i = 0; i < nr; i++)
		for (int j = 0; j < i; j++) {
			if (strcmp(all[i].name, all[j].name))
				continue;
			assert_int_equal(j, i - 1);
			assert_string_equal(all[j].class, "normal");
			assert_string_equal(all[i].class, "system");
			assert_int_equal(all[i].kind, all[j].kind);
		}
}

/* What can be logged or scraped has a meaning of its own at any time. */
UNIT_TEST(interval_figures)
{
	for (size_t i = 0; i < nr_session_fields; i++) {
		const struct session_field *f = &session_fields[i];
		bool rate = f->unit == UNIT_PER_SECOND || f->unit == UNIT_PERCENT;

		if (rate || strstr(f->name, "_p50") || strstr(f->name, "_p99"))
			assert_int_equal(f->kind, KIND_INTERVAL);
		assert_true(f->unit != UNIT_TEXT || f->kind == KIND_IDENTITY ||
			    f->kind == KIND_NOW);
	}
	for (size_t i = 0; i < nr_pool_fields; i++)
		assert_int_equal(pool_fields[i].kind == KIND_INTERVAL,
				 pool_fields[i].unit == UNIT_PERCENT);
}

UNIT_TEST(ta_rows)
{
	static const struct snapshot s = { .nr_pools = 1, .pools = { { .id = 3 } } };
	const struct snap_ta rows[] = {
		{ .known = true, .ta = "avb", .sums = { .wait_ns = 7 }, .wait = { 1, 2 } },
		{ .other = true },
		{ .class = CLASS_SYSTEM },
	};

	assert_true(ta_fields[0].get(&s, &rows[0]).number == 3);
	assert_string_equal(ta_fields[1].get(&s, &rows[0]).text, "avb");
	assert_string_equal(ta_fields[1].get(&s, &rows[1]).text, TA_OTHERS);
	assert_false(ta_fields[1].get(&s, &rows[2]).known);
	assert_string_equal(ta_fields[2].get(&s, &rows[2]).text, "system");
	for (size_t i = 0; i < nr_ta_fields; i++) {
		const struct ta_field *f = &ta_fields[i];

		if (!strcmp(f->name, "wait")) {
			assert_true(f->get(&s, &rows[0]).number == 7);
			assert_int_equal(f->octaves(&rows[0])[1], 2);
		} else if (f->octaves) {
			assert_int_equal(f->octaves(&rows[0])[1], 0);
		} else if (f->kind == KIND_PEAK) { /* of no call */
			assert_false(f->get(&s, &rows[0]).known);
		}
	}
}
