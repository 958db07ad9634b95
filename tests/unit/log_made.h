/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that never was, for the tests of the log: its sessions, TAs and pool. */
#ifndef OPTEE_TOP_LOG_MADE_H
#define OPTEE_TOP_LOG_MADE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "host.h"
#include "log/log_name.h"
#include "snapshot.h"

#define SECOND   1000000000ULL
#define MADE_TAS 10

struct made {
	struct host host;
	struct snapshot s;
	struct snap_session sessions[SESSION_SLOTS];
	struct snap_ta tas[MADE_TAS];
	struct event events[4];
	u64 seed;
};

static inline u64 made_draw(struct made *m, u64 below)
{
	m->seed = m->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (m->seed >> 33) % below;
}

static inline void made_session(struct made *m, u32 slot, u64 serial)
{
	struct snap_session *row = &m->sessions[slot];

	*row = (struct snap_session){ .serial = serial,
				      .slot = slot,
				      .id = slot + 1,
				      .open = true,
				      .uuid_known = true,
				      .uuid = { (u8)(slot % MADE_TAS), 0x5b, 0x9e },
				      .ta = slot % 3 ? NULL : "os_test",
				      .kind = CLIENT_USER,
				      .tgid = 1000 + slot,
				      .changed = true };
	snprintf(row->comm, sizeof(row->comm), "client-%u", slot);
}

static inline void made_init(struct made *m, u32 sessions)
{
	memset(m, 0, sizeof(*m));
	m->seed = 1;
	m->host = (struct host){ .version = "made",
				 .machine = "aarch64",
				 .release = "6.12.0",
				 .name = "device",
				 .boot_id = "11111111-2222-3333-4444-555555555555",
				 .hooks = "fentry optee_smc_do_call_with_arg",
				 .cpus = 2,
				 .mono_ns = 5 * SECOND,
				 .real_ns = 1700000000 * SECOND,
				 .resolution_ns = 1,
				 .starved_ns = SECOND,
				 .reserved = -1 };
	m->s.mono_ns = m->host.mono_ns;
	m->s.real_ns = m->host.real_ns;
	m->s.nr_pools = 1;
	m->s.pools[0] = (struct snap_pool){ .total = 2,
					    .reserved = -1,
					    .system_sessions = -1,
					    .system_sessions_unseen = -1,
					    .driver_free = 2,
					    .design = DESIGN_MERGED };
	for (int i = 0; i < NR_CONDS; i++)
		m->s.pools[0].conds[i].known = i != COND_DRIFT;
	m->s.losses.missed_known = true;
	m->s.sessions = m->sessions;
	m->s.nr_sessions = sessions;
	m->s.tas = m->tas;
	m->s.nr_tas = sessions < MADE_TAS ? sessions : MADE_TAS;
	m->s.events = m->events;
	for (u32 i = 0; i < sessions; i++)
		made_session(m, i, i + 1);
	for (u32 i = 0; i < m->s.nr_tas; i++) {
		m->tas[i].known = m->tas[i].changed = true;
		snprintf(m->tas[i].ta, sizeof(m->tas[i].ta), "ta-%u", i);
	}
}

/* A call of the session; as a call would, it changes all that it has part in. */
static inline void made_call(struct made *m, u32 session)
{
	struct snap_session *row = &m->sessions[session];
	struct snap_ta *ta = &m->tas[session % MADE_TAS % (m->s.nr_tas ?: 1)];
	u64 wait = made_draw(m, 4) ? 0 : made_draw(m, 3000000), hold = 1 + made_draw(m, 9000000);
	struct class_sums *sums[] = { &row->sums[0], &ta->sums, &m->s.pools[0].sums[0] };

	for (int i = 0; i < 3; i++) {
		sums[i]->calls++;
		sums[i]->waited += !!wait;
		sums[i]->wait_ns += wait;
		sums[i]->hold_ns += hold;
		sums[i]->secure_ns += hold / 2;
		if (sums[i]->wait_max_ns < wait)
			sums[i]->wait_max_ns = wait;
		if (sums[i]->hold_max_ns < hold)
			sums[i]->hold_max_ns = hold;
	}
	ta->wait[wait ? 64 - __builtin_clzll(wait >> 10 | 1) : 0]++;
	ta->hold[64 - __builtin_clzll(hold >> 10 | 1)]++;
	ta->secure[64 - __builtin_clzll(hold >> 11 | 1)]++;
	ta->rpc_count[RPC_FS]++;
	ta->rpc_ns[RPC_FS] += hold / 4;
	row->changed = ta->changed = true;
}

/* The next second; who called in it is for the test to say before it is taken. */
static inline void made_second(struct made *m)
{
	m->s.seq++;
	m->s.mono_ns += SECOND;
	m->s.real_ns += SECOND;
	m->s.interval_ns = SECOND;
	m->s.nr_events = 0;
	if (m->s.seq == 1)
		return;
	for (u32 i = 0; i < m->s.nr_sessions; i++)
		m->sessions[i].changed = false;
	for (u32 i = 0; i < m->s.nr_tas; i++)
		m->tas[i].changed = false;
}

static inline struct event *made_event(struct made *m, enum event_state state)
{
	struct event *e = &m->events[m->s.nr_events++];

	*e = (struct event){ .condition = COND_STRANDED,
			     .state = state,
			     .episode = 1,
			     .since_ns = m->s.mono_ns - SECOND,
			     .mono_ns = m->s.mono_ns - SECOND / 2,
			     .real_ns = m->s.real_ns - SECOND / 2,
			     .duration_ns = SECOND / 2,
			     .peak = 1,
			     .threads = 2,
			     .driver_free = 1,
			     .culprit = 0,
			     .nr_parties = 2,
			     .parties = { { .tid = 10, .tgid = 10, .comm = "A", .behind = -1 },
					  { .tid = 11,
					    .tgid = 11,
					    .comm = "=C,\"\\x0a",
					    .waits = true,
					    .behind = -1 } } };
	return e;
}

/* A new directory below /tmp, or where TMPDIR says. */
static inline void made_dir(char path[64])
{
	snprintf(path, 64, "%s/optee-top-log.XXXXXX", getenv("TMPDIR") ?: "/tmp");
	assert_non_null(mkdtemp(path));
}

/* What all files in it have, together; and how many there are. */
static inline u64 made_bytes(const char *path, u32 *files)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);
	struct stat st;
	u64 bytes = 0;

	*files = 0;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' &&
		    !fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
		    S_ISREG(st.st_mode)) {
			bytes += (u64)st.st_size;
			++*files;
		}
	if (dir)
		closedir(dir);
	return bytes;
}

static inline void made_remove(const char *path)
{
	const struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

#endif
