// SPDX-License-Identifier: GPL-2.0-only
/*
 * libbpf finds the driver's type in the BTF of the optee module, and fits the object's
 * table and programs to it.
 */
#include "policy/policy_link.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libbpf has one printer for the process. */
static struct {
	char *text;
	size_t len;
} said;

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char *text, *more;
	int len = level == LIBBPF_WARN ? vasprintf(&text, fmt, args) : -1;

	if (len < 0)
		return 0;
	more = realloc(said.text, said.len + (size_t)len + 1);
	if (more) {
		memcpy(more + said.len, text, (size_t)len + 1);
		said.text = more;
		said.len += (size_t)len;
	}
	free(text);
	return 0;
}

static void begin_keeping(void)
{
	free(said.text);
	said.text = NULL;
	said.len = 0;
	libbpf_set_print(keep_warning);
}

const char *policy_said(void)
{
	return said.text ?: "";
}

static struct bpf_map *find_table(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, object)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			return map;
	return NULL;
}

int policy_load(struct policy *policy, const void *elf, size_t size)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "policy");
	int err;

	begin_keeping();
	*policy = (struct policy){ .object = bpf_object__open_mem(elf, size, &opts) };
	if (!policy->object)
		return -errno;
	policy->map = find_table(policy->object);
	err = policy->map ? bpf_object__load(policy->object) : -ENOEXEC;
	if (err)
		policy_close(policy);
	return err;
}

void policy_close(struct policy *policy)
{
	bpf_object__close(policy->object);
	*policy = (struct policy){ 0 };
}

int policy_attach(const struct policy *policy, struct bpf_link **link)
{
	*link = bpf_map__attach_struct_ops(policy->map);
	return *link ? 0 : -errno;
}

#if LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION < 4
/* It has no policies of modules: there is nothing to swap, either. */
int policy_swap(const struct policy *policy, struct bpf_link *link)
{
	(void)policy;
	(void)link;
	return -EOPNOTSUPP;
}
#else
int policy_swap(const struct policy *policy, struct bpf_link *link)
{
	return bpf_link__update_map(link, policy->map) ? -errno : 0;
}
#endif

void policy_detach(struct bpf_link *link)
{
	bpf_link__detach(link);
	bpf_link__destroy(link);
}

int policy_link_pin(struct bpf_link *link, const char *path)
{
	return bpf_link__pin(link, path);
}

int policy_link_open(struct bpf_link **link, const char *path)
{
	begin_keeping();
	*link = bpf_link__open(path);
	return *link ? 0 : -errno;
}

void policy_link_close(struct bpf_link *link)
{
	bpf_link__destroy(link);
}

int policy_link_fd(const struct bpf_link *link)
{
	return bpf_link__fd(link);
}

bool policy_link_lives(const struct bpf_link *link)
{
	struct pollfd fd = { .fd = bpf_link__fd(link) };

	return !poll(&fd, 1, 0);
}
