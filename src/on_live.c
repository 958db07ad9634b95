// SPDX-License-Identifier: GPL-2.0-only
/* Attaches, shows, detaches; as often as the driver comes. */
#include "on_live.h"
#include "present.h"
#include "stop.h"

enum status on_live(const struct opts *o, view_fn view, struct recorder *recorder)
{
	struct stream_opts want = { .since_ns = o->since_ns ? present_mono(o->since_ns) : ~0ULL,
				    .each = o->since_ns,
				    .fresh = recorder && !o->since_ns,
				    .calls = o->attach.calls };
	struct present present;
	enum status status;
	bool again = false;

	if (view == view_top) /* it shows the conditions of the last minutes, too */
		want = (struct stream_opts){ .since_ns = 0 };
	do {
		struct source source;

		status = present_open(&present, o, &want, again);
		if (status != STATUS_OK)
			return status;
		source = present.source;
		if (recorder)
			source = recorder_source(recorder, &source);
		status = view(o, &source);
		present_close(&present);
		again = present_left(&present);
	} while (again && !stop_asked);
	if (status == STATUS_OK && o->strict && present_lost(&present))
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}
