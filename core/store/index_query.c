/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_parts.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

const char *const index_states[] = {"running", "complete",   "interrupted", "failed",
                                    "damaged", "unreadable", NULL};
const char *const index_sorts[] = {"started", "finished", "name", "state", "repetitions", NULL};

/* What index_sorts stand for; the last decides between equals. */
static const char *const orders[][3] = {
    {"started", "directory"},         {"finished", "directory"},
    {"name", "started", "directory"}, {"state", "started", "directory"},
    {"done", "started", "directory"},
};

static int add_order(const char *sort, struct text *sql, struct bench_error *err)
{
    bool down = sort && *sort == '-';
    const char *key = sort ? sort + down : index_sorts[0];

    for (size_t i = 0; index_sorts[i]; i++) {
        if (strcmp(index_sorts[i], key) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(orders[i]) && orders[i][k]; k++)
            text_add(sql, "%s %s%s", k ? "," : " ORDER BY", orders[i][k], down ? " DESC" : "");
        return 0;
    }
    return error_unknown(err, "order", key, index_sorts);
}

struct condition {
    const char *value, *sql;
};

enum { CONDITIONS = 5 };

static void list_conditions(const struct index_filter *f, struct condition ret[CONDITIONS])
{
    ret[0] =
        (struct condition){f->pattern, "instr(directory || char(10) || coalesce(id, ''), ?) > 0"};
    ret[1] = (struct condition){f->name, "name GLOB ?"};
    ret[2] = (struct condition){f->relay, "key IN (SELECT run FROM relays WHERE name = ?)"};
    ret[3] = (struct condition){f->state, "state = ?"};
    ret[4] = (struct condition){f->since, "started >= ?"};
}

void index_where(const struct index_filter *filter, struct text *sql)
{
    struct condition conditions[CONDITIONS];
    const char *link = " WHERE ";

    list_conditions(filter, conditions);
    for (size_t i = 0; i < CONDITIONS; i++)
        if (conditions[i].value) {
            text_add(sql, "%s%s", link, conditions[i].sql);
            link = " AND ";
        }
}

void index_bind(const struct index_filter *filter, struct statement *s)
{
    struct condition conditions[CONDITIONS];
    int n = 0;

    list_conditions(filter, conditions);
    for (size_t i = 0; i < CONDITIONS; i++)
        if (conditions[i].value)
            statement_text(s, ++n, conditions[i].value);
}

static void visit_row(const struct statement *s, bool brief, index_visit visit, void *context)
{
    struct indexed_run run = {
        .directory = column_text(s, 0),
        .started = column_text(s, 1),
        .state = column_text(s, 2),
        .reason = column_text(s, 3),
        .relays = column_text(s, 4),
        .planned = column_integer(s, 5),
        .done = column_integer(s, 6),
    };

    if (!brief) {
        run.id = column_text(s, 7);
        run.name = column_text(s, 8);
        run.finished = column_text(s, 9);
        run.workload = column_text(s, 10);
        run.protocol = column_text(s, 11);
        run.bench_version = column_text(s, 12);
        run.kernel = column_text(s, 13);
        run.cpu_model = column_text(s, 14);
        run.cpus = column_integer(s, 15);
    }
    visit(context, &run);
}

/* The newest so many are chosen first, and then put in order. */
static int runs_sql(const struct index_filter *filter, struct text *sql, struct bench_error *err)
{
    text_add(sql, "SELECT directory, started, state, reason, relays, planned, done");
    if (!filter->brief)
        text_add(sql, ", id, name, finished, workload, protocol, bench_version, kernel, cpu_model, "
                      "cpus");
    text_add(sql, filter->limit ? " FROM (SELECT * FROM runs" : " FROM runs");
    index_where(filter, sql);
    if (filter->limit)
        text_add(sql, " ORDER BY started DESC, directory DESC LIMIT %lld)",
                 (long long)filter->limit);
    return add_order(filter->sort, sql, err);
}

int index_runs(struct run_index *x, const struct index_filter *filter, index_visit visit,
               void *context, struct bench_error *err)
{
    cleanup_text struct text sql = {0};
    cleanup_statement struct statement s = {0};
    int more;

    if (runs_sql(filter, &sql, err) < 0 || statement_prepare(&s, &x->db, text_get(&sql), err) < 0)
        return -1;
    index_bind(filter, &s);
    while ((more = statement_step(&s, err)) > 0)
        visit_row(&s, filter->brief, visit, context);
    return more;
}
