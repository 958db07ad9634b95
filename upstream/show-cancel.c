// SPDX-License-Identifier: GPL-2.0-only
/* How long a cancel takes while the calls that it could end have all threads. */
#include <fcntl.h>
#include <linux/tee.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define HOLDERS 2
#define WAIT_MS 5000

static const unsigned char os_test[] = { 0x5b, 0x9e, 0x0e, 0x40, 0x26, 0x36, 0x11, 0xe1,
					 0xad, 0x9e, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b };
static int fd;
static unsigned int session[HOLDERS];

static double ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void *hold(void *data)
{
	union {
		struct tee_ioctl_invoke_arg arg;
		char room[sizeof(struct tee_ioctl_invoke_arg) + 4 * sizeof(struct tee_ioctl_param)];
	} u = { .arg = { .func = 9, .num_params = 4, .cancel_id = 1 } };
	struct tee_ioctl_buf_data buf = { (unsigned long)&u, sizeof(u.room) };
	struct tee_ioctl_param *params = (void *)(&u.arg + 1);
	double from = ms();

	u.arg.session = session[(long)data];
	params[0].attr = TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT;
	params[0].a = WAIT_MS;
	if (ioctl(fd, TEE_IOC_INVOKE, &buf))
		perror("invoke");
	printf("call %ld: %.1f ms, result 0x%x\n", (long)data, ms() - from, u.arg.ret);
	return NULL;
}

int main(void)
{
	struct tee_ioctl_cancel_arg cancel = { .cancel_id = 1 };
	pthread_t threads[HOLDERS];
	double from;

	fd = open("/dev/tee0", O_RDWR);
	for (long i = 0; i < HOLDERS; i++) {
		struct tee_ioctl_open_session_arg arg = {};
		struct tee_ioctl_buf_data buf = { (unsigned long)&arg, sizeof(arg) };

		memcpy(arg.uuid, os_test, sizeof(os_test));
		if (ioctl(fd, TEE_IOC_OPEN_SESSION, &buf) || arg.ret) {
			fprintf(stderr, "cannot open a session\n");
			return 1;
		}
		session[i] = arg.session;
	}
	for (long i = 0; i < HOLDERS; i++)
		pthread_create(&threads[i], NULL, hold, (void *)i);
	usleep(500000);
	cancel.session = session[0];
	from = ms();
	if (ioctl(fd, TEE_IOC_CANCEL, &cancel))
		perror("cancel");
	printf("the cancel of call 0 took %.1f ms\n", ms() - from);
	for (int i = 0; i < HOLDERS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
