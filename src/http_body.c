// SPDX-License-Identifier: GPL-2.0-only
/* Places for a fixed number of texts; a place is free when nobody reads it and it is old. */
#include <stdlib.h>
#include "http_body.h"

static void drop_unused(struct http_body *body)
{
	if (body->readers || body->present)
		return;
	free(body->text);
	body->text = NULL;
}

void http_bodies_age(struct http_bodies *b)
{
	for (int i = 0; i < HTTP_BODIES; i++) {
		b->all[i].present = false;
		drop_unused(&b->all[i]);
	}
}

static bool render_into(struct http_body *body, http_render render, void *arg)
{
	FILE *out = open_memstream(&body->text, &body->len);
	bool failed;

	if (!out)
		return false;
	render(arg, out, body->dialect);
	failed = ferror(out);
	failed |= fclose(out) != 0;
	if (failed) {
		free(body->text);
		body->text = NULL;
	}
	return !failed;
}

struct http_body *http_body_get(struct http_bodies *b, enum metrics_dialect dialect,
				http_render render, void *arg, bool *oom)
{
	struct http_body *place = NULL;

	*oom = false;
	for (int i = 0; i < HTTP_BODIES; i++) {
		struct http_body *body = &b->all[i];

		if (!body->text) {
			place = body;
		} else if (body->present && body->dialect == dialect) {
			body->readers++;
			return body;
		}
	}
	if (!place)
		return NULL;
	*place = (struct http_body){ .dialect = dialect };
	*oom = !render_into(place, render, arg);
	if (*oom)
		return NULL;
	place->readers = 1;
	place->present = true;
	place->nr = b->nr++;
	return place;
}

void http_body_put(struct http_body *body)
{
	body->readers--;
	drop_unused(body);
}

struct http_body *http_bodies_oldest(struct http_bodies *b)
{
	struct http_body *oldest = NULL;

	for (int i = 0; i < HTTP_BODIES; i++)
		if (b->all[i].text && (!oldest || b->all[i].nr < oldest->nr))
			oldest = &b->all[i];
	return oldest;
}

void http_bodies_release(struct http_bodies *b)
{
	for (int i = 0; i < HTTP_BODIES; i++) {
		free(b->all[i].text);
		b->all[i].text = NULL;
	}
}
