/* SPDX-License-Identifier: Apache-2.0 */
#include "run/moved.h"

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"

static struct bench_value in_window(const struct repetition_record *r, const char *column)
{
    const struct series *s = &r->series;
    size_t first = 0;

    while (first < s->n_rows && s->times[first] < r->window_begin_ns)
        first++;
    return series_delta(s, column, first, s->n_rows - 1);
}

bool moved_was_due(const struct repetition_record *r)
{
    struct bench_value due = in_window(r, "client.due");

    return due.state != BENCH_OK || due.value > 0;
}

bool moved_anything(const struct repetition_record *r)
{
    static const char *const quantities[] = {"bytes_received", "operations"};

    for (size_t i = 0; i < ARRAY_SIZE(quantities); i++) {
        cleanup_free char *name = xasprintf("%s.%s", r->delivered, quantities[i]);
        struct bench_value v = in_window(r, name);

        /* Without a count a wrapper's parser has the word. */
        if (v.state != BENCH_OK || v.value > 0)
            return true;
    }
    return false;
}

/* How many connections one end counts. */
struct connected {
    int64_t count;   /* at the end; -1: it does not count */
    double seconds;  /* from the first sample until it was reached */
    double standing; /* and from then to the last sample */
};

static struct connected connections(const struct series *s, const char *column)
{
    int at = series_find(s, column);
    size_t last = s->n_rows - 1, row = last;
    int64_t count = at >= 0 && s->n_rows ? series_at(s, last, (size_t)at) : SERIES_MISSING;

    if (count == SERIES_MISSING)
        return (struct connected){.count = -1};
    while (row > 0 && series_at(s, row - 1, (size_t)at) == count)
        row--;
    return (struct connected){
        .count = count,
        .seconds = (double)(s->times[row] - s->times[0]) * 1e-9,
        .standing = (double)(s->times[last] - s->times[row]) * 1e-9,
    };
}

/* The server has fewer than the client: they wait in a relay, or in the queue of its listener. */
static void hint_between(const struct connected *client, const struct connected *server,
                         int64_t jobs, const char *directory, struct bench_error *err)
{
    double seconds = server->seconds + server->standing;

    if (server->count == 0)
        error_hint(err,
                   "the client had its %" PRId64 " connections after %.2g s, and none had reached "
                   "the server after %.2g s: is the relay connected to it? its output is in '%s'",
                   jobs, client->seconds, seconds, directory);
    else if (server->standing > seconds / 2)
        error_hint(err,
                   "the client had its %" PRId64 " connections after %.2g s, but only %" PRId64
                   " had reached the server, and for %.2g s no more came: look for a limit of the "
                   "relay, such as its descriptors ('ulimit -n')",
                   jobs, client->seconds, server->count, server->standing);
    else
        error_hint(err,
                   "the client had its %" PRId64 " connections after %.2g s, and %" PRId64
                   " had reached the server after %.2g s: the relay was still connecting; with a "
                   "'warmup' of %.0f s it may get to all",
                   jobs, client->seconds, server->count, seconds,
                   ceil(2 * seconds * (double)jobs / (double)server->count));
}

void moved_hint(const struct repetition_record *r, int64_t jobs, const char *directory,
                struct bench_error *err)
{
    struct connected client = connections(&r->series, "client.connections");
    struct connected server = connections(&r->series, "server.connections");
    double seconds = server.seconds + server.standing;

    if (client.count < 0)
        error_hint(err, "is the relay connected to the server? its output is in '%s'", directory);
    else if (client.count < jobs)
        error_hint(err,
                   "the client had begun on %" PRId64 " of %" PRId64
                   " connections after %.2g s: with a longer 'warmup' it may get to all",
                   client.count, jobs, client.seconds + client.standing);
    else if (server.count >= 0 && server.count < jobs)
        hint_between(&client, &server, jobs, directory, err);
    else if (server.count >= 0)
        error_hint(err,
                   "all %" PRId64
                   " connections had reached the server after %.2g s, but no data in "
                   "%.2g s: with a longer 'warmup' it may; what the relay printed is in '%s'",
                   jobs, server.seconds, seconds, directory);
    else
        error_hint(err,
                   "the client had its %" PRId64 " connections after %.2g s; the server does not "
                   "count them: is the relay connected to it? its output is in '%s'",
                   jobs, client.seconds, directory);
}
