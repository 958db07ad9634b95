// SPDX-License-Identifier: GPL-2.0-only
/* Lets nobody in, and gives up when three wait. */
#include "policy.h"

ADMIT
{
	return c->norm_waiting >= 3 ? -EBUSY : WAIT;
}

POLICY(CALLBACK(admit), .name = "crowded");
