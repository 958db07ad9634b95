// SPDX-License-Identifier: GPL-2.0-only
/* The textfile is whole at every moment, and its errors are said once and survived. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "unit.h"
#include "fixtures/capture.h"
#include "metrics/textfile.h"

static char dir[40], name[80];
static struct textfile t;
static struct daemon_stats self;

static void begin(void)
{
	strcpy(dir, "/tmp/optee-top-unit.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/optee.prom", dir);
	daemon_stats_init(&self);
	assert_int_equal(textfile_init(&t, name, &self), 0);
}

/* What is in the directory, but for one. */
static int others(const char *but)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && strcmp(e->d_name, but);
	closedir(d);
	return n;
}

static void end(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* As many lines as the first says. */
static void print(void *arg, FILE *out)
{
	int n = *(int *)arg;

	fprintf(out, "%d\n", n);
	for (int i = 0; i < n; i++)
		fprintf(out, "a line of some length, and its number is %d\n", i);
}

static bool whole(void)
{
	FILE *f = fopen(name, "r");
	int lines = -1, n = 0, c;

	if (!f)
		return false;
	assert_int_equal(fscanf(f, "%d", &n), 1);
	while ((c = fgetc(f)) != EOF)
		lines += c == '\n';
	fclose(f);
	return n == lines;
}

static int write_lines(int n)
{
	return textfile_write(&t, print, &n);
}

UNIT_TEST(writes)
{
	mode_t mask = umask(0077);
	struct stat st;
	FILE *left;

	begin();
	/* Of an earlier life. */
	left = fopen(t.partial, "w");
	assert_non_null(left);
	fclose(left);
	for (int n = 0; n < 1000; n += 499) {
		assert_int_equal(write_lines(n), 0);
		assert_true(whole());
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
		assert_int_equal(others("optee.prom"), 0);
	}
	umask(mask);
	assert_int_equal(self.at[STAT_TEXTFILE_WRITES], 3);
	assert_int_equal(self.at[STAT_TEXTFILE_ERRORS], 0);
	end();
}

/* Who reads at any time, and also after a kill -9, finds a whole file. */
UNIT_TEST(killed)
{
	begin();
	assert_int_equal(write_lines(3), 0);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (int n = 0;; n = (n + 977) % 5000)
				write_lines(n);
		}
		for (int looks = 0; looks < 20; looks++) {
			assert_true(whole());
			usleep((useconds_t)(i * 13));
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_true(whole());
	}
	assert_int_equal(write_lines(3), 0);
	assert_int_equal(others("optee.prom"), 0);
	end();
}

static int lines_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* The directory is gone, and comes again; the old file stays when there is no room. */
UNIT_TEST(errors)
{
	struct rlimit limit, small = { .rlim_cur = 8192 };
	struct capture c;
	char said[1000];

	begin();
	capture_begin(&c, STDERR_FILENO);
	end();
	for (int i = 0; i < 5; i++)
		assert_int_equal(write_lines(3), -ENOENT);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(write_lines(3), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(write_lines(4000), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(whole());
	assert_int_equal(others("optee.prom"), 0);
	assert_int_equal(write_lines(4000), 0);
	assert_int_equal(write_lines(4000), 0);
	capture_end(&c, said, sizeof(said));
	assert_true(whole());
	assert_int_equal(self.at[STAT_TEXTFILE_ERRORS], 10);
	assert_int_equal(self.at[STAT_TEXTFILE_WRITES], 3);
	assert_int_equal(lines_of(said), 4);
	assert_non_null(strstr(said, ": No such file or directory; will try again\n"));
	assert_non_null(strstr(said, ": File too large; will try again\n"));
	end();
}

/* A directory in its way, and a name that is no path. */
UNIT_TEST(in_the_way)
{
	char longest[PATH_MAX + 1];
	struct capture c;
	char said[1000];

	begin();
	assert_int_equal(mkdir(name, 0755), 0);
	capture_begin(&c, STDERR_FILENO);
	assert_int_equal(write_lines(3), -EISDIR);
	capture_end(&c, said, sizeof(said));
	assert_int_equal(others("optee.prom"), 0);
	end();
	memset(longest, 'a', sizeof(longest) - 1);
	longest[PATH_MAX] = '\0';
	assert_int_equal(textfile_init(&t, longest, &self), -ENAMETOOLONG);
	longest[PATH_MAX - 2] = '\0';
	assert_int_equal(textfile_init(&t, longest, &self), -ENAMETOOLONG);
	assert_int_equal(textfile_init(&t, "optee.prom", &self), 0);
	assert_string_equal(t.partial, ".optee.prom.tmp");
	assert_int_equal(textfile_init(&t, "/optee.prom", &self), 0);
	assert_string_equal(t.partial, "/.optee.prom.tmp");
}
