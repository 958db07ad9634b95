// SPDX-License-Identifier: GPL-2.0-only
/* Starts and awaits the command of a check. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/child.h"

extern char **environ;

enum status child_start(struct child *c, char **argv)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t usual;
	int err;

	*c = (struct child){};
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE); /* what we ignore, it would ignore */
	sigaddset(&usual, SIGXFSZ);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	err = posix_spawnp(&c->pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (!err)
		return STATUS_OK;
	c->pid = 0;
	return fail(err == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN, "cannot run '%s': %s",
		    argv[0], strerror(err));
}

bool child_ended(struct child *c)
{
	int status;

	if (!c->pid)
		return true;
	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

void child_signal(const struct child *c, int sig)
{
	if (c->pid)
		kill(c->pid, sig);
}
