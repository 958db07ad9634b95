// SPDX-License-Identifier: GPL-2.0-only
/* Is the OP-TEE driver there? Asked of sysfs and of depmod's lists, so that it needs no privileges. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "probe/driver.h"

#define MODULE "optee.ko"

static bool any(const char *pattern)
{
	glob_t found;
	bool yes = !glob(pattern, GLOB_NOSORT, NULL, &found);

	globfree(&found);
	return yes;
}

bool driver_visible(void)
{
	return !access("/sys/class", F_OK) && !access("/sys/bus", F_OK);
}

bool driver_present(void)
{
	return any("/sys/class/tee/tee[0-9]*") &&
	       (any("/sys/bus/platform/drivers/optee/*") ||
		any("/sys/bus/arm_ffa/drivers/optee/*") || any("/sys/module/optee"));
}

struct abis driver_abis(void)
{
	struct abis bound = { .smc = any("/sys/bus/platform/drivers/optee/*/driver"),
			      .ffa = any("/sys/bus/arm_ffa/drivers/optee/*/driver") };

	return bound.smc || bound.ffa ? bound : (struct abis){ true, true };
}

/* The file name at the end of path, of which len bytes count, is the driver's module. */
static bool is_module_file(const char *path, size_t len)
{
	const char *base = memrchr(path, '/', len);
	size_t left;

	base = base ? base + 1 : path;
	left = len - (size_t)(base - path);
	/* Compressed by whatever the distribution prefers: .gz, .xz, .zst. */
	return left >= strlen(MODULE) && !strncmp(base, MODULE, strlen(MODULE)) &&
	       (left == strlen(MODULE) || base[strlen(MODULE)] == '.');
}

/* Each line of modules.dep and modules.builtin begins with a module's file; a colon may follow. */
static bool list_has_driver(const char *release, const char *list)
{
	char path[256], *line = NULL;
	size_t room = 0;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/lib/modules/%.64s/%s", release, list);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0)
		found = is_module_file(line, strcspn(line, ":\n"));
	free(line);
	if (f)
		fclose(f);
	return found;
}

bool driver_possible(void)
{
	struct utsname u;
	char pattern[256];

	if (driver_present() || any("/sys/module/optee"))
		return true;
	if (uname(&u))
		return true;
	/* Without depmod's list there is still the place where the kernel's own modules are. */
	snprintf(pattern, sizeof(pattern),
		 "/lib/modules/%.64s/kernel/drivers/tee/optee/" MODULE "*", u.release);
	return list_has_driver(u.release, "modules.dep") ||
	       list_has_driver(u.release, "modules.builtin") || any(pattern);
}
