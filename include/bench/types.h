/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain types that the core and every plugin share: errors, options, values and addresses.
 *
 * Rules of the ABI: a shared struct that may grow starts with `size`, fields are only ever
 * appended, and whoever reads a field beyond the size it was given must treat it as absent. Times
 * are int64_t nanoseconds, sizes int64_t bytes, shares double fractions (0.5 = 50%), unless a name
 * says otherwise.
 */
#ifndef BENCH_TYPES_H
#define BENCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* What went wrong, as the caller has to see it. The values are the exit codes of the command line.
 */
enum bench_error_kind {
    BENCH_ERROR_NONE = 0,
    BENCH_ERROR_RUN = 1,   /* the run failed: a process died, a wait timed out, a disk filled */
    BENCH_ERROR_USAGE = 2, /* wrong command line or invalid scenario */
    BENCH_ERROR_GATE = 3,  /* a threshold or regression gate failed */
    BENCH_ERROR_INCONCLUSIVE = 4, /* a gate could not be decided */
    BENCH_ERROR_ENVIRONMENT = 5,  /* a required program, privilege or device is missing */
};

/*
 * An error travels up by value: no allocation, so reporting one cannot fail. A fallible function
 * returns 0 or -1, takes the error last and leaves it untouched on success.
 */
struct bench_error {
    enum bench_error_kind kind;
    char message[1024]; /* one line; callers prepend context: "relay 'nginx' (hop 1): start: …" */
    char detail[2048];  /* verbatim lines that prove it (a child's last stderr), or empty */
    char hint[512];     /* what the user can do, or empty */
    int errnum;         /* the errno behind it, 0 when there is none */
};

/* Whether a number is one. Absent is never 0. */
enum bench_state {
    BENCH_OK = 0,
    BENCH_SCALED,        /* multiplexed: estimated from running/enabled */
    BENCH_NOT_COUNTED,   /* could have been counted, but never ran in the window */
    BENCH_NOT_SUPPORTED, /* this machine cannot count it */
    BENCH_FAILED,        /* collecting it failed */
    BENCH_ABSENT,        /* does not apply here (a relay's CPU when there is no relay) */
};

static inline bool bench_is_number(enum bench_state state)
{
    return state == BENCH_OK || state == BENCH_SCALED;
}

struct bench_value {
    double value; /* meaningful only in states BENCH_OK and BENCH_SCALED */
    enum bench_state state;
};

/* A TCP address. `host` is a numeric IPv4 or IPv6 address. */
struct bench_address {
    char host[48];
    uint16_t port;
};

/* The C type stored at `offset` for each option type. */
enum bench_option_type {
    BENCH_OPTION_BOOL = 1, /* int; "true", "false", "yes", "no", "on", "off" */
    BENCH_OPTION_INTEGER,  /* int64_t */
    BENCH_OPTION_NUMBER,   /* double */
    BENCH_OPTION_DURATION, /* int64_t ns; "500ms", "5s", "1m", a bare number is seconds */
    BENCH_OPTION_SIZE,     /* int64_t bytes; "64K", "1M" are binary (1024), "64kB" is decimal */
    BENCH_OPTION_RATE,     /* double per second; "1M", "2.5G" are decimal */
    BENCH_OPTION_SHARE,    /* double fraction; "3%" or "0.03", from 1 on with its sign */
    BENCH_OPTION_STRING,   /* char *, owned by the core, NULL when not given and without default */
    BENCH_OPTION_CHOICE,   /* int: index into `choices` */
};

/*
 * One row of an option table. The core fills the field at `offset` of the owner's state before any
 * hook runs: first the default, then what the scenario says. Help, validation, documentation and
 * completion are generated from this row.
 */
struct bench_option {
    const char *name; /* lower case, words joined by '_' */
    enum bench_option_type type;
    size_t offset;
    const char *unit;        /* for help: "bytes", "CPUs", … or NULL */
    double minimum, maximum; /* inclusive, in base units; both 0: no range */
    const char *fallback;    /* default in the notation of the type; NULL: zero or NULL */
    /* BENCH_OPTION_CHOICE: NULL-terminated list. BENCH_OPTION_RATE, BENCH_OPTION_DURATION: words
     * that may stand for a number, or NULL; word i is stored as -1 - i. Otherwise NULL. */
    const char *const *choices;
    const char *help; /* one sentence, no full stop */
};

/* A row's `offset`. */
#define BENCH_OFFSET(type, field) offsetof(type, field)

#ifdef __cplusplus
}
#endif
#endif
