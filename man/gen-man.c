// SPDX-License-Identifier: GPL-2.0-only
/* Run by the build, on the build machine: prints the manual page. */
#include "command/man.h"

int main(void)
{
	return man_print();
}
