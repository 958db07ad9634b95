// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watches the programs of one attached policy, from outside: at the begin of a callback
 * keeps what it was shown, at its end sends that and what it did. Each policy has its own
 * copy of these programs (witness.c); the maps are common to all.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "witness.h"

char LICENSE[] SEC("license") = "GPL";

const volatile char policy[OPTEE_ADM_NAME];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring SEC(".maps");

/* Callbacks are under a mutex for each device, so those of two may run at once. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u64);
	__type(value, struct optee_adm_call);
} begun SEC(".maps");

/* Callbacks of which no record came into the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

static void count_lost(void)
{
	u64 *count = bpf_map_lookup_elem(&lost, &(u32){ 0 });

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* A struct_ops program's own argument is an array of the callback's arguments. */
static const void *shown(void *ctx)
{
	u64 arguments = 0, call = 0;

	bpf_get_func_arg(ctx, 0, &arguments);
	bpf_probe_read_kernel(&call, sizeof(call), (const void *)arguments);
	return (const void *)call;
}

static int begin(void *ctx)
{
	struct optee_adm_call before = {};
	u64 task = bpf_get_current_pid_tgid();

	if (bpf_probe_read_kernel(&before, sizeof(before), shown(ctx)) ||
	    bpf_map_update_elem(&begun, &task, &before, BPF_ANY))
		count_lost();
	return 0;
}

static u64 answer(void *ctx, enum callback callback)
{
	u64 value = 0;

	if (callback == CALLBACK_ENTER || callback == CALLBACK_LEAVE)
		return 0;
	bpf_get_func_ret(ctx, &value);
	return callback == CALLBACK_RANK ? value : (u64)(s32)value;
}

static int end(void *ctx, enum callback callback)
{
	u64 task = bpf_get_current_pid_tgid();
	struct optee_adm_call *before = bpf_map_lookup_elem(&begun, &task);
	struct witnessed *record = NULL;

	if (before)
		record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record) {
		count_lost();
		return 0;
	}
	for (int i = 0; i < OPTEE_ADM_NAME; i++)
		record->policy[i] = policy[i];
	record->callback = callback;
	record->reserved_zero = 0;
	record->answer = answer(ctx, callback);
	__builtin_memcpy(&record->before, before, sizeof(*before));
	bpf_map_delete_elem(&begun, &task);
	if (bpf_probe_read_kernel(record->after, sizeof(record->after),
				  shown(ctx) + WRITABLE_FROM)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		count_lost();
		return 0;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

#define WITNESS(name, callback)                                                                    \
	SEC("?fentry")                                                                             \
	int begin_##name(void *ctx)                                                                \
	{                                                                                          \
		return begin(ctx);                                                                 \
	}                                                                                          \
	SEC("?fexit")                                                                              \
	int end_##name(void *ctx)                                                                  \
	{                                                                                          \
		return end(ctx, callback);                                                         \
	}

WITNESS(reserve, CALLBACK_RESERVE)
WITNESS(admit, CALLBACK_ADMIT)
WITNESS(rank, CALLBACK_RANK)
WITNESS(enter, CALLBACK_ENTER)
WITNESS(leave, CALLBACK_LEAVE)
