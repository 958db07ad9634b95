// SPDX-License-Identifier: GPL-2.0-only
/* What was there before us: found once, as we attach. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "probe/attach.h"
#include "probe/bpf_object.h"
#include "probe/past.h"
#include "probes.skel.h"

#define FIRST_PID_NAMESPACE 0xeffffffcU /* PROC_PID_INIT_INO */

enum pid_namespace pid_namespace_of(const char *pid)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	if (stat(path, &st))
		return PID_NAMESPACE_UNKNOWN;
	return st.st_ino == FIRST_PID_NAMESPACE ? PID_NAMESPACE_FIRST : PID_NAMESPACE_OTHER;
}

static struct bpf_program *finder(const struct probes *p, const char *name)
{
	return bpf_object__find_program_by_name(p->skel->obj, name);
}

void past_choose(struct probes *p)
{
	if (p->bare)
		return;
	bpf_program__set_autoload(finder(p, "find_everywhere"), p->everywhere);
	bpf_program__set_autoload(finder(p, "find_sessions"), !p->everywhere);
	bpf_program__set_autoload(finder(p, "find_calls"), !p->everywhere);
}

/* Runs an iterator to its end; what it finds is in the maps. */
static int run_iterator(struct bpf_program *prog)
{
	struct bpf_link *link = bpf_program__attach_iter(prog, NULL);
	char buf[64];
	int fd, n;

	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return fd < 0 ? fd : n;
}

/*
 * Looks for what is there already. A TEE instance is found by whoever has its
 * device open: for a moment, that is us. Opening it calls nothing.
 */
bool past_find(struct probes *p)
{
	int fds[MAX_POOLS], n = 0;
	glob_t devices = {};
	bool found;

	if (p->bare) {
		errno = EOPNOTSUPP;
		return false;
	}
	if (!glob("/dev/tee[0-9]*", 0, NULL, &devices))
		for (size_t i = 0; i < devices.gl_pathc && n < MAX_POOLS; i++) {
			fds[n] = open(devices.gl_pathv[i], O_RDWR | O_CLOEXEC);
			if (fds[n] >= 0)
				n++;
		}
	globfree(&devices);
	if (p->everywhere)
		found = !run_iterator(finder(p, "find_everywhere")) &&
			p->skel->bss->searched_everywhere;
	else
		found = !run_iterator(finder(p, "find_sessions")) &&
			!run_iterator(finder(p, "find_calls"));
	while (n > 0)
		close(fds[--n]);
	return found;
}
