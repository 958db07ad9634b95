// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why the running kernel refuses to load or attach a probe. The kernel's own answer is an error
 * number that fits many causes, so the causes are looked for where the kernel shows them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>
#include "base/text_read.h"
#include "probe/obstacles.h"

static const char *const levels[NR_LOCKDOWNS] = {
	[LOCKDOWN_NONE] = "none",
	[LOCKDOWN_INTEGRITY] = "integrity",
	[LOCKDOWN_CONFIDENTIALITY] = "confidentiality",
};

static enum lockdown level_of(const char *word, size_t len)
{
	for (int l = LOCKDOWN_NONE; l < NR_LOCKDOWNS; l++)
		if (strlen(levels[l]) == len && !strncmp(levels[l], word, len))
			return l;
	return LOCKDOWN_UNKNOWN;
}

enum lockdown lockdown_of_file(const char *text)
{
	const char *word = strchr(text, '[');

	return word ? level_of(word + 1, strcspn(word + 1, "]")) : LOCKDOWN_UNKNOWN;
}

enum lockdown lockdown_of_command_line(const char *text)
{
	enum lockdown found = LOCKDOWN_UNKNOWN;

	for (const char *word = text; *(word += strspn(word, " \n"));) {
		size_t len = strcspn(word, " \n"), name = strlen("lockdown=");

		if (len > name && !strncmp(word, "lockdown=", name))
			found = level_of(word + name, len - name);
		word += len;
	}
	return found;
}

/* Without securityfs mounted there is the command line, which cannot tell that there is none. */
enum lockdown lockdown_read(void)
{
	enum lockdown found = LOCKDOWN_UNKNOWN;
	char *text;
	size_t line;

	if (!text_read("/sys/kernel/security/lockdown", TEXT_FILE, &text, &line))
		found = lockdown_of_file(text);
	else if (!text_read("/proc/cmdline", TEXT_FILE, &text, &line))
		found = lockdown_of_command_line(text);
	free(text);
	return found;
}

const char *lockdown_text(enum lockdown l)
{
	static const char *const texts[NR_LOCKDOWNS] = {
		[LOCKDOWN_UNKNOWN] = "not known (no /sys/kernel/security/lockdown)",
		[LOCKDOWN_NONE] = "none",
		[LOCKDOWN_INTEGRITY] = "integrity (the probes may be used)",
		[LOCKDOWN_CONFIDENTIALITY] =
			"confidentiality: BPF programs may not read the kernel's memory",
	};

	return texts[l];
}

/*
 * Without one of these some probe cannot be used, though perhaps none of those that this driver
 * needs: fentry, for example, does without kprobes.
 */
static const char *const needed[] = {
	"CONFIG_BPF_SYSCALL",   "CONFIG_BPF_EVENTS",  "CONFIG_PERF_EVENTS", "CONFIG_KPROBES",
	"CONFIG_KPROBE_EVENTS", "CONFIG_TRACEPOINTS", "CONFIG_KALLSYMS",
};

#define NR_NEEDED (sizeof(needed) / sizeof(needed[0]))

static gzFile open_config(void)
{
	gzFile f = gzopen("/proc/config.gz", "r");
	struct utsname u;
	char path[128];

	if (f || uname(&u))
		return f;
	snprintf(path, sizeof(path), "/boot/config-%.64s", u.release);
	f = gzopen(path, "r");
	if (f)
		return f;
	snprintf(path, sizeof(path), "/lib/modules/%.64s/config", u.release);
	return gzopen(path, "r");
}

const char *obstacles_options(char *buf, size_t len)
{
	bool has[NR_NEEDED] = {}, any = false;
	gzFile f = open_config();
	char line[256];
	size_t used = 0;

	while (f && gzgets(f, line, sizeof(line)))
		for (size_t i = 0; i < NR_NEEDED; i++) {
			size_t n = strlen(needed[i]);

			any |= !strncmp(line, "CONFIG_", 7);
			if (!strncmp(line, needed[i], n) && line[n] == '=' && line[n + 1] == 'y')
				has[i] = true;
		}
	if (f)
		gzclose(f);
	buf[0] = '\0';
	if (!any)
		snprintf(buf, len, "?");
	for (size_t i = 0; any && i < NR_NEEDED && used < len; i++)
		if (!has[i])
			used += (size_t)snprintf(buf + used, len - used, "%s%s", used ? " " : "",
						 needed[i]);
	return buf;
}

const char *obstacle_text(char *buf, size_t len, enum lockdown lockdown, const char *missing,
			  const char *says)
{
	if (lockdown == LOCKDOWN_CONFIDENTIALITY)
		snprintf(
			buf, len,
			"the kernel is locked down (confidentiality), and lets no BPF program "
			"read its memory (%s); boot it with lockdown=integrity, or without lockdown=",
			says);
	else if (*missing && *missing != '?')
		snprintf(buf, len, "%s; this kernel was built without %s, which may be why", says,
			 missing);
	else
		snprintf(buf, len,
			 "%s; OPTEE_TOP_DEBUG=1 shows what the kernel says, for a bug report",
			 says);
	return buf;
}

const char *obstacle(char *buf, size_t len, const char *says)
{
	char missing[256];

	obstacles_options(missing, sizeof(missing));
	return obstacle_text(buf, len, lockdown_read(), missing, says);
}
