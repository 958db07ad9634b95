// SPDX-License-Identifier: GPL-2.0-only
/* Attaches, shows, detaches; as often as the driver comes. */
#include "base/stop.h"
#include "source/observer.h"
#include "source/run_live.h"

enum status run_live(const struct opts *o, view_fn view, enum wanted_past past,
		     struct recorder *recorder)
{
	struct daemon_client_opts want = {
		.since_ns = o->since_ns ? observer_mono(o->since_ns) : ~0ULL,
		/* The live view begins with the present: it has no use for old frames. */
		.each = o->since_ns && past != PAST_EVENTS,
		.fresh = recorder && !o->since_ns,
		.calls = o->attach.calls,
		.silence_ns = DAEMON_SILENCE_NS,
		.has_screen = past == PAST_EVENTS,
	};
	struct observer present;
	enum status status;
	bool again = false, lost = false;

	if (past == PAST_EVENTS)
		want.since_ns = 0;
	do {
		struct source source;

		status = observer_open(&present, o, &want, again);
		if (status != STATUS_OK)
			return status;
		source = present.source;
		if (recorder)
			source = recorder_source(recorder, &source);
		status = view(o, &source);
		again = observer_left(&present);
		lost |= observer_lost(&present);
		if (status == STATUS_OK)
			status = observer_fault(&present, o);
		if (want.each && observer_reached(&present))
			want.since_ns = observer_reached(&present) + 1; /* none twice */
		observer_close(&present);
	} while (again && status == STATUS_OK && !stop_asked);
	if (status == STATUS_OK && o->strict && lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}
