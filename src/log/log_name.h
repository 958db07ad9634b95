/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of log files. One that is written is NAME.EXT; rotated it is
 * NAME.NUMBER.EXT, deflated NAME.NUMBER.EXT.gz, and .part behind that while it is
 * being made. Numbers only grow: in the order of names, NAME.EXT the last, is the
 * order in which they were written, whatever the clock said.
 */
#ifndef OPTEE_TOP_LOG_NAME_H
#define OPTEE_TOP_LOG_NAME_H

#include <stdbool.h>
#include "abi.h"

#define LOG_NAME_LEN 64

enum log_names {
	LOG_NAME_JSONL,
	LOG_NAME_POOLS,
	LOG_NAME_TAS,
	LOG_NAME_SESSIONS,
	LOG_NAME_EVENTS,
	LOG_NAME_LOSSES,
	LOG_NAME_GAPS,
	NR_LOG_NAMES
};

extern const char *const log_names[NR_LOG_NAMES];

struct log_part {
	enum log_names name;
	u32 number; /* 0: the one that is written */
	bool deflated;
	bool partial;
};

/* Takes a file's name apart; false: it is none of ours. */
bool log_name_parse(const char *file, struct log_part *part);

/* Returns buf. */
const char *log_name_make(const struct log_part *part, char buf[LOG_NAME_LEN]);

#endif
