// SPDX-License-Identifier: GPL-2.0-only
/*
 * Expositions of snapshots that never were, for tests/guest/metrics/test_metrics.py, and what
 * they were made of, as JSON: a test compares.
 *
 * usage: metrics-made classic|openmetrics|json all|much|nothing
 */
#include <jansson.h>
#include "metrics_made.h"

static json_t *octaves_json(const u64 octaves[HIST_OCTAVES])
{
	json_t *array = json_array();

	for (int i = 0; i < HIST_OCTAVES; i++)
		json_array_append_new(array, json_integer((json_int_t)octaves[i]));
	return array;
}

/* What a reader has to see: all of it, but for bytes that are no text. */
static json_t *name_json(const char *name)
{
	char text[4 * sizeof(tas[0].ta)], *to = text;

	for (; *name; name++)
		if (*name == '\n' || (*name >= ' ' && *name < 0x7f))
			*to++ = *name;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*name);
	*to = '\0';
	return json_string(text);
}

static void put_json(void)
{
	json_t *rows = json_array();

	for (u32 i = 0; i < snap.nr_tas; i++) {
		const struct snap_ta *row = &tas[i];

		json_array_append_new(rows,
				      json_pack("{s:i,s:o,s:b,s:b,s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o}",
						"tee", snap.pools[row->pool].id, "ta",
						name_json(row->ta), "known", row->known, "other",
						row->other, "class", class_name(row->class),
						"calls", (json_int_t)row->sums.calls, "wait_ns",
						(json_int_t)row->sums.wait_ns, "hold_ns",
						(json_int_t)row->sums.hold_ns, "secure_ns",
						(json_int_t)row->sums.secure_ns, "wait",
						octaves_json(row->wait), "hold",
						octaves_json(row->hold), "secure",
						octaves_json(row->secure)));
	}
	json_dumpf(rows, stdout, JSON_COMPACT);
	json_decref(rows);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	bool open = !strcmp(what, "openmetrics");

	if (argc < 3 || !make_case(argv[2])) {
		fprintf(stderr, "usage: %s classic|openmetrics|json all|much|nothing\n", argv[0]);
		return 2;
	}
	if (!strcmp(what, "json"))
		put_json();
	else
		metrics_print(stdout, open ? METRICS_OPENMETRICS : METRICS_CLASSIC, &host, &snap,
			      self.since_ns ? &self : NULL);
	return fflush(stdout) != 0;
}
