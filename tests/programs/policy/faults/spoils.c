// SPDX-License-Identifier: GPL-2.0-only
/* Writes to counters: may not be attached; as a shadow it may, and no other one sees it. */
#include "policy.h"

ADMIT
{
	c->free = 0;
	c->norm_in_flight = c->total;
	c->reserved = c->total;
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "spoils");
