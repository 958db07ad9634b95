// SPDX-License-Identifier: GPL-2.0-only
/*
 * The script: a line a client, of optee-load's words where they mean the same.
 *
 *   name=NAME     the comm of its task, 1 to 15 printable characters
 *   count=N       N such clients, named NAME-1, NAME-2, ...
 *   system        its session is made a system session before the start
 *   system-at=MS  another task makes it one MS after the start
 *   wait=MS       its call waits that long inside OP-TEE, in an RPC; a client
 *                 without it only has its session, until all others are done
 *   clock=N       it has no session: its call sets SCMI's clock N to wait= milliseconds
 *   reset=N       neither: its call resets SCMI's domain N, which takes 10^N milliseconds
 *   at=MS         when its first call begins, after the common start (0)
 *   repeat=N      how many calls (1)
 *   gap=MS        from the end of a call to the begin of the next one (0)
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "kclient.h"

#include <linux/kernel.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#define MAX_MS   (3600 * MSEC_PER_SEC)
#define MAX_SCMI 255

struct line_buffer {
	struct client client; /* a pattern for its clones */
	u32 count;
};

static const struct {
	const char *word;
	size_t offset;
	u32 min, max;
} numbers[] = {
	{ "count", offsetof(struct line_buffer, count), 1, MAX_CLIENTS },
	{ "at", offsetof(struct line_buffer, client.at_ms), 0, MAX_MS },
	{ "wait", offsetof(struct line_buffer, client.wait_ms), 0, MAX_MS },
	{ "gap", offsetof(struct line_buffer, client.gap_ms), 0, MAX_MS },
	{ "repeat", offsetof(struct line_buffer, client.repeat), 1, 1000 },
	{ "clock", offsetof(struct line_buffer, client.clock), 0, MAX_SCMI },
	{ "reset", offsetof(struct line_buffer, client.reset), 0, MAX_SCMI },
	{ "system-at", offsetof(struct line_buffer, client.system_at_ms), 0, MAX_MS },
};

/* One that needs no escapes in JSON. */
static bool is_name(const char *s)
{
	size_t length = strlen(s);

	for (size_t i = 0; i < length; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return false;
	return length && length < TASK_COMM_LEN;
}

static int parse_number(const char *word, const char *value, struct line_buffer *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		u32 *field = (void *)l + numbers[i].offset;

		if (strcmp(word, numbers[i].word))
			continue;
		if (kstrtou32(value, 10, field) || *field < numbers[i].min ||
		    *field > numbers[i].max)
			return -EINVAL;
		return 0;
	}
	return -EINVAL;
}

static int parse_word(const char *text, struct line_buffer *l)
{
	char word[32];
	char *value;

	if (strscpy(word, text, sizeof(word)) < 0)
		return -EINVAL;
	value = strchr(word, '=');
	if (value)
		*value++ = 0;
	if (!IS_ENABLED(HAVE_SYSTEM_SESSION) && !strncmp(word, "system", strlen("system")))
		return -EOPNOTSUPP;
	if (!value) {
		l->client.system |= !strcmp(word, "system");
		return strcmp(word, "system") ? -EINVAL : 0;
	}
	if (strcmp(word, "name"))
		return parse_number(word, value, l);
	if (!is_name(value))
		return -EINVAL;
	strscpy(l->client.name, value, sizeof(l->client.name));
	return 0;
}

/* Is the line one that can be done? NULL if so. */
static const char *why_not(const struct line_buffer *l)
{
	const struct client *c = &l->client;

	if (!c->name[0])
		return "it has no name=";
	if (l->count > 1 && strlen(c->name) + 1 + (l->count > 9) + 1 >= TASK_COMM_LEN)
		return "the name is too long for its clones";
	if (c->system && c->system_at_ms != NEVER)
		return "it is a system session already when its system-at= comes";
	if (c->clock != NEVER && (c->reset != NEVER || c->wait_ms == NEVER))
		return "a clock has a wait=, and no reset=";
	if (is_of_scmi(c) && (c->system || c->system_at_ms != NEVER))
		return "the session is SCMI's, not its own";
	if (c->wait_ms == NEVER && c->reset == NEVER && (c->at_ms || c->gap_ms || c->repeat > 1))
		return "it has no wait=, so it makes no calls";
	return NULL;
}

static int add(const struct line_buffer *l, struct client *clients, unsigned int *nr)
{
	for (u32 i = 1; i <= l->count; i++) {
		struct client *c = &clients[*nr];

		if (*nr == MAX_CLIENTS)
			return -E2BIG;
		*c = l->client;
		if (l->count > 1)
			snprintf(c->name, sizeof(c->name), "%.13s-%u", l->client.name, i);
		init_completion(&c->opened);
		/* open, invokes, close */
		c->records = kcalloc(c->repeat + 2, sizeof(*c->records), GFP_KERNEL);
		++*nr;
		if (!c->records)
			return -ENOMEM;
	}
	return 0;
}

static int parse_line(char *text, unsigned int number, struct client *clients, unsigned int *nr)
{
	struct line_buffer l = {
		.client = { .wait_ms = NEVER,
			    .system_at_ms = NEVER,
			    .repeat = 1,
			    .clock = NEVER,
			    .reset = NEVER },
		.count = 1,
	};
	unsigned int words = 0;
	const char *word, *why;
	int err;

	while ((word = strsep(&text, " \t"))) {
		if (!*word)
			continue;
		words++;
		err = parse_word(word, &l);
		if (err) {
			pr_err("line %u: '%s' %s\n", number, word,
			       err == -EOPNOTSUPP ?
				       "needs tee_client_system_session(), which is not in this kernel" :
				       "is not understood");
			return err;
		}
	}
	if (!words)
		return 0;
	why = why_not(&l);
	if (why) {
		pr_err("line %u: %s\n", number, why);
		return -EINVAL;
	}
	err = add(&l, clients, nr);
	if (err == -E2BIG)
		pr_err("line %u: more than %d clients\n", number, MAX_CLIENTS);
	return err;
}

static void client_free(struct client *c)
{
	if (c->task)
		put_task_struct(c->task);
	if (c->promoter)
		put_task_struct(c->promoter);
	kfree(c->records);
}

void clients_free(struct client *clients, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		client_free(&clients[i]);
	kvfree(clients);
}

int script_parse(char *text, struct client **clients, unsigned int *nr)
{
	unsigned int number = 0;
	char *line;
	int err = 0;

	*nr = 0;
	*clients = kvcalloc(MAX_CLIENTS, sizeof(**clients), GFP_KERNEL);
	if (!*clients)
		return -ENOMEM;
	while (!err && (line = strsep(&text, "\n")))
		err = parse_line(line, ++number, *clients, nr);
	if (!err && !*nr) {
		pr_err("the script has no clients\n");
		err = -EINVAL;
	}
	if (err)
		clients_free(*clients, *nr);
	return err;
}
