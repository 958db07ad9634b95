/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who sleeps for a lock of OP-TEE: its thread waits in Linux until another one sends it a
 * notification. As calls go by, nothing is done for that: it is looked for while others wait
 * in the queue.
 */
#ifndef OPTEE_TOP_LOCK_BPF_H
#define OPTEE_TOP_LOCK_BPF_H

#define MAX_NOTIF_WAITS  4096 /* more than there are threads */
#define MAX_CACHED_ARGS  4096 /* with the pages that they are in */
#define MAX_ARG_PARAMS   6    /* the driver has room for so many in each */
#define MSG_SIZE(params) (sizeof(struct msg_head) + (params) * sizeof(struct msg_param))

/* The messages of all calls, one behind the other in each page. */
struct arg_search {
	struct walk walk;
	u64 at, end; /* of the page */
	u32 size, number;
	bool found, limited;
};

/* Not on the stack: 6.1 counts it into every call chain of inspect(), 512 bytes at most. */
static struct arg_search args_searched __attribute__((used));
static struct msg_notification notification_read __attribute__((used));

/* False: that was the last page. */
static __always_inline bool next_args(struct arg_search *search)
{
	struct optee_shm_arg_entry *entry;
	struct tee_shm *shm;

	if (walk_done(&search->walk))
		return false;
	entry = entry_of(search->walk.node, struct optee_shm_arg_entry, list_node);
	walk_on(&search->walk);
	shm = BPF_CORE_READ(entry, shm);
	search->at = (u64)BPF_CORE_READ(shm, kaddr);
	search->end = search->at + BPF_CORE_READ(shm, size);
	return true;
}

/* Is there a wait for this number? Sets limited, too. */
static __always_inline bool is_wait_for(u64 addr, u32 number, bool *limited)
{
	struct msg_notification *msg = &notification_read;

	if (bpf_probe_read_kernel(msg, sizeof(*msg), (void *)addr) ||
	    msg->head.cmd != OPTEE_RPC_CMD_NOTIFICATION ||
	    msg->what != OPTEE_RPC_NOTIFICATION_WAIT || msg->number != number)
		return false;
	*limited = msg->limit_ms;
	return true;
}

static long wait_found(u32 i, void *data)
{
	struct arg_search *search = &args_searched;
	u32 params = MAX_ARG_PARAMS + 1;
	bool limited = false;
	u64 at = search->at;

	if (at + search->size > search->end)
		return !next_args(search);
	search->at += search->size;
	bpf_probe_read_kernel(&params, sizeof(params), &((struct msg_head *)at)->num_params);
	if (params > MAX_ARG_PARAMS ||
	    !is_wait_for(at + MSG_SIZE(params), search->number, &limited))
		return 0;
	search->found = true;
	search->limited |= limited;
	return 0;
}

/*
 * Of a call from before we attached it is not known where its message is. But nobody else
 * waits for this number: it is its thread's own. What ended calls have left there may
 * have it, too: one with a limit is enough to believe in none. A global function: the
 * verifier looks at it once.
 */
__noinline int late_waits_without_limit(u64 address, u32 number)
{
	struct optee *optee = (void *)address;
	struct arg_search *search = &args_searched;
	u32 params = BPF_CORE_READ(optee, rpc_param_count);

	if (!params || !has_arg_cache(optee))
		return 0;
	*search = (struct arg_search){ .size = MSG_SIZE(MAX_ARG_PARAMS) + MSG_SIZE(params),
				       .number = number };
	walk_list(&search->walk, (u64)&optee->shm_arg_cache.shm_args);
	bpf_loop(MAX_CACHED_ARGS, wait_found, NULL, 0);
	return search->found && !search->limited && walk_done(&search->walk);
}

/* Does the call's RPC wait for this number, for as long as it takes? */
static __always_inline bool waits_without_limit(struct call *c, struct optee *optee, u32 number)
{
	bool limited;

	if (c->flags & CALL_LATE && !c->msg)
		return late_waits_without_limit((u64)optee, number);
	return c->rpc_kind == RPC_NOTIFICATION &&
	       is_wait_for(shared.requests[call_index(c) & (MAX_CALLS - 1)], number, &limited) &&
	       !limited;
}

struct notif_search {
	struct walk walk;
	struct optee *optee;
	u64 queue, now;
	u32 max_key;
	bool events; /* interrupts bring some */
};

/* Somebody sleeps on it, and nobody has woken him: who wakes him takes him off. */
static __always_inline u64 notif_sleeper(struct notif_entry *entry)
{
	struct list_head *head = &entry->c.wait.task_list, *first = BPF_CORE_READ(head, next);

	if (first == head || BPF_CORE_READ(entry, c.done))
		return 0;
	return (u64)BPF_CORE_READ(entry_of(first, struct swait_queue, task_list), task);
}

/* The list may change meanwhile: only what fits together counts. */
static long sleeper_found(u32 i, void *data)
{
	struct notif_search *search = data;
	struct notif_entry *entry;
	struct lock_wait *wait;
	struct call *c;
	u64 task;
	u32 key;

	if (walk_done(&search->walk))
		return 1;
	entry = entry_of(search->walk.node, struct notif_entry, link);
	walk_on(&search->walk);
	task = notif_sleeper(entry);
	c = task ? call_find(task) : NULL;
	if (!c || c->phase != PHASE_RPC || pool_at(c->pool)->queue != search->queue)
		return 0;
	key = BPF_CORE_READ(entry, key);
	if (!waits_without_limit(c, search->optee, key))
		return 0;
	wait = &shared.lock_waits[call_index(c) & (MAX_CALLS - 1)];
	wait->rank = search->events ? search->max_key - key : 0;
	wait->seen_ns = search->now;
	return 0;
}

/* now: what is going to be the pool's driver_ns. Not inlined: see inspect_requests(). */
static __noinline int inspect_locks(struct pool *p, u64 now)
{
	struct optee *optee = entry_of(p->queue, struct optee, call_queue);
	struct notif_search search = { .optee = optee, .queue = p->queue, .now = now };

	if (!has_notifications(optee))
		return 0;
	search.max_key = BPF_CORE_READ(optee, notif.max_key);
	search.events = has_events(optee, p->ffa);
	walk_list(&search.walk, (u64)&optee->notif.db);
	bpf_loop(MAX_NOTIF_WAITS, sleeper_found, &search, 0);
	return 0;
}

#endif
