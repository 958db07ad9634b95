// SPDX-License-Identifier: GPL-2.0-only
/* Waiting and ending, for the views that print. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/stop.h"

volatile sig_atomic_t stop_asked;

static void on_signal(int sig)
{
	stop_asked = sig;
}

void stop_catch(void)
{
	struct sigaction act = { .sa_handler = on_signal }, before;

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	/* A terminal or an ssh connection that breaks; nohup has us stay. */
	if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* the write fails, and is reported */
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
