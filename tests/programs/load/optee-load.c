// SPDX-License-Identifier: GPL-2.0-only
/*
 * optee-load: a load on the OP-TEE driver that is known exactly. Clients do what
 * their scripts say (parse.c, client.c), and the account of every call that they
 * give (account.c) is the truth that a tool's figures can be compared with.
 *
 * This file is the parent: it starts the clients, opens the gate, and collects.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CLIENTS  1024
#define EXIT_USAGE   2
#define WAKE_UP_NS   (100 * NSEC_PER_MSEC) /* from opening the gate to the start */
#define FILE_POLL_NS (20 * NSEC_PER_MSEC)

struct opts {
	const char *out, *ready_file, *wait_file;
	uint32_t seconds; /* 0: until the scripts end */
	uint32_t records;
	bool help;
};

enum phase { OPENING, WAITING, RUNNING, STOPPING };

struct run {
	const struct opts *opts;
	struct client *clients;
	struct gate *gate; /* in memory shared with the clients */
	unsigned int nr, nr_endless, alive;
	enum phase phase;
	uint64_t deadline_ns;
	bool gave_up;
	int signal_fd, stage_fd; /* what the parent listens to */
	int start_fd, stop_fd;   /* closing them is the signal */
};

static const char usage[] =
	"Usage: optee-load [OPTION...] CLIENT...\n"
	"Put an exactly known load on the OP-TEE driver, and give an account of each call.\n"
	"\n"
	"  -o, --output FILE      write the account there, not to standard output\n"
	"  -s, --seconds S        stop all clients S seconds after the start\n"
	"  -r, --records N        keep at most N calls a client (200000; 0: totals only)\n"
	"      --ready-file PATH  create PATH when all sessions are open\n"
	"      --wait-file PATH   start only when PATH exists\n"
	"  -h, --help\n"
	"\n"
	"A CLIENT is one argument, a process that does what its words say:\n"
	"  name=NAME        its comm, 1 to 15 bytes; \\xNN and \\\\ give any byte\n"
	"  ta=TA            os_test (default), concurrent, invoke_tests (a pseudo TA) or a\n"
	"                   UUID; stands before the steps\n"
	"  sessions=N       opened before the start (1); each has its own thread\n"
	"  threads=N        threads a session (1); with sessions=0: threads in all\n"
	"  hold-sessions=N  more sessions, opened before the start and left idle\n"
	"  count=N          so many such clients, named NAME-1, NAME-2, ...\n"
	"  nice=N           its nice value, 0 to 19 (0)\n"
	"and then the steps that each of its threads does in turn:\n"
	"  at=MS            sleep until MS after the common start\n"
	"  gap=MS           sleep that long\n"
	"  wait=MS          os_test: a call that waits inside OP-TEE, in an RPC\n"
	"  burn=N           concurrent: a call that loops N x 1000 times, on the CPU\n"
	"  sha=N            concurrent: a call that makes N SHA-256 digests of 1 KiB\n"
	"  nop              each of the three TAs: a call that returns at once\n"
	"  cmd=N            any TA: command N without parameters\n"
	"  open, close      a session of the thread's own, used by the calls in between\n"
	"  repeat=N         do the steps up to the next repeat= N times; 0: until stopped\n"
	"  hold             sleep until stopped\n"
	"A value may be LOW..HIGH: drawn anew each time, alike in every run and in all the\n"
	"clones of a client. Clients without an end go on until --seconds are over or,\n"
	"without that option, all others are done. Sessions are closed when all are done.\n"
	"SIGINT and SIGTERM stop all as soon as the calls in flight have ended.\n"
	"\n"
	"The account is JSON lines: \"run\"; a \"call\" for each libteec call that enters the\n"
	"driver, with CLOCK_MONOTONIC before and after it; a \"client\" with its totals.\n"
	"Exit status: 0 all calls succeeded and all is accounted for, 1 not so, 2 usage.\n"
	"\n"
	"Example: on a pool of two threads, how long does C wait for A and B?\n"
	"  optee-load 'name=A wait=6000' 'name=B at=20 wait=1000' 'name=C at=600 wait=100'\n";

static int clients_add(struct run *run, const char *text)
{
	struct client c;
	int err = client_parse(&c, text, run->nr + 1);

	if (err)
		return err;
	for (uint32_t i = 1; i <= c.count; i++) {
		struct client *clone = &run->clients[run->nr];

		if (run->nr == MAX_CLIENTS) {
			fprintf(stderr, "optee-load: more than %d clients\n", MAX_CLIENTS);
			return -E2BIG;
		}
		*clone = c;
		if (c.count > 1 &&
		    snprintf(clone->name, NAME_SIZE, "%s-%u", c.name, i) >= NAME_SIZE) {
			fprintf(stderr, "optee-load: client %u: the name of clone %u is too long\n",
				run->nr + 1, i);
			return -EINVAL;
		}
		run->nr++;
	}
	return 0;
}

static void stop(struct run *run)
{
	if (run->phase != STOPPING)
		close(run->stop_fd);
	run->phase = STOPPING;
}

static void give_up(struct run *run)
{
	run->gave_up = true;
	stop(run);
}

static int spawn(struct run *run, struct client *c)
{
	struct account *acc = c->account;
	pid_t parent = getpid(), pid;

	acc->status = -1;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		close(run->start_fd);
		close(run->stop_fd);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(getppid() == parent ? client_run(c, run->gate) : EXIT_FAILURE);
	}
	acc->pid = pid;
	run->alive++;
	run->nr_endless += c->endless;
	return 0;
}

static void reap(struct run *run)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		unsigned int i = 0;

		while (i < run->nr && run->clients[i].account->pid != pid)
			i++;
		if (i == run->nr) /* a child of what exec'd us */
			continue;
		run->clients[i].account->status = status;
		run->alive--;
		if (run->phase < RUNNING)
			give_up(run);
	}
}

static void handle_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(run);
		else
			stop(run);
	}
}

/* The dead have done what they will do; those without an end are never done. */
static bool all_reached(const struct run *run, enum stage stage)
{
	for (unsigned int i = 0; i < run->nr; i++) {
		const struct client *c = &run->clients[i];

		if (c->account->stage < stage && c->account->status < 0 &&
		    !(stage == CLIENT_DONE && c->endless))
			return false;
	}
	return true;
}

/* Endless clients go on until the time is over or, without one, the others are done. */
static bool is_over(const struct run *run)
{
	unsigned int endless_allowed = run->opts->seconds ? 0 : run->nr - 1;

	return now_ns() >= run->deadline_ns ||
	       (run->nr_endless <= endless_allowed && all_reached(run, CLIENT_DONE));
}

/* Takes the run from phase to phase as far as it may go now. */
static void advance(struct run *run)
{
	const struct opts *o = run->opts;

	if (run->phase == OPENING && all_reached(run, CLIENT_READY)) {
		FILE *ready = o->ready_file ? fopen(o->ready_file, "we") : NULL;

		run->phase = WAITING;
		if (ready) {
			fclose(ready);
		} else if (o->ready_file) {
			fprintf(stderr, "optee-load: cannot create '%s': %s\n", o->ready_file,
				strerror(errno));
			give_up(run);
		}
	}
	if (run->phase == WAITING && (!o->wait_file || !access(o->wait_file, F_OK))) {
		run->gate->start_ns = now_ns() + WAKE_UP_NS;
		if (o->seconds)
			run->deadline_ns = run->gate->start_ns + o->seconds * NSEC_PER_SEC;
		close(run->start_fd);
		run->phase = RUNNING;
	}
	if (run->phase == RUNNING && is_over(run))
		stop(run);
}

static void supervise(struct run *run)
{
	struct pollfd fds[] = { { .fd = run->signal_fd, .events = POLLIN },
				{ .fd = run->stage_fd, .events = POLLIN } };
	char wakes[64];

	while (run->alive) {
		uint64_t until = run->phase == RUNNING ? run->deadline_ns : UINT64_MAX;
		struct timespec left;

		if (run->phase == WAITING)
			until = now_ns() + FILE_POLL_NS;
		left = time_until(until);
		ppoll(fds, 2, &left, NULL);
		while (read(run->stage_fd, wakes, sizeof(wakes)) > 0)
			;
		handle_signals(run);
		advance(run);
	}
}

/* Says on standard error what is wrong with a client's account, if anything is. */
static bool is_good(const struct client *c)
{
	const struct account *acc = c->account;
	bool killed = WIFSIGNALED(acc->status);
	bool early = !c->endless && acc->ended != c->planned;
	bool unrecorded = acc->limit && acc->begun > acc->limit;

	if (!killed && !acc->failed && !early && !unrecorded)
		return true;
	fputs("optee-load: client '", stderr);
	name_print(stderr, c->name);
	if (killed)
		fprintf(stderr, "' was killed by signal %d: %zu calls ended, %zu in flight\n",
			WTERMSIG(acc->status), acc->ended, acc->begun - acc->ended);
	else if (acc->failed)
		fprintf(stderr, "': %zu of %zu calls failed\n", acc->failed, acc->ended);
	else if (early)
		fprintf(stderr, "' was stopped after %zu of %" PRIu64 " calls\n", acc->ended,
			c->planned);
	else
		fprintf(stderr, "' made %zu calls, of which %zu are recorded; see --records\n",
			acc->ended, acc->limit);
	return false;
}

/* Writes the account; returns whether all is well. */
static bool report(const struct run *run, FILE *out)
{
	bool good = !run->gave_up;

	fprintf(out, "{\"type\":\"run\",\"schema\":\"optee-load/1\",\"clients\":%u", run->nr);
	number_print(out, "start_ns", run->gate->start_ns, run->gate->start_ns);
	fputs("}\n", out);
	for (unsigned int i = 0; i < run->nr; i++) {
		const struct client *c = &run->clients[i];

		account_print(out, c);
		/* one that gave up has said why, and made the others stop early */
		if ((!run->gave_up || WIFSIGNALED(c->account->status)) && !is_good(c))
			good = false;
	}
	return good;
}

/* Makes what parent and clients share. */
static int run_init(struct run *run)
{
	int start[2], stopping[2], stage[2];
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
	run->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (run->signal_fd < 0 || pipe(start) || pipe(stopping) || pipe2(stage, O_NONBLOCK))
		return -errno;
	run->gate = mmap(NULL, sizeof(*run->gate), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->gate == MAP_FAILED)
		return -ENOMEM;
	run->gate->start_fd = start[0];
	run->gate->stop_fd = stopping[0];
	run->gate->stage_fd = stage[1];
	run->start_fd = start[1];
	run->stop_fd = stopping[1];
	run->stage_fd = stage[0];

	for (unsigned int i = 0; i < run->nr; i++) {
		struct client *c = &run->clients[i];
		size_t limit = run->opts->records;

		if (!c->endless && c->planned < limit)
			limit = c->planned;
		c->account = account_new(limit);
		if (!c->account)
			return -ENOMEM;
	}
	return 0;
}

static void run_release(struct run *run)
{
	for (unsigned int i = 0; i < run->nr; i++)
		if (run->clients[i].account)
			account_free(run->clients[i].account);
	free(run->clients);
}

static int run_all(struct run *run, FILE *out)
{
	int err = run_init(run);
	bool good;

	for (unsigned int i = 0; i < run->nr && !err; i++)
		err = spawn(run, &run->clients[i]);
	if (err) {
		fprintf(stderr, "optee-load: cannot start the clients: %s\n", strerror(-err));
		return EXIT_FAILURE; /* which ends those that were started, too */
	}
	supervise(run);
	good = report(run, out);
	if (ferror(out) || fclose(out)) {
		fprintf(stderr, "optee-load: cannot write the account: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int parse_options(struct opts *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "seconds", required_argument, NULL, 's' },
		{ "records", required_argument, NULL, 'r' },
		{ "ready-file", required_argument, NULL, 'R' },
		{ "wait-file", required_argument, NULL, 'W' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "o:s:r:h", options, NULL)) != -1) {
		const char *end = "";

		if (opt == 'o')
			o->out = optarg;
		else if (opt == 's')
			end = parse_u32(optarg, &o->seconds);
		else if (opt == 'r')
			end = parse_u32(optarg, &o->records);
		else if (opt == 'R')
			o->ready_file = optarg;
		else if (opt == 'W')
			o->wait_file = optarg;
		else if (opt == 'h')
			o->help = true;
		else
			return -EINVAL;
		if (!end || *end) {
			fprintf(stderr, "optee-load: '%s' is not a number\n", optarg);
			return -EINVAL;
		}
	}
	if (!o->help && optind == argc) {
		fprintf(stderr, "optee-load: no client given; see --help\n");
		return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct opts opts = { .records = 200000 };
	struct run run = { .opts = &opts, .deadline_ns = UINT64_MAX };
	FILE *out = stdout;
	int status = EXIT_FAILURE;

	setvbuf(stderr, NULL, _IOLBF, 0); /* clients' lines stay whole */
	if (parse_options(&opts, argc, argv))
		return EXIT_USAGE;
	if (opts.help)
		return fputs(usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;

	run.clients = calloc(MAX_CLIENTS, sizeof(*run.clients));
	for (char **text = argv + optind; *text; text++) {
		if (!run.clients || clients_add(&run, *text)) {
			free(run.clients);
			return EXIT_USAGE;
		}
	}
	if (opts.out)
		out = fopen(opts.out, "we");
	if (out)
		status = run_all(&run, out);
	else
		fprintf(stderr, "optee-load: cannot open '%s': %s\n", opts.out, strerror(errno));
	run_release(&run);
	return status;
}
