/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a log has been exported: a file with the position of the last line, so that
 * the next export goes on behind it, whatever the clock did and however often the
 * files were rotated. Nothing comes twice, and what is missing is known.
 */
#ifndef OPTEE_TOP_LOG_CURSOR_H
#define OPTEE_TOP_LOG_CURSOR_H

#include "log/log_read.h"

/*
 * Opens the log behind the position in file, which becomes *at; at its beginning where
 * file is NULL or not there, or where the position no longer is in the log, which it
 * says. Says in one line what went wrong.
 */
enum status log_cursor_open(struct log_reader **r, const char *path, const char *file,
			    struct log_position *at);

enum status log_cursor_save(const char *file, const struct log_position *at);

#endif
