// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy's twins of its callbacks, shadow_..., take the places of stubs in the probes
 * (freplace). A program that is loaded has its own copy of each function that it calls: so
 * each is loaded once for each probe that asks it. They are fitted to the probes' own struct
 * optee_adm_asked, for the kernel has none.
 */
#include "probe/attach_shadow.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "optee_admission.h"
#include "policy/policy_refusal.h"

#define LOG_BYTES 65536
#define BEGIN     "-- BEGIN PROG LOAD LOG --\n"
#define END       "\n-- END PROG LOAD LOG --"

static const struct asked {
	enum shadow_asker by;
	enum policy_callback callback;
} asked[MAX_SHADOW_LINKS] = {
	{ ASKER_WAIT, POLICY_ADMIT },      { ASKER_WAIT, POLICY_RANK },
	{ ASKER_ENTER, POLICY_ADMIT },     { ASKER_ENTER, POLICY_ENTER },
	{ ASKER_FFA_ENTER, POLICY_ADMIT }, { ASKER_FFA_ENTER, POLICY_ENTER },
	{ ASKER_END, POLICY_LEAVE },       { ASKER_RESERVE, POLICY_RESERVE },
};

static const char *const callback_names[NR_POLICY_CALLBACKS] = {
	[POLICY_RESERVE] = "reserve", [POLICY_ADMIT] = "admit", [POLICY_RANK] = "rank",
	[POLICY_ENTER] = "enter",     [POLICY_LEAVE] = "leave",
};

static void twin_name(char name[32], enum policy_callback callback)
{
	snprintf(name, 32, "shadow_%s", callback_names[callback]);
}

/* Which of its callbacks its table names. */
static u32 callbacks_of(const struct policy_object *o)
{
	const struct btf_member *m = btf_members(o->type);
	u32 found = 0;

	for (u32 i = 0; i < btf_vlen(o->type) && i < 64; i++)
		for (int callback = 0; o->used >> i & 1 && callback < NR_POLICY_CALLBACKS;
		     callback++)
			if (policy_named(o->btf, m[i].name_off, callback_names[callback]))
				found |= 1U << callback;
	return found;
}

static enum status look_at(struct shadows *s, u32 n)
{
	const struct policy_object *o = &s->objects[n];
	int id = btf__find_by_name_kind(o->btf, "optee_adm_asked", BTF_KIND_STRUCT);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(o->btf, (u32)id);
	char name[32];

	s->callbacks[n] = callbacks_of(o);
	for (u32 i = 0; i < n; i++)
		if (!strcmp(s->objects[i].name, o->name))
			return fail(STATUS_FAILURE,
				    "cannot %s: it calls itself '%s', as '%s' does; give it another "
				    ".name",
				    o->doing, o->name, s->objects[i].given);
	for (int callback = 0; callback < NR_POLICY_CALLBACKS; callback++) {
		twin_name(name, callback);
		if (s->callbacks[n] >> callback & 1 &&
		    btf__find_by_name_kind(o->btf, name, BTF_KIND_FUNC) < 0)
			return fail(STATUS_FAILURE,
				    "cannot %s: it was built with an older policy.h; build it again",
				    o->doing);
	}
	if (type && type->size != sizeof(struct optee_adm_asked))
		return fail(STATUS_FAILURE,
			    "cannot %s: it was built with another version of optee_admission.h; "
			    "build it again",
			    o->doing);
	return STATUS_OK;
}

enum status shadows_open(struct shadows *s, const char *const *given, u32 n)
{
	enum status status = STATUS_OK;

	*s = (struct shadows){ 0 };
	for (u32 i = 0; status == STATUS_OK && i < n; i++) {
		status = policy_object_open(&s->objects[i], "shadow", given[i]);
		if (status != STATUS_OK)
			return status;
		s->n = i + 1;
		status = look_at(s, i);
	}
	return status;
}

/* Its table is for the driver, and would have libbpf look for the driver's own there. */
static void leave_out_table(struct bpf_object *object)
{
	struct bpf_program *prog;
	struct bpf_map *map;

	bpf_object__for_each_map (map, object)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS) {
			bpf_map__set_autocreate(map, false);
			bpf_map__set_type(map, BPF_MAP_TYPE_ARRAY);
		}
	bpf_object__for_each_program (prog, object)
		bpf_program__set_autoload(prog, false);
}

/* What the verifier says, as policy_refusal() wants it. */
struct words {
	char begin[sizeof(BEGIN) - 1], log[LOG_BYTES];
};

/* One callback for one of those that ask. */
static int take_place(struct shadows *s, u32 n, u32 link, const char *types, int fd,
		      struct words *words)
{
	LIBBPF_OPTS(bpf_object_open_opts, open, .object_name = "shadow", .btf_custom_path = types);
	const struct policy_object *o = &s->objects[n];
	struct bpf_object *object = bpf_object__open_mem(o->data, o->size, &open);
	struct bpf_program *twin;
	char name[32], stub[32];
	int err;

	if (!object)
		return -errno;
	leave_out_table(object);
	twin_name(name, asked[link].callback);
	twin = bpf_object__find_program_by_name(object, name);
	snprintf(stub, sizeof(stub), "shadow_%u_%s", n, callback_names[asked[link].callback]);
	err = twin ? bpf_program__set_attach_target(twin, fd, stub) : -ENOENT;
	if (!err)
		err = bpf_program__set_autoload(twin, true);
	if (!err)
		err = bpf_program__set_log_buf(twin, words->log, sizeof(words->log));
	if (!err)
		err = bpf_object__load(object);
	if (!err) {
		s->links[n][link] = bpf_program__attach_freplace(twin, 0, NULL);
		err = s->links[n][link] ? 0 : -errno;
	}
	bpf_object__close(object);
	return err;
}

static enum status not_taken(const struct shadows *s, u32 n, u32 link, struct words *words, int err)
{
	const char *callback = callback_names[asked[link].callback], *doing = s->objects[n].doing;
	size_t len = strnlen(words->log, sizeof(words->log) - sizeof(END));
	char why[600], *more;

	if (err == -EPERM)
		return fail(STATUS_PRIVILEGE, "cannot %s: %s; run as root", doing, strerror(-err));
	if (err == -ENOTSUP)
		return fail(STATUS_KERNEL,
			    "cannot %s: this kernel replaces no functions of BPF programs "
			    "(freplace); on arm64 it takes Linux 6.0",
			    doing);
	if (!len)
		return fail(STATUS_FAILURE, "cannot %s: its %s: %s", doing, callback,
			    strerror(-err));
	strcpy(words->log + len, END);
	policy_refusal(words->begin, err, why, sizeof(why));
	more = strstr(why, "; --verbose");
	if (more)
		*more = '\0'; /* there is none here */
	return fail(STATUS_FAILURE, "cannot %s: the kernel refuses its %s: %s", doing, callback,
		    why);
}

/* The probes' types as a file, for libbpf. */
static int write_types(const struct bpf_object *probes)
{
	__u32 bytes;
	const void *types = btf__raw_data(bpf_object__btf(probes), &bytes);
	int fd = types ? memfd_create("types", MFD_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, types, bytes) != (ssize_t)bytes) {
		close(fd);
		return -1;
	}
	return fd;
}

enum status shadows_attach(struct shadows *s, const struct bpf_object *probes,
			   const int fds[NR_ASKERS])
{
	int types = write_types(probes), err = 0;
	enum status status = STATUS_OK;
	struct words *words = malloc(sizeof(*words));
	char path[32];

	if (types < 0 || !words)
		status = fail(STATUS_FAILURE, "cannot %s: out of memory", s->objects[0].doing);
	else
		memcpy(words->begin, BEGIN, sizeof(words->begin));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", types);
	for (u32 n = 0; status == STATUS_OK && n < s->n; n++)
		for (u32 link = 0; !err && link < MAX_SHADOW_LINKS; link++) {
			if (fds[asked[link].by] < 0 ||
			    !(s->callbacks[n] >> asked[link].callback & 1))
				continue;
			words->log[0] = '\0';
			err = take_place(s, n, link, path, fds[asked[link].by], words);
			if (err)
				status = not_taken(s, n, link, words, err);
		}
	free(words);
	if (types >= 0)
		close(types);
	return status;
}

void shadows_detach(struct shadows *s)
{
	for (u32 n = 0; n < s->n; n++) {
		for (u32 link = 0; link < MAX_SHADOW_LINKS; link++)
			bpf_link__destroy(s->links[n][link]);
		policy_object_close(&s->objects[n]);
	}
	*s = (struct shadows){ 0 };
}
