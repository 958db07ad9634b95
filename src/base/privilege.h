/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving up what is not needed any more, for good. */
#ifndef OPTEE_TOP_PRIVILEGE_H
#define OPTEE_TOP_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/fail.h"

struct identity {
	uid_t uid;
	gid_t gid;
};

/*
 * Looks up a user and a group, by name or number. user NULL: nobody, if we are root, else
 * who we are; group NULL: the user's own. STATUS_USAGE after saying that there is none.
 */
enum status identity_find(struct identity *id, const char *user, const char *group);

/*
 * Becomes it, if we are root, with no other groups, and without capabilities, now and in
 * whatever might be executed. It fails rather than keep any of it.
 */
enum status privilege_drop(const struct identity *id);

#endif
