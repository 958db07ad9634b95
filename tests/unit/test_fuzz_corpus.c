// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzers start from, and what they once found, is read without a finding. */
#define FUZZ_ALL
#include <fcntl.h>
#include <glob.h>
#include <sanitizer/common_interface_defs.h>
#include "unit.h"
#include "../fuzz/fuzz.h"

#define MAX_TARGETS 32

static struct {
	const char *corpus;
	void (*fuzz)(const uint8_t *data, size_t size);
} targets[MAX_TARGETS];
static size_t nr_targets;

void fuzz_add(const char *name, void (*fuzz)(const uint8_t *data, size_t size))
{
	if (nr_targets == MAX_TARGETS)
		abort();
	targets[nr_targets].corpus = name;
	targets[nr_targets++].fuzz = fuzz;
}

static void read_input(const char *path, void (*fuzz)(const uint8_t *data, size_t size))
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	assert_non_null(f);
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	exact = malloc(size); /* so that a byte behind it is a finding */
	memcpy(exact, data, size);
	fuzz(exact, size);
	free(exact);
}

/* Most of it is complained of, and that goes to a file; so does what UBSan finds. */
UNIT_TEST(the_corpus)
{
	int kept = dup(STDERR_FILENO), log = open("build/unit/fuzz_corpus.log",
						  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(log >= 0);
	assert_true(nr_targets > 0);
	__sanitizer_set_report_fd((void *)(intptr_t)kept);
	for (size_t t = 0; t < nr_targets; t++) {
		char pattern[64];
		glob_t found;

		snprintf(pattern, sizeof(pattern), "tests/fuzz/corpus/%s/*", targets[t].corpus);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		dup2(log, STDERR_FILENO);
		for (size_t i = 0; i < found.gl_pathc; i++)
			read_input(found.gl_pathv[i], targets[t].fuzz);
		dup2(kept, STDERR_FILENO);
		globfree(&found);
	}
	close(kept);
	close(log);
}
