// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold CALLS MS: that many clients each hold a TEE thread for MS milliseconds, all at
 * once; prints the milliseconds until the last one is done. With fewer threads than
 * CALLS it takes a multiple of MS. For tests/vm/selftest.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <tee_client_api.h>
#include <time.h>

#define CALLS_MAX    64
#define OS_TEST_WAIT 9

static const TEEC_UUID os_test = {
	0x5b9e0e40, 0x2636, 0x11e1, { 0xad, 0x9e, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b }
};

static pthread_barrier_t ready;
static unsigned int hold_ms;

static void check(TEEC_Result res, const char *what)
{
	if (res)
		errx(1, "cannot %s: 0x%x", what, res);
}

static void *client(void *arg)
{
	TEEC_Operation op = {
		.paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE),
		.params[0].value.a = hold_ms,
	};
	TEEC_Context context;
	TEEC_Session session;

	check(TEEC_InitializeContext(NULL, &context), "open the TEE");
	check(TEEC_OpenSession(&context, &session, &os_test, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL),
	      "open a session with os_test");
	pthread_barrier_wait(&ready);
	check(TEEC_InvokeCommand(&session, OS_TEST_WAIT, &op, NULL), "wait in os_test");
	pthread_barrier_wait(&ready);
	TEEC_CloseSession(&session);
	TEEC_FinalizeContext(&context);
	return arg;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	int calls = argc == 3 ? atoi(argv[1]) : 0;
	pthread_t thread[CALLS_MAX];
	long start;

	if (calls < 1 || calls > CALLS_MAX)
		errx(2, "usage: hold CALLS(1-%d) MS", CALLS_MAX);
	hold_ms = strtoul(argv[2], NULL, 10);
	pthread_barrier_init(&ready, NULL, calls + 1);
	for (int i = 0; i < calls; i++)
		if (pthread_create(&thread[i], NULL, client, NULL))
			errx(1, "cannot start a client");
	pthread_barrier_wait(&ready);
	start = now_ms();
	pthread_barrier_wait(&ready);
	printf("%ld\n", now_ms() - start);
	for (int i = 0; i < calls; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
