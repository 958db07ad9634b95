/* SPDX-License-Identifier: GPL-2.0-only */
/* The admission policies of a pool, in the live view: below its conditions. */
#ifndef OPTEE_TOP_VIEW_POLICIES_H
#define OPTEE_TOP_VIEW_POLICIES_H

#include "snapshot.h"
#include "view/screen.h"

void view_policies_pool(struct page *p, const struct snap_pool *pool);

#endif
