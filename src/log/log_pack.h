/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deflates rotated files, a piece at a time: a rotation holds nobody up, and it takes
 * 80 KB of memory while there is something to do. A file that is deflated has the name
 * of one only once it is whole and on the disk.
 */
#ifndef OPTEE_TOP_LOG_PACK_H
#define OPTEE_TOP_LOG_PACK_H

#include "log/log_dir.h"

#define LOG_PACK_PIECE 16384 /* bytes of a log file that are read a step */
#define LOG_PACK_PAUSE 60    /* steps, after one that failed */

struct packing;

struct log_pack {
	struct log_dir *dir;
	struct packing *now; /* NULL: nothing is being deflated */
	u32 pause;           /* steps to be left out */
	u64 packed;          /* files */
};

void log_pack_init(struct log_pack *p, struct log_dir *d);

/* Takes the next step, if there is anything to do. What fails is tried again later. */
void log_pack_step(struct log_pack *p);

/* Leaves off; the next step begins again. To be called before the directory is closed. */
void log_pack_stop(struct log_pack *p);

#endif
