/* SPDX-License-Identifier: GPL-2.0-only */
/* Values as the live view shows them. */
#ifndef OPTEE_TOP_VIEW_VALUE_H
#define OPTEE_TOP_VIEW_VALUE_H

#include <stdbool.h>
#include "model/fields.h"

/* The value of a session's field; returns buf. */
const char *view_value(const struct session_field *f, const struct snapshot *s,
		       const struct snap_session *row, char *buf, size_t len);

/* A time, or "-"; returns buf. */
const char *view_ns(bool known, u64 ns, char *buf, size_t len);

#endif
