// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that call the next one 30,000 times, five deep. They are global: the verifier looks at
 * each once, and not at how often it is called. May not be loaded.
 */
#include "policy.h"

#define TIMES 30000

#ifdef __bpf__
__attribute__((noinline)) u64 level_0(u64 n)
{
	asm volatile("");
	return n + 1;
}

#define LEVEL(n, below)                                                                            \
	__attribute__((noinline)) u64 level_##n(u64 sum)                                           \
	{                                                                                          \
		for (u32 i = 0; i < TIMES; i++)                                                    \
			sum += level_##below(sum);                                                 \
		return sum;                                                                        \
	}

LEVEL(1, 0)
LEVEL(2, 1)
LEVEL(3, 2)
LEVEL(4, 3)
#else
static u64 level_4(u64 n)
{
	return n;
}
#endif

ADMIT
{
	return level_4(c->seq) == 1 ? WAIT : ENTER;
}

POLICY(CALLBACK(admit), .name = "nests");
