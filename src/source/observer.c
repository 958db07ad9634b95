// SPDX-License-Identifier: GPL-2.0-only
/* The daemon is asked first: its probes are there already, and cost nothing more. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/stop.h"
#include "source/observer.h"

#define TRIES          20
#define DAEMON_BACK_NS 5000000000 /* so long one that was there is waited for */

/* What only probes of our own can do, as it was given; NULL: nothing of it is wanted. */
static const char *only_direct(const struct opts *o, const struct hello *daemon)
{
	if (o->attach.kprobes)
		return "--kprobes";
	if (o->attach.btf)
		return "--btf";
	if (o->attach.reserved >= 0)
		return "--reserved";
	if (o->attach.nr_shadows)
		return "--shadow";
	if (o->delay < 1)
		return "a delay below 1 s";
	if (o->attach.starved_ns != daemon->starved_ns &&
	    (opts_given(o, "starved") || o->attach.starved_ns != STARVED_NS))
		return "another limit for starved";
	return NULL;
}

static enum status not_ours(const struct opts *o, int err)
{
	if (err == -EACCES || err == -EPERM)
		return fail(STATUS_PRIVILEGE,
			    "cannot use the daemon at '%s': %s; be a member of that socket's group, "
			    "or root",
			    o->socket, strerror(-err));
	if (err == -EINTR)
		return STATUS_FAILURE; /* a signal: there is nothing to say */
	if (err == -EPROTO)
		return fail(
			STATUS_FAILURE,
			"cannot use the daemon at '%s': it runs another version of optee-top; restart it, "
			"or be root and give --direct",
			o->socket);
	if (err == -ETIMEDOUT || err == -EAGAIN) /* nobody accepts clients, or so many wait */
		return fail(STATUS_FAILURE,
			    "cannot use the daemon at '%s': it has not answered for a minute; "
			    "restart it, or be root and give --direct",
			    o->socket);
	if (daemon_client_refused(err))
		return fail(STATUS_FAILURE, "cannot use the daemon at '%s': it is full: %s%s",
			    o->socket, daemon_client_refused(err),
			    geteuid() ? "" : ", or give --direct");
	return fail(STATUS_FAILURE, "cannot use the daemon at '%s': %s", o->socket, strerror(-err));
}

/* *st NULL with STATUS_OK: no daemon, or it cannot do this, and we can. */
static enum status ask_daemon(struct daemon_client **st, const struct opts *o,
			      const struct daemon_client_opts *want)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	const char *option;
	int err = 0;

	*st = NULL;
	if (o->direct)
		return STATUS_OK;
	for (int tries = 0; tries < TRIES; tries++) {
		err = daemon_client_open(st, o->socket, want);
		if (err != -ECONNRESET)
			break;
		nanosleep(&pause, NULL); /* a worker was just ending: another is to come */
	}
	if (err == -ENOENT || err == -ECONNREFUSED || err == -ENOTDIR)
		return STATUS_OK;
	if (err)
		return not_ours(o, err);
	option = only_direct(o, daemon_client_hello(*st));
	if (!option)
		return STATUS_OK;
	daemon_client_close(*st);
	*st = NULL;
	if (!geteuid())
		return STATUS_OK;
	return fail(STATUS_PRIVILEGE,
		    "cannot have %s from the daemon at '%s': only root can, with "
		    "probes of its own",
		    option, o->socket);
}

/* One that was there may be starting again. */
static enum status ask_again(struct daemon_client **st, const struct opts *o,
			     const struct daemon_client_opts *want)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	u64 end = clock_now() + DAEMON_BACK_NS;
	enum status status;

	while ((status = ask_daemon(st, o, want)) == STATUS_OK && !*st && !stop_asked) {
		if (clock_now() > end)
			return fail(STATUS_FAILURE, "the daemon at '%s' has ended", o->socket);
		nanosleep(&pause, NULL);
	}
	return status;
}

static enum status at_fault(const struct daemon_client *st, const struct opts *o)
{
	if (!daemon_client_fault(st))
		return STATUS_OK;
	return fail(STATUS_FAILURE,
		    "cannot use the daemon at '%s': %s; restart it, or be root and give --direct",
		    o->socket, daemon_client_fault(st));
}

/* Until it says what it looks at: it, too, may be waiting for the driver. */
static enum status wait_for_host(struct daemon_client **st, const struct opts *o,
				 const struct daemon_client_opts *want)
{
	enum status status = STATUS_OK;
	bool said = false;

	while (status == STATUS_OK && *st && !stop_asked) {
		if (!daemon_client_hello(*st)->present && !said) {
			say("the optee driver is not loaded: waiting for it");
			said = true;
		}
		if (daemon_client_wait_host(*st))
			return STATUS_OK;
		status = at_fault(*st, o);
		daemon_client_close(*st);
		*st = NULL;
		if (status == STATUS_OK)
			status = ask_again(st, o, want);
	}
	return status;
}

enum status observer_open(struct observer *p, const struct opts *o,
			  const struct daemon_client_opts *want, bool again)
{
	enum status status;

	if (again && p->by_daemon)
		status = ask_again(&p->stream, o, want);
	else
		status = ask_daemon(&p->stream, o, want);
	if (status == STATUS_OK && p->stream)
		status = wait_for_host(&p->stream, o, want);
	if (status != STATUS_OK)
		return status;
	p->by_daemon = p->stream;
	if (p->by_daemon) {
		p->source = daemon_client_source(p->stream);
		return STATUS_OK;
	}
	if (stop_asked)
		return STATUS_FAILURE;
	status = live_start(&p->live, o);
	if (status == STATUS_OK)
		p->source = live_source(&p->live);
	return status;
}

void observer_close(struct observer *p)
{
	if (p->by_daemon)
		daemon_client_close(p->stream);
	else
		live_stop(&p->live);
}

bool observer_left(const struct observer *p)
{
	return p->by_daemon ? daemon_client_ended(p->stream) : p->live.driver_left;
}

enum status observer_fault(const struct observer *p, const struct opts *o)
{
	return p->by_daemon ? at_fault(p->stream, o) : STATUS_OK;
}

u64 observer_reached(const struct observer *p)
{
	return p->by_daemon ? daemon_client_reached(p->stream) : 0;
}

bool observer_lost(const struct observer *p)
{
	return p->by_daemon ? daemon_client_lost(p->stream) : p->live.lost;
}

u64 observer_mono(u64 real_ns)
{
	u64 ago = clock_ns(CLOCK_REALTIME) - real_ns, now = clock_now();

	return ago < now ? now - ago : 0;
}
