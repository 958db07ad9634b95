// SPDX-License-Identifier: GPL-2.0-only
/* mine: one sentence that says what it does. Of optee_admission.h it sees struct
 * optee_adm_call *c, of policy.h it has the words. */
#include "policy.h"

ADMIT
{
	return !c->total || c->free > 0 ? ENTER : WAIT;
}

POLICY(CALLBACK(admit), .name = "mine");
