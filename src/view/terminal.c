// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device may have no terminfo database, or one that lacks the user's terminal. The
 * program carries the three entries that nearly all of them understand: src/view/terminfo.ti.
 */
#include <stddef.h>
#include <string.h>
#include "terminfo.h"
#include "view/terminal.h"

static const struct terminal vt100 = { "vt100", TERMINFO_vt100 };
static const struct terminal console = { "linux", TERMINFO_linux };
static const struct terminal window = { "xterm", TERMINFO_xterm };

/* The beginnings of names; what may follow is a variant, as in xterm-256color. */
static const struct {
	const char *name;
	const struct terminal *like;
} families[] = {
	{ "vt100", &vt100 },    { "vt102", &vt100 },      { "vt220", &vt100 },
	{ "vt320", &vt100 },    { "ansi", &vt100 },       { "linux", &console },
	{ "xterm", &window },   { "screen", &window },    { "tmux", &window },
	{ "rxvt", &window },    { "putty", &window },     { "st", &window },
	{ "vte", &window },     { "gnome", &window },     { "konsole", &window },
	{ "foot", &window },    { "alacritty", &window }, { "kitty", &window },
	{ "wezterm", &window }, { "ghostty", &window },
};

const struct terminal *terminal_like(const char *name)
{
	for (size_t i = 0; name && i < sizeof(families) / sizeof(families[0]); i++) {
		size_t n = strlen(families[i].name);

		if (!strncmp(name, families[i].name, n) && (!name[n] || strchr("-.+", name[n])))
			return families[i].like;
	}
	return NULL;
}
