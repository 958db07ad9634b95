// SPDX-License-Identifier: GPL-2.0-only
/*
 * The little language of a CLIENT argument: words of settings and of steps, as
 * optee-load --help describes them, become a struct client.
 */
#include "load.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	TEEC_UUID uuid;
} tas[] = {
	/* user TAs of xtest, an instance for each session */
	{ "os_test",
	  { 0x5b9e0e40, 0x2636, 0x11e1, { 0xad, 0x9e, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b } } },
	{ "concurrent",
	  { 0xe13010e0, 0x2ae1, 0x11e5, { 0x89, 0x6a, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b } } },
	/* in OP-TEE's core: needs no tee-supplicant, and sessions cost little */
	{ "invoke_tests",
	  { 0xd96a5b40, 0xc3e5, 0x21e3, { 0x87, 0x94, 0x10, 0x02, 0xa5, 0xd5, 0xc6, 0x1b } } },
};

static const struct call calls[] = {
	{ "os_test", "wait", 9, TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, 0, 0, 0) },
	{ "os_test", "nop", 18, TEEC_PARAM_TYPES(TEEC_VALUE_OUTPUT, 0, 0, 0) },
	{ "concurrent", "burn", 0,
	  TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INOUT, TEEC_VALUE_INOUT, 0, 0) },
	{ "concurrent", "sha", 1,
	  TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INOUT, TEEC_VALUE_INOUT, TEEC_MEMREF_PARTIAL_INPUT,
			   TEEC_MEMREF_PARTIAL_OUTPUT) },
	{ "concurrent", "nop", 0,
	  TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INOUT, TEEC_VALUE_INOUT, 0, 0) },
	{ "invoke_tests", "nop", 1, TEEC_PARAM_TYPES(TEEC_VALUE_INOUT, 0, 0, 0) },
};

static const struct {
	const char *word;
	size_t offset;
	uint32_t min, max;
} settings[] = {
	{ "sessions", offsetof(struct client, sessions), 0, MAX_SESSIONS },
	{ "hold-sessions", offsetof(struct client, hold_sessions), 0, MAX_SESSIONS },
	{ "threads", offsetof(struct client, threads), 1, MAX_WORKERS },
	{ "count", offsetof(struct client, count), 1, 999 },
	{ "nice", offsetof(struct client, nice), 0, 19 },
};

/* Steps that are not invokes. */
static const struct {
	const char *word;
	enum step_kind kind;
	bool valued;
} plain_steps[] = {
	{ "repeat", STEP_REPEAT, true }, { "at", STEP_AT, true },
	{ "gap", STEP_GAP, true },       { "hold", STEP_HOLD, false },
	{ "open", STEP_OPEN, false },    { "close", STEP_CLOSE, false },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *parse_u32(const char *s, uint32_t *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*s))
		return NULL;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || v > UINT32_MAX)
		return NULL;
	*value = (uint32_t)v;
	return end;
}

/* "N" or "N..M" */
static bool parse_range(const char *s, uint32_t *lo, uint32_t *hi)
{
	s = parse_u32(s, lo);
	if (!s)
		return false;
	*hi = *lo;
	if (!strncmp(s, "..", 2))
		s = parse_u32(s + 2, hi);
	return s && !*s && *lo <= *hi;
}

/* A comm may hold every byte but NUL; \xNN and \\ make them sayable. */
static bool parse_name(const char *s, char name[NAME_SIZE])
{
	size_t n = 0;

	while (*s) {
		char byte = *s++;

		if (byte == '\\' && *s == 'x' && isxdigit((unsigned char)s[1]) &&
		    isxdigit((unsigned char)s[2])) {
			byte = (char)strtoul((const char[]){ s[1], s[2], 0 }, NULL, 16);
			s += 3;
		} else if (byte == '\\' && *s++ != '\\') {
			return false;
		}
		if (!byte || n == NAME_SIZE - 1)
			return false;
		name[n++] = byte;
	}
	name[n] = 0;
	return n > 0;
}

static bool parse_uuid(const char *s, TEEC_UUID *uuid)
{
	uint8_t *node = uuid->clockSeqAndNode;
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	return sscanf(s, "%8x-%4hx-%4hx-%2hhx%2hhx-%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx", &uuid->timeLow,
		      &uuid->timeMid, &uuid->timeHiAndVersion, &node[0], &node[1], &node[2],
		      &node[3], &node[4], &node[5], &node[6], &node[7]) == 11;
}

static bool parse_ta(const char *s, struct client *c)
{
	bool known = parse_uuid(s, &c->uuid);

	for (size_t i = 0; i < ARRAY_SIZE(tas) && !known; i++) {
		known = !strcmp(s, tas[i].name);
		c->uuid = tas[i].uuid;
	}
	if (known)
		strcpy(c->ta, s);
	return known;
}

static const struct call *find_call(const char *ta, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i].ta, ta) && !strcmp(calls[i].word, word))
			return &calls[i];
	return NULL;
}

/* value is NULL if the word has none */
static bool parse_step(const char *word, const char *value, struct client *c)
{
	struct step s = { .kind = STEP_CALL };
	bool valued = strcmp(word, "nop");
	bool known = !strcmp(word, "cmd");

	for (size_t i = 0; i < ARRAY_SIZE(plain_steps) && !known; i++) {
		known = !strcmp(word, plain_steps[i].word);
		if (known) {
			s.kind = plain_steps[i].kind;
			valued = plain_steps[i].valued;
		}
	}
	if (!known) {
		s.call = find_call(c->ta, word);
		known = s.call;
	}
	if (!known || valued != !!value || (value && !parse_range(value, &s.lo, &s.hi)) ||
	    c->nr_steps == MAX_STEPS)
		return false;
	c->steps[c->nr_steps++] = s;
	return true;
}

static bool parse_word(char *word, struct client *c)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = 0;
	if (value && !strcmp(word, "name"))
		return parse_name(value, c->name);
	if (value && !strcmp(word, "ta"))
		return !c->nr_steps && parse_ta(value, c);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		uint32_t *field = (uint32_t *)(void *)((char *)c + settings[i].offset);
		const char *end;

		if (strcmp(word, settings[i].word))
			continue;
		end = value ? parse_u32(value, field) : NULL;
		return end && !*end && *field >= settings[i].min && *field <= settings[i].max;
	}
	return parse_step(word, value, c);
}

/* Is the script one that can be done? Finds out what it needs; NULL if so. */
static const char *check_script(struct client *c)
{
	uint64_t passes = 1, calls_per_worker = 0;
	uint32_t workers = (c->sessions ? c->sessions : 1) * c->threads;
	bool own = false;

	for (unsigned int i = 0; i < c->nr_steps; i++) {
		const struct step *s = &c->steps[i];
		bool is_call = s->kind >= STEP_OPEN;

		if (c->endless && (s->kind == STEP_REPEAT || s[-1].kind == STEP_HOLD))
			return "nothing can follow an endless part";
		if (s->kind == STEP_REPEAT) {
			if (own)
				return "an open has no close in its part";
			if (s->lo != s->hi)
				return "repeat= takes one number";
			if (i + 1 == c->nr_steps || s[1].kind == STEP_REPEAT)
				return "repeat= has nothing after it to repeat";
			passes = s->lo;
		}
		if (s->kind == STEP_OPEN ? own : s->kind == STEP_CLOSE && !own)
			return "open and close must alternate";
		if (is_call && s->kind != STEP_CALL)
			own = !own;
		if (s->kind == STEP_CALL && !own && !c->sessions)
			return "a call has no session";
		if (s->call && TEEC_PARAM_TYPE_GET(s->call->types, 0) == TEEC_MEMREF_PARTIAL_INOUT)
			c->needs_shm = true;
		c->endless |= !passes || s->kind == STEP_HOLD;
		calls_per_worker += is_call ? passes : 0;
	}
	if (own)
		return "an open has no close in its part";
	if (!c->nr_steps)
		return "it has nothing to do; give it a step, or hold";
	if (workers > MAX_WORKERS)
		return "too many threads";
	c->planned = 2ull * (c->sessions + c->hold_sessions + c->needs_shm) +
		     workers * calls_per_worker;
	return NULL;
}

int client_parse(struct client *c, const char *text, unsigned int ordinal)
{
	static const char blank[] = " \t\n";
	char *copy = strdup(text), *word, *save;
	const char *why;

	*c = (struct client){ .sessions = 1, .threads = 1, .count = 1 };
	snprintf(c->name, sizeof(c->name), "client%u", ordinal);
	parse_ta(tas[0].name, c);
	for (const char *s = text; *s; s++)
		c->seed = (c->seed ^ (unsigned char)*s) * 16777619u;

	if (!copy)
		return -ENOMEM;
	for (word = strtok_r(copy, blank, &save); word; word = strtok_r(NULL, blank, &save)) {
		size_t length = strlen(word);

		if (!parse_word(word, c)) {
			fprintf(stderr, "optee-load: client %u: '%.*s' is not understood (ta=%s)\n",
				ordinal, (int)length, text + (word - copy), c->ta);
			free(copy);
			return -EINVAL;
		}
	}
	free(copy);
	why = check_script(c);
	if (why)
		fprintf(stderr, "optee-load: client %u: %s\n", ordinal, why);
	return why ? -EINVAL : 0;
}
