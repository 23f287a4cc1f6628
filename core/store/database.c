/* SPDX-License-Identifier: Apache-2.0 */
#include "store/database.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

enum { PATIENCE_MS = 10000 }; /* for other writers */

static enum database_trouble trouble_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table that is not there */
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
        return DATABASE_DAMAGED;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
        return DATABASE_UNWRITABLE;
    default:
        return DATABASE_FINE;
    }
}

static int failed(struct database *db, struct bench_error *err)
{
    int code = sqlite3_extended_errcode(db->handle);

    db->trouble = trouble_of(code);
    error_set(err, BENCH_ERROR_RUN, "'%s': %s", db->name, sqlite3_errmsg(db->handle));
    if ((code & 0xff) == SQLITE_BUSY)
        error_hint(err, "another bench is writing to it: try again");
    return -1;
}

int database_open(struct database *ret, const char *path, bool create, struct bench_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);

    *ret = (struct database){.name = xstrdup(path)};
    if (sqlite3_open_v2(path, &ret->handle, flags, NULL) != SQLITE_OK)
        return failed(ret, err);
    sqlite3_busy_timeout(ret->handle, PATIENCE_MS);
    return 0;
}

void database_release(struct database *db)
{
    sqlite3_close(db->handle);
    free(db->name);
    *db = (struct database){0};
}

int database_run(struct database *db, const char *sql, struct bench_error *err)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(db, err);
}

int database_integer(struct database *db, const char *sql, int64_t *ret, struct bench_error *err)
{
    cleanup_statement struct statement s = {0};

    if (statement_prepare(&s, db, sql, err) < 0 || statement_step(&s, err) < 0)
        return -1;
    *ret = column_integer(&s, 0);
    return 0;
}

int database_begin(struct database *db, struct bench_error *err)
{
    return database_run(db, "BEGIN IMMEDIATE", err);
}

int database_end(struct database *db, int result, struct bench_error *err)
{
    if (result == 0)
        result = database_run(db, "COMMIT", err);
    if (result < 0 && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

int statement_prepare(struct statement *ret, struct database *db, const char *sql,
                      struct bench_error *err)
{
    *ret = (struct statement){.db = db};
    return sqlite3_prepare_v2(db->handle, sql, -1, &ret->handle, NULL) == SQLITE_OK
               ? 0
               : failed(db, err);
}

void statement_release(struct statement *s)
{
    sqlite3_finalize(s->handle);
    *s = (struct statement){0};
}

void statement_text(struct statement *s, int parameter, const char *value)
{
    sqlite3_bind_text(s->handle, parameter, value, -1, SQLITE_STATIC);
}

void statement_integer(struct statement *s, int parameter, int64_t value)
{
    sqlite3_bind_int64(s->handle, parameter, value);
}

void statement_number(struct statement *s, int parameter, double value)
{
    if (isfinite(value))
        sqlite3_bind_double(s->handle, parameter, value);
    else
        sqlite3_bind_null(s->handle, parameter);
}

int statement_step(struct statement *s, struct bench_error *err)
{
    int result = sqlite3_step(s->handle);

    if (result == SQLITE_ROW)
        return 1;
    if (result != SQLITE_DONE) {
        failed(s->db, err);
        sqlite3_reset(s->handle);
        return -1;
    }
    sqlite3_reset(s->handle);
    return 0;
}

const char *column_text(const struct statement *s, int column)
{
    return (const char *)sqlite3_column_text(s->handle, column);
}

int64_t column_integer(const struct statement *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

double column_number(const struct statement *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(s->handle, column);
}
