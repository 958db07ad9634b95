// SPDX-License-Identifier: GPL-2.0-only
/* The export command: from a recording, or a log (src/log/log_export.c), to a file. */
#include <unistd.h>
#include "base/out_file.h"
#include "base/stop.h"
#include "command/cmd_export.h"
#include "export/export.h"
#include "log/log_export.h"
#include "source/recording.h"

/* To a file that is there only when all of it is; what is missing of the input is said. */
static enum status export_to(const struct opts *o, const struct export_format *format,
			     struct recording *recording)
{
	const struct source source = recording_source(recording);
	enum status status, written;
	struct out_file out;

	status = out_file_open(&out, o->output);
	if (status != STATUS_OK)
		return status;
	if (format->binary && isatty(out.fd)) {
		out_file_close(&out, false);
		return fail(STATUS_USAGE, "cannot export %s to a terminal; give --output OUT",
			    format->name);
	}
	stop_catch();
	status = export_run(o, format, &source, out.stream);
	written = out_file_close(&out, status != STATUS_FAILURE);
	return written == STATUS_OK ? status : written;
}

static enum status export_recording(const struct opts *o, const char *file)
{
	const struct export_format *format = export_format(o);
	struct recording *recording;
	enum status status;

	if (!format)
		return STATUS_USAGE;
	if (o->cursor)
		return fail(STATUS_USAGE, "'--cursor' is for a log; '%s' is not one", file);
	status = recording_open(&recording, file);
	if (status != STATUS_OK)
		return status;
	status = export_to(o, format, recording);
	if (status == STATUS_OK && o->strict)
		status = recording_strict(recording);
	recording_close(recording);
	return status;
}

enum status cmd_export(const struct opts *o)
{
	const char *file = o->rest[1];

	if (!file)
		return fail(STATUS_USAGE, "cannot export: no FILE was given");
	if (out_file_is(o->output, file))
		return fail(STATUS_USAGE,
			    "cannot export '%s' to itself; give --output another file", file);
	return log_is(file) ? log_export(o, file) : export_recording(o, file);
}
