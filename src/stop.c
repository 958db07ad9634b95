// SPDX-License-Identifier: GPL-2.0-only
/* Waiting and ending, for the views that print. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "stop.h"

volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	stop_asked = sig;
}

void stop_catch(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stop_wanted(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (stop_asked || sigpending(&pending))
		return stop_asked;
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (sigismember(&pending, stops[i]) == 1)
			return true;
	return false;
}

enum status stop_flush(void)
{
	static bool reader_gone;

	if (reader_gone || (!fflush(stdout) && !ferror(stdout)))
		return STATUS_OK;
	reader_gone = errno == EPIPE;
	if (!reader_gone)
		return fail(STATUS_FAILURE, "cannot write to standard output: %s", strerror(errno));
	stop_asked = 1;
	return STATUS_OK;
}

void stop_sleep(u64 until)
{
	struct timespec t = { .tv_sec = (time_t)(until / 1000000000),
			      .tv_nsec = (long)(until % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

u64 stop_next(u64 deadline, u64 interval, const struct source *source)
{
	u64 now = source_now();

	if (source_behind(source))
		return now + interval;
	/*
	 * A client that moved its grid each time it is late would drift past the daemon's
	 * and skip a snapshot. Its next frame is a whole one anyway.
	 */
	if (now <= deadline + source->pace_ns)
		return deadline + interval;
	return next_deadline(deadline, interval, now);
}

bool stop_counts(const struct source *source, const struct snapshot *s, u64 interval)
{
	return !source->past_ns || s->mono_ns >= source->past_ns + interval;
}

bool stop_wait(u64 deadline, const struct source *source)
{
	const struct event *events;
	u64 now = source_now();

	if (source_behind(source))
		return !stop_asked;
	while (!stop_asked && now < deadline) {
		stop_sleep(deadline - now < LOOK_NS ? deadline : now + LOOK_NS);
		now = source_now();
		if (now < deadline)
			source->look(source->ctx, &events);
	}
	return !stop_asked;
}
