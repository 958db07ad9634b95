// SPDX-License-Identifier: GPL-2.0-only
/*
 * The number of the file spares reading older ones; that it is right is known by the
 * attach and the number of the line, which are what counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/out_file.h"
#include "base/text_read.h"
#include "log/log_cursor.h"
#include "render/json.h"

enum status log_cursor_save(const char *file, const struct log_position *at)
{
	struct out_file out;
	enum status status;
	json_t *o;

	if (!at->seq)
		return STATUS_OK; /* there was no line, and no position before */
	status = out_file_open(&out, file);
	if (status != STATUS_OK)
		return status;
	o = json_pack("{s:s,s:s,s:I,s:I,s:I}", "schema", JSON_SCHEMA, "boot_id", at->boot_id,
		      "epoch", (json_int_t)at->epoch, "seq", (json_int_t)at->seq, "file",
		      (json_int_t)at->file);
	if (o)
		json_dumpf(o, out.stream, JSON_LINE);
	fputc('\n', out.stream);
	json_decref(o);
	return out_file_close(&out, o);
}

static enum status load(const char *file, struct log_position *at)
{
	json_int_t epoch, seq, number;
	const char *boot_id;
	size_t nul_line;
	json_t *o = NULL;
	char *text;
	int err = text_read(file, TEXT_FILE, &text, &nul_line);
	bool good;

	if (err == -ENOENT)
		return STATUS_OK;
	if (err && !nul_line)
		return fail(STATUS_FAILURE, "cannot read '--cursor %s': %s", file,
			    text_read_why(err));
	if (!err)
		o = json_loads(text, 0, NULL);
	free(text);
	good = o &&
	       !json_unpack(o, "{s:s,s:I,s:I,s:I}", "boot_id", &boot_id, "epoch", &epoch, "seq",
			    &seq, "file", &number) &&
	       strlen(boot_id) < sizeof(at->boot_id) && seq > 0 && number >= 0;
	if (good) {
		strcpy(at->boot_id, boot_id);
		at->epoch = (u64)epoch;
		at->seq = (u64)seq;
		at->file = (u32)number;
	}
	json_decref(o);
	return good ? STATUS_OK :
		      fail(STATUS_FAILURE,
			   "cannot use '--cursor %s': it does not hold the position of an export",
			   file);
}

/* What a look for the line behind a position has found. */
enum found { FOUND, FOUND_NONE /* there is none yet */, FOUND_NOT /* nor the position */ };

/*
 * Behind it is a line of the same attach with a higher number, or one of the next
 * attach. The reader is left so that it gives that line.
 */
static enum found seek(struct log_reader *r, const struct log_position *at)
{
	bool seen = false;
	struct log_entry e;

	while (log_reader_next(r, &e)) {
		bool same = e.at.epoch == at->epoch && !strcmp(e.at.boot_id, at->boot_id);

		if (same ? e.at.seq > at->seq : seen) {
			log_reader_again(r, same ? at : &e.at);
			return FOUND;
		}
		seen |= same;
	}
	log_reader_again(r, at); /* what was wrong before the position is past */
	return seen ? FOUND_NONE : FOUND_NOT;
}

/* Behind the position, as far as it is found. */
static enum status open_behind(struct log_reader **r, const char *path,
			       const struct log_position *at, u32 from, enum found *found)
{
	enum status status = log_reader_open(r, path, from);

	if (status != STATUS_OK)
		return status;
	*found = seek(*r, at);
	if (*found == FOUND_NOT)
		log_reader_close(*r);
	return STATUS_OK;
}

enum status log_cursor_open(struct log_reader **r, const char *path, const char *file,
			    struct log_position *at)
{
	enum status status = file ? load(file, at) : STATUS_OK;
	enum found found = FOUND_NOT;

	if (status != STATUS_OK)
		return status;
	if (!at->seq)
		return log_reader_open(r, path, 0);
	status = open_behind(r, path, at, at->file, &found);
	if (status == STATUS_OK && found == FOUND_NOT)
		status = open_behind(r, path, at, 0, &found);
	if (status != STATUS_OK || found != FOUND_NOT)
		return status;
	say("the position in '%s' is no longer in '%s': everything there is exported", file, path);
	return log_reader_open(r, path, 0);
}
