/* SPDX-License-Identifier: GPL-2.0-only */
/* The answer to an HTTP request: its head, and the body where that is but a line. */
#ifndef OPTEE_TOP_HTTP_ANSWER_H
#define OPTEE_TOP_HTTP_ANSWER_H

#include "metrics/daemon_stats.h"
#include "metrics/http_request.h"

struct http_answer {
	size_t len;
	char text[512];
};

/*
 * with_body: a page of len bytes follows, which the answer to a HEAD does not have;
 * else the body is one line of its own. keep: the connection stays.
 */
void http_answer_make(struct http_answer *a, const struct http_request *r, bool keep,
		      bool with_body, size_t len);

/* What counts answers of this status. */
enum daemon_stat http_answer_stat(int status);

#endif
