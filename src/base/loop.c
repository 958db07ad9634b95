// SPDX-License-Identifier: GPL-2.0-only
/* epoll, level-triggered. */
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/loop.h"

#define AT_ONCE 64 /* descriptors served a turn: the rest has its turn in the next one */

int loop_init(struct loop *l)
{
	*l = (struct loop){ .fd = epoll_create1(EPOLL_CLOEXEC) };
	return l->fd < 0 ? -errno : 0;
}

void loop_release(struct loop *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int control(struct loop *l, int op, struct loop_fd *w, u32 events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	return epoll_ctl(l->fd, op, w->fd, &e) ? -errno : 0;
}

int loop_add(struct loop *l, struct loop_fd *w, u32 events)
{
	return control(l, EPOLL_CTL_ADD, w, events);
}

int loop_change(struct loop *l, struct loop_fd *w, u32 events)
{
	return control(l, EPOLL_CTL_MOD, w, events);
}

void loop_remove(struct loop *l, struct loop_fd *w)
{
	control(l, EPOLL_CTL_DEL, w, 0);
	for (int i = 0; i < l->nr_events; i++)
		if (l->events[i].data.ptr == w)
			l->events[i].data.ptr = NULL;
}

void loop_turn(struct loop *l, u64 until)
{
	struct epoll_event events[AT_ONCE];
	u64 now = clock_now();
	/* Rounded up: to be early would be to turn in vain. */
	int ms = until <= now ? 0 : (int)((until - now + 999999) / 1000000);
	int n = epoll_wait(l->fd, events, AT_ONCE, ms);

	l->events = events;
	l->nr_events = n > 0 ? n : 0;
	for (int i = 0; i < l->nr_events; i++) {
		struct loop_fd *w = events[i].data.ptr;

		if (w)
			w->ready(w->arg, events[i].events);
	}
	l->events = NULL;
	l->nr_events = 0;
}
