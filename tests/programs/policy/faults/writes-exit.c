// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is handed something that is no call, and wants to write there where a call could be written
 * to: may not be loaded.
 */
#include "policy.h"

POLICY_SECTION("struct_ops") void leaves(u64 *arguments)
{
	((u64 *)arguments[0])[__builtin_offsetof(struct optee_adm_call, retry_ns) / sizeof(u64)] =
		1;
}

POLICY(.exit = (void *)leaves, .name = "writes-exit");
