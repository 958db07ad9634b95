/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes: which hook uses which mechanism, loading, attaching, detaching. */
#ifndef OPTEE_TOP_ATTACH_H
#define OPTEE_TOP_ATTACH_H

#include <stdbool.h>
#include "base/fail.h"
#include "options/attach_opts.h"
#include "probe/driver.h"
#include "probe/firing.h"
#include "probe/mechanism.h"
#include "snapshot.h"

/* What doctor shows of one hook. */
struct hook_state {
	const char *target; /* kernel function or tracepoint */
	const char *gives;  /* what is lost without it; NULL: nobody wants it */
	bool attached;
	enum mechanism mech;
	char why[96]; /* of a stronger mechanism that was tried: why not; or "" */
};

enum {
	HOOK_END,
	HOOK_WAKE,
	HOOK_EXIT,
	HOOK_ENTER,
	HOOK_WAIT,
	HOOK_REQUEST,
	HOOK_SUPPLICANT,
	HOOK_SYSTEM,
	HOOK_RESERVE,
	HOOK_CONTENDED,
	HOOK_CONTENDED_END,
	HOOK_SCMI_END,
	HOOK_SCMI_BEGIN,
	/* By FF-A: as the three whose names they have. */
	HOOK_FFA_EXIT,
	HOOK_FFA_ENTER,
	HOOK_FFA_BEGIN,
	HOOK_BEGIN,
	NR_HOOKS
};

struct probes_bpf;
struct bpf_link;
struct shadows;

struct probes {
	struct probes_bpf *skel; /* while we attach; then all that is needed of it is here */
	struct hook_state hooks[NR_HOOKS];
	int prog_fds[NR_HOOKS], inspect_fd, look_sight_fd, look_contexts_fd;
	struct switches switches;
	int ended_fd;                /* the ring buffer of episodes */
	int records_fd;              /* the one of calls; -1: calls are not recorded */
	const struct shared *shared; /* mapped, read-only; */
	const struct session *rows;  /* so are these SESSION_SLOTS */
	/* One row a pool and a shadow; NULL where nr_shadows is 0. */
	const struct pool_policy (*shadows)[MAX_SHADOWS];
	u32 nr_shadows;
	struct shadows *shadow_set;
	u32 *records_wanted; /* calls are recorded; NULL where they never are */
	void *maps[4];       /* what is mapped for these */
	size_t map_sizes[4];
	u64 starved_ns;
	struct bpf_link *links[NR_HOOKS];
	bool bare;            /* this kernel has no BTF: only programs that need none are loaded */
	bool everywhere;      /* we are in a pid namespace of our own, and look in all of them */
	bool knows_tasks;     /* a task's id in /proc is the one that the kernel tells us */
	bool finds;           /* sessions and calls from before are looked for */
	bool knows_rule;      /* by which the driver admits calls, unless a policy does */
	bool sees_wakes;      /* whom the driver wakes: else nothing is known of stranded waiters */
	bool sees_contention; /* who waits for a lock of the kernel, and for how long */
	u64 get_argument, free_argument; /* addresses of the driver's functions for it, or 0 */
	u64 smc_function, ffa_function;  /* of HOOK_BEGIN and HOOK_FFA_BEGIN, or 0 */
	struct abis abis;                /* by which ABIs OP-TEE is called: these have hooks */
	bool sees_scmi;                  /* SCMI's transfers */
	bool sees_requests; /* to tee-supplicant: else nothing of deadlocks through it */
	double attach_seconds;
};

/*
 * Loads and attaches the probes, then looks for the sessions and calls that are
 * there already. On failure it has said why, once, and nothing stays attached; p->hooks
 * still says what was tried.
 */
enum status probes_attach(struct probes *p, const struct attach_opts *opts);

void probes_detach(struct probes *p);

/* Turns the records of single calls on or off. Needs no privileges. */
void probes_want_calls(const struct probes *p, bool wanted);

#endif
