// SPDX-License-Identifier: GPL-2.0-only
/* Loops with constant bounds, 8,000,000 times 8,000,000, by an iterator: may not be loaded. */
#include "policy.h"

struct bpf_iter_num {
	u64 opaque[1];
} __attribute__((aligned(8)));

#define KFUNC __attribute__((weak, section(".ksyms")))

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) KFUNC;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) KFUNC;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) KFUNC;

ADMIT
{
	struct bpf_iter_num a, b;

	bpf_iter_num_new(&a, 0, 8000000);
	while (bpf_iter_num_next(&a)) {
		bpf_iter_num_new(&b, 0, 8000000);
		while (bpf_iter_num_next(&b))
			;
		bpf_iter_num_destroy(&b);
	}
	bpf_iter_num_destroy(&a);
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "endless");
