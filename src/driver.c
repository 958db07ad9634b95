// SPDX-License-Identifier: GPL-2.0-only
/* Is the OP-TEE driver there? Asked of sysfs, so that it needs no privileges. */
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "driver.h"

static bool any(const char *pattern)
{
	glob_t found;
	bool yes = !glob(pattern, GLOB_NOSORT, NULL, &found);

	globfree(&found);
	return yes;
}

bool driver_present(void)
{
	return any("/sys/class/tee/tee[0-9]*") &&
	       (any("/sys/bus/platform/drivers/optee/*") ||
		any("/sys/bus/arm_ffa/drivers/optee/*") || any("/sys/module/optee"));
}

bool driver_possible(void)
{
	struct utsname u;
	char pattern[256];

	if (driver_present() || any("/sys/module/optee"))
		return true;
	if (uname(&u))
		return true;
	snprintf(pattern, sizeof(pattern), "/lib/modules/%.64s/kernel/drivers/tee/optee/optee.ko*",
		 u.release);
	return any(pattern);
}
