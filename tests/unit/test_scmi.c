// SPDX-License-Identifier: GPL-2.0-only
/* SCMI's transfers: which call was one's, what it took, and whose channel and protocol that is. */
#include <stdlib.h>
#include "unit.h"
#include "fixtures/bpf_native.h"
#include "model/scmi_names.h"

enum { T, OTHER, TASKS = 12 };
enum { CLOCK = 0x14, RESET = 0x16, RATE_SET = 5, RATE_GET = 6 };

static const struct tee_desc desc = { "optee-clnt" };
static struct optee optee;
static struct tee_device teedev = { .desc = &desc, .dev = { &optee } };
static struct tee_context context = { .teedev = &teedev };
static struct task_struct tasks[TASKS];
static struct optee_call_waiter waiter;
static struct pta_scmi_msg clock_msg, reset_msg, user_msg;

static struct pta_scmi_msg msg_of(u32 session, u32 channel)
{
	return (struct pta_scmi_msg){
		.head = { .cmd = CMD_INVOKE,
			  .func = PTA_SCMI_MSG_CHANNEL,
			  .session = session,
			  .num_params = 3 },
		.attr = OPTEE_MSG_ATTR_VALUE_INPUT,
		.channel = channel,
	};
}

static int start(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	memset(native_transfers, 0, sizeof(native_transfers));
	record_calls = false;
	ring_nr = 0;
	if (!ring)
		ring = calloc(RING_ROOM, sizeof(*ring));
	optee = (struct optee){ .call_queue = { .total_thread_count = 2, .free_thread_count = 2 },
				.rpc_param_count = 1 };
	optee.call_queue.waiters = (struct list_head){ &optee.call_queue.waiters,
						       &optee.call_queue.waiters };
	for (int i = 0; i < TASKS; i++)
		tasks[i] = (struct task_struct){ .pid = 100 + i,
						 .tgid = 100 + i,
						 .group_leader = &tasks[i] };
	clock_msg = msg_of(3, 1);
	reset_msg = msg_of(4, 2);
	user_msg = msg_of(9, 77);
	current_ns = 1000000;
	pool_find((u64)&teedev);
	return 0;
}

static void at(int task, u64 ns)
{
	current_task = &tasks[task];
	current_ns = ns;
}

static void enter(struct pta_scmi_msg *msg, enum call_class class, u64 ns)
{
	current_ns = ns;
	call_begin(&context, (u64)&teedev, (u64)msg, class);
	call_enter(enter_ctx);
}

static void leave(u64 a0, u64 ns)
{
	struct arm_smccc_res res = { .a0 = a0 };

	current_ns = ns;
	call_exit(a0, &res);
}

/* Enters the secure world, and is back for good 100 ns later. */
static void call(struct pta_scmi_msg *msg, enum call_class class, u64 ns)
{
	enter(msg, class, ns);
	leave(0, ns + 100);
	call_end(current_ns);
}

/* 10 ns before its call, 100 in it, 10 after it. */
static void transfer(int task, struct pta_scmi_msg *msg, u8 protocol, u8 message, u64 ns)
{
	at(task, ns);
	scmi_begins();
	call(msg, CLASS_SYSTEM, ns + 10);
	at(task, ns + 120);
	scmi_ends(protocol, message, 0);
}

static const struct scmi_sums *sums(int i)
{
	return &shared.pools[0].scmi[i];
}

static const struct session *row(u32 session)
{
	return &session_rows[session_find(0, session)];
}

UNIT_TEST_SETUP(transfers_are_counted_by_message, start)
{
	transfer(T, &clock_msg, CLOCK, RATE_SET, 2000);
	transfer(T, &clock_msg, CLOCK, RATE_GET, 3000);
	transfer(T, &clock_msg, CLOCK, RATE_SET, 4000);
	transfer(OTHER, &reset_msg, RESET, 4, 5000);
	assert_int_equal(sums(0)->key, SCMI_KEY(CLOCK, RATE_SET));
	assert_int_equal(sums(0)->count, 2);
	assert_int_equal(sums(0)->ns, 240);
	assert_int_equal(sums(0)->max_ns, 120);
	assert_int_equal(sums(1)->count, 1);
	assert_int_equal(sums(2)->key, SCMI_KEY(RESET, 4));
	assert_int_equal(sums(3)->key, 0);
	assert_int_equal(row(3)->scmi_protocols, SCMI_PROTOCOL_BIT(CLOCK));
	assert_int_equal(row(3)->scmi_channel, 1 + 1);
	assert_int_equal(row(4)->scmi_protocols, SCMI_PROTOCOL_BIT(RESET));
	assert_int_equal(row(4)->scmi_channel, 2 + 1);
}

UNIT_TEST_SETUP(a_channel_has_several_protocols, start)
{
	transfer(T, &clock_msg, CLOCK, RATE_SET, 2000);
	transfer(T, &clock_msg, RESET, 4, 3000);
	transfer(T, &clock_msg, 0x82, 4, 4000); /* a vendor's */
	assert_int_equal(row(3)->scmi_protocols, SCMI_PROTOCOL_BIT(CLOCK) |
							 SCMI_PROTOCOL_BIT(RESET) |
							 1U << SCMI_BIT_OTHER);
}

UNIT_TEST_SETUP(another_transport_counts_nowhere, start)
{
	call(&user_msg, CLASS_NORMAL, 1500); /* the task's former call is none of the transfer's */
	at(T, 2000);
	scmi_begins();
	at(T, 2500);
	scmi_ends(CLOCK, RATE_SET, 0);
	assert_int_equal(sums(0)->key, 0);
	assert_int_equal(row(9)->scmi_protocols, 0);
}

UNIT_TEST_SETUP(a_failed_one_and_its_wait, start)
{
	at(T, 2000);
	scmi_begins();
	current_ns = 2010;
	call_begin(&context, (u64)&teedev, (u64)&clock_msg, CLASS_SYSTEM);
	call_wait((u64)&waiter);
	current_ns = 2510;
	call_enter(enter_ctx);
	leave(0, 2600);
	call_end(current_ns);
	at(T, 2610);
	scmi_ends(CLOCK, RATE_SET, -5);
	assert_int_equal(sums(0)->failed, 1);
	assert_int_equal(sums(0)->ns, 610);
	assert_int_equal(sums(0)->wait_ns, 500);
}

/* In an RPC of a client's call: that one's slot is the task's when the transfer ends. */
UNIT_TEST_SETUP(a_nested_call_is_found, start)
{
	at(T, 2000);
	enter(&user_msg, CLASS_NORMAL, 2000);
	leave(RPC_PREFIX | OPTEE_SMC_RPC_FREE, 2100);
	transfer(T, &clock_msg, CLOCK, RATE_SET, 2200);
	assert_int_equal(sums(0)->count, 1);
	assert_int_equal(sums(0)->ns, 120);
	assert_int_equal(row(3)->scmi_channel, 1 + 1);
	assert_int_equal(row(9)->scmi_protocols, 0);
}

UNIT_TEST_SETUP(a_message_that_is_gone_tells_no_channel, start)
{
	at(T, 2000);
	scmi_begins();
	call(&clock_msg, CLASS_SYSTEM, 2010);
	clock_msg = msg_of(9, 55); /* another call has its memory */
	at(T, 2120);
	scmi_ends(CLOCK, RATE_SET, 0);
	assert_int_equal(sums(0)->count, 1);
	assert_int_equal(row(3)->scmi_protocols, SCMI_PROTOCOL_BIT(CLOCK));
	assert_int_equal(row(3)->scmi_channel, 0);
}

UNIT_TEST_SETUP(what_finds_no_room_is_counted, start)
{
	for (int i = 0; i < MAX_SCMI + 3; i++)
		transfer(T, &clock_msg, CLOCK, (u8)i, 2000 + 1000 * (u64)i);
	assert_int_equal(sums(MAX_SCMI - 2)->key, SCMI_KEY(CLOCK, MAX_SCMI - 2));
	assert_int_equal(sums(MAX_SCMI - 1)->key, SCMI_KEY_OTHER);
	assert_int_equal(sums(MAX_SCMI - 1)->count, 4);
	for (int i = 0; i <= NATIVE_TRANSFERS; i++) {
		at(i, 100000);
		scmi_begins();
	}
	assert_int_equal(shared.loss[LOSS_SCMI], 1);
}

UNIT_TEST(names_of_protocols_and_messages)
{
	char text[72];

	assert_string_equal(scmi_message_name(CLOCK, RATE_SET), "rate_set");
	assert_string_equal(scmi_message_name(RESET, 4), "reset");
	assert_string_equal(scmi_message_name(0x99, 1), "protocol_attributes");
	assert_null(scmi_message_name(CLOCK, 0x40));
	assert_null(scmi_protocol_name(0x82));
	assert_string_equal(scmi_protocols_text(SCMI_PROTOCOL_BIT(0x10) | SCMI_PROTOCOL_BIT(CLOCK) |
							SCMI_PROTOCOL_BIT(0x1e) |
							SCMI_PROTOCOL_BIT(0x82),
						text, sizeof(text)),
			    "base,clock,0x1e,other");
}
