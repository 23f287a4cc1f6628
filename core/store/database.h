/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite with this code base's errors. A database remembers what kind of trouble its last error
 * was, because that decides what helps: making it anew, or doing without it.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <sqlite3.h>

#include <bench/types.h>

enum database_trouble {
    DATABASE_FINE = 0,
    DATABASE_DAMAGED,    /* its content is not what it should be */
    DATABASE_UNWRITABLE, /* no permission, no space, no such place */
};

struct database {
    sqlite3 *handle;
    char *name; /* for messages */
    enum database_trouble trouble;
};

/* `path` as sqlite3_open_v2() takes it, also ":memory:". A file that is missing is made only when
 * `create` is set. What this returned, released or not, may be released. */
int database_open(struct database *ret, const char *path, bool create, struct bench_error *err);
void database_release(struct database *db);
/* Statements without results, separated by ';'. */
int database_run(struct database *db, const char *sql, struct bench_error *err);
/* Runs `sql` and stores the integer in its first column. */
int database_integer(struct database *db, const char *sql, int64_t *ret, struct bench_error *err);
/* BEGIN IMMEDIATE: waits for other writers here, and never in the middle. */
int database_begin(struct database *db, struct bench_error *err);
/* COMMIT when `result` is 0, else ROLLBACK, which leaves the error alone. Returns what came of it.
 */
int database_end(struct database *db, int result, struct bench_error *err);

struct statement {
    struct database *db;
    sqlite3_stmt *handle;
};
#define cleanup_statement __attribute__((cleanup(statement_release)))

int statement_prepare(struct statement *ret, struct database *db, const char *sql,
                      struct bench_error *err);
void statement_release(struct statement *s);
/* Parameters are counted from 1. Text is not copied: it must live until the statement has run. */
void statement_text(struct statement *s, int parameter, const char *value); /* NULL is NULL */
void statement_integer(struct statement *s, int parameter, int64_t value);
void statement_number(struct statement *s, int parameter, double value); /* not finite is NULL */
/* 1: there is a row; 0: that was all, and the statement can be run again. */
int statement_step(struct statement *s, struct bench_error *err);
/* Columns are counted from 0; text lives until the next step. */
const char *column_text(const struct statement *s, int column); /* NULL is NULL */
int64_t column_integer(const struct statement *s, int column);
double column_number(const struct statement *s, int column); /* NULL is NaN */

#endif
