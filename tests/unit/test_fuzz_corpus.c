// SPDX-License-Identifier: GPL-2.0-only
/* What the fuzzer starts from, and what it once found, is read without a finding. */
#include <glob.h>
#include <stdio.h>
#include "unit.h"
#include "../fuzz/fuzz_recording.c"

static void the_corpus(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(glob("tests/fuzz/corpus/*", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		static uint8_t data[1 << 20];
		FILE *f = fopen(found.gl_pathv[i], "rb");

		assert_non_null(f);
		LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), f));
		fclose(f);
	}
	globfree(&found);
}

UNIT_TESTS(the_corpus)
