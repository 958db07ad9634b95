// SPDX-License-Identifier: GPL-2.0-only
/*
 * mine: one sentence that says what it does.
 *
 * Use it: when somebody should.
 *
 * struct optee_adm_call *c is what it sees (optee_admission.h); policy.h has the words.
 */
#include "policy.h"

ADMIT
{
	return !c->total || c->free > 0 ? ENTER : WAIT;
}

POLICY(CALLBACK(admit), .name = "mine");
