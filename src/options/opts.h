/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, parsed. */
#ifndef OPTEE_TOP_OPTS_H
#define OPTEE_TOP_OPTS_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/fail.h"
#include "base/http_names.h"
#include "model/fields.h"
#include "options/attach_opts.h"

/* Seconds between frames: the limits of -d, and of the key d. */
#define MIN_DELAY        0.1
#define MAX_DELAY        3600.0

#define MAX_DURATION     31536000.0

/* Of a replay. */
#define MIN_SPEED        0.1
#define MAX_SPEED        1000.0

#define MIN_STARVED      0.001
#define STARVED_NS       1000000000ULL /* unless another limit is given */
#define MAX_RESERVED     256
#define MAX_LIVE_SECONDS 86400.0

/* Of the daemon only. NULL: not given. */
struct daemon_opts {
	const char *config;
	const char *user, *group;
	const char *listen; /* metrics over HTTP, and under which names besides the machine's own */
	const char *listen_names[HTTP_NAMES_MOST];
	u32 nr_listen_names;
	const char *textfile;
	const char *log;
	double log_interval, log_mb;
	bool log_csv; /* too */
};

/* Of 'optee-top policy' only. */
struct policy_opts {
	int timeout_ms; /* 0: the policy's own */
	bool foreground, verbose;
	const char *include; /* or NULL */
};

struct opts {
	struct attach_opts attach;
	bool batch; /* plain frames instead of the live view */
	bool json;
	bool strict; /* STATUS_INCOMPLETE when anything was lost */
	bool reverse;
	bool help, version;
	int frames;      /* -n; 0: without end */
	double delay;    /* -d, seconds */
	double duration; /* --duration, seconds; 0: without end */
	double speed;    /* --speed */
	bool compress;
	bool openmetrics;
	const struct session_field *sort;
	pid_t pid;         /* -p PID, 0: all */
	const char *match; /* -p NAME: part of a client's or a TA's name, or NULL */
	const char *format, *output, *what; /* of export, check and policy build, or NULL */
	const char *rules;                  /* --rules FILE, or NULL */
	const char *cursor;                 /* --cursor FILE, or NULL */
	u64 since_ns;                       /* --since TIME, CLOCK_REALTIME; 0: not given */
	double live;                        /* --live SECONDS; 0: not given */
	const char *socket;                 /* the daemon's */
	bool direct;                        /* a daemon is not asked */
	struct daemon_opts daemon;
	struct policy_opts policy;
	u64 given;      /* bit n: row n of option_table was on the command line */
	char **rest;    /* the words among the options: the command and its arguments */
	char **command; /* what follows "--", or NULL: there is none */
};

/*
 * Parses argv, and moves the words to its front. Returns STATUS_OK, or STATUS_USAGE
 * after saying in one line what is wrong.
 */
enum status opts_parse(struct opts *o, int argc, char **argv);

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_WHOLE,  /* int */
	OPTION_NUMBER, /* double */
	OPTION_NS,     /* u64, given in seconds */
	OPTION_TIME,   /* u64, CLOCK_REALTIME */
	OPTION_FILTER,
	OPTION_SORT,
	OPTION_SHADOW, /* one more */
	OPTION_NAME,   /* one more */
};

/* The option table: for the parser, --help and the man page. */
struct option_help {
	char letter;            /* 0: long only */
	const char *name, *arg; /* arg NULL: takes none */
	const char *commands;   /* the commands that take it, in words; NULL: all do */
	/* Clauses, between "; ": one that begins with "for COMMAND, COMMAND: " is for these only. */
	const char *help;
	enum option_kind kind;
	size_t at;       /* offset in struct opts of what it sets */
	double min, max; /* of a number */
	bool config;     /* may stand in the daemon's file of options */
};

#define SOCKET_PATH "/run/optee-top/optee-top.sock"
#define CONFIG_PATH "/etc/optee-top/daemon.conf"

extern const struct option_help option_table[];
extern const size_t nr_options;

/* After how many frames -n or --duration ends a view; 0: neither does. */
int opts_frames(const struct opts *o);

/* Does the command take the option? */
bool option_is_of(const struct option_help *option, const char *command);

/* STATUS_USAGE after saying which option on the command line the command does not take. */
enum status opts_check(const struct opts *o, const char *command);

/* Was the option of this name on the command line? */
bool opts_given(const struct opts *o, const char *name);

/* Sets the option to arg, which stays in use; given: how it was given, for a message. */
enum status opts_set(struct opts *o, const struct option_help *option, const char *given,
		     const char *arg);

/* One policy more that is to be shadowed. */
enum status opts_add_shadow(struct opts *o, const char *arg);

#endif
