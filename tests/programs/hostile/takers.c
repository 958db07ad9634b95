// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes tee-supplicant's place with many threads: takers N. Prints a line when each of them
 * waits for a request, and ends when its input does.
 */
#include <fcntl.h>
#include <linux/tee.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fd;

/* Is the thread asleep in the driver? */
static int waits(int tid)
{
	char path[64], at[64] = "";
	FILE *wchan;

	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", tid);
	wchan = fopen(path, "re");
	if (!wchan)
		return 0;
	if (!fgets(at, sizeof(at), wchan))
		at[0] = '\0';
	fclose(wchan);
	return !strcmp(at, "optee_supp_recv");
}

static void *take(void *arg)
{
	union {
		struct tee_iocl_supp_recv_arg arg;
		char room[1024];
	} u;
	struct tee_ioctl_buf_data buf = { .buf_ptr = (unsigned long)&u };

	*(int *)arg = (int)syscall(SYS_gettid);
	memset(&u, 0, sizeof(u));
	u.arg.num_params = 4;
	buf.buf_len = sizeof(u.arg) + 4 * sizeof(struct tee_ioctl_param);
	ioctl(fd, TEE_IOC_SUPPL_RECV, &buf);
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc == 2 ? atoi(argv[1]) : 0;
	volatile int *tids = calloc((size_t)n + 1, sizeof(*tids));

	fd = open("/dev/teepriv0", O_RDWR | O_CLOEXEC);
	if (fd < 0 || !tids) {
		perror("/dev/teepriv0");
		return 1;
	}
	for (int i = 0; i < n; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, take, (void *)&tids[i])) {
			fputs("too many threads\n", stderr);
			return 1;
		}
		while (!tids[i] || !waits(tids[i]))
			usleep(1000);
	}
	puts("all wait");
	fflush(stdout);
	while (getchar() != EOF)
		;
	_exit(0);
}
