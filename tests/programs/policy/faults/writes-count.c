// SPDX-License-Identifier: GPL-2.0-only
/* Wants to write to a counter: may not be loaded. */
#include "policy.h"

ADMIT
{
	c->free = 100;
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "writes-count");
