// SPDX-License-Identifier: GPL-2.0-only
/* Reads rules: one a line, words apart by blanks, a # begins a comment. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "base/text_read.h"
#include "check/judge.h"
#include "check/rule_table.h"
#include "check/rules.h"
#include "model/condition_table.h"

#define MAX_WORDS 4 /* more than any rule has */
#define MAX_TIME  (365ULL * 24 * 3600 * 1000000000)
#define BLANKS    " \t\r\n"

/* Where a rule stands, for errors. */
struct place {
	const char *file;
	unsigned int line;
};

static enum status wrong(const struct place *at, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum status wrong(const struct place *at, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return fail(STATUS_USAGE, "%s:%u: %s", at->file, at->line, text);
}

/* A word as an error shows it. */
struct shown {
	char text[4 * 40 + 1];
};

static struct shown show(const char *word)
{
	struct shown s;

	text_sanitise(s.text, word, 40);
	return s;
}

/* How many letters have to be changed, put in or left out. */
static size_t distance(const char *a, const char *b)
{
	size_t row[RULE_TEXT], len = strlen(b);

	if (len >= RULE_TEXT)
		return len;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0]++;

		for (size_t j = 0; j < len; j++) {
			size_t best = corner + (a[i] != b[j]);

			corner = row[j + 1];
			if (corner + 1 < best)
				best = corner + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[len];
}

static enum status no_such_rule(const struct place *at, const char *word)
{
	const struct rule_kind *kind;
	const char *near = NULL;
	size_t least = 4; /* more wrong letters are another word */

	for (size_t i = 0; (kind = rule_kind_at(i)); i++) {
		const char *name = kind->name;
		bool begins = !strncmp(word, name, strlen(name));
		size_t d = begins ? 0 : distance(word, name);

		if (d < least) {
			least = d;
			near = name;
		}
	}
	if (near)
		return wrong(at, "no rule '%s'; did you mean %s?", show(word).text, near);
	return wrong(at, "no rule '%s'; 'optee-top help rules' lists them", show(word).text);
}

/* 500us, 20ms, 1.5s. */
static bool parse_time(const char *word, u64 *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 } };
	size_t digits = strspn(word, "0123456789.");
	char *end;
	double n;

	n = strtod(word, &end);
	if (!digits || end != word + digits)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		n = n * units[i].ns + 0.5;
		if (n < 1 || n > (double)MAX_TIME)
			return false;
		*ns = (u64)n;
		return true;
	}
	return false;
}

static bool parse_count(const char *word, u64 *count)
{
	char *end;

	errno = 0;
	*count = strtoull(word, &end, 10);
	return word[strspn(word, "0123456789")] == '\0' && *word && !errno && *count;
}

static enum status take_time(struct rule *r, const struct place *at, const char *word)
{
	char least[32];

	if (!parse_time(word, &r->value))
		return wrong(at, "'%s' is not a TIME such as 500us, 20ms or 1.5s", show(word).text);
	if (r->value < r->kind->least_ns)
		return wrong(at, "'%s' is too short for %s: %s at least", show(word).text,
			     r->kind->name, format_ns(r->kind->least_ns, least, sizeof(least)));
	return STATUS_OK;
}

static enum status take_class(struct rule *r, const struct place *at, const char *word)
{
	for (int class = 0; class < NR_CLASSES; class ++)
		if (!strcmp(word, class_name(class))) {
			r->class = class;
			return STATUS_OK;
		}
	return wrong(at, "'%s' is not a class: normal or system", show(word).text);
}

static enum status take_arguments(struct rule *r, const struct place *at, char **words, int nr)
{
	static const struct {
		int least, most;
	} words_of[] = {
		[ARG_NONE] = { 0, 0 },  [ARG_TIME_OR_NONE] = { 0, 1 }, [ARG_TIME] = { 1, 1 },
		[ARG_COUNT] = { 1, 1 }, [ARG_CLASS_TIME] = { 2, 2 },
	};
	enum rule_arg arg = r->kind->arg;
	enum status status = STATUS_OK;

	if (nr > words_of[arg].most)
		return wrong(at, "unexpected argument '%s' for %s%s%s",
			     show(words[words_of[arg].most]).text, r->kind->name,
			     *rule_arg_help(arg) ? " " : "", rule_arg_help(arg));
	if (nr < words_of[arg].least)
		return wrong(at, "%s needs an argument: %s %s", r->kind->name, r->kind->name,
			     rule_arg_help(arg));
	if (arg == ARG_COUNT && !parse_count(words[0], &r->value))
		return wrong(at, "'%s' is not a whole number from 1 up", show(words[0]).text);
	if (arg == ARG_CLASS_TIME)
		status = take_class(r, at, words[0]);
	if (status == STATUS_OK && nr && arg != ARG_COUNT)
		status = take_time(r, at, words[nr - 1]);
	for (int i = 0; i < nr && status == STATUS_OK; i++) {
		size_t len = strlen(r->text);

		if (snprintf(r->text + len, sizeof(r->text) - len, "%s%s", i ? " " : "",
			     words[i]) >= (int)(sizeof(r->text) - len))
			return wrong(at, "'%s' is too long", show(words[i]).text);
	}
	return status;
}

static bool same(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && a->class == b->class && a->value == b->value;
}

/* Takes a line apart; one without a rule is fine, too. */
static enum status take_line(struct rules *rules, const struct place *at, char *line)
{
	char *words[MAX_WORDS + 1], *save = NULL;
	struct rule rule = {}, *grown;
	enum status status;
	int nr = 0;

	line[strcspn(line, "#")] = '\0';
	for (char *w = strtok_r(line, BLANKS, &save); w && nr <= MAX_WORDS;
	     w = strtok_r(NULL, BLANKS, &save))
		words[nr++] = w;
	if (!nr)
		return STATUS_OK;
	if (!rule_kind_find(&rule, words[0]))
		return no_such_rule(at, words[0]);
	status = take_arguments(&rule, at, words + 1, nr - 1);
	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < rules->nr; i++)
		if (same(&rules->rules[i], &rule))
			return wrong(at, "%s%s%s is given twice", rule.kind->name,
				     *rule.text ? " " : "", rule.text);
	grown = realloc(rules->rules, (rules->nr + 1) * sizeof(*grown));
	if (!grown)
		return wrong(at, "out of memory");
	rules->rules = grown;
	grown[rules->nr++] = rule;
	return STATUS_OK;
}

static enum status take_usual(struct rules *rules, bool with_command)
{
	struct place at = { "usual rules", 0 };
	enum status status = STATUS_OK;
	char line[RULE_TEXT], next[RULE_TEXT];

	for (size_t i = 0; status == STATUS_OK && usual_rule(i, line); i++) {
		at.line++;
		if (usual_rule(i + 1, next) || with_command)
			status = take_line(rules, &at, line);
	}
	return status;
}

static enum status take_file(struct rules *rules, const char *file)
{
	struct place at = { file, 0 };
	enum status status = STATUS_OK;
	char *text, *line, *rest;
	size_t nul_line;
	int err = text_read(file, TEXT_INPUT, &text, &nul_line);

	if (nul_line) {
		at.line = (unsigned int)nul_line;
		return wrong(&at, "it has a NUL byte, so it is not text");
	}
	if (err)
		return fail(STATUS_USAGE,
			    "cannot read '--rules %s': %s; 'optee-top help rules' explains its "
			    "format",
			    file, text_read_why(err));
	rest = text;
	while (status == STATUS_OK && (line = text_line(&rest))) {
		at.line++;
		status = take_line(rules, &at, line);
	}
	if (status == STATUS_OK && !rules->nr)
		status = fail(STATUS_USAGE,
			      "cannot use '--rules %s': it has no rule; 'optee-top help rules' "
			      "lists them",
			      file);
	free(text);
	return status;
}

enum status rules_load(struct rules *r, const char *file, bool with_command)
{
	enum status status;

	*r = (struct rules){};
	status = file ? take_file(r, file) : take_usual(r, with_command);
	if (status != STATUS_OK)
		rules_release(r);
	return status;
}

void rules_release(struct rules *r)
{
	free(r->rules);
	*r = (struct rules){};
}

u64 rules_starved(struct rules *r, u64 starved_ns)
{
	u64 least = starved_ns;

	for (size_t i = 0; i < r->nr; i++) {
		struct rule *rule = &r->rules[i];

		if (rule->judge != judge_condition || !condition_table[rule->cond].by_starved)
			continue;
		if (!rule->value)
			rule->value = starved_ns;
		if (rule->value < least)
			least = rule->value;
	}
	return least;
}

void rules_wait(struct rules *r, enum call_class class, u64 ns)
{
	for (size_t i = 0; i < r->nr; i++) {
		struct rule *rule = &r->rules[i];

		if (rule->kind->arg == ARG_CLASS_TIME && rule->class == class && ns > rule->value)
			rule->over++;
	}
}
