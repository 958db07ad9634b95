// SPDX-License-Identifier: GPL-2.0-only
/*
 * Most of a thousand sessions do nothing most of the time. So the rows of the
 * snapshot before are kept, moved to where they belong now, and only those are worked
 * on whose counters have changed; and no second copy of any counter is needed: what a
 * session gained is the difference to what its row here still says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "collect/collect_sessions.h"
#include "model/class_sums.h"
#include "model/fields.h"
#include "model/hist.h"
#include "model/ta_names.h"

/* The last rows by TA take what finds no other: one for each pool and class. */
#define TAS_OF_THEIR_OWN (MAX_TAS - MAX_POOLS * NR_CLASSES)

/* All of a row that can change, in few numbers: its counters only grow, so does their sum. */
struct mark {
	u64 counters;
	u32 flags, state, id, scmi_protocols, scmi_channel, pad;
	s32 in_flight, in_flight_peak;
	u32 last_failure;
};

/* What is remembered of the row in a slot. */
struct kept_row {
	u64 serial;
	u64 seq;          /* of the snapshot that showed it last; 0: none did */
	u32 place;        /* among its sessions */
	bool closed;      /* its end was shown */
	bool counted;     /* among those of its TA */
	bool missed;      /* counts as unread */
	u8 ta;            /* index into snapshot.tas */
	u64 unread_since; /* 0: it was read last time */
	struct mark mark;
	struct hist64 wait, hold, secure;
};

/* How often a row is read again that a CPU is writing to; then after a pause. */
#define TRIES    16
#define PAUSES   10 /* in one snapshot */
#define PAUSE_NS 50000
#define PATIENCE 1000000000 /* a row that cannot be read for so long counts as unread */

struct collect_sessions {
	const struct shared *shared;
	const struct session *rows;
	struct kept_row kept[SESSION_SLOTS];
	u32 order[SESSION_SLOTS]; /* slots of the rows that are to be shown */
	u32 nr_order;
	int at[SESSION_SLOTS + 1];
	struct class_sums pool_sums[MAX_POOLS][NR_CLASSES]; /* of all sessions that ever were */
	u32 on_their_way; /* rows that are being given, or taken back */
	u32 pauses;       /* left in this snapshot */
	u64 finals;       /* sessions whose row was read after their close */
	/* Sessions whose row was given away before, and rows that could not be read for long. */
	u64 unread;
	u64 misses; /* of the latter, those that were read since, and those of no session */
};

struct collect_sessions *collect_sessions_new(const struct shared *shared,
					      const struct session *rows)
{
	struct collect_sessions *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->shared = shared;
	c->rows = rows;
	return c;
}

static void kept_forget(struct kept_row *kept)
{
	hist_release(&kept->wait);
	hist_release(&kept->hold);
	hist_release(&kept->secure);
	memset(kept, 0, sizeof(*kept));
}

void collect_sessions_free(struct collect_sessions *c)
{
	for (u32 slot = 0; c && slot < SESSION_SLOTS; slot++)
		kept_forget(&c->kept[slot]);
	free(c);
}

/* From ops to rpc_ns, all of them u64. */
static u64 counters_sum(const struct session *row)
{
	const u64 *counter = row->ops, *end = (const u64 *)&row->wait;
	u64 sum = 0;

	while (counter < end)
		sum += *counter++;
	return sum;
}

static struct mark row_mark(const struct session *row)
{
	return (struct mark){
		.counters = counters_sum(row),
		.flags = row->flags,
		.state = row->state,
		.id = row->id,
		.scmi_protocols = row->scmi_protocols,
		.scmi_channel = row->scmi_channel,
		.in_flight = row->in_flight,
		.in_flight_peak = row->in_flight_peak,
		.last_failure = row->last_failure,
	};
}

/*
 * Copies a row that has all of every call it counts, see struct session. False: not now,
 * a CPU is accounting a call; it may have been interrupted, so there is an end to our
 * patience. What the row had before is still good.
 */
static bool copy_whole(struct collect_sessions *c, struct session *to, const struct session *from)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	for (int i = 1;; i++) {
		u32 accounted = __atomic_load_n(&from->accounted, __ATOMIC_ACQUIRE);
		u64 calls = 0;

		memcpy(to, from, sizeof(*to));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		for (int class = 0; class < NR_CLASSES; class ++)
			calls += __atomic_load_n(&from->sums[class].calls, __ATOMIC_RELAXED);
		if ((u32)calls == accounted)
			return true;
		if (i % TRIES)
			continue;
		if (!c->pauses)
			return false;
		c->pauses--;
		nanosleep(&pause, NULL);
	}
}

/* A row was read, or there is nothing new in it. */
static void row_is_read(struct collect_sessions *c, struct kept_row *kept)
{
	kept->unread_since = 0;
	c->misses += kept->missed && kept->serial; /* that one is accounted for again */
	kept->missed = false;
}

/* What it has gained is in no figure. For an instant that is nothing: the next snapshot has it. */
static void row_is_unread(struct collect_sessions *c, struct kept_row *kept, u64 now)
{
	if (!kept->unread_since)
		kept->unread_since = now;
	if (now - kept->unread_since < PATIENCE || kept->missed)
		return;
	kept->missed = true;
	c->misses += !kept->serial;
}

/* The layout: which rows there are, each at its place. */

/*
 * Takes the row in a slot into the order, unless its end was shown. serial: as it was when we
 * found that the row is used; it may have been given back since, and then take_row() sees it.
 */
static void want(struct collect_sessions *c, u32 slot, u64 serial)
{
	struct kept_row *kept = &c->kept[slot];

	if (kept->serial != serial) {
		kept_forget(kept);
		kept->serial = serial;
	}
	if (!kept->closed)
		c->order[c->nr_order++] = slot;
}

static void list_rows(struct collect_sessions *c, const struct snapshot *s)
{
	c->nr_order = c->on_their_way = 0;
	for (u32 slot = 0; slot < MAX_SESSIONS; slot++) {
		const struct session *row = &c->rows[slot];
		u64 serial = __atomic_load_n(&row->serial, __ATOMIC_ACQUIRE);
		u32 state = *(const volatile u32 *)&row->state;

		if (slot >= c->shared->session_cursor)
			break; /* no row from here on was ever used */
		c->on_their_way += !serial && state != SESSION_FREE;
		if (!serial || state == SESSION_FREE)
			kept_forget(&c->kept[slot]);
		else if (row->pool < s->nr_pools)
			want(c, slot, serial);
	}
	for (u32 pool = 0; pool < s->nr_pools; pool++) {
		if (!pool_counted(&s->pools[pool]))
			continue;
		want(c, SLOT_NONE(pool), 0);
		if (c->rows[SLOT_REST(pool)].in_flight_peak)
			want(c, SLOT_REST(pool), 0);
	}
}

/*
 * Rows of the snapshot before go where they belong in this one; both are in the order
 * of their slots. So who moves down goes first in ascending order, then who moves up
 * in descending order, and nobody is overwritten.
 */
static void lay_out(struct collect_sessions *c, struct snapshot *s)
{
	struct snap_session *rows = s->sessions;

	list_rows(c, s);
	for (u32 i = 0; i < c->nr_order; i++) {
		const struct kept_row *kept = &c->kept[c->order[i]];

		if (kept->seq == s->seq - 1 && kept->place > i)
			rows[i] = rows[kept->place];
	}
	for (u32 i = c->nr_order; i-- > 0;) {
		const struct kept_row *kept = &c->kept[c->order[i]];

		if (kept->seq == s->seq - 1 && kept->place < i)
			rows[i] = rows[kept->place];
	}
	for (u32 i = 0; i < c->nr_order; i++) {
		const struct kept_row *kept = &c->kept[c->order[i]];

		if (!kept->seq || kept->seq != s->seq - 1)
			memset(&rows[i], 0, sizeof(rows[i]));
	}
}

/* One row. */

/*
 * The row by TA of a session, by what is known of it now; where there are too many,
 * the one for all others of its pool and class.
 */
static u8 find_ta(struct snapshot *s, const struct snap_session *row)
{
	enum call_class class = row->flags & SESSION_SYSTEM ? CLASS_SYSTEM : CLASS_NORMAL;
	struct value ta = session_field_find("ta")->get(s, row);
	bool other = false;

	for (;;) {
		for (u32 i = 0; i < s->nr_tas; i++) {
			const struct snap_ta *to = &s->tas[i];

			if (to->pool == row->pool && to->class == class && to->other == other &&
			    (other || (to->known == ta.known && !strcmp(to->ta, ta.text))))
				return (u8)i;
		}
		if (other || s->nr_tas < TAS_OF_THEIR_OWN)
			break;
		other = true;
	}
	s->tas[s->nr_tas] = (struct snap_ta){ .pool = row->pool,
					      .known = ta.known && !other,
					      .other = other,
					      .class = class };
	if (!other)
		snprintf(s->tas[s->nr_tas].ta, sizeof(s->tas->ta), "%.39s", ta.text);
	return (u8)s->nr_tas++;
}

static void read_identity(struct snap_session *to, const struct session *row)
{
	static const u8 none[16];

	to->id = row->id;
	to->flags = row->flags;
	to->open = row->state != SESSION_CLOSED;
	memcpy(to->uuid, row->uuid, sizeof(to->uuid));
	to->uuid_known = memcmp(to->uuid, none, sizeof(none)) != 0;
	to->ta = ta_name(row->uuid);
	to->login = row->login;
	to->kind = row->flags & SESSION_KERNEL ? CLIENT_KERNEL :
		   row->flags & SESSION_USER   ? CLIENT_USER :
						 CLIENT_UNKNOWN;
	to->tgid = row->tgid;
	text_sanitise(to->comm, row->comm, COMM_LEN);
	to->opened_ns = row->opened_ns;
	to->closed_ns = row->closed_ns;
	to->scmi_protocols = row->scmi_protocols;
	to->scmi_channel = row->scmi_channel;
}

static void read_counters(struct snap_session *to, const struct session *row)
{
	u64 others = 0, calls = 0;

	to->in_flight = row->in_flight;
	to->in_flight_peak = row->in_flight_peak;
	to->last_failure = row->last_failure;
	memcpy(to->sums, row->sums, sizeof(to->sums));
	memcpy(to->ops, row->ops, sizeof(to->ops));
	memcpy(to->rpc_count, row->rpc_count, sizeof(to->rpc_count));
	memcpy(to->rpc_ns, row->rpc_ns, sizeof(to->rpc_ns));
	for (int cmd = 0; cmd < NR_CMDS; cmd++)
		others += to->ops[cmd];
	for (int class = 0; class < NR_CLASSES; class ++)
		calls += to->sums[class].calls;
	to->ops[CMD_INVOKE] = calls - others;
}

/* The row as it is now; of the interval it has nothing yet. */
static struct snap_session read_row(u32 slot, const struct session *row)
{
	struct snap_session now = {
		.serial = row->serial, .slot = slot, .pool = row->pool, .changed = true
	};

	if (slot >= MAX_SESSIONS)
		now.pool = (slot - MAX_SESSIONS) / 2;
	else if (now.pool >= MAX_POOLS)
		now.pool = 0; /* it is being given away: take_row() sees that */
	read_identity(&now, row);
	read_counters(&now, row);
	if (slot == SLOT_NONE(now.pool))
		now.flags |= SESSION_NONE;
	else if (slot == SLOT_REST(now.pool))
		now.flags |= SESSION_REST;
	return now;
}

/* What was gained since the row of before, which is all 0 at first, goes to all sums. */
static void gain_sums(struct collect_sessions *c, struct snapshot *s, struct snap_ta *ta,
		      struct snap_session *now, const struct snap_session *before)
{
	for (int class = 0; class < NR_CLASSES; class ++) {
		struct class_sums gain = sums_since(&now->sums[class], &before->sums[class]);

		sums_add(&now->sums_iv, &gain);
		sums_add(&s->pools[now->pool].sums_iv[class], &gain);
		sums_raise(&gain, &now->sums[class]);
		sums_add(&c->pool_sums[now->pool][class], &gain);
		sums_add(&ta->sums, &gain);
	}
	for (int kind = 0; kind < NR_RPC_KINDS; kind++) {
		ta->rpc_count[kind] += now->rpc_count[kind] - before->rpc_count[kind];
		ta->rpc_ns[kind] += now->rpc_ns[kind] - before->rpc_ns[kind];
	}
}

static bool gain_hists(struct kept_row *kept, struct snap_ta *ta, struct snap_session *now,
		       const struct session *row)
{
	if (!now->sums[CLASS_NORMAL].calls && !now->sums[CLASS_SYSTEM].calls)
		return true;
	now->wait = &kept->wait;
	now->hold = &kept->hold;
	now->secure = &kept->secure;
	return hist_gain(&kept->wait, &row->wait, ta->wait, &now->wait_iv) &&
	       hist_gain(&kept->hold, &row->hold, ta->hold, &now->hold_iv) &&
	       hist_gain(&kept->secure, &row->secure, ta->secure, &now->secure_iv);
}

/* Of one that has not changed only the figures of the interval are other ones: none. */
static void pass_idle(struct snap_session *row)
{
	row->sums_iv = (struct class_sums){};
	row->wait_iv = row->hold_iv = row->secure_iv = (struct spread){};
	row->changed = false;
}

/* row: a whole copy of what is in the slot. */
static bool take_changed(struct collect_sessions *c, struct snapshot *s, u32 slot,
			 const struct session *row, struct snap_session *to)
{
	static const struct snap_session nothing;
	struct snap_session now = read_row(slot, row);
	struct kept_row *kept = &c->kept[slot];
	const struct snap_session *before = kept->counted ? to : &nothing;
	struct snap_ta *ta;

	/* It is raised after in_flight itself has risen, and that was seen. */
	if (now.in_flight_peak < to->in_flight_peak)
		now.in_flight_peak = to->in_flight_peak;
	if (now.in_flight_peak < now.in_flight)
		now.in_flight_peak = now.in_flight;
	/*
	 * The open may fail, and then there was no session, nor perhaps its TA: whoever asks
	 * for random ones makes no rows. What it has cost is counted when that is known. A session
	 * without an id gets another row with its next call, and counts there.
	 */
	if (row->flags & (SESSION_OPENING | SESSION_UNNAMED)) {
		*to = now;
		return true;
	}
	if (!kept->counted || kept->mark.flags != row->flags) {
		kept->ta = find_ta(s, &now);
		s->tas[kept->ta].opened += now.serial && !kept->counted;
		kept->counted = true;
	}
	ta = &s->tas[kept->ta];
	ta->changed = true;
	gain_sums(c, s, ta, &now, before);
	if (!gain_hists(kept, ta, &now, row))
		return false;
	*to = now;
	return true;
}

/* Updates the row of a slot, which is laid out at `from`, and puts it behind the others. */
static bool take_row(struct collect_sessions *c, struct snapshot *s, u32 slot, u32 from)
{
	struct kept_row *kept = &c->kept[slot];
	struct snap_session *to = &s->sessions[s->nr_sessions];
	struct mark mark = row_mark(&c->rows[slot]);
	struct session row;

	if (from != s->nr_sessions)
		*to = s->sessions[from];
	if (kept->seq && !memcmp(&mark, &kept->mark, sizeof(mark))) {
		row_is_read(c, kept);
		pass_idle(to);
	} else if (copy_whole(c, &row, &c->rows[slot])) {
		if (row.serial != kept->serial ||
		    *(const volatile u64 *)&c->rows[slot].serial != kept->serial) {
			kept_forget(kept); /* it was given away under our eyes */
			return true;
		}
		if (!take_changed(c, s, slot, &row, to))
			return false;
		kept->mark = row_mark(&row);
		row_is_read(c, kept);
	} else {
		row_is_unread(c, kept, s->mono_ns);
		if (!kept->seq)
			return true; /* the next snapshot is its first */
		/* As it was; the next snapshot has what it gained. */
		pass_idle(to);
	}
	kept->closed = !to->open && !to->in_flight;
	c->finals += kept->closed;
	if (kept->counted)
		s->tas[kept->ta].open += to->serial && to->open;
	kept->seq = s->seq;
	kept->place = s->nr_sessions++;
	c->at[slot] = (int)kept->place;
	return true;
}

/*
 * Rows are numbered as they are given: of the first `given`, those that were
 * not taken back, are not in their slots and were never read after their close
 * were missed, and so are those that cannot be read for long. A CPU may be between the
 * steps of giving a row or taking it back, so some are accounted for twice: a miss may be
 * found a snapshot late, but none is made up.
 */
static void count_unread(struct collect_sessions *c, u64 given)
{
	/* Read last: what was taken back while we read counts here, and may count twice. */
	u64 accounted = __atomic_load_n(&c->shared->sessions_undone, __ATOMIC_ACQUIRE) + c->finals +
			c->on_their_way;

	for (u32 slot = 0; slot < MAX_SESSIONS; slot++) {
		const struct kept_row *kept = &c->kept[slot];

		if (kept->serial && !kept->closed && !kept->missed && kept->serial <= given)
			accounted++; /* still there when it was read */
		else if (kept->closed && kept->serial > given)
			accounted--; /* given and closed while we read */
	}
	given += c->misses;
	if (given > accounted && given - accounted > c->unread)
		c->unread = given - accounted;
}

static bool room(struct snapshot *s)
{
	if (!s->sessions)
		s->sessions = calloc(SESSION_SLOTS, sizeof(*s->sessions));
	if (!s->tas)
		s->tas = calloc(MAX_TAS, sizeof(*s->tas));
	return s->sessions && s->tas;
}

bool collect_sessions(struct collect_sessions *c, struct snapshot *s)
{
	u64 given = __atomic_load_n(&c->shared->session_serial, __ATOMIC_ACQUIRE);
	u32 open[MAX_TAS];

	if (!room(s))
		return false;
	c->pauses = PAUSES;
	for (u32 i = 0; i < MAX_TAS; i++) {
		open[i] = s->tas[i].open;
		s->tas[i].open = 0;
		s->tas[i].changed = false;
	}
	for (u32 slot = 0; slot <= SESSION_SLOTS; slot++)
		c->at[slot] = -1;
	lay_out(c, s);
	s->nr_sessions = 0;
	for (u32 i = 0; i < c->nr_order; i++)
		if (!take_row(c, s, c->order[i], i))
			return false;
	count_unread(c, given);
	for (u32 i = 0; i < s->nr_tas; i++)
		s->tas[i].changed |= s->tas[i].open != open[i];
	for (u32 pool = 0; pool < s->nr_pools; pool++)
		memcpy(s->pools[pool].sums, c->pool_sums[pool], sizeof(c->pool_sums[pool]));
	return true;
}

int collect_sessions_at(const struct collect_sessions *c, u32 slot)
{
	return c->at[slot];
}

u64 collect_sessions_unread(const struct collect_sessions *c)
{
	return c->unread;
}
