// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command and writes its CPU time in microseconds to the file named
 * first: under -icount, a thousandth of its instructions.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage use;
	int status = 1;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fprintf(stderr, "usage: bench-meter FILE COMMAND [ARG]...\n");
		return 2;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "bench-meter: cannot run '%s'\n", argv[2]);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &use) != pid)
		return 1;
	f = fopen(argv[1], "w");
	if (!f)
		return 1;
	fprintf(f, "%ld\n",
		(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000L + use.ru_utime.tv_usec +
			use.ru_stime.tv_usec);
	fclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
