// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor: the four hooks that every call passes, each of which only adds to
 * a counter. What optee-top costs above this is its own work.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

unsigned long long hits;

#define FLOOR(section, name)                                                                       \
	SEC(section)                                                                               \
	int BPF_PROG(name)                                                                         \
	{                                                                                          \
		hits++;                                                                            \
		return 0;                                                                          \
	}

FLOOR("fentry/optee_smc_do_call_with_arg", floor_begin)
FLOOR("tp_btf/optee_invoke_fn_begin", floor_enter)
FLOOR("tp_btf/optee_invoke_fn_end", floor_exit)
FLOOR("fentry/optee_cq_wait_final", floor_end)
