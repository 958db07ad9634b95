// SPDX-License-Identifier: GPL-2.0-only
/*
 * One client process: opens its sessions, waits at the gate, lets its threads
 * work through the script, and closes its sessions when all clients are done, so
 * that from the start to the stop there are no calls but those of the scripts.
 * Every call that enters the driver is between record_begin() and record_end().
 *
 * Signals stay blocked in a client: one that is pending would turn a wait
 * inside OP-TEE into a busy loop of RPCs. Only the gate ends a client early.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SHM_PART 1024 /* of the shared buffer, for each of four parameters */

struct session {
	TEEC_Session teec;
	uint32_t ordinal;
	bool open;
};

/* What the threads of the process share. */
struct process {
	const struct client *client;
	const struct gate *gate;
	TEEC_Context ctx;
	TEEC_SharedMemory shm;
	bool shm_registered;
	struct session *sessions;
	unsigned int nr_sessions;
	atomic_uint next_ordinal;
};

struct worker {
	struct process *proc;
	pthread_t thread;
	pid_t tid;
	uint32_t seed;
	struct session *session; /* in use: shared, or own */
	struct session *shared;  /* opened before the start */
	struct session own;      /* opened by the script */
	struct record unkept;    /* written when there is no room for more */
};

static struct record *record_begin(struct worker *w, struct record r)
{
	struct account *acc = w->proc->client->account;
	size_t slot = atomic_fetch_add(&acc->begun, 1);
	struct record *kept = slot < acc->limit ? &acc->records[slot] : &w->unkept;

	*kept = r;
	kept->tid = w->tid;
	kept->start_ns = now_ns();
	return kept;
}

static void record_end(struct worker *w, struct record *r, uint32_t result, uint32_t origin)
{
	struct account *acc = w->proc->client->account;

	r->end_ns = now_ns();
	r->result = result;
	r->origin = origin;
	atomic_fetch_add(&acc->ended, 1);
	if (result != TEEC_SUCCESS)
		atomic_fetch_add(&acc->failed, 1);
}

static const struct record *session_open(struct worker *w, struct session *s)
{
	struct process *p = w->proc;
	struct record *r;
	uint32_t origin = 0;
	TEEC_Result res;

	s->ordinal = atomic_fetch_add(&p->next_ordinal, 1);
	r = record_begin(w, (struct record){ .op = OP_OPEN, .session = s->ordinal });
	res = TEEC_OpenSession(&p->ctx, &s->teec, &p->client->uuid, TEEC_LOGIN_PUBLIC, NULL, NULL,
			       &origin);
	record_end(w, r, res, origin);
	s->open = res == TEEC_SUCCESS;
	if (s->open)
		r->session_id = s->teec.imp.session_id;
	return r;
}

static void session_close(struct worker *w, struct session *s)
{
	struct record r = { .op = OP_CLOSE,
			    .session = s->ordinal,
			    .session_id = s->teec.imp.session_id };
	struct record *kept;

	if (!s->open)
		return;
	kept = record_begin(w, r);
	TEEC_CloseSession(&s->teec);
	record_end(w, kept, TEEC_SUCCESS, 0);
	s->open = false;
}

static void session_invoke(struct worker *w, const struct call *call, uint32_t value)
{
	struct session *s = w->session;
	TEEC_Operation op = { .paramTypes = call ? call->types : 0 };
	struct record r = { .op = OP_INVOKE,
			    .session = s->ordinal,
			    .session_id = s->teec.imp.session_id,
			    .cmd = call ? call->cmd : value,
			    .value = value };
	struct record *kept;
	uint32_t origin = 0;
	TEEC_Result res;

	if (!s->open)
		return;
	for (uint32_t i = 0; i < TEEC_CONFIG_PAYLOAD_REF_COUNT; i++) {
		uint32_t type = TEEC_PARAM_TYPE_GET(op.paramTypes, i);

		if (type >= TEEC_MEMREF_PARTIAL_INPUT)
			op.params[i].memref = (TEEC_RegisteredMemoryReference){
				.parent = &w->proc->shm, .size = SHM_PART, .offset = i * SHM_PART
			};
		else if (type != TEEC_NONE)
			op.params[i].value.a = value;
	}
	kept = record_begin(w, r);
	res = TEEC_InvokeCommand(&s->teec, r.cmd, &op, &origin);
	record_end(w, kept, res, origin);
}

/* Returns false as soon as the parent says stop. */
static bool gate_sleep_until(const struct gate *gate, uint64_t until)
{
	struct pollfd stop = { .fd = gate->stop_fd };

	do {
		struct timespec left = time_until(until);

		if (ppoll(&stop, 1, &left, NULL) > 0)
			return false;
	} while (now_ns() < until);
	return true;
}

static bool gate_pass(const struct gate *gate)
{
	struct pollfd fds[] = { { .fd = gate->start_fd }, { .fd = gate->stop_fd } };

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return gate_sleep_until(gate, gate->start_ns);
}

/* The parent keeps its end of the pipe open, and the pipe has room for all. */
static void stage_reached(struct process *p, enum stage stage)
{
	p->client->account->stage = stage;
	while (write(p->gate->stage_fd, "", 1) < 0 && errno == EINTR)
		;
}

static uint32_t draw(struct worker *w, const struct step *s)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 17;
	w->seed ^= w->seed << 5;
	return s->lo + (uint32_t)(w->seed % ((uint64_t)s->hi - s->lo + 1));
}

static bool step_do(struct worker *w, const struct step *s)
{
	const struct gate *gate = w->proc->gate;
	uint32_t value = draw(w, s);
	uint64_t until = 0;

	if (s->kind == STEP_AT)
		until = gate->start_ns + value * NSEC_PER_MSEC;
	else if (s->kind == STEP_GAP)
		until = now_ns() + value * NSEC_PER_MSEC;
	else if (s->kind == STEP_HOLD)
		until = UINT64_MAX;
	if (!gate_sleep_until(gate, until))
		return false;

	if (s->kind == STEP_CALL) {
		session_invoke(w, s->call, value);
	} else if (s->kind == STEP_OPEN) {
		session_open(w, &w->own);
		w->session = &w->own;
	} else if (s->kind == STEP_CLOSE) {
		session_close(w, &w->own);
		w->session = w->shared;
	}
	return true;
}

/* A part of the script begins at a repeat; it ends where the next one begins. */
static bool part_do(struct worker *w, unsigned int first, unsigned int end)
{
	const struct step *steps = w->proc->client->steps;
	bool repeated = steps[first].kind == STEP_REPEAT;
	uint32_t passes = repeated ? steps[first].lo : 1;

	for (uint32_t pass = 0; !passes || pass < passes; pass++)
		for (unsigned int i = first + repeated; i < end; i++)
			if (!step_do(w, &steps[i]))
				return false;
	return true;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	const struct client *c = w->proc->client;
	bool going = gate_pass(w->proc->gate);

	w->tid = gettid();
	for (unsigned int first = 0, end; first < c->nr_steps && going; first = end) {
		for (end = first + 1; end < c->nr_steps && c->steps[end].kind != STEP_REPEAT; end++)
			;
		going = part_do(w, first, end);
	}
	session_close(w, &w->own);
	return NULL;
}

static int workers_start(struct process *p, struct worker *workers, unsigned int nr)
{
	const struct client *c = p->client;
	int err = 0;

	for (unsigned int i = 0; i < nr && !err; i++) {
		struct worker *w = &workers[i];

		w->proc = p;
		w->seed = (c->seed + i * 2654435761u) | 1; /* there is no way out of 0 */
		w->session = w->shared = c->sessions ? &p->sessions[i / c->threads] : NULL;
		err = pthread_create(&w->thread, NULL, worker_run, w);
	}
	return err;
}

/* What every client needs before the start; NULL, or the call that failed. */
static const struct record *process_prepare(struct process *p, struct worker *self)
{
	if (p->client->needs_shm) {
		struct record *r;

		p->shm = (TEEC_SharedMemory){ .size = SHM_PART * TEEC_CONFIG_PAYLOAD_REF_COUNT,
					      .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
		r = record_begin(self, (struct record){ .op = OP_REGISTER });
		record_end(self, r, TEEC_AllocateSharedMemory(&p->ctx, &p->shm), TEEC_ORIGIN_COMMS);
		if (r->result != TEEC_SUCCESS)
			return r;
		p->shm_registered = true;
	}
	for (unsigned int i = 0; i < p->nr_sessions; i++) {
		const struct record *opening = session_open(self, &p->sessions[i]);

		if (opening->result != TEEC_SUCCESS)
			return opening;
	}
	return NULL;
}

static void process_clean_up(struct process *p, struct worker *self)
{
	for (unsigned int i = 0; i < p->nr_sessions; i++)
		session_close(self, &p->sessions[i]);
	if (p->shm_registered) {
		struct record *r = record_begin(self, (struct record){ .op = OP_RELEASE });

		TEEC_ReleaseSharedMemory(&p->shm);
		record_end(self, r, TEEC_SUCCESS, 0);
	}
	TEEC_FinalizeContext(&p->ctx);
}

static void complain(const struct client *c, const char *what, uint32_t res, const char *advice)
{
	fputs("optee-load: client '", stderr);
	name_print(stderr, c->name);
	fprintf(stderr, "' cannot %s: 0x%08x; %s\n", what, res, advice);
}

int client_run(const struct client *c, const struct gate *gate)
{
	unsigned int nr = (c->sessions ? c->sessions : 1) * c->threads;
	struct worker *workers = calloc(nr, sizeof(*workers));
	struct process p = { .client = c, .gate = gate };
	struct worker self = { .proc = &p, .tid = gettid() };
	const struct record *failed;
	int err = ENOMEM;
	TEEC_Result res;

	prctl(PR_SET_NAME, c->name);
	prctl(PR_SET_TIMERSLACK, 1);
	setpriority(PRIO_PROCESS, 0, (int)c->nice);
	p.nr_sessions = c->sessions + c->hold_sessions;
	p.sessions = calloc(p.nr_sessions + 1, sizeof(*p.sessions));
	if (!workers || !p.sessions) {
		complain(c, "start", TEEC_ERROR_OUT_OF_MEMORY, "no memory is left");
		goto out;
	}
	res = TEEC_InitializeContext(NULL, &p.ctx);
	if (res != TEEC_SUCCESS) {
		complain(c, "open a /dev/tee*", res, "is the driver loaded, and may you use it?");
		goto out;
	}
	failed = process_prepare(&p, &self);
	if (!failed)
		err = workers_start(&p, workers, nr);

	if (failed) {
		bool full = failed->result == TEEC_ERROR_OUT_OF_MEMORY;

		complain(c, failed->op == OP_OPEN ? "open a session" : "share memory",
			 failed->result,
			 full ? "OP-TEE has no memory left, try fewer sessions" :
				"is the TA installed, and tee-supplicant running?");
	} else if (err) {
		complain(c, "start its threads", TEEC_ERROR_GENERIC, strerror(err));
	} else {
		stage_reached(&p, CLIENT_READY);
		for (unsigned int i = 0; i < nr; i++)
			pthread_join(workers[i].thread, NULL);
		stage_reached(&p, CLIENT_DONE);
		gate_sleep_until(gate, UINT64_MAX);
	}
	process_clean_up(&p, &self);
out:
	free(p.sessions);
	free(workers);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
