// SPDX-License-Identifier: GPL-2.0-only
/* Every character has to be accounted for: what is half understood is not understood. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/time_parse.h"

/* So many digits; false: there are others. */
static bool digits(const char **at, int count, int *n)
{
	*n = 0;
	for (; count; count--, ++*at) {
		if (!isdigit((unsigned char)**at))
			return false;
		*n = *n * 10 + (**at - '0');
	}
	return true;
}

static bool literal(const char **at, char c)
{
	return *(*at)++ == c;
}

static bool fraction(const char **at, u64 *ns)
{
	u64 unit = 100000000;

	*ns = 0;
	if (**at != '.')
		return true;
	++*at;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at, unit /= 10)
		*ns += unit * (u64)(**at - '0');
	return true;
}

/* Seconds to the east of UTC. */
static bool zone(const char **at, int *east)
{
	int hours, minutes, sign = **at == '-' ? -1 : 1;

	*east = 0;
	if (**at == 'Z' || **at == 'z') {
		++*at;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	++*at;
	if (!digits(at, 2, &hours) || !literal(at, ':') || !digits(at, 2, &minutes))
		return false;
	*east = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

bool time_parse(const char *text, u64 *real_ns)
{
	struct tm tm = {};
	const char *at = text;
	s64 seconds;
	int east;
	u64 ns;

	if (!digits(&at, 4, &tm.tm_year) || !literal(&at, '-') || !digits(&at, 2, &tm.tm_mon) ||
	    !literal(&at, '-') || !digits(&at, 2, &tm.tm_mday))
		return false;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return false;
	at++;
	if (!digits(&at, 2, &tm.tm_hour) || !literal(&at, ':') || !digits(&at, 2, &tm.tm_min) ||
	    !literal(&at, ':') || !digits(&at, 2, &tm.tm_sec))
		return false;
	if (!fraction(&at, &ns) || !zone(&at, &east) || *at)
		return false;
	if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	seconds = timegm(&tm) - east;
	if (seconds < 0)
		return false;
	*real_ns = (u64)seconds * 1000000000 + ns;
	return true;
}

bool time_parse_since(const char *text, u64 now_ns, u64 *real_ns)
{
	static const struct {
		char unit;
		double seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	double n;
	char *end;

	if (time_parse(text, real_ns))
		return true;
	n = strtod(text, &end);
	if (!isdigit((unsigned char)*text) || strpbrk(text, "xX") || !*end || end[1])
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double back = n * units[i].seconds * 1e9;

		if (*end != units[i].unit)
			continue;
		*real_ns = back < (double)now_ns ? now_ns - (u64)back : 0;
		return true;
	}
	return false;
}
