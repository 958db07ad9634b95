// SPDX-License-Identifier: GPL-2.0-only
/* Reads wherever a count leads it: the kernel refuses it, for a shadow, too. */
#include "policy.h"

ADMIT
{
	return c->priv[c->client_in_flight] ? WAIT : ENTER;
}

POLICY(CALLBACK(admit), .name = "reads-beyond");
