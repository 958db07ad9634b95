// SPDX-License-Identifier: GPL-2.0-only
/*
 * The manual has every key that is written of conditions and events, and no other, and
 * every table.
 */
#include <string.h>
#include "unit.h"
#include "model/call_fields.h"
#include "fixtures/capture.h"
#include "model/condition_table.h"
#include "model/fields.h"
#include "command/commands.h"
#include "command/help.h"
#include "command/man.h"
#include "render/json.h"
#include "options/opts.h"
#include "policy/policy_state_fields.h"
#include "check/rule_table.h"
#include "metrics/daemon_stats.h"

static bool has(const struct key_help *keys, const char *key)
{
	for (; keys->key; keys++)
		if (!strcmp(keys->key, key))
			return true;
	return false;
}

static void every_key_has_help(json_t *object, const struct key_help *keys)
{
	const char *key;
	json_t *value;

	assert_non_null(object);
	json_object_foreach (object, key, value)
		if (!has(keys, key)) {
			print_error("no help on '%s'\n", key);
			assert_true(false);
		}
}

static void all_help_is_of(json_t *object, const struct key_help *keys)
{
	for (; keys->key; keys++)
		if (!json_object_get(object, keys->key)) {
			print_error("'%s' is not written\n", keys->key);
			assert_true(false);
		}
}

static const struct event stranded = {
	.condition = COND_STRANDED,
	.nr_parties = 1,
	.parties = { { .tid = 1, .behind = -1 } },
};
static const struct event deadlock = {
	.condition = COND_DEADLOCK,
	.nr_parties = 1,
	.parties = { { .tid = 1, .behind = -1 } },
};

static const struct host host = { .boot_id = "" };

UNIT_TEST(events)
{
	static const char *const of_a_line[] = { "schema", "ts", "boot_id", "seq" };
	json_t *line = event_line_json(&host, &stranded, 1),
	       *other = event_line_json(&host, &deadlock, 1);
	json_t *who = json_array_get(json_object_get(line, "who"), 0);

	every_key_has_help(json_object_get(line, "why"), why_keys);
	all_help_is_of(json_object_get(line, "why"), why_keys);
	json_object_update(who, json_array_get(json_object_get(other, "who"), 0));
	every_key_has_help(who, who_keys);
	all_help_is_of(who, who_keys);
	for (size_t i = 0; i < sizeof(of_a_line) / sizeof(of_a_line[0]); i++)
		assert_int_equal(json_object_del(line, of_a_line[i]), 0);
	every_key_has_help(line, event_keys);
	all_help_is_of(line, event_keys);
	json_decref(line);
	json_decref(other);
}

UNIT_TEST(conditions)
{
	static struct snapshot s = { .nr_pools = 1 };
	static const struct opts o;
	json_t *root, *pool, *overrun;
	char key[64];

	s.pools[0].conds[COND_OVERRUN].known = true;
	root = snapshot_json(&o, &host, &s);
	pool = json_array_get(json_object_get(root, "pools"), 0);
	overrun = json_object_get(json_object_get(pool, "conditions"), "overrun");
	assert_int_equal(json_object_size(overrun), nr_condition_fields);
	for (size_t i = 0; i < nr_condition_fields; i++)
		assert_non_null(json_object_get(overrun, field_json_key(condition_fields[i].name,
									condition_fields[i].unit,
									key, sizeof(key))));
	assert_true(json_is_null(json_object_get(overrun, "since_ns")));
	assert_true(json_is_integer(json_object_get(overrun, "time_ns")));
	assert_true(json_is_null(json_object_get(json_object_get(pool, "conditions"), "stranded")));
	json_decref(root);
}

UNIT_TEST(host_line)
{
	json_t *line = host_json(&host);

	every_key_has_help(line, host_keys);
	all_help_is_of(line, host_keys);
	json_decref(line);
}

UNIT_TEST(call_records)
{
	static const struct snapshot s = { .nr_cpus = 2, .records = { { 5, 1 }, { 7, 2 } } };
	static const struct host recording = { .calls = true };
	static const struct opts o;
	json_t *root = snapshot_json(&o, &recording, &s), *records, *cpu;

	records = json_object_get(root, "call_records");
	every_key_has_help(records, call_records_keys);
	all_help_is_of(records, call_records_keys);
	assert_int_equal(json_integer_value(json_object_get(records, "emitted")), 12);
	assert_int_equal(json_integer_value(json_object_get(records, "lost")), 3);
	assert_int_equal(json_array_size(json_object_get(records, "per_cpu")), 2);
	cpu = json_array_get(json_object_get(records, "per_cpu"), 1);
	assert_int_equal(json_integer_value(json_array_get(cpu, 0)), 7);
	assert_int_equal(json_integer_value(json_array_get(cpu, 1)), 2);
	json_decref(root);
	root = snapshot_json(&o, &host, &s);
	assert_true(json_is_null(json_object_get(root, "call_records")));
	json_decref(root);
}

static void has_row(const char *page, const char *name)
{
	char row[1024];
	size_t at = 0;

	for (; *name; name++)
		at += (size_t)snprintf(row + at, sizeof(row) - at, *name == '-' ? "\\-" : "%c",
				       *name);
	if (!strstr(page, row)) {
		print_error("the manual has no '%s'\n", row);
		assert_true(false);
	}
}

/* The page has a place for every table, and everything in it has a table. */
UNIT_TEST(the_manual_is_filled_in)
{
	static char page[256 * 1024];
	char rule[RULE_TEXT];
	struct capture out;
	enum status status;

	capture_begin(&out, STDOUT_FILENO);
	status = man_print();
	capture_end(&out, page, sizeof(page));
	assert_int_equal(status, STATUS_OK);
	assert_null(strchr(page, '@'));
	assert_null(strstr(page, "\n\n"));
	for (size_t i = 0; i < nr_commands; i++)
		has_row(page, command_table[i].name);
	for (size_t i = 0; i < nr_options; i++)
		has_row(page, option_table[i].help);
	for (size_t i = 0; i < nr_policy_commands; i++)
		has_row(page, policy_commands[i].help);
	for (size_t i = 0; i < nr_statuses; i++)
		has_row(page, status_table[i].help);
	for (int i = 0; i < NR_CONDS; i++)
		has_row(page, condition_table[i].remedy);
	for (int i = 0; i < NR_LOSSES; i++)
		has_row(page, loss_fields[i].help);
	for (int i = 0; i < NR_DAEMON_STATS; i++)
		has_row(page, daemon_stat_fields[i].metric);
	has_row(page, session_fields[nr_session_fields - 1].help);
	has_row(page, pool_fields[nr_pool_fields - 1].help);
	has_row(page, policy_fields[nr_policy_fields - 1].help);
	has_row(page, ta_fields[nr_ta_fields - 1].help);
	has_row(page, rpc_fields[nr_rpc_fields - 1].help);
	has_row(page, condition_fields[nr_condition_fields - 1].help);
	has_row(page, call_fields[nr_call_fields - 1].help);
	has_row(page, queue_figures[nr_queue_figures - 1].help);
	for (size_t i = 0; rule_kind_at(i); i++)
		has_row(page, rule_kind_at(i)->help);
	has_row(page, rules_text[0]);
	has_row(page, rules_text[1]);
	has_row(page, usual_rule(0, rule));
	has_row(page, event_keys[0].help);
	has_row(page, why_keys[0].help);
	has_row(page, who_keys[0].help);
	has_row(page, host_keys[0].help);
	has_row(page, call_records_keys[0].help);
	has_row(page, policy_keys[0].help);
	has_row(page, policy_last_keys[0].help);
}
