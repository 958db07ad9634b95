// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a timeline shows of a TEE: who held which of its threads, who waited in the
 * queue and went on to which thread, who waited for the argument cache before and
 * after that, the conditions, and two counters.
 *
 * Nobody says which thread a call has. So slots are drawn: a call gets one that is
 * free for all of its hold, and there are no more of them than calls that held a
 * thread at once. A call that waited after ETHREAD_LIMIT did so before it had a
 * thread: its hold is drawn behind all of its wait.
 */
#include <stdlib.h>
#include <string.h>
#include "export/export_format.h"
#include "export/intern.h"
#include "export/timeline.h"
#include "export/timeline_lanes.h"
#include "model/condition_table.h"
#include "model/event_text.h"
#include "model/task_names.h"

#define CLOCK_STEP_NS 1000000 /* the clocks are told again when they differ by more */
#define NAME_LEN      128

enum track_type {
	TYPE_TEE = 1,
	TYPE_IN_USE,
	TYPE_WAITING,
	TYPE_SLOT,
	TYPE_QUEUE,
	TYPE_WAITER,
	TYPE_ARGUMENTS,
	TYPE_AT_ARGUMENTS,
	TYPE_CONDITIONS,
	TYPE_CONDITION,
	TYPE_LOSSES,
};

/* Of the tracks of a TEE. */
enum rank { RANK_IN_USE, RANK_WAITING, RANK_CONDITIONS, RANK_ARGUMENTS, RANK_QUEUE, RANK_SLOTS };

struct perfetto {
	struct timeline *t;
	struct timeline_lanes slots[MAX_POOLS];
	struct timeline_lanes conditions[MAX_POOLS][NR_CONDS];
	struct task_names names;
	const struct snapshot *learned; /* names are, of this one, */
	u64 learned_seq;                /* which had that number */
	u64 flows;
	u64 clocks_ns; /* by how much the clocks differed */
	u64 losses;
};

static u64 track_id(u32 tee, enum track_type type, u32 high, u32 low)
{
	return (u64)(tee + 1) << 56 | (u64)type << 48 | (u64)(high & 0xffff) << 32 | low;
}

static u64 group_track(struct perfetto *p, u32 tee, enum track_type type)
{
	static const struct {
		const char *name;
		enum rank rank;
	} groups[] = {
		[TYPE_TEE] = { "threads of OP-TEE", 0 },
		[TYPE_QUEUE] = { "queue", RANK_QUEUE },
		[TYPE_ARGUMENTS] = { "argument cache", RANK_ARGUMENTS },
		[TYPE_CONDITIONS] = { "conditions", RANK_CONDITIONS },
	};
	char name[NAME_LEN];
	struct track track = { .id = track_id(tee, type, 0, 0),
			       .parent = type == TYPE_TEE ? 0 : group_track(p, tee, TYPE_TEE),
			       .name = name,
			       .rank = (int)groups[type].rank };

	snprintf(name, sizeof(name), "tee%u %s", tee, groups[type].name);
	timeline_track(p->t, &track);
	return track.id;
}

static u64 slot_track(struct perfetto *p, u32 tee, u32 slot)
{
	char name[NAME_LEN];
	struct track track = { .id = track_id(tee, TYPE_SLOT, 0, slot),
			       .parent = group_track(p, tee, TYPE_TEE),
			       .name = name,
			       .rank = RANK_SLOTS + (int)slot };

	snprintf(name, sizeof(name), "tee%u thread slot %u", tee, slot + 1);
	timeline_track(p->t, &track);
	return track.id;
}

/* Of who waits. A task that has another name is another one: a track has one name. */
static u64 task_track(struct perfetto *p, u32 tee, enum track_type group, enum track_type type,
		      const struct call_record *r)
{
	const char *comm = task_names_find(&p->names, r->tgid) ?: "?";
	char name[NAME_LEN];
	struct track track = { .id = track_id(tee, type, intern_hash(0, comm), r->tid),
			       .parent = group_track(p, tee, group),
			       .name = name };

	snprintf(name, sizeof(name), "%s (%u)", comm, r->tid);
	timeline_track(p->t, &track);
	return track.id;
}

/* Episodes of a condition that overlap are drawn below each other. */
static u64 condition_track(struct perfetto *p, u32 tee, enum condition cond, u32 lane)
{
	const char *of = condition_table[cond].name;
	char name[NAME_LEN];
	struct track track = { .id = track_id(tee, TYPE_CONDITION, cond, lane),
			       .parent = group_track(p, tee, TYPE_CONDITIONS),
			       .name = name,
			       .rank = (int)cond };

	if (lane)
		snprintf(name, sizeof(name), "%s %u", of, lane + 1);
	else
		snprintf(name, sizeof(name), "%s", of);
	timeline_track(p->t, &track);
	return track.id;
}

static u64 counter_track(struct perfetto *p, u32 tee, enum track_type type)
{
	char name[NAME_LEN];
	struct track track = { .id = track_id(tee, type, 0, 0),
			       .parent = group_track(p, tee, TYPE_TEE),
			       .name = name,
			       .kind = TRACK_COUNTER,
			       .rank = type == TYPE_IN_USE ? RANK_IN_USE : RANK_WAITING };

	snprintf(name, sizeof(name), "tee%u %s", tee,
		 type == TYPE_IN_USE ? "threads in use" : "waiting");
	timeline_track(p->t, &track);
	return track.id;
}

static void name_call(const struct call_view *c, char name[NAME_LEN])
{
	const struct call_record *r = c->record;
	char uuid[UUID_LEN], func[16] = "";
	const char *ta = call_ta(c, uuid);

	if (r->op == CMD_INVOKE)
		snprintf(func, sizeof(func), " %u", r->func);
	snprintf(name, NAME_LEN, "%s%s%s%s", cmd_name(r->op), func, ta ? " " : "", ta ?: "");
}

static void note_call(struct perfetto *p, const struct call_view *c)
{
	char key[64];

	for (size_t i = 0; i < nr_call_fields; i++) {
		const struct call_field *f = &call_fields[i];
		struct call_value v;

		v.kind = CALL_UNKNOWN;
		if (f->drawn)
			continue;
		f->get(c, &v);
		field_json_key(f->name, f->unit, key, sizeof(key));
		if (v.kind == CALL_NUMBER)
			timeline_note_number(p->t, key, v.number);
		else if (v.kind == CALL_BOOL)
			timeline_note_bool(p->t, key, v.number);
		else if (v.kind == CALL_TEXT)
			timeline_note_text(p->t, key, v.text);
	}
}

static void draw_wait(struct perfetto *p, const struct call_view *c, const char *category,
		      const char *name)
{
	const struct call_record *r = c->record;
	u64 track = task_track(p, call_tee(c), TYPE_QUEUE, TYPE_WAITER, r);

	timeline_begin(p->t, track, r->start_ns, category, name);
	timeline_flow_out(p->t, ++p->flows);
	timeline_done(p->t);
	if (r->limit_ns) {
		timeline_begin(p->t, track, call_admitted(r) - r->limit_ns, category,
			       "ETHREAD_LIMIT");
		timeline_done(p->t);
		timeline_end(p->t, track, call_admitted(r));
		timeline_done(p->t);
	}
	timeline_end(p->t, track, call_admitted(r));
	timeline_done(p->t);
}

/* What the task waited for the argument cache. */
static void draw_argument(struct perfetto *p, const struct call_view *c)
{
	const struct call_record *r = c->record;
	u64 end = call_is_release(r) ? call_end(r) : r->start_ns;
	u64 track = task_track(p, call_tee(c), TYPE_ARGUMENTS, TYPE_AT_ARGUMENTS, r);

	timeline_begin(p->t, track, end - r->argument_ns, class_name(r->class),
		       call_is_release(r) ? "to give an argument back" : "for an argument");
	timeline_done(p->t);
	timeline_end(p->t, track, end);
	timeline_done(p->t);
}

static void learn(struct perfetto *p, const struct snapshot *s)
{
	if (p->learned == s && p->learned_seq == s->seq)
		return;
	task_names_learn(&p->names, s);
	p->learned = s;
	p->learned_seq = s->seq;
}

static void call(struct export *x, const struct call_view *c)
{
	struct perfetto *p = x->state;
	const struct call_record *r = c->record;
	bool waited = r->flags & RECORD_WAITED || r->limit_ns;
	const char *category = class_name(r->class);
	char name[NAME_LEN];
	u32 slot;
	u64 track;

	learn(p, c->snapshot);
	if (r->argument_ns)
		draw_argument(p, c);
	if (call_is_release(r))
		return;
	slot = timeline_lanes_place(&p->slots[r->pool % MAX_POOLS], call_admitted(r), call_end(r));
	if (slot == LANE_NONE) {
		x->out_of_memory = true;
		return;
	}
	name_call(c, name);
	if (waited)
		draw_wait(p, c, category, name);
	track = slot_track(p, call_tee(c), slot);
	timeline_begin(p->t, track, call_admitted(r), category, name);
	if (waited)
		timeline_flow_in(p->t, p->flows);
	note_call(p, c);
	timeline_done(p->t);
	timeline_end(p->t, track, call_end(r));
	timeline_done(p->t);
}

static void draw_condition(struct perfetto *p, const struct event *e, u64 track)
{
	const struct condition_row *row = &condition_table[e->condition];
	char line[MAX_PARTIES * EVENT_LINE];
	size_t at = 0;

	timeline_begin(p->t, track, e->since_ns, row->alarm ? "alarm" : "condition", row->name);
	timeline_note_number(p->t, "episode", e->episode);
	timeline_note_words(p->t, "why", event_why(e, line, EVENT_LINE));
	timeline_note_words(p->t, "who", event_who(e, line, EVENT_LINE));
	for (u32 i = 0; event_chain(e, i, line + at, EVENT_LINE); i++) {
		at += strlen(line + at);
		line[at++] = ';';
		line[at++] = ' ';
	}
	if (at) {
		line[at - 2] = '\0';
		timeline_note_words(p->t, "chain", line);
	}
	timeline_done(p->t);
}

static void end_condition(struct perfetto *p, const struct event *e, u64 track)
{
	timeline_end(p->t, track, e->mono_ns);
	timeline_note_number(p->t, "peak", e->peak);
	timeline_note_bool(p->t, "end_unseen", e->end_unseen);
	timeline_done(p->t);
}

/* From its beginning, also where that was before the recording; to its end, if that came. */
static void event(struct export *x, const struct event *e)
{
	struct perfetto *p = x->state;
	struct timeline_lanes *lanes = &p->conditions[e->tee % MAX_POOLS][e->condition];
	bool drawn = timeline_lanes_lasts(lanes, e->episode);
	u32 lane;

	if (e->state != EVENT_END && drawn)
		return;
	if (e->state != EVENT_END)
		lane = timeline_lanes_begin(lanes, e->since_ns, e->episode);
	else if (drawn)
		lane = timeline_lanes_end(lanes, e->mono_ns, e->episode);
	else
		lane = timeline_lanes_place(lanes, e->since_ns, e->mono_ns);
	if (lane == LANE_NONE) {
		x->out_of_memory = true;
		return;
	}
	if (!drawn)
		draw_condition(p, e, condition_track(p, e->tee, e->condition, lane));
	if (e->state == EVENT_END)
		end_condition(p, e, condition_track(p, e->tee, e->condition, lane));
}

static void tell_clocks(struct perfetto *p, u64 mono_ns, u64 real_ns)
{
	u64 differ = real_ns - mono_ns;

	if (differ - p->clocks_ns + CLOCK_STEP_NS <= 2 * CLOCK_STEP_NS)
		return;
	p->clocks_ns = differ;
	timeline_clocks(p->t, mono_ns, real_ns);
}

static void count_losses(struct perfetto *p, const struct snapshot *s)
{
	const struct track track = { .id = track_id(0, TYPE_LOSSES, 0, 0),
				     .name = "not seen by optee-top",
				     .kind = TRACK_COUNTER };
	u64 losses = s->losses.missed_known ? s->losses.missed : 0;

	for (int i = 0; i < NR_LOSSES; i++)
		losses += s->losses.count[i];
	if (losses == p->losses)
		return;
	p->losses = losses;
	timeline_track(p->t, &track);
	timeline_count(p->t, track.id, s->mono_ns, losses);
}

static void snapshot(struct export *x, const struct snapshot *s)
{
	struct perfetto *p = x->state;

	tell_clocks(p, s->mono_ns, s->real_ns);
	for (u32 i = 0; i < s->nr_pools; i++) {
		const struct snap_pool *pool = &s->pools[i];

		for (int slot = 0; slot < pool->total && slot < LANES_MAX; slot++)
			slot_track(p, pool->id, (u32)slot);
		if (!pool_followed(pool))
			continue;
		timeline_count(p->t, counter_track(p, pool->id, TYPE_IN_USE), s->mono_ns,
			       (u64)pool->in_use_all);
		timeline_count(p->t, counter_track(p, pool->id, TYPE_WAITING), s->mono_ns,
			       (u64)pool->waiting_all);
	}
	count_losses(p, s);
}

static void begin(struct export *x)
{
	struct perfetto *p = calloc(1, sizeof(*p));

	x->state = p;
	if (p)
		p->t = timeline_new(x->out);
	if (!p || !p->t)
		x->out_of_memory = true;
	else
		tell_clocks(p, x->host->mono_ns, x->host->real_ns);
}

static void end(struct export *x)
{
	struct perfetto *p = x->state;

	if (!p)
		return;
	for (int pool = 0; pool < MAX_POOLS; pool++) {
		timeline_lanes_free(&p->slots[pool]);
		for (int cond = 0; cond < NR_CONDS; cond++)
			timeline_lanes_free(&p->conditions[pool][cond]);
	}
	timeline_free(p->t);
	free(p);
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.binary = true,
	.begin = begin,
	.call = call,
	.event = event,
	.snapshot = snapshot,
	.end = end,
};
