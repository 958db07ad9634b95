// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ordinary client that does what it may, as fast as it can:
 *
 *	hammer KIND THREADS MS [DEVICE]
 *
 * Each thread repeats, for MS milliseconds, one of
 *
 *	register   TEE_IOC_SHM_REGISTER and close()
 *	alloc      TEE_IOC_SHM_ALLOC and close()
 *	invoke     TEE_IOC_INVOKE, in a session of its own
 *	cancel     TEE_IOC_CANCEL, in a session of its own
 *
 * At the end it prints KIND, how often that was done, and when it began and ended, by
 * CLOCK_MONOTONIC in ns. With MS 0 each thread does it once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tee.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

/* Of the pseudo TA for xtest: a session of it costs little. */
static const uint8_t invoke_tests[TEE_IOCTL_UUID_LEN] = { 0xd9, 0x6a, 0x5b, 0x40, 0xc3, 0xe5,
							  0x21, 0xe3, 0x87, 0x94, 0x10, 0x02,
							  0xa5, 0xd5, 0xc6, 0x1b };

struct hammer {
	const struct kind *kind;
	int fd;
	volatile bool stop, failed;
	bool once;
	unsigned long done;
};

struct thread {
	struct hammer *of;
	pthread_t id;
	void *page;
	uint32_t session;
};

static int release(int shm)
{
	return shm < 0 ? -1 : close(shm);
}

static int do_register(struct thread *t)
{
	struct tee_ioctl_shm_register_data d = { .addr = (uintptr_t)t->page, .length = PAGE };

	return release(ioctl(t->of->fd, TEE_IOC_SHM_REGISTER, &d));
}

static int do_alloc(struct thread *t)
{
	struct tee_ioctl_shm_alloc_data d = { .size = PAGE };

	return release(ioctl(t->of->fd, TEE_IOC_SHM_ALLOC, &d));
}

static int need_session(struct thread *t)
{
	struct tee_ioctl_open_session_arg a = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
	struct tee_ioctl_buf_data d = { .buf_ptr = (uintptr_t)&a, .buf_len = sizeof(a) };

	if (t->session)
		return 0;
	memcpy(a.uuid, invoke_tests, sizeof(a.uuid));
	if (ioctl(t->of->fd, TEE_IOC_OPEN_SESSION, &d))
		return -1;
	errno = EPROTO;
	t->session = a.session;
	return a.ret ? -1 : 0;
}

/* A command that does not exist is a call like any other. */
static int do_invoke(struct thread *t)
{
	struct tee_ioctl_invoke_arg i = { .func = 12345 };
	struct tee_ioctl_buf_data d = { .buf_ptr = (uintptr_t)&i, .buf_len = sizeof(i) };

	if (need_session(t))
		return -1;
	i.session = t->session;
	return ioctl(t->of->fd, TEE_IOC_INVOKE, &d);
}

static int do_cancel(struct thread *t)
{
	struct tee_ioctl_cancel_arg c = { .cancel_id = 1 };

	if (need_session(t))
		return -1;
	c.session = t->session;
	return ioctl(t->of->fd, TEE_IOC_CANCEL, &c);
}

static const struct kind {
	const char *name;
	int (*blow)(struct thread *t);
} kinds[] = {
	{ "register", do_register },
	{ "alloc", do_alloc },
	{ "invoke", do_invoke },
	{ "cancel", do_cancel },
};

static void *run(void *arg)
{
	struct thread *t = arg;
	struct hammer *h = t->of;

	do {
		if (h->kind->blow(t)) {
			fprintf(stderr, "hammer: %s: %s\n", h->kind->name, strerror(errno));
			h->failed = true;
			break;
		}
		__sync_fetch_and_add(&h->done, 1);
	} while (!h->stop && !h->once);
	return NULL;
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + (unsigned long long)t.tv_nsec;
}

static int usage(void)
{
	fprintf(stderr, "usage: hammer register|alloc|invoke|cancel THREADS MS [DEVICE]\n");
	return 2;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	unsigned int ms = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 0;
	const char *device = argc > 4 ? argv[4] : "/dev/tee0";
	struct hammer h = { .once = !ms };
	struct thread *all = calloc(threads + 1, sizeof(*all));
	unsigned long long began, ended;

	for (size_t i = 0; argc > 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			h.kind = &kinds[i];
	if (!h.kind || !threads || !all)
		return usage();
	h.fd = open(device, O_RDWR);
	if (h.fd < 0) {
		fprintf(stderr, "hammer: %s: %s\n", device, strerror(errno));
		return 1;
	}
	for (unsigned int i = 0; i < threads; i++) {
		all[i].of = &h;
		all[i].page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (all[i].page == MAP_FAILED)
			return 1;
	}
	began = now_ns();
	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&all[i].id, NULL, run, &all[i]))
			return 1;
	usleep(ms * 1000);
	h.stop = true;
	ended = now_ns();
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(all[i].id, NULL);
	if (h.once)
		ended = now_ns();
	printf("%s %lu %llu %llu\n", h.kind->name, h.done, began, ended);
	return h.failed;
}
