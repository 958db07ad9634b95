/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which policy is attached and what it did, as the driver says in debugfs
 * (kernel/adm_show.c).
 */
#ifndef OPTEE_TOP_POLICY_STATE_H
#define OPTEE_TOP_POLICY_STATE_H

#include "abi.h"
#include "host.h"
#include "optee_admission.h"
#include "snapshot.h"

#define POLICY_STATE "/sys/kernel/debug/optee_admission"

/* The queue of a device. */
struct policy_queue {
	u64 total, free; /* 0: the driver does not count threads */
	u64 reserved;
	u64 norm_in_flight, resv_in_flight, sys_in_flight;
	u64 norm_waiting, sys_waiting;
	u64 passes, busy;
	u64 since_ns; /* CLOCK_MONOTONIC; 0: not known */
	u64 torn;     /* the figures were read without the queue's lock, and may not agree */
	/* What was decided by the one that is attached, or else by the last; its name "": none. */
	struct snap_policy policy;
};

struct policy_state {
	char name[OPTEE_ADM_NAME]; /* "": none is attached */
	u64 off;
	u64 timeout_ms;
	u64 attached, ejected; /* how many since the driver was loaded */
	/* the one before; its name "": there was none */
	char last[OPTEE_ADM_NAME];
	u64 last_reason;
	char last_reason_text[64];
	s64 last_answer;
	u64 last_call, last_wait_ns;
	u64 queues_left_out; /* there is room for so many only */
	u32 nr_queues;
	struct policy_queue queues[MAX_POOLS];
};

/* text is cut into pieces. What it does not know is left out. */
void policy_state_parse(struct policy_state *s, char *text);

/* Of the running driver: 0 or -errno. */
int policy_state_read(struct policy_state *s);

/* Why the last one was left: "it gave up (answer -16, call 12)". Returns text. */
const char *policy_last_why(const struct policy_state *s, char *text, size_t len);

#endif
