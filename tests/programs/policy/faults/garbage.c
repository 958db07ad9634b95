// SPDX-License-Identifier: GPL-2.0-only
/* A verdict that is none, for a call that finds another one in flight. */
#include "policy.h"

ADMIT
{
	return c->norm_in_flight ? 1000 : ENTER;
}

POLICY(CALLBACK(admit), .name = "garbage");
