/* SPDX-License-Identifier: GPL-2.0-only */
/* The judges: each looks at what was seen and says what it found. */
#ifndef OPTEE_TOP_JUDGE_H
#define OPTEE_TOP_JUDGE_H

#include "rules.h"

typedef void judge_fn(const struct rule *r, const struct seen *s, struct finding *f);

judge_fn judge_condition;                                        /* src/judge_condition.c */
judge_fn judge_losses, judge_count_leak, judge_reservation_leak; /* src/judge_driver.c */
judge_fn judge_wait_p99, judge_wait_longest, judge_calls_at_least, judge_failed_calls,
	judge_command; /* src/judge_calls.c */

#endif
