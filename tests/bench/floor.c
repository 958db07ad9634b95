// SPDX-License-Identifier: GPL-2.0-only
/* Attaches the floor's hooks, runs a command under them, and says on standard error how often they ran. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "floor.skel.h"

int main(int argc, char **argv)
{
	struct floor_bpf *skel;
	int status = 1;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: bench-floor COMMAND [ARG]...\n");
		return 2;
	}
	skel = floor_bpf__open_and_load();
	if (!skel || floor_bpf__attach(skel)) {
		fprintf(stderr,
			"bench-floor: cannot attach; run as root with the optee driver loaded\n");
		return 1;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "bench-floor: cannot run '%s'\n", argv[1]);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	fprintf(stderr, "bench-floor: %llu hits\n", (unsigned long long)skel->bss->hits);
	floor_bpf__destroy(skel);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
