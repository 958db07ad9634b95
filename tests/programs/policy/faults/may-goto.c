// SPDX-License-Identifier: GPL-2.0-only
/* Loops as often as may_goto lets it, 8,000,000 times: may not be loaded. */
#include "policy.h"

ADMIT
{
	for (;;) {
		/* may_goto +1, which clang 14 has no word for */
		asm volatile goto(".8byte 0x00000000000100e5\n"
				  "goto +1\n"
				  "goto %l[out]" :: ::out);
	}
out:
	return ENTER;
}

POLICY(CALLBACK(admit), .name = "may-goto");
