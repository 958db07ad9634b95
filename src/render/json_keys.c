// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the keys of the JSON objects mean that come from no field table. A test has
 * each key of src/render/json.c looked up here.
 */
#include "render/json_keys.h"

const struct key_help event_keys[] = {
	{ "tee", "N of /dev/teeN" },
	{ "condition", "its name" },
	{ "state", "begin, still (once a second while it lasts) or end" },
	{ "episode",
	  "a number that all events of one episode share, and no other episode of this condition and TEE has" },
	{ "mono_ns", "CLOCK_MONOTONIC when this was detected; for an end, the time of the end" },
	{ "since_ns", "CLOCK_MONOTONIC when it began" },
	{ "duration_ns", "how long it had lasted at mono_ns" },
	{ "end_unseen", "true for an end whose exact time is unknown: it was over by mono_ns" },
	{ "peak", "largest value so far of the figure that makes the condition" },
	{ "peak_of", "what that figure counts" },
	{ "why", "an object: the queue when it began" },
	{ "who",
	  "an array of objects: the calls in the queue when it began, in queue order; for deadlock, those involved come first; for supplicant gone, the calls that wait for it; for session leak, the sessions, also those that have come since" },
	{ "unlisted",
	  "calls that why counts, but who, which has room for 12, does not list; 0 for a condition of a single call" },
	{ "chain",
	  "an array of texts: for stranded, where the wake went; for deadlock, who waits for whom" },
	{ "unreported", "conditions so far that had no room among the events" },
	{}
};

const struct key_help why_keys[] = {
	{ "text", "the figures that make the condition, in words" },
	{ "threads", "T, the number of TEE threads" },
	{ "reserved", "the reserved entries it was judged by; null if a policy decided" },
	{ "in_use_normal", "normal calls that held a thread" },
	{ "in_use_system", "system calls that held a thread" },
	{ "waiting_normal", "normal calls asleep in the queue" },
	{ "waiting_system", "system calls asleep in the queue" },
	{ "driver_free", "free threads, as the driver counted them" },
	{ "system_sessions", "system sessions, as the driver counted them" },
	{ "drift", "for drift: the driver's count of threads in use minus ours" },
	{}
};

const struct key_help who_keys[] = {
	{ "tid", "thread id of the task; for session leak, as pid" },
	{ "pid",
	  "its process id; for session leak, that of the process that opened the session, or null" },
	{ "comm", "its name" },
	{ "serial", "serial number of its session, as in sessions" },
	{ "session", "the TEE's id of that session" },
	{ "client", "the process that opened the session" },
	{ "ta", "name or UUID of its TA" },
	{ "cmd",
	  "open, invoke, close, ...; null for a call from before the attach, and for session leak" },
	{ "func", "for an invoke, the TA's command" },
	{ "class", "normal or system" },
	{ "phase",
	  "where it was: queued, secure, rpc, limit; argument or release if its task waited for the argument cache; null for session leak" },
	{ "rpc_kind", "what the RPC was for" },
	{ "waits",
	  "true if it waited in the queue; else it held a thread, unless its phase is argument or release" },
	{ "since_ns", "CLOCK_MONOTONIC when it started to wait, or got its thread" },
	{ "since_at_least",
	  "true if it already did when optee-top attached; since_ns is the time of the attach; null: the recording is too old to tell" },
	{ "involved",
	  "true if it is involved in the condition, false if it was merely in the queue" },
	{ "culprit", "for stranded: true if it swallowed the wake" },
	{ "swallowed_ns",
	  "for stranded: CLOCK_MONOTONIC when it took a wake in vain; null if it did not, or the time is unknown" },
	{ "behind_tid",
	  "for deadlock: the task whose call has to end first, if there is only one" },
	{}
};

const struct key_help host_keys[] = {
	{ "version", "version of the optee-top that recorded it" },
	{ "machine", "the machine, as in uname -m" },
	{ "release", "kernel release" },
	{ "name", "host name" },
	{ "hooks", "which hook uses which mechanism" },
	{ "cpus", "configured CPUs" },
	{ "mono_ns", "CLOCK_MONOTONIC at attach; ts is the same moment" },
	{ "resolution_ns", "resolution of CLOCK_MONOTONIC" },
	{ "starved_ns", "a wait longer than this starves" },
	{ "reserved", "the value of --reserved; null if the driver's own figure was used" },
	{ "calls", "true if there is a line for each call" },
	{}
};

const struct key_help call_records_keys[] = {
	{ "emitted", "calls recorded since attach" },
	{ "lost", "calls that were accounted, but not recorded" },
	{ "per_cpu",
	  "[emitted, lost] of each CPU; their sum is what was accounted there. CPU 64 is counted with CPU 0, and so on" },
	{}
};
