// SPDX-License-Identifier: GPL-2.0-only
/* Calls: there are many, so each takes few bytes and few instructions. */
#include "record/schema.h"
#include "record/schema_call.h"

#define MIX_CLASS  (1 << 4) /* above the command */
#define MIX_FAILED (1 << 5)
#define MIX_LIMITS (1 << 6)
#define MIX_OTHER  (1 << 7) /* another TEE, or flags */

void put_call(struct codec *c, const struct call_record *call, const struct call_record *before)
{
	bool other = call->pool || call->flags;
	u32 mix = call->op | (call->class ? MIX_CLASS : 0) | (call->result ? MIX_FAILED : 0) |
		  (call->limit_ns ? MIX_LIMITS : 0) | (other ? MIX_OTHER : 0);

	if (c->size - c->at < 13 * VARINT_MAX && !codec_room(c, 13 * VARINT_MAX))
		return;
	c->buf[c->at++] = (u8)mix;
	if (other) {
		codec_put(c, call->pool);
		codec_put(c, call->flags);
	}
	codec_put(c, zigzag((s64)(call->start_ns - before->start_ns)));
	codec_put(c, call->wait_ns);
	codec_put(c, call->hold_ns);
	codec_put(c, call->hold_ns - call->secure_ns);
	codec_put(c, zigzag((s64)call->serial - before->serial));
	codec_put(c, zigzag((s64)call->tid - before->tid));
	codec_put(c, zigzag((s64)call->tgid - call->tid));
	codec_put(c, call->func);
	if (call->result)
		codec_put(c, call->result);
	if (call->limit_ns)
		codec_put(c, call->limit_ns);
	if (call->flags & RECORD_ARGUMENT)
		codec_put(c, call->argument_ns);
}

static u64 get_u64(struct codec *c)
{
	u64 v;

	code_u64(c, &v);
	return v;
}

static u32 get_u32(struct codec *c)
{
	u32 v;

	code_u32(c, &v);
	return v;
}

static u32 get_change(struct codec *c, u32 from)
{
	s64 v = unzigzag(codec_get(c));

	if (v < -(s64)from || v > (s64)(~0U - from)) {
		c->failed = true;
		return 0;
	}
	return (u32)(from + v);
}

/* What waited after a call is none: it has no other time. */
static bool flags_agree(const struct codec *c, const struct call_record *call)
{
	bool argument = call->flags & RECORD_ARGUMENT, release = call->flags & RECORD_RELEASE;
	u8 most = c->schema >= 6 ? RECORD_ALL : RECORD_LATE | (RECORD_LATE - 1);

	if (call->flags & ~most || argument != !!call->argument_ns)
		return false;
	if (!release)
		return call->argument_ns <= call->start_ns;
	return argument && !call->wait_ns && !call->hold_ns && !call->result && !call->limit_ns &&
	       !(call->flags & (RECORD_WAITED | RECORD_LATE));
}

void get_call(struct codec *c, struct call_record *call, const struct call_record *before)
{
	u8 mix = 0;
	u32 op;

	code_bytes(c, &mix, 1);
	op = mix & (MIX_CLASS - 1);
	*call = (struct call_record){ .op = (u8)op, .class = mix & MIX_CLASS ? 1 : 0 };
	if (mix & MIX_OTHER) {
		code_u8(c, &call->pool);
		code_u8(c, &call->flags);
	}
	call->start_ns = before->start_ns + (u64)unzigzag(codec_get(c));
	call->wait_ns = get_u64(c);
	call->hold_ns = get_u64(c);
	call->secure_ns = call->hold_ns - get_u64(c);
	call->serial = get_change(c, before->serial);
	call->tid = get_change(c, before->tid);
	call->tgid = get_change(c, call->tid);
	call->func = get_u32(c);
	if (mix & MIX_FAILED)
		call->result = get_u32(c);
	if (mix & MIX_LIMITS)
		call->limit_ns = get_u64(c);
	if (call->flags & RECORD_ARGUMENT)
		call->argument_ns = get_u64(c);
	if (call->flags && !flags_agree(c, call))
		c->failed = true;
	if (op >= NR_CMDS || call->pool >= MAX_POOLS || call->start_ns > FIGURE_MAX ||
	    call->secure_ns > call->hold_ns || call->limit_ns > call->wait_ns)
		c->failed = true;
}
