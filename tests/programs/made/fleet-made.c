// SPDX-License-Identifier: GPL-2.0-only
/*
 * fleet-made DIR FIRST COUNT START: the logs of made-up devices, DIR/d00000 and so on,
 * COUNT from FIRST on, as the daemon's own logger writes them; their clocks begin at START,
 * in seconds. Each line of standard input is a command; when it is done, a line says how
 * many calls there have been in all.
 *
 *	take N		N minutes pass, figures are written in each
 *	attach		the daemons end and are started anew: counters begin at 0
 *
 * Two TAs. In one a wait is short, and twice as long half as often; in the other one of
 * eight calls waits, for 1 to 64 ms. On odd devices all is four times as long. Each device
 * strands for as many ms a minute as is its number; those whose ends with 07 had a deadlock.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "model/hist.h"
#include "log/logger.h"

#define SECOND 1000000000ULL
#define MINUTE (60 * SECOND)
#define TAS    2
#define CALLS  40 /* of a TA in a minute, less than */

struct device {
	u32 number;
	u64 seed;
	struct host host;
	struct snapshot s;
	struct snap_ta tas[TAS];
	struct snap_session sessions[TAS]; /* one each */
	struct logger *log;
	char path[512];
};

static u64 draw(struct device *d, u64 below)
{
	d->seed = d->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (d->seed >> 33) % below;
}

static u64 draw_wait(struct device *d, int ta)
{
	u64 wait;

	if (ta)
		wait = draw(d, 8) ? 0 : 1000000 * (1 + draw(d, 64));
	else
		wait = (1000ULL << __builtin_ctzll(draw(d, 1U << 20) | 1U << 20)) + draw(d, 1000);
	return d->number % 2 ? 4 * wait : wait;
}

static u32 octave(u64 ns)
{
	return hist_bucket(ns) >> HIST_SUB_BITS;
}

static void call(struct device *d, int ta)
{
	u64 wait = draw_wait(d, ta), hold = 1000000 + draw(d, 9000000);
	struct snap_ta *row = &d->tas[ta];
	struct class_sums *sums[] = { &row->sums, &d->sessions[ta].sums[0],
				      &d->s.pools[0].sums[0] };

	for (int i = 0; i < 3; i++) {
		sums[i]->calls++;
		sums[i]->waited += !!wait;
		sums[i]->wait_ns += wait;
		sums[i]->hold_ns += hold;
		sums[i]->secure_ns += hold / 2;
	}
	row->wait[octave(wait)]++;
	row->hold[octave(hold)]++;
	row->secure[octave(hold / 2)]++;
	row->rpc_count[RPC_FS]++;
	row->rpc_ns[RPC_FS] += hold / 4;
}

/* Returns how many calls there were. */
static u64 minute(struct device *d)
{
	struct snap_cond *conds = d->s.pools[0].conds;
	u64 all = 0;

	d->s.seq++;
	d->s.mono_ns += MINUTE;
	d->s.real_ns += MINUTE;
	d->s.interval_ns = MINUTE;
	for (int ta = 0; ta < TAS; ta++) {
		u64 calls = draw(d, CALLS);

		for (u64 i = 0; i < calls; i++)
			call(d, ta);
		d->tas[ta].changed = d->sessions[ta].changed = calls;
		all += calls;
	}
	conds[COND_STRANDED].count++;
	conds[COND_STRANDED].ns += d->number * 1000000ULL;
	if (d->number % 100 == 7 && d->s.seq % 4 == 3)
		conds[COND_DEADLOCK].count++;
	logger_take(d->log, &d->host, &d->s);
	return all;
}

static void make_tas(struct device *d)
{
	static const char *const names[TAS] = { "os_test", "ta-\"busy\"" };

	for (int i = 0; i < TAS; i++) {
		d->tas[i] = (struct snap_ta){ .known = true, .changed = true };
		snprintf(d->tas[i].ta, sizeof(d->tas[i].ta), "%s", names[i]);
		d->sessions[i] = (struct snap_session){ .serial = (u64)i + 1,
							.slot = (u32)i,
							.id = (u32)i + 1,
							.open = true,
							.ta = names[i],
							.uuid_known = true,
							.kind = CLIENT_USER,
							.tgid = 100 + (u32)i,
							.comm = "client",
							.changed = true };
	}
}

/* The clocks go on; all counters are 0, and are written so. Returns 0 or -errno. */
static int attach(struct device *d)
{
	const struct log_opts o = { .dir = d->path, .interval = 60 };
	struct snapshot *s = &d->s;
	int err;

	logger_free(d->log);
	d->log = NULL;
	make_tas(d);
	*s = (struct snapshot){ .mono_ns = s->mono_ns + SECOND,
				.real_ns = s->real_ns + SECOND,
				.nr_pools = 1,
				.tas = d->tas,
				.nr_tas = TAS,
				.sessions = d->sessions,
				.nr_sessions = TAS };
	s->losses.missed_known = true;
	s->pools[0] = (struct snap_pool){ .total = 2,
					  .reserved = -1,
					  .system_sessions = -1,
					  .driver_free = 2,
					  .design = DESIGN_MERGED };
	for (int i = 0; i < NR_CONDS; i++)
		s->pools[0].conds[i].known = i != COND_DRIFT;
	d->host.mono_ns = s->mono_ns;
	d->host.real_ns = s->real_ns;
	err = logger_new(&d->log, &o);
	if (!err)
		logger_take(d->log, &d->host, s);
	return err;
}

static int make_device(struct device *d, const char *dir, u32 number, u64 start)
{
	d->number = number;
	d->seed = number;
	d->host = (struct host){ .version = "made",
				 .machine = "aarch64",
				 .release = "6.12.0",
				 .hooks = "none",
				 .cpus = 2,
				 .resolution_ns = 1,
				 .starved_ns = SECOND,
				 .reserved = -1 };
	snprintf(d->host.name, sizeof(d->host.name), "d%05u", number);
	snprintf(d->host.boot_id, sizeof(d->host.boot_id), "11111111-2222-3333-4444-%012u", number);
	snprintf(d->path, sizeof(d->path), "%s/d%05u", dir, number);
	mkdir(d->path, 0755);
	d->s.mono_ns = SECOND;
	/* No two of them write at the same time. */
	d->s.real_ns = start * SECOND + number * 1000000ULL;
	return attach(d);
}

static bool command(struct device *devices, u32 count, char *line, u64 *calls)
{
	const char *word = strtok(line, " \n"), *arg = strtok(NULL, " \n") ?: "1";
	u64 minutes = strtoull(arg, NULL, 10);
	int err = 0;

	if (!word)
		return false;
	for (u32 i = 0; i < count && !err; i++)
		if (!strcmp(word, "take"))
			for (u64 n = 0; n < minutes; n++)
				*calls += minute(&devices[i]);
		else
			err = strcmp(word, "attach") ? -1 : attach(&devices[i]);
	return !err;
}

int main(int argc, char **argv)
{
	const struct rlimit files = { 8192, 8192 };
	struct device *devices;
	u64 calls = 0;
	char line[64];
	u32 first, count;

	if (argc != 5)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* does not outlive its test */
	setrlimit(RLIMIT_NOFILE, &files);
	first = (u32)strtoul(argv[2], NULL, 10);
	count = (u32)strtoul(argv[3], NULL, 10);
	devices = calloc(count, sizeof(*devices));
	for (u32 i = 0; devices && i < count; i++)
		if (make_device(&devices[i], argv[1], first + i, strtoull(argv[4], NULL, 10)))
			return 1;
	while (devices && fgets(line, sizeof(line), stdin)) {
		if (!command(devices, count, line, &calls))
			return 2;
		printf("%llu\n", (unsigned long long)calls);
		fflush(stdout);
	}
	for (u32 i = 0; devices && i < count; i++)
		logger_free(devices[i].log);
	free(devices);
	return devices ? 0 : 1;
}
