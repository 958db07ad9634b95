// SPDX-License-Identifier: GPL-2.0-only
/*
 * Member by member. Members that follow from others are not kept, but made again
 * when they are read.
 */
#include <string.h>
#include "base/text.h"
#include "model/class_sums.h"
#include "model/condition_table.h"
#include "model/hist.h"
#include "model/ta_names.h"
#include "record/schema.h"
#include "record/schema_pool.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void code_hello(struct codec *c, struct hello *h)
{
	code_text(c, h->version, sizeof(h->version));
	code_bool(c, &h->present);
	code_u64(c, &h->mono_ns);
	code_u64(c, &h->starved_ns);
	code_upto(c, &h->refusal, NR_REFUSALS - 1);
}

void code_host(struct codec *c, struct host *h)
{
	code_text(c, h->version, sizeof(h->version));
	code_text(c, h->machine, sizeof(h->machine));
	code_text(c, h->release, sizeof(h->release));
	code_text(c, h->name, sizeof(h->name));
	code_text(c, h->boot_id, sizeof(h->boot_id));
	code_text(c, h->hooks, sizeof(h->hooks));
	code_u32(c, &h->cpus);
	code_u64(c, &h->mono_ns);
	code_u64(c, &h->real_ns);
	code_u64(c, &h->resolution_ns);
	code_u64(c, &h->starved_ns);
	code_int(c, &h->reserved);
	code_bool(c, &h->calls);
}

static void code_party(struct codec *c, const struct event *e, struct event_party *p)
{
	code_u32(c, &p->tid);
	code_u32(c, &p->tgid);
	code_text(c, p->comm, sizeof(p->comm));
	code_u64(c, &p->serial);
	code_u32(c, &p->session);
	code_text(c, p->ta, sizeof(p->ta));
	code_text(c, p->client, sizeof(p->client));
	code_enum(c, &p->cmd, NR_CMDS);
	code_u32(c, &p->func);
	code_enum(c, &p->class, NR_CLASSES);
	code_enum(c, &p->phase, NR_PHASES);
	code_enum(c, &p->rpc_kind, NR_RPC_KINDS);
	code_bool(c, &p->waits);
	code_bool(c, &p->late);
	code_u64(c, &p->since_ns);
	code_bool(c, &p->swallowed);
	code_u64(c, &p->swallowed_ns);
	code_index_or_none(c, &p->behind, e->nr_parties);
	code_bool(c, &p->by_supplicant);
	code_bool(c, &p->one_of);
	if (!c->writes)
		p->since_unsure = c->schema < 4 && p->late;
	if (c->schema >= 4)
		code_bool(c, &p->since_at_least);
	else
		p->since_at_least = false;
}

static void code_condition_number(struct codec *c, enum condition *cond)
{
	u32 number = c->writes ? condition_table[*cond].number : 0;

	code_upto(c, &number, NR_CONDS - 1);
	*cond = condition_of_number(number);
}

void code_event(struct codec *c, struct event *e)
{
	code_condition_number(c, &e->condition);
	code_enum(c, &e->state, EVENT_END + 1);
	code_u32(c, &e->tee);
	code_u64(c, &e->episode);
	code_u64(c, &e->since_ns);
	code_u64(c, &e->mono_ns);
	code_u64(c, &e->real_ns);
	code_u64(c, &e->duration_ns);
	code_bool(c, &e->end_unseen);
	code_u32(c, &e->peak);
	code_int(c, &e->threads);
	code_int(c, &e->reserved);
	for (int class = 0; class < NR_CLASSES; class ++) {
		code_int(c, &e->in_use[class]);
		code_int(c, &e->waiting[class]);
	}
	code_int(c, &e->driver_free);
	code_int(c, &e->driver_sys_sessions);
	code_int(c, &e->drift);
	code_u64(c, &e->unreported);
	code_upto(c, &e->nr_parties, MAX_PARTIES);
	code_index_or_none(c, &e->culprit, e->nr_parties);
	for (u32 i = 0; i < e->nr_parties && !c->failed; i++)
		code_party(c, e, &e->parties[i]);
}

/* Its buckets that are not empty, each by its distance from the one before. */
static void put_hist(struct codec *c, const struct hist64 *h)
{
	const u64 *count = h->count;
	u32 at = 0;

	for (u32 octaves = h->octaves; octaves; octaves &= octaves - 1) {
		u32 bucket = (u32)__builtin_ctz(octaves) << HIST_SUB_BITS;

		for (u32 end = bucket + (1 << HIST_SUB_BITS); bucket < end; bucket++, count++) {
			if (!*count)
				continue;
			codec_put(c, bucket + 1 - at);
			codec_put(c, *count);
			at = bucket + 1;
		}
	}
	codec_put(c, 0);
}

static void get_hist(struct codec *c, struct hist64 *h)
{
	u32 at = 0;

	hist_clear(h);
	while (!c->failed) {
		u64 step = codec_get(c), n = 0;

		if (!step)
			break;
		if (step > HIST_BUCKETS - at) {
			c->failed = true;
			break;
		}
		at += (u32)step;
		code_u64(c, &n);
		c->failed |= !hist_add(h, at - 1, n);
	}
}

static void code_spread(struct codec *c, struct spread *s)
{
	code_u64(c, &s->calls);
	code_u64(c, &s->p50);
	code_u64(c, &s->p99);
	code_u64(c, &s->max);
}

static void code_hists(struct codec *c, struct snap_session *row, session_hists *read_to)
{
	const struct hist64 **const of_row[] = { &row->wait, &row->hold, &row->secure };
	bool there = c->writes && row->wait;

	code_bool(c, &there);
	for (size_t i = 0; i < COUNT(of_row); i++) {
		struct hist64 *to = c->writes ? NULL : &(*read_to)[i];

		if (there && c->writes)
			put_hist(c, *of_row[i]);
		else if (there)
			get_hist(c, to);
		if (!c->writes)
			*of_row[i] = there ? to : NULL;
	}
	code_spread(c, &row->wait_iv);
	code_spread(c, &row->hold_iv);
	code_spread(c, &row->secure_iv);
}

/*
 * The histograms of a row that is read go to where hists has those of its slot, or, where
 * that slot comes before first, to spare.
 */
static void code_session(struct codec *c, const struct snapshot *s, struct snap_session *row,
			 session_hists *hists, u32 first, session_hists *spare)
{
	u32 n;

	if (!c->writes)
		memset(row, 0, sizeof(*row));
	code_u64(c, &row->serial);
	code_index(c, &row->slot, SESSION_SLOTS);
	code_index(c, &row->pool, s->nr_pools);
	code_u32(c, &row->id);
	code_u32(c, &row->flags);
	code_bool(c, &row->open);
	code_bool(c, &row->uuid_known);
	code_bytes(c, row->uuid, sizeof(row->uuid));
	code_u32(c, &row->login);
	code_enum(c, &row->kind, CLIENT_KERNEL + 1);
	code_u32(c, &row->tgid);
	code_text(c, row->comm, sizeof(row->comm));
	code_u64(c, &row->opened_ns);
	code_u64(c, &row->closed_ns);
	code_int(c, &row->in_flight);
	code_int(c, &row->in_flight_peak);
	for (int class = 0; class < NR_CLASSES; class ++)
		code_sums(c, &row->sums[class]);
	code_sums(c, &row->sums_iv);
	n = code_length(c, NR_CMDS);
	for (u32 cmd = 0; cmd < n; cmd++)
		code_u64(c, &row->ops[cmd]);
	code_u32(c, &row->last_failure);
	if (c->schema >= 7) {
		code_u32(c, &row->scmi_protocols);
		code_u32(c, &row->scmi_channel);
	}
	n = code_length(c, NR_RPC_KINDS);
	for (u32 kind = 0; kind < n; kind++) {
		code_u64(c, &row->rpc_count[kind]);
		code_u64(c, &row->rpc_ns[kind]);
	}
	code_hists(c, row, row->slot < first ? spare : hists ? &hists[row->slot] : NULL);
	if (c->writes)
		return;
	row->ta = ta_name(row->uuid);
	row->changed = true;
}

static void code_octaves(struct codec *c, u64 octaves[HIST_OCTAVES])
{
	u32 n = code_length(c, HIST_OCTAVES);

	for (u32 i = 0; i < n; i++)
		code_u64(c, &octaves[i]);
}

static void code_ta(struct codec *c, const struct snapshot *s, struct snap_ta *ta)
{
	u32 n;

	if (!c->writes)
		memset(ta, 0, sizeof(*ta));
	code_index(c, &ta->pool, s->nr_pools);
	code_text(c, ta->ta, sizeof(ta->ta));
	code_bool(c, &ta->known);
	code_bool(c, &ta->other);
	code_enum(c, &ta->class, NR_CLASSES);
	code_u64(c, &ta->opened);
	code_u32(c, &ta->open);
	code_sums(c, &ta->sums);
	n = code_length(c, NR_RPC_KINDS);
	for (u32 kind = 0; kind < n; kind++) {
		code_u64(c, &ta->rpc_count[kind]);
		code_u64(c, &ta->rpc_ns[kind]);
	}
	code_octaves(c, ta->wait);
	code_octaves(c, ta->hold);
	code_octaves(c, ta->secure);
	if (!c->writes)
		ta->changed = true;
}

static void code_call(struct codec *c, const struct snapshot *s, struct snap_call *call)
{
	code_u32(c, &call->tid);
	code_u32(c, &call->tgid);
	code_text(c, call->comm, sizeof(call->comm));
	code_index(c, &call->pool, s->nr_pools);
	code_index_or_none(c, &call->session, s->nr_sessions);
	code_enum(c, &call->cmd, NR_CMDS);
	code_u32(c, &call->func);
	code_enum(c, &call->class, NR_CLASSES);
	code_enum(c, &call->phase, NR_PHASES);
	code_enum(c, &call->rpc_kind, NR_RPC_KINDS);
	code_bool(c, &call->queued);
	code_bool(c, &call->nested);
	code_bool(c, &call->late);
	code_u64(c, &call->age_ns);
	code_u64(c, &call->phase_ns);
	if (!c->writes)
		call->bounds_unsure = c->schema < 4 && call->late;
	if (c->schema >= 4) {
		code_bool(c, &call->age_at_least);
		code_bool(c, &call->phase_at_least);
	} else {
		call->age_at_least = call->phase_at_least = false;
	}
}

static void code_losses(struct codec *c, struct snapshot *s)
{
	u32 n = NR_LOSSES - s->losses.unknown;

	code_upto(c, &n, NR_LOSSES);
	if (!c->writes)
		s->losses = (struct snap_losses){ .unknown = NR_LOSSES - n };
	for (u32 i = 0; i < n; i++)
		code_u64(c, &s->losses.count[i]);
	code_u64(c, &s->losses.missed);
	code_bool(c, &s->losses.missed_known);
	code_upto(c, &s->nr_cpus, MAX_CPUS);
	for (u32 i = 0; i < s->nr_cpus; i++) {
		code_u64(c, &s->records[i].emitted);
		code_u64(c, &s->records[i].lost);
	}
}

#define FEWEST_SUMS 10 /* no optee-top has ever written fewer: those are known everywhere */

/* How many there are of each struct class_sums that follows. */
static void code_nr_sums(struct codec *c, struct snapshot *s)
{
	c->nr_sums = NR_SUMS - s->sums_unknown;
	if (c->schema >= 5)
		code_upto(c, &c->nr_sums, NR_SUMS);
	else
		c->nr_sums = c->schema == 4 ? 11 : FEWEST_SUMS;
	if (c->writes)
		return;
	if (c->nr_sums < FEWEST_SUMS)
		c->failed = true;
	s->sums_unknown = NR_SUMS - c->nr_sums;
}

static void code_head(struct codec *c, struct snapshot *s)
{
	code_nr_sums(c, s);
	code_u64(c, &s->seq);
	code_u64(c, &s->mono_ns);
	code_u64(c, &s->real_ns);
	code_u64(c, &s->interval_ns);
	code_upto(c, &s->nr_pools, MAX_POOLS);
	code_upto(c, &s->nr_sessions, SESSION_SLOTS);
	code_upto(c, &s->nr_calls, MAX_CALLS);
	for (u32 i = 0; i < s->nr_pools && !c->failed; i++)
		code_pool(c, &s->pools[i]);
}

static void code_tail(struct codec *c, struct snapshot *s)
{
	for (u32 i = 0; i < s->nr_calls && !c->failed; i++)
		code_call(c, s, &s->calls[i]);
	code_losses(c, s);
}

/*
 * Rows are in the order of their slots. Behind them a merge (src/source/snapshot_merge.h) has put those of
 * sessions that ended, whose slots may be others' by now.
 */
static void code_sessions(struct codec *c, struct snapshot *s, session_hists *hists)
{
	u32 first = 0; /* slot that a row in order may have */

	for (u32 i = 0; i < s->nr_sessions && !c->failed; i++) {
		struct snap_session *row = &s->sessions[i];

		code_session(c, s, row, hists, first, hists ? &hists[SESSION_SLOTS + i] : NULL);
		first = row->slot < first ? SESSION_SLOTS : row->slot + 1;
	}
}

void code_snapshot(struct codec *c, struct snapshot *s, session_hists *hists)
{
	code_head(c, s);
	code_sessions(c, s, hists);
	code_tail(c, s);
	if (c->schema < 2)
		return;
	code_upto(c, &s->nr_tas, MAX_TAS);
	for (u32 i = 0; i < s->nr_tas && !c->failed; i++)
		code_ta(c, s, &s->tas[i]);
}

/*
 * What is not in it has not changed, except for figures of the interval, which are 0.
 * Both sides have the rows in the order of their slots.
 */

static void put_changed_sessions(struct codec *c, struct snapshot *s)
{
	u32 n = 0;

	for (u32 i = 0; i < s->nr_sessions; i++)
		n += s->sessions[i].changed;
	codec_put(c, n);
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].changed)
			code_session(c, s, &s->sessions[i], NULL, 0, NULL);
}

/* Makes room among the rows where the one of this slot belongs; NULL: there is no more. */
static struct snap_session *row_place(struct snapshot *s, u32 *nr, u32 slot)
{
	u32 at = 0;

	while (at < *nr && s->sessions[at].slot < slot)
		at++;
	if (at < *nr && s->sessions[at].slot == slot)
		return &s->sessions[at];
	if (*nr == SESSION_SLOTS)
		return NULL;
	memmove(&s->sessions[at + 1], &s->sessions[at], (*nr - at) * sizeof(*s->sessions));
	++*nr;
	return &s->sessions[at];
}

/* The rows that are there still; those that had ended by the snapshot before are not. */
static u32 keep_rows(struct codec *c, struct snapshot *s, u32 nr, const struct slot_list *gone)
{
	u32 kept = 0, g = 0;

	for (u32 i = 0; i < nr; i++) {
		struct snap_session *row = &s->sessions[i];

		c->failed |= row->pool >= s->nr_pools || (i && row[-1].slot >= row->slot);
		while (g < gone->nr && gone->slots[g] < row->slot)
			g++;
		if (!row->open || (g < gone->nr && gone->slots[g] == row->slot))
			continue;
		row->sums_iv = (struct class_sums){};
		row->wait_iv = row->hold_iv = row->secure_iv = (struct spread){};
		row->changed = false;
		if (kept != i)
			s->sessions[kept] = *row;
		kept++;
	}
	return kept;
}

static void get_changed_sessions(struct codec *c, struct snapshot *s, u32 before,
				 session_hists *hists, const struct slot_list *gone)
{
	u32 nr = keep_rows(c, s, before, gone), n = 0, next = 0;

	code_upto(c, &n, SESSION_SLOTS);
	for (; n && !c->failed; n--) {
		struct snap_session row, *to;

		code_session(c, s, &row, hists, 0, NULL);
		c->failed |= row.slot < next;
		to = c->failed ? NULL : row_place(s, &nr, row.slot);
		if (to)
			*to = row;
		c->failed |= !to;
		next = row.slot + 1;
	}
	c->failed |= nr != s->nr_sessions;
}

static void code_gone(struct codec *c, struct slot_list *gone)
{
	code_upto(c, &gone->nr, SESSION_SLOTS);
	for (u32 i = 0; i < gone->nr; i++)
		code_index(c, &gone->slots[i], SESSION_SLOTS);
}

static void put_changed_tas(struct codec *c, struct snapshot *s)
{
	u32 n = 0;

	for (u32 i = 0; i < s->nr_tas; i++)
		n += s->tas[i].changed;
	codec_put(c, n);
	for (u32 i = 0; i < s->nr_tas; i++)
		if (s->tas[i].changed) {
			code_index(c, &i, s->nr_tas);
			code_ta(c, s, &s->tas[i]);
		}
}

/* In their order; those that were not there before are among them. */
static void get_changed_tas(struct codec *c, struct snapshot *s, u32 before)
{
	u32 n = 0, next = 0;

	for (u32 i = 0; i < s->nr_tas; i++) {
		s->tas[i].changed = false;
		c->failed |= i < before && s->tas[i].pool >= s->nr_pools;
	}
	code_upto(c, &n, s->nr_tas);
	for (; n && !c->failed; n--) {
		u32 at = 0;

		code_index(c, &at, s->nr_tas);
		c->failed |= at < next;
		if (!c->failed)
			code_ta(c, s, &s->tas[at]);
		next = at + 1;
	}
	for (u32 i = before; i < s->nr_tas; i++)
		c->failed |= !s->tas[i].changed;
}

static void code_changed_tas(struct codec *c, struct snapshot *s)
{
	u32 before = s->nr_tas;

	code_upto(c, &s->nr_tas, MAX_TAS);
	if (c->writes)
		put_changed_tas(c, s);
	else
		get_changed_tas(c, s, before);
}

void code_changes(struct codec *c, struct snapshot *s, session_hists *hists, struct slot_list *gone)
{
	u32 before = s->nr_sessions;

	code_head(c, s);
	code_gone(c, gone);
	if (c->writes)
		put_changed_sessions(c, s);
	else if (!c->failed)
		get_changed_sessions(c, s, before, hists, gone);
	code_tail(c, s);
	code_changed_tas(c, s);
}
