/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot as one JSON object; the keys come from the field tables. */
#ifndef OPTEE_TOP_JSON_H
#define OPTEE_TOP_JSON_H

#include <jansson.h>
#include "host.h"
#include "options/opts.h"
#include "render/line_buffer.h"

#define JSON_SCHEMA "optee-top/1"

/* How all of it is printed. Left to themselves, versions of jansson print another number of digits. */
#define JSON_LINE   (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* The beginning of a line of that type: a new object. */
json_t *line_json(const struct host *host, u64 real_ns, const char *type);

/* The beginning of one that is written without an object: { and what every line begins with. */
void line_head(struct line_buffer *l, const struct host *host, u64 real_ns);

/* A new object. */
json_t *host_json(const struct host *host);

/* A new object; NULL: out of memory. Only the sessions that o shows are in it. */
json_t *snapshot_json(const struct opts *o, const struct host *host, const struct snapshot *s);

/* A new object: what it decided of the calls of that class. */
json_t *policy_json(const struct snap_policy *policy, enum call_class class);

/* A new object: a line of 'optee-top events'. */
json_t *event_line_json(const struct host *host, const struct event *e, u64 seq);

/*
 * Prints it and a line feed, and frees it. False: out of memory. A failed write is not told
 * here: stop_flush() knows whether it is an error, or just the end of a pipe.
 */
bool json_print(json_t *json, size_t flags);

#endif
