// SPDX-License-Identifier: GPL-2.0-only
#include "command/cmd_top.h"
#include "source/run_live.h"
#include "view/view_batch.h"
#include "view/view_top.h"

enum status top_run(const struct opts *o)
{
	bool batch = view_batch_wanted(o);

	return on_live(o, batch ? view_batch : view_top, batch ? PAST_NONE : PAST_EVENTS, NULL);
}
