// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of tee-supplicant that calls OP-TEE itself while it serves an RPC. The call
 * that is in the RPC keeps its TEE thread meanwhile, and the plugin's own calls need
 * another: when all threads are held so, nobody can go on.
 *
 * Each invoke does the next line of ORDERS, "BEFORE ACTION AFTER": waits until the file
 * BEFORE exists, opens and uses and closes a session if ACTION is "call", waits for the
 * file AFTER, and returns. What it does is in LOG, a line a step: "ORDER TID STEP NS",
 * ORDER counted from 1, NS of CLOCK_MONOTONIC.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tee_client_api.h>
#include <tee_plugin_method.h>
#include <time.h>
#include <unistd.h>

#define ORDERS    "/tmp/plugin.orders"
#define LOG       "/tmp/plugin.log"
#define POLL_NS   (5 * 1000 * 1000)
#define NAME_SIZE 100

#define CMD_NOP   1 /* of the invoke_tests TA, which is in OP-TEE's core: no LOAD_TA RPC */

static const TEEC_UUID invoke_tests = {
	0xd96a5b40, 0xc3e5, 0x21e3, { 0x87, 0x94, 0x10, 0x02, 0xa5, 0xd5, 0xc6, 0x1b }
};

struct order {
	unsigned int nr;
	char before[NAME_SIZE], action[NAME_SIZE], after[NAME_SIZE];
};

static void say(const struct order *o, const char *step)
{
	int fd = open(LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	dprintf(fd, "%u %d %s %lld%09ld\n", o->nr, gettid(), step, (long long)now.tv_sec,
		now.tv_nsec);
	close(fd);
}

/* tee-supplicant serves requests in several threads at once. */
static bool take_order(struct order *o)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static unsigned int taken;
	static FILE *orders;
	bool found;

	pthread_mutex_lock(&lock);
	if (!orders)
		orders = fopen(ORDERS, "re");
	else
		clearerr(orders); /* there may be more by now */
	found = orders && fscanf(orders, "%99s %99s %99s", o->before, o->action, o->after) == 3;
	o->nr = taken += found;
	pthread_mutex_unlock(&lock);
	return found;
}

static TEEC_Result call(void)
{
	TEEC_Operation op = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, 0, 0, 0) };
	TEEC_Context ctx;
	TEEC_Session session;
	TEEC_Result res = TEEC_InitializeContext(NULL, &ctx);

	if (res != TEEC_SUCCESS)
		return res;
	res = TEEC_OpenSession(&ctx, &session, &invoke_tests, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
	if (res == TEEC_SUCCESS) {
		res = TEEC_InvokeCommand(&session, CMD_NOP, &op, NULL);
		TEEC_CloseSession(&session);
	}
	TEEC_FinalizeContext(&ctx);
	return res;
}

static void wait_for(const char *file)
{
	const struct timespec nap = { .tv_nsec = POLL_NS };

	while (access(file, F_OK))
		nanosleep(&nap, NULL);
}

static TEEC_Result invoke(unsigned int cmd, unsigned int sub_cmd, void *data, size_t in_len,
			  size_t *out_len)
{
	TEEC_Result res = TEEC_SUCCESS;
	struct order o;

	(void)cmd, (void)sub_cmd, (void)data, (void)in_len;
	*out_len = 0;
	if (!take_order(&o))
		return TEEC_ERROR_ITEM_NOT_FOUND;
	say(&o, "arrives");
	wait_for(o.before);
	if (!strcmp(o.action, "call")) {
		say(&o, "calls");
		res = call();
		say(&o, res == TEEC_SUCCESS ? "called" : "failed");
	}
	wait_for(o.after);
	say(&o, "returns");
	return res;
}

/*
 * The nil UUID: command 6 of xtest's TA for plugins invokes it, to learn that there is
 * no such plugin, and is the only one of its commands that needs no parameters.
 */
struct plugin_method plugin_method = {
	.name = "calling",
	.invoke = invoke,
};
