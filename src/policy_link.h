/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An admission policy and its way into the driver: a BPF object made from one file of
 * policies/, loaded as a struct_ops map, and the link that attaches it. No output here: each
 * function returns 0 or -errno, and `why` is what libbpf or the verifier said last.
 */
#ifndef OPTEE_TOP_POLICY_LINK_H
#define OPTEE_TOP_POLICY_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_link;
struct bpf_map;
struct bpf_object;

struct policy {
	struct bpf_object *object;
	struct bpf_map *map;
	char name[16]; /* of optee_admission_ops.name */
};

/* Until policy_close() or the link's end the module cannot be unloaded. */
int policy_open(struct policy *policy, const char *file, unsigned int timeout_ms);
void policy_close(struct policy *policy);

int policy_attach(const struct policy *policy, struct bpf_link **link);
int policy_swap(const struct policy *policy, struct bpf_link *link);
void policy_detach(struct bpf_link *link);
/* A link that another process pinned. */
int policy_link_pin(struct bpf_link *link, const char *path);
int policy_link_open(struct bpf_link **link, const char *path);
/* When it is readable for EPOLLHUP the driver has left the policy by itself. */
int policy_link_fd(const struct bpf_link *link);

const char *policy_why(void);

#endif
