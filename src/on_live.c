// SPDX-License-Identifier: GPL-2.0-only
/* Attaches, shows, detaches; as often as the driver comes. */
#include "live.h"
#include "on_live.h"
#include "stop.h"

enum status on_live(const struct opts *o, view_fn view, struct recorder *recorder)
{
	enum status status;
	struct live live;

	do {
		struct source source = live_source(&live);

		status = live_start(&live, o);
		if (status != STATUS_OK)
			return status;
		if (recorder)
			source = recorder_source(recorder, &source);
		status = view(o, &source);
		live_stop(&live);
	} while (live.driver_left && !stop_asked);
	if (status == STATUS_OK && o->strict && live.lost)
		return fail(STATUS_INCOMPLETE, "some calls were not seen: see the losses");
	return status;
}
