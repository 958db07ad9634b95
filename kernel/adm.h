/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of the core: adm_policy.c (which policy, and why no more) calls
 * adm_change.c (what becomes of the calls then), and that and the hooks call adm_queue.c (who
 * waits, who enters), which calls adm_ask.c (the policy's answers), adm_call.c (a call, and
 * what is counted of it) and adm_ids.c (whose call it is).
 */
#ifndef ADM_H
#define ADM_H

#include <linux/ktime.h>
#include "optee_private.h"

#define ADM_BY              (OPTEE_ADM_BY_CLASS | OPTEE_ADM_BY_CLIENT | OPTEE_ADM_BY_TA | OPTEE_ADM_BY_KIND)
#define ADM_KINDS           (OPTEE_ADM_OPEN | OPTEE_ADM_CLOSE | OPTEE_ADM_CANCEL | OPTEE_ADM_SHM)
#define OPTEE_ADM_OPS_FLAGS (ADM_BY | OPTEE_ADM_STATELESS)

#define ADM_BUSY_RETRY_MS   10            /* OP-TEE has no thread though none of ours is in it */
#define ADM_PROBE_MS        1000          /* it may have more than it had */
#define ADM_MOST_ASKED      64            /* questions at a time, with the queue's mutex held */
#define ADM_TIMED_NS        NSEC_PER_MSEC /* at least from one pass by the clock to the next */
#define ADM_SHOW_MS         100 /* how long to wait for a queue's mutex, to show its figures */

/* Who makes calls: a process, or a client in the kernel. Lives while a context is open. */
struct optee_adm_client {
	struct hlist_node node;
	struct optee_call_queue *cq;
	struct pid *pid; /* NULL: a kernel thread opened the context, which is not shared */
	u64 id;
	u32 refs; /* contexts, and calls that are seen */
	u32 in_flight, refused_in;
	u64 priv[4];
};

struct optee_adm_ta {
	struct hlist_node node;
	uuid_t uuid;
	u64 id;
	u32 refs; /* sessions */
	u32 in_flight, refused_in;
	u64 priv[4];
};

struct optee_adm_session {
	struct hlist_node node;
	u32 id;
	u32 refs; /* 1 while it is in the table, and calls that are seen */
	bool closing;
	u32 in_flight;
	struct optee_adm_ta *ta;
};

static inline struct optee_call_queue *adm_cq(struct optee_adm_queue *q)
{
	return container_of(q, struct optee_call_queue, adm);
}

static inline struct optee *adm_optee(const struct optee_adm_queue *q)
{
	return container_of(q, struct optee, call_queue.adm);
}

static inline struct optee_call_waiter *adm_call_waiter(struct optee_adm_waiter *a)
{
	return container_of(a, struct optee_call_waiter, adm);
}

static inline bool adm_is_system(const struct optee_adm_waiter *a)
{
	return a->call.flags & OPTEE_ADM_SYS;
}

static inline bool adm_is_internal(const struct optee_adm_waiter *a)
{
	return a->call.flags & OPTEE_ADM_INTERNAL;
}

static inline struct optee_adm_counts *adm_counts(struct optee_adm_queue *q,
						  const struct optee_adm_waiter *a)
{
	return &q->stats.class[adm_is_system(a) ? OPTEE_ADM_SYSTEM : OPTEE_ADM_NORM];
}

static inline u32 adm_in_flight(const struct optee_adm_queue *q)
{
	return q->norm_in_flight + q->resv_in_flight;
}

/* adm_policy.c */
bool adm_is_left(void);
bool adm_leave_here(struct optee_adm_queue *q);

/* adm_ids.c */
void adm_ids_drop_client(struct optee_adm_client *client);
void adm_ids_drop_session(struct optee_adm_session *session);
void adm_ids_name(struct optee_adm_queue *q, struct optee_adm_waiter *a, u32 session, bool closing);
void adm_ids_reset(struct optee_adm_queue *q);
void adm_ids_free(struct optee_adm_queue *q);

/* adm_ask.c: each may eject the policy; then q->ops is NULL, and nobody waits any more */
s32 adm_ask_admit(struct optee_adm_queue *q, struct optee_adm_waiter *a);
bool adm_ask_reserve(struct optee_adm_queue *q, struct optee_adm_waiter *a);
u64 adm_ask_rank(struct optee_adm_queue *q, struct optee_adm_waiter *a);
void __adm_tell_enter(struct optee_adm_queue *q, struct optee_adm_waiter *a);
void __adm_tell_leave(struct optee_adm_queue *q, struct optee_adm_waiter *a);

/* Inline: each call comes through these. */
static inline void adm_ids_put_client(struct optee_adm_client *client)
{
	if (client && !--client->refs)
		adm_ids_drop_client(client);
}

static inline void adm_ids_put_session(struct optee_adm_session *session)
{
	if (session && !--session->refs)
		adm_ids_drop_session(session);
}

/* A call is seen from now on. The driver's own context is nobody's. */
static inline void adm_ids_know(struct optee_adm_queue *q, struct optee_call_waiter *w)
{
	struct optee_adm_waiter *a = &w->adm;
	struct optee_context_data *context = NULL;

	if (a->ctx && a->ctx != adm_optee(q)->ctx)
		context = a->ctx->data;
	a->client = context ? context->adm_client : NULL;
	if (a->client)
		a->client->refs++;
	a->call.client = a->client ? a->client->id : 0;
	a->session = NULL;
	a->ta = NULL;
}

static inline void adm_forget(struct optee_call_waiter *w)
{
	adm_ids_put_client(w->adm.client);
	adm_ids_put_session(w->adm.session);
	w->adm.client = NULL;
	w->adm.session = NULL;
	w->adm.ta = NULL;
	w->seen = false;
}

static inline void adm_count_waiting(struct optee_adm_queue *q, struct optee_adm_waiter *a, int by)
{
	if (adm_is_system(a))
		q->sys_waiting += by;
	else
		q->norm_waiting += by;
}

static inline void adm_count_in_flight(struct optee_adm_queue *q, struct optee_adm_waiter *a,
				       int by)
{
	if (a->call.flags & OPTEE_ADM_RESERVED)
		q->resv_in_flight += by;
	else
		q->norm_in_flight += by;
	if (adm_is_system(a))
		q->sys_in_flight += by;
	if (a->client)
		a->client->in_flight += by;
	if (a->ta)
		a->ta->in_flight += by;
	if (a->session)
		a->session->in_flight += by;
}

/* What the callbacks are told, and waits are counted from: once an event will do. */
static inline void adm_look_at_clock(struct optee_adm_queue *q)
{
	q->now_ns = ktime_get_ns();
}

/* adm_call.c */
void adm_see(struct optee_adm_queue *q, struct optee_call_waiter *w, int nice);

static inline void adm_tell_enter(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	if (q->ops->enter && !adm_is_internal(a) && !adm_is_left())
		__adm_tell_enter(q, a);
}

static inline void adm_tell_leave(struct optee_adm_queue *q, struct optee_adm_waiter *a)
{
	if (q->ops->leave && !adm_is_internal(a) && !adm_is_left())
		__adm_tell_leave(q, a);
}

/* adm_queue.c */
bool adm_has_room(const struct optee_adm_queue *q);
void adm_enqueue(struct optee_adm_queue *q, struct optee_adm_waiter *a);
void adm_take_back(struct optee_adm_queue *q, struct optee_adm_waiter *a);
void adm_pump(struct optee_adm_queue *q);
void adm_go_on(struct optee_adm_queue *q);
bool adm_is_unfinished(const struct optee_adm_queue *q);

/* adm_change.c */
void adm_begin(struct optee_adm_queue *q, const struct optee_admission_ops *ops);
void adm_swap(struct optee_adm_queue *q, const struct optee_admission_ops *ops);
void adm_end(struct optee_adm_queue *q, const struct optee_adm_exit *exit);

/* adm_watch.c */
void adm_watch_init(struct optee_adm_queue *q);
void adm_watch(struct optee_adm_queue *q);
u64 adm_timeout_ns(const struct optee_admission_ops *ops);

/* adm_policy.c */
struct bpf_link;
void adm_policy_init(void);
void adm_policy_exit(void);
int adm_reg(void *kdata, struct bpf_link *link);
void adm_unreg(void *kdata, struct bpf_link *link);
int adm_update(void *kdata, void *old_kdata, struct bpf_link *link);
void adm_eject(struct optee_adm_queue *q, enum optee_adm_reason reason, s32 error,
	       const struct optee_adm_waiter *a);

/* adm_show.c: what adm_policy.c lets it see */
struct adm_view {
	char name[OPTEE_ADM_NAME]; /* "": none */
	u32 timeout_ms;
	u64 attached, ejected; /* how often, since the module was loaded */
	struct optee_adm_left left;
	bool off;
};
void adm_show_init(void);
void adm_show_exit(void);
const char *adm_reason_text(u32 reason);
void adm_view(struct adm_view *view);
void adm_each_queue(void (*fn)(struct optee_adm_queue *q, bool locked, void *arg), void *arg);

#endif
