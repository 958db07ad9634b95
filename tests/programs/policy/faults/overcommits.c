// SPDX-License-Identifier: GPL-2.0-only
/* Says ENTER to everybody, and ranks at random: the core lets in as many as there are threads. */
#include "policy.h"

ADMIT
{
	c->retry_ns = 1;
	return c->norm_in_flight & 1 ? ENTER_RESERVED : ENTER;
}

RANK
{
	return c->now_ns * 2654435761u;
}

POLICY(CALLBACK(admit), CALLBACK(rank), .name = "overcommits");
