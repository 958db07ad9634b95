// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor: it makes what outlives a worker, the sockets and the history, and
 * starts a worker, and the next one when the driver has come or left, or when one
 * failed. It keeps its privileges, for the next worker needs them to attach, and does
 * nothing with them but that.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/given_dir.h"
#include "base/notify.h"
#include "base/unix_socket.h"
#include "daemon/daemon_server.h"
#include "daemon/supervisor.h"
#include "daemon/worker.h"
#include "options/config_file.h"
#include "probe/driver.h"

#define HISTORY_BYTES (1 << 20)
#define OTHER_FDS     192 /* besides those of clients */
#define PAIR_TYPE     (SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
#define LONGEST_PAUSE 64 /* seconds until a worker that failed again and again gets a successor */

struct socket_watch {
	bool unheard; /* it is gone, and could not be made again */
	bool unsent;  /* there is a new one, and the worker does not have it yet */
};

struct supervisor {
	struct daemon_parts parts;
	struct opts options;
	char *config; /* text of the file */
	sigset_t signals;
	pid_t worker; /* 0: none */
	bool served;  /* any worker has */
	bool told;    /* the service manager, of this one */
	struct socket_watch clients, metrics;
	bool reloaded; /* SIGHUP came: our copy of the options is out of date */
	unsigned int pause;
	bool ends;
	enum status status;
};

static void end(struct supervisor *s, enum status status)
{
	s->ends = true;
	s->status = status;
}

static void start_worker(struct supervisor *s)
{
	*s->parts.serves = SERVING_NOT;
	s->told = false;
	s->worker = fork();
	if (!s->worker)
		_exit(worker_run(&s->parts));
	if (s->worker > 0) {
		/* Has it read the file of options again, as the worker before it did. */
		if (s->reloaded)
			kill(s->worker, SIGHUP);
		return;
	}
	s->worker = 0;
	end(s, fail(STATUS_FAILURE, "cannot start: %s", strerror(errno)));
}

static void note_signal(struct supervisor *s, int sig)
{
	if (sig == SIGHUP) {
		s->reloaded = true;
	} else if (sig == SIGTERM || sig == SIGINT) {
		notify("STOPPING=1\n");
		s->ends = true;
	}
}

/* Waits before the next worker. SIGTERM ends the wait and the daemon, with success. */
static void start_again(struct supervisor *s)
{
	const struct timespec pause = { .tv_sec = s->pause };

	note_signal(s, sigtimedwait(&s->signals, NULL, &pause));
	history_clear(s->parts.history); /* it may have been killed as it wrote there */
	if (s->ends)
		return;
	if (s->pause < LONGEST_PAUSE)
		s->pause *= 2;
	start_worker(s);
}

/* What becomes of us as the worker has ended. */
static void worker_ended(struct supervisor *s, int how)
{
	s->worker = 0;
	s->served |= *s->parts.serves != SERVING_NOT;
	if (*s->parts.serves != SERVING_NOT)
		s->pause = 1;
	if (WIFSIGNALED(how))
		say("the worker was killed by signal %d: the history is lost, and counters start over",
		    WTERMSIG(how));
	if (s->ends || (WIFEXITED(how) && WEXITSTATUS(how) == STATUS_OK))
		s->ends = true;
	else if (WIFEXITED(how) && WEXITSTATUS(how) == WORKER_AGAIN)
		start_worker(s);
	else if (s->served || WIFSIGNALED(how))
		start_again(s);
	else
		end(s, WEXITSTATUS(how)); /* it has said why it could not even begin */
}

/*
 * Makes the directory for the log where that takes root. Elsewhere the worker makes it, or
 * reports that it cannot.
 */
static void make_log_dir(const struct supervisor *s)
{
	const char *dir = s->options.daemon.log;
	int err = dir && !geteuid() ? given_dir_make(dir, &s->parts.identity) : 0;

	if (err && err != -EPERM)
		say("cannot make '%s' for the log: %s", dir, strerror(-err));
}

static enum status read_options(struct supervisor *s, const struct opts *o)
{
	const char *file = o->daemon.config ?: CONFIG_PATH;

	s->options = *o;
	if (!o->daemon.config && access(file, F_OK))
		return STATUS_OK;
	return config_file_read(&s->options, file, &s->config);
}

/*
 * The directory may have been moved away, or the file of options may name another one now.
 * Another process reads that file: it says nothing, for the worker does, and what it might do
 * wrong is not done here.
 */
static void make_log_dir_again(const struct supervisor *s)
{
	struct supervisor now = *s;
	pid_t pid;

	if (geteuid() || (pid = fork()) < 0)
		return;
	if (pid) {
		waitpid(pid, NULL, 0);
		return;
	}
	if (freopen("/dev/null", "w", stderr) && read_options(&now, s->parts.o) == STATUS_OK)
		make_log_dir(&now);
	_exit(0);
}

static void take_signal(struct supervisor *s, int sig)
{
	int how;

	if (sig == SIGCHLD) {
		if (s->worker && waitpid(s->worker, &how, WNOHANG) == s->worker)
			worker_ended(s, how);
		return;
	}
	note_signal(s, sig);
	if (sig == SIGHUP)
		make_log_dir_again(s);
	if (s->worker)
		kill(s->worker, sig);
}

/* The main process says it: systemd then has to listen to no other. */
static void tell(struct supervisor *s)
{
	enum serving serves = *s->parts.serves;

	s->told = serves != SERVING_NOT;
	if (s->told)
		notify("READY=1\nSTATUS=%s\n",
		       serves == SERVING ? "follows the call queue" : "waits for the optee driver");
}

/* Somebody may have removed the socket: nobody would find us any more. */
static void look_for_socket(const struct supervisor *s, struct daemon_socket *of,
			    struct socket_watch *w)
{
	struct listener *l = &of->listener;
	int renewed = w->unheard ? 0 : listener_renew(l, &s->parts.identity);

	w->unheard |= renewed < 0;
	if (renewed > 0)
		say("the socket '%s' had been removed: there is a new one", l->path);
	if (renewed > 0 || w->unsent)
		w->unsent = !unix_send_fd(of->renewed[0], l->fd);
}

static void supervise(struct supervisor *s)
{
	static const struct timespec soon = { .tv_nsec = 50000000 }, later = { .tv_sec = 10 };
	int sig;

	start_worker(s);
	while (s->worker) {
		sig = sigtimedwait(&s->signals, NULL, s->told ? &later : &soon);
		s->clients.unheard &= sig != SIGHUP;
		s->metrics.unheard &= sig != SIGHUP;
		if (sig != SIGTERM && sig != SIGINT) {
			look_for_socket(s, &s->parts.clients, &s->clients);
			look_for_socket(s, &s->parts.metrics, &s->metrics);
		}
		if (sig > 0)
			take_signal(s, sig);
		if (s->worker && !s->told)
			tell(s);
	}
}

static void raise_limits(void)
{
	struct rlimit fds;

	if (getrlimit(RLIMIT_NOFILE, &fds) || fds.rlim_cur >= MAX_CLIENTS + OTHER_FDS)
		return;
	fds.rlim_cur = MAX_CLIENTS + OTHER_FDS;
	if (fds.rlim_max < fds.rlim_cur)
		fds.rlim_max = fds.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &fds))
		say("there is room for fewer than %d clients: %s", MAX_CLIENTS, strerror(errno));
}

/* All that workers inherit. */
static enum status make_parts(struct supervisor *s)
{
	const struct daemon_opts *d = &s->options.daemon;
	struct daemon_parts *p = &s->parts;
	enum status status = identity_find(&p->identity, d->user, d->group);

	if (status == STATUS_OK)
		status = listener_unix(&p->clients.listener, s->options.socket, &p->identity);
	if (status == STATUS_OK && d->listen)
		status = listener_open(&p->metrics.listener, d->listen, &p->identity);
	if (status != STATUS_OK)
		return status;
	if (socketpair(AF_UNIX, PAIR_TYPE, 0, p->clients.renewed) ||
	    socketpair(AF_UNIX, PAIR_TYPE, 0, p->metrics.renewed))
		return fail(STATUS_FAILURE, "cannot start: %s", strerror(errno));
	p->history = history_new(HISTORY_BYTES);
	p->serves = mmap(NULL, sizeof(*p->serves), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->history && p->serves != MAP_FAILED)
		return STATUS_OK;
	return fail(STATUS_FAILURE, "cannot start: out of memory");
}

static void block_signals(struct supervisor *s)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

	sigemptyset(&s->signals);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&s->signals, ours[i]);
	sigprocmask(SIG_BLOCK, &s->signals, NULL);
}

/*
 * Who reads what we say may be gone, and a full disk is an error of the write. The others mean
 * nothing to us, and a worker that they end loses the history. Workers inherit it.
 */
static void ignore_signals(void)
{
	static const int others[] = { SIGPIPE, SIGXFSZ,   SIGUSR1, SIGUSR2,
				      SIGALRM, SIGVTALRM, SIGPROF, SIGIO };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		signal(others[i], SIG_IGN);
}

enum status cmd_daemon(const struct opts *o)
{
	struct supervisor s = { .pause = 1,
				.parts = { .supervisor = getpid(),
					   .o = o,
					   .options = &s.options,
					   .clients.listener = { .fd = -1, .lock = -1 },
					   .metrics.listener = { .fd = -1, .lock = -1 } } };
	enum status status = read_options(&s, o);

	block_signals(&s); /* the sockets must be removed at the end, however early that comes */
	ignore_signals();
	if (status == STATUS_OK)
		status = make_parts(&s);
	if (status == STATUS_OK) {
		make_log_dir(&s);
		raise_limits();
		if (!driver_visible())
			say("%s; waiting for both", NO_SYSFS);
		else if (!driver_possible())
			say("%s; waiting for it", NO_DRIVER);
		supervise(&s);
		status = s.status;
	}
	listener_close(&s.parts.clients.listener);
	listener_close(&s.parts.metrics.listener);
	history_free(s.parts.history);
	free(s.config);
	return status;
}
