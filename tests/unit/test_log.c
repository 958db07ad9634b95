// SPDX-License-Identifier: GPL-2.0-only
/* The log: what is written when, rotation and the cap, files that are taken away. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <zlib.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "log/event_quota.h"
#include "log/log_file.h"
#include "fixtures/log_made.h"
#include "log/log_pack.h"
#include "log/log_sink.h"
#include "log/logger.h"

static struct made m;

static struct logger *begin(char dir[64], const struct log_opts *like)
{
	struct log_opts o = *like;
	struct logger *g;

	made_dir(dir);
	o.dir = dir;
	assert_int_equal(logger_new(&g, &o), 0);
	return g;
}

static void take(struct logger *g)
{
	logger_take(g, &m.host, &m.s);
}

/* Each line of a file, deflated or not. */
static size_t each_line(const char *dir, const char *name, void (*f)(json_t *line, void *arg),
			void *arg)
{
	char path[128], text[65536];
	size_t lines = 0;
	gzFile file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = gzopen(path, "rb");
	if (!file)
		return 0;
	while (gzgets(file, text, sizeof(text))) {
		size_t len = strlen(text);

		assert_true(len && text[len - 1] == '\n');
		if (strstr(name, ".jsonl")) {
			json_t *line = json_loads(text, 0, NULL);

			assert_non_null(line);
			if (f)
				f(line, arg);
			json_decref(line);
		}
		lines++;
	}
	gzclose(file);
	return lines;
}

/* How many lines of each type there are, and of the last session the line. */
struct run_summary {
	u64 types[16], omitted, first_ns, seq, epoch, mono_ns, sessions[4096], gap_lines, missing;
};

static const char *const types[] = { "host",   "pool",  "ta",  "session",
				     "losses", "event", "gap", "omitted" };

static u64 integer(json_t *line, const char *key)
{
	assert_true(json_is_integer(json_object_get(line, key)));
	return (u64)json_integer_value(json_object_get(line, key));
}

static void see(json_t *line, void *arg)
{
	const char *type = json_string_value(json_object_get(line, "type"));
	struct run_summary *seen = arg;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i]))
			seen->types[i]++;
	/* Every line has its number, and none is missing that no gap tells of. */
	if (!strcmp(type, "gap"))
		seen->gap_lines += integer(line, "lines");
	if (!strcmp(type, "omitted"))
		seen->omitted += integer(line, "events");
	assert_true(integer(line, "seq") > seen->seq);
	if (seen->seq)
		seen->missing += integer(line, "seq") - seen->seq - 1;
	seen->seq = integer(line, "seq");
	seen->epoch = integer(line, "epoch");
	if (!strcmp(type, "session"))
		seen->sessions[integer(line, "serial")] = integer(line, "calls");
	if (strcmp(type, "host")) /* that has the time of the attach */
		seen->mono_ns = integer(line, "mono_ns");
	seen->first_ns = seen->first_ns ?: seen->mono_ns;
}

static struct run_summary seen_in(const char *dir)
{
	struct run_summary seen = {};

	each_line(dir, "optee-top.jsonl", see, &seen);
	return seen;
}

/* Figures at the first call, what changed at the interval, what closes at once. */
UNIT_TEST(when)
{
	struct log_opts o = { .interval = 60 };
	struct run_summary seen;
	struct logger *g;
	char dir[64];

	made_init(&m, 20);
	g = begin(dir, &o);
	for (int i = 0; i <= 60; i++) {
		made_second(&m);
		if (i >= 1 && i <= 3)
			made_call(&m, 7);
		if (i == 30) { /* closes after a last call */
			made_call(&m, 8);
			m.sessions[8].open = false;
		}
		if (i == 31) {
			m.sessions[8] = m.sessions[19];
			m.s.nr_sessions = 19;
		}
		if (i == 40)
			made_event(&m, EVENT_BEGIN);
		take(g);
		seen = seen_in(dir);
		assert_int_equal(seen.types[0], 1);
		assert_int_equal(seen.types[1], i < 60 ? 1 : 2);
		/* The first time all; then the one that closed, the one that called and its TA. */
		assert_int_equal(seen.types[3], i < 30 ? 20 : i < 60 ? 21 : 22);
		assert_int_equal(seen.types[2], i < 60 ? 10 : 12);
		assert_int_equal(seen.types[5], i < 40 ? 0 : 1);
		assert_int_equal(seen.types[4], 1);
	}
	assert_int_equal(seen.sessions[8], 3);
	assert_int_equal(seen.sessions[9], 1);
	assert_int_equal(seen.epoch, m.host.mono_ns);
	/* At the end what is new since the last figures. */
	made_second(&m);
	made_call(&m, 0);
	take(g);
	logger_free(g);
	seen = seen_in(dir);
	assert_int_equal(seen.sessions[1], 1);
	assert_int_equal(seen.types[3], 23);
	assert_int_equal(seen.types[1], 3);
	made_remove(dir);
}

/* Snapshots that are up to 90 ms late do not leave an interval of theirs without figures. */
UNIT_TEST(late_snapshots)
{
	static const u64 late_ms[] = { 90, 0, 30, 0, 90, 10, 0, 60, 90, 0 };
	struct log_opts o = { .interval = 1 };
	struct logger *g;
	char dir[64];

	made_init(&m, 2);
	g = begin(dir, &o);
	for (u64 i = 0; i < sizeof(late_ms) / sizeof(late_ms[0]); i++) {
		u64 late = late_ms[i] * SECOND / 1000;

		made_second(&m);
		m.s.mono_ns += late;
		take(g);
		m.s.mono_ns -= late;
		assert_int_equal(seen_in(dir).types[1], i + 1);
	}
	logger_free(g);
	made_remove(dir);
}

static u32 mode_of(const char *dir, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) ? 0 : st.st_mode & 07777;
}

UNIT_TEST(modes)
{
	const mode_t masks[] = { 0, 022, 077, 0777 };
	struct log_opts o = { .interval = 1, .jsonl = true, .csv = true };
	char dir[64];

	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t old = umask(masks[i]);
		struct logger *g = begin(dir, &o);

		made_init(&m, 3);
		made_second(&m);
		made_event(&m, EVENT_END);
		take(g);
		logger_free(g);
		umask(old);
		for (int name = 0; name < NR_LOG_NAMES; name++)
			assert_int_equal(mode_of(dir, log_names[name]),
					 name == LOG_NAME_GAPS ? 0 : 0640);
		made_remove(dir);
	}
}

/* A day of so many sessions, some of which are active; returns the bytes that were written. */
static u64 day(u32 sessions, u32 active, u64 cap)
{
	struct log_opts o = { .interval = 60, .size = cap };
	u64 last_serial = sessions, rotations = 0, most = 0;
	char dir[64], name[LOG_NAME_LEN];
	struct run_summary *seen = calloc(1, sizeof(*seen));
	struct log_stats stats;
	struct logger *g = begin(dir, &o);
	u32 files, newest = 0;

	made_init(&m, sessions);
	for (u32 i = 0; i < 86400; i++) {
		made_second(&m);
		/* Each minute others are active, one of whom closes and is opened anew. */
		for (u32 n = 0; n < active; n++)
			if (n % 10 == i % 10)
				made_call(&m, (i / 60 * active + n) % sessions);
		if (i % 60 == 30)
			m.sessions[i / 60 * active % sessions].open = false;
		if (i % 60 == 31)
			made_session(&m, i / 60 * active % sessions, ++last_serial);
		take(g);
		stats = logger_stats(g);
		assert_true(stats.bytes <= cap);
		if (i % 60 == 0 || stats.rotations != rotations) {
			assert_int_equal(made_bytes(dir, &files), stats.bytes);
			if (stats.bytes > most)
				most = stats.bytes;
			rotations = stats.rotations;
		}
	}
	logger_free(g);
	/*
	 * The newest is all there: the last numbers without a gap, each session's last figures.
	 * The end of the log may rotate once more.
	 */
	for (u32 n = 1; n <= rotations + 1; n++) {
		struct log_part part = { .number = n, .deflated = true };
		size_t lines = each_line(dir, log_name_make(&part, name), see, seen);

		part.deflated = false;
		lines += each_line(dir, log_name_make(&part, name), see, seen);
		assert_true(lines || !newest || n > rotations);
		newest |= lines > 0;
	}
	each_line(dir, "optee-top.jsonl", see, seen);
	assert_int_equal(stats.lost + stats.errors, 0);
	assert_true(seen->seq >= stats.lines);
	assert_int_equal(seen->mono_ns, m.s.mono_ns);
	assert_int_equal(seen->missing, 0);
	for (u32 i = 0; i < active; i++) {
		u32 at = (1439 * active + i) % sessions;

		assert_int_equal(seen->sessions[m.sessions[at].serial],
				 m.sessions[at].sums[0].calls);
		assert_true(seen->sessions[m.sessions[at].serial]);
	}
	print_message(
		"%u sessions, %u active: %llu lines, %llu rotations, %u files, at most %llu of %llu bytes, the last %.1f hours\n",
		sessions, active, (unsigned long long)seen->seq, (unsigned long long)rotations,
		files, (unsigned long long)most, (unsigned long long)cap,
		(double)(seen->mono_ns - seen->first_ns) / 3.6e12);
	free(seen);
	made_remove(dir);
	return most;
}

UNIT_TEST(days)
{
	/* With room for all of it: what a day takes. */
	day(20, 5, 256 * LOG_SIZE_MIN);
	day(1000, 50, 1024 * LOG_SIZE_MIN);
	/* With a tenth of that. */
	assert_true(day(1000, 50, 3 * LOG_SIZE_MIN) > 2 * LOG_SIZE_MIN);
	day(20, 5, LOG_SIZE_MIN);
}

#define STARVING 330

/* So many threads starve, for four seconds each time, and are told of as long. */
static void flood(u32 second)
{
	static struct event events[STARVING];
	const u32 phase = second % 5;

	m.s.events = events;
	m.s.nr_events = 0;
	for (u32 i = 0; i < STARVING; i++) {
		struct event *e = &events[m.s.nr_events++];
		const u64 since_ns = m.s.mono_ns - phase * SECOND;

		*e = (struct event){ .condition = COND_STARVED,
				     .state = phase == 0 ? EVENT_BEGIN :
					      phase == 4 ? EVENT_END :
							   EVENT_STILL,
				     .episode = since_ns + i,
				     .since_ns = since_ns,
				     .mono_ns = m.s.mono_ns,
				     .real_ns = m.s.real_ns,
				     .peak = 1,
				     .culprit = -1,
				     .nr_parties = 1,
				     .parties = { { .tid = i + 1, .waits = true, .behind = -1 } } };
	}
}

/* After ten minutes of that the figures of two hours before are still there. */
UNIT_TEST(a_flood_of_events)
{
	struct log_opts o = { .interval = 60, .size = LOG_SIZE_MIN };
	char dir[64], name[LOG_NAME_LEN];
	struct run_summary *seen = calloc(1, sizeof(*seen));
	u64 begun_ns, events = 0;
	struct logger *g = begin(dir, &o);

	made_init(&m, 20);
	begun_ns = m.s.mono_ns;
	for (u32 i = 0; i < 7800; i++) {
		made_second(&m);
		made_call(&m, i % 5);
		if (i >= 7200) {
			flood(i);
			events += m.s.nr_events;
		}
		take(g);
	}
	/* Another condition is told of all the same. */
	made_second(&m);
	m.s.events = m.events;
	made_event(&m, EVENT_BEGIN);
	events++;
	take(g);
	assert_int_equal(logger_stats(g).lost, 0);
	logger_free(g);
	for (u32 n = 1; n < 100; n++) {
		struct log_part part = { .number = n, .deflated = true };

		each_line(dir, log_name_make(&part, name), see, seen);
		part.deflated = false;
		each_line(dir, log_name_make(&part, name), see, seen);
	}
	each_line(dir, "optee-top.jsonl", see, seen);
	assert_true(seen->first_ns - begun_ns < 60 * SECOND);
	assert_int_equal(seen->types[5] + seen->omitted, events);
	assert_true(seen->types[5] >= 100 && seen->types[5] < 2000);
	assert_int_equal(seen->types[1], 7800 / 60 + 1);
	free(seen);
	made_remove(dir);
}

/* What was written in many quiet days does not make room for a flood that takes all there is. */
UNIT_TEST(old_bytes_count_less)
{
	static struct line_buffer line;
	struct log_dir d;
	struct log_sink k;
	struct log_item item = { .type = LOG_EVENT, .host = &m.host, .s = &m.s };
	char dir[64];
	u64 written = 0;

	made_init(&m, 1);
	made_dir(dir);
	log_dir_init(&d, dir, LOG_SIZE_MIN, 1U << log_jsonl.files[LOG_EVENT]);
	assert_int_equal(log_dir_open(&d), 0);
	log_sink_init(&k, &log_jsonl, &d, &line, LOG_SIZE_MIN / 8);
	k.bytes = 1ULL << 30;
	made_second(&m);
	item.event = made_event(&m, EVENT_BEGIN);
	for (; log_sink_fits_event(&k, LOG_SIZE_MIN / 8); written += line.len) {
		log_sink_put(&k, &item);
		assert_true(written < LOG_SIZE_MIN / 2);
	}
	assert_true(written > LOG_SIZE_MIN / 4);
	log_sink_close(&k);
	log_dir_close(&d);
	made_remove(dir);
}

/* What lasts is said once a second: it leaves room for what begins. */
UNIT_TEST(still_does_not_crowd_out)
{
	static struct event_quotas quotas;
	struct event e = { .condition = COND_STARVED };
	u32 begun = 0;

	for (u64 second = 1; second <= 600; second++) {
		e.mono_ns = second * EVENT_REFILL_NS;
		e.state = EVENT_STILL;
		for (e.episode = 1; e.episode <= 5; e.episode++)
			event_quota_take(&quotas, &e, true);
		e.episode = 5 + second;
		e.state = EVENT_BEGIN;
		begun += second % 10 == 0 && event_quota_take(&quotas, &e, true);
	}
	assert_int_equal(begun, 60);
}

/* An episode that lasts keeps its place as long as there are free ones. */
UNIT_TEST(places_are_free_again)
{
	static struct event_quotas quotas;
	struct event e = { .condition = COND_EXHAUSTED, .state = EVENT_BEGIN, .episode = 1 };

	assert_true(event_quota_take(&quotas, &e, true));
	for (e.episode = 2; e.episode <= 2 * EVENT_OPEN; e.episode++) {
		e.mono_ns += 2 * EVENT_REFILL_NS;
		e.state = EVENT_BEGIN;
		assert_true(event_quota_take(&quotas, &e, true));
		e.state = EVENT_END;
		assert_true(event_quota_take(&quotas, &e, false));
	}
	e.episode = 1;
	assert_true(event_quota_take(&quotas, &e, false));
}

/* An episode whose begin was written has its end written, whatever else there is. */
UNIT_TEST(what_began_ends)
{
	static struct event_quotas quotas;
	struct event e = { .condition = COND_EXHAUSTED, .tee = 3 }, other = e;

	other.condition = COND_DEADLOCK;
	for (u64 i = 1; i <= 2 * EVENT_BURST; i++) {
		e.episode = i;
		assert_int_equal(event_quota_take(&quotas, &e, true), i <= EVENT_BURST);
	}
	assert_false(event_quota_take(&quotas, &other, false));
	assert_true(event_quota_take(&quotas, &other, true));
	e.state = EVENT_END;
	for (u64 i = 2 * EVENT_BURST; i > 0; i--) {
		e.episode = i;
		assert_int_equal(event_quota_take(&quotas, &e, false), i <= EVENT_BURST);
	}
	e.state = EVENT_BEGIN;
	e.mono_ns = 2 * EVENT_REFILL_NS;
	assert_true(event_quota_take(&quotas, &e, true));
	assert_true(event_quota_take(&quotas, &e, true));
	assert_false(event_quota_take(&quotas, &e, true));
	assert_int_equal(quotas.of[0][COND_EXHAUSTED].omitted, 2 * EVENT_BURST + 1);
}
