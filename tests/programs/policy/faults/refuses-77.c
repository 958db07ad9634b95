// SPDX-License-Identifier: GPL-2.0-only
/* Lets everything in but command 77; and does not say what its answer depends on. */
#include "policy.h"

ADMIT
{
	return c->func == 77 ? WAIT : ENTER;
}

POLICY(CALLBACK(admit), .name = "refuses-77");
