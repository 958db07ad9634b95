// SPDX-License-Identifier: GPL-2.0-only
/* Answers a question for a reservation with a number that is no answer. */
#include "policy.h"

RESERVE
{
	return 7 + (s32)c->reserved;
}

POLICY(CALLBACK(reserve), .name = "reserves-badly");
