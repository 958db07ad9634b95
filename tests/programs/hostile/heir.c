// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client whose file is inherited: heir FILE opens a session and ends without closing it; its
 * child has the file, and the session with it, until FILE is there.
 */
#include <fcntl.h>
#include <linux/tee.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The pseudo TA invoke-tests.pta. */
static const unsigned char ta[TEE_IOCTL_UUID_LEN] = { 0xd9, 0x6a, 0x5b, 0x40, 0xc3, 0xe5,
						      0x21, 0xe3, 0x87, 0x94, 0x10, 0x02,
						      0xa5, 0xd5, 0xc6, 0x1b };

int main(int argc, char **argv)
{
	struct tee_ioctl_open_session_arg open_arg = { .clnt_login = TEE_IOCTL_LOGIN_PUBLIC };
	struct tee_ioctl_buf_data buf = { .buf_ptr = (uintptr_t)&open_arg,
					  .buf_len = sizeof(open_arg) };
	int fd = open("/dev/tee0", O_RDWR);

	memcpy(open_arg.uuid, ta, sizeof(ta));
	if (argc != 2 || fd < 0 || ioctl(fd, TEE_IOC_OPEN_SESSION, &buf) || open_arg.ret) {
		fprintf(stderr, "heir: cannot open a session\n");
		return 1;
	}
	if (fork())
		return 0;
	while (access(argv[1], F_OK))
		usleep(20000);
	return 0;
}
