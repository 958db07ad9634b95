// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose call it is: clients, sessions and their TAs. They are written down when they are
 * opened, policy or not, for a session's TA cannot be asked for later. What a policy keeps
 * of a client or a TA is kept here, too, and who has a call in flight stays until it ends.
 *
 * An allocation that fails leaves a client, session or TA unknown, which is not an error.
 */
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "adm.h"

#define KERNEL_CLIENT (1ull << 32)

static struct optee_adm_client *find_client(struct optee_adm_queue *q, struct pid *pid)
{
	struct optee_adm_client *client;

	hlist_for_each_entry (client, &q->clients, node)
		if (client->pid == pid)
			return client;
	return NULL;
}

/* Of the context that the current task opens. */
struct optee_adm_client *optee_adm_client_open(struct optee_call_queue *cq)
{
	static atomic_t nr_kernel_clients;
	struct pid *pid = current->flags & PF_KTHREAD ? NULL : get_pid(task_tgid(current));
	struct optee_adm_client *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	struct optee_adm_client *client = NULL;

	mutex_lock(&cq->mutex);
	if (pid)
		client = find_client(&cq->adm, pid);
	if (!client && fresh) {
		client = fresh;
		client->cq = cq;
		client->pid = pid;
		client->id = pid ? pid_nr(pid) :
				   KERNEL_CLIENT + atomic_inc_return(&nr_kernel_clients) - 1;
		hlist_add_head(&client->node, &cq->adm.clients);
		fresh = NULL;
		pid = NULL; /* the client's now */
	}
	if (client)
		client->refs++;
	mutex_unlock(&cq->mutex);
	put_pid(pid);
	kfree(fresh);
	return client;
}

/* Nobody uses it any more. */
void adm_ids_drop_client(struct optee_adm_client *client)
{
	hlist_del(&client->node);
	put_pid(client->pid);
	kfree(client);
}

void optee_adm_client_close(struct optee_adm_client *client)
{
	struct optee_call_queue *cq;

	if (!client)
		return;
	cq = client->cq;
	mutex_lock(&cq->mutex);
	adm_ids_put_client(client);
	mutex_unlock(&cq->mutex);
}

static struct optee_adm_ta *find_ta(struct optee_adm_queue *q, const uuid_t *uuid)
{
	struct optee_adm_ta *ta;

	hlist_for_each_entry (ta, &q->tas, node)
		if (uuid_equal(&ta->uuid, uuid))
			return ta;
	return NULL;
}

static void put_ta(struct optee_adm_ta *ta)
{
	if (!ta || --ta->refs)
		return;
	hlist_del(&ta->node);
	kfree(ta);
}

static struct hlist_head *bucket(struct optee_adm_queue *q, u32 id)
{
	return &q->sessions[hash_32(id, ilog2(OPTEE_ADM_SESSION_BUCKETS))];
}

/*
 * OP-TEE may give an id away again as soon as its session is closed, while the task that
 * closed it is on its way back: until then there are two of that id.
 */
static struct optee_adm_session *find_session(struct optee_adm_queue *q, u32 id, bool closing)
{
	struct optee_adm_session *session;

	hlist_for_each_entry (session, bucket(q, id), node)
		if (session->id == id && session->closing == closing)
			return session;
	return NULL;
}

void adm_ids_drop_session(struct optee_adm_session *session)
{
	put_ta(session->ta);
	kfree(session);
}

static void add_session(struct optee_adm_queue *q, struct optee_adm_session *session,
			struct optee_adm_ta **fresh, const uuid_t *uuid)
{
	struct optee_adm_ta *ta = find_ta(q, uuid);

	if (!ta && *fresh) {
		ta = *fresh;
		*fresh = NULL;
		uuid_copy(&ta->uuid, uuid);
		ta->id = get_unaligned_be64(uuid);
		hlist_add_head(&ta->node, &q->tas);
	}
	if (ta)
		ta->refs++;
	session->ta = ta;
	session->refs = 1;
	hlist_add_head(&session->node, bucket(q, session->id));
}

void optee_adm_session_open(struct optee_call_queue *cq, u32 id, const u8 *uuid)
{
	struct optee_adm_session *session = kzalloc(sizeof(*session), GFP_KERNEL);
	struct optee_adm_ta *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	uuid_t ta;

	if (session) {
		import_uuid(&ta, uuid);
		session->id = id;
		mutex_lock(&cq->mutex);
		add_session(&cq->adm, session, &fresh, &ta);
		mutex_unlock(&cq->mutex);
	}
	kfree(fresh);
}

void optee_adm_session_closing(struct optee_call_queue *cq, u32 id)
{
	struct optee_adm_session *session;

	mutex_lock(&cq->mutex);
	session = find_session(&cq->adm, id, false);
	if (session)
		session->closing = true;
	mutex_unlock(&cq->mutex);
}

void optee_adm_session_closed(struct optee_call_queue *cq, u32 id)
{
	struct optee_adm_session *session;

	mutex_lock(&cq->mutex);
	session = find_session(&cq->adm, id, true);
	if (session) {
		hlist_del(&session->node);
		adm_ids_put_session(session);
	}
	mutex_unlock(&cq->mutex);
}

/* It is a call of this session. */
void adm_ids_name(struct optee_adm_queue *q, struct optee_adm_waiter *a, u32 id, bool closing)
{
	struct optee_adm_session *session = find_session(q, id, closing);

	a->call.session = id;
	a->session = session;
	if (!session)
		return;
	session->refs++;
	a->ta = session->ta;
	a->call.ta = session->ta ? session->ta->id : 0;
}

/* For a new policy, or none. */
void adm_ids_reset(struct optee_adm_queue *q)
{
	struct optee_adm_session *session;
	struct optee_adm_client *client;
	struct optee_adm_ta *ta;

	hlist_for_each_entry (client, &q->clients, node) {
		client->in_flight = client->refused_in = 0;
		memset(client->priv, 0, sizeof(client->priv));
	}
	hlist_for_each_entry (ta, &q->tas, node) {
		ta->in_flight = ta->refused_in = 0;
		memset(ta->priv, 0, sizeof(ta->priv));
	}
	for (int i = 0; i < OPTEE_ADM_SESSION_BUCKETS; i++)
		hlist_for_each_entry (session, &q->sessions[i], node)
			session->in_flight = 0;
}

/* The device is gone, and no call is in flight: what is left was never closed. */
void adm_ids_free(struct optee_adm_queue *q)
{
	struct optee_adm_session *session;
	struct optee_adm_client *client;
	struct hlist_node *next;

	for (int i = 0; i < OPTEE_ADM_SESSION_BUCKETS; i++) {
		hlist_for_each_entry_safe (session, next, &q->sessions[i], node) {
			hlist_del(&session->node);
			adm_ids_put_session(session);
		}
	}
	hlist_for_each_entry_safe (client, next, &q->clients, node) {
		client->refs = 1;
		adm_ids_put_client(client);
	}
}
