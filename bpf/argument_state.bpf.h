/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is kept of a task's waits for the argument cache: in its slot, until its call is
 * accounted. bpf/argument.bpf.h has what sees them.
 */
#ifndef OPTEE_TOP_ARGUMENT_STATE_BPF_H
#define OPTEE_TOP_ARGUMENT_STATE_BPF_H

#define ARGUMENT_GAP_NS 1000000000

/*
 * The driver may take an argument and then find that it cannot make the call: what was waited
 * for long before now is not for a call that begins now.
 */
static __always_inline bool argument_is_old(const struct call *c, u64 now)
{
	return now - c->argument_end_ns > ARGUMENT_GAP_NS;
}

/* What its task waited for its argument. */
static __noinline int account_argument(struct call *c, struct class_sums *sums)
{
	if (!c || !sums || c->flags & CALL_ARGUMENT)
		return 0;
	if (argument_is_old(c, c->start_ns)) {
		c->argument_ns = 0;
		lose(LOSS_ARGUMENT);
		return 0;
	}
	inc(sums->argument_waits);
	add(sums->argument_ns, c->argument_ns);
	if (c->argument_ns > sums->argument_max_ns)
		raise_u64(&sums->argument_max_ns, c->argument_ns);
	return 0;
}

/* If it has not ended before. */
static __always_inline void argument_ends_unseen(struct call *c)
{
	if (!waits_at_arguments(c))
		return;
	add(pool_at(c->pool)->at_arguments, -1);
	lose(LOSS_ARGUMENT);
}

/* By the task that makes the call. */
static __noinline bool arguments_are_locked(const struct call *c)
{
	u64 lock = c ? pool_at(c->pool)->arguments : 0;

	return lock && (mutex_word(lock) & ~MUTEX_FLAGS) == bpf_get_current_task();
}

/* A convoy ends: its head, which has the argument cache locked, has got a thread. */
static __noinline int convoy_over(struct call *c, u64 now)
{
	struct pool *p = pool_at(c ? c->pool : 0);
	u64 since = p->at_arguments_since_ns;
	s32 behind = p->at_arguments;

	if (!c || behind <= 0)
		return 0;
	if (since < c->start_ns)
		since = c->start_ns;
	if (since < now)
		episode_of_call(c, COND_CONVOY, since, now, behind);
	return 0;
}

/* A call that registers a page for arguments is part of what its task waits for its own. */
static __noinline int argument_carry(struct call *c, u64 now)
{
	if (!c)
		return 0;
	if (c->flags & CALL_ARGUMENT) {
		c->argument_ns += now - c->start_ns;
		c->argument_end_ns = now;
	} else {
		c->argument_ns = 0;
	}
	return 0;
}

#endif
