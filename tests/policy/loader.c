// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaches admission policies in the tests' guests. It says a line of each thing that
 * happened, with the time, and does what the lines of its standard input say:
 *
 *   swap FILE        atomically; loaded before
 *   swaps N A B      N swaps, A and B in turn, as fast as it goes
 *   detach           and ends
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "policy_link.h"

#define EXIT_EJECTED 3

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void tell(const char *what, const char *of)
{
	printf("%llu %s %s\n", (unsigned long long)now_ns(), what, of);
	fflush(stdout);
}

static int give_up(const char *what, const char *file, int err)
{
	fprintf(stderr, "policy-loader: cannot %s '%s': %s; %s\n", what, file, strerror(-err),
		policy_why());
	return EXIT_FAILURE;
}

static int swap(struct bpf_link *link, const char *file)
{
	struct policy policy;
	int err = policy_open(&policy, file, 0);

	if (err)
		return give_up("load", file, err);
	err = policy_swap(&policy, link);
	if (err)
		give_up("swap to", file, err);
	else
		tell("swapped", policy.name);
	policy_close(&policy);
	return err ? EXIT_FAILURE : 0;
}

static int swap_often(struct bpf_link *link, unsigned int times, const char *files[2])
{
	struct policy policies[2];
	int err = policy_open(&policies[0], files[0], 0);

	if (err)
		return give_up("load", files[0], err);
	err = policy_open(&policies[1], files[1], 0);
	if (err)
		return give_up("load", files[1], err);
	for (unsigned int i = 0; i < times && !err; i++) {
		err = policy_swap(&policies[i % 2], link);
		usleep(5000);
	}
	if (err)
		give_up("swap to", "one of two", err);
	else
		tell("swapped", "often");
	policy_close(&policies[0]);
	policy_close(&policies[1]);
	return err ? EXIT_FAILURE : 0;
}

/* Returns 0, or the exit status + 1. */
static int obey(struct bpf_link *link, char *line)
{
	char *words[4] = { 0 };
	int status = EXIT_FAILURE;

	for (int i = 0; i < 4; i++)
		words[i] = strtok(i ? NULL : line, " \n");
	if (!words[0])
		return 0;
	if (!strcmp(words[0], "detach")) {
		policy_detach(link);
		tell("detached", "-");
		return 1;
	}
	if (!strcmp(words[0], "swap") && words[1])
		status = swap(link, words[1]);
	if (!strcmp(words[0], "swaps") && words[3])
		status = swap_often(link, (unsigned int)atoi(words[1]),
				    (const char *[]){ words[2], words[3] });
	return status ? status + 1 : 0;
}

static int follow(struct bpf_link *link)
{
	struct pollfd fds[] = { { .fd = policy_link_fd(link) }, { .fd = 0, .events = POLLIN } };
	char line[256];

	while (poll(fds, 2, -1) > 0) {
		int end = 0;

		if (fds[0].revents & POLLHUP) {
			tell("ejected", "-");
			return EXIT_EJECTED;
		}
		if (fds[1].revents & POLLIN && fgets(line, sizeof(line), stdin))
			end = obey(link, line);
		else if (fds[1].revents & (POLLIN | POLLHUP))
			fds[1].fd = -1; /* no orders any more */
		if (end)
			return end - 1;
	}
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct policy policy;
	struct bpf_link *link;
	int err;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: policy-loader FILE [TIMEOUT_MS]\n");
		return 2;
	}
	err = policy_open(&policy, argv[1], argc > 2 ? (unsigned int)atoi(argv[2]) : 0);
	if (err)
		return give_up("load", argv[1], err);
	err = policy_attach(&policy, &link);
	if (err)
		return give_up("attach", argv[1], err);
	tell("attached", policy.name);
	policy_close(&policy);
	return follow(link);
}
