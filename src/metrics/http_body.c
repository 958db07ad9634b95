// SPDX-License-Identifier: GPL-2.0-only
/* Places for a fixed number of texts; a place is free when nobody reads it and it is old. */
#include <stdlib.h>
#include <string.h>
#include "metrics/http_body.h"

#define LEAST 4096

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

struct growing {
	char *text;
	size_t len, room;
};

/* What open_memstream() does costs more than the text itself: it clears and copies. */
static ssize_t grow(void *cookie, const char *part, size_t len)
{
	struct growing *g = cookie;

	if (len > g->room - g->len) {
		size_t room = g->len + len + g->room / 2;
		char *text = realloc(g->text, room);

		if (!text)
			return 0;
		g->text = text;
		g->room = room;
	}
	memcpy(g->text + g->len, part, len);
	g->len += len;
	return (ssize_t)len;
}

static bool render_into(struct http_body *body, size_t about, http_render render, void *arg)
{
	const cookie_io_functions_t io = { .write = grow };
	struct growing g = { .text = malloc(about), .room = about };
	FILE *out = g.text ? fopencookie(&g, "w", io) : NULL;
	bool done = out;

	if (out) {
		render(arg, out, body->dialect);
		done = !ferror(out);
		done &= !fclose(out);
	}
	if (!done) {
		free(g.text);
		return false;
	}
	body->text = g.text;
	body->len = g.len;
	return true;
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
	*oom = !render_into(place, b->last_len + b->last_len / 8 + LEAST, render, arg);
	if (*oom)
		return NULL;
	b->last_len = place->len;
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
