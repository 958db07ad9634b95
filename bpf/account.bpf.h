/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one pass at the end of a call: what it waited, held and used is added to
 * its session.
 */
#ifndef OPTEE_TOP_ACCOUNT_BPF_H
#define OPTEE_TOP_ACCOUNT_BPF_H

/*
 * A row has 2^HIST_SUB_BITS buckets and spans an octave; a row up, units are
 * twice as wide. So v of row 0 or 1 is its own bucket, and any other is v >> n,
 * n rows up, with the n that leaves it in row 1. BPF has no instruction for the
 * highest bit, so n is found by halves. src/model/hist.c has the edges.
 */
#define HIST_ROW (1 << HIST_SUB_BITS)

static __always_inline u32 hist_rows(u64 v)
{
	u32 n = 0;

	/* A barrier keeps the branch: clang's selects cost twice as much. */
	barrier_var(v);
	if (v >= HIST_ROW << 16) {
		v >>= 16;
		n = 16;
		barrier_var(n);
	}
	if (v >= HIST_ROW << 8) {
		v >>= 8;
		n += 8;
		barrier_var(n);
	}
	if (v >= HIST_ROW << 4) {
		v >>= 4;
		n += 4;
		barrier_var(n);
	}
	if (v >= HIST_ROW << 2) {
		v >>= 2;
		n += 2;
		barrier_var(n);
	}
	if (v >= HIST_ROW << 1) {
		n += 1;
		barrier_var(n);
	}
	return n;
}

static __always_inline void hist_inc(struct hist *h, u64 i)
{
	if (i >= HIST_BUCKETS)
		i = HIST_BUCKETS - 1;
	inc(h->count[i]);
}

/* Nearly every wait is just the way into the queue: no row to look for. */
static __always_inline void hist_add_short(struct hist *h, u64 ns)
{
	u64 v = ns >> HIST_UNIT_BITS;

	if (v >= 2 * HIST_ROW) {
		u32 n = hist_rows(v);

		v = n * HIST_ROW + (v >> n);
		barrier_var(v);
	}
	hist_inc(h, v);
}

/* part <= whole, and mostly in the same row: one search less, 15 instructions. */
static __always_inline void hist_add_both(struct hist *whole, u64 whole_ns, struct hist *part,
					  u64 part_ns)
{
	u64 v = whole_ns >> HIST_UNIT_BITS;
	u32 n = hist_rows(v);

	hist_inc(whole, n * HIST_ROW + (v >> n));
	v = part_ns >> HIST_UNIT_BITS;
	if (v >> n < HIST_ROW && n)
		n = hist_rows(v);
	hist_inc(part, n * HIST_ROW + (v >> n));
}

/* A call that is not an invoke. Returns the row that it counts in, also as in flight. */
static __noinline struct session *account_other(struct session *s, struct call *c)
{
	u32 ret;

	if (!s || !c)
		return s;
	if (session_unname(s)) { /* its call has no message */
		add(s->in_flight, -1);
		return NULL;
	}
	ret = msg_ret(c->msg);
	if (c->op == CMD_OPEN && s->flags & SESSION_OPENING) {
		if (ret)
			s = session_not_opened(s, c->session_slot, c->pool);
		else
			session_opened(s, c->session_slot, msg_session(c->msg));
	}
	return s;
}

/* After its sums and its record: who sees the row closed sees all of it. */
static __noinline void account_other_end(struct session *s, struct call *c)
{
	if (!s || !c)
		return;
	if (c->op < NR_CMDS)
		inc(s->ops[c->op]);
	if (c->op == CMD_CLOSE && c->session_slot < MAX_SESSIONS && !msg_ret(c->msg))
		session_close(s, bpf_ktime_get_ns());
}

static __always_inline void account(struct call *c, u64 now)
{
	struct session *s = session_at(c->session_slot);
	struct class_sums *sums;
	u64 hold = now - c->admit_ns;
	u32 ret;

	if (!s)
		return;
	if (c->op != CMD_INVOKE) {
		s = account_other(s, c);
		if (!s)
			return;
	}
	ret = msg_ret(c->msg);
	sums = &s->sums[CLASS_NORMAL];
	if (c->class == CLASS_SYSTEM) {
		sums = &s->sums[CLASS_SYSTEM];
		barrier_var(sums);
	}
	add_in_order(sums->calls, 1); /* first, see struct session */
	if (ret) {
		inc(sums->failed);
		s->last_failure = ret;
	}
	if (c->flags & CALL_WAITED) {
		inc(sums->waited);
		if (c->flags & CALL_LATE)
			inc(sums->waited_late);
		add(sums->limits, c->limits);
		add(sums->limit_ns, c->limit_ns);
		/* After an ETHREAD_LIMIT the thread was not held while the call slept. */
		hold -= c->limit_ns;
	}
	if (c->argument_ns)
		account_argument(c, sums);
	add(sums->wait_ns, c->wait_ns);
	add(sums->hold_ns, hold);
	add(sums->secure_ns, c->secure_ns);
	if (c->wait_ns > sums->wait_max_ns)
		raise_u64(&sums->wait_max_ns, c->wait_ns);
	if (hold > sums->hold_max_ns)
		raise_u64(&sums->hold_max_ns, hold);
	hist_add_short(&s->wait, c->wait_ns);
	hist_add_both(&s->hold, hold, &s->secure, c->secure_ns);
	if (record_calls && *(volatile u32 *)&records_wanted)
		record_call(c, s);
	if (c->op != CMD_INVOKE)
		account_other_end(s, c);
	/* Last: the row is whole again, and a closed one without calls in flight may be given away. */
	add_in_order(s->flight, FLIGHT_ACCOUNTED);
}

#endif
