/* SPDX-License-Identifier: GPL-2.0-only */
/* What a rule's judge found: a verdict, a few words, and lines of evidence. */
#ifndef OPTEE_TOP_FINDING_H
#define OPTEE_TOP_FINDING_H

#define FINDING_LINES 80

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_UNKNOWN };

/* All of the text is printable UTF-8. All zero is an empty one. */
struct finding {
	enum verdict verdict;
	char found[256];
	char *lines[FINDING_LINES];
	int nr_lines;
};

void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A line of evidence; what is too much is left out. */
void finding_add(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void finding_release(struct finding *f);

static inline const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? "pass" : verdict == VERDICT_FAIL ? "fail" : "unknown";
}

#endif
