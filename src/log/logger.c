// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is written when. Whatever changed since it was last written is remembered in a
 * bit each, so that a minute of a thousand idle sessions is no line.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fail.h"
#include "log/event_quota.h"
#include "log/log_pack.h"
#include "log/log_sink.h"
#include "log/logger.h"

#define MAX_SINKS    2
#define ALL_TAS      (MAX_TAS * MAX_POOLS)
#define SHARES       8 /* a file is rotated when it has this part of its share of the cap */
#define RETRY_NS     1000000000ULL

/*
 * Of what was written lately events may have half, and this part of the cap besides, so the
 * figures of the time before are still there when a client has done its worst.
 */
#define EVENT_SHARES 8

struct logger {
	char *path;
	u64 interval_ns;
	struct log_dir dir;
	struct log_pack pack;
	int nr_sinks;
	struct log_sink sinks[MAX_SINKS];
	struct line_buffer line;
	/* What was given last. */
	const struct host *host;
	const struct snapshot *last;
	bool first;     /* nothing was given yet */
	u64 figures_ns; /* CLOCK_MONOTONIC, of the last figures, */
	u64 due_ns;     /* and when the next ones are due */
	u64 retry_ns;   /* what fails is not tried again before */
	/* What changed since the last figures; of a slot with another session all did. */
	u64 serials[SESSION_SLOTS];
	bool sessions[SESSION_SLOTS], tas[ALL_TAS];
	struct snap_losses losses;
	u64 event_least; /* bytes that events may have in any case */
	struct event_quotas quotas;
};

static u32 used_names(const struct log_format *f)
{
	u32 used = 0;

	for (int type = 0; type < NR_LOG_TYPES; type++)
		if (f->files[type] < NR_LOG_NAMES)
			used |= 1U << f->files[type];
	return used;
}

static void add_sink(struct logger *g, const struct log_format *f, u64 share)
{
	log_sink_init(&g->sinks[g->nr_sinks++], f, &g->dir, &g->line, share);
}

int logger_new(struct logger **logger, const struct log_opts *o)
{
	struct logger *g = calloc(1, sizeof(*g));
	bool jsonl = o->jsonl || !o->csv;
	u32 used = (jsonl ? used_names(&log_jsonl) : 0) | (o->csv ? used_names(&log_csv) : 0);
	u64 cap = o->size ?: LOG_SIZE;
	u64 share = cap / SHARES / (u64)__builtin_popcount(used);

	if (g)
		g->path = strdup(o->dir);
	if (!g || !g->path) {
		free(g);
		return -ENOMEM;
	}
	g->interval_ns = (u64)((o->interval ?: LOG_INTERVAL) * 1e9);
	g->first = true;
	g->event_least = cap / EVENT_SHARES;
	log_dir_init(&g->dir, g->path, cap, used);
	log_pack_init(&g->pack, &g->dir);
	if (jsonl)
		add_sink(g, &log_jsonl, share);
	if (o->csv)
		add_sink(g, &log_csv, share);
	/* A file that may not grow is an error of the write, and not our end. */
	signal(SIGXFSZ, SIG_IGN);
	*logger = g;
	return 0;
}

static struct log_item item_of(const struct logger *g, enum log_type type)
{
	return (struct log_item){ .type = type,
				  .host = g->host,
				  .s = g->last,
				  .mono_ns = g->last->mono_ns,
				  .real_ns = g->last->real_ns };
}

static void put(struct logger *g, const struct log_item *item)
{
	for (int i = 0; i < g->nr_sinks; i++)
		log_sink_put(&g->sinks[i], item);
}

static void mark_all(struct logger *g)
{
	memset(g->sessions, true, sizeof(g->sessions));
	memset(g->tas, true, sizeof(g->tas));
	g->losses.missed = ~0ULL;
}

static void close_all(struct logger *g)
{
	log_pack_stop(&g->pack);
	for (int i = 0; i < g->nr_sinks; i++)
		log_sink_close(&g->sinks[i]);
	log_dir_close(&g->dir);
}

/* What fails is tried again, a dead disk not more often than figures are written. */
static void recover(struct logger *g)
{
	u64 wait = RETRY_NS;

	for (int i = 0; i < g->nr_sinks; i++) {
		struct log_item item = item_of(g, LOG_GAP);
		struct log_sink *k = &g->sinks[i];

		if (!k->failing)
			continue;
		if (log_sink_recover(k, &item))
			mark_all(g); /* what it missed is written once more */
		else if (k->unkept)
			wait = g->interval_ns;
	}
	g->retry_ns = g->last->mono_ns + wait;
}

/* The directory and the files are what their names stand for, or the lines will be lost. */
static void prepare(struct logger *g)
{
	const struct log_dir *d = &g->dir;
	bool open = d->fd >= 0;
	dev_t dev = d->dev;
	ino_t ino = d->ino;
	int err, old;

	if (!log_dir_there(&g->dir)) {
		/* Held until the new one is open, which could be given the same inode number. */
		old = open ? fcntl(d->fd, F_DUPFD_CLOEXEC, 0) : -1;
		close_all(g);
		err = log_dir_open(&g->dir);
		if (old >= 0)
			close(old);
		for (int i = 0; err && i < g->nr_sinks; i++)
			log_sink_fails(&g->sinks[i], err, NR_LOG_NAMES, g->last->mono_ns);
		if (err)
			return;
		if (open && (d->dev != dev || d->ino != ino))
			say("'%s' with the log was replaced: a new log starts there", g->path);
	}
	for (int i = 0; i < g->nr_sinks; i++)
		log_sink_check(&g->sinks[i]);
	if (g->last->mono_ns >= g->retry_ns)
		recover(g);
}

static void mark(struct logger *g)
{
	const struct snapshot *s = g->last;

	for (u32 i = 0; i < s->nr_sessions; i++) {
		const struct snap_session *row = &s->sessions[i];

		if (row->slot < SESSION_SLOTS &&
		    (row->changed || row->serial != g->serials[row->slot])) {
			g->serials[row->slot] = row->serial;
			g->sessions[row->slot] = true;
		}
	}
	for (u32 i = 0; i < s->nr_tas && i < ALL_TAS; i++)
		g->tas[i] |= s->tas[i].changed;
}

static void put_session(struct logger *g, const struct snap_session *row)
{
	struct log_item item = item_of(g, LOG_SESSION);

	item.session = row;
	put(g, &item);
	if (row->slot < SESSION_SLOTS)
		g->sessions[row->slot] = false;
}

static bool fits_event(const struct logger *g)
{
	for (int i = 0; i < g->nr_sinks; i++)
		if (!log_sink_fits_event(&g->sinks[i], g->event_least))
			return false;
	return true;
}

/* What is there only this once. */
static void put_at_once(struct logger *g)
{
	const struct snapshot *s = g->last;

	for (u32 i = 0; i < s->nr_events; i++) {
		struct log_item item = item_of(g, LOG_EVENT);

		if (!event_quota_take(&g->quotas, &s->events[i], fits_event(g)))
			continue;
		item.event = &s->events[i];
		item.mono_ns = item.event->mono_ns;
		item.real_ns = item.event->real_ns;
		put(g, &item);
	}
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].serial && !s->sessions[i].open)
			put_session(g, &s->sessions[i]);
}

static bool same_losses(const struct snap_losses *a, const struct snap_losses *b)
{
	return a->missed_known == b->missed_known && a->missed == b->missed &&
	       !memcmp(a->count, b->count, sizeof(a->count));
}

/* The events that were left out since the last figures. */
static void put_omitted(struct logger *g)
{
	struct event_quota *quotas = &g->quotas.of[0][0];

	for (int i = 0; i < MAX_POOLS * NR_CONDS; i++) {
		struct event_quota *quota = &quotas[i];
		struct log_omitted omitted = { .tee = quota->tee,
					       .condition = i % NR_CONDS,
					       .events = quota->omitted,
					       .since_ns = quota->since_ns };
		struct log_item item = item_of(g, LOG_OMITTED);

		if (!quota->omitted)
			continue;
		item.omitted = &omitted;
		put(g, &item);
		quota->omitted = 0;
	}
}

static void put_figures(struct logger *g)
{
	const struct snapshot *s = g->last;
	struct log_item item;

	for (u32 i = 0; i < s->nr_pools; i++) {
		item = item_of(g, LOG_POOL);
		item.pool = &s->pools[i];
		put(g, &item);
	}
	for (u32 i = 0; i < s->nr_tas; i++) {
		if (i < ALL_TAS && !g->tas[i])
			continue;
		item = item_of(g, LOG_TA);
		item.ta = &s->tas[i];
		put(g, &item);
		if (i < ALL_TAS)
			g->tas[i] = false;
	}
	for (u32 i = 0; i < s->nr_sessions; i++)
		if (s->sessions[i].slot >= SESSION_SLOTS || g->sessions[s->sessions[i].slot])
			put_session(g, &s->sessions[i]);
	if (!same_losses(&s->losses, &g->losses)) {
		item = item_of(g, LOG_LOSSES);
		put(g, &item);
		g->losses = s->losses;
	}
	put_omitted(g);
	g->figures_ns = s->mono_ns;
	g->due_ns = next_deadline(g->due_ns, g->interval_ns, s->mono_ns);
	for (int i = 0; i < g->nr_sinks; i++)
		log_sink_sync(&g->sinks[i], s->mono_ns);
}

/* The snapshots come when they can: the next one would be farther from when figures are due. */
static bool figures_due(const struct logger *g)
{
	return g->last->mono_ns + g->last->interval_ns / 2 >= g->due_ns;
}

void logger_take(struct logger *g, const struct host *host, const struct snapshot *s)
{
	struct log_item item;

	g->host = host;
	g->last = s;
	prepare(g);
	if (g->first) {
		mark_all(g);
		g->due_ns = s->mono_ns;
		item = item_of(g, LOG_HOST);
		put(g, &item);
	}
	mark(g);
	put_at_once(g);
	if (figures_due(g))
		put_figures(g);
	g->first = false;
	log_pack_step(&g->pack);
}

void logger_reopen(struct logger *g)
{
	close_all(g);
	g->retry_ns = 0;
}

struct log_stats logger_stats(const struct logger *g)
{
	struct log_stats s = { .rotations = g->dir.retired,
			       .deflated = g->pack.packed,
			       .deleted = g->dir.deleted,
			       .bytes = g->dir.size };

	for (int i = 0; i < g->nr_sinks; i++) {
		s.lines += g->sinks[i].lines;
		s.lost += g->sinks[i].lost;
		s.errors += g->sinks[i].errors;
	}
	return s;
}

void logger_free(struct logger *g)
{
	if (!g)
		return;
	if (g->last && g->figures_ns != g->last->mono_ns) {
		prepare(g);
		put_figures(g);
	}
	close_all(g);
	free(g->path);
	free(g);
}
