// SPDX-License-Identifier: GPL-2.0-only
/* The driver has a line a thing, `name value`, and for a queue `queue N name value`. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text_read.h"
#include "policy/policy_state_fields.h"

/* What the driver says of a queue's policy, of all calls and by class. */
static const struct policy_state_field policy_counts[] = {
	{ "reserve_yes", offsetof(struct pool_policy, reserve_yes), NULL },
	{ "reserve_no", offsetof(struct pool_policy, reserve_no), NULL },
};
static const struct policy_state_field class_counts[] = {
	{ "calls", offsetof(struct policy_counts, calls), NULL },
	{ "waited", offsetof(struct policy_counts, waited), NULL },
	{ "wait_ns", offsetof(struct policy_counts, wait_ns), NULL },
	{ "wait_max_ns", offsetof(struct policy_counts, wait_max_ns), NULL },
	{ "enter", offsetof(struct policy_counts, enter), NULL },
	{ "enter_reserved", offsetof(struct policy_counts, enter_reserved), NULL },
	{ "wait_kept", offsetof(struct policy_counts, wait_kept), NULL },
	{ "wait_rate", offsetof(struct policy_counts, wait_rate), NULL },
};

#define NR(table) (sizeof(table) / sizeof((table)[0]))

static void set_figure(void *of, const struct policy_state_field *figures, size_t nr,
		       const char *name, const char *value)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(figures[i].name, name))
			*(u64 *)((char *)of + figures[i].at) = strtoull(value, NULL, 10);
}

static void set_queue(struct policy_state *s, char *rest)
{
	static const char *const prefix[NR_CLASSES] = {
		[CLASS_NORMAL] = "norm_", [CLASS_SYSTEM] = "sys_"
	};
	struct policy_queue *queue;
	char *name, *value;
	u64 number = strtoull(rest, &name, 10);

	if (*name++ != ' ')
		return;
	if (number >= MAX_POOLS) {
		s->queues_left_out = number + 1 - MAX_POOLS;
		return;
	}
	value = name + strcspn(name, " ");
	if (*value)
		*value++ = '\0';
	queue = &s->queues[number];
	if (number >= s->nr_queues)
		s->nr_queues = (u32)number + 1;
	set_figure(queue, queue_figures, nr_queue_figures, name, value);
	set_figure(&queue->policy.of, policy_counts, NR(policy_counts), name, value);
	for (int class = 0; class < NR_CLASSES; class ++)
		if (!strncmp(name, prefix[class], strlen(prefix[class])))
			set_figure(&queue->policy.of.counts[class], class_counts, NR(class_counts),
				   name + strlen(prefix[class]), value);
}

/* Lines of one thing; len 0: a number. */
static const struct {
	const char *name;
	size_t at, len;
} things[] = {
	{ "policy", offsetof(struct policy_state, name), OPTEE_ADM_NAME },
	{ "off", offsetof(struct policy_state, off), 0 },
	{ "timeout_ms", offsetof(struct policy_state, timeout_ms), 0 },
	{ "attached", offsetof(struct policy_state, attached), 0 },
	{ "ejected", offsetof(struct policy_state, ejected), 0 },
	{ "last", offsetof(struct policy_state, last), OPTEE_ADM_NAME },
	{ "last_answer", offsetof(struct policy_state, last_answer), 0 },
	{ "last_call", offsetof(struct policy_state, last_call), 0 },
	{ "last_wait_ns", offsetof(struct policy_state, last_wait_ns), 0 },
};

static void set(struct policy_state *s, const char *name, char *value)
{
	char *end;

	for (size_t i = 0; i < NR(things); i++) {
		char *at = (char *)s + things[i].at;

		if (strcmp(things[i].name, name) != 0)
			continue;
		if (things[i].len)
			snprintf(at, things[i].len, "%s", strcmp(value, "-") ? value : "");
		else
			*(s64 *)at = strtoll(value, NULL, 10);
	}
	if (!strcmp(name, "queue"))
		set_queue(s, value);
	if (!strcmp(name, "last_reason")) {
		s->last_reason = strtoull(value, &end, 10);
		snprintf(s->last_reason_text, sizeof(s->last_reason_text), "%s",
			 end + (*end == ' '));
	}
}

void policy_state_parse(struct policy_state *s, char *text)
{
	char *line, *next, *value;

	*s = (struct policy_state){};
	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		value = line + strcspn(line, " ");
		if (*value)
			*value++ = '\0';
		set(s, line, value);
	}
	for (u32 i = 0; i < s->nr_queues; i++)
		snprintf(s->queues[i].policy.of.name, POLICY_NAME, "%s",
			 s->name[0] ? s->name : s->last);
}

int policy_state_read(struct policy_state *s)
{
	size_t nul_line;
	char *text;
	int err = text_read(POLICY_STATE, TEXT_FILE, &text, &nul_line);

	*s = (struct policy_state){};
	if (!err && !*text)
		err = -ENODATA;
	if (!err)
		policy_state_parse(s, text);
	free(text);
	return err;
}

const char *policy_last_why(const struct policy_state *s, char *text, size_t len)
{
	char answer[32] = "", call[64] = "", waited[64] = "";

	if (s->last_answer)
		snprintf(answer, sizeof(answer), ", answer %lld", (long long)s->last_answer);
	if (s->last_call)
		snprintf(call, sizeof(call), ", call %llu", (unsigned long long)s->last_call);
	if (s->last_wait_ns)
		snprintf(waited, sizeof(waited), ", waited %llu ms",
			 (unsigned long long)(s->last_wait_ns / 1000000));
	snprintf(text, len, "%s%s%s%s", s->last_reason_text, answer, call, waited);
	return text;
}
