/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dialect of policies: what a policy's one .c file is written in. It has its own
 * callbacks, among RESERVE, ADMIT, RANK, ENTER and LEAVE, and ends with POLICY().
 *
 *   fixed-width integers; no calls but of the file's own static inline functions and of
 *   those below; no globals: what is kept is kept in the call, its client, its TA or its
 *   queue (priv, cpriv, tpriv, qpriv); no loop without a constant bound, by whatever means; a
 *   division only unsigned, and by what is checked not to be 0
 *
 * So a policy is a function of what it is shown. clang -target bpf makes struct_ops
 * programs of it, for the driver, and beside each its twin shadow_..., which takes a stub's
 * place in optee-top's probes (bpf/shadow_stubs.bpf.h) and is not loaded otherwise; any
 * other compiler makes plain functions, and a table `policy`.
 */
#ifndef POLICY_H
#define POLICY_H

/* The driver may have the fields elsewhere: libbpf looks where. */
#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#include "optee_admission.h"
#pragma clang attribute pop
#else
#include "optee_admission.h"
#endif

#define EOPNOTSUPP 95
#define EBUSY      16

#ifdef __bpf__
#define POLICY_BODY                  __attribute__((always_inline))
#define POLICY_SECTION(name)         __attribute__((section(name), used))
#define POLICY_ASK_s32(a, callback)  (a)->answer = (u64)(long long)callback(&(a)->call)
#define POLICY_ASK_u64(a, callback)  (a)->answer = callback(&(a)->call)
#define POLICY_ASK_void(a, callback) callback(&(a)->call)
#define POLICY_CALLBACK(type, name)                                                                \
	static inline POLICY_BODY type name##_of(struct optee_adm_call *c);                        \
	POLICY_SECTION("struct_ops") type name(u64 *arguments)                                     \
	{                                                                                          \
		return name##_of((struct optee_adm_call *)arguments[0]);                           \
	}                                                                                          \
	POLICY_SECTION("?freplace") u64 shadow_##name(struct optee_adm_asked *a)                   \
	{                                                                                          \
		if (a)                                                                             \
			POLICY_ASK_##type(a, name##_of);                                           \
		return 0;                                                                          \
	}                                                                                          \
	static inline POLICY_BODY type name##_of(__attribute__((unused)) struct optee_adm_call *c)
#define POLICY(...)                                                                                \
	char LICENSE[] POLICY_SECTION("license") = "GPL";                                          \
	POLICY_SECTION(".struct_ops.link") struct optee_admission_ops policy = { __VA_ARGS__ }
#else
#define POLICY_CALLBACK(type, name)                                                                \
	static type name(__attribute__((unused)) struct optee_adm_call *c)
#define POLICY(...) const struct optee_admission_ops policy = { __VA_ARGS__ }
#endif

/* c is the call */
#define RESERVE  POLICY_CALLBACK(s32, reserve) /* 0 or -errno */
#define ADMIT    POLICY_CALLBACK(s32, admit)   /* ENTER, ENTER_RESERVED or WAIT */
#define RANK     POLICY_CALLBACK(u64, rank)
#define ON_ENTER POLICY_CALLBACK(void, enter)
#define ON_LEAVE POLICY_CALLBACK(void, leave)

/* How the table names a callback. */
#ifdef __bpf__
#define CALLBACK(name) .name = (void *)name
#else
#define CALLBACK(name) .name = name
#endif

#define WAIT           OPTEE_ADM_WAIT
#define ENTER          OPTEE_ADM_ENTER
#define ENTER_RESERVED OPTEE_ADM_ENTER_RESERVED

#define NSEC_PER_MSEC  1000000ull
#define NSEC_PER_SEC   1000000000ull

static inline u32 at_most(u32 value, u32 limit)
{
	return value < limit ? value : limit;
}

/* Is the session a system session: does it hold a reservation? */
static inline u32 is_system(const struct optee_adm_call *c)
{
	return c->flags & OPTEE_ADM_SYS;
}

/*
 * Do entries stay free for others when one more call is let in beside those in flight?
 * Where threads are not counted the secure world itself says when there are no more.
 */
static inline u32 leaves_free(const struct optee_adm_call *c, u32 in_flight, u32 kept)
{
	return !c->total || in_flight + kept < c->total;
}

#endif
