// SPDX-License-Identifier: GPL-2.0-only
/* Each rule passes, fails, and is unknown where it can be. */
#include "unit.h"
#include "fixtures/capture.h"
#include "fixtures/fake_source.h"
#include "optee_admission.h"
#include "check/check_run.h"

static struct fake fake;
static struct finding found;
static int command_status = -1; /* -1: there is none */

/* What the rule says of the fake source, or of a command besides. */
static enum verdict judged(const char *rule)
{
	struct opts o = {};
	struct check_run t;
	char path[32];

	finding_release(&found);
	memset(&found, 0, sizeof(found));
	fake.step = fake.given = 0;
	file_of(path, rule, strlen(rule));
	o.rules = path;
	assert_int_equal(check_run_init(&t, &o), STATUS_OK);
	unlink(path);
	assert_int_equal(check_run_begin(&t, &fake.source), STATUS_OK);
	check_run_all(&t);
	t.seen->has_command = command_status >= 0;
	t.seen->command_status = command_status;
	summary_finish(t.seen);
	for (u32 i = 0; i < t.seen->nr_waiting; i++)
		rules_wait(&t.rules, t.seen->waiting[i].class, t.seen->waiting[i].ns);
	t.rules.rules[0].judge(&t.rules.rules[0], t.seen, &found);
	check_run_release(&t);
	return found.verdict;
}

static void expect(const char *rule, enum verdict verdict, const char *says)
{
	enum verdict have = judged(rule);

	if (have != verdict || strcmp(found.found, says))
		print_error("%s: %s '%s'\n", rule, verdict_name(have), found.found);
	assert_int_equal(have, verdict);
	assert_string_equal(found.found, says);
}

static bool evidence(const char *part)
{
	for (int i = 0; i < found.nr_lines; i++)
		if (strstr(found.lines[i], part))
			return true;
	return false;
}

UNIT_TEST(conditions)
{
	static const struct {
		const char *rule;
		enum condition cond;
	} cases[] = {
		{ "no_overrun", COND_OVERRUN },
		{ "no_harmful_overrun", COND_HARMFUL_OVERRUN },
		{ "no_reserve_breach", COND_RESERVE_BREACH },
		{ "no_reserve_idle", COND_RESERVE_IDLE },
		{ "no_stranded", COND_STRANDED },
		{ "no_starved", COND_STARVED },
		{ "no_lost_wake", COND_LOST_WAKE },
		{ "no_count_mismatch", COND_COUNT_MISMATCH },
		{ "no_deadlock", COND_DEADLOCK },
		{ "no_drift", COND_DRIFT },
		{ "no_convoy", COND_CONVOY },
		{ "no_session_leak", COND_SESSION_LEAK },
		{ "no_supplicant_gone", COND_SUPPLICANT_GONE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u64 before = cases[i].cond == COND_STARVED ? SECOND : 0;

		fake_init(&fake);
		for (int cond = 0; cond < NR_CONDS;
		     cond++) /* the others are none of its business */
			if (cond != (int)cases[i].cond)
				fake_episode(&fake, cond, SECOND);
		expect(cases[i].rule, VERDICT_PASS, "none");
		fake_episode(&fake, cases[i].cond, 4 * SECOND - before);
		expect(cases[i].rule, VERDICT_FAIL,
		       before ? "1 time, the longest wait 4.0s" : "1 time, the longest 4.0s");
		assert_true(evidence("end after "));
		/* Counted, and too short for an event. */
		fake_init(&fake);
		fake.last.pools[0].conds[cases[i].cond].count = 3;
		assert_int_equal(judged(cases[i].rule), VERDICT_FAIL);
		assert_true(evidence("and 3 more"));
		fake_init(&fake);
		fake.first.pools[0].conds[cases[i].cond].known = false;
		expect(cases[i].rule, cases[i].cond == COND_DRIFT ? VERDICT_PASS : VERDICT_UNKNOWN,
		       cases[i].cond == COND_DRIFT ? "none" : "it was not known all the time");
		fake.first.pools[0].conds[cases[i].cond].known = true;
		fake.last.pools[0].conds[cases[i].cond].known = false;
		expect(cases[i].rule, VERDICT_UNKNOWN, "it was not known all the time");
		fake.first.pools[0].conds[cases[i].cond].known = false;
		fake.last.pools[0].conds[cases[i].cond].known = false;
		expect(cases[i].rule, VERDICT_UNKNOWN,
		       "this kernel, its hooks or an older recording cannot tell; see 'optee-top doctor'");
		fake.last.pools[0].total = -1;
		expect(cases[i].rule, VERDICT_UNKNOWN,
		       "Linux does not count OP-TEE's threads here, so this cannot be detected");
		fake.first.nr_pools = fake.last.nr_pools = 0;
		expect(cases[i].rule, VERDICT_UNKNOWN, "no TEE was in use, so nothing was seen");
	}
}

UNIT_TEST(for_so_long)
{
	fake_init(&fake);
	fake_episode(&fake, COND_STRANDED, 19 * MS);
	fake_episode(&fake, COND_STRANDED, 5 * MS);
	expect("no_stranded 20ms", VERDICT_PASS, "2, none that long, the longest 19ms");
	fake_episode(&fake, COND_STRANDED, 20 * MS);
	expect("no_stranded 20ms", VERDICT_FAIL, "3 times, the longest 20ms");
	assert_int_equal(found.nr_lines, 2); /* the others are shorter */
	assert_true(evidence("A(10) holds, C(11) waits"));
	assert_true(evidence("    the wake went to A(10), invoke 0 of os_test"));
	/* A long one that lasts to the end, of which only the begin was told. */
	fake_init(&fake);
	fake.last.pools[0].conds[COND_STRANDED] =
		(struct snap_cond){ .known = true, .count = 1, .lasting = 1, .longest_ns = 0 };
	fake_event(&fake, COND_STRANDED, EVENT_BEGIN, 1, MS);
	expect("no_stranded 8s", VERDICT_FAIL, "1 time, the longest 9.0s");
	assert_true(evidence("still after 9.0s"));
	/* Waits, not what was left of them after the limit. */
	fake_init(&fake);
	fake_episode(&fake, COND_STARVED, SECOND);
	expect("no_starved 2s", VERDICT_FAIL, "1 time, the longest wait 2.0s");
	expect("no_starved 2.1s", VERDICT_PASS, "1, none that long, the longest wait 2.0s");
	fake_init(&fake);
	expect("no_starved 200ms", VERDICT_UNKNOWN,
	       "waits shorter than 1.0s were not reported; see --starved");
}

UNIT_TEST(the_evidence_is_short)
{
	fake_init(&fake);
	for (u64 i = 1; i <= 9; i++)
		fake_episode(&fake, COND_OVERRUN, i * MS);
	assert_int_equal(judged("no_overrun"), VERDICT_FAIL);
	assert_int_equal(found.nr_lines, 6);
	assert_non_null(strstr(found.lines[0], "end after 9.0ms"));
	assert_non_null(strstr(found.lines[4], "end after 5.0ms"));
	assert_string_equal(found.lines[5], "and 4 more");
	/* More than are kept: how many are long enough is not known. */
	fake_init(&fake);
	for (u64 i = 0; i < FAKE_EVENTS; i++)
		fake_event(&fake, COND_STRANDED, EVENT_END, i, (i + 1) * MS);
	assert_int_equal(judged("no_stranded 4ms"), VERDICT_FAIL);
	assert_true(evidence("and 27 or more"));
	assert_int_equal(judged("no_stranded 40ms"), VERDICT_FAIL);
	assert_true(evidence("and 20 more"));
}

UNIT_TEST(what_was_before_is_not_judged)
{
	fake_init(&fake);
	fake_later(&fake);
	fake.first.pools[0].conds[COND_OVERRUN] = fake.last.pools[0].conds[COND_OVERRUN] =
		(struct snap_cond){ .known = true, .count = 5, .longest_ns = 9 * SECOND };
	fake.first.pools[0].sums[CLASS_NORMAL] = (struct class_sums){ .calls = 97, .failed = 3 };
	fake.last.pools[0].sums[CLASS_NORMAL].failed = 3;
	fake.first.losses.count[LOSS_CALL_SLOT] = fake.last.losses.count[LOSS_CALL_SLOT] = 2;
	fake.first.losses.count[LOSS_CALL_RECORD] = fake.last.losses.count[LOSS_CALL_RECORD] = 2;
	expect("no_overrun", VERDICT_PASS, "none");
	expect("calls_at_least 4", VERDICT_FAIL, "3 calls");
	expect("no_failed_calls", VERDICT_PASS, "none");
	expect("no_losses", VERDICT_PASS, "none");
	/* Another one, too short to be told of: the longest is still that of before. */
	fake.last.pools[0].conds[COND_STRANDED] =
		(struct snap_cond){ .known = true, .count = 1, .longest_ns = 9 * SECOND };
	fake.first.pools[0].conds[COND_STRANDED] = (struct snap_cond){ .known = true,
								       .longest_ns = 9 * SECOND };
	expect("no_stranded 5s", VERDICT_PASS, "1, none that long");
	expect("no_stranded", VERDICT_FAIL, "1 time");
	/* What lasts from before is seen. */
	fake.first.pools[0].conds[COND_OVERRUN].lasting = 1;
	fake.last.pools[0].conds[COND_OVERRUN].longest_ns = 10 * SECOND;
	expect("no_overrun", VERDICT_FAIL, "1 time, the longest 10s");
	/* An event that only a snapshot has, and one behind the last snapshot. */
	fake_init(&fake);
	fake_event(&fake, COND_DEADLOCK, EVENT_BEGIN, 1, 0);
	fake.nr_events = 0;
	assert_int_equal(judged("no_deadlock"), VERDICT_FAIL);
	fake_init(&fake);
	fake_event(&fake, COND_DEADLOCK, EVENT_BEGIN, 1, 0);
	fake.behind[0] = fake.events[0];
	fake.nr_behind = 1;
	fake.nr_events = fake.last.nr_events = 0;
	assert_int_equal(judged("no_deadlock"), VERDICT_FAIL);
}

UNIT_TEST(losses)
{
	for (int loss = 0; loss < NR_LOSSES; loss++) {
		fake_init(&fake);
		fake.last.losses.count[loss] = 1;
		assert_int_equal(judged("no_losses"),
				 loss == LOSS_LATE_CALLS ? VERDICT_PASS : VERDICT_FAIL);
	}
	fake_init(&fake);
	fake.last.losses.count[LOSS_LATE_CALLS] = 2;
	expect("no_losses", VERDICT_PASS,
	       "none; 2 calls were in flight at the attach: when they began is not known");
	fake.last.losses.missed = 1;
	expect("no_losses", VERDICT_FAIL, "not all was seen");
	assert_true(evidence("probes_missed 1"));
	fake_init(&fake);
	fake.last.losses.count[LOSS_CALL_RECORD] = 4;
	assert_int_equal(judged("no_losses"), VERDICT_FAIL);
	fake_init(&fake);
	fake.last.losses.missed_known = false;
	assert_int_equal(judged("no_losses"), VERDICT_UNKNOWN);
}

UNIT_TEST(leaks)
{
	struct snap_pool *end = &fake.last.pools[0];

	fake_init(&fake);
	expect("no_count_leak", VERDICT_PASS, "none at the end");
	expect("no_reservation_leak", VERDICT_PASS, "none at the end");
	end->driver_free = 1;
	end->drift = 1;
	expect("no_count_leak", VERDICT_FAIL, "threads are missing at the end");
	assert_true(evidence("the driver counts 1 of 2 threads free, and 0 calls hold one: it has "
			     "leaked 1"));
	end->drift = -1; /* too many are no leak */
	assert_int_equal(judged("no_count_leak"), VERDICT_PASS);
	end->drift_known = false;
	assert_int_equal(judged("no_count_leak"), VERDICT_UNKNOWN);
	fake_init(&fake);
	end->total = -1;
	assert_int_equal(judged("no_count_leak"), VERDICT_UNKNOWN);

	fake_init(&fake);
	fake.first.pools[0].system_sessions = 1;
	end->system_sessions = 3;
	fake.last.nr_sessions = 4;
	fake.sessions[0] =
		(struct snap_session){ .serial = 1, .open = true, .kind = CLIENT_KERNEL };
	fake.sessions[1] = (struct snap_session){ .serial = 2, .open = true, .kind = CLIENT_USER };
	fake.sessions[2] = (struct snap_session){ .serial = 3, .kind = CLIENT_KERNEL };
	fake.sessions[3] = (struct snap_session){ .open = true, .flags = SESSION_NONE };
	expect("no_reservation_leak", VERDICT_FAIL, "entries stay in reserve for nobody");
	assert_true(evidence("the driver counts 3 system sessions, 2 more than at the beginning, "
			     "and 1 session of the kernel is open"));
	fake.sessions[3].flags = SESSION_REST;
	assert_int_equal(judged("no_reservation_leak"), VERDICT_UNKNOWN);
	fake.sessions[3].flags = 0; /* whose it is, is not known: it may be one */
	assert_int_equal(judged("no_reservation_leak"), VERDICT_PASS);
	end->system_sessions = -1;
	assert_int_equal(judged("no_reservation_leak"), VERDICT_UNKNOWN);
}

UNIT_TEST(ejections)
{
	struct snap_pool *begin = &fake.first.pools[0], *end = &fake.last.pools[0];

	fake_init(&fake);
	expect("no_ejection", VERDICT_PASS, "none"); /* the driver takes no policies */
	begin->takes_policies = end->takes_policies = true;
	begin->policies_ejected = end->policies_ejected = 2;
	strcpy(end->policy_left, "never");
	end->policy_reason = OPTEE_ADM_STALLED;
	expect("no_ejection", VERDICT_PASS, "none"); /* that was before */
	end->policies_ejected = 3;
	expect("no_ejection", VERDICT_FAIL, "the driver's own rule took a policy's place");
	assert_true(evidence("tee0: 1 ejected, 'never' last: a call waited too long"));
	end->policies_ejected = 1; /* the driver has come anew */
	expect("no_ejection", VERDICT_PASS, "none");
}

/* What was not followed, from the beginning to the end or for a moment, was not seen to be good. */
UNIT_TEST(sight)
{
	static const char *const rules[] = {
		"no_overrun",          "no_harmful_overrun",
		"no_reserve_breach",   "no_reserve_idle",
		"no_stranded",         "no_starved",
		"no_lost_wake",        "no_count_mismatch",
		"no_deadlock",         "no_drift",
		"no_convoy",           "no_session_leak",
		"no_supplicant_gone",  "wait_longest system 5ms",
		"no_losses",           "no_count_leak",
		"no_ejection",         "no_failed_calls",
		"calls_at_least 1000", "no_reservation_leak",
		"wait_p99 normal 5ms",
	};
	struct snap_pool *begin = &fake.first.pools[0], *end = &fake.last.pools[0];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		fake_init(&fake);
		begin->sight = end->sight = SIGHT_FOLLOWED;
		assert_int_not_equal(judged(rules[i]), VERDICT_UNKNOWN);
		begin->sight = end->sight = SIGHT_FFA;
		expect(rules[i], VERDICT_UNKNOWN, "not followed: called by FF-A");
		begin->sight = SIGHT_FOLLOWED;
		end->sight = SIGHT_BLIND;
		expect(rules[i], VERDICT_UNKNOWN, "not followed: the hooks do not fire");
	}
	/* What was seen all the same is a failure; and what an end needs is known there. */
	fake_init(&fake);
	begin->sight = SIGHT_BLIND;
	end->sight = SIGHT_FOLLOWED;
	expect("no_count_leak", VERDICT_PASS, "none at the end");
	assert_int_equal(judged("no_drift"), VERDICT_UNKNOWN);
	fake_episode(&fake, COND_DRIFT, SECOND);
	assert_int_equal(judged("no_drift"), VERDICT_FAIL);
}

UNIT_TEST(scmi)
{
	struct snap_pool *begin = &fake.first.pools[0], *end = &fake.last.pools[0];

	fake_init(&fake);
	expect("scmi_longest 5ms", VERDICT_UNKNOWN, "SCMI's transfers are not seen here");
	begin->scmi_known = end->scmi_known = true;
	expect("scmi_longest 5ms", VERDICT_UNKNOWN, "there were no transfers of SCMI");
	end->nr_scmi = 2;
	end->scmi[0] = (struct snap_scmi){ .protocol = 0x14,
					   .message = 5,
					   .count = 20,
					   .ns = 800 * MS,
					   .max_ns = 70 * MS,
					   .wait_ns = 780 * MS };
	end->scmi[1] = (struct snap_scmi){ .other = true, .count = 1, .ns = MS, .max_ns = MS };
	expect("scmi_longest 70ms", VERDICT_PASS, "70ms, in 21 transfers");
	expect("scmi_longest 5ms", VERDICT_FAIL, "70ms");
	assert_true(evidence(
		"tee0: 20 transfers of clock rate_set: 800ms, of which 780ms in the queue; the longest 70ms"));
	fake.last.losses.count[LOSS_SCMI] = 1;
	expect("scmi_longest 70ms", VERDICT_UNKNOWN, "70ms, but some were not seen");
	fake.last.losses.count[LOSS_SCMI] = 0;
	/* The long one was before, but perhaps there was another. */
	fake.first.seq = 5;
	begin->nr_scmi = 1;
	begin->scmi[0] = end->scmi[0];
	begin->scmi[0].count = 19;
	expect("scmi_longest 5ms", VERDICT_UNKNOWN,
	       "there was one of 70ms, perhaps before the first snapshot");
	begin->scmi[0].count = 20;
	expect("scmi_longest 5ms", VERDICT_PASS, "1.0ms, in 1 transfers");
}

UNIT_TEST(waits)
{
	fake_init(&fake);
	expect("wait_p99 normal 5ms", VERDICT_PASS, "no normal calls");
	fake_waits(&fake, CLASS_NORMAL, 198, MS);
	fake_waits(&fake, CLASS_NORMAL, 2, 8 * MS);
	fake_waits(&fake, CLASS_SYSTEM, 1, 9 * MS);
	/* Of 200 two may. The bucket of 1 ms ends behind 1.01 ms: the verdict does not care. */
	expect("wait_p99 normal 1.01ms", VERDICT_PASS,
	       "at most 1.0ms: 2 of 200 calls waited longer than the limit, 2 may; longest 8.0ms");
	expect("wait_p99 normal 0.99ms", VERDICT_FAIL,
	       "at most 1.0ms: 200 of 200 calls waited longer than the limit, 2 may; longest 8.0ms");
	expect("wait_p99 system 5ms", VERDICT_FAIL,
	       "at most 9.0ms: 1 of 1 calls waited longer than the limit, 0 may; longest 9.0ms");
	expect("wait_longest normal 8ms", VERDICT_PASS,
	       "8.0ms; 0 of 200 calls waited longer than the limit");
	expect("wait_longest normal 7ms", VERDICT_FAIL,
	       "8.0ms; 2 of 200 calls waited longer than the limit");
	expect("wait_longest system 9ms", VERDICT_PASS,
	       "9.0ms; 0 of 1 calls waited longer than the limit");
	/* Who waits at the end counts; who holds a thread does not. */
	fake.last.nr_calls = 2;
	fake.calls_now[0] = (struct snap_call){ .queued = true, .phase_ns = 20 * MS };
	fake.calls_now[1] = (struct snap_call){ .phase_ns = 30 * MS };
	expect("wait_longest normal 8ms", VERDICT_FAIL,
	       "20ms; 1 of 201 calls waited longer than the limit");
	assert_int_equal(judged("wait_p99 normal 1.01ms"), VERDICT_FAIL); /* 3 of 201 */
	/* It has ended since: then it counts once. */
	fake.calls_now[0].tid = 17;
	fake.calls[fake.nr_calls++] = (struct call_record){
		.tid = 17, .start_ns = 109 * SECOND, .wait_ns = SECOND, .hold_ns = MS
	};
	expect("wait_longest normal 8ms", VERDICT_FAIL,
	       "1.0s; 1 of 201 calls waited longer than the limit");
	fake.nr_calls--;
	/* With calls missing only a failure is sure. */
	fake.last.losses.count[LOSS_CALL_RECORD] = 1;
	assert_int_equal(judged("wait_longest normal 8ms"), VERDICT_FAIL);
	expect("wait_longest normal 20ms", VERDICT_UNKNOWN, "1 call is missing among those seen");
	assert_int_equal(judged("wait_p99 normal 20ms"), VERDICT_UNKNOWN);
	fake.source.calls = NULL;
	fake.last.nr_calls = 0;
	fake.last.losses.count[LOSS_CALL_RECORD] = 0;
	expect("wait_p99 normal 1s", VERDICT_UNKNOWN, "the calls were not recorded one by one");
}

UNIT_TEST(calls)
{
	fake_init(&fake);
	expect("calls_at_least 100", VERDICT_PASS, "100 calls");
	expect("calls_at_least 101", VERDICT_FAIL, "100 calls");
	/* Notifications are nobody's calls. */
	fake.sessions[0].flags = SESSION_NONE;
	fake.sessions[0].ops[CMD_BOTTOM_HALF] = 60;
	fake.last.nr_sessions = 1;
	expect("calls_at_least 41", VERDICT_FAIL, "40 calls, and 60 of the driver's own");
	expect("calls_at_least 40", VERDICT_PASS, "40 calls, and 60 of the driver's own");
	fake.last.nr_sessions = 0;
	expect("no_failed_calls", VERDICT_PASS, "none");
	fake.last.pools[0].sums[CLASS_NORMAL].failed = 2;
	fake.last.nr_sessions = 1;
	fake.sessions[0] = (struct snap_session){ .serial = 1,
						  .tgid = 17,
						  .comm = "player",
						  .ta = "os_test",
						  .last_failure = 0xffff0006,
						  .sums_iv = { .failed = 2 } };
	expect("no_failed_calls", VERDICT_FAIL, "2 of 100 calls");
	assert_true(evidence("2 of player(17) to os_test, the last with 0xffff0006"));
	fake_init(&fake);
	fake.last.losses.count[LOSS_CALL_SLOT] = 1;
	assert_int_equal(judged("no_failed_calls"), VERDICT_UNKNOWN);
	expect("command_succeeds", VERDICT_UNKNOWN, "there was no command");
	command_status = 0;
	expect("command_succeeds", VERDICT_PASS, "it ended with status 0");
	command_status = 3;
	expect("command_succeeds", VERDICT_FAIL, "it ended with status 3");
	command_status = 128 + 15;
	expect("command_succeeds", VERDICT_FAIL, "signal 15 (Terminated) ended it");
	command_status = -1;
}
