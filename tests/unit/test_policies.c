// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native builds of the policies, on calls that are made up: each verdict against a
 * statement of the rule in other words, and what holds of all of them.
 */
#include "unit.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "optee_admission.h"

#define CASES 50000
#define SEC   1000000000ULL

extern const struct optee_admission_ops policy_none, policy_v6, policy_half, policy_bounded,
	policy_single, policy_upstream, policy_strict, policy_per_session, policy_fair,
	policy_tacap;

typedef const struct optee_adm_call *call;

static bool is_system(call c)
{
	return c->flags & OPTEE_ADM_SYS;
}

static bool is_counted(call c)
{
	return c->total;
}

/* Normal calls have all threads but those of so many reservations, and one in any case. */
static s32 normal(call c, u32 reservations)
{
	u32 theirs = c->total > reservations ? c->total - reservations : 1;

	return !is_counted(c) || c->norm_in_flight < theirs ? OPTEE_ADM_ENTER : OPTEE_ADM_WAIT;
}

static s32 admit_none(call c)
{
	(void)c;
	return OPTEE_ADM_ENTER;
}

static s32 admit_v6(call c)
{
	return is_system(c) ? OPTEE_ADM_ENTER_RESERVED : normal(c, c->reserved);
}

static s32 admit_half(call c)
{
	u32 most = c->total / 2;

	return is_system(c) ? OPTEE_ADM_ENTER_RESERVED :
			      normal(c, c->reserved > most ? most : c->reserved);
}

/* The bound is one; a single thread cannot be reserved. */
static s32 admit_bounded(call c)
{
	return is_system(c) ? OPTEE_ADM_ENTER_RESERVED : normal(c, c->reserved > 0);
}

/* Once it had to wait behind another one it is a normal call; then all threads but one. */
static s32 admit_single(call c)
{
	bool taken = c->priv[0] || c->resv_in_flight;

	if (is_system(c) && !taken)
		return OPTEE_ADM_ENTER_RESERVED;
	if (is_counted(c) && c->norm_in_flight >= c->total - (c->reserved ? 1 : 0))
		return OPTEE_ADM_WAIT;
	return OPTEE_ADM_ENTER;
}

static s32 admit_upstream(call c)
{
	if (!is_counted(c))
		return OPTEE_ADM_ENTER;
	if (is_system(c) || !c->reserved)
		return c->free >= 1 ? OPTEE_ADM_ENTER : OPTEE_ADM_WAIT;
	return c->free >= 2 ? OPTEE_ADM_ENTER : OPTEE_ADM_WAIT;
}

/* What system calls have is what normal calls have not. */
static s32 admit_strict(call c)
{
	u32 theirs = c->total > c->reserved ? c->reserved : c->total - 1;

	if (!is_system(c))
		return normal(c, c->reserved);
	return is_counted(c) && c->resv_in_flight >= theirs ? OPTEE_ADM_WAIT :
							      OPTEE_ADM_ENTER_RESERVED;
}

static s32 admit_per_session(call c)
{
	return is_system(c) && c->session_in_flight ? OPTEE_ADM_WAIT : admit_strict(c);
}

static bool nobody(call c)
{
	(void)c;
	return false;
}

/* As long as the others keep a thread. */
static bool one_is_left(call c)
{
	return c->total >= c->reserved + 2;
}

static bool half_is_left(call c)
{
	return c->reserved + 1 <= c->total / 2;
}

static bool first(call c)
{
	return c->reserved == 0 && c->total >= 2;
}

static bool of_several(call c)
{
	return c->total >= 2;
}

static const struct {
	const struct optee_admission_ops *policy;
	bool (*reserve)(call);
	s32 (*admit)(call);
	bool first_come; /* all ranks are the same, else system calls go first */
} rules[] = {
	{ &policy_none, nobody, admit_none, true },
	{ &policy_v6, one_is_left, admit_v6, false },
	{ &policy_half, half_is_left, admit_half, false },
	{ &policy_bounded, first, admit_bounded, false },
	{ &policy_single, of_several, admit_single, true },
	{ &policy_upstream, of_several, admit_upstream, false },
	{ &policy_strict, one_is_left, admit_strict, false },
	{ &policy_per_session, one_is_left, admit_per_session, false },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

static u32 random_below(u64 *seed, u32 limit)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (u32)(*seed >> 32) % limit;
}

/* One that could be: no more in flight than there are threads. */
static struct optee_adm_call make(u64 *seed)
{
	static const u32 totals[] = { 0, 1, 2, 3, 4, 8, 10 };
	u32 total = totals[random_below(seed, 7)], room = total ? total : 12;
	u32 resv = random_below(seed, room + 1), norm = random_below(seed, room - resv + 1);

	return (struct optee_adm_call){
		.total = total,
		.free = total ? total - resv - norm : 0,
		.reserved = random_below(seed, room + 3),
		.resv_in_flight = resv,
		.norm_in_flight = norm,
		.sys_in_flight = resv,
		.sys_waiting = random_below(seed, 4),
		.norm_waiting = random_below(seed, 9),
		.seq = random_below(seed, 1000),
		.now_ns = (u64)random_below(seed, 1000000) * 1000,
		.client = 1 + random_below(seed, 5),
		.ta = random_below(seed, 4),
		.flags = random_below(seed, 2) ? OPTEE_ADM_SYS : 0,
		.weight = 1u << (4 + random_below(seed, 14)),
		.ta_in_flight = random_below(seed, 3),
		.session_in_flight = random_below(seed, 3),
		.priv = { random_below(seed, 2) },
	};
}

static bool differs(u32 k, const struct optee_adm_call *c)
{
	const struct optee_admission_ops *p = rules[k].policy;
	struct optee_adm_call asked = *c;
	u64 rank = p->rank ? p->rank(&asked) : 0;
	bool same;

	asked = *c;
	same = p->admit(&asked) == rules[k].admit(c);
	same &= !p->reserve(&asked) == rules[k].reserve(c);
	return !same || rank != (rules[k].first_come || is_system(c) ? 0 : 1);
}

UNIT_TEST(rules_in_other_words)
{
	u64 seed = 6;

	for (u32 i = 0; i < CASES; i++) {
		struct optee_adm_call c = make(&seed);

		for (u32 k = 0; k < RULES; k++)
			if (differs(k, &c))
				assert_string_equal(rules[k].policy->name, "the same");
	}
}

/* What was in use when it came is remembered, and nothing else counts. */
UNIT_TEST(single_remembers)
{
	struct optee_adm_call c = { .total = 4, .reserved = 1, .flags = OPTEE_ADM_SYS };

	c.resv_in_flight = 1;
	assert_int_equal(policy_single.rank(&c), 0);
	c.resv_in_flight = 0;
	assert_int_equal(policy_single.admit(&c), OPTEE_ADM_ENTER);
	assert_int_equal(policy_single.rank(&c), 0);
	assert_int_equal(policy_single.admit(&c), OPTEE_ADM_ENTER_RESERVED);
}

/* Asked twice it says the same, and it writes only to what is its own. */
UNIT_TEST(verdicts_charge_nothing)
{
	const struct optee_admission_ops *all[] = { &policy_fair, &policy_tacap, &policy_none,
						    &policy_v6,   &policy_half,  &policy_single };
	u64 seed = 66;

	for (u32 i = 0; i < CASES; i++) {
		struct optee_adm_call c = make(&seed);

		for (u32 k = 0; k < sizeof(all) / sizeof(all[0]); k++) {
			struct optee_adm_call once = c, twice;
			s32 verdict = all[k]->admit(&once);

			twice = once;
			twice.retry_ns = 0;
			assert_int_equal(all[k]->admit(&twice), verdict);
			assert_memory_equal(&once, &twice, sizeof(once));
			once.retry_ns = 0;
			assert_memory_equal(&once, &c, sizeof(once));
		}
	}
}

/* What is asked for all the time has its burst, and then 50 calls a second. */
static struct optee_adm_call flood_tacap(struct optee_adm_call c)
{
	u64 begin = c.now_ns, entered = 0;

	while (c.now_ns <= begin + 20 * SEC) {
		c.retry_ns = 0;
		if (policy_tacap.admit(&c) == OPTEE_ADM_ENTER) {
			policy_tacap.enter(&c);
			entered++;
			continue;
		}
		/* not a ns too late */
		assert_true(c.retry_ns > 0);
		c.now_ns += c.retry_ns - 1;
		c.retry_ns = 0;
		assert_int_equal(policy_tacap.admit(&c), OPTEE_ADM_WAIT);
		assert_int_equal(c.retry_ns, 1);
		c.now_ns++;
	}
	assert_int_equal(entered, 5 + 20 * 50);
	return c;
}

/* So has a TA, and a client of calls without one: each has a schedule of its own. */
UNIT_TEST(tacap_keeps_the_rate)
{
	struct optee_adm_call shm = { .total = 8, .free = 8, .client = 7, .flags = OPTEE_ADM_SHM };
	struct optee_adm_call c = { .total = 8, .free = 8, .client = 7, .ta = 1 };

	c.now_ns = shm.now_ns = 7 * SEC;
	shm = flood_tacap(shm);
	assert_int_equal(shm.tpriv[0], 0);
	assert_int_equal(policy_tacap.admit(&shm), OPTEE_ADM_ENTER);
	policy_tacap.enter(&shm);
	shm.flags = OPTEE_ADM_OPEN;
	assert_int_equal(policy_tacap.admit(&shm), OPTEE_ADM_WAIT);
	c = flood_tacap(c);
	assert_int_equal(c.cpriv[0], 0);
	c.now_ns += 100 * SEC;
	c.ta_in_flight = 1;
	c.retry_ns = 0;
	assert_int_equal(policy_tacap.admit(&c), OPTEE_ADM_WAIT);
	assert_int_equal(c.retry_ns, 0);
	assert_int_equal(policy_tacap.rank(&c), 1);
	c.flags = OPTEE_ADM_CANCEL; /* what the TA is at work on ends by it */
	assert_int_equal(policy_tacap.admit(&c), OPTEE_ADM_ENTER);
	assert_int_equal(policy_tacap.rank(&c), 1); /* and there is no end of cancels */
	c.flags = OPTEE_ADM_SYS;
	assert_int_equal(policy_tacap.admit(&c), OPTEE_ADM_ENTER);
	assert_int_equal(policy_tacap.rank(&c), 0);
}

/* On one thread three clients that never stop get what their weights say. */
UNIT_TEST(fair_shares_by_weight)
{
	struct optee_adm_call calls[3] = { { .weight = 1024 },
					   { .weight = 2048 },
					   { .weight = 4096 } };
	u64 ranks[3], queue[4] = { 0 }, got[3] = { 0 }, total = 0, seed = 1;

	for (u32 i = 0; i < 3; i++) {
		ranks[i] = policy_fair.rank(&calls[i]);
		memcpy(queue, calls[i].qpriv, sizeof(queue));
	}
	while (total < 1000 * SEC) {
		u32 i = ranks[1] < ranks[0];
		struct optee_adm_call *c;

		i = ranks[2] < ranks[i] ? 2 : i;
		c = &calls[i];
		memcpy(c->qpriv, queue, sizeof(queue));
		policy_fair.enter(c);
		c->held_ns = (5 + random_below(&seed, 10)) * SEC / 1000;
		policy_fair.leave(c);
		got[i] += c->held_ns;
		total += c->held_ns;
		memset(c->priv, 0, sizeof(c->priv));
		ranks[i] = policy_fair.rank(c);
		memcpy(queue, c->qpriv, sizeof(queue));
	}
	for (u32 i = 0; i < 3; i++)
		assert_in_range(got[i] * 7000 / total, (1000 << i) * 995 / 1000,
				(1000 << i) * 1005 / 1000);
}
