/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a pool deadlocked? A pure function of its calls. */
#ifndef OPTEE_TOP_DEADLOCK_H
#define OPTEE_TOP_DEADLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* A call, as far as it matters here. */
struct deadlock_call {
	bool waits;         /* in the queue; else it holds a thread, unless */
	bool at_arguments;  /* its task waits for the argument cache, */
	bool has_arguments; /* which this call has locked, until it ends */
	bool system;        /* it may have the reserve, too */
	bool in_rpc;        /* of a holder: Linux works for it */
	bool supplicant;    /* of such: tee-supplicant does, */
	bool served;        /* and which of its threads is known; */
	bool lock;          /* or it sleeps for a lock of OP-TEE, with no limit of time */
	bool answers;       /* its task is a thread of tee-supplicant, */
	bool answers_known; /* for whom it works is known: */
	int answers_for;    /* for this call, or -1: for one that is not here any more */
	int outer;          /* the call it is nested in, or -1 */
	/* Filled in: it will never go on; if it is not in the queue, the call whose end it waits for, or -1. */
	bool stuck;
	int behind;
	bool one_of; /* that or another one: which is not known */
};

struct deadlock_pool {
	int threads; /* T, 0 where Linux does not know it */
	/* So many threads a normal call has to leave free; 0 where the rule is not known. */
	int reserved;
	bool reserve_is_shared; /* fewer, by the system calls in flight */
	/* The locks belong to calls that are stuck: it was seen when there were no others. */
	bool locks_are_stuck;
	/* Requests to tee-supplicant. -1: it is not known how many; then no deadlock is found. */
	int untaken;          /* no thread has taken them */
	int revoked;          /* taken ones whose caller is gone, and by whom is not known */
	int idle_supplicants; /* threads of tee-supplicant that have no call */
	/* Filled in: so many threads will be free, but not for who waits. */
	int kept;
};

/*
 * All threads that the calls in the queue may have are held by calls that wait in an RPC:
 * for one of those in the queue, directly or through tee-supplicant, or for a lock of
 * OP-TEE that another one of them has.
 */
bool deadlock_find(struct deadlock_call *calls, size_t n, struct deadlock_pool *pool);

#endif
