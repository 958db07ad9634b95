// SPDX-License-Identifier: GPL-2.0-only
/*
 * log-made DIR [SIZE [INTERVAL [FORMATS [SESSIONS]]]]: a daemon's log without a daemon or a driver:
 * a made-up device whose seconds pass when standard input says so. Each line there is a
 * command; when it is done, one is printed: what logger_stats() says.
 *
 *	take N		N seconds with calls, an event and a session that closes
 *	run		the same without end, as fast as it goes
 *	spin N		N takes of a second in which nothing changed
 *	clock N		the real-time clock is set by N seconds
 *	comm HEX	the first client, and whoever has part in an event, is called so from now on
 *	reopen		as SIGHUP has it
 *	sleep MS	of real time
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#define assert_non_null(x)     assert(x)
#define assert_int_equal(a, b) assert((a) == (b))
#include "../../unit/fixtures/log_made.h"
#include "log/logger.h"
#include "base/text.h"

struct state {
	struct made m;
	struct logger *log;
	u64 serial;
	char comm[COMM_LEN * 4 + 1];
	bool idle;
};

/* A tenth of them calls; every tenth second one closes and its successor opens. */
static void pass(struct state *t)
{
	struct made *m = &t->m;
	u32 n = m->s.nr_sessions;

	made_second(m);
	if (!t->idle && n) {
		u32 closes = (u32)(m->s.seq / 10 % n);

		for (u32 i = 0; i < n / 10 + 1; i++)
			made_call(m, (u32)(m->s.seq + i) % n);
		if (m->s.seq % 10 == 1 && m->s.seq > 1)
			made_session(m, (u32)((m->s.seq - 1) / 10 % n), ++t->serial);
		if (m->s.seq % 10 == 0)
			m->sessions[closes].open = false;
		if (t->comm[0])
			snprintf(m->sessions[0].comm, sizeof(m->sessions[0].comm), "%s", t->comm);
		made_event(m, EVENT_BEGIN);
		if (t->comm[0])
			snprintf(m->events[0].parties[1].comm, sizeof(m->events[0].parties[1].comm),
				 "%s", t->comm);
	}
	logger_take(t->log, &m->host, &m->s);
}

static void set_comm(struct state *t, const char *hex)
{
	char raw[COMM_LEN + 1] = "";

	for (int i = 0; i < COMM_LEN && hex[0] && hex[1]; i++, hex += 2) {
		char digits[] = { hex[0], hex[1], '\0' };

		raw[i] = (char)strtoul(digits, NULL, 16);
	}
	text_sanitise(t->comm, raw, COMM_LEN);
	snprintf(t->m.sessions[0].comm, sizeof(t->m.sessions[0].comm), "%s", t->comm);
}

static bool command(struct state *t, char *line)
{
	const char *word = strtok(line, " \n"), *arg = strtok(NULL, " \n") ?: "1";
	long n = strtol(arg, NULL, 10);

	t->idle = word && !strcmp(word, "spin");
	if (!word)
		return false;
	if (!strcmp(word, "take") || t->idle)
		for (; n > 0; n--)
			pass(t);
	else if (!strcmp(word, "run"))
		for (;;)
			pass(t);
	else if (!strcmp(word, "clock"))
		t->m.s.real_ns += (u64)(n * (long)SECOND);
	else if (!strcmp(word, "comm"))
		set_comm(t, arg);
	else if (!strcmp(word, "reopen"))
		logger_reopen(t->log);
	else if (!strcmp(word, "sleep"))
		usleep((useconds_t)n * 1000);
	else
		return false;
	return true;
}

static void print_stats(const struct logger *log)
{
	const struct log_stats s = logger_stats(log);

	printf("lines %llu lost %llu errors %llu rotations %llu deflated %llu deleted %llu bytes %llu\n",
	       (unsigned long long)s.lines, (unsigned long long)s.lost,
	       (unsigned long long)s.errors, (unsigned long long)s.rotations,
	       (unsigned long long)s.deflated, (unsigned long long)s.deleted,
	       (unsigned long long)s.bytes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct state t;
	struct log_opts o = { .dir = argc > 1 ? argv[1] : NULL };
	char line[256];

	if (!o.dir)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* what runs without end does not outlive its test */
	o.size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	o.interval = argc > 3 ? strtod(argv[3], NULL) : 0;
	o.jsonl = argc < 5 || strstr(argv[4], "jsonl");
	o.csv = argc > 4 && strstr(argv[4], "csv");
	t.serial = argc > 5 ? strtoull(argv[5], NULL, 10) : 20;
	made_init(&t.m, (u32)t.serial);
	/* Each start is another attach. */
	t.m.host.mono_ns = t.m.s.mono_ns = (u64)getpid() * SECOND + 5;
	if (logger_new(&t.log, &o))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		if (!command(&t, line))
			return 2;
		print_stats(t.log);
	}
	logger_free(t.log);
	return 0;
}
