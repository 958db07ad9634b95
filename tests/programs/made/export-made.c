// SPDX-License-Identifier: GPL-2.0-only
/*
 * export-made CALLS FORMAT [TABLE]: exports calls that never were, so that every case
 * is in them: tasks that queue for three threads, nested calls, waits after
 * ETHREAD_LIMIT, names as nasty as they can be, calls from before the first snapshot
 * and after the last one, conditions that overlap or have no begin or no end. The
 * same CALLS give the same calls in each format.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "export/export.h"

#define THREADS  3
#define TASKS    9
#define SESSIONS 6
#define SECOND   1000000000ULL
#define CHUNK    100

static const char *const names[SESSIONS] = {
	"keystore", "=cmd|' /C calc'!A0", "a,b \"c\" \\x0a", "'quoted", "-", ""
};

struct made {
	struct call_record *calls;
	size_t nr_calls, next_call;
	u64 seconds, seed;
	struct snapshot snapshot;
	struct snap_session sessions[SESSIONS];
	struct event events[8];
};

static u64 draw(struct made *m, u64 below)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (m->seed >> 33) % below;
}

static int by_end(const void *left, const void *right)
{
	u64 a = call_end(left), b = call_end(right);

	return a < b ? -1 : a > b;
}

static u32 earliest(const u64 *times, u32 n)
{
	u32 best = 0;

	for (u32 i = 1; i < n; i++)
		if (times[i] < times[best])
			best = i;
	return best;
}

static struct call_record *add(struct made *m, u32 task, u64 start, u64 wait, u64 hold)
{
	struct call_record *r = &m->calls[m->nr_calls++];
	bool session = draw(m, 8);

	*r = (struct call_record){ .start_ns = start,
				   .wait_ns = wait,
				   .hold_ns = hold,
				   .secure_ns = hold - draw(m, hold + 1),
				   .serial = session ? task % SESSIONS + 1 : 0,
				   .tid = 1000 + task,
				   .tgid = 1000 + task - task % 2,
				   .func = (u32)draw(m, 50000) * 85899U,
				   .op = !session   ? CMD_SHM_REGISTER :
					 draw(m, 2) ? CMD_INVOKE :
						      (u8)draw(m, 4),
				   .class = draw(m, 4) ? CLASS_NORMAL : CLASS_SYSTEM,
				   .flags = wait > 2000 ? RECORD_WAITED : 0 };
	r->result = draw(m, 10) ? 0 : 0xffff000cU;
	if (wait > 100000 && !draw(m, 10))
		r->limit_ns = draw(m, 3) ? wait / 3 : wait;
	return r;
}

static void swap(struct made *m, size_t one, size_t other)
{
	struct call_record call = m->calls[one];

	m->calls[one] = m->calls[other];
	m->calls[other] = call;
}

static bool same_second(const struct made *m, size_t one, size_t other)
{
	return call_end(&m->calls[one]) / SECOND == call_end(&m->calls[other]) / SECOND;
}

/* As several CPUs give them; and one that comes too late for its snapshot. */
static void shuffle(struct made *m, size_t i)
{
	size_t with = i - draw(m, 40);

	if (same_second(m, i, with))
		swap(m, i, with);
	if (!same_second(m, i, i + 1)) {
		qsort(&m->calls[i - 3], 4, sizeof(*m->calls), by_end);
		swap(m, i - 1, i);
		swap(m, i, i + 1);
	}
}

/* Tasks queue for the threads, first come first served; the first asks at 0.3 s. */
static void make_calls(struct made *m, size_t count)
{
	u64 asks[TASKS], free_at[THREADS] = {};

	for (u32 i = 0; i < TASKS; i++)
		asks[i] = 3 * SECOND / 10 + draw(m, 1000000);
	while (m->nr_calls < count) {
		u32 task = earliest(asks, TASKS), thread = earliest(free_at, THREADS), other;
		u64 ask = asks[task] + 500, hold = draw(m, 50) ? draw(m, 2000000) : 70000000;
		u64 admitted = free_at[thread] > ask ? free_at[thread] : ask;

		if (!draw(m, 500))
			hold = 0;
		add(m, task, asks[task], admitted - asks[task], hold);
		free_at[thread] = admitted + hold + draw(m, 2);
		asks[task] = admitted + hold + 1 + draw(m, 3000000);
		other = earliest(free_at, THREADS);
		if (hold > 300 && !draw(m, 6) && free_at[other] < admitted + hold / 2) {
			add(m, task, admitted + hold / 3, hold / 2 - hold / 3, hold / 4)->flags |=
				RECORD_NESTED;
			free_at[other] = admitted + hold / 2 + hold / 4;
		}
	}
	qsort(m->calls, m->nr_calls, sizeof(*m->calls), by_end);
	for (size_t i = 40; i + 1 < m->nr_calls; i++)
		shuffle(m, i);
}

static void make_sessions(struct made *m)
{
	for (u32 i = 0; i < SESSIONS; i++) {
		struct snap_session *s = &m->sessions[SESSIONS - 1 - i];

		*s = (struct snap_session){ .serial = i + 1,
					    .id = 10 + i,
					    .open = true,
					    .uuid_known = i != 2,
					    .uuid = { (u8)i },
					    .ta = i == 1 ? "os_test" : NULL,
					    .kind = CLIENT_USER,
					    .tgid = 1000 + i - i % 2 };
		snprintf(s->comm, sizeof(s->comm), "%s", names[i]);
	}
}

static void make_event(struct made *m, enum condition cond, enum event_state state, u64 episode,
		       u64 since_ns, u64 at_ns)
{
	m->events[m->snapshot.nr_events++] = (struct event){ .condition = cond,
							     .state = state,
							     .episode = episode,
							     .since_ns = since_ns,
							     .mono_ns = at_ns,
							     .real_ns = at_ns + 1700000000 * SECOND,
							     .duration_ns = at_ns - since_ns,
							     .peak = 3,
							     .threads = THREADS,
							     .driver_free = -1,
							     .driver_sys_sessions = -1,
							     .nr_parties = 1,
							     .culprit = 0,
							     .parties = { { .tid = 1002,
									    .tgid = 1002,
									    .comm = "culprit",
									    .cmd = CMD_INVOKE,
									    .func = 9,
									    .phase = PHASE_RPC,
									    .behind = -1 } } };
}

static void make_events(struct made *m)
{
	u64 n = m->snapshot.seq, now = m->snapshot.mono_ns;

	m->snapshot.nr_events = 0;
	if (n == 1) /* lasts since before the first snapshot */
		make_event(m, COND_EXHAUSTED, EVENT_STILL, 1, SECOND / 10, now - 5000);
	if (n == 2)
		make_event(m, COND_EXHAUSTED, EVENT_STILL, 1, SECOND / 10, now - 3 * SECOND / 4);
	if (n == 2)
		make_event(m, COND_EXHAUSTED, EVENT_END, 1, SECOND / 10, now - SECOND / 2);
	if (n == 2) /* began and ended between two snapshots; its begin was not reported */
		make_event(m, COND_STRANDED, EVENT_END, 1, now - 9000, now - 2000);
	if (n >= 2) { /* two at once, each into the next second */
		make_event(m, COND_STARVED, EVENT_BEGIN, n, now - SECOND / 3, now - 1500);
		if (n > 2)
			make_event(m, COND_STARVED, EVENT_END, n - 1, now - 4 * SECOND / 3,
				   now - 1000);
	}
}

static const struct snapshot *next(void *ctx)
{
	struct made *m = ctx;
	struct snapshot *s = &m->snapshot;

	if (s->seq == m->seconds) {
		errno = 0;
		memset(m->sessions, 0, sizeof(m->sessions)); /* nobody may look at them now */
		return NULL;
	}
	s->seq++;
	s->mono_ns = s->seq * SECOND;
	s->real_ns = s->mono_ns + 1700000000 * SECOND;
	s->interval_ns = SECOND;
	s->pools[0].in_use_all = s->pools[0].in_use[CLASS_NORMAL] = (int)(s->seq % (THREADS + 1));
	s->pools[0].waiting_all = s->pools[0].waiting[CLASS_SYSTEM] = (int)s->seq;
	make_events(m);
	return s;
}

/* A few at a time, as out of a small room. */
static u32 calls(void *ctx, const struct call_record **found)
{
	struct made *m = ctx;
	bool past = !m->sessions[0].serial;
	u32 n = 0;

	*found = &m->calls[m->next_call];
	while (n < CHUNK && m->next_call < m->nr_calls &&
	       (past || call_end(&m->calls[m->next_call]) <= m->snapshot.mono_ns)) {
		m->next_call++;
		n++;
	}
	return n;
}

static u32 look(void *ctx, const struct event **events)
{
	(void)ctx;
	(void)events;
	return LOOK_ENDED;
}

int main(int argc, char **argv)
{
	static struct made m = { .seed = 1 };
	const struct host host = { .version = "made",
				   .machine = "none",
				   .name = "made-up",
				   .boot_id = "00000000-0000-0000-0000-000000000000",
				   .mono_ns = SECOND / 4,
				   .real_ns = SECOND / 4 + 1700000000 * SECOND,
				   .resolution_ns = 1,
				   .reserved = -1,
				   .calls = true };
	const struct source source = {
		.ctx = &m, .host = &host, .next = next, .look = look, .calls = calls
	};
	const struct export_format *format;
	struct opts o = {};
	size_t count;

	if (argc < 3)
		return 2;
	count = strtoul(argv[1], NULL, 10);
	o.format = argv[2];
	o.what = argc > 3 ? argv[3] : NULL;
	format = export_format(&o);
	m.calls = calloc(count + 2, sizeof(*m.calls));
	if (!format || !m.calls)
		return 2;
	make_calls(&m, count);
	make_sessions(&m);
	/* The last calls end behind the last snapshot. */
	m.seconds = call_end(&m.calls[m.nr_calls - 1]) / SECOND;
	m.snapshot.nr_pools = 1;
	m.snapshot.pools[0] = (struct snap_pool){ .total = THREADS, .reserved = -1 };
	m.snapshot.nr_sessions = SESSIONS;
	m.snapshot.sessions = m.sessions;
	m.snapshot.events = m.events;
	return export_run(&o, format, &source, stdout) != STATUS_OK || fflush(stdout);
}
