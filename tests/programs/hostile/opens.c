// SPDX-License-Identifier: GPL-2.0-only
/*
 * What any user of /dev/tee0 can do: opens THREADS SECONDS opens sessions of TAs that do not
 * exist, another one each time. Prints how many opens failed; that one succeeds is an error.
 */
#include <fcntl.h>
#include <linux/tee.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STACK_BYTES 65536

static int fd;
static bool stop;
static unsigned long failed, others;

static void *run(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct tee_ioctl_open_session_arg open = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
		struct tee_ioctl_buf_data buf = { .buf_ptr = (uintptr_t)&open,
						  .buf_len = sizeof(open) };

		for (size_t i = 0; i < sizeof(open.uuid); i++)
			open.uuid[i] = (unsigned char)(rand_r(&seed) >> 8);
		if (ioctl(fd, TEE_IOC_OPEN_SESSION, &buf) || !open.ret)
			__atomic_add_fetch(&others, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc == 3 ? atoi(argv[1]) : 0, seconds = argc == 3 ? atoi(argv[2]) : 0;
	pthread_t *all = calloc((size_t)threads + 1, sizeof(*all));
	pthread_attr_t attr;

	fd = open("/dev/tee0", O_RDWR | O_CLOEXEC);
	if (fd < 0 || !all) {
		perror("/dev/tee0");
		return 1;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&all[i], &attr, run, (void *)(uintptr_t)(i + 1))) {
			fputs("too many threads\n", stderr);
			return 1;
		}
	sleep((unsigned int)seconds);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < threads; i++)
		pthread_join(all[i], NULL);
	printf("%lu\n", failed);
	return others != 0;
}
