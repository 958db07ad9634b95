// SPDX-License-Identifier: GPL-2.0-only
/* Lets nobody in, and wants to be asked again at once. */
#include "policy.h"

ADMIT
{
	c->retry_ns = 1;
	return WAIT;
}

POLICY(CALLBACK(admit), .name = "at-once");
