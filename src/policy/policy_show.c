// SPDX-License-Identifier: GPL-2.0-only
/* 'policy show': what is attached and what it did, in words or as JSON. */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "model/fields.h"
#include "policy/policy_show.h"
#include "policy/policy_state_fields.h"
#include "render/json.h"

static const char *const columns[] = { "calls",     "waited",    "enter", "enter_reserved",
				       "wait_kept", "wait_rate", "wait",  "wait_longest" };

#define NR_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct policy_field *find_field(const char *name)
{
	size_t i = 0;

	while (strcmp(policy_fields[i].name, name) != 0)
		i++;
	return &policy_fields[i];
}

static void print_class(const struct policy_queue *q, enum call_class class)
{
	bool system = class == CLASS_SYSTEM;
	/* A call of a system session may be on either account. */
	u64 in_flight = system ? q->sys_in_flight :
				 q->norm_in_flight + q->resv_in_flight - q->sys_in_flight;
	char text[80];

	printf("%-7s", class_name(class));
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		const struct policy_field *f = find_field(columns[i]);
		struct value v = f->get(&q->policy, class);

		printf(" %*s", (int)strlen(f->name) > 8 ? (int)strlen(f->name) : 8,
		       value_format(&v, f->unit, text, sizeof(text)));
	}
	printf(" %9llu %7llu\n", (unsigned long long)in_flight,
	       (unsigned long long)(system ? q->sys_waiting : q->norm_waiting));
}

static void print_queue(const struct policy_state *s, u32 number, u64 now_ns)
{
	const struct policy_queue *q = &s->queues[number];
	char text[16];

	printf("\nqueue %u: ", number);
	if (q->total)
		printf("%llu threads, %llu free", (unsigned long long)q->total,
		       (unsigned long long)q->free);
	else
		printf("threads are not counted");
	printf("; %llu sessions hold a reservation\n", (unsigned long long)q->reserved);
	if (q->torn)
		printf("the queue's lock stayed busy: these figures were read without it and may not agree\n");
	if (!q->policy.of.name[0])
		return;
	printf("decided by %s", q->policy.of.name);
	if (s->name[0] && q->since_ns && q->since_ns <= now_ns)
		printf(" in %s", format_ns(now_ns - q->since_ns, text, sizeof(text)));
	printf("; reservations: %llu granted, %llu refused\n%-7s",
	       (unsigned long long)q->policy.of.reserve_yes,
	       (unsigned long long)q->policy.of.reserve_no, "");
	for (size_t i = 0; i < NR_COLUMNS; i++)
		printf(" %8s", columns[i]);
	printf(" in_flight waiting\n");
	for (int class = 0; class < NR_CLASSES; class ++)
		print_class(q, class);
}

void policy_show_text(const struct policy_state *s, u64 now_ns)
{
	char why[160];

	if (s->name[0])
		printf("policy %s, watchdog %llu ms\n", s->name, (unsigned long long)s->timeout_ms);
	else
		printf("no policy attached%s\n", s->off ? ", and admission_off is set" : "");
	if (s->last[0])
		printf("before %s: %s\n", s->last, policy_last_why(s, why, sizeof(why)));
	printf("since the driver was loaded %llu attached, %llu ejected\n",
	       (unsigned long long)s->attached, (unsigned long long)s->ejected);
	for (u32 i = 0; i < s->nr_queues; i++)
		print_queue(s, i, now_ns);
	if (s->queues_left_out)
		printf("\n%llu queues more\n", (unsigned long long)s->queues_left_out);
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *integer(u64 n)
{
	return json_integer((json_int_t)n);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *queue_json(const struct policy_queue *q)
{
	json_t *o = json_object(), *policies = json_array();

	for (size_t i = 0; i < nr_queue_figures; i++)
		set(o, queue_figures[i].name,
		    integer(*(const u64 *)((const char *)q + queue_figures[i].at)));
	if (!q->total) {
		set(o, "total", json_null());
		set(o, "free", json_null());
	}
	if (!q->since_ns)
		set(o, "since_ns", json_null());
	for (int class = 0; q->policy.of.name[0] && class < NR_CLASSES; class ++)
		json_array_append_new(policies, policy_json(&q->policy, class));
	set(o, "policies", policies);
	return o;
}

static json_t *last_json(const struct policy_state *s)
{
	json_t *o;

	if (!s->last[0])
		return json_null();
	o = json_object();
	set(o, "policy", json_string(s->last));
	set(o, "reason", integer(s->last_reason));
	set(o, "reason_text", json_string(s->last_reason_text));
	set(o, "answer", s->last_answer ? json_integer(s->last_answer) : json_null());
	set(o, "call", s->last_call ? integer(s->last_call) : json_null());
	set(o, "wait_ns", s->last_wait_ns ? integer(s->last_wait_ns) : json_null());
	return o;
}

json_t *policy_show_json(const struct host *host, const struct policy_state *s, u64 now_ns,
			 u64 real_ns)
{
	json_t *o = line_json(host, real_ns, "policy"), *queues = json_array();

	set(o, "mono_ns", integer(now_ns));
	set(o, "policy", text_or_null(s->name));
	set(o, "off", json_boolean(s->off));
	set(o, "timeout_ms", s->name[0] ? integer(s->timeout_ms) : json_null());
	set(o, "attached", integer(s->attached));
	set(o, "ejected", integer(s->ejected));
	set(o, "last", last_json(s));
	for (u32 i = 0; i < s->nr_queues; i++)
		json_array_append_new(queues, queue_json(&s->queues[i]));
	set(o, "queues", queues);
	set(o, "queues_left_out", integer(s->queues_left_out));
	return o;
}
