/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contexts that nobody can use any more. A context has a reference for the file that was opened,
 * whoever has inherited that, and one for each piece of memory that was made with it. So when all
 * its references are those of memory, everybody has closed the file, and the context is
 * still there: of a client with the sessions that it has left open, of tee-supplicant with the
 * requests that nobody else may take.
 *
 * Memory of the driver's own that refers to a client is for the arguments of calls. It is kept
 * in pages, which are never freed before the driver is removed, and with them what they refer to.
 * Nothing is locked: what a single look finds need not be so.
 */
#ifndef OPTEE_TOP_CONTEXT_BPF_H
#define OPTEE_TOP_CONTEXT_BPF_H

#define MAX_LEFT_OPEN 8192
#define MAX_PAGES     64  /* of arguments, ten or so in each */
#define KEPT_CONTEXTS 256 /* a power of two */
#define KEPT_TRIES    16

/* A context that pages refer to. */
struct kept_context {
	u64 context;
	u32 look; /* the one that has found it */
	s32 pages;
	bool told; /* its sessions are */
};

static struct kept_context kept_contexts[KEPT_CONTEXTS];
static u32 context_look;

/* make: take a place for it, if there is none. KEPT_CONTEXTS: there is none. */
LOOKED_AT_ONCE u32 kept_index(u64 context, bool make)
{
	for (u32 i = 0; i < KEPT_TRIES; i++) {
		u32 at = ((context >> 6) + i) & (KEPT_CONTEXTS - 1);
		struct kept_context *k = &kept_contexts[at];

		if (k->look == context_look && k->context == context)
			return at;
		if (k->look == context_look)
			continue;
		if (!make)
			return KEPT_CONTEXTS;
		k->context = context;
		k->look = context_look;
		k->pages = 0;
		k->told = false;
		return at;
	}
	return KEPT_CONTEXTS;
}

static __always_inline struct kept_context *kept_find(u64 context, bool make)
{
	u32 at = kept_index(context, make);

	if (at >= KEPT_CONTEXTS)
		return NULL;
	barrier_var(at); /* else clang leaves the mask out, which the verifier wants */
	return &kept_contexts[at & (KEPT_CONTEXTS - 1)];
}

struct pages {
	struct walk walk;     /* along the driver's */
	struct walk sessions; /* of one context that they refer to */
	u64 teedev;
	u32 pool;
	s32 left_open;
	bool unknown;
};

/* The context that the page refers to, and goes on to the next page. */
static __always_inline struct tee_context *pages_next(struct pages *pages)
{
	struct optee_shm_arg_entry *page = entry_of(pages->walk.node, struct optee_shm_arg_entry,
						    list_node);

	walk_on(&pages->walk);
	return BPF_CORE_READ(page, shm, ctx);
}

static long page_counted(u32 i, void *data)
{
	struct pages *pages = data;
	struct kept_context *k;

	if (walk_done(&pages->walk))
		return 1;
	k = kept_find((u64)pages_next(pages), true);
	if (k)
		k->pages++;
	else
		pages->unknown = true;
	return 0;
}

static __always_inline s32 context_references(struct tee_context *context)
{
	return BPF_CORE_READ(context, refcount.refcount.refs.counter);
}

/* A client's that only the driver's pages keep: its sessions are next. Only kernel clients do not wait. */
static __always_inline void context_is_kept(struct pages *pages, struct tee_context *context)
{
	struct kept_context *k = kept_find((u64)context, false);
	struct optee_context_data *data;

	if (!k || k->told)
		return;
	k->told = true;
	if (context_references(context) != k->pages || BPF_CORE_READ(context, supp_nowait) ||
	    (u64)BPF_CORE_READ(context, teedev) != pages->teedev)
		return;
	data = BPF_CORE_READ(context, data);
	if (data)
		walk_list(&pages->sessions, (u64)&data->sess_list);
}

/*
 * Who opened one from before the attach is not known: that process is gone. Such a session gets
 * a row at the first look, or none: else all looks would count that there is no room.
 */
LOOKED_AT_ONCE int session_is_left(u32 pool, u32 id, u32 n)
{
	struct session_origin o = { .flags = SESSION_LATE | SESSION_USER };
	struct pool *p = pool_at(pool);
	u32 slot = session_search(pool, id);

	if (slot == SESSION_SLOTS && (s32)n >= p->left_open)
		slot = session_adopt(pool, id, &o);
	barrier_var(n); /* else the verifier does not see that it is bounded */
	if (n < MAX_PARTIES)
		p->left_slots[n] = slot;
	return 0;
}

static long left_session_found(u32 i, void *data)
{
	struct pages *pages = data;

	if (!walk_done(&pages->sessions)) {
		struct optee_session *s = entry_of(pages->sessions.node, struct optee_session,
						   list_node);

		walk_on(&pages->sessions);
		session_is_left(pages->pool, BPF_CORE_READ(s, session_id), pages->left_open++);
		return 0;
	}
	if (walk_done(&pages->walk))
		return 1;
	context_is_kept(pages, pages_next(pages));
	return 0;
}

static __always_inline void look_at_pages(u32 pool, struct optee *optee)
{
	struct pages pages = { .teedev = pool_at(pool)->teedev, .pool = pool };
	u64 list = 0;

	context_look++;
	if (has_arg_cache(optee))
		list = (u64)&optee->shm_arg_cache.shm_args;
	walk_list(&pages.walk, list);
	bpf_loop(MAX_PAGES, page_counted, &pages, 0);
	pages.unknown |= !list || !walk_done(&pages.walk);
	walk_list(&pages.walk, list);
	if (!pages.unknown)
		bpf_loop(MAX_PAGES + MAX_LEFT_OPEN, left_session_found, &pages, 0);
	pages.unknown |= !walk_done(&pages.walk) || !walk_done(&pages.sessions);
	pool_at(pool)->left_open = pages.unknown ? -1 : pages.left_open;
}

/* A walk along what has ids: memory of a context, or requests to tee-supplicant. */
struct ids {
	struct idr *idr;
	u64 context;
	u32 id; /* that is looked at next */
	s32 found;
};

static long memory_found(u32 i, void *data)
{
	struct ids *ids = data;
	u64 shm;

	if (ids->id == NO_ID)
		return 1;
	shm = idr_entry((u64)ids->idr, ids->id, &ids->id);
	if (shm && (u64)BPF_CORE_READ((struct tee_shm *)shm, ctx) == ids->context)
		ids->found++;
	return 0;
}

/* Those whose caller was killed wait no longer: there is an error number. */
static long waiting_request_found(u32 i, void *data)
{
	struct ids *ids = data;
	u64 request;

	if (ids->id == NO_ID)
		return 1;
	request = idr_entry((u64)ids->idr, ids->id, &ids->id);
	ids->found += request && request <= WORD_MAX - MAX_ERRNO;
	return 0;
}

static __always_inline bool ids_walk(struct ids *ids, struct idr *idr, bool requests)
{
	ids->idr = idr;
	ids->id = BPF_CORE_READ(idr, idr_base);
	ids->found = 0;
	if (requests)
		bpf_loop(MAX_IDS, waiting_request_found, ids, 0);
	else
		bpf_loop(MAX_IDS, memory_found, ids, 0);
	return ids->id == NO_ID;
}

/* After look_at_pages(), which a page made with tee-supplicant's context would be among. */
static __always_inline s32 unserved_requests(struct optee *optee)
{
	struct tee_context *context = BPF_CORE_READ(optee, supp.ctx);
	struct kept_context *k;
	struct tee_device *teedev;
	struct ids ids = { .context = (u64)context };
	s32 others;

	if (!context || !BPF_CORE_READ(optee, supp.idr.idr_rt.xa_head))
		return 0;
	others = context_references(context);
	k = kept_find((u64)context, false);
	if (k)
		others -= k->pages;
	teedev = BPF_CORE_READ(context, teedev);
	if (!ids_walk(&ids, &teedev->idr, false))
		return -1;
	if (others > ids.found)
		return 0;
	return ids_walk(&ids, &optee->supp.idr, true) ? ids.found : -1;
}

/* A global function: the verifier looks at it once. */
__noinline int look_at_contexts(u32 pool)
{
	struct pool *p = pool_at(pool);
	struct optee *optee = (void *)entry_of(p->queue, struct optee, call_queue);

	if (!p->ready || p->sight != SIGHT_FOLLOWED)
		return 0;
	look_at_pages(pool, optee);
	p->unserved = unserved_requests(optee);
	return 0;
}

/* At each look, after inspect(). It is a program of its own for the same reason as look_sight(). */
SEC("syscall")
int look_contexts(void *ctx)
{
	for (u32 i = 0; i < MAX_POOLS; i++)
		look_at_contexts(i);
	return 0;
}

#endif
