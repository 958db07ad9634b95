/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket on the loop. When no descriptor is left, whoever waits to be accepted
 * would keep the loop busy. So the socket is left alone for a while; or, where clients are
 * to learn why they are not served, one descriptor is kept to accept and turn away with.
 */
#ifndef OPTEE_TOP_ACCEPTOR_H
#define OPTEE_TOP_ACCEPTOR_H

#include <stdbool.h>
#include "loop.h"

struct acceptor {
	struct loop *loop;
	struct watched listener;
	bool keeps_spare;
	int spare; /* -1: there is none, or it is in use */
	bool paused;
};

/* Takes a descriptor that stays the caller's. ready accepts. 0 or -errno. */
int acceptor_init(struct acceptor *a, struct loop *l, int fd, bool keeps_spare,
		  void (*ready)(void *arg, u32 events), void *arg);
void acceptor_release(struct acceptor *a);

/*
 * The next connection, or -1: there is none for now. *full: it has the spare descriptor and
 * is to be turned away, with acceptor_refuse(); or nobody could be accepted.
 */
int acceptor_next(struct acceptor *a, bool *full);

/* Closes a connection. */
void acceptor_refuse(struct acceptor *a, int fd);

/* To be called about once a second, or more often. */
void acceptor_turn(struct acceptor *a);

#endif
