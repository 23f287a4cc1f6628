/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/index_parts.h"
#include "store/layout.h"

#define TEXT_OF(x) #x
#define TEXT_OF_VALUE(x) TEXT_OF(x)

/*
 * Estimates are entered when somebody asks for them: runs.estimates_by is the bench that did.
 * runs.settled: what is in the row will not change any more. scan.mtime: that of the results
 * directory when its names were last compared, 0 when they have to be again. runs.changed: the
 * change time of its run.json.
 */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE runs ("
    "  key INTEGER PRIMARY KEY,"
    "  directory TEXT NOT NULL UNIQUE,"
    "  id TEXT, name TEXT,"
    "  started TEXT NOT NULL, finished TEXT,"
    "  state TEXT NOT NULL, reason TEXT,"
    "  workload TEXT, protocol TEXT, relays TEXT,"
    "  bench_version TEXT, kernel TEXT, cpu_model TEXT, cpus INTEGER,"
    "  planned INTEGER NOT NULL, done INTEGER NOT NULL,"
    "  settled INTEGER NOT NULL, changed INTEGER NOT NULL,"
    "  estimates_by TEXT,"
    "  CHECK ((reason IS NULL) = (id IS NOT NULL))"
    ") STRICT;"
    /* All that a brief list has: it is read from end to end without a look at the rows. */
    "CREATE INDEX runs_by_start"
    "  ON runs (started, directory, state, reason, relays, planned, done);"
    "CREATE INDEX runs_by_name ON runs (name, started);"
    "CREATE INDEX runs_unsettled ON runs (directory) WHERE NOT settled;"
    "CREATE TABLE relays ("
    "  name TEXT NOT NULL,"
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    "  PRIMARY KEY (name, run)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX relays_by_run ON relays (run);"
    "CREATE TABLE arms ("
    "  key INTEGER PRIMARY KEY,"
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,"
    "  name TEXT NOT NULL, relay TEXT NOT NULL, point TEXT NOT NULL,"
    "  baseline INTEGER NOT NULL, hops INTEGER NOT NULL,"
    "  valid INTEGER NOT NULL, failed INTEGER NOT NULL, limited_by TEXT NOT NULL,"
    "  binary TEXT, code TEXT, settings TEXT,"
    "  UNIQUE (run, name, point)"
    ") STRICT;"
    "CREATE TABLE metrics ("
    "  key INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE, unit TEXT NOT NULL, title TEXT NOT NULL,"
    "  direction INTEGER NOT NULL, format INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE estimates ("
    "  arm INTEGER NOT NULL REFERENCES arms ON DELETE CASCADE,"
    "  metric INTEGER NOT NULL REFERENCES metrics,"
    "  state TEXT NOT NULL, value REAL, low REAL, high REAL, n INTEGER NOT NULL,"
    "  ratio REAL, ratio_low REAL, ratio_high REAL, part TEXT,"
    "  PRIMARY KEY (arm, metric),"
    "  CHECK ((state IN ('ok', 'scaled')) = (value IS NOT NULL))"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE scan (mtime INTEGER NOT NULL) STRICT;"
    "INSERT INTO scan VALUES (0);"
    "PRAGMA user_version = " TEXT_OF_VALUE(INDEX_SCHEMA) ";"
                                                         "COMMIT;";

enum condition { GOOD, MISSING, OUTDATED, DAMAGED };

static char *path_of(const struct run_index *x, const char *end)
{
    return xasprintf("%s/" INDEX_FILE "%s", x->directory, end);
}

static const char *const file_ends[] = {"", "-wal", "-shm"};

/* Without locks on this file system there is only SQLite's own protection. */
static void lock(const struct run_index *x, int how)
{
    while (flock(x->dirfd, how) < 0 && errno == EINTR)
        ;
}

/* Every connection. The log stays when the last one closes: a file that came and went would change
 * the directory's modification time. A cache of 64 MB keeps what is asked of all runs from reading
 * each page many times: they are in another order than the runs. */
static int configure(struct run_index *x, struct bench_error *err)
{
    int yes = 1;

    sqlite3_file_control(x->db.handle, "main", SQLITE_FCNTL_PERSIST_WAL, &yes);
    return database_run(&x->db,
                        "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL;"
                        "PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 1048576;",
                        err);
}

static int refuse_newer(const struct run_index *x, int64_t version, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE, "'%s' has schema %d, this bench reads up to %d", x->db.name,
              (int)version, INDEX_SCHEMA);
    error_hint(err, "use the bench that made it, or make it anew for this one with 'bench list "
                    "runs --rebuild'");
    return -1;
}

/* SQLite would wait for the writer of a FIFO, and write through a link. */
static int check_regular(struct run_index *x, const char *end, struct bench_error *err)
{
    cleanup_free char *path = path_of(x, end);
    struct stat st;

    if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
        return 0;
    x->db.trouble = DATABASE_UNWRITABLE;
    return error_set(err, BENCH_ERROR_RUN, "'%s' is not a regular file", path);
}

/* Opens what is there. -1: it cannot be used, and must not be replaced either. */
static int open_present(struct run_index *x, enum condition *ret, struct bench_error *err)
{
    cleanup_free char *path = path_of(x, "");
    int64_t version = 0;

    *ret = MISSING;
    for (size_t i = 0; i < ARRAY_SIZE(file_ends); i++)
        if (check_regular(x, file_ends[i], err) < 0)
            return -1;
    if (access(path, F_OK) < 0)
        return 0;
    if (database_open(&x->db, path, false, err) < 0 || configure(x, err) < 0 ||
        database_integer(&x->db, "PRAGMA user_version", &version, err) < 0) {
        *ret = DAMAGED;
        return x->db.trouble == DATABASE_DAMAGED ? 0 : -1;
    }
    if (version > INDEX_SCHEMA)
        return refuse_newer(x, version, err);
    *ret = version == INDEX_SCHEMA ? GOOD : version == 0 ? MISSING : OUTDATED;
    return 0;
}

/* An empty file, which belongs to whom the results belong: root asks for others too. */
static void make_file(const struct run_index *x)
{
    cleanup_close int fd =
        openat(x->dirfd, INDEX_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    struct stat st;

    if (fd >= 0 && geteuid() == 0 && fstat(x->dirfd, &st) == 0 &&
        fchown(fd, st.st_uid, st.st_gid) < 0)
        return; /* a file system without owners */
}

static int create(struct run_index *x, struct bench_error *err)
{
    cleanup_free char *path = path_of(x, "");

    database_release(&x->db);
    for (size_t i = 0; i < ARRAY_SIZE(file_ends); i++) {
        cleanup_free char *old = path_of(x, file_ends[i]);

        unlink(old);
    }
    make_file(x);
    if (database_open(&x->db, path, true, err) < 0 || configure(x, err) < 0 ||
        database_run(&x->db, "PRAGMA journal_mode = WAL", err) < 0)
        return -1;
    return database_run(&x->db, schema, err);
}

/* Replacing is left to one at a time, and somebody else may have been first. */
static int replace(struct run_index *x, bool rebuild, struct strings *notes,
                   struct bench_error *err)
{
    enum condition condition = MISSING;

    lock(x, LOCK_EX);
    database_release(&x->db);
    if (!rebuild && open_present(x, &condition, err) < 0)
        return -1;
    if (condition == GOOD && !rebuild)
        return 0;
    if (condition == OUTDATED)
        strings_addf(notes, "'%s' was of an older schema: made anew", x->db.name);
    if (condition == DAMAGED)
        strings_addf(notes, "'%s' was damaged: made anew", x->db.name);
    return create(x, err);
}

static int open_file(struct run_index *x, bool rebuild, struct strings *notes,
                     struct bench_error *err)
{
    enum condition condition = MISSING;
    int result = 0;

    lock(x, LOCK_SH);
    if (!rebuild && open_present(x, &condition, err) < 0)
        return -1;
    if (condition != GOOD) {
        result = replace(x, rebuild, notes, err);
        lock(x, LOCK_SH);
    }
    return result;
}

static int open_memory(struct run_index *x, struct bench_error *err)
{
    if (database_open(&x->db, ":memory:", true, err) < 0 || configure(x, err) < 0)
        return -1;
    return database_run(&x->db, schema, err);
}

static int attempt(struct run_index *x, bool rebuild, index_use use, void *context,
                   struct strings *notes, struct bench_error *err)
{
    int result = x->in_memory ? open_memory(x, err) : open_file(x, rebuild, notes, err);

    if (result == 0 && x->dirfd >= 0)
        result = index_scan(x, notes, err);
    if (result == 0)
        result = use(x, context, err);
    return result;
}

/* A damaged index is made anew, and one that cannot be written is done without. */
static int attempt_all(struct run_index *x, bool rebuild, index_use use, void *context,
                       struct strings *notes, struct bench_error *err)
{
    struct bench_error first = {0};
    int result = attempt(x, rebuild, use, context, notes, &first);

    if (result < 0 && x->db.trouble == DATABASE_DAMAGED && !x->in_memory) {
        strings_addf(notes, "%s: made anew", first.message);
        result = attempt(x, true, use, context, notes, &first);
    }
    if (result < 0 && x->db.trouble == DATABASE_UNWRITABLE && !x->in_memory) {
        strings_addf(notes, "%s; without it, every run is read", first.message);
        database_release(&x->db);
        x->in_memory = true;
        result = attempt(x, false, use, context, notes, &first);
    }
    if (result < 0 && err)
        *err = first;
    return result;
}

int index_with(const char *directory, bool rebuild, index_use use, void *context,
               index_progress progress, struct strings *notes, struct bench_error *err)
{
    struct run_index x = {.directory = directory ? directory : LAYOUT_RESULTS,
                          .progress = progress,
                          .progress_context = context};
    cleanup_close int dirfd = open(x.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;

    if (dirfd < 0 && (directory || errno != ENOENT))
        return error_errno(err, BENCH_ERROR_RUN, errno, "cannot read directory '%s'", x.directory);
    x.dirfd = dirfd;
    x.in_memory = dirfd < 0 || faccessat(dirfd, ".", W_OK, AT_EACCESS) < 0;
    if (rebuild && x.in_memory && dirfd >= 0)
        strings_addf(notes, "'%s' cannot be written: every run is read, and nothing kept",
                     x.directory);
    result = attempt_all(&x, rebuild, use, context, notes, err);
    database_release(&x.db);
    return result;
}
