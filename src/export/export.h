/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A source written down for other programs: as JSON lines, as CSV, or as a timeline
 * for Perfetto. It is written as it is read: what is kept does not grow with it.
 */
#ifndef OPTEE_TOP_EXPORT_H
#define OPTEE_TOP_EXPORT_H

#include "export/export_format.h"

/* The one that o asks for; NULL: it has said in one line what is wrong with it. */
const struct export_format *export_format(const struct opts *o);

/*
 * Writes the source down until its end. What it says in one line: that memory is
 * out, that it was told to stop, or that calls were lost when it was recorded, which
 * is STATUS_INCOMPLETE under --strict. Whether all was written is for who owns out.
 */
enum status export_run(const struct opts *o, const struct export_format *format,
		       const struct source *source, FILE *out);

#endif
