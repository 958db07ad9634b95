// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batch frames: the same figures as the live view, in the order a reader needs
 * them: pools, who waits, sessions, losses. No escapes, fixed columns.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "json.h"
#include "view_batch.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void print_pool(const struct snapshot *s, const struct snap_pool *pool)
{
	char text[80];

	for (size_t i = 0; i < nr_pool_fields; i++) {
		const struct pool_field *f = &pool_fields[i];
		struct value v = f->get(s, pool);

		printf("%s%s=%s", i ? " " : "pool ", f->name,
		       value_format(&v, f->unit, text, sizeof(text)));
	}
	putchar('\n');
}

static void print_waiter(const struct snapshot *s, const struct snap_call *call)
{
	const struct snap_session *row = call->session >= 0 ? &s->sessions[call->session] : NULL;
	struct value ta = row ? session_field_find("ta")->get(s, row) : (struct value){};
	struct value waits = { .known = call->phase_ns != 0, .number = (double)call->phase_ns };
	char time_text[32];

	printf("wait tee%u tid=%u comm=%s ta=%s class=%s cmd=%s waits=%s\n",
	       s->pools[call->pool].id, call->tid, call->comm, ta.known ? ta.text : "-",
	       class_name(call->class), call->late ? "-" : cmd_name(call->cmd),
	       value_format(&waits, UNIT_NS, time_text, sizeof(time_text)));
}

static void print_cell(const struct session_field *f, const char *text)
{
	if (f->unit == UNIT_TEXT)
		printf("%-*.*s ", f->width, f->width, text);
	else
		printf("%*s ", f->width, text);
}

static void print_sessions(const struct opts *o, const struct snapshot *s)
{
	u32 *order = malloc((s->nr_sessions + 1) * sizeof(*order));
	char text[80];

	if (!order)
		return;
	for (size_t i = 0; i < nr_session_fields; i++)
		if (session_fields[i].head)
			print_cell(&session_fields[i], session_fields[i].head);
	putchar('\n');
	sessions_order(s, o->sort, o->reverse, order);
	for (u32 n = 0; n < s->nr_sessions; n++) {
		const struct snap_session *row = &s->sessions[order[n]];

		if (!opts_shows(o, s, row))
			continue;
		for (size_t i = 0; i < nr_session_fields; i++) {
			const struct session_field *f = &session_fields[i];
			struct value v;

			if (!f->head)
				continue;
			v = f->get(s, row);
			print_cell(f, value_format(&v, f->unit, text, sizeof(text)));
		}
		putchar('\n');
	}
	free(order);
}

static void print_losses(const struct snap_losses *losses)
{
	printf("lost");
	for (int i = 0; i < NR_LOSSES; i++)
		printf(" %s=%llu", loss_fields[i].name, (unsigned long long)losses->count[i]);
	if (losses->missed_known)
		printf(" probes_missed=%llu\n", (unsigned long long)losses->missed);
	else
		printf(" probes_missed=-\n");
}

static void print_frame(const struct opts *o, const struct snapshot *s)
{
	time_t now = (time_t)(s->real_ns / 1000000000);
	struct tm tm;
	char date[32];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	printf("optee-top %s interval=%.3fs\n", date, (double)s->interval_ns / 1e9);
	for (u32 i = 0; i < s->nr_pools; i++)
		print_pool(s, &s->pools[i]);
	for (u32 i = 0; i < s->nr_calls; i++)
		if (s->calls[i].queued)
			print_waiter(s, &s->calls[i]);
	print_sessions(o, s);
	print_losses(&s->losses);
	putchar('\n');
}

static enum status print(const struct opts *o, const struct snapshot *s)
{
	json_t *json;
	int err = 0;

	if (o->json) {
		json = snapshot_json(o, s);
		err = !json || json_dumpf(json, stdout, JSON_COMPACT);
		json_decref(json);
		putchar('\n');
	} else {
		print_frame(o, s);
	}
	if (fflush(stdout) || ferror(stdout)) {
		if (errno == EPIPE)
			stop = 1;
		else
			return fail(STATUS_FAILURE, "cannot write to standard output: %s",
				    strerror(errno));
	}
	return err ? fail(STATUS_FAILURE, "cannot print a frame: out of memory") : STATUS_OK;
}

static void next_deadline(struct timespec *t, double delay)
{
	long seconds = (long)delay, ns = (long)((delay - (double)seconds) * 1e9);

	t->tv_sec += seconds;
	t->tv_nsec += ns;
	if (t->tv_nsec >= 1000000000) {
		t->tv_nsec -= 1000000000;
		t->tv_sec++;
	}
}

enum status view_batch(const struct opts *o, snapshot_fn next, void *source)
{
	struct sigaction act = { .sa_handler = on_signal };
	enum status status = STATUS_OK;
	const struct snapshot *s;
	struct timespec deadline;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	s = next(source); /* where the first interval begins */
	for (long frame = 0; s && !stop && (!o->frames || frame < o->frames); frame++) {
		next_deadline(&deadline, o->delay);
		while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL))
			;
		if (stop)
			break;
		s = next(source);
		if (s)
			status = print(o, s);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}
