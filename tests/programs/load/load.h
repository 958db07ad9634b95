/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words shared by the parts of optee-load: what a client is told to do
 * (parse.c), what it does (client.c) and what it says it did (account.c).
 */
#ifndef OPTEE_LOAD_H
#define OPTEE_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <tee_client_api.h>

#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_SEC  1000000000ull

#define NAME_SIZE     16 /* of a comm, with its NUL */
#define MAX_STEPS     64
#define MAX_SESSIONS  4096
#define MAX_WORKERS   4096

/* One kind of invoke that a TA offers; types as in TEEC_PARAM_TYPES(). */
struct call {
	const char *ta;
	const char *word;
	uint32_t cmd;
	uint32_t types;
};

enum step_kind { STEP_REPEAT, STEP_AT, STEP_GAP, STEP_HOLD, STEP_OPEN, STEP_CALL, STEP_CLOSE };

struct step {
	enum step_kind kind;
	const struct call *call; /* STEP_CALL; NULL: a bare command, number lo */
	uint32_t lo, hi;         /* the value is drawn from lo..hi */
};

struct client {
	char name[NAME_SIZE];
	char ta[37]; /* as the user named it */
	TEEC_UUID uuid;
	uint32_t sessions, hold_sessions, threads, count, nice;
	struct step steps[MAX_STEPS];
	unsigned int nr_steps;
	bool endless;     /* its script has no end of its own */
	bool needs_shm;   /* its invokes take a buffer */
	uint32_t seed;    /* of the values drawn */
	uint64_t planned; /* calls in the whole script, if it ends */
	struct account *account;
};

enum op { OP_REGISTER, OP_OPEN, OP_INVOKE, OP_CLOSE, OP_RELEASE };

/* One libteec call that enters the driver; end_ns is 0 while it is in flight. */
struct record {
	uint64_t start_ns, end_ns;
	pid_t tid;
	enum op op;
	uint32_t session, session_id;
	uint32_t cmd, value;
	uint32_t result, origin;
};

enum stage { CLIENT_OPENS, CLIENT_READY, CLIENT_DONE };

/* A client's account, in memory that outlives the client. */
struct account {
	_Atomic enum stage stage;
	pid_t pid;
	int status;          /* as waitpid() gives it */
	size_t limit;        /* records there is room for */
	atomic_size_t begun; /* calls entered, recorded or not */
	atomic_size_t ended, failed;
	struct record records[];
};

/*
 * How the parent tells all clients to start and to stop: it closes its end of
 * a pipe, which wakes every reader and, unlike a lock, survives a killed one.
 * The clients wake the parent with a byte when they have reached a stage.
 */
struct gate {
	int start_fd, stop_fd, stage_fd;
	_Atomic uint64_t start_ns; /* 0 until the gate is opened */
};

/* Returns what follows the number, or NULL if there is none. */
const char *parse_u32(const char *s, uint32_t *value);
int client_parse(struct client *c, const char *text, unsigned int ordinal);

/* The life of a client process; returns its exit status. */
int client_run(const struct client *c, const struct gate *gate);

struct account *account_new(size_t limit);
void account_free(struct account *acc);
void account_print(FILE *out, const struct client *c);
void name_print(FILE *out, const char *name);
/* A number, or null where there is none to give. */
void number_print(FILE *out, const char *key, bool known, uint64_t value);

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

/* How long it is until then: 0 if it is past. */
static inline struct timespec time_until(uint64_t then_ns)
{
	uint64_t now = now_ns();
	uint64_t left = then_ns > now ? then_ns - now : 0;

	return (struct timespec){ .tv_sec = (time_t)(left / NSEC_PER_SEC),
				  .tv_nsec = (long)(left % NSEC_PER_SEC) };
}

#endif
