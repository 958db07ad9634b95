/* SPDX-License-Identifier: GPL-2.0-only */
/* The head of an HTTP request, read strictly: what it wants, or what is wrong with it. */
#ifndef OPTEE_TOP_HTTP_REQUEST_H
#define OPTEE_TOP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/http_names.h"
#include "metrics/metric_text.h"

#define HTTP_HEAD_MOST 4096 /* bytes of a request, all in all */
#define HTTP_LINE_MOST 1024 /* of its first line */

enum http_target { HTTP_ROOT, HTTP_METRICS };

struct http_request {
	int status; /* 200, or what to answer instead */
	bool head;  /* HEAD: the answer has no body */
	bool keep;  /* the connection is to stay */
	enum http_target target;
	enum metrics_dialect dialect;
};

/* How far a head has come, byte by byte. */
struct http_scan {
	size_t at;         /* bytes that were looked at */
	size_t line;       /* where the present line begins */
	bool first_passed; /* its first line is complete */
};

/*
 * Looks at what there is of a request. Returns the length of its head, once that is
 * complete; 0: more is needed; or less than 0: the negated status to refuse it with.
 */
int http_scan(struct http_scan *s, const char *buf, size_t len);

/*
 * Reads a complete head of len bytes. A Host that is neither an IP address nor one of names is
 * refused with 421, unless names is NULL.
 */
struct http_request http_parse(const char *buf, size_t len, const struct http_names *names);

#endif
