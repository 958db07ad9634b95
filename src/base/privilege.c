// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of users and groups are read directly: a static program has no other way
 * to ask that does not need libc's shared libraries.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/privilege.h"

#define NOBODY 65534

static bool number(const char *text, unsigned int *n)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	*n = (unsigned int)v;
	return *text >= '0' && *text <= '9' && !*end && v < ~0U;
}

static bool find_user(const char *name, struct identity *id)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;
	unsigned int uid;
	bool by_number = number(name, &uid);

	while (f && (p = fgetpwent(f)))
		if (by_number ? p->pw_uid == uid : !strcmp(p->pw_name, name))
			break;
	if (p)
		*id = (struct identity){ p->pw_uid, p->pw_gid };
	else if (by_number)
		*id = (struct identity){ uid, uid };
	if (f)
		fclose(f);
	return p || by_number;
}

static bool find_group(const char *name, gid_t *gid)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g = NULL;
	bool found = number(name, gid);

	while (!found && f && (g = fgetgrent(f)))
		found = !strcmp(g->gr_name, name);
	if (g)
		*gid = g->gr_gid;
	if (f)
		fclose(f);
	return found;
}

enum status identity_find(struct identity *id, const char *user, const char *group)
{
	*id = (struct identity){ geteuid(), getegid() };
	if (!id->uid && !user)
		*id = (struct identity){ NOBODY, NOBODY };
	if (user && !find_user(user, id))
		return fail(STATUS_USAGE,
			    "cannot run as '%s': there is no such user; make it, or "
			    "give --user another",
			    user);
	if (group && !find_group(group, &id->gid))
		return fail(STATUS_USAGE,
			    "cannot use the group '%s': there is none; make it, or "
			    "give --group another",
			    group);
	return STATUS_OK;
}

/* All three sets of capabilities, and what a program that we execute could get back. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = {};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

enum status privilege_drop(const struct identity *id)
{
	bool root = !geteuid();
	int err = 0;

	for (int cap = 0; root && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap); /* without CAP_SETPCAP it stays; nothing is executed */
	if (root && (setgroups(1, &id->gid) || setresgid(id->gid, id->gid, id->gid) ||
		     setresuid(id->uid, id->uid, id->uid)))
		err = -errno;
	if (!err)
		err = drop_capabilities();
	if (err)
		return fail(STATUS_FAILURE, "cannot drop privileges: %s", strerror(-err));
	return STATUS_OK;
}
