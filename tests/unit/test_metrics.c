// SPDX-License-Identifier: GPL-2.0-only
/* Expositions of made snapshots: what is there, what is left out, and that it adds up. */
#include "unit.h"
#include "fixtures/capture.h"
#include "model/condition_table.h"
#include "fixtures/exposition.h"
#include "fixtures/fake_source.h"
#include "model/hist.h"
#include "view/view_metrics.h"

#define TA       "{tee=\"2\",ta=\"avb\",class=\"normal\"}"
#define RATE_SET "{tee=\"2\",protocol=\"clock\",message=\"rate_set\"}"

static const struct host host = { .version = "v1", .release = "6.12", .real_ns = 5 * SECOND };
static struct snap_ta tas[3];
static struct snapshot snap;
static struct exposition e;

static void make(void)
{
	memset(tas, 0, sizeof(tas));
	snap = (struct snapshot){ .nr_pools = 1, .nr_tas = 1, .tas = tas };
	snap.pools[0] = (struct snap_pool){ .id = 2, .total = 2, .in_use = { 1 }, .in_use_all = 1 };
	tas[0] = (struct snap_ta){
		.ta = "avb",
		.known = true,
		.sums = { .calls = 3, .wait_ns = 1500000001, .wait_max_ns = 7 },
		.wait = { 1, 0, 2 },
	};
}

static void expect(const char *name, const char *value)
{
	const char *found = exposition_find(&e, name);

	if (!found)
		print_error("no sample %s\n", name);
	assert_non_null(found);
	assert_string_equal(found, value);
}

static void expect_none(const char *part)
{
	for (int i = 0; i < e.nr; i++)
		assert_null(strstr(e.names[i], part));
}

/* Both dialects have the same samples, but for _created. */
UNIT_TEST(values)
{
	make();
	snap.pools[0].driver_free = 1;
	snap.pools[0].drift_known = true;
	snap.pools[0].drift = -3;
	for (int dialect = METRICS_CLASSIC; dialect <= METRICS_OPENMETRICS; dialect++) {
		exposition_make(&e, dialect, &host, &snap, NULL);
		expect("optee_up", "1");
		expect("optee_attached_timestamp_seconds", "5");
		expect("optee_info{tee=\"2\",version=\"v1\",kernel=\"6.12\",design=\"unknown\"}",
		       "1");
		expect("optee_threads{tee=\"2\"}", "2");
		expect("optee_threads_free{tee=\"2\"}", "1");
		expect("optee_threads_in_use{tee=\"2\",class=\"normal\"}", "1");
		expect("optee_threads_drift{tee=\"2\"}", "-3");
		expect("optee_calls_total" TA, "3");
		expect("optee_wait_longest_seconds" TA, "0.000000007");
		expect("optee_wait_seconds_sum" TA, "1.500000001");
		expect("optee_lost_total{kind=\"calls_late\"}", "0");
		if (dialect == METRICS_OPENMETRICS)
			expect("optee_calls_created" TA, "5");
		else
			expect_none("_created");
		exposition_free(&e);
	}
}

UNIT_TEST(scmi_messages)
{
	make();
	snap.pools[0].scmi_known = true;
	snap.pools[0].nr_scmi = 3;
	snap.pools[0].scmi[0] = (struct snap_scmi){ .protocol = 0x14,
						    .message = 5,
						    .count = 2,
						    .failed = 1,
						    .ns = 1500000000,
						    .max_ns = 7,
						    .wait_ns = 3 };
	snap.pools[0].scmi[1] = (struct snap_scmi){ .protocol = 0x82, .message = 0x77, .count = 1 };
	snap.pools[0].scmi[2] = (struct snap_scmi){ .other = true, .count = 9 };
	for (int dialect = METRICS_CLASSIC; dialect <= METRICS_OPENMETRICS; dialect++) {
		exposition_make(&e, dialect, &host, &snap, NULL);
		expect("optee_scmi_transfers_total" RATE_SET, "2");
		expect("optee_scmi_transfers_failed_total" RATE_SET, "1");
		expect("optee_scmi_seconds_total" RATE_SET, "1.5");
		expect("optee_scmi_longest_seconds" RATE_SET, "0.000000007");
		expect("optee_scmi_wait_seconds_total" RATE_SET, "0.000000003");
		expect("optee_scmi_transfers_total{tee=\"2\",protocol=\"0x82\",message=\"0x77\"}",
		       "1");
		expect("optee_scmi_transfers_total{tee=\"2\",protocol=\"(others)\",message=\"(others)\"}",
		       "9");
		exposition_free(&e);
	}
}

UNIT_TEST(unknown_is_left_out)
{
	char name[128];

	make();
	snap.pools[0].total = snap.pools[0].reserved = -1;
	snap.pools[0].driver_free = snap.pools[0].system_sessions = -1;
	snap.pools[0].system_sessions_unseen = -1;
	snap.pools[0].conds[COND_STARVED] = (struct snap_cond){ .known = true, .count = 4 };
	tas[0].sums.calls = 0;
	exposition_make(&e, METRICS_CLASSIC, &host, &snap, NULL);
	expect_none("optee_threads{");
	expect_none("optee_threads_free");
	expect_none("reserved");
	expect_none("driver");
	expect_none("system_sessions");
	expect_none("drift");
	expect_none("oldest_wait");
	expect_none("wait_longest");
	expect_none("probes_missed");
	expect_none("optee_top_");
	for (int i = 0; i < NR_CONDS; i++) {
		snprintf(name, sizeof(name),
			 "optee_condition_episodes_total{tee=\"2\",condition=\"%s\"}",
			 condition_table[i].key);
		if (i == COND_STARVED)
			expect(name, "4");
		else
			assert_null(exposition_find(&e, name));
	}
	exposition_free(&e);
	snap.losses.missed_known = true;
	exposition_make(&e, METRICS_CLASSIC, &host, &snap, NULL);
	expect("optee_lost_total{kind=\"probes_missed\"}", "0");
	exposition_free(&e);
}

/* le is the end of each octave, to the last digit; the buckets add up to the count. */
UNIT_TEST(histograms)
{
	char name[160];
	u64 sum = 0;

	make();
	for (unsigned int i = 0; i < HIST_OCTAVES; i++)
		tas[0].hold[i] = i % 3 * i;
	exposition_make(&e, METRICS_OPENMETRICS, &host, &snap, NULL);
	for (unsigned int i = 0; i < HIST_OCTAVES; i++) {
		u64 end = hist_octave_end(i);
		char le[40], count[24];

		snprintf(le, sizeof(le), "%llu.%09llu", (unsigned long long)(end / SECOND),
			 (unsigned long long)(end % SECOND));
		while (le[strlen(le) - 1] == '0')
			le[strlen(le) - 1] = '\0';
		snprintf(
			name, sizeof(name),
			"optee_hold_seconds_bucket{tee=\"2\",ta=\"avb\",class=\"normal\",le=\"%s\"}",
			i < HIST_OCTAVES - 1 ? le : "+Inf");
		sum += i % 3 * i;
		snprintf(count, sizeof(count), "%llu", (unsigned long long)sum);
		expect(name, count);
		if (i == HIST_OCTAVES - 1)
			expect("optee_hold_seconds_count" TA, count);
	}
	/* What is in the last octave is beyond the edge of the one before. */
	assert_int_equal(hist_edge(HIST_BUCKETS - 8), hist_octave_end(HIST_OCTAVES - 2));
	expect("optee_wait_seconds_count" TA, "3");
	expect("optee_wait_seconds_bucket{tee=\"2\",ta=\"avb\",class=\"normal\",le=\"0.000002048\"}",
	       "1");
	expect("optee_wait_seconds_bucket{tee=\"2\",ta=\"avb\",class=\"normal\",le=\"0.000004096\"}",
	       "3");
	exposition_free(&e);
}

static bool counts(const char *name)
{
	return strstr(name, "_total") || strstr(name, "_bucket{") || strstr(name, "_sum") ||
	       strstr(name, "_count{");
}

/* More calls: no counter is less than before, no series is gone, and some grew. */
UNIT_TEST(monotonic)
{
	static struct exposition after;
	int grew = 0;

	make();
	exposition_make(&e, METRICS_CLASSIC, &host, &snap, NULL);
	tas[0].sums.calls += 5;
	tas[0].sums.wait_ns += 5 * SECOND;
	tas[0].wait[3] += 5;
	tas[0].opened++;
	tas[1] = (struct snap_ta){ .known = true, .ta = "os_test", .opened = 1 };
	snap.nr_tas = 2;
	exposition_make(&after, METRICS_CLASSIC, &host, &snap, NULL);
	assert_true(after.nr > e.nr);
	for (int i = 0; i < e.nr; i++) {
		const char *now = exposition_find(&after, e.names[i]);

		assert_non_null(now);
		if (!counts(e.names[i]))
			continue;
		assert_true(strtod(now, NULL) >= strtod(e.values[i], NULL));
		grew += strtod(now, NULL) > strtod(e.values[i], NULL);
	}
	assert_int_equal(grew, 4 + HIST_OCTAVES - 3);
	exposition_free(&e);
	exposition_free(&after);
}

UNIT_TEST(names_of_tas)
{
	static const struct {
		struct snap_ta row;
		const char *sample;
	} cases[] = {
		{ { .known = false },
		  "optee_calls_total{tee=\"2\",ta=\"unknown\",class=\"normal\"}" },
		{ { .other = true }, "optee_calls_total{tee=\"2\",ta=\"other\",class=\"normal\"}" },
		{ { .known = true, .ta = "unknown" },
		  "optee_calls_total{tee=\"2\",ta=\"'unknown'\",class=\"normal\"}" },
		{ { .known = true, .ta = "other", .class = CLASS_SYSTEM },
		  "optee_calls_total{tee=\"2\",ta=\"'other'\",class=\"system\"}" },
		{ { .known = true, .ta = "a\\\"b\nc\x7f\xc3" },
		  "optee_calls_total{tee=\"2\",ta=\"a\\\\\\\"b\\nc\\\\x7f\\\\xc3\",class=\"normal\"}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make();
		tas[0] = cases[i].row;
		exposition_make(&e, METRICS_CLASSIC, &host, &snap, NULL);
		expect(cases[i].sample, "0");
		exposition_free(&e);
	}
}

/* A label that does not fit is skipped whole: no line is torn. */
UNIT_TEST(long_labels)
{
	static struct labels l;
	char value[METRIC_LABELS];
	size_t before;

	memset(value, '"', sizeof(value));
	for (size_t n = 0; n < sizeof(value); n++) {
		memset(&l, 0, sizeof(l));
		labels_add(&l, "first", "x");
		before = l.len;
		value[n] = '\0';
		labels_add(&l, "second", value);
		value[n] = '"';
		assert_true(l.len == before || l.len == before + 10 + 2 * n);
		assert_true(l.len <= sizeof(l.text) && l.text[l.len - 1] == '"');
		if (n < 200)
			assert_true(l.len > before);
		labels_add(&l, "third", "y");
		assert_true(l.len <= sizeof(l.text));
	}
}

/* Without a driver there is nothing but that, and the daemon's own figures. */
UNIT_TEST(without_driver)
{
	static struct daemon_stats self;

	daemon_stats_init(&self);
	daemon_stats_use(&self, STAT_HTTP_CONNECTIONS, STAT_HTTP_CUT);
	daemon_stats_use(&self, STAT_HISTORY_TIME, STAT_HISTORY_TIME);
	daemon_stats_count(&self, STAT_HTTP_404);
	daemon_stats_count(&self, STAT_LOG_LINES); /* is not in use */
	self.at[STAT_HISTORY_TIME] = 1500000000;
	for (int with = 0; with < 2; with++) {
		make();
		snap.nr_pools = 0;
		exposition_make(&e, METRICS_OPENMETRICS, &host, with ? &snap : NULL, &self);
		expect("optee_up", "0");
		expect("optee_top_http_responses_total{code=\"404\"}", "1");
		expect("optee_top_http_responses_total{code=\"200\"}", "0");
		expect("optee_top_history_seconds", "1.5");
		expect_none("log");
		expect_none("resident");
		for (int i = 0; i < e.nr; i++)
			assert_true(!strcmp(e.names[i], "optee_up") ||
				    !strncmp(e.names[i], "optee_top_", 10));
		exposition_free(&e);
	}
	daemon_stats_measure(&self);
	assert_in_range(self.at[STAT_RESIDENT], 100000, 1ULL << 40);
	assert_in_range(self.at[STAT_CPU_TIME], 1, 1ULL << 50);
}

/* The command: after one interval, and with its end in OpenMetrics only. */
UNIT_TEST(command)
{
	static char text[200000];
	static struct fake f;
	struct opts o = { .delay = 1 };
	struct capture c;

	for (int open = 0; open < 2; open++) {
		fake_init(&f);
		f.last.pools[0].waiting[CLASS_NORMAL] = 9;
		o.openmetrics = open;
		capture_begin(&c, STDOUT_FILENO);
		assert_int_equal(view_metrics(&o, &f.source), STATUS_OK);
		capture_end(&c, text, sizeof(text));
		assert_non_null(
			strstr(text, "\noptee_calls_waiting{tee=\"0\",class=\"normal\"} 9\n"));
		assert_int_equal(strstr(text, "# EOF\n") != NULL, open);
		assert_int_equal(strstr(text, "# UNIT") != NULL, open);
		assert_int_equal(strstr(text, "# TYPE optee_lost_total counter\n") != NULL, !open);
		assert_int_equal(strstr(text, "# TYPE optee_lost counter\n") != NULL, open);
	}
}
