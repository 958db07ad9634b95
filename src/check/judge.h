/* SPDX-License-Identifier: GPL-2.0-only */
/* The judges: each looks at what was seen and says what it found. */
#ifndef OPTEE_TOP_JUDGE_H
#define OPTEE_TOP_JUDGE_H

#include "check/rules.h"

/* Why no pool tells anything. */
#define NO_TEE_SEEN "no TEE was in use, so nothing was seen"

judge_fn judge_condition; /* src/check/judge_condition.c */
judge_fn judge_losses, judge_count_leak, judge_reservation_leak,
	judge_ejection; /* src/check/judge_driver.c */
judge_fn judge_wait_p99, judge_wait_longest, judge_calls_at_least, judge_failed_calls,
	judge_command;       /* src/check/judge_calls.c */
judge_fn judge_scmi_longest; /* src/check/judge_scmi.c */

#endif
