/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory that root creates for another user. */
#ifndef OPTEE_TOP_GIVEN_DIR_H
#define OPTEE_TOP_GIVEN_DIR_H

#include "base/privilege.h"

/*
 * Creates a directory of mode 0750 owned by id, provided that only root can change what its
 * path refers to: every directory and every link on the way is root's, also on the way on
 * which the links lead. Otherwise another user could trick root into giving away some other
 * directory, so id has to create it. Returns 0 (also if it exists already) or -errno; -EPERM
 * if somebody else can change the path, or it leads nowhere.
 */
int given_dir_make(const char *path, const struct identity *id);

#endif
