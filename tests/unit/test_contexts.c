// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left by who is gone: sessions that only the driver keeps, requests to a
 * tee-supplicant that has closed its file. What only looks so is neither.
 */
#include <stdlib.h>
#include "unit.h"
#include "collect/session_leak.h"
#include "collect/supplicant_gone.h"
#include "collect/watch_event.h"
#include "collect/watch_state.h"
#include "model/event_text.h"
#include "fixtures/bpf_native.h"

#define MS      1000000ULL
#define LOOK_MS 50
#define CLIENTS 40
#define PAGES   (MAX_PAGES + 1)

static struct optee optee;
static struct tee_device clients_dev, supplicants_dev = { .id = 16 };
static struct tee_context clients[CLIENTS], supplicant;
static struct optee_context_data client_data[CLIENTS];
static struct optee_session sessions_of[CLIENTS];
static struct tee_shm page_memory[PAGES], memory[3];
static struct optee_shm_arg_entry pages[PAGES];
static struct optee_supp_req requests[3];
static struct xa_node memory_ids, request_ids;
static struct watch watched;
static struct probes probes = { .sees_requests = true };
static struct event last_event;
static int nr_events;

static void list_init(struct list_head *head)
{
	head->next = head->prev = head;
}

static void list_add(struct list_head *node, struct list_head *head)
{
	*node = (struct list_head){ head->next, head };
	head->next = node;
}

static int references(struct tee_context *context, int change)
{
	return context->refcount.refcount.refs.counter += change;
}

/* With its file, and one session with the id 100 + i. */
static void client_opens(int i)
{
	clients[i] = (struct tee_context){ .teedev = &clients_dev, .data = &client_data[i] };
	references(&clients[i], 1);
	sessions_of[i].session_id = 100 + (u32)i;
	list_init(&client_data[i].sess_list);
	list_add(&sessions_of[i].list_node, &client_data[i].sess_list);
}

/* The driver needs one more for it. */
static void page_is_made(int page, struct tee_context *context)
{
	page_memory[page].ctx = context;
	pages[page].shm = &page_memory[page];
	list_add(&pages[page].list_node, &optee.shm_arg_cache.shm_args);
	references(context, 1);
}

static void *tagged(struct xa_node *node)
{
	return (char *)node + 2;
}

static struct pool *start(void)
{
	struct pool *p = &shared.pools[0];

	memset(&shared, 0, sizeof(shared));
	memset(session_rows, 0, sizeof(session_rows));
	memset(refs, 0, sizeof(refs));
	memset(&optee, 0, sizeof(optee));
	memset(&memory_ids, 0, sizeof(memory_ids));
	memset(&request_ids, 0, sizeof(request_ids));
	clients_dev.dev.driver_data = supplicants_dev.dev.driver_data = &optee;
	supplicants_dev.idr = (struct idr){};
	list_init(&optee.shm_arg_cache.shm_args);
	*p = (struct pool){ .teedev = (u64)&clients_dev,
			    .queue = (u64)&optee.call_queue,
			    .sight = SIGHT_FOLLOWED,
			    .ready = 1 };
	look_contexts(NULL);
	return p;
}

/* Opened by a process that we have seen. */
static u32 row_of(int client, u32 tgid)
{
	struct task_struct task = { .tgid = (int)tgid, .comm = "opener", .group_leader = &task };
	struct session_origin o = { .flags = SESSION_USER, .task = (u64)&task };

	return session_adopt(0, 100 + (u32)client, &o);
}

UNIT_TEST(who_has_the_file_leaks_nothing)
{
	struct pool *p = start();

	for (int i = 0; i < 3; i++)
		client_opens(i);
	page_is_made(0, &clients[1]);
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
	references(&clients[1], 1); /* and memory of its own */
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
	references(&clients[1], -1); /* the file: the memory is still somebody's */
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
}

UNIT_TEST(only_a_page_keeps_it)
{
	struct pool *p = start();
	u32 row;

	for (int i = 0; i < 3; i++)
		client_opens(i);
	page_is_made(0, &clients[1]);
	page_is_made(1, &clients[2]);
	page_is_made(2, &clients[1]);
	row = row_of(1, 77);
	references(&clients[1], -1);
	look_contexts(NULL);
	assert_int_equal(p->left_open, 1);
	assert_int_equal(p->left_slots[0], row);
	client_data[1].sess_list.next = client_data[1].sess_list.prev = &client_data[1].sess_list;
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0); /* it has none */
	clients[1].data = NULL;
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
}

UNIT_TEST(kernel_clients_close_theirs)
{
	struct pool *p = start();

	client_opens(0);
	page_is_made(0, &clients[0]);
	references(&clients[0], -1);
	clients[0].supp_nowait = true;
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
	clients[0].supp_nowait = false;
	clients[0].teedev = &supplicants_dev;
	look_contexts(NULL);
	assert_int_equal(p->left_open, 0);
}

/* It has a row from then on, whose client is not known. */
UNIT_TEST(left_before_the_attach)
{
	struct pool *p = start();
	const struct session *row;

	client_opens(0);
	page_is_made(0, &clients[0]);
	references(&clients[0], -1);
	for (int again = 0; again < 2; again++) {
		look_contexts(NULL);
		assert_int_equal(p->left_open, 1);
		assert_int_equal(p->left_slots[0], session_search(0, 100));
		assert_int_equal(shared.session_serial, 1);
	}
	row = &session_rows[p->left_slots[0]];
	assert_int_equal(row->flags, SESSION_LATE | SESSION_USER);
	assert_int_equal(row->tgid, 0);
	assert_string_equal(row->comm, "");
}

UNIT_TEST(without_room_it_is_counted_once)
{
	struct pool *p = start();

	for (u32 i = 0; i < MAX_SESSIONS; i++)
		session_rows[i].state = SESSION_OPEN;
	client_opens(0);
	page_is_made(0, &clients[0]);
	references(&clients[0], -1);
	for (int again = 0; again < 20; again++)
		look_contexts(NULL);
	assert_int_equal(p->left_open, 1);
	assert_int_equal(shared.loss[LOSS_SESSION_SLOT], 1);
	assert_int_equal(p->left_slots[0], SESSION_SLOTS);
}

UNIT_TEST(what_is_too_much_is_not_known)
{
	struct pool *p = start();

	for (int i = 0; i < CLIENTS; i++) {
		client_opens(i);
		page_is_made(i, &clients[i]);
		references(&clients[i], -1);
	}
	look_contexts(NULL);
	assert_int_equal(p->left_open, CLIENTS);
	for (int i = CLIENTS; i < MAX_PAGES; i++)
		page_is_made(i, &clients[0]);
	look_contexts(NULL);
	assert_int_equal(p->left_open, CLIENTS);
	page_is_made(MAX_PAGES, &clients[1]);
	look_contexts(NULL);
	assert_int_equal(p->left_open, -1);
	/* One that leads nowhere. */
	start();
	client_opens(0);
	page_is_made(0, &clients[0]);
	references(&clients[0], -1);
	client_data[0].sess_list.next = &sessions_of[1].list_node;
	sessions_of[1].list_node.next = &sessions_of[1].list_node;
	look_contexts(NULL);
	assert_int_equal(p->left_open, -1);
}

/* A tee-supplicant with two pieces of memory, and so many requests. */
static struct pool *start_supplicant(int waiting)
{
	struct pool *p = start();

	supplicant = (struct tee_context){ .teedev = &supplicants_dev };
	references(&supplicant, 3);
	memory[0].ctx = memory[2].ctx = &supplicant;
	memory[1].ctx = &clients[0];
	for (int i = 0; i < 3; i++)
		memory_ids.slots[2 + i] = &memory[i];
	supplicants_dev.idr.idr_rt.xa_head = tagged(&memory_ids);
	optee.supp.ctx = &supplicant;
	for (int i = 0; i < waiting; i++)
		request_ids.slots[1 + i] = &requests[i];
	optee.supp.idr.idr_rt.xa_head = waiting ? tagged(&request_ids) : NULL;
	return p;
}

UNIT_TEST(a_supplicant_that_is_there)
{
	struct pool *p = start_supplicant(2);

	look_contexts(NULL);
	assert_int_equal(p->unserved, 0); /* it, or who has inherited its file, takes its time */
	optee.supp.ctx = NULL;
	look_contexts(NULL);
	assert_int_equal(p->unserved, 0); /* there is none yet */
}

UNIT_TEST(its_file_is_closed)
{
	struct pool *p = start_supplicant(0);

	references(&supplicant, -1);
	look_contexts(NULL);
	assert_int_equal(p->unserved, 0); /* nobody wants it */
	p = start_supplicant(2);
	references(&supplicant, -1);
	look_contexts(NULL);
	assert_int_equal(p->unserved, 2);
	request_ids.slots[1] = (void *)-9L; /* that one's caller was killed */
	look_contexts(NULL);
	assert_int_equal(p->unserved, 1);
	page_is_made(0, &supplicant);
	look_contexts(NULL);
	assert_int_equal(p->unserved, 1);
	references(&supplicant, 1);
	look_contexts(NULL);
	assert_int_equal(p->unserved, 0);
}

/* The looks. */

static void report(void *arg, const struct episode *from, enum event_state state, u64 now,
		   bool end_unseen)
{
	struct watch *w = arg;

	w->taken = true;
	w->nr_events = 0;
	watch_report(w, from, state, now, end_unseen);
	last_event = w->events[0];
	nr_events++;
}

static u64 now_ns;

/* Looks for so long. */
static void look_on(u64 ms)
{
	for (u64 end = now_ns + ms * MS; now_ns < end; now_ns += LOOK_MS * MS) {
		look_contexts(NULL);
		watch_session_leak_look(&watched, 0, now_ns);
		watch_supplicant_gone_look(&watched, 0, now_ns);
		episodes_looked(watched.episodes, now_ns);
	}
}

static int start_looks(void **state)
{
	(void)state;
	watched = (struct watch){ .probes = &probes, .shared = &shared, .rows = session_rows };
	watched.episodes = episodes_new(report, &watched);
	now_ns = 1000 * MS;
	nr_events = 0;
	return 0;
}

static void end_looks(void)
{
	episodes_free(watched.episodes);
	free(watched.events);
}

static const struct snap_cond *counted(enum condition cond)
{
	static struct snap_cond c;

	watched.pools[0].sight = SIGHT_FOLLOWED;
	watch_condition(&watched, 0, cond, now_ns, &c);
	return &c;
}

UNIT_TEST_SETUP(a_leak_has_to_last, start_looks)
{
	char line[400];

	start();
	for (int i = 0; i < 2; i++) {
		client_opens(i);
		page_is_made(i, &clients[i]);
		row_of(i, 70 + (u32)i);
	}
	references(&clients[0], -1);
	look_on(1000);
	assert_int_equal(nr_events, 0);
	references(&clients[0], 1);
	look_on(LOOK_MS); /* a look that has seen it otherwise */
	references(&clients[0], -1);
	look_on(1000);
	assert_int_equal(nr_events, 0);
	look_on(LOOK_MS);
	assert_int_equal(nr_events, 1);
	assert_int_equal(last_event.state, EVENT_BEGIN);
	assert_int_equal(last_event.duration_ns, 1000 * MS);
	assert_int_equal(last_event.peak, 1);
	assert_int_equal(last_event.parties[0].tid, 70);
	assert_int_equal(last_event.parties[0].session, 100);
	assert_string_equal(last_event.parties[0].comm, ""); /* whose tid it is now says nothing */
	assert_string_equal(last_event.parties[0].client, "opener");
	assert_string_equal(event_who(&last_event, line, sizeof(line)),
			    "opener(70) left session 100 open");
	assert_true(counted(COND_SESSION_LEAK)->known);
	assert_int_equal(counted(COND_SESSION_LEAK)->lasting, 1);
	/* Another one is said with the next report, when it has lasted. */
	references(&clients[1], -1);
	look_on(1000);
	assert_int_equal(last_event.nr_parties, 1);
	look_on(1000);
	assert_int_equal(last_event.state, EVENT_STILL);
	assert_int_equal(last_event.peak, 2);
	assert_int_equal(last_event.nr_parties, 2);
	assert_string_equal(event_why(&last_event, line, sizeof(line)),
			    "2 sessions are open that nobody has any more");
	assert_string_equal(event_who(&last_event, line, sizeof(line)),
			    "opener(71) left session 101 open, opener(70) left session 100 open");
	assert_int_equal(counted(COND_SESSION_LEAK)->count, 1);
	assert_int_equal(counted(COND_SESSION_LEAK)->peak, 2);
	/* The driver is removed. */
	list_init(&optee.shm_arg_cache.shm_args);
	look_on(200);
	assert_int_equal(last_event.state, EVENT_END);
	assert_int_equal(counted(COND_SESSION_LEAK)->count, 1);
	assert_int_equal(counted(COND_SESSION_LEAK)->lasting, 0);
	shared.pools[0].left_open = -1;
	assert_false(counted(COND_SESSION_LEAK)->known);
	end_looks();
}

UNIT_TEST_SETUP(nobody_is_named_whom_nobody_knows, start_looks)
{
	char line[400];

	start();
	client_opens(0);
	page_is_made(0, &clients[0]);
	references(&clients[0], -1);
	look_on(1000 + LOOK_MS);
	assert_int_equal(nr_events, 1);
	assert_string_equal(event_who(&last_event, line, sizeof(line)),
			    "somebody left session 100 open");
	end_looks();
}

/* It is killed, and the driver takes its time to notice; then it does not. */
UNIT_TEST_SETUP(a_supplicant_has_to_be_gone_for_long, start_looks)
{
	struct pool *p = start_supplicant(1);
	struct call *c = call_at(3);
	char line[400];

	*c = (struct call){ .key = 0x1000,
			    .tid = 42,
			    .tgid = 42,
			    .phase = PHASE_RPC,
			    .rpc_kind = RPC_FS,
			    .op = CMD_INVOKE,
			    .session_slot = SESSION_SLOTS,
			    .flags = CALL_SUPPLICANT };
	*call_at(4) = *c;
	call_at(4)->tid = 43;
	call_at(4)->flags = 0; /* an RPC that the kernel serves */
	references(&supplicant, -1);
	look_on(1000);
	optee.supp.ctx = NULL;
	look_on(1000);
	assert_int_equal(nr_events, 0);
	optee.supp.ctx = &supplicant;
	look_on(1000 + LOOK_MS);
	assert_int_equal(nr_events, 1);
	assert_int_equal(last_event.duration_ns, 1000 * MS);
	assert_string_equal(event_why(&last_event, line, sizeof(line)),
			    "1 request waits for a tee-supplicant that is gone");
	assert_int_equal(last_event.nr_parties, 1);
	assert_int_equal(last_event.parties[0].tid, 42);
	assert_int_equal(counted(COND_SUPPLICANT_GONE)->lasting, 1);
	optee.supp.idr.idr_rt.xa_head = NULL;
	look_on(200);
	assert_int_equal(last_event.state, EVENT_END);
	assert_int_equal(counted(COND_SUPPLICANT_GONE)->count, 1);
	p->unserved = -1;
	assert_false(counted(COND_SUPPLICANT_GONE)->known);
	end_looks();
}
