// SPDX-License-Identifier: GPL-2.0-only
/* Gives up when a call finds another one in flight. */
#include "policy.h"

ADMIT
{
	return c->norm_in_flight ? -EBUSY : ENTER;
}

POLICY(CALLBACK(admit), .name = "gives-up");
