/* SPDX-License-Identifier: GPL-2.0-only */
/* What the keys of src/render/json.c mean, for help and manual. */
#ifndef OPTEE_TOP_JSON_KEYS_H
#define OPTEE_TOP_JSON_KEYS_H

/* A table of them ends with a key of NULL. */
struct key_help {
	const char *key, *help;
};

extern const struct key_help event_keys[], why_keys[], who_keys[], call_records_keys[], host_keys[];

#endif
