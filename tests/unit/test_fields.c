// SPDX-License-Identifier: GPL-2.0-only
/* The field tables: unique names, unknown is never a number, sorting. */
#include <stdlib.h>
#include <string.h>
#include "unit.h"
#include "model/class_sums.h"
#include "model/condition_table.h"
#include "model/figures.h"

static struct snap_session rows[3] = {
	{ .serial = 1,
	  .tgid = 10,
	  .comm = "b",
	  .sums = { { .calls = 5, .hold_ns = 100, .secure_ns = 40 } } },
	{ .serial = 2,
	  .tgid = 20,
	  .comm = "a",
	  .sums = { { .calls = 7 }, { .calls = 2 } },
	  .wait_iv = { .calls = 1, .p50 = 1024, .p99 = 2048, .max = 2048 } },
	{ .serial = 3,
	  .tgid = 30,
	  .comm = "c",
	  .sums_iv = { .calls = 4, .hold_ns = 200, .secure_ns = 50 } },
};
static const struct snapshot snap = {
	.interval_ns = 2000000000,
	.nr_pools = 1,
	.pools = { { .total = -1, .reserved = -1 } },
	.nr_sessions = 3,
	.sessions = rows,
};

static struct value value_of(const char *name, int row)
{
	const struct session_field *f = session_field_find(name);

	assert_non_null(f);
	return f->get(&snap, &rows[row]);
}

UNIT_TEST(names_are_unique)
{
	char key[64], other[64];

	for (size_t i = 0; i < nr_session_fields; i++)
		for (size_t j = 0; j < i; j++) {
			const struct session_field *a = &session_fields[i], *b = &session_fields[j];

			assert_string_not_equal(a->name, b->name);
			assert_string_not_equal(field_json_key(a->name, a->unit, key, sizeof(key)),
						field_json_key(b->name, b->unit, other,
							       sizeof(other)));
		}
	assert_null(session_field_find("no such field"));
}

UNIT_TEST(scmi)
{
	struct snapshot one = snap;
	struct snap_session row = { .serial = 4 };
	const struct session_field *f = session_field_find("scmi");

	assert_false(f->get(&snap, &row).known);
	assert_false(session_field_shown(f, &snap)); /* a column for nobody is left out */
	row.scmi_protocols = SCMI_PROTOCOL_BIT(0x14) | SCMI_PROTOCOL_BIT(0x10);
	assert_string_equal(f->get(&snap, &row).text, "?:base,clock");
	assert_false(session_field_find("scmi_channel")->get(&snap, &row).known);
	row.scmi_channel = 1 + 0;
	assert_string_equal(f->get(&snap, &row).text, "0:base,clock");
	assert_true(session_field_find("scmi_channel")->get(&snap, &row).known);
	row.scmi_protocols = ~0U;
	assert_true(strlen(f->get(&snap, &row).text) < 72); /* what is too long is cut off */
	one.nr_sessions = 1;
	one.sessions = &row;
	assert_true(session_field_shown(f, &one));
}

UNIT_TEST(unknown_is_not_zero)
{
	struct value v = value_of("wait_p50", 0);
	char text[32];
	json_t *json;

	assert_false(v.known);
	assert_string_equal(value_format(&v, UNIT_NS, text, sizeof(text)), "-");
	json = value_json(&v, UNIT_NS);
	assert_true(json_is_null(json));
	json_decref(json);
	assert_false(value_of("uuid", 0).known);
	assert_false(value_of("origin", 0).known);
	assert_false(value_of("secure_share", 0).known);
	for (size_t i = 0; i < nr_pool_fields; i++)
		if (!strcmp(pool_fields[i].name, "threads") ||
		    !strcmp(pool_fields[i].name, "free") ||
		    !strcmp(pool_fields[i].name, "reserved") ||
		    !strcmp(pool_fields[i].name, "drift"))
			assert_false(pool_fields[i].get(&snap, &snap.pools[0]).known);
}

UNIT_TEST(figures)
{
	assert_true(value_of("calls", 1).number == 9);
	assert_true(value_of("rpc", 0).number == 60);
	assert_true(value_of("calls_rate", 2).number == 2);
	assert_true(value_of("secure_share", 2).number == 25);
	assert_true(value_of("rpc_share", 2).number == 75);
	assert_true(value_of("wait_p99", 1).number == 2048);
}

UNIT_TEST(order)
{
	u32 order[3];

	sessions_order(&snap, session_field_find("calls"), false, order);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[2], 2);
	sessions_order(&snap, session_field_find("client"), false, order);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 0);
	sessions_order(&snap, session_field_find("wait_p50"), true, order);
	assert_int_equal(order[0], 1); /* what is known comes first, reversed or not */
}

/* A table that ends before the last unit is read past its end. */
UNIT_TEST(every_unit_has_its_words)
{
	for (int unit = 0; unit < NR_UNITS; unit++) {
		assert_non_null(unit_words[unit].key);
		assert_non_null(unit_words[unit].after);
		assert_non_null(unit_words[unit].name);
	}
	assert_string_equal(unit_words[UNIT_BYTES].after, " bytes");
	assert_string_equal(unit_words[UNIT_PERCENT].after, "%");
}

/* What is in recordings of old stays what it was; what came later has the numbers that follow. */
UNIT_TEST(numbers_of_conditions)
{
	static const char *const old[] = {
		"overrun",   "harmful_overrun", "reserve_breach", "reserve_idle",    "exhausted",
		"stranded",  "starved",         "count_mismatch", "deadlock",        "drift",
		"lost_wake", "convoy",          "session_leak",   "supplicant_gone",
	};

	for (u32 i = 0; i < NR_CONDS; i++) {
		enum condition cond = condition_of_number(i);

		assert_int_not_equal(cond, NR_CONDS);
		if (i < sizeof(old) / sizeof(old[0]))
			assert_string_equal(condition_table[cond].key, old[i]);
	}
	assert_int_equal(condition_of_number(NR_CONDS), NR_CONDS);
}

/* Each member of struct class_sums has a row, and in recordings of old they stay what they were. */
UNIT_TEST(sums_have_rows)
{
	static const char *const old[] = {
		"calls",           "failed",        "waited",          "wait_ns",
		"wait_longest_ns", "hold_ns",       "hold_longest_ns", "secure_ns",
		"limits",          "limit_wait_ns", "waited_late",
	};

	assert_true(NR_SUMS >= sizeof(old) / sizeof(old[0]));
	for (size_t i = 0; i < NR_SUMS; i++) {
		assert_non_null(sum_rows[i].key);
		if (i < sizeof(old) / sizeof(old[0]))
			assert_string_equal(sum_rows[i].key, old[i]);
	}
}

static bool known(struct figures f, const char *name)
{
	while (figures_next(&f))
		if (!strcmp(f.name, name))
			return f.value.known;
	fail_msg("there is no %s", name);
	return false;
}

/* What a recording lacks is unknown, not 0. */
UNIT_TEST(sums_it_lacks_are_unknown)
{
	struct snapshot s = { .sums_unknown = NR_SUMS - SUM(waited_late) };
	struct snap_session row = {};
	struct snap_ta ta = {};

	assert_true(known(session_figures(&s, &row), "calls"));
	assert_false(known(session_figures(&s, &row), "waited_late"));
	assert_true(known(ta_figures(&s, &ta), "calls"));
	assert_false(known(ta_figures(&s, &ta), "waited_late"));
}
