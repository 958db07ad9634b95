// SPDX-License-Identifier: GPL-2.0-only
/* Values as the live view shows them. */
#include "view/view_value.h"

const char *view_value(const struct session_field *f, const struct snapshot *s,
		       const struct snap_session *row, char *buf, size_t len)
{
	struct value v = f->get(s, row);

	return value_format(&v, f->unit, buf, len);
}

const char *view_ns(bool known, u64 ns, char *buf, size_t len)
{
	struct value v = { .known = known, .number = (double)ns };

	return value_format(&v, UNIT_NS, buf, len);
}
