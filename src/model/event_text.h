/* SPDX-License-Identifier: GPL-2.0-only */
/* An event in words. */
#ifndef OPTEE_TOP_EVENT_TEXT_H
#define OPTEE_TOP_EVENT_TEXT_H

#include <stddef.h>
#include "event.h"

#define EVENT_LINE   256
#define EVENT_REPORT (80 + 2 * EVENT_LINE)

/* Why: the figures that make the condition, as they were when it began. Returns buf. */
const char *event_why(const struct event *e, char *buf, size_t len);

/* A party of an event of cond: its task, and what that does. Returns buf. */
const char *event_party_text(enum condition cond, const struct event_party *p, char *buf,
			     size_t len);

/* Who: the parties that it is about, by task, and how many calls are left out. Returns buf. */
const char *event_who(const struct event *e, char *buf, size_t len);

/* The whole line: when, where, what, for how long, why and who. Returns buf. */
const char *event_report(const struct event *e, char *buf, size_t len);

/*
 * Line n of what there is to tell of how it came about: the wake that a call
 * swallowed, or who waits for whom. NULL: there is no such line.
 */
const char *event_chain(const struct event *e, u32 n, char *buf, size_t len);

/* Is its duration a lower bound? A waiter that slept already at attach has starved for longer. */
bool event_at_least(const struct event *e);

#endif
