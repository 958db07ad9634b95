// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swaps the policy that 'optee-top policy attach' left pinned, two objects in turn, faster than
 * the command could: they are loaded once, before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "policy/policy_link.h"

#define PIN    "/sys/fs/bpf/optee-top/policy"
#define GAP_US 5000
#define MOST   65536 /* bytes of an object */

static int give_up(const char *what, const char *file, int err)
{
	fprintf(stderr, "policy-swaps: cannot %s '%s': %s; %s\n", what, file, strerror(-err),
		policy_said());
	return EXIT_FAILURE;
}

static int load(struct policy *policy, const char *file)
{
	char *elf = malloc(MOST);
	FILE *f = fopen(file, "re");
	size_t size = elf && f ? fread(elf, 1, MOST, f) : 0;
	int err = policy_load(policy, elf, size);

	if (f)
		fclose(f);
	free(elf);
	return err ? give_up("load", file, err) : 0;
}

int main(int argc, char **argv)
{
	struct policy policies[2];
	struct bpf_link *link;
	int err = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: policy-swaps N FILE.o FILE.o\n");
		return 2;
	}
	if (load(&policies[0], argv[2]) || load(&policies[1], argv[3]))
		return EXIT_FAILURE;
	err = policy_link_open(&link, PIN);
	if (err)
		return give_up("open", PIN, err);
	for (int i = 0; i < atoi(argv[1]) && !err; i++) {
		err = policy_swap(&policies[i % 2], link);
		usleep(GAP_US);
	}
	return err ? give_up("swap to", "one of two", err) : 0;
}
