// SPDX-License-Identifier: GPL-2.0-only
/* Lets clients of an odd id wait for ever. */
#include "policy.h"

ADMIT
{
	return c->client & 1 ? WAIT : ENTER;
}

POLICY(CALLBACK(admit), .name = "starves");
