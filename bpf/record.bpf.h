/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call by call, for who wants to know of each: a record goes to user space as the
 * call is accounted. Nobody is woken for it; src/collect/call_records.c looks.
 */
#ifndef OPTEE_TOP_RECORD_BPF_H
#define OPTEE_TOP_RECORD_BPF_H

/*
 * 3276 records of 80 bytes. User space takes them 20 times a second: it carries
 * 72,000 calls a second, far more than any OP-TEE can do, or a second's absence at
 * 3,600. Not created unless record_calls is set.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 << 10);
} records SEC(".maps");

const volatile bool record_calls; /* set before loading; else no program refers to the map */

/* Does anybody want them now? User space writes it; in a map of its own, so that it writes no other. */
u32 records_wanted SEC(".data.wanted");

static __always_inline bool is_rest(const struct call *c, const struct session *s)
{
	return !s->serial && c->session_slot == (u32)SLOT_REST(c->pool);
}

/*
 * s: its row, which is still its own. What account() has worked out is worked out
 * again: to keep it until here would cost those who record nothing.
 */
static __always_inline void record_call(const struct call *c, const struct session *s)
{
	struct record_count *count = &shared.records[bpf_get_smp_processor_id() & (MAX_CPUS - 1)];
	struct call_record *r;
	u8 flags = 0;

	r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);
	if (!r) {
		inc(count->lost);
		return;
	}
	if (c->flags & CALL_WAITED)
		flags |= RECORD_WAITED;
	if (c->outer)
		flags |= RECORD_NESTED;
	if (is_rest(c, s))
		flags |= RECORD_REST;
	if (c->flags & CALL_LATE)
		flags |= RECORD_LATE;
	if (c->argument_ns && !(c->flags & CALL_ARGUMENT))
		flags |= RECORD_ARGUMENT;
	r->start_ns = c->start_ns;
	r->wait_ns = c->wait_ns;
	r->limit_ns = c->limit_ns;
	r->hold_ns = c->phase_ns - c->admit_ns - c->limit_ns;
	r->secure_ns = c->secure_ns;
	r->argument_ns = flags & RECORD_ARGUMENT ? c->argument_ns : 0;
	r->serial = s->serial;
	r->tid = c->tid;
	r->tgid = c->tgid;
	r->func = c->func;
	r->result = msg_ret(c->msg);
	r->op = c->op;
	r->class = c->class;
	r->pool = c->pool;
	r->flags = flags;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	inc(count->emitted);
}

/* s: its row, or the one where its time counts. It is no call: the counts are those of calls. */
static __always_inline void record_release(const struct call *c, const struct session *s, u64 spent)
{
	struct call_record *r = bpf_ringbuf_reserve(&records, sizeof(*r), 0);

	if (!r) {
		lose(LOSS_ARGUMENT);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->start_ns = c->phase_ns;
	r->argument_ns = spent;
	r->serial = s->serial;
	r->tid = c->tid;
	r->tgid = c->tgid;
	r->func = c->func;
	r->op = c->op;
	r->class = c->class;
	r->pool = c->pool;
	r->flags = RECORD_ARGUMENT | RECORD_RELEASE | (c->outer ? RECORD_NESTED : 0) |
		   (is_rest(c, s) ? RECORD_REST : 0);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
