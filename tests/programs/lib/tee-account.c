// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of a program that was not written to give one, such as xtest: loaded before
 * libc (LD_PRELOAD), it writes down each ioctl() that is a call of OP-TEE, in optee-load's
 * format, to the file that TEE_ACCOUNT names. One that the kernel refused was no call.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tee.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* In one write(): tasks may end calls at the same time. */
static void put(const char *op, uint32_t session, uint32_t result, uint64_t start, uint64_t end)
{
	const char *name = getenv("TEE_ACCOUNT");
	int fd = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	char line[400];
	int n;

	n = snprintf(line, sizeof(line),
		     "{\"type\":\"call\",\"client\":\"%s\",\"pid\":%d,\"tid\":%d,\"uuid\":\"\","
		     "\"op\":\"%s\",\"session\":%u,\"session_id\":%u,\"result\":%u,"
		     "\"start_ns\":%llu,\"end_ns\":%llu}\n",
		     program_invocation_short_name, getpid(), gettid(), op, session, session,
		     result, (unsigned long long)start, (unsigned long long)end);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		abort(); /* an account with a call missing would accuse optee-top */
	close(fd);
}

static void note(unsigned long request, const void *arg, uint64_t start)
{
	const struct tee_ioctl_buf_data *buf = arg;
	const void *data = (const void *)(uintptr_t)buf->buf_ptr;
	const struct tee_ioctl_open_session_arg *opened = data;
	const struct tee_ioctl_invoke_arg *invoked = data;
	const struct tee_ioctl_close_session_arg *closed = arg;
	uint64_t end = now();

	if (request == TEE_IOC_OPEN_SESSION)
		put("open", opened->session, opened->ret, start, end);
	else if (request == TEE_IOC_INVOKE)
		put("invoke", invoked->session, invoked->ret, start, end);
	else
		put("close", closed->session, 0, start, end);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT,
										       "ioctl");
	uint64_t start = now();
	va_list args;
	void *arg;
	int err;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	err = real(fd, request, arg);
	if (!err && (request == TEE_IOC_OPEN_SESSION || request == TEE_IOC_INVOKE ||
		     request == TEE_IOC_CLOSE_SESSION))
		note(request, arg, start);
	return err;
}
