/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The metrics over HTTP: a server of one page on the loop. All of it is bounded, in
 * number, bytes and time, and nothing a client does or leaves undone holds the rest up.
 */
#ifndef OPTEE_TOP_HTTP_H
#define OPTEE_TOP_HTTP_H

#include "base/http_names.h"
#include "base/loop.h"
#include "metrics/daemon_stats.h"
#include "metrics/http_body.h"

#define HTTP_CONNECTIONS 32
#define HTTP_REQUEST_NS                                                                            \
	10000000000ULL /* from accept, or the first byte, to the end of the answer */
#define HTTP_IDLE_NS   120000000000ULL /* between two requests */
#define HTTP_LINGER_NS 2000000000ULL   /* for a client to take the last answer and close */

struct http;

/*
 * Serves connections to a listening descriptor, TCP or unix. The descriptor and the names stay
 * the caller's. Over TCP a request has to use one of the names, which may change meanwhile.
 * render writes the page; self counts. Returns 0 or -errno.
 */
int http_new(struct http **to, struct loop *loop, int fd, const struct http_names *names,
	     http_render render, void *arg, struct daemon_stats *self);

/* Takes connections from another descriptor, which stays the caller's. Returns 0 or -errno. */
int http_listen(struct http *h, int fd);

/* There is a new snapshot: what was rendered is old. */
void http_changed(struct http *h);

/* Ends what takes too long; to be called about once a second, with CLOCK_MONOTONIC. */
void http_tick(struct http *h, u64 now);

void http_free(struct http *h);

#endif
