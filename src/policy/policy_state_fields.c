// SPDX-License-Identifier: GPL-2.0-only
/* What 'policy show' has beside the fields of a policy. */
#include "policy/policy_state_fields.h"

#define QUEUE(member) #member, offsetof(struct policy_queue, member)

const struct policy_state_field queue_figures[] = {
	{ QUEUE(total), "threads of the TEE; null if the driver does not count them" },
	{ QUEUE(free), "of these, threads that no call holds; null like total" },
	{ QUEUE(reserved), "sessions that hold a reservation" },
	{ QUEUE(norm_in_flight), "calls that hold a thread and are charged to the normal account" },
	{ QUEUE(resv_in_flight),
	  "calls that hold a thread and are charged to the reserved account" },
	{ QUEUE(sys_in_flight), "of both, calls whose session holds a reservation" },
	{ QUEUE(norm_waiting), "normal calls waiting" },
	{ QUEUE(sys_waiting), "system calls waiting" },
	{ QUEUE(passes), "passes through the queue" },
	{ QUEUE(busy), "calls that were let in although OP-TEE had no thread" },
	{ QUEUE(since_ns), "CLOCK_MONOTONIC when counting started; null if unknown" },
	{ QUEUE(torn),
	  "1 if the queue's lock stayed busy, so its figures were read without it and may not agree" },
};

const size_t nr_queue_figures = sizeof(queue_figures) / sizeof(queue_figures[0]);

const struct key_help policy_keys[] = {
	{ "mono_ns", "CLOCK_MONOTONIC when the driver was asked" },
	{ "policy", "the attached policy; null if there is none" },
	{ "off", "true if admission_off is set, so the driver accepts no policy" },
	{ "timeout_ms", "timeout of its watchdog; null if no policy is attached" },
	{ "attached", "policies attached since the driver was loaded" },
	{ "ejected", "of these, policies that the driver ejected" },
	{ "last", "an object: the previous policy; null if there was none" },
	{ "queues",
	  "an array of objects, one per device: the figures below, and policies, an array of two objects with the fields of a policy, for normal and for system calls; they are those of the attached policy, or else of the last one" },
	{ "queues_left_out", "queues that had no room" },
	{}
};

const struct key_help policy_last_keys[] = {
	{ "policy", "its name" },
	{ "reason", "why it ended: a number of enum optee_adm_reason" },
	{ "reason_text", "the same in words" },
	{ "answer", "what it answered, if that was the reason" },
	{ "call", "the arrival number of the call, if a call was the reason" },
	{ "wait_ns", "how long that call had waited, if that was the reason" },
	{}
};
