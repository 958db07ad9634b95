// SPDX-License-Identifier: GPL-2.0-only
/* What 'policy show' has beside the fields of a policy. */
#include "policy_figures.h"

#define QUEUE(member) #member, offsetof(struct policy_queue, member)

const struct policy_figure queue_figures[] = {
	{ QUEUE(total), "threads of the TEE; null: the driver does not count them" },
	{ QUEUE(free), "of those that no call holds; null as total" },
	{ QUEUE(reserved), "sessions that hold a reservation" },
	{ QUEUE(norm_in_flight), "calls that hold a thread and are charged to the normal account" },
	{ QUEUE(resv_in_flight), "those that are charged to the reserved one" },
	{ QUEUE(sys_in_flight), "those of either whose session holds a reservation" },
	{ QUEUE(norm_waiting), "normal calls that wait" },
	{ QUEUE(sys_waiting), "system calls that wait" },
	{ QUEUE(passes), "passes through the queue" },
	{ QUEUE(busy), "calls that were let in, and OP-TEE had no thread" },
	{ QUEUE(since_ns), "CLOCK_MONOTONIC, since when it counts; null: not known" },
	{ QUEUE(torn),
	  "1: the queue's lock stayed busy: its figures were read without it and may not agree" },
};

const size_t nr_queue_figures = sizeof(queue_figures) / sizeof(queue_figures[0]);

const struct key_help policy_keys[] = {
	{ "mono_ns", "CLOCK_MONOTONIC, when the driver was asked" },
	{ "policy", "the policy that is attached; null: none" },
	{ "off", "true: admission_off is set, and the driver takes none" },
	{ "timeout_ms", "of its watchdog; null: none is attached" },
	{ "attached", "policies that were attached since the driver was loaded" },
	{ "ejected", "of those, that the driver left by itself" },
	{ "last", "an object: the policy before it; null: there was none" },
	{ "queues",
	  "an array of objects, of each device one: the figures below, and policies, an array of two objects: of normal and of system calls the fields of a policy, of the one that is attached, or else of the last" },
	{ "queues_left_out", "queues for which there was no room" },
	{}
};

const struct key_help policy_last_keys[] = {
	{ "policy", "its name" },
	{ "reason", "why it was left: a number of enum optee_adm_reason" },
	{ "reason_text", "the same in words" },
	{ "answer", "what it answered, where that was the reason" },
	{ "call", "the arrival number of the call, where one was the reason" },
	{ "wait_ns", "how long that had waited, where that was the reason" },
	{}
};
