// SPDX-License-Identifier: GPL-2.0-only
/* Takes any address for a call, and writes there: may not be loaded. */
#include "policy.h"

extern void *bpf_rdonly_cast(const void *object, u32 type) __attribute__((weak, section(".ksyms")));

ADMIT
{
	struct optee_adm_call *any;

	any = bpf_rdonly_cast((void *)c->seq,
			      __builtin_preserve_type_info(*(struct optee_adm_call *)0, 0));
	any->retry_ns = 1;
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "casts");
