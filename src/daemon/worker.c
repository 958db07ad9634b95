// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything happens in one loop: who waits for a descriptor is called from there, and
 * between two turns the source is looked at, 20 times a second, and once a second a
 * snapshot goes to all who want it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/privilege.h"
#include "base/unix_socket.h"
#include "daemon/daemon_server.h"
#include "daemon/history_writer.h"
#include "daemon/outputs.h"
#include "daemon/worker.h"
#include "probe/driver.h"
#include "source/live.h"

struct worker {
	const struct daemon_parts *parts;
	struct loop loop;
	struct loop_fd signals, clients_renewed, metrics_renewed;
	int clients, metrics; /* where they come; metrics -1: nowhere */
	struct daemon_server *server;
	struct outputs *outputs;
	bool attached;
	struct live live;
	struct source source; /* where attached */
	struct history_writer history;
	u64 due; /* the next snapshot */
	bool ends;
	int status;
};

static void end(struct worker *w, int status)
{
	w->ends = true;
	w->status = status;
}

static void signal_ready(void *arg, u32 events)
{
	struct worker *w = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(w->signals.fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		outputs_reopen(w->outputs);
	else
		end(w, STATUS_OK);
}

/* A socket had been removed, and the supervisor has made another one. */

static void take_socket(struct worker *w, int *listener, int fd, int err)
{
	if (err)
		end(w, fail(STATUS_FAILURE, "cannot serve: %s", strerror(-err)));
	close(*listener);
	*listener = fd;
}

static void clients_renewed(void *arg, u32 events)
{
	struct worker *w = arg;
	int fd = unix_receive_fd(w->clients_renewed.fd);

	(void)events;
	if (fd >= 0)
		take_socket(w, &w->clients, fd, daemon_server_listen(w->server, fd));
}

static void metrics_renewed(void *arg, u32 events)
{
	struct worker *w = arg;
	int fd = unix_receive_fd(w->metrics_renewed.fd);

	(void)events;
	if (fd >= 0)
		take_socket(w, &w->metrics, fd, outputs_listen(w->outputs, fd));
}

/* What comes from the source. */

static void take_calls(struct worker *w)
{
	const struct call_record *calls;
	u32 n;

	if (!live_want_calls(&w->live, daemon_server_wants_calls(w->server)))
		end(w, fail(STATUS_FAILURE, "cannot record calls: out of memory"));
	while ((n = w->source.calls(w->source.ctx, &calls)) > 0)
		history_writer_calls(&w->history, calls, n);
}

static void take_snapshot(struct worker *w, const struct snapshot *s)
{
	take_calls(w);
	history_writer_snapshot(&w->history, s);
	outputs_take(w->outputs, &w->live.host, s);
}

static void look(struct worker *w, u64 now)
{
	const struct snapshot *s = NULL;
	const struct event *events;
	u32 n = w->source.look(w->source.ctx, &events);

	if (n == LOOK_ENDED) {
		end(w, WORKER_AGAIN);
		return;
	}
	history_writer_look(&w->history, events, n);
	take_calls(w);
	if (now < w->due)
		return;
	s = w->source.next(w->source.ctx);
	if (s)
		take_snapshot(w, s);
	else
		end(w, errno == ENODEV ? WORKER_AGAIN : STATUS_FAILURE);
	w->due = next_deadline(w->due, DAEMON_PACE_NS, now);
}

static void serve_until_end(struct worker *w)
{
	u64 next = clock_now();

	w->due = next;
	while (!w->ends) {
		u64 now;

		loop_turn(&w->loop, next);
		now = clock_now();
		if (now < next)
			continue;
		if (w->attached)
			look(w, now);
		else if (driver_present())
			end(w, WORKER_AGAIN);
		daemon_server_turn(w->server, now);
		outputs_turn(w->outputs, now);
		next = now + LOOK_NS;
	}
}

/* The counters are there as long as we are: what was counted since the last snapshot, too. */
static void take_last(struct worker *w)
{
	const struct snapshot *s = w->attached ? live_last(&w->live) : NULL;

	if (s)
		take_snapshot(w, s);
	daemon_server_turn(w->server, clock_now());
}

/* Beginning. */

static enum status attach(struct worker *w)
{
	struct opts o = *w->parts->options;
	enum status status;

	o.attach.calls = o.attach.on_demand = true;
	status = live_attach(&w->live, &o);
	if (status != STATUS_OK)
		return status;
	w->attached = true;
	w->source = live_source(&w->live);
	if (!history_writer_init(&w->history, w->parts->history, &w->live.host))
		return STATUS_OK;
	return fail(STATUS_FAILURE, "cannot serve: out of memory");
}

/* From here on nobody's rights are needed; and if the supervisor goes, so do we. */
static enum status drop(const struct daemon_parts *parts)
{
	enum status status = privilege_drop(&parts->identity);

	if (status != STATUS_OK)
		return status;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* It may have died before prctl(). Its pid was taken before the fork, so we notice. */
	return getppid() == parts->supervisor ? STATUS_OK : STATUS_FAILURE;
}

static int listen_to_signals(struct worker *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	w->signals = (struct loop_fd){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
				       .ready = signal_ready,
				       .arg = w };
	return w->signals.fd < 0 ? -errno : loop_add(&w->loop, &w->signals, EPOLLIN);
}

static int await_renewal(struct worker *w)
{
	const struct daemon_parts *p = w->parts;

	w->clients = p->clients.listener.fd;
	w->metrics = p->metrics.listener.fd;
	w->clients_renewed = (struct loop_fd){ p->clients.renewed[1], clients_renewed, w };
	w->metrics_renewed = (struct loop_fd){ p->metrics.renewed[1], metrics_renewed, w };
	return loop_add(&w->loop, &w->clients_renewed, EPOLLIN) ?:
		       loop_add(&w->loop, &w->metrics_renewed, EPOLLIN);
}

static enum status begin(struct worker *w)
{
	struct hello hello = { .version = VERSION,
			       .present = w->attached,
			       .starved_ns = w->parts->options->attach.starved_ns };
	int err = loop_init(&w->loop);

	history_check(w->parts->history);
	err = err ?: listen_to_signals(w);
	err = err ?: await_renewal(w);
	w->server = err ? NULL :
			  daemon_server_new(&w->loop, w->parts->clients.listener.fd,
					    w->parts->history, &hello, &daemon_server_limits);
	w->outputs = w->server ? outputs_new(&w->loop, w->parts, w->server) : NULL;
	if (w->outputs)
		return STATUS_OK;
	return fail(STATUS_FAILURE, "cannot serve: %s", strerror(err ? -err : ENOMEM));
}

int worker_run(const struct daemon_parts *parts)
{
	struct worker w = { .parts = parts };
	enum status status = STATUS_OK;

	if (driver_present())
		status = attach(&w);
	if (status == STATUS_OK)
		status = drop(parts);
	if (status == STATUS_OK)
		status = begin(&w);
	if (status != STATUS_OK)
		return status;
	*parts->serves = w.attached ? SERVING : SERVING_WITHOUT_DRIVER;
	serve_until_end(&w);
	take_last(&w);
	outputs_free(w.outputs);
	return w.status;
}
