// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the shadow build of policies what the enforced one was asked, in the kernel, with
 * whatever driver: policy-shadow FILE OBJECT..., FILE being what policy-witness wrote.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>
#include "replay.h"
#include "shadow.h"
#include "shadow.skel.h"

/* Calls of one callback; in what order callbacks are asked is all the same to a policy. */
struct batch {
	struct witnessed calls[BATCH];
	uint32_t count;
};

struct shadow {
	struct shadow_bpf *skel;
	struct bpf_object *policy;
	char name[OPTEE_ADM_NAME];
	struct bpf_link *links[CALLBACKS];
	struct batch batches[CALLBACKS];
	struct replay replay;
};

static int warn(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static struct bpf_program *asker(const struct shadow *s, int callback)
{
	char name[32];

	snprintf(name, sizeof(name), "ask_%s", callback_names[callback]);
	return bpf_object__find_program_by_name(s->skel->obj, name);
}

static struct bpf_program *replacer(const struct shadow *s, int callback)
{
	char name[32];

	snprintf(name, sizeof(name), "shadow_%s", callback_names[callback]);
	return bpf_object__find_program_by_name(s->policy, name);
}

static int prepare(struct shadow *s)
{
	struct optee_admission_ops *table = NULL;
	struct bpf_map *map;
	size_t size;

	bpf_object__for_each_map (map, s->policy)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS) {
			bpf_map__set_autocreate(map, false);
			table = bpf_map__initial_value(map, &size);
		}
	if (!table || size != sizeof(*table))
		return -ENOEXEC;
	memcpy(s->name, table->name, sizeof(s->name));
	return 0;
}

/* The policy's functions in place of ours; one that it has not stays as it is. */
static int put_in(struct shadow *s)
{
	struct bpf_program *p;
	char name[32];
	int err = 0;

	bpf_object__for_each_program (p, s->policy)
		bpf_program__set_autoload(p, false);
	for (int i = 0; i < CALLBACKS && !err; i++) {
		p = replacer(s, i);
		if (!p)
			continue;
		snprintf(name, sizeof(name), "stub_%s", callback_names[i]);
		bpf_program__set_autoload(p, true);
		err = bpf_program__set_attach_target(p, bpf_program__fd(asker(s, i)), name);
	}
	if (!err)
		err = bpf_object__load(s->policy);
	for (int i = 0; i < CALLBACKS && !err; i++) {
		p = replacer(s, i);
		s->links[i] = p ? bpf_program__attach(p) : NULL;
		if (p && !s->links[i])
			err = -errno;
	}
	return err;
}

/* The struct is the policy's own: nothing of it is looked for in the kernel. */
static int open_policy(struct shadow *s, const char *object)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = object);
	int err;

	s->policy = bpf_object__open_file(object, &opts);
	if (!s->policy)
		return -errno;
	err = prepare(s);
	return err ? err : put_in(s);
}

static void close_policy(struct shadow *s)
{
	for (int i = 0; i < CALLBACKS; i++)
		bpf_link__destroy(s->links[i]);
	memset(s->links, 0, sizeof(s->links));
	bpf_object__close(s->policy);
	s->policy = NULL;
}

static bool answers(int callback)
{
	return strcmp(callback_names[callback], "enter") &&
	       strcmp(callback_names[callback], "leave");
}

static int ask(struct shadow *s, int callback)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct batch *batch = &s->batches[callback];
	struct shadow_bpf__bss *bss = s->skel->bss;
	int err;

	for (uint32_t i = 0; i < batch->count; i++)
		bss->asked[i] = (struct optee_adm_asked){
			.call = batch->calls[i].before,
			.answer = answers(callback) ? NOBODY_S : 0,
		};
	bss->count = batch->count;
	err = bpf_prog_test_run_opts(bpf_program__fd(asker(s, callback)), &opts);
	for (uint32_t i = 0; i < batch->count && !err; i++)
		replay_compare(&s->replay, &batch->calls[i], &bss->asked[i].call,
			       bss->asked[i].answer);
	batch->count = 0;
	return err;
}

static int replay_file(struct shadow *s, FILE *file)
{
	struct witnessed w;
	int more = 0, err = 0;

	while (!err && (more = replay_next(file, s->name, &w)) > 0) {
		struct batch *batch = &s->batches[w.callback];

		batch->calls[batch->count++] = w;
		if (batch->count == BATCH)
			err = ask(s, (int)w.callback);
	}
	for (int i = 0; i < CALLBACKS && !err; i++)
		err = ask(s, i);
	return err ? err : more;
}

/* Returns an exit status. */
static int replay(struct shadow *s, const char *name, const char *object)
{
	FILE *file = fopen(name, "r");
	int err = file ? open_policy(s, object) : -errno;

	s->replay = (struct replay){ .home = "shadow" };
	if (!err)
		err = replay_file(s, file);
	close_policy(s);
	if (file)
		fclose(file);
	if (!err)
		return replay_end(&s->replay, s->name);
	fprintf(stderr, "policy-shadow: cannot ask '%s' what is in '%s': %s\n", object, name,
		strerror(-err));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct shadow *s = calloc(1, sizeof(*s));
	int status = 0;

	if (argc < 3 || !s) {
		fprintf(stderr, "usage: policy-shadow FILE OBJECT...\n");
		return 2;
	}
	libbpf_set_print(warn);
	s->skel = shadow_bpf__open_and_load();
	if (!s->skel) {
		fprintf(stderr, "policy-shadow: cannot load: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	for (int i = 2; i < argc; i++)
		status |= replay(s, argv[1], argv[i]);
	shadow_bpf__destroy(s->skel);
	free(s);
	return status;
}
