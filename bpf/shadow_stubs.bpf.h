/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the policies that are shadows come in: a function for each of them and each of its
 * callbacks, which does nothing until src/probe/attach_shadow.c puts the policy's own in its place. Weak,
 * so that the compiler believes nothing of it; global, for the kernel replaces no others.
 */
#ifndef OPTEE_TOP_SHADOW_STUBS_BPF_H
#define OPTEE_TOP_SHADOW_STUBS_BPF_H

#include "optee_admission.h"

#ifndef SHADOW_STUB
#define SHADOW_STUB(n, callback)                                                                   \
	__weak __noinline u64 shadow_##n##_##callback(struct optee_adm_asked *a)                   \
	{                                                                                          \
		barrier_var(a);                                                                    \
		return 0;                                                                          \
	}
#endif

#define SHADOW_CASE(n, callback)                                                                   \
	case n:                                                                                    \
		shadow_##n##_##callback(a);                                                        \
		break;

#define EACH_SHADOW(what, callback)                                                                \
	what(0, callback) what(1, callback) what(2, callback) what(3, callback) what(4, callback)  \
		what(5, callback) what(6, callback) what(7, callback) what(8, callback)            \
			what(9, callback)

_Static_assert(MAX_SHADOWS == 10, "EACH_SHADOW has another number");

/* shadow_admit(n, a) and so on: policy n's answer about a call. */
#define SHADOW_CALLBACK(callback)                                                                  \
	EACH_SHADOW(SHADOW_STUB, callback)                                                         \
	static __always_inline void shadow_##callback(u32 n, struct optee_adm_asked *a)            \
	{                                                                                          \
		switch (n) {                                                                       \
			EACH_SHADOW(SHADOW_CASE, callback)                                         \
		}                                                                                  \
	}

SHADOW_CALLBACK(reserve)
SHADOW_CALLBACK(admit)
SHADOW_CALLBACK(rank)
SHADOW_CALLBACK(enter)
SHADOW_CALLBACK(leave)

#endif
