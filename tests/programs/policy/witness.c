// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes down what every policy is asked and answers, while it runs: policy-witness FILE,
 * until SIGTERM. It looks again and again which policies there are in the kernel, and
 * follows each of their callbacks from outside, so that it takes no part in what they do.
 * Its output has a line for each policy that it has begun to follow, and at its end one
 * that says how many callbacks it saw and how many of them it lost.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "witness.h"
#include "witness.skel.h"

#define LOOK_US  20000
#define FOLLOWED 32 /* policies at once: a swap has two, and old ones go late */

static const char *const names[CALLBACKS] = { "reserve", "admit", "rank", "enter", "leave" };

/* How the kernel shows the map of a policy: its programs by their ids. */
struct table {
	uint32_t refcnt, state;
	struct {
		uint64_t init, exit, callbacks[CALLBACKS];
		uint32_t flags, timeout_ms;
		char name[OPTEE_ADM_NAME];
	} ops __attribute__((aligned(64)));
};

struct followed {
	uint32_t map; /* its id; 0: nobody is followed here */
	bool there;   /* in this look */
	struct witness_bpf *skel;
	struct bpf_link *begins[CALLBACKS], *ends[CALLBACKS];
};

struct witness {
	struct witness_bpf *first; /* has the maps */
	struct followed followed[FOLLOWED];
	FILE *file;
	uint64_t seen, missed;
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static int warn(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, args) : 0;
}

static int keep(void *arg, void *data, size_t size)
{
	struct witness *w = arg;

	if (size != sizeof(struct witnessed) || fwrite(data, size, 1, w->file) != 1)
		return -EIO;
	w->seen++;
	return 0;
}

static struct bpf_program *program(const struct followed *f, const char *when, int callback)
{
	char full[32];

	snprintf(full, sizeof(full), "%s_%s", when, names[callback]);
	return bpf_object__find_program_by_name(f->skel->obj, full);
}

static int aim(struct bpf_program *p, int target, const char *name)
{
	if (target < 0)
		return target;
	bpf_program__set_autoload(p, true);
	return bpf_program__set_attach_target(p, target, name);
}

/* A copy of the programs, aimed at those of the table. -ENOENT: the policy has gone meanwhile. */
static int load(const struct witness *w, struct followed *f, const struct table *table)
{
	static const char *const when[] = { "begin", "end" };
	struct bpf_map *maps[][2] = { { f->skel->maps.ring, w->first->maps.ring },
				      { f->skel->maps.begun, w->first->maps.begun },
				      { f->skel->maps.lost, w->first->maps.lost } };
	int fds[CALLBACKS] = { 0 }, err = 0;

	memcpy(f->skel->rodata->policy, table->ops.name, sizeof(table->ops.name));
	for (int i = 0; i < 3 && !err; i++)
		err = bpf_map__reuse_fd(maps[i][0], bpf_map__fd(maps[i][1]));
	for (int i = 0; i < 2 * CALLBACKS && !err; i++) {
		int callback = i / 2;
		struct bpf_program *p = program(f, when[i % 2], callback);

		if (!table->ops.callbacks[callback])
			continue;
		if (!fds[callback])
			fds[callback] =
				bpf_prog_get_fd_by_id((uint32_t)table->ops.callbacks[callback]);
		err = aim(p, fds[callback], names[callback]);
	}
	if (!err)
		err = witness_bpf__load(f->skel);
	for (int i = 0; i < CALLBACKS; i++)
		if (fds[i] > 0)
			close(fds[i]);
	return err;
}

/* The ends last: what ends has begun. */
static int attach(struct followed *f, const struct table *table)
{
	for (int i = 0; i < 2 * CALLBACKS; i++) {
		int callback = i % CALLBACKS;
		struct bpf_link **link = i < CALLBACKS ? f->begins : f->ends;

		if (!table->ops.callbacks[callback])
			continue;
		link += callback;
		*link = bpf_program__attach(program(f, i < CALLBACKS ? "begin" : "end", callback));
		if (!*link)
			return -errno;
	}
	return 0;
}

/* What the kernel left out, as a program was running on that CPU already. */
static uint64_t missed_by(const struct followed *f)
{
	struct bpf_program *p;
	uint64_t missed = 0;

	bpf_object__for_each_program (p, f->skel->obj) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (bpf_program__fd(p) >= 0 &&
		    !bpf_prog_get_info_by_fd(bpf_program__fd(p), &info, &size))
			missed += info.recursion_misses;
	}
	return missed;
}

static void leave(struct witness *w, struct followed *f)
{
	for (int i = 0; i < CALLBACKS; i++)
		bpf_link__destroy(f->ends[i]);
	for (int i = 0; i < CALLBACKS; i++)
		bpf_link__destroy(f->begins[i]);
	w->missed += missed_by(f);
	witness_bpf__destroy(f->skel);
	*f = (struct followed){ 0 };
}

static int follow(struct witness *w, uint32_t map, const struct table *table)
{
	struct followed *f = w->followed;
	int err;

	while (f < w->followed + FOLLOWED && f->map)
		f++;
	if (f == w->followed + FOLLOWED)
		return -ENOSPC;
	*f = (struct followed){ .map = map, .there = true, .skel = witness_bpf__open() };
	if (!f->skel)
		return -errno;
	err = load(w, f, table);
	if (err == -ENOENT) {
		leave(w, f);
		return 0;
	}
	if (!err)
		err = attach(f, table);
	if (err)
		return err;
	printf("follows %.16s\n", table->ops.name);
	fflush(stdout);
	return 0;
}

static struct followed *find(struct witness *w, uint32_t map)
{
	for (int i = 0; i < FOLLOWED; i++)
		if (w->followed[i].map == map)
			return &w->followed[i];
	return NULL;
}

/* Is the map a policy that is there to be followed? It is not held: it may go any time. */
static bool is_policy(uint32_t id, struct table *table)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info), zero = 0;
	int fd = bpf_map_get_fd_by_id(id);
	bool found;

	if (fd < 0)
		return false;
	found = !bpf_map_get_info_by_fd(fd, &info, &size) && info.type == BPF_MAP_TYPE_STRUCT_OPS &&
		info.value_size == sizeof(*table) && !bpf_map_lookup_elem(fd, &zero, table) &&
		table->ops.name[0];
	close(fd);
	return found;
}

static int look(struct witness *w)
{
	uint32_t id = 0;
	int err = 0;

	for (int i = 0; i < FOLLOWED; i++)
		w->followed[i].there = false;
	while (!err && !bpf_map_get_next_id(id, &id)) {
		struct followed *f = find(w, id);
		struct table table;

		if (f)
			f->there = true;
		else if (is_policy(id, &table))
			err = follow(w, id, &table);
	}
	for (int i = 0; i < FOLLOWED; i++)
		if (w->followed[i].map && !w->followed[i].there)
			leave(w, &w->followed[i]);
	return err;
}

static int witness(struct witness *w)
{
	struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(w->first->maps.ring), keep, w,
						    NULL);
	int err = ring ? 0 : -errno;

	while (!stopped && !err) {
		err = look(w);
		if (!err && ring_buffer__consume(ring) < 0)
			err = -EIO;
		usleep(LOOK_US);
	}
	for (int i = 0; i < FOLLOWED; i++)
		if (w->followed[i].map)
			leave(w, &w->followed[i]);
	if (!err && ring_buffer__consume(ring) < 0)
		err = -EIO;
	ring_buffer__free(ring);
	return err;
}

static uint64_t lost(const struct witness *w)
{
	uint64_t count = 0;

	bpf_map_lookup_elem(bpf_map__fd(w->first->maps.lost), &(uint32_t){ 0 }, &count);
	return count + w->missed;
}

int main(int argc, char **argv)
{
	struct witness w = { 0 };
	int err;

	if (argc != 2) {
		fprintf(stderr, "usage: policy-witness FILE\n");
		return 2;
	}
	libbpf_set_print(warn);
	signal(SIGTERM, stop);
	setpriority(PRIO_PROCESS, 0, 10); /* the ring has room for what waits meanwhile */
	w.file = fopen(argv[1], "w");
	w.first = w.file ? witness_bpf__open_and_load() : NULL;
	err = w.first ? witness(&w) : -errno;
	if (w.file && fclose(w.file))
		err = -errno;
	if (err) {
		fprintf(stderr, "policy-witness: cannot write to '%s' what policies do: %s\n",
			argv[1], strerror(-err));
		return EXIT_FAILURE;
	}
	printf("seen %llu lost %llu\n", (unsigned long long)w.seen, (unsigned long long)lost(&w));
	witness_bpf__destroy(w.first);
	return 0;
}
