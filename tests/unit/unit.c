// SPDX-License-Identifier: GPL-2.0-only
/* Runs the tests of the file that it is linked with. */
#include <stdlib.h>
#include "unit.h"

#define MAX_TESTS 64 /* of a file; cmocka leaves those without a name out */

static struct CMUnitTest tests[MAX_TESTS];

void unit_test_add(const char *name, CMUnitTestFunction test, CMFixtureFunction setup)
{
	static size_t nr;

	if (nr == MAX_TESTS)
		abort();
	tests[nr++] = (struct CMUnitTest){ .name = name, .test_func = test, .setup_func = setup };
}

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
