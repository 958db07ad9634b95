/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one pass at the end of a call: what it waited, held and used is added to
 * its session.
 */
#ifndef OPTEE_TOP_ACCOUNT_BPF_H
#define OPTEE_TOP_ACCOUNT_BPF_H

/* The highest set bit of v, 0 for 0: BPF has no instruction for it. */
static __always_inline u32 log2_u32(u32 v)
{
	u32 bits = 0, step;

	step = (v > 0xffff) << 4; v >>= step; bits |= step;
	step = (v > 0xff) << 3; v >>= step; bits |= step;
	step = (v > 0xf) << 2; v >>= step; bits |= step;
	step = (v > 0x3) << 1; v >>= step; bits |= step;
	return bits | v >> 1;
}

/* src/hist.c has the edges. */
static __always_inline void hist_add(struct hist *h, u64 ns)
{
	u64 units = ns >> HIST_UNIT_BITS;
	u32 v, octave, i;

	if (units >> 28)
		units = (1 << 28) - 1;
	v = units;
	octave = log2_u32(v);
	i = v;
	if (octave >= HIST_SUB_BITS) {
		octave -= HIST_SUB_BITS;
		i = (octave + 1) << HIST_SUB_BITS | (v >> octave & ((1 << HIST_SUB_BITS) - 1));
	}
	if (i < HIST_BUCKETS)
		inc(h->count[i]);
}

static __always_inline void account(struct call *c, u64 now)
{
	struct session *s = session_at(c->session_slot);
	struct class_sums *sums;
	struct msg_head head;
	u64 hold;

	if (!s)
		return;
	add(s->in_flight, -1);
	if (c->op == CMD_UNKNOWN || bpf_probe_read_kernel(&head, sizeof(head), (void *)c->msg))
		head.ret = 0;
	if (c->op != CMD_INVOKE) {
		if (s->flags & SESSION_OPENING) {
			if (head.ret)
				s = session_not_opened(s, c->pool);
			else
				session_opened(s, c->session_slot, head.session);
		}
		if (c->op < NR_CMDS)
			inc(s->ops[c->op]);
	}
	sums = &s->sums[c->class & 1];
	inc(sums->calls);
	if (head.ret) {
		inc(sums->failed);
		s->last_failure = head.ret;
	}
	if (c->class == CLASS_SYSTEM && !(s->flags & SESSION_SYSTEM))
		s->flags |= SESSION_SYSTEM;
	if (c->flags & CALL_WAITED)
		inc(sums->waited);
	if (c->limits) {
		add(sums->limits, c->limits);
		add(sums->limit_ns, c->limit_ns);
	}
	/* After an ETHREAD_LIMIT the thread was not held while the call slept. */
	hold = now - c->admit_ns - c->limit_ns;
	add(sums->wait_ns, c->wait_ns);
	add(sums->hold_ns, hold);
	add(sums->secure_ns, c->secure_ns);
	if (c->wait_ns > sums->wait_max_ns)
		raise_u64(&sums->wait_max_ns, c->wait_ns);
	if (hold > sums->hold_max_ns)
		raise_u64(&sums->hold_max_ns, hold);
	hist_add(&s->wait, c->wait_ns);
	hist_add(&s->hold, hold);
	hist_add(&s->secure, c->secure_ns);
	if (c->op == CMD_CLOSE && !head.ret)
		session_close(s, now);
}

#endif
