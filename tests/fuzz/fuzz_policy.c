// SPDX-License-Identifier: GPL-2.0-only
/* Whatever an object file is that is given as a policy. */
#include <bpf/libbpf.h>
#include "fuzz.h"
#include "policy/policy_carried.h"
#include "policy/policy_object.h"

/* None is carried: a file is what is given. */
void carried_read(struct carried *c)
{
	*c = (struct carried){};
}

void carried_free(struct carried *c)
{
	(void)c;
}

static void fuzz_policy(const uint8_t *data, size_t size)
{
	struct policy_object o;
	char path[32];
	int fd = fuzz_file(data, size, path);

	libbpf_set_print(NULL);
	if (policy_object_open(&o, "fuzz", path) == STATUS_OK) {
		policy_object_set_timeout(&o, 1000);
		policy_object_close(&o);
	}
	close(fd);
}

FUZZ_TARGET(policy);
