// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings: what a recorder wrote is what a reader gets, member by member, and of
 * a file that was cut off or spoiled all that is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit.h"
#include "block.h"
#include "hist.h"
#include "recorder.h"
#include "recording.h"
#include "schema.h"

#define SNAPSHOTS    8
#define SESSIONS     5
#define CALLS        3
#define TAS          4
#define EVENTS       4  /* before a snapshot */
#define CALL_RECORDS 40 /* before one */

static const char file[] = "build/unit/recording.tmp", spoiled[] = "build/unit/spoiled.tmp";

static u64 seed = 1;

static u64 any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> (2 + seed % 62); /* of all magnitudes that a figure has */
}

static void any_u64s(void *to, size_t bytes)
{
	for (size_t i = 0; i < bytes / 8; i++) {
		u64 v = any();

		memcpy((u8 *)to + 8 * i, &v, sizeof(v));
	}
}

static int any_int(void)
{
	return (int)(any() % 100) - 1;
}

static void any_text(char *to, size_t size)
{
	size_t len = any() % size;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)(' ' + any() % 95);
	to[len] = '\0';
}

/* What the source below gives. */
static struct given {
	struct snapshot snap;
	struct snap_session sessions[SESSIONS];
	struct snap_call calls[CALLS];
	session_hists hists[SESSIONS];
	struct snap_ta tas[TAS];
	struct event events[EVENTS];
	struct call_record records[CALL_RECORDS];
} given[SNAPSHOTS];
static struct event second[2 * EVENTS]; /* has those of the first, too: that one is not shown */

static const struct host host = {
	.version = "v1",
	.machine = "aarch64",
	.release = "6.12.95",
	.name = "board",
	.boot_id = "0b5e0000-1111-2222-3333-444444444444",
	.hooks = "fentry optee_smc_do_call_with_arg",
	.cpus = 4,
	.mono_ns = 1234567890123,
	.real_ns = 1790000000000000000,
	.resolution_ns = 1,
	.starved_ns = 1000000000,
	.reserved = -1,
	.calls = true,
};

static void make_pool(struct snap_pool *p)
{
	p->id = (u32)any();
	p->total = any_int();
	p->in_use_all = any_int();
	p->in_rpc = any_int();
	p->waiting_all = any_int();
	p->in_use_all_peak = any_int();
	p->waiting_all_peak = any_int();
	for (int class = 0; class < NR_CLASSES; class ++) {
		p->in_use[class] = any_int();
		p->waiting[class] = any_int();
		p->in_use_peak[class] = any_int();
		p->waiting_peak[class] = any_int();
	}
	any_u64s(p->sums, sizeof(p->sums));
	any_u64s(p->sums_iv, sizeof(p->sums_iv));
	p->reserved = any_int();
	p->design = any() % (DESIGN_V6 + 1);
	p->driver_free = any_int();
	p->system_sessions = any_int();
	p->drift_known = any() & 1;
	p->drift = -any_int();
	p->judged_reserved = any_int();
	for (int cond = 0; cond < NR_CONDS; cond++) {
		p->conds[cond] = (struct snap_cond){ any() & 1, any(), any(), any(),
						     any(),     any(), any() };
	}
	p->exhausted_ns_iv = any();
	p->oldest_wait_ns = any();
}

static void make_session(struct snap_session *row, session_hists *hists)
{
	row->serial = any();
	row->slot += 1 + any() % 100; /* behind that of the row before */
	row->pool = any() % 2;
	row->id = (u32)any();
	row->flags = (u32)any();
	row->open = any() & 1;
	row->uuid_known = any() & 1;
	any_u64s(row->uuid, sizeof(row->uuid));
	row->login = (u32)any();
	row->kind = any() % (CLIENT_KERNEL + 1);
	row->tgid = (u32)any();
	any_text(row->comm, sizeof(row->comm));
	row->opened_ns = any();
	row->closed_ns = any();
	row->in_flight = any_int();
	row->in_flight_peak = any_int();
	any_u64s(row->sums, sizeof(row->sums));
	any_u64s(&row->sums_iv, sizeof(row->sums_iv));
	any_u64s(row->ops, sizeof(row->ops));
	row->last_failure = (u32)any();
	any_u64s(row->rpc_count, sizeof(row->rpc_count));
	any_u64s(row->rpc_ns, sizeof(row->rpc_ns));
	any_u64s(&row->wait_iv, sizeof(row->wait_iv));
	any_u64s(&row->hold_iv, sizeof(row->hold_iv));
	any_u64s(&row->secure_iv, sizeof(row->secure_iv));
	if (any() & 1)
		return; /* no calls yet */
	for (int h = 0; h < 3; h++)
		for (int i = 0; i < HIST_BUCKETS; i++)
			if (any() & 1)
				assert_true(hist_add(&(*hists)[h], (unsigned int)i, any() | 1));
	assert_true(hist_add(&(*hists)[2], HIST_BUCKETS - 1, 1));
	row->wait = &(*hists)[0];
	row->hold = &(*hists)[1];
	row->secure = &(*hists)[2];
}

static void make_call(struct snap_call *call)
{
	call->tid = (u32)any();
	call->tgid = (u32)any();
	any_text(call->comm, sizeof(call->comm));
	call->pool = any() % 2;
	call->session = (int)(any() % (SESSIONS + 1)) - 1;
	call->cmd = any() % NR_CMDS;
	call->func = (u32)any();
	call->class = any() % NR_CLASSES;
	call->phase = any() % (PHASE_BLIND + 1);
	call->rpc_kind = any() % NR_RPC_KINDS;
	call->queued = any() & 1;
	call->nested = any() & 1;
	call->late = any() & 1;
	call->age_ns = any();
	call->phase_ns = any();
}

static void make_party(struct event_party *p, u32 nr_parties)
{
	p->tid = (u32)any();
	p->tgid = (u32)any();
	any_text(p->comm, sizeof(p->comm));
	p->serial = any();
	p->session = (u32)any();
	any_text(p->ta, sizeof(p->ta));
	any_text(p->client, sizeof(p->client));
	p->cmd = any() % NR_CMDS;
	p->func = (u32)any();
	p->class = any() % NR_CLASSES;
	p->phase = any() % (PHASE_BLIND + 1);
	p->rpc_kind = any() % NR_RPC_KINDS;
	p->waits = any() & 1;
	p->late = any() & 1;
	p->since_ns = any();
	p->swallowed = any() & 1;
	p->swallowed_ns = any();
	p->behind = (int)(any() % (nr_parties + 1)) - 1;
	p->by_supplicant = any() & 1;
	p->one_of = any() & 1;
}

static void make_ta(struct snap_ta *ta)
{
	ta->pool = any() % 2;
	any_text(ta->ta, sizeof(ta->ta));
	ta->known = any() & 1;
	ta->other = any() & 1;
	ta->class = any() % NR_CLASSES;
	ta->opened = any();
	ta->open = (u32)any();
	any_u64s(&ta->sums, sizeof(ta->sums));
	any_u64s(ta->rpc_count, sizeof(ta->rpc_count));
	any_u64s(ta->rpc_ns, sizeof(ta->rpc_ns));
	any_u64s(ta->wait, sizeof(ta->wait));
	any_u64s(ta->hold, sizeof(ta->hold));
	any_u64s(ta->secure, sizeof(ta->secure));
	ta->changed = true;
}

static void make_event(struct event *e)
{
	e->condition = any() % NR_CONDS;
	e->state = any() % (EVENT_END + 1);
	e->tee = (u32)any();
	e->episode = any();
	e->since_ns = any();
	e->mono_ns = any();
	e->real_ns = any();
	e->duration_ns = any();
	e->end_unseen = any() & 1;
	e->peak = (u32)any();
	e->threads = any_int();
	e->reserved = any_int();
	for (int class = 0; class < NR_CLASSES; class ++) {
		e->in_use[class] = any_int();
		e->waiting[class] = any_int();
	}
	e->driver_free = any_int();
	e->driver_sys_sessions = any_int();
	e->drift = -any_int();
	e->unreported = any();
	e->nr_parties = any() % (MAX_PARTIES + 1);
	e->culprit = (int)(any() % (e->nr_parties + 1)) - 1;
	for (u32 i = 0; i < e->nr_parties; i++)
		make_party(&e->parties[i], e->nr_parties);
}

static void make_record(struct call_record *r)
{
	any_u64s(r, sizeof(*r));
	r->secure_ns = any() % (r->hold_ns + 1);
	r->limit_ns = any() % (r->wait_ns + 1);
	r->op = any() % NR_CMDS;
	r->class = any() % NR_CLASSES;
	r->pool = any() % MAX_POOLS;
	r->flags = (u8)any();
}

static void make_all(void)
{
	for (int i = 0; i < SNAPSHOTS; i++)
		for (int n = 0; n < SESSIONS; n++)
			for (int h = 0; h < 3; h++)
				hist_release(&given[i].hists[n][h]);
	memset(given, 0, sizeof(given));
	for (int i = 0; i < SNAPSHOTS; i++) {
		struct given *g = &given[i];
		struct snapshot *s = &g->snap;

		s->seq = (u64)i + 1;
		s->mono_ns = any();
		s->real_ns = any();
		s->interval_ns = i ? 1 + any() / 2 : 0;
		s->nr_pools = 2;
		s->nr_sessions = SESSIONS;
		s->nr_calls = CALLS;
		s->sessions = g->sessions;
		s->calls = g->calls;
		s->nr_tas = TAS;
		s->tas = g->tas;
		s->events = i == 1 ? second : g->events;
		s->nr_events = i == 1 ? 2 * EVENTS : EVENTS;
		for (u32 p = 0; p < s->nr_pools; p++)
			make_pool(&s->pools[p]);
		for (int n = 0; n < SESSIONS; n++) {
			g->sessions[n].slot = n ? g->sessions[n - 1].slot : 0;
			make_session(&g->sessions[n], &g->hists[n]);
		}
		for (int n = 0; n < TAS; n++)
			make_ta(&g->tas[n]);
		for (int n = 0; n < CALLS; n++)
			make_call(&g->calls[n]);
		for (int n = 0; n < EVENTS; n++)
			make_event(&g->events[n]);
		for (int n = 0; n < CALL_RECORDS; n++)
			make_record(&g->records[n]);
		any_u64s(s->losses.count, sizeof(s->losses.count));
		s->losses.missed = any();
		s->losses.missed_known = any() & 1;
		s->nr_cpus = 3;
		if (i < 2)
			memcpy(second + i * EVENTS, g->events, sizeof(g->events));
		any_u64s(s->records, s->nr_cpus * sizeof(s->records[0]));
	}
}

/* A source of these, as the running kernel is one: half of the events are found by looks. */
struct script {
	int next;    /* snapshot */
	bool looked; /* since the last one */
	bool called;
};

static const struct snapshot *script_next(void *ctx)
{
	struct script *script = ctx;

	errno = 0;
	script->looked = false;
	return script->next < SNAPSHOTS ? &given[script->next++].snap : NULL;
}

static u32 script_look(void *ctx, const struct event **events)
{
	struct script *script = ctx;

	if (script->looked || script->next == SNAPSHOTS)
		return 0;
	script->looked = true;
	script->called = false;
	*events = given[script->next].events;
	return EVENTS / 2;
}

static u32 script_calls(void *ctx, const struct call_record **calls)
{
	struct script *script = ctx;

	if (script->called || script->next == SNAPSHOTS)
		return 0;
	script->called = true;
	*calls = given[script->next].records;
	return CALL_RECORDS;
}

static void record_all(bool compress)
{
	struct script script = {};
	struct source source = {
		.ctx = &script,
		.host = &host,
		.next = script_next,
		.look = script_look,
		.calls = script_calls,
	};
	struct recorder *recorder;
	const struct event *events;

	make_all();
	unlink(file);
	assert_int_equal(recorder_open(&recorder, file, compress), STATUS_OK);
	source = recorder_source(recorder, &source);
	for (int i = 0; i < SNAPSHOTS; i++) {
		source.look(source.ctx, &events);
		assert_ptr_equal(source.next(source.ctx), &given[i].snap);
	}
	assert_null(source.next(source.ctx));
	assert_int_equal(recorder_calls(recorder), SNAPSHOTS * CALL_RECORDS);
	assert_int_equal(recorder_close(recorder), STATUS_OK);
}

static void same_hist(const struct hist64 *a, const struct hist64 *b)
{
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(hist_at(a, i), hist_at(b, i));
}

static void same_session(const struct snap_session *a, const struct snap_session *b)
{
	const struct hist64 *const left[] = { a->wait, a->hold, a->secure };
	const struct hist64 *const right[] = { b->wait, b->hold, b->secure };
	struct snap_session x = *a, y = *b;

	x.wait = x.hold = x.secure = y.wait = y.hold = y.secure = NULL;
	y.ta = NULL;
	y.changed = x.changed;
	assert_memory_equal(&x, &y, sizeof(x));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(!left[i], !right[i]);
		if (left[i])
			same_hist(left[i], right[i]);
	}
}

static void same_snapshot(const struct given *g, const struct snapshot *s)
{
	assert_non_null(s);
	assert_int_equal(s->seq, g->snap.seq);
	assert_int_equal(s->mono_ns, g->snap.mono_ns);
	assert_int_equal(s->real_ns, g->snap.real_ns);
	assert_int_equal(s->interval_ns, g->snap.interval_ns);
	assert_int_equal(s->nr_pools, g->snap.nr_pools);
	assert_memory_equal(s->pools, g->snap.pools, sizeof(s->pools));
	assert_int_equal(s->nr_sessions, SESSIONS);
	for (int i = 0; i < SESSIONS; i++)
		same_session(&g->sessions[i], &s->sessions[i]);
	assert_int_equal(s->nr_calls, CALLS);
	assert_memory_equal(s->calls, g->calls, sizeof(g->calls));
	assert_memory_equal(&s->losses, &g->snap.losses, sizeof(s->losses));
	assert_int_equal(s->nr_cpus, g->snap.nr_cpus);
	assert_int_equal(s->nr_tas, TAS);
	assert_memory_equal(s->tas, g->tas, sizeof(g->tas));
	assert_memory_equal(s->records, g->snap.records, sizeof(s->records));
}

static void same_calls(const struct source *source, const struct given *g)
{
	const struct call_record *calls;
	u32 n = 0, more;

	while ((more = source->calls(source->ctx, &calls)) > 0) {
		assert_true(n + more <= CALL_RECORDS);
		assert_memory_equal(calls, g->records + n, more * sizeof(*calls));
		n += more;
	}
	assert_int_equal(n, CALL_RECORDS);
}

static void read_all(bool compress)
{
	struct recording *r;
	struct source source;
	const struct event *events;

	record_all(compress);
	assert_int_equal(recording_open(&r, file), STATUS_OK);
	source = recording_source(r);
	assert_false(recording_damaged(r));
	assert_int_equal(recording_snapshots(r), SNAPSHOTS);
	assert_memory_equal(source.host, &host, sizeof(host));
	for (int i = 0; i < SNAPSHOTS; i++) {
		const struct snapshot *s = source.next(source.ctx);

		same_snapshot(&given[i], s);
		assert_int_equal(s->nr_events, i == 1 ? 2 * EVENTS : EVENTS);
		assert_memory_equal(s->events + (i == 1 ? EVENTS : 0), given[i].events,
				    sizeof(given[i].events));
		same_calls(&source, &given[i]);
	}
	assert_null(source.next(source.ctx));
	assert_int_equal(errno, 0);
	assert_int_equal(source.look(source.ctx, &events), LOOK_ENDED);
	recording_seek(r, 3);
	same_snapshot(&given[3], source.next(source.ctx));
	same_calls(&source, &given[3]);
	recording_close(r);
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	for (seed = 1; seed < 40; seed += 3) {
		u64 kept = seed;

		read_all(false);
		seed = kept;
		read_all(true);
		seed = kept;
	}
}

static void looks_have_the_events(void **state)
{
	struct recording *r;
	struct source source;
	const struct event *events;
	u32 n, seen = 0;

	(void)state;
	record_all(false);
	assert_int_equal(recording_open(&r, file), STATUS_OK);
	source = recording_source(r);
	while ((n = source.look(source.ctx, &events)) != LOOK_ENDED) {
		if (!n) {
			source.next(source.ctx);
			continue;
		}
		assert_memory_equal(events, given[seen / EVENTS].events + seen % EVENTS,
				    n * sizeof(*events));
		seen += n;
	}
	assert_int_equal(seen, SNAPSHOTS * EVENTS);
	recording_close(r);
}

/* A call of less than an hour, whatever else it has, takes at most 64 bytes. */
static void calls_are_small(void **state)
{
	const u64 hour = 3600ULL * 1000000000;
	struct call_record before = {}, call = {
		.start_ns = 40 * hour, /* the first of a block, 40 h after boot */
		.wait_ns = hour,
		.limit_ns = hour,
		.hold_ns = hour,
		.serial = ~0U,
		.tid = ~0U >> 1,
		.func = ~0U,
		.result = 0xffff0000,
		.op = CMD_OTHER,
		.class = CLASS_SYSTEM,
		.pool = MAX_POOLS - 1,
		.flags = 0xff,
	};
	struct codec c = codec_writer();

	(void)state;
	put_call(&c, &call, &before);
	assert_true(c.at <= 64);
	free(c.buf);
}

/* Bad files. */

static u8 *load(size_t *size)
{
	FILE *f = fopen(file, "rb");
	u8 *data;
	long n;

	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n > 0);
	rewind(f);
	data = malloc((size_t)n);
	assert_int_equal(fread(data, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	*size = (size_t)n;
	return data;
}

static void save(const u8 *data, size_t size)
{
	FILE *f = fopen(spoiled, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

/* How many snapshots are whole in the spoiled file; -1: it cannot be read. */
static int snapshots_of(bool *damaged)
{
	struct recording *r;
	struct source source;
	const struct call_record *calls;
	const struct snapshot *s;
	int n = 0;

	if (recording_open(&r, spoiled) != STATUS_OK)
		return -1;
	source = recording_source(r);
	while ((s = source.next(source.ctx))) {
		assert_true(s->seq >= 1 && s->seq <= SNAPSHOTS);
		same_snapshot(&given[s->seq - 1], s);
		while (source.calls(source.ctx, &calls))
			;
		n++;
	}
	*damaged = recording_damaged(r);
	recording_close(r);
	return n;
}

/* Silent: each spoiled file is complained of. */
static int quiet(void)
{
	int kept = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	dup2(null, STDERR_FILENO);
	close(null);
	return kept;
}

static void loud(int kept)
{
	dup2(kept, STDERR_FILENO);
	close(kept);
}

static void cut_off_anywhere(void **state)
{
	struct block_scan scan;
	struct block b;
	bool damaged;
	size_t size;
	u8 *data;
	int kept;

	(void)state;
	seed = 7;
	record_all(false);
	data = load(&size);
	kept = quiet();
	for (size_t n = 0; n < size; n += 1 + size / 997) {
		int whole = 0;

		scan = (struct block_scan){ .data = data, .size = size };
		while (block_next(&scan, &b))
			whole += b.type == BLOCK_SNAPSHOT && b.end <= n;
		save(data, n);
		scan = (struct block_scan){ .data = data, .size = size };
		assert_true(block_next(&scan, &b));
		assert_int_equal(snapshots_of(&damaged), n < b.end ? -1 : whole);
		assert_true(n < b.end || damaged);
	}
	loud(kept);
	free(data);
}

static void one_bit_costs_one_block(void **state)
{
	bool damaged;
	size_t size;
	u8 *data;
	int kept;

	(void)state;
	seed = 8;
	record_all(false);
	data = load(&size);
	kept = quiet();
	for (size_t at = 0; at < size; at += 1 + size / 499) {
		data[at] ^= (u8)(1 << (at & 7));
		save(data, size);
		assert_true(snapshots_of(&damaged) >= SNAPSHOTS - 1);
		assert_true(damaged);
		data[at] ^= (u8)(1 << (at & 7));
	}
	loud(kept);
	free(data);
}

static enum status opens(const void *data, size_t size)
{
	struct recording *r;
	enum status status;
	int kept = quiet();

	save(data, size);
	status = recording_open(&r, spoiled);
	if (status == STATUS_OK)
		recording_close(r);
	loud(kept);
	return status;
}

/* A file of one block, with a schema of its own. */
static enum status opens_schema(u16 schema)
{
	struct packer *p = packer_new();
	size_t n;
	u8 *block = (u8 *)packer_pack(p, schema, BLOCK_HOST, "", 0, false, &n);
	enum status status = opens(block, n);

	packer_free(p);
	return status;
}

static void strange_files(void **state)
{
	static const char text[] = "{\"schema\":\"optee-top/1\"}\n";

	(void)state;
	assert_int_equal(opens("", 0), STATUS_FAILURE);
	assert_int_equal(opens(text, sizeof(text)), STATUS_FAILURE);
	assert_int_equal(opens_schema(SCHEMA), STATUS_OK);
	assert_int_equal(opens_schema(SCHEMA + 1), STATUS_FAILURE);
	assert_int_equal(opens_schema(SCHEMA_OLDEST - 1), STATUS_FAILURE);
}

UNIT_TESTS(what_was_written_is_read, looks_have_the_events, calls_are_small, cut_off_anywhere,
	   one_bit_costs_one_block, strange_files)
