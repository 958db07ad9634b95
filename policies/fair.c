// SPDX-License-Identifier: GPL-2.0-only
/*
 * fair: clients share the threads' time by their weights, however many calls each makes at
 * once; one entry is kept for system sessions, as in upstream.
 *
 * Start-time fair queueing. A client's next call gets the time at which its last one will be
 * paid off, at the client's own rate, as its start; lowest starts go first. The queue's time is
 * the latest start that was let in, and a client that was idle starts there: nobody saves up.
 * What a call will cost is known only when it leaves, so a start is given for the mean of the
 * client's calls so far, and the difference is charged then.
 *
 * Why: a client with a lot of threads, such as a TLS server, takes all of OP-TEE by asking
 *   more often. A weight comes from the caller's nice value: four steps are a factor of two.
 * Objection: none in the review, which had no share between normal clients in view. The time
 *   that a call is held by tee-supplicant is charged to its client.
 * Use it: when clients of different worth compete for long. It shares only what is
 *   contended: a client without a waiting call gets nothing.
 */
#include "policy.h"

/* cpriv: what the client owes; the mean hold of its calls, in ns. qpriv: the time. */
#define OWES(c)     ((c)->cpriv[0])
#define MEAN(c)     ((c)->cpriv[1])
#define TIME(c)     ((c)->qpriv[0])
#define FIRST_GUESS NSEC_PER_MSEC

/* priv: the start, and what was charged for it in advance. */
#define START(c)    ((c)->priv[0])
#define CHARGED(c)  ((c)->priv[1])

/* In units of 1/4096 of what a client of weight 4096 pays for a ns. */
static inline u64 price(const struct optee_adm_call *c, u64 held_ns)
{
	u32 weight = c->weight ? c->weight : 1;

	return held_ns * 4096 / weight;
}

static inline void charge(struct optee_adm_call *c)
{
	u64 mean = MEAN(c) ? MEAN(c) : FIRST_GUESS;

	START(c) = OWES(c) > TIME(c) ? OWES(c) : TIME(c);
	CHARGED(c) = price(c, mean);
	OWES(c) = START(c) + CHARGED(c);
}

ADMIT
{
	u32 kept = is_system(c) || !c->reserved ? 0 : 1;

	return !c->total || c->free > kept ? ENTER : WAIT;
}

RANK
{
	if (is_system(c))
		return 0;
	charge(c);
	return 1 + START(c);
}

ON_ENTER
{
	if (is_system(c))
		return;
	if (!CHARGED(c)) /* it did not have to wait */
		charge(c);
	if (START(c) > TIME(c))
		TIME(c) = START(c);
}

ON_LEAVE
{
	u64 cost;

	if (is_system(c))
		return;
	cost = price(c, c->held_ns);
	OWES(c) = OWES(c) + cost > CHARGED(c) ? OWES(c) + cost - CHARGED(c) : 0;
	MEAN(c) = MEAN(c) ? MEAN(c) - MEAN(c) / 8 + c->held_ns / 8 : c->held_ns;
	CHARGED(c) = 0;
}

POLICY(CALLBACK(admit), CALLBACK(rank), CALLBACK(enter), CALLBACK(leave),
       .flags = OPTEE_ADM_BY_CLASS, .name = "fair");
