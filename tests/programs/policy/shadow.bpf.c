// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks a policy as optee-top's probes do on a stock kernel: through functions that the
 * policy's own take the place of. Here they are run by hand, a batch of calls at a time.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "shadow.h"

char LICENSE[] SEC("license") = "GPL";

struct optee_adm_asked asked[BATCH];
u32 count;

#define ASK(name)                                                                                  \
	__attribute__((noinline)) u64 stub_##name(struct optee_adm_asked *a)                       \
	{                                                                                          \
		asm volatile("");                                                                  \
		return !a;                                                                         \
	}                                                                                          \
	SEC("syscall")                                                                             \
	int ask_##name(void *ctx)                                                                  \
	{                                                                                          \
		for (u32 i = 0; i < BATCH && i < count; i++)                                       \
			stub_##name(&asked[i]);                                                    \
		return 0;                                                                          \
	}

ASK(reserve)
ASK(admit)
ASK(rank)
ASK(enter)
ASK(leave)
