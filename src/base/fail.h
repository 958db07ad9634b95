/* SPDX-License-Identifier: GPL-2.0-only */
/* Exit statuses, and the one way to tell of an error. */
#ifndef OPTEE_TOP_FAIL_H
#define OPTEE_TOP_FAIL_H

/* The exit statuses of optee-top; optee-top(8) explains them from the same words. */
enum status {
	STATUS_OK = 0,
	STATUS_FAILURE = 1, /* failure, or a check that did not pass */
	STATUS_USAGE = 2,
	STATUS_KERNEL = 3, /* this kernel does not support it */
	STATUS_PRIVILEGE = 4,
	STATUS_INCOMPLETE = 5,  /* data were lost, under --strict */
	STATUS_NOT_RUN = 126,   /* check: COMMAND could not be run, */
	STATUS_NOT_FOUND = 127, /* or is not there */
};

/*
 * Prints "optee-top: " and the message on standard error, one line:
 * cannot <verb> '<thing>': <cause>; <what to do>. Returns status.
 */
enum status fail(enum status status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same of what is no error, but has to be known. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
