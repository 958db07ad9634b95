// SPDX-License-Identifier: GPL-2.0-only
/* The record command: a recorder between the running kernel and a view that tells how far it is. */
#include <string.h>
#include <unistd.h>
#include "command/cmd_record.h"
#include "source/run_live.h"
#include "view/view_batch.h"
#include "view/view_record.h"

enum status cmd_record(const struct opts *o)
{
	const char *file = o->rest[1];
	bool frames = o->batch || o->json;
	struct opts with = *o;
	struct recorder *recorder;
	enum status status, written;

	if (!file)
		return fail(STATUS_USAGE, "cannot record: no FILE was given");
	if (!strcmp(file, "-") && (frames || isatty(STDOUT_FILENO)))
		return fail(STATUS_USAGE, "cannot record to standard output: %s",
			    frames ? "the frames go there" : "it is a terminal; give a FILE");
	with.attach.calls = true;
	status = recorder_open(&recorder, file, o->compress);
	if (status != STATUS_OK)
		return status;
	status = run_live(&with, frames ? view_batch : view_record, PAST_NONE, recorder);
	written = recorder_close(recorder);
	return written == STATUS_OK ? status : written;
}
