// SPDX-License-Identifier: GPL-2.0-only
/* Does not want to be attached. */
#include "policy.h"

POLICY_SECTION("struct_ops") s32 veto(__attribute__((unused)) u64 *arguments)
{
	return -EBUSY;
}

POLICY(.init = (void *)veto, .name = "vetoes");
