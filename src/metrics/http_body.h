/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was rendered, kept for as long as somebody reads it: all who ask between two
 * snapshots get the same text, and there are never more than a few.
 */
#ifndef OPTEE_TOP_HTTP_BODY_H
#define OPTEE_TOP_HTTP_BODY_H

#include <stdbool.h>
#include "metrics/metric_text.h"

/* The present one of each dialect, and as many that slow readers still hold. */
#define HTTP_BODIES 4

typedef void (*http_render)(void *arg, FILE *out, enum metrics_dialect dialect);

struct http_body {
	char *text; /* NULL: this place is free */
	size_t len;
	int readers;
	bool present; /* nothing newer was asked for */
	enum metrics_dialect dialect;
	u64 nr; /* the smaller the older */
};

struct http_bodies {
	struct http_body all[HTTP_BODIES];
	u64 nr;
	size_t last_len; /* of a text: the next one will be about as long */
};

/* From now on what was rendered is old. */
void http_bodies_age(struct http_bodies *b);

/*
 * The present text, rendered if need be, for one more reader. NULL: there is no place
 * before a reader of http_bodies_oldest() lets go of it, or (*oom) no memory.
 */
struct http_body *http_body_get(struct http_bodies *b, enum metrics_dialect dialect,
				http_render render, void *arg, bool *oom);

void http_body_put(struct http_body *body);

struct http_body *http_bodies_oldest(struct http_bodies *b);

void http_bodies_release(struct http_bodies *b);

#endif
