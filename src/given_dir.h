/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory that root makes and gives away. */
#ifndef OPTEE_TOP_GIVEN_DIR_H
#define OPTEE_TOP_GIVEN_DIR_H

#include "privilege.h"

/*
 * Makes a directory of mode 0750 for id, if nobody but root can change what its path
 * stands for: elsewhere somebody could have root give away another one, so that has to
 * be made by id itself. Returns 0, also where it is there already, or -errno: -EPERM
 * others than root can write on the way to it.
 */
int given_dir_make(const char *path, const struct identity *id);

#endif
