/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reporter plugin: turns the document of a run into text of some format.
 *
 * The document is computed from the store and is read-only; a reporter never measures and never
 * reads files, so every format shows the same numbers.
 */
#ifndef BENCH_REPORTER_H
#define BENCH_REPORTER_H

#include <bench/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bench_direction { BENCH_NEUTRAL = 0, BENCH_HIGHER_IS_BETTER, BENCH_LOWER_IS_BETTER };

enum bench_format {
    BENCH_FORMAT_PLAIN = 0, /* 4 significant digits */
    BENCH_FORMAT_SI,        /* 12.3 G */
    BENCH_FORMAT_BINARY,    /* 12.3 Mi */
    BENCH_FORMAT_SECONDS,   /* 12.3 ms */
    BENCH_FORMAT_CPUS,      /* 0.993 */
    BENCH_FORMAT_SHARE,     /* 12.3 % */
};

/* What is known of a metric beside its value. */
struct bench_metric {
    const char *name;    /* "bits_per_second", "cpus_relay_1", … */
    const char *unit;    /* "bit/s", "CPUs", "bytes", "s", "s/GB", "1/byte", … */
    const char *title;   /* short, for a column head: "throughput" */
    const char *meaning; /* one sentence */
    enum bench_direction direction;
    enum bench_format format;
    /* 0: headline, 1: shown in the table, 2: details only (counters, system states) */
    int rank;
    const char *role;  /* "client", "server", "relay_1", "relay" (all hops), or NULL: of the run */
    const char *event; /* as the capture names it ("context-switches"), or NULL */
    const char *stem;  /* `name` without the role: "cpus", "instructions_per_byte" */
};

/* A metric over the repetitions of one arm. */
struct bench_estimate {
    const struct bench_metric *metric;
    enum bench_state state; /* the worst of the repetitions that entered */
    const char *reason;     /* why it is not a number, or NULL */
    double value;           /* Hodges-Lehmann estimate over `n` repetitions, base units */
    bool has_interval;      /* false below the n that the confidence needs */
    double low, high;
    double confidence; /* 0.95 */
    uint32_t n;
    double cv;              /* coefficient of variation between repetitions; NaN when n < 2 */
    double autocorrelation; /* lag 1; NaN when n < 4 */
    /* value / the baseline's, from the blocks in which both arms succeeded: exp of the
     * Hodges-Lehmann estimate of ln y - ln y_baseline; NaN for the baseline itself. */
    double ratio;
    bool has_ratio_interval;
    double ratio_low, ratio_high; /* same confidence, each ratio for itself */
    uint32_t ratio_pairs;         /* blocks that entered; 0: no ratio */
};

/* What one hop of an arm costs: later than without any relay in the same block, or CPU time. */
struct bench_hop_cost {
    const struct bench_metric *metric;
    double value; /* Hodges-Lehmann over blocks, base units, per hop */
    bool has_interval;
    double low, high; /* 95% */
    uint32_t blocks;
};

struct bench_arm {
    const char *name;  /* as the scenario names it */
    const char *relay; /* plugin */
    const char *point; /* "jobs=10 hops=2" when there is a sweep, else "" */
    uint32_t hops;
    double cpu_limit;                           /* per relay process, 0: none */
    double cpu_achieved_low, cpu_achieved_high; /* over hops and repetitions; NaN without relay */
    /* Its repetitions that are finished, but for those of searches and captures: valid + failed +
     * rejected + damaged are all of them. Valid are those that succeeded in blocks that count. */
    uint32_t valid, failed;
    const char *limited_by;  /* "relay_1", "client", "server", "cpu", "nothing", or "unknown" */
    const char *limited_why; /* the evidence, one line */
    bool relay_limited;
    uint32_t n_estimates;
    const struct bench_estimate *const *estimates;
    /* Why the rate was too high for it, with the evidence; NULL: it kept up, or there was no rate.
     * Its latency is then that of a queue. */
    const char *saturated;
    uint32_t n_hop_costs; /* 0 unless an arm of the run has no hops */
    const struct bench_hop_cost *hop_costs;
    uint32_t rejected; /* of a comparison: succeeded, in blocks that do not count */
    uint32_t damaged;  /* finished, but their files can no longer be read */
};

static inline uint32_t bench_arm_repetitions(const struct bench_arm *a)
{
    return a->valid + a->failed + a->rejected + a->damaged;
}

/* What a capture left behind of one role. */
struct bench_artifact {
    const char *capture, *role;
    const char *summary; /* "601 samples by cpu-clock" */
    const char *file;    /* to look at first, below the run */
    const char *json;    /* all that is known of it: an object */
    uint32_t n_notes;    /* lines on what to know when reading it */
    const char *const *notes;
    const char *table; /* the beginning of a text that a tool made of it, or NULL */
};

/* What numbers mean together: a rule that holds for a role of an arm. docs/measurement.md has the
 * rules. */
struct bench_finding {
    const char *rule;                        /* "small reads" */
    const char *arm;                         /* its name */
    const char *role;                        /* or NULL: it concerns the arm as a whole */
    const char *capture;                     /* where the numbers came from: "resources" */
    const char *evidence, *meaning, *remedy; /* a line each */
    double value, threshold; /* of the first of the rule's conditions; NaN when it has none */
    uint32_t holds, of;      /* in how many of the repetitions that have these numbers */
    uint32_t n_points;       /* of the sweep at which it holds; the evidence is that of the first */
    const char *const *points;
    uint32_t n_cited; /* metrics in the evidence, and their estimates */
    const char *const *cited;
    const double *cited_values;
};

/* An arm against the baseline in a metric that decides (`bench compare`). */
struct bench_comparison {
    const char *arm, *point;
    const char *base; /* the arm it is compared with: the baseline, or its like in another run */
    const struct bench_metric *metric;
    uint32_t blocks,
        failed;           /* pairs that entered; blocks in which the arm, or the baseline, failed */
    double ratio;         /* Hodges-Lehmann; 0 or infinite when failures make it so */
    bool has_interval;    /* false below the number of blocks that `confidence` needs */
    double low, high;     /* of the ratio: the interval that decides */
    double confidence;    /* of this interval: all of the run's together have 95% */
    double p, p_adjusted; /* of no difference, two-sided; by Holm over the run's comparisons */
    const char *verdict;  /* "FASTER (by at least 3%)" */
    /* "beyond", "different", "negligible", "same", "inconclusive", "failed", "unfit" or
     * "incomplete": the run ended before its plan did, and nothing is decided */
    const char *finding;
    int sign;               /* 1: above the baseline, -1: below, 0: no difference was shown */
    uint32_t blocks_needed; /* inconclusive: how many in all would decide; 0: not known */
    double detectable;      /* smallest difference found with 80% power, 0.03 is 3%; NaN: unknown */
    uint32_t blocks_if_as_estimated; /* as blocks_needed, if the true ratio is the estimated one */
};

/* A block that did not count: the machine did something else meanwhile. */
struct bench_rejection {
    uint32_t block;
    const char *why; /* "steal 2.4% > 1%" */
};

/* A condition on which the exit status depends (--fail-on), for one arm at one point. */
struct bench_gate {
    const char *gate;                  /* as it was written */
    const char *arm, *point;           /* "" when it matched nothing */
    const struct bench_metric *metric; /* NULL when nothing has it */
    /* "passed", "failed", "inconclusive", "unfit", or "nothing": it matched nothing */
    const char *outcome;
    const char *evidence;    /* one line */
    double value, low, high; /* of the metric, or of the ratio to the baseline; NaN: unknown */
    double confidence;       /* of the interval: all gates of the run together have 95% */
};

struct bench_repetition {
    const char *arm, *point;
    uint32_t index, block;   /* index: order of execution, from 1 */
    const char *state;       /* "ok", "failed", or "rejected": ok in a block that does not count */
    const char *error;       /* message of a failed one, or NULL */
    const char *directory;   /* below the run */
    double overhead_seconds; /* wall time less warm-up and window */
    uint32_t n_values;
    const struct bench_metric *const *metrics; /* n_values of them */
    const struct bench_value *values;
    const char *purpose; /* "measure"; others enter no estimate: "search", "capture:record" */
    uint32_t n_artifacts;
    const struct bench_artifact *const *artifacts;
};

struct bench_document {
    uint32_t size;
    uint32_t schema;        /* of the JSON document */
    const char *run, *path; /* identity and directory */
    const char *name;       /* of the scenario */
    const char *started;    /* RFC 3339, UTC */
    const char *state;      /* "complete", "interrupted", "failed", or "running": not yet ended */
    uint64_t seed;
    uint32_t planned; /* repetitions in the plan; `n_repetitions` were finished */
    const char *workload, *protocol, *network; /* network: "isolated (reno)", "host (bbr)" */
    int64_t warmup_ns, duration_ns;
    const char *scenario_json, *environment_json; /* objects, as text */
    uint32_t n_arms;
    const struct bench_arm *const *arms;
    uint32_t n_repetitions;
    const struct bench_repetition *const *repetitions;
    uint32_t n_design; /* lines on how the numbers were obtained */
    const char *const *design;
    uint32_t n_warnings; /* lines that a reader must see */
    const char *const *warnings;
    const char *baseline; /* name of the arm that ratios refer to */
    uint32_t n_findings;  /* the most important first */
    const struct bench_finding *const *findings;
    uint32_t
        n_unseen; /* lines: which rules had nothing to look at, and what would give it to them */
    const char *const *unseen;
    uint32_t n_comparisons; /* of a comparison: point by point, arm by arm, metric by metric */
    const struct bench_comparison *const *comparisons;
    uint32_t n_blocks, n_rejected; /* of a comparison; those that did not count */
    const struct bench_rejection *rejected;
    double margin; /* what counts as a difference, 0.03 is 3%; NaN: this is no comparison */
    uint32_t n_gates;
    const struct bench_gate *const *gates; /* gate by gate, point by point, arm by arm */
};

/* A metric in one of the runs of a history. */
struct bench_history_run {
    const char *run, *started; /* identity; RFC 3339, UTC */
    enum bench_state state;
    double value; /* NaN when `state` is neither ok nor scaled */
    bool has_interval;
    double low, high;
    uint32_t n;
    double ratio; /* to the anchor in the same run; NaN: none */
    bool has_ratio_interval;
    double ratio_low, ratio_high;
    const char *changed;  /* what differs from the run before: "binary, kernel"; or NULL */
    bool new_level;       /* from here on the level is another */
    double before, after; /* medians of both levels, of the ratio where there is an anchor */
};

/* One arm at one point on one kind of machine, over the runs of one scenario in order of time. */
struct bench_history_series {
    const char *name, *arm, *point; /* name: of the scenario */
    const char *machine;            /* "Example 9000, 2 CPUs" */
    const char *anchor;             /* the arm that ratios refer to, or NULL */
    uint32_t n_runs;
    const struct bench_history_run *const *runs;
    const char *part; /* of its event, that was counted; NULL: all of it */
};

/* How a metric went from run to run. */
struct bench_history {
    uint32_t size;
    uint32_t schema; /* of the JSON document */
    const struct bench_metric *metric;
    uint32_t n_series;
    const struct bench_history_series *const *series;
    uint32_t n_warnings; /* lines that a reader must see */
    const char *const *warnings;
};

/* What of the document is wanted. */
enum bench_part {
    BENCH_PART_ALL = 0,  /* with the first few findings, where it is for people */
    BENCH_PART_FINDINGS, /* all findings, and little else */
};

/* How to write. */
struct bench_style {
    uint32_t size;
    bool color, utf8;
    int width;    /* columns of the terminal, 0: unlimited */
    bool details; /* also rank 2 metrics and single repetitions */
    enum bench_part part;
    /* Only what was measured of this role ("client", "relay_1"); NULL: everything. Asked of
     * reporters that are `by_role`. */
    const char *role;
};

struct bench_reporter {
    struct bench_plugin plugin;
    const char *extension; /* "txt", "json", … */

    /* Required. Writes the document through host->emit. May be called many times. */
    int (*report)(void *state, const struct bench_document *document,
                  const struct bench_style *style, struct bench_output *out,
                  struct bench_error *err);

    /* Writes a history. NULL: this format has none. */
    int (*history)(void *state, const struct bench_history *history,
                   const struct bench_style *style, struct bench_output *out,
                   struct bench_error *err);

    /* It also writes what concerns one role alone, see bench_style: `bench report -o` then makes a
     * file per role. */
    bool by_role;
};

#ifdef __cplusplus
}
#endif
#endif
