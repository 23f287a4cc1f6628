/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/index_parts.h"
#include "store/series_text.h"

/* --- in ------------------------------------------------------------------------------------ */

int index_unestimated(struct run_index *x, const struct index_filter *filter, struct strings *ret,
                      struct bench_error *err)
{
    cleanup_text struct text sql = {0};
    cleanup_statement struct statement s = {0};
    int more;

    text_add(&sql, "SELECT directory FROM (SELECT * FROM runs");
    index_where(filter, &sql);
    text_add(&sql, ") WHERE reason IS NULL AND estimates_by IS NOT '" BENCH_VERSION "'"
                   " ORDER BY started, directory");
    if (statement_prepare(&s, &x->db, text_get(&sql), err) < 0)
        return -1;
    index_bind(filter, &s);
    while ((more = statement_step(&s, err)) > 0)
        strings_add(ret, column_text(&s, 0));
    return more;
}

/* What is done for every arm and estimate of a run, prepared once: that takes longer than doing it.
 */
struct putting {
    struct statement arm, metric, estimate;
};

static void putting_release(struct putting *p)
{
    statement_release(&p->arm);
    statement_release(&p->metric);
    statement_release(&p->estimate);
}
#define cleanup_putting __attribute__((cleanup(putting_release)))

static int putting_prepare(struct putting *ret, struct run_index *x, struct bench_error *err)
{
    static const char arm[] =
        "INSERT INTO arms (run, name, relay, point, baseline, hops, valid,"
        " failed, limited_by, binary, code, settings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    static const char metric[] = "INSERT INTO metrics (name, unit, title, direction, format)"
                                 " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                                 " unit = excluded.unit, title = excluded.title,"
                                 " direction = excluded.direction, format = excluded.format"
                                 " RETURNING key";
    static const char estimate[] =
        "INSERT INTO estimates (arm, metric, state, value, low, high, n, ratio,"
        " ratio_low, ratio_high, part) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (arm, metric) DO NOTHING";

    return statement_prepare(&ret->arm, &x->db, arm, err) < 0 ||
                   statement_prepare(&ret->metric, &x->db, metric, err) < 0 ||
                   statement_prepare(&ret->estimate, &x->db, estimate, err) < 0
               ? -1
               : 0;
}

static int put_metric(struct statement *s, const struct bench_metric *m, int64_t *ret_key,
                      struct bench_error *err)
{
    statement_text(s, 1, m->name);
    statement_text(s, 2, m->unit);
    statement_text(s, 3, m->title);
    statement_integer(s, 4, m->direction);
    statement_integer(s, 5, m->format);
    if (statement_step(s, err) < 0)
        return -1;
    *ret_key = column_integer(s, 0);
    return statement_step(s, err);
}

static int put_estimate(struct putting *p, int64_t arm, const struct bench_estimate *e,
                        const char *part, struct bench_error *err)
{
    bool counted = e->state <= BENCH_SCALED, number = counted && isfinite(e->value);
    struct statement *s = &p->estimate;
    int64_t metric;

    if (put_metric(&p->metric, e->metric, &metric, err) < 0)
        return -1;
    statement_integer(s, 1, arm);
    statement_integer(s, 2, metric);
    statement_text(s, 3, series_state_names[counted && !number ? BENCH_FAILED : e->state]);
    statement_number(s, 4, number ? e->value : NAN);
    statement_number(s, 5, number && e->has_interval ? e->low : NAN);
    statement_number(s, 6, number && e->has_interval ? e->high : NAN);
    statement_integer(s, 7, e->n);
    statement_number(s, 8, e->ratio);
    statement_number(s, 9, e->has_ratio_interval ? e->ratio_low : NAN);
    statement_number(s, 10, e->has_ratio_interval ? e->ratio_high : NAN);
    statement_text(s, 11, part);
    return statement_step(s, err);
}

static int put_arm(struct run_index *x, struct putting *p, int64_t run, const struct index_arm *a,
                   struct bench_error *err)
{
    struct statement *s = &p->arm;
    int64_t key;

    statement_integer(s, 1, run);
    statement_text(s, 2, a->arm->name);
    statement_text(s, 3, a->arm->relay);
    statement_text(s, 4, a->arm->point);
    statement_integer(s, 5, a->baseline);
    statement_integer(s, 6, a->arm->hops);
    statement_integer(s, 7, a->arm->valid);
    statement_integer(s, 8, a->arm->failed);
    statement_text(s, 9, a->arm->limited_by);
    statement_text(s, 10, a->binary);
    statement_text(s, 11, a->code);
    statement_text(s, 12, a->settings);
    if (statement_step(s, err) < 0)
        return -1;
    key = sqlite3_last_insert_rowid(x->db.handle);
    for (uint32_t i = 0; i < a->arm->n_estimates; i++)
        if (put_estimate(p, key, a->arm->estimates[i], a->parts ? a->parts[i] : NULL, err) < 0)
            return -1;
    return 0;
}

/* 0 when the run has gone meanwhile, or ended. */
static int take_run(struct run_index *x, const char *directory, bool ended, int64_t *ret_key,
                    struct bench_error *err)
{
    cleanup_statement struct statement s = {0}, old = {0};
    int found;

    if (statement_prepare(&s, &x->db,
                          "UPDATE runs SET estimates_by = '" BENCH_VERSION "' WHERE directory = ?"
                          " AND settled <= ? RETURNING key",
                          err) < 0)
        return -1;
    statement_text(&s, 1, directory);
    statement_integer(&s, 2, ended);
    found = statement_step(&s, err);
    if (found <= 0)
        return found;
    *ret_key = column_integer(&s, 0);
    if (statement_step(&s, err) < 0 ||
        statement_prepare(&old, &x->db, "DELETE FROM arms WHERE run = ?", err) < 0)
        return -1;
    statement_integer(&old, 1, *ret_key);
    return statement_step(&old, err) < 0 ? -1 : 1;
}

int index_put_estimates(struct run_index *x, const char *directory, bool ended,
                        const struct index_arm *arms, size_t n, struct bench_error *err)
{
    cleanup_putting struct putting p = {0};
    int64_t run = 0;
    int result;

    if (putting_prepare(&p, x, err) < 0 || database_begin(&x->db, err) < 0)
        return -1;
    result = take_run(x, directory, ended, &run, err);
    for (size_t i = 0; i < n && result > 0; i++)
        if (put_arm(x, &p, run, &arms[i], err) < 0)
            result = -1;
    return database_end(&x->db, result < 0 ? -1 : 0, err);
}

/* --- out ----------------------------------------------------------------------------------- */

static enum bench_state state_named(const char *name)
{
    for (size_t i = 0; series_state_names[i]; i++)
        if (strcmp(series_state_names[i], name) == 0)
            return (enum bench_state)i;
    return BENCH_FAILED;
}

static void visit_row(const struct statement *s, index_visit_sample visit, void *context)
{
    const struct index_sample sample = {
        .directory = column_text(s, 0),
        .id = column_text(s, 1),
        .name = column_text(s, 2),
        .started = column_text(s, 3),
        .bench_version = column_text(s, 4),
        .kernel = column_text(s, 5),
        .cpu_model = column_text(s, 6),
        .cpus = column_integer(s, 7),
        .arm = column_text(s, 8),
        .relay = column_text(s, 9),
        .point = column_text(s, 10),
        .baseline = column_integer(s, 11),
        .binary = column_text(s, 12),
        .code = column_text(s, 13),
        .settings = column_text(s, 14),
        .state = state_named(column_text(s, 15)),
        .value = column_number(s, 16),
        .low = column_number(s, 17),
        .high = column_number(s, 18),
        .n = column_integer(s, 19),
        .ratio = column_number(s, 20),
        .ratio_low = column_number(s, 21),
        .ratio_high = column_number(s, 22),
        .part = column_text(s, 23),
    };

    visit(context, &sample);
}

int index_samples(struct run_index *x, const struct index_filter *filter, const char *metric,
                  const char *point, index_visit_sample visit, void *context,
                  struct bench_error *err)
{
    cleanup_text struct text sql = {0};
    cleanup_statement struct statement s = {0};
    int more;

    text_add(&sql, "SELECT r.directory, r.id, r.name, r.started, r.bench_version, r.kernel,"
                   " r.cpu_model, r.cpus, a.name, a.relay, a.point, a.baseline, a.binary, a.code,"
                   " a.settings, e.state, e.value, e.low, e.high, e.n, e.ratio, e.ratio_low,"
                   " e.ratio_high, e.part FROM (SELECT * FROM runs");
    index_where(filter, &sql);
    text_add(&sql, ") r JOIN arms a ON a.run = r.key JOIN estimates e ON e.arm = a.key"
                   " WHERE e.metric = (SELECT key FROM metrics WHERE name = :metric)"
                   " AND (:point IS NULL OR a.point = :point)"
                   " ORDER BY r.started, r.directory, a.key");
    if (statement_prepare(&s, &x->db, text_get(&sql), err) < 0)
        return -1;
    index_bind(filter, &s);
    statement_text(&s, sqlite3_bind_parameter_index(s.handle, ":metric"), metric);
    statement_text(&s, sqlite3_bind_parameter_index(s.handle, ":point"), point);
    while ((more = statement_step(&s, err)) > 0)
        visit_row(&s, visit, context);
    return more;
}

static int unknown_metric(struct run_index *x, const char *name, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};
    cleanup_statement struct statement s = {0};
    int more;

    if (statement_prepare(&s, &x->db, "SELECT name FROM metrics ORDER BY key", err) < 0)
        return -1;
    while ((more = statement_step(&s, err)) > 0)
        strings_add(&names, column_text(&s, 0));
    if (more < 0)
        return -1;
    if (names.count)
        return error_unknown(err, "metric", name, (const char *const *)names.items);
    error_set(err, BENCH_ERROR_USAGE, "no stored run has a metric '%s'", name);
    error_hint(err, "'bench run' stores runs, 'bench list runs' names them");
    return -1;
}

int index_metric(struct run_index *x, const char *name, struct bench_metric *ret,
                 struct strings *kept, struct bench_error *err)
{
    cleanup_statement struct statement s = {0};
    size_t at = kept->count;
    int found;

    if (statement_prepare(&s, &x->db,
                          "SELECT name, unit, title, direction, format FROM metrics WHERE name = ?",
                          err) < 0)
        return -1;
    statement_text(&s, 1, name);
    found = statement_step(&s, err);
    if (found <= 0)
        return found < 0 ? -1 : unknown_metric(x, name, err);
    for (int i = 0; i < 3; i++)
        strings_add(kept, column_text(&s, i));
    *ret = (struct bench_metric){.name = kept->items[at],
                                 .unit = kept->items[at + 1],
                                 .title = kept->items[at + 2],
                                 .meaning = "",
                                 .stem = kept->items[at],
                                 .direction = (enum bench_direction)column_integer(&s, 3),
                                 .format = (enum bench_format)column_integer(&s, 4)};
    return 0;
}
