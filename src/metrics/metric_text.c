// SPDX-License-Identifier: GPL-2.0-only
/*
 * Put together in a buffer and not by printf: a histogram has many lines, and what a
 * scrape costs is taken from the device.
 */
#include <string.h>
#include "metrics/metric_text.h"
#include "model/hist.h"

/* The longest line there can be: name, labels and number, or the help. */
#define LINE (METRIC_LABELS + METRIC_HELP)

static void flush(struct metric_out *m)
{
	fwrite_unlocked(m->buf, 1, m->used, m->out);
	m->used = 0;
}

static void begin_line(struct metric_out *m)
{
	if (m->used > sizeof(m->buf) - LINE)
		flush(m);
}

static void put(struct metric_out *m, const char *text, size_t len)
{
	memcpy(m->buf + m->used, text, len);
	m->used += len;
}

static void puts_(struct metric_out *m, const char *text)
{
	put(m, text, strlen(text));
}

static void put_char(struct metric_out *m, char c)
{
	m->buf[m->used++] = c;
}

#define DIGITS 20

/* The number at the end of digits; returns where it begins. */
static const char *decimal(char digits[DIGITS], u64 n)
{
	char *d = digits + DIGITS;

	do
		*--d = (char)('0' + n % 10);
	while (n /= 10);
	return d;
}

static void put_u64(struct metric_out *m, u64 n)
{
	char digits[DIGITS];
	const char *d = decimal(digits, n);

	put(m, d, (size_t)(digits + DIGITS - d));
}

/* Nanoseconds as seconds, all digits that there are. */
static void put_seconds(struct metric_out *m, u64 ns)
{
	u64 rest = ns % 1000000000;

	put_u64(m, ns / 1000000000);
	if (!rest)
		return;
	put_char(m, '.');
	for (u64 unit = 100000000; rest; unit /= 10) {
		put_char(m, (char)('0' + rest / unit));
		rest %= unit;
	}
}

static void put_number(struct metric_out *m, u64 n)
{
	if (m->family.unit == UNIT_NS)
		put_seconds(m, n);
	else
		put_u64(m, n);
}

/* They are the same in each histogram: written once, and copied. */
static void make_ends(struct metric_out *m)
{
	for (unsigned int i = 0; i < HIST_OCTAVES; i++) {
		if (i < HIST_OCTAVES - 1)
			put_seconds(m, hist_octave_end(i));
		else
			puts_(m, "+Inf");
		puts_(m, "\"} ");
		memcpy(m->ends[i].text, m->buf, m->used);
		m->ends[i].len = m->used;
		m->used = 0;
	}
}

void metric_begin(struct metric_out *m, FILE *out, enum metrics_dialect dialect)
{
	memset(m, 0, offsetof(struct metric_out, buf));
	m->out = out;
	m->dialect = dialect;
	make_ends(m);
}

void metric_created(struct metric_out *m, u64 real_ns)
{
	size_t begin;

	begin_line(m);
	begin = m->used;
	put_seconds(m, real_ns);
	m->created.len = m->used - begin;
	memcpy(m->created.text, m->buf + begin, m->created.len);
	m->used = begin;
}

void metric_end(struct metric_out *m)
{
	begin_line(m);
	if (m->dialect == METRICS_OPENMETRICS)
		puts_(m, "# EOF\n");
	flush(m);
}

/* Of one byte, at most. */
#define ESCAPED 5

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static size_t escape(char *to, unsigned char c)
{
	if (c == '\n')
		return (size_t)sprintf(to, "\\n");
	if (c == '"' || c == '\\')
		return (size_t)sprintf(to, "\\%c", c);
	return (size_t)sprintf(to, "\\\\x%02x", c);
}

void labels_add(struct labels *l, const char *key, const char *value)
{
	size_t len = strlen(key);
	/* Here lies what belongs to the label, up to the end but for the closing quote. */
	char *to = l->text + l->len, *end = l->text + sizeof(l->text) - 1;

	if (len + 3 + ESCAPED > (size_t)(end - to))
		return;
	if (l->len)
		*to++ = ',';
	memcpy(to, key, len);
	to += len;
	*to++ = '=';
	*to++ = '"';
	for (; *value; value++) {
		if (to + ESCAPED >= end)
			return;
		if (is_plain(*value))
			*to++ = *value;
		else
			to += escape(to, (unsigned char)*value);
	}
	*to++ = '"';
	l->len = (size_t)(to - l->text);
}

void labels_add_number(struct labels *l, const char *key, u32 n)
{
	char digits[11], *d = digits + sizeof(digits) - 1;

	*d = '\0';
	do
		*--d = (char)('0' + n % 10);
	while (n /= 10);
	labels_add(l, key, d);
}

#define TA_UNKNOWN     "unknown"
#define TA_OTHER_LABEL "other"

void labels_add_ta(struct labels *l, const char *ta)
{
	char quoted[80];

	if (ta && (!strcmp(ta, TA_UNKNOWN) || !strcmp(ta, TA_OTHER_LABEL))) {
		/* Its name is one of ours: it must not be taken for it. */
		snprintf(quoted, sizeof(quoted), "'%s'", ta);
		labels_add(l, "ta", quoted);
		return;
	}
	if (!ta)
		ta = TA_UNKNOWN;
	else if (!strcmp(ta, TA_OTHERS))
		ta = TA_OTHER_LABEL;
	labels_add(l, "ta", ta);
}

void metric_family(struct metric_out *m, const struct metric *family)
{
	m->family = *family;
	m->headed = false;
}

static bool is_counter(const struct metric *f)
{
	return f->kind == KIND_TOTAL && !f->histogram;
}

/* The name of the family: in OpenMetrics a counter's and an info's are without the ending. */
static size_t family_len(const struct metric_out *m)
{
	size_t len = strlen(m->family.name);

	if (m->dialect == METRICS_OPENMETRICS && is_counter(&m->family))
		len -= sizeof("_total") - 1;
	else if (m->dialect == METRICS_OPENMETRICS && m->family.info)
		len -= sizeof("_info") - 1;
	return len;
}

static void begin_head(struct metric_out *m, const char *what)
{
	begin_line(m);
	puts_(m, what);
	put(m, m->family.name, family_len(m));
	put_char(m, ' ');
}

static void put_help(struct metric_out *m)
{
	const char *help = m->family.help;

	begin_head(m, "# HELP ");
	for (size_t n = 0; *help && n < METRIC_HELP - 80; n++, help++) {
		if (*help == '\\' || (*help == '"' && m->dialect == METRICS_OPENMETRICS))
			put_char(m, '\\');
		put_char(m, *help);
	}
	put_char(m, '\n');
}

static const char *type_of(const struct metric_out *m)
{
	if (m->family.histogram)
		return "histogram\n";
	if (m->family.info && m->dialect == METRICS_OPENMETRICS)
		return "info\n";
	return is_counter(&m->family) ? "counter\n" : "gauge\n";
}

static void put_head(struct metric_out *m)
{
	m->headed = true;
	put_help(m);
	begin_head(m, "# TYPE ");
	puts_(m, type_of(m));
	if (m->dialect != METRICS_OPENMETRICS)
		return;
	if (m->family.unit != UNIT_NS && m->family.unit != UNIT_BYTES)
		return;
	begin_head(m, "# UNIT ");
	puts_(m, m->family.unit == UNIT_NS ? "seconds\n" : "bytes\n");
}

/* name[suffix]{labels} */
static void begin_sample(struct metric_out *m, size_t name_len, const char *suffix,
			 const struct labels *labels)
{
	if (!m->headed)
		put_head(m);
	begin_line(m);
	put(m, m->family.name, name_len);
	puts_(m, suffix);
	if (labels && labels->len) {
		put_char(m, '{');
		put(m, labels->text, labels->len);
		put_char(m, '}');
	}
	put_char(m, ' ');
}

static void end_sample(struct metric_out *m)
{
	if (m->time_ms) {
		put_char(m, ' ');
		put_u64(m, m->time_ms);
	}
	put_char(m, '\n');
}

static void put_created(struct metric_out *m, const struct labels *labels)
{
	if (m->dialect != METRICS_OPENMETRICS || !m->created.len)
		return;
	begin_sample(m, family_len(m), "_created", labels);
	put(m, m->created.text, m->created.len);
	end_sample(m);
}

void metric_number(struct metric_out *m, const struct labels *labels, u64 n)
{
	begin_sample(m, strlen(m->family.name), "", labels);
	put_number(m, n);
	end_sample(m);
	if (is_counter(&m->family))
		put_created(m, labels);
}

void metric_sample(struct metric_out *m, const struct labels *labels, const struct value *v)
{
	if (!v->known)
		return;
	if (v->number >= 0) {
		metric_number(m, labels, (u64)v->number);
		return;
	}
	begin_sample(m, strlen(m->family.name), "", labels);
	put_char(m, '-');
	put_number(m, (u64)-v->number);
	end_sample(m);
}

/* One line as far as all buckets have it in common. */
static size_t bucket_head(const struct metric_out *m, const struct labels *labels,
			  char head[METRIC_LABELS + 128])
{
	static const char bucket[] = "_bucket{", le[] = "le=\"";
	size_t name = strlen(m->family.name), n = 0;

	memcpy(head, m->family.name, name);
	n += name;
	memcpy(head + n, bucket, sizeof(bucket) - 1);
	n += sizeof(bucket) - 1;
	if (labels && labels->len) {
		memcpy(head + n, labels->text, labels->len);
		n += labels->len;
		head[n++] = ',';
	}
	memcpy(head + n, le, sizeof(le) - 1);
	return n + sizeof(le) - 1;
}

void metric_histogram(struct metric_out *m, const struct labels *labels,
		      const u64 octaves[HIST_OCTAVES], u64 sum_ns)
{
	char head[METRIC_LABELS + 128], digits[DIGITS];
	size_t len = bucket_head(m, labels, head), name = strlen(m->family.name);
	const char *number = decimal(digits, 0);
	u64 calls = 0;

	if (!m->headed)
		put_head(m);
	for (unsigned int i = 0; i < HIST_OCTAVES; i++) {
		calls += octaves[i];
		if (octaves[i]) /* most are 0: the number is that of the line before */
			number = decimal(digits, calls);
		begin_line(m);
		put(m, head, len);
		put(m, m->ends[i].text, m->ends[i].len);
		put(m, number, (size_t)(digits + DIGITS - number));
		end_sample(m);
	}
	begin_sample(m, name, "_count", labels);
	put_u64(m, calls);
	end_sample(m);
	begin_sample(m, name, "_sum", labels);
	put_seconds(m, sum_ns);
	end_sample(m);
	put_created(m, labels);
}
