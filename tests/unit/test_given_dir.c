// SPDX-License-Identifier: GPL-2.0-only
/* Root gives no directory away whose path somebody else can change. Only root can try. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit.h"
#include "base/given_dir.h"

#define THEY 65534

static const struct {
	const char *path, *to; /* NULL: a directory, else a link */
	bool theirs;
} made[] = {
	{ "root", NULL, false },        { "their", NULL, true },
	{ "their/own", NULL, false }, /* root's, but they can rename it */
	{ "near", "root", false },      { "up", "./root/../near", false },
	{ "their_link", "root", true }, { "their/hop", "../root", false },
	{ "far", "their/hop", false },  { "through", "their/own", false },
	{ "loop", "loop", false },
};

static const struct {
	const char *path;
	int err;
} cases[] = {
	{ "a", 0 },
	{ "root/b", 0 },
	{ "root/b", 0 }, /* it is there already */
	{ "near/c", 0 },
	{ "up//d/", 0 },
	{ "their/e", -EPERM },
	{ "their/own/e", -EPERM },
	{ "their_link/e", -EPERM },
	{ "far/e", -EPERM },
	{ "through/e", -EPERM },
	{ "loop/e", -EPERM },
	{ "none/e", -EPERM },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void make_all(void)
{
	for (size_t i = 0; i < COUNT(made); i++) {
		if (made[i].to)
			assert_int_equal(symlink(made[i].to, made[i].path), 0);
		else
			assert_int_equal(mkdir(made[i].path, 0755), 0);
		if (made[i].theirs)
			assert_int_equal(lchown(made[i].path, THEY, THEY), 0);
	}
}

static void remove_all(const char *base, const char *back)
{
	static const char *const given[] = { "a", "root/b", "root/c", "root/d" };

	for (size_t i = 0; i < COUNT(given); i++) {
		struct stat st;

		assert_int_equal(stat(given[i], &st), 0);
		assert_int_equal(st.st_uid, THEY);
		assert_int_equal(st.st_mode & 07777, 0750);
		assert_int_equal(rmdir(given[i]), 0);
	}
	for (size_t i = COUNT(made); i-- > 0;)
		assert_int_equal(remove(made[i].path), 0);
	assert_int_equal(chdir(back), 0);
	assert_int_equal(rmdir(base), 0);
}

UNIT_TEST(only_where_the_path_is_roots)
{
	const struct identity they = { THEY, THEY };
	char base[] = "/tmp/optee-top-given-XXXXXX", back[PATH_MAX], path[PATH_MAX];

	if (geteuid())
		skip();
	umask(022);
	assert_non_null(getcwd(back, sizeof(back)));
	assert_non_null(mkdtemp(base));
	assert_int_equal(chdir(base), 0);
	make_all();
	for (size_t i = 0; i < COUNT(cases); i++) {
		int err = given_dir_make(cases[i].path, &they);

		if (err != cases[i].err)
			print_error("%s\n", cases[i].path);
		assert_int_equal(err, cases[i].err);
	}
	/* An absolute link, and an absolute path. */
	snprintf(path, sizeof(path), "%s/their", base);
	assert_int_equal(symlink(path, "root/link"), 0);
	snprintf(path, sizeof(path), "%s/root/link/e", base);
	assert_int_equal(given_dir_make(path, &they), -EPERM);
	assert_int_equal(unlink("root/link"), 0);
	assert_int_equal(symlink(base, "root/link"), 0);
	assert_int_equal(given_dir_make("root/link/near/c", &they), 0);
	assert_int_equal(unlink("root/link"), 0);
	remove_all(base, back);
}
