/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test file needs: cmocka, and a main() made of its tests. */
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

#define EACH_1(f, x)                                                       f(x)
#define EACH_2(f, x, ...)                                                  f(x), EACH_1(f, __VA_ARGS__)
#define EACH_3(f, x, ...)                                                  f(x), EACH_2(f, __VA_ARGS__)
#define EACH_4(f, x, ...)                                                  f(x), EACH_3(f, __VA_ARGS__)
#define EACH_5(f, x, ...)                                                  f(x), EACH_4(f, __VA_ARGS__)
#define EACH_6(f, x, ...)                                                  f(x), EACH_5(f, __VA_ARGS__)
#define EACH_7(f, x, ...)                                                  f(x), EACH_6(f, __VA_ARGS__)
#define EACH_8(f, x, ...)                                                  f(x), EACH_7(f, __VA_ARGS__)
#define EACH_9(f, x, ...)                                                  f(x), EACH_8(f, __VA_ARGS__)
#define EACH_10(f, x, ...)                                                 f(x), EACH_9(f, __VA_ARGS__)
#define EACH_11(f, x, ...)                                                 f(x), EACH_10(f, __VA_ARGS__)
#define EACH_12(f, x, ...)                                                 f(x), EACH_11(f, __VA_ARGS__)
#define PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, name, ...) name
#define EACH(f, ...)                                                                               \
	PICK(__VA_ARGS__, EACH_12, EACH_11, EACH_10, EACH_9, EACH_8, EACH_7, EACH_6, EACH_5,       \
	     EACH_4, EACH_3, EACH_2, EACH_1)                                                       \
	(f, __VA_ARGS__)

#define UNIT_TESTS(...)                                                                            \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests[] = { EACH(cmocka_unit_test, __VA_ARGS__) };         \
                                                                                                   \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}

#endif
