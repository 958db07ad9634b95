/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket on the loop. When no file descriptor is left, a pending connection would
 * keep the loop spinning. The socket is therefore ignored for a while. Where clients should
 * learn why they are not served, a spare descriptor is kept to accept them and turn them away.
 */
#ifndef OPTEE_TOP_ACCEPTOR_H
#define OPTEE_TOP_ACCEPTOR_H

#include <stdbool.h>
#include "base/loop.h"

struct acceptor {
	struct loop *loop;
	struct loop_fd listener;
	bool keeps_spare;
	int spare; /* -1: there is none, or it is in use */
	bool paused;
};

/* fd stays the caller's; ready() is to call acceptor_next(). Returns 0 or -errno. */
int acceptor_init(struct acceptor *a, struct loop *l, int fd, bool keeps_spare,
		  void (*ready)(void *arg, u32 events), void *arg);
void acceptor_release(struct acceptor *a);

/*
 * Returns the next connection, or -1 if there is none for now. *full is set if no descriptor
 * was left: the connection then uses the spare one and must be given to acceptor_refuse().
 */
int acceptor_next(struct acceptor *a, bool *full);

/* Closes the connection, and gets the spare descriptor back. */
void acceptor_refuse(struct acceptor *a, int fd);

/* Listens again after a pause. Call it at least once a second. */
void acceptor_turn(struct acceptor *a);

#endif
