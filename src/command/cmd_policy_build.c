// SPDX-License-Identifier: GPL-2.0-only
/*
 * 'policy build': clang, with the flags that the project's own policies are built with, and a
 * look at what it made. The object has its name only when it is a policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/out_file.h"
#include "base/stop.h"
#include "command/cmd_policy.h"
#include "command/cmd_policy_build.h"
#include "policy/policy_object.h"

#define MAX_WORDS 32

extern char **environ;

/* POLICY_FLAGS is in policies/policies.mk. */
static const char flags[] = POLICY_FLAGS;

struct headers {
	char policy[PATH_MAX + 8], contract[PATH_MAX + 8]; /* -I of policy.h, optee_admission.h */
};

static bool in(const char *dir, const char *file)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return !access(path, R_OK);
}

/* Where the headers are, from where the program is: installed, or in the project's tree. */
static enum status find_headers(const struct opts *o, const char *source, struct headers *h)
{
	static const char *const places[][2] = {
		{ "/../share/optee-top/policy", "/../share/optee-top/policy" },
		{ "/../../policies", "/../../include" },
	};
	char own[PATH_MAX / 2], policy[PATH_MAX], contract[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *end;

	if (o->policy.include) {
		snprintf(h->policy, sizeof(h->policy), "-I%s", o->policy.include);
		snprintf(h->contract, sizeof(h->contract), "-I%s", o->policy.include);
		if (in(o->policy.include, "policy.h"))
			return STATUS_OK;
		return fail(STATUS_FAILURE, "cannot build '%s': there is no policy.h in '%s'",
			    source, o->policy.include);
	}
	own[n < 0 ? 0 : n] = '\0';
	end = strrchr(own, '/');
	if (end)
		*end = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(policy, sizeof(policy), "%s%s", own, places[i][0]);
		snprintf(contract, sizeof(contract), "%s%s", own, places[i][1]);
		if (!in(policy, "policy.h") || !in(contract, "optee_admission.h"))
			continue;
		snprintf(h->policy, sizeof(h->policy), "-I%s", policy);
		snprintf(h->contract, sizeof(h->contract), "-I%s", contract);
		return STATUS_OK;
	}
	return fail(STATUS_FAILURE,
		    "cannot build '%s': policy.h is not installed; name the directory that it is in "
		    "with --include",
		    source);
}

/* Clang says itself what is wrong with a source. */
static enum status compile(const char *source, const struct headers *h, const char *object)
{
	char copy[sizeof(flags)], *argv[MAX_WORDS + 8] = { "clang" }, *word;
	int argc = 1, err, ended;
	pid_t pid;

	strcpy(copy, flags);
	for (word = strtok(copy, " "); word && argc < MAX_WORDS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc++] = (char *)h->contract;
	argv[argc++] = (char *)h->policy;
	argv[argc++] = "-c";
	argv[argc++] = (char *)source;
	argv[argc++] = "-o";
	argv[argc++] = (char *)object;
	err = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (err)
		return fail(STATUS_FAILURE, "cannot build '%s': clang: %s%s", source, strerror(err),
			    err == ENOENT ? "; apt install clang, or what your system calls it" :
					    "");
	while (waitpid(pid, &ended, 0) < 0)
		if (errno != EINTR)
			return fail(STATUS_FAILURE, "cannot build '%s': clang: %s", source,
				    strerror(errno));
	if (WIFSIGNALED(ended))
		return fail(STATUS_FAILURE, "cannot build '%s': clang was ended by signal %d",
			    source, WTERMSIG(ended));
	return (enum status)WEXITSTATUS(ended);
}

/* FILE.c in any directory: FILE.o in this one, as cc has it. */
static enum status name_output(const struct opts *o, const char *source, char *object, size_t len)
{
	const char *base = strrchr(source, '/') ? strrchr(source, '/') + 1 : source;
	size_t n = strlen(base);

	if (n < 3 || strcmp(base + n - 2, ".c") != 0)
		return fail(STATUS_USAGE, "cannot build '%s': its name does not end in .c", source);
	if (o->output)
		snprintf(object, len, "%s", o->output);
	else
		snprintf(object, len, "%.*s.o", (int)n - 2, base);
	return STATUS_OK;
}

/* An object that is replaced may be private. */
static void keep_mode(const char *partial, const char *object)
{
	int fd = open(partial, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat old;

	if (fd < 0)
		return;
	if (!stat(object, &old))
		out_file_like(fd, &old);
	close(fd);
}

enum status cmd_policy_build(const struct opts *o, char **words)
{
	char object[PATH_MAX], partial[PATH_MAX + 32];
	const char *source = words[0];
	struct policy_object made;
	struct headers h;
	enum status status = name_output(o, source, object, sizeof(object));

	if (status == STATUS_OK && out_file_is(object, source))
		return fail(STATUS_USAGE, "cannot build '%s': --output is the same file", source);
	if (status == STATUS_OK && access(source, R_OK))
		status = fail(STATUS_FAILURE, "cannot build '%s': %s", source, strerror(errno));
	if (status == STATUS_OK)
		status = find_headers(o, source, &h);
	if (status != STATUS_OK)
		return status;
	snprintf(partial, sizeof(partial), "%s.%d.o", object, (int)getpid());
	status = compile(source, &h, partial);
	if (status == STATUS_OK)
		status = policy_object_open_as(&made, "build", source, partial);
	if (status == STATUS_OK)
		keep_mode(partial, object);
	if (status == STATUS_OK && rename(partial, object))
		status = fail(STATUS_FAILURE, "cannot write '%s': %s", object, strerror(errno));
	if (status != STATUS_OK) {
		unlink(partial);
		return status;
	}
	printf("policy '%s' built: %s\n", made.name, object);
	policy_object_close(&made);
	return stop_flush();
}
