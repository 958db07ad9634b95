// SPDX-License-Identifier: GPL-2.0-only
/* Lets nobody in, and wants to be asked again at the end of time. */
#include "policy.h"

ADMIT
{
	c->retry_ns = ~0ull;
	return WAIT;
}

POLICY(CALLBACK(admit), .name = "at-last");
