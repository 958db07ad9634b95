// SPDX-License-Identifier: GPL-2.0-only
/*
 * 'policy attach', 'swap' and 'detach'. The policy stays when we have ended: its link is pinned
 * in the BPF file system. A policy that the driver has left leaves its pin there, dead.
 */
#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "base/stop.h"
#include "command/cmd_policy.h"
#include "command/cmd_policy_attach.h"
#include "command/policy_driver.h"
#include "policy/policy_link.h"
#include "policy/policy_refusal.h"
#include "policy/policy_state.h"

#define BPFFS   "/sys/fs/bpf"
#define PIN_DIR BPFFS "/optee-top"
#define PIN     PIN_DIR "/policy"

static bool has_callback(const struct policy_object *o, const char *name)
{
	for (u32 i = 0; i < btf_vlen(o->type); i++)
		if (o->used >> i & 1 &&
		    policy_named(o->btf, btf_members(o->type)[i].name_off, name))
			return true;
	return false;
}

static enum status cannot(enum status status, const struct policy_object *object, int err)
{
	return fail(status, "cannot %s: %s", object->doing, strerror(-err));
}

static enum status refused(const struct policy_object *object, int err)
{
	if (err == -EPERM)
		return cannot(STATUS_PRIVILEGE, object, err);
	return fail(STATUS_FAILURE, "cannot %s: %s refuses it: %s", object->doing,
		    has_callback(object, "init") ? "its own init" : "the driver", strerror(-err));
}

/* The driver, or the policy's init, did not want it. */
static enum status not_attached(const struct policy_object *object, int err)
{
	struct policy_state s;
	bool known = !policy_state_read(&s);

	if (err == -EBUSY && (!known || s.name[0]))
		return fail(STATUS_FAILURE,
			    "cannot %s: %s%s%s is attached; 'optee-top policy swap %s' replaces "
			    "it, 'optee-top policy detach' detaches it",
			    object->doing, known ? "'" : "another one", known ? s.name : "",
			    known ? "'" : "", object->given);
	if (err == -ECANCELED && (!known || s.off))
		return fail(STATUS_FAILURE,
			    "cannot %s: admission policies are switched off; echo 0 "
			    ">/sys/module/optee/parameters/admission_off",
			    object->doing);
	if (err == -ENODEV && (!known || !s.nr_queues))
		return fail(STATUS_KERNEL, "cannot %s: the OP-TEE driver has no device",
			    object->doing);
	return refused(object, err);
}

/* Makes a policy ready for the driver: it has said what is wrong otherwise. */
static enum status load(const struct opts *o, const struct policy_object *object,
			struct policy *policy)
{
	char why[600];
	int err;

	if (libbpf_major_version() == 1 && libbpf_minor_version() < 4)
		return fail(
			STATUS_FAILURE,
			"cannot %s: this optee-top was built with libbpf %u.%u; policies need 1.4",
			object->doing, libbpf_major_version(), libbpf_minor_version());
	err = policy_load(policy, object->data, object->size);
	if (o->policy.verbose)
		fputs(policy_said(), stderr);
	if (!err)
		return STATUS_OK;
	if (err == -EPERM)
		return cannot(STATUS_PRIVILEGE, object, err);
	policy_refusal(policy_said(), err, why, sizeof(why));
	return fail(STATUS_FAILURE, "cannot %s: %s", object->doing, why);
}

static enum status prepare(const struct opts *o, struct policy_object *object,
			   struct policy *policy)
{
	enum status status;

	if (o->policy.timeout_ms)
		policy_object_set_timeout(object, (u32)o->policy.timeout_ms);
	status = policy_driver_takes(object);
	return status == STATUS_OK ? load(o, object, policy) : status;
}

static enum status has_bpffs(const struct policy_object *object)
{
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && (u32)fs.f_type == BPF_FS_MAGIC)
		return STATUS_OK;
	return fail(STATUS_FAILURE,
		    "cannot %s: there is no BPF file system to keep it in; mount -t bpf bpf " BPFFS
		    ", or use --foreground",
		    object->doing);
}

static void remove_pin(void)
{
	unlink(PIN);
	rmdir(PIN_DIR);
}

/* What an ejected policy left. */
static void remove_dead_pin(void)
{
	struct bpf_link *link;

	if (policy_link_open(&link, PIN))
		return;
	if (!policy_link_lives(link))
		remove_pin();
	policy_link_close(link);
}

/* The driver has left the policy. */
static enum status tell_ejected(const char *name)
{
	struct policy_state s;
	char why[160];

	if (policy_state_read(&s))
		return fail(STATUS_FAILURE, "policy '%s' was ejected; the kernel's log says why",
			    name);
	return fail(STATUS_FAILURE, "policy '%s' was ejected: %s", name,
		    policy_last_why(&s, why, sizeof(why)));
}

static enum status say_done(const struct policy_object *object, const char *what)
{
	printf("policy '%s' %s\n", object->name, what);
	return stop_flush();
}

static enum status leave_attached(const struct policy_object *object, struct bpf_link *link)
{
	int err = policy_link_pin(link, PIN);

	if (err) {
		policy_detach(link);
		return fail(STATUS_FAILURE, "cannot %s: " PIN ": %s", object->doing,
			    strerror(-err));
	}
	policy_link_close(link);
	return say_done(object, "attached");
}

/* Until a signal, or until the driver leaves the policy. */
static enum status stay(const struct policy_object *object, struct bpf_link *link,
			const sigset_t *usual)
{
	struct pollfd fd = { .fd = policy_link_fd(link) };
	enum status status = say_done(object, "attached");

	while (status == STATUS_OK && !stop_asked)
		if (ppoll(&fd, 1, NULL, usual) > 0)
			status = tell_ejected(object->name);
	policy_detach(link);
	return status;
}

static enum status attach(const struct opts *o, const struct policy_object *object,
			  const struct policy *policy)
{
	sigset_t ours, usual;
	struct bpf_link *link;
	int err;

	/* A signal is not to end us between attaching and keeping it. */
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &usual);
	stop_catch();
	if (!o->policy.foreground)
		remove_dead_pin();
	err = policy_attach(policy, &link);
	if (err)
		return not_attached(object, err);
	return o->policy.foreground ? stay(object, link, &usual) : leave_attached(object, link);
}

enum status cmd_policy_attach(const struct opts *o, char **words)
{
	struct policy_object object;
	struct policy policy;
	enum status status = policy_object_open(&object, "attach", words[0]);

	if (status != STATUS_OK)
		return status;
	status = prepare(o, &object, &policy);
	if (status == STATUS_OK) {
		if (!o->policy.foreground)
			status = has_bpffs(&object);
		if (status == STATUS_OK)
			status = attach(o, &object, &policy);
		policy_close(&policy);
	}
	policy_object_close(&object);
	return status;
}

/* The link of what is attached, and its name; else it has said why there is none. */
static enum status find_attached(const char *doing, struct bpf_link **link, char *name)
{
	enum status status;
	struct policy_state s;
	char why[160];
	int err = policy_link_open(link, PIN);

	if (!err && policy_link_lives(*link)) {
		policy_state_read(&s); /* without debugfs it has no name */
		snprintf(name, OPTEE_ADM_NAME, "%s", s.name[0] ? s.name : "?");
		return STATUS_OK;
	}
	if (!err) {
		policy_link_close(*link);
		remove_pin();
	}
	if (err == -EPERM || err == -EACCES)
		return fail(STATUS_PRIVILEGE, "cannot %s: %s; run as root", doing, strerror(-err));
	status = policy_driver_shows(doing);
	if (status != STATUS_OK)
		return status;
	policy_state_read(&s);
	if (s.name[0])
		return fail(
			STATUS_FAILURE,
			"cannot %s: '%s' is attached in the foreground of another process; end that",
			doing, s.name);
	if (!err)
		return fail(STATUS_FAILURE, "cannot %s: '%s' was ejected: %s", doing, s.last,
			    policy_last_why(&s, why, sizeof(why)));
	return fail(STATUS_FAILURE,
		    "cannot %s: no policy is attached; 'optee-top policy attach' does that", doing);
}

static enum status swap(const struct opts *o, struct policy_object *object)
{
	char name[OPTEE_ADM_NAME], what[64];
	struct policy policy;
	struct bpf_link *link;
	enum status status = find_attached(object->doing, &link, name);
	int err;

	if (status != STATUS_OK)
		return status;
	status = prepare(o, object, &policy);
	if (status == STATUS_OK) {
		err = policy_swap(&policy, link);
		snprintf(what, sizeof(what), "attached in place of '%s'", name);
		if (!err)
			status = say_done(object, what);
		else if (policy_link_lives(link))
			status = refused(object, err);
		else
			status = tell_ejected(name);
		policy_close(&policy);
	}
	policy_link_close(link);
	return status;
}

enum status cmd_policy_swap(const struct opts *o, char **words)
{
	struct policy_object object;
	enum status status = policy_object_open(&object, "swap to", words[0]);

	if (status != STATUS_OK)
		return status;
	status = swap(o, &object);
	policy_object_close(&object);
	return status;
}

enum status cmd_policy_detach(const struct opts *o, char **words)
{
	char name[OPTEE_ADM_NAME];
	struct bpf_link *link;
	enum status status = find_attached("detach the policy", &link, name);

	(void)o;
	(void)words;
	if (status != STATUS_OK)
		return status;
	policy_detach(link);
	remove_pin();
	printf("policy '%s' detached\n", name);
	return stop_flush();
}
