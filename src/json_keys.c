// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the keys of the JSON objects mean that come from no field table. A test has
 * each key of src/json.c looked up here.
 */
#include "json_keys.h"

const struct key_help event_keys[] = {
	{ "tee", "N of /dev/teeN" },
	{ "condition", "its name" },
	{ "state", "begin, still (once a second while it lasts) or end" },
	{ "episode",
	  "a number: the same in all events of one episode, and not in those of others of this condition and TEE" },
	{ "mono_ns", "CLOCK_MONOTONIC, when this was found out; of an end: the end" },
	{ "since_ns", "CLOCK_MONOTONIC, when it began" },
	{ "duration_ns", "how long it has lasted by mono_ns" },
	{ "end_unseen", "true of an end: it was over by mono_ns, and when exactly is not known" },
	{ "peak", "the largest value, so far, of the figure that makes the condition" },
	{ "peak_of", "what that figure counts" },
	{ "why", "an object: the queue as it began" },
	{ "who",
	  "an array of objects: the calls in the queue as it began, in its order; of deadlock, those first that have part in it" },
	{ "chain",
	  "an array of texts: of stranded, the wake that went astray; of deadlock, who waits for whom" },
	{ "unreported", "conditions so far for which there was no room among the events" },
	{}
};

const struct key_help why_keys[] = {
	{ "text", "the figures that make the condition, in words" },
	{ "threads", "T" },
	{ "reserved", "the entries in reserve that it was judged by; null: a policy decided" },
	{ "in_use_normal", "normal calls that held a thread" },
	{ "in_use_system", "system calls that held one" },
	{ "waiting_normal", "normal calls asleep in the queue" },
	{ "waiting_system", "system calls asleep in it" },
	{ "driver_free", "free threads, as the driver counted them" },
	{ "system_sessions", "system sessions, as the driver counted them" },
	{ "drift", "of drift: the driver's count of threads in use less ours" },
	{}
};

const struct key_help who_keys[] = {
	{ "tid", "the task" },
	{ "pid", "its process" },
	{ "comm", "its name" },
	{ "serial", "of its session, as in sessions" },
	{ "session", "the TEE's id of that" },
	{ "client", "the process that opened the session" },
	{ "ta", "name or UUID of its TA" },
	{ "cmd", "open, invoke, close, ...; null of a call from before the attach" },
	{ "func", "of an invoke" },
	{ "class", "normal or system" },
	{ "phase", "where it stood: queued, secure, rpc, limit" },
	{ "rpc_kind", "what the RPC was for" },
	{ "waits", "true: it waited in the queue; false: it held a thread" },
	{ "since_ns", "CLOCK_MONOTONIC, since when it waited or held it" },
	{ "since_at_least",
	  "true: it did already when optee-top attached, and since_ns is that moment" },
	{ "involved", "the condition is about it; else it only was in the queue, too" },
	{ "culprit", "of stranded: it swallowed the wake" },
	{ "swallowed_ns",
	  "of stranded: CLOCK_MONOTONIC, when it took a wake in vain; null: it did not, or when is not known" },
	{ "behind_tid",
	  "of deadlock: the task whose call has to end first, where there is only one" },
	{}
};

const struct key_help host_keys[] = {
	{ "version", "of the optee-top that looked" },
	{ "machine", "as uname -m says" },
	{ "release", "of the kernel" },
	{ "name", "of the host" },
	{ "hooks", "which hook uses which mechanism" },
	{ "cpus", "CPUs that are configured" },
	{ "mono_ns", "CLOCK_MONOTONIC, as it attached; ts is the same moment" },
	{ "resolution_ns", "of CLOCK_MONOTONIC" },
	{ "starved_ns", "a wait longer than this starves" },
	{ "reserved", "--reserved; null: the driver's own figure was judged by" },
	{ "calls", "true: there is a line for each call" },
	{}
};

const struct key_help call_records_keys[] = {
	{ "emitted", "calls that were recorded since attach" },
	{ "lost", "calls that are accounted, and found no room among those to be recorded" },
	{ "per_cpu",
	  "[emitted, lost] of each CPU; their sum is what was accounted there. CPU 64 counts with CPU 0, and so on" },
	{}
};
