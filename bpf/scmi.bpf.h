/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SCMI over OP-TEE: what a call of SCMI's transport was for. A transfer of the kernel's SCMI
 * core begins, calls OP-TEE, and ends in one task, so the call is looked for when the transfer
 * has ended: calls pay nothing for it, and neither do transfers by another transport.
 */
#ifndef OPTEE_TOP_SCMI_BPF_H
#define OPTEE_TOP_SCMI_BPF_H

/* A transfer that is under way, and the call that it has made. */
struct scmi_transfer {
	u64 begun_ns;
	u64 wait_ns;
	u32 session_slot, session_id;
	u32 channel; /* as in struct session */
	u8 called;   /* else the members before are not known yet */
	u8 pool;
	u8 pad[2];
};

/* By task. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, u64);
	__type(value, struct scmi_transfer);
} scmi_transfers SEC(".maps");

/* Of SCMI's PTA: all commands for a message have the channel in their first parameter. */
#define PTA_SCMI_SMT_CHANNEL         1
#define PTA_SCMI_SMT_CHANNEL_MESSAGE 2
#define PTA_SCMI_MSG_CHANNEL         4
#define OPTEE_MSG_ATTR_VALUE_INPUT   1
#define OPTEE_MSG_ATTR_TYPE          0xff

struct pta_scmi_msg {
	struct msg_head head;
	u64 attr;
	u64 channel;
};

/*
 * The message's memory may be another call's by now. But then its session is another one too,
 * or it is SCMI's and the channel the same: each has a session of its own.
 */
static __always_inline u32 scmi_channel(const struct call *c)
{
	struct pta_scmi_msg msg;

	if (bpf_probe_read_kernel(&msg, sizeof(msg), (void *)c->msg) ||
	    msg.head.cmd != CMD_INVOKE || msg.head.session != c->session_id ||
	    (msg.head.func != PTA_SCMI_SMT_CHANNEL &&
	     msg.head.func != PTA_SCMI_SMT_CHANNEL_MESSAGE &&
	     msg.head.func != PTA_SCMI_MSG_CHANNEL) ||
	    !msg.head.num_params || (msg.attr & OPTEE_MSG_ATTR_TYPE) != OPTEE_MSG_ATTR_VALUE_INPUT)
		return 0;
	return (u32)msg.channel + 1;
}

static __always_inline void scmi_take_call(struct scmi_transfer *t, const struct call *c)
{
	t->wait_ns = c->wait_ns;
	t->session_slot = c->session_slot;
	t->session_id = c->session_id;
	t->channel = scmi_channel(c);
	t->pool = c->pool;
	t->called = true;
}

/* A nested call ends, and gives its slot away: only here is it known what it was. */
static __noinline void scmi_nested_ends(const struct call *c)
{
	u64 task = bpf_get_current_task();
	struct scmi_transfer *t;

	if (!c || c->op != CMD_INVOKE)
		return;
	t = bpf_map_lookup_elem(&scmi_transfers, &task);
	if (t && c->start_ns >= t->begun_ns)
		scmi_take_call(t, c);
}

/* The row of a protocol and message; the last one takes what finds no room. */
static __always_inline struct scmi_sums *scmi_row(struct pool *p, u8 protocol, u8 message)
{
	u32 key = SCMI_KEY(protocol, message), i;

	for (i = 0; i < MAX_SCMI - 1; i++) {
		u32 there = p->scmi[i].key;

		if (there == key ||
		    (!there &&
		     ((there = __sync_val_compare_and_swap(&p->scmi[i].key, 0, key)) == 0 ||
		      there == key)))
			break;
	}
	if (i >= MAX_SCMI - 1)
		p->scmi[MAX_SCMI - 1].key = SCMI_KEY_OTHER;
	return &p->scmi[i < MAX_SCMI ? i : MAX_SCMI - 1];
}

static __always_inline void scmi_count(const struct scmi_transfer *t, u8 protocol, u8 message,
				       bool failed, u64 now)
{
	struct scmi_sums *sums = scmi_row(pool_at(t->pool), protocol, message);
	struct session *s = session_at(t->session_slot);
	u64 spent = now - t->begun_ns;

	/* The whole before its parts; the reader takes them in the other order. */
	add_in_order(sums->count, 1);
	if (spent > sums->max_ns)
		raise_u64(&sums->max_ns, spent);
	add_in_order(sums->ns, spent);
	add_in_order(sums->wait_ns, t->wait_ns);
	if (failed)
		inc(sums->failed);
	if (!s || t->session_slot >= MAX_SESSIONS || s->id != t->session_id)
		return;
	if (!(s->scmi_protocols & SCMI_PROTOCOL_BIT(protocol)))
		__sync_fetch_and_or(&s->scmi_protocols, SCMI_PROTOCOL_BIT(protocol));
	if (t->channel)
		s->scmi_channel = t->channel;
}

static __always_inline void scmi_begins(void)
{
	struct scmi_transfer t = { .begun_ns = bpf_ktime_get_ns() };
	u64 task = bpf_get_current_task();

	if (bpf_map_update_elem(&scmi_transfers, &task, &t, BPF_ANY))
		lose(LOSS_SCMI);
}

static __always_inline void scmi_ends(u8 protocol, u8 message, int status)
{
	u64 task = bpf_get_current_task(), now = bpf_ktime_get_ns();
	struct scmi_transfer *there, t;
	struct call *c;

	there = bpf_map_lookup_elem(&scmi_transfers, &task);
	if (!there) /* it began before the attach, or found no room */
		return;
	t = *there;
	bpf_map_delete_elem(&scmi_transfers, &task);
	if (!t.called) {
		c = call_own(task);
		if (!c || c->key != (task | CALL_KEY_IDLE) || c->op != CMD_INVOKE ||
		    c->start_ns < t.begun_ns)
			return; /* another transport's */
		scmi_take_call(&t, c);
	}
	scmi_count(&t, protocol, message, status, now);
}

#endif
