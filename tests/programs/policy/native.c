// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy as plain functions of this machine, asked what the enforced one was asked:
 * native FILE, with what policy-witness wrote. Linked with the policy, one program each.
 */
#include "replay.h"

extern const struct optee_admission_ops policy;

/* What the driver does without a callback is its own: nobody was asked. */
static uint64_t ask(enum callback callback, struct optee_adm_call *c)
{
	switch (callback) {
	case CALLBACK_RESERVE:
		return (uint64_t)(int64_t)policy.reserve(c);
	case CALLBACK_ADMIT:
		return (uint64_t)(int64_t)policy.admit(c);
	case CALLBACK_RANK:
		return policy.rank(c);
	case CALLBACK_ENTER:
		policy.enter(c);
		return 0;
	default:
		policy.leave(c);
		return 0;
	}
}

static bool has(enum callback callback)
{
	const bool there[CALLBACKS] = { policy.reserve, policy.admit, policy.rank, policy.enter,
					policy.leave };

	return there[callback];
}

int main(int argc, char **argv)
{
	struct replay replay = { .home = "native" };
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct witnessed w;
	int more;

	if (!file) {
		fprintf(stderr, "usage: native FILE\n");
		return 2;
	}
	while ((more = replay_next(file, policy.name, &w)) > 0) {
		struct optee_adm_call c = w.before;

		if (!has((enum callback)w.callback)) {
			printf("%s has no %s\n", policy.name, callback_names[w.callback]);
			return EXIT_FAILURE;
		}
		replay_compare(&replay, &w, &c, ask((enum callback)w.callback, &c));
	}
	fclose(file);
	if (more < 0) {
		fprintf(stderr, "native: '%s' is torn\n", argv[1]);
		return EXIT_FAILURE;
	}
	return replay_end(&replay, policy.name);
}
