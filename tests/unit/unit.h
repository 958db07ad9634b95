/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test file needs: cmocka, and the words that make a function a test. */
#ifndef OPTEE_TOP_UNIT_H
#define OPTEE_TOP_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail /* ours is another */
#undef stop

#ifdef assert_uint_in_range /* cmocka 2, where the other one is deprecated */
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#endif

/*
 * A test, which needs no more than its definition: it registers itself with unit.c, and runs
 * in the order of its file.
 */
#define UNIT_TEST(name) UNIT_TEST_SETUP(name, NULL)

/* The same, after a setup of its own: int setup(void **state). */
#define UNIT_TEST_SETUP(name, setup)                                                               \
	static void name(void **unit_state);                                                       \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		unit_test_add(#name, name, setup);                                                 \
	}                                                                                          \
	static void name(void **unit_state __attribute__((unused)))

void unit_test_add(const char *name, CMUnitTestFunction test, CMFixtureFunction setup);

#endif
