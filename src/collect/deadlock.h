/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a pool deadlocked? A pure function of its calls. */
#ifndef OPTEE_TOP_DEADLOCK_H
#define OPTEE_TOP_DEADLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* A call, as far as it matters here. */
struct deadlock_call {
	bool waits;         /* in the queue; else it holds a thread */
	bool in_rpc;        /* of a holder: Linux works for it */
	bool supplicant;    /* of such: tee-supplicant does, */
	bool served;        /* and which of its threads is known */
	bool answers;       /* its task is a thread of tee-supplicant, */
	bool answers_known; /* for whom it works is known: */
	int answers_for;    /* for this call, or -1: for one that is not here any more */
	int outer;          /* the call it is nested in, or -1 */
	/* Filled in: the call whose end it waits for, or -1. */
	int behind;
	bool one_of; /* that or another one: which is not known */
};

struct deadlock_pool {
	int threads; /* T, 0 where Linux does not know it */
	/* Requests to tee-supplicant. -1: it is not known how many; then no deadlock is found. */
	int untaken;          /* no thread has taken them */
	int revoked;          /* taken ones whose caller is gone, and by whom is not known */
	int idle_supplicants; /* threads of tee-supplicant that have no call */
};

/*
 * Every thread is held by a call in an RPC that waits, directly or through
 * tee-supplicant, for a call that waits in the queue.
 */
bool deadlock_find(struct deadlock_call *calls, size_t n, const struct deadlock_pool *pool);

#endif
