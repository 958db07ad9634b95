// SPDX-License-Identifier: GPL-2.0-only
/* The replay command: the same views, on a recording. */
#include <string.h>
#include "command/cmd_replay.h"
#include "source/player.h"
#include "view/view_batch.h"
#include "view/view_events.h"
#include "view/view_top.h"

enum status cmd_replay(const struct opts *o)
{
	const char *file = o->rest[1], *what = file ? o->rest[2] : NULL;
	struct recording *recording;
	struct player player;
	struct source source;
	enum status status;

	if (!file)
		return fail(STATUS_USAGE, "cannot replay: no FILE was given");
	if (what && strcmp(what, "events") != 0)
		return fail(STATUS_USAGE, "cannot replay '%s' of a recording: only 'events'", what);
	status = recording_open(&recording, file);
	if (status != STATUS_OK)
		return status;
	source = recording_source(recording);
	if (what) {
		status = view_events(o, &source);
	} else if (view_batch_wanted(o)) {
		status = view_batch(o, &source);
	} else {
		player_init(&player, recording, o->speed);
		source = player_source(&player);
		status = view_top(o, &source);
	}
	if (status == STATUS_OK && o->strict)
		status = recording_strict(recording);
	recording_close(recording);
	return status;
}
