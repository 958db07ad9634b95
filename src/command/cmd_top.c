// SPDX-License-Identifier: GPL-2.0-only
#include "command/cmd_top.h"
#include "source/run_live.h"
#include "view/view_batch.h"
#include "view/view_top.h"

enum status cmd_top(const struct opts *o)
{
	bool batch = view_batch_wanted(o);

	return run_live(o, batch ? view_batch : view_top, batch ? PAST_NONE : PAST_EVENTS, NULL);
}
