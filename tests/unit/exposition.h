/* SPDX-License-Identifier: GPL-2.0-only */
/* An exposition, printed and taken apart again: the samples by their text up to the value. */
#ifndef OPTEE_TOP_EXPOSITION_H
#define OPTEE_TOP_EXPOSITION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "metrics/metrics.h"

#define MOST_SAMPLES 8192

struct exposition {
	char *text;
	size_t len;
	int nr;
	char *names[MOST_SAMPLES], *values[MOST_SAMPLES];
};

/* Whole lines only, and each sample once. */
static inline void exposition_read(struct exposition *e)
{
	char *save = NULL;

	e->nr = 0;
	assert_true(e->len && e->text[e->len - 1] == '\n');
	for (char *line = strtok_r(e->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *space = strrchr(line, ' ');

		if (*line == '#')
			continue;
		assert_non_null(space);
		*space = '\0';
		assert_true(e->nr < MOST_SAMPLES);
		e->names[e->nr] = line;
		e->values[e->nr++] = space + 1;
	}
}

static inline char *exposition_text(enum metrics_dialect dialect, const struct host *host,
				    const struct snapshot *s, const struct daemon_stats *self,
				    size_t *len)
{
	char *text;
	FILE *out = open_memstream(&text, len);

	assert_non_null(out);
	metrics_print(out, dialect, host, s, self);
	assert_int_equal(fclose(out), 0);
	return text;
}

static inline void exposition_make(struct exposition *e, enum metrics_dialect dialect,
				   const struct host *host, const struct snapshot *s,
				   const struct daemon_stats *self)
{
	e->text = exposition_text(dialect, host, s, self, &e->len);
	exposition_read(e);
}

/* The value as text; NULL: there is no such sample. */
static inline const char *exposition_find(const struct exposition *e, const char *name)
{
	const char *found = NULL;

	for (int i = 0; i < e->nr; i++)
		if (!strcmp(e->names[i], name)) {
			assert_null(found);
			found = e->values[i];
		}
	return found;
}

static inline void exposition_free(struct exposition *e)
{
	free(e->text);
}

#endif
