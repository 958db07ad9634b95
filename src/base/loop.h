/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread that serves many: descriptors, each with who is called when something
 * can be done with it. Nothing that is called may wait.
 */
#ifndef OPTEE_TOP_LOOP_H
#define OPTEE_TOP_LOOP_H

#include <sys/epoll.h>
#include "types.h"

/* A descriptor that is waited for; kept by its owner, from loop_add() to loop_remove(). */
struct loop_fd {
	int fd;
	void (*ready)(void *arg, u32 events); /* EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP */
	void *arg;
};

struct loop {
	int fd;
	/* What is still to be called in this turn: one that is removed meanwhile is not. */
	struct epoll_event *events;
	int nr_events;
};

/* 0 or -errno. */
int loop_init(struct loop *l);
void loop_release(struct loop *l);

/* 0 or -errno. events: EPOLLIN, EPOLLOUT. */
int loop_add(struct loop *l, struct loop_fd *w, u32 events);
int loop_change(struct loop *l, struct loop_fd *w, u32 events);

/* May be called from a ready(), for any descriptor. The descriptor is the owner's to close. */
void loop_remove(struct loop *l, struct loop_fd *w);

/* Waits for something until a time of CLOCK_MONOTONIC (ns), or a signal, and calls who waited. */
void loop_turn(struct loop *l, u64 until);

#endif
