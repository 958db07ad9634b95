// SPDX-License-Identifier: GPL-2.0-only
/* What -p lets through. */
#include <string.h>
#include "base/text.h"
#include "model/condition_table.h"
#include "options/filter.h"

bool filter_shows(const struct opts *o, const struct snapshot *s, const struct snap_session *row)
{
	struct value ta;

	if (o->pid && (u32)o->pid != row->tgid)
		return false;
	if (!o->match)
		return true;
	ta = session_field_find("ta")->get(s, row);
	return text_has(row->comm, o->match) || (ta.known && strstr(ta.text, o->match));
}

bool filter_shows_event(const struct opts *o, const struct event *e)
{
	if (!o->pid && !o->match)
		return true;
	for (u32 i = 0; i < e->nr_parties; i++) {
		const struct event_party *p = &e->parties[i];

		if (!event_involves(e, i))
			continue;
		if (o->pid ? (u32)o->pid == p->tgid :
			     text_has(p->comm, o->match) || text_has(p->client, o->match) ||
				     strstr(p->ta, o->match))
			return true;
	}
	return false;
}
