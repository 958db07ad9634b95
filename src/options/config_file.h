/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's file of options. */
#ifndef OPTEE_TOP_CONFIG_FILE_H
#define OPTEE_TOP_CONFIG_FILE_H

#include "options/opts.h"

/*
 * Takes options from a file, one a line: a name as in the table, without dashes, and its
 * value; a # begins a comment. What was given on the command line stays. The text of file
 * is kept in *text, to be freed after o. STATUS_USAGE after saying what is wrong with which line.
 */
enum status config_file_read(struct opts *o, const char *file, char **text);

#endif
