// SPDX-License-Identifier: GPL-2.0-only
/* Wants to write behind the call: may not be loaded. */
#include "policy.h"

ADMIT
{
	((u64 *)c)[sizeof(*c) / sizeof(u64)] = 1;
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "writes-beyond");
