/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A policy's way into the driver: its BPF object, loaded as a struct_ops map, and the link
 * that attaches it. No output here: each function returns 0 or -errno.
 */
#ifndef OPTEE_TOP_POLICY_LINK_H
#define OPTEE_TOP_POLICY_LINK_H

#include <stdbool.h>
#include <stddef.h>

struct bpf_link;
struct bpf_map;
struct bpf_object;

struct policy {
	struct bpf_object *object;
	struct bpf_map *map;
};

/* Until policy_close() or the link's end the module cannot be unloaded. */
int policy_load(struct policy *policy, const void *elf, size_t size);
void policy_close(struct policy *policy);

int policy_attach(const struct policy *policy, struct bpf_link **link);
int policy_swap(const struct policy *policy, struct bpf_link *link);
void policy_detach(struct bpf_link *link);

/* A link in the BPF file system. */
int policy_link_pin(struct bpf_link *link, const char *path);
int policy_link_open(struct bpf_link **link, const char *path);
void policy_link_close(struct bpf_link *link);
/* When it is readable for EPOLLHUP the driver has left the policy by itself. */
int policy_link_fd(const struct bpf_link *link);
/* It has not left the policy yet. */
bool policy_link_lives(const struct bpf_link *link);

/* All that libbpf and the verifier had to say since policy_load(). */
const char *policy_said(void);

#endif
