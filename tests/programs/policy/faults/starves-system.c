// SPDX-License-Identifier: GPL-2.0-only
/* Gives reservations, and lets no system call in. */
#include "policy.h"

ADMIT
{
	return is_system(c) ? WAIT : ENTER;
}

POLICY(CALLBACK(admit), .name = "starves-system");
