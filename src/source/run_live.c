// SPDX-License-Identifier: GPL-2.0-only
/* Attaches, shows, detaches; as often as the driver comes. */
#include "base/stop.h"
#include "source/observer.h"
#include "source/run_live.h"

enum status on_live(const struct opts *o, view_fn view, enum wanted_past past,
		    struct recorder *recorder)
{
	struct stream_opts want = {
		.since_ns = o->since_ns ? present_mono(o->since_ns) : ~0ULL,
		/* The live view begins with the present: it has no use for old frames. */
		.each = o->since_ns && past != PAST_EVENTS,
		.fresh = recorder && !o->since_ns,
		.calls = o->attach.calls
	};
	struct present present;
	enum status status;
	bool again = false, lost = false;

	if (past == PAST_EVENTS)
		want.since_ns = 0;
	do {
		struct source source;

		status = present_open(&present, o, &want, again);
		if (status != STATUS_OK)
			return status;
		source = present.source;
		if (recorder)
			source = recorder_source(recorder, &source);
		status = view(o, &source);
		again = present_left(&present);
		lost |= present_lost(&present);
		if (status == STATUS_OK)
			status = present_fault(&present, o);
		if (want.each && present_reached(&present))
			want.since_ns = present_reached(&present) + 1; /* none twice */
		present_close(&present);
	} while (again && status == STATUS_OK && !stop_asked);
	if (status == STATUS_OK && o->strict && lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}
