/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys of the live view, each once: what it does, its help and the manual come from these
 * rows. A row has names, help, what is called or, where that is NULL, which mode is opened, and
 * up to 5 codes.
 */
#ifndef OPTEE_TOP_KEYS_H
#define OPTEE_TOP_KEYS_H

/* clang-format off */
#define VIEW_KEYS(X) \
	X("q", "quit; go back", press_quit, MODE_TABLE, 'q') \
	X("p, Space", "freeze the display; counting goes on", press_pause, MODE_TABLE, 'p', ' ') \
	X("Up, Down", "another session, or line; k and j do the same", press_move, MODE_TABLE, K_UP, K_DOWN, 'k', 'j') \
	X("PgUp, PgDn", "a screen up or down", press_move, MODE_TABLE, K_PAGE_UP, K_PAGE_DOWN) \
	X("Home, End", "the first or the last one; g and G do the same", press_move, MODE_TABLE, K_HOME, K_LAST, 'g', 'G') \
	X("Left, Right", "scroll the columns that do not fit", press_side, MODE_TABLE, K_LEFT, K_RIGHT) \
	X("Enter", "all about the selected session", NULL, MODE_DETAIL, K_ENTER) \
	X("e", "what happened to the queue, and how often", NULL, MODE_EVENTS, 'e') \
	X("o, F6, <, >", "choose the field to sort by", NULL, MODE_MENU, 'o', K_F6, '<', '>') \
	X("R", "reverse the order", press_switch, MODE_TABLE, 'R') \
	X("/", "only sessions of this pid, or whose client or TA has this in its name", NULL, MODE_FILTER, '/') \
	X("Esc", "show all again; go back", press_clear, MODE_TABLE, K_ESCAPE) \
	X("u", "hide or show sessions unused in the interval", press_switch, MODE_TABLE, 'u') \
	X("c", "hide or show closed sessions", press_switch, MODE_TABLE, 'c') \
	X("d", "change the interval between frames", NULL, MODE_DELAY, 'd') \
	X("[, ], {, }", "in a recording: one frame back or forward, or sixty", press_seek, MODE_TABLE, '[', ']', '{', '}') \
	X("+, -", "in a recording: twice or half as fast", press_speed, MODE_TABLE, '+', '-') \
	X("?, h, F1", "list the keys", NULL, MODE_HELP, '?', 'h', K_F1)
/* clang-format on */

#endif
