// SPDX-License-Identifier: GPL-2.0-only
/* Lets nobody in. */
#include "policy.h"

ADMIT
{
	return WAIT;
}

POLICY(CALLBACK(admit), .name = "never");
