/* SPDX-License-Identifier: Apache-2.0 */
#include "report/amounts.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/metric_names.h"

#define NANO 1e-9

struct amount amount_none(enum bench_state state, const char *reason)
{
    return (struct amount){.v = {NAN, state}, .reason = reason};
}

const char *amount_column_reason(const struct series *s, const char *name,
                                 const struct metric_window *w, enum bench_state state)
{
    int column = series_find(s, name);

    if (column >= 0 && s->columns[column].state != BENCH_OK)
        return s->columns[column].reason;
    if (state != BENCH_FAILED)
        return NULL;
    return series_goes_back(s, name, w->first, w->last) ? "the counter went back in the window"
                                                        : "a sample in the window is missing";
}

struct amount amount_of_columns(const struct amount_source *src, const char *pattern,
                                const char *role, bool maximum)
{
    const struct repetition_record *r = src->record;
    const struct metric_window *w = &src->window;
    cleanup_free char *list = metric_expand(pattern, role, NULL, r->delivered);
    cleanup_strings struct strings names = {0};
    struct amount sum = {.seconds = w->seconds};

    strings_split(&names, list, " ");
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        struct bench_value v;

        if (series_find(&r->series, name) < 0)
            return amount_none(BENCH_ABSENT, NULL);
        if (w->seconds <= 0)
            return amount_none(BENCH_FAILED, "fewer than two samples in the window");
        v = maximum ? series_maximum(&r->series, name, w->first, w->last)
                    : series_delta(&r->series, name, w->first, w->last);
        if (!bench_is_number(v.state))
            return amount_none(v.state, amount_column_reason(&r->series, name, w, v.state));
        sum.v.value += v.value;
        if (v.state > sum.v.state)
            sum.v.state = v.state;
    }
    return sum;
}

bool amount_of_total(const struct repetition_record *r, const char *metric, struct amount *ret)
{
    for (size_t i = 0; i < r->n_totals; i++) {
        if (strcmp(r->totals[i].metric, metric) != 0)
            continue;
        *ret = (struct amount){.v.value = r->totals[i].value,
                               .seconds = (double)(r->window_end_ns - r->window_begin_ns) * NANO};
        if (!isfinite(ret->v.value))
            *ret = amount_none(BENCH_FAILED, "the tool's own figure is not a number");
        return true;
    }
    return false;
}

static struct amount payload_of(const struct amount_source *src)
{
    struct amount a;

    if (amount_of_total(src->record, "bytes", &a))
        return a;
    if (amount_of_total(src->record, "bits_per_second", &a)) {
        a.v.value *= a.seconds / 8;
        return a;
    }
    return amount_of_columns(src, "{delivered}.bytes_received", NULL, false);
}

bool amount_never_counted(const struct amount_source *src, const char *name)
{
    const struct series *s = &src->record->series;
    int column = series_find(s, name);

    return column >= 0 && src->window.seconds > 0 &&
           series_at(s, src->window.last, (size_t)column) == 0;
}

static struct amount operations_of(const struct amount_source *src)
{
    struct amount a;

    if (amount_of_total(src->record, "operations", &a))
        return a;
    if (amount_of_total(src->record, "operations_per_second", &a)) {
        a.v.value *= a.seconds;
        return a;
    }
    if (amount_never_counted(src, "client.operations"))
        return amount_none(BENCH_ABSENT, NULL);
    return amount_of_columns(src, "client.operations", NULL, false);
}

/* How a column that is ok was obtained, where that has to be said: an event of user space only. */
static const char *note_of(const struct series *s, const char *name)
{
    int column = series_find(s, name);
    const char *note = column >= 0 ? s->columns[column].reason : NULL;

    return note && *note ? note : NULL;
}

struct amount amount_of_event(const struct amount_source *src, const char *column)
{
    cleanup_free char *enabled_name = xasprintf("%s.enabled_ns", column);
    cleanup_free char *running_name = xasprintf("%s.running_ns", column);
    struct amount count = amount_of_columns(src, column, NULL, false), enabled, running;

    if (!bench_is_number(count.v.state))
        return count;
    count.reason = count.part = note_of(&src->record->series, column);
    enabled = amount_of_columns(src, enabled_name, NULL, false);
    running = amount_of_columns(src, running_name, NULL, false);
    if (!bench_is_number(enabled.v.state) || !bench_is_number(running.v.state))
        return count;
    if (running.v.value <= 0) {
        count = amount_none(BENCH_NOT_COUNTED, "the counter never ran in the window");
        count.missed = 1;
    } else if (running.v.value < enabled.v.value) {
        count.missed = 1 - running.v.value / enabled.v.value;
        count.v.value *= enabled.v.value / running.v.value;
        count.v.state = BENCH_SCALED;
        if (!count.reason)
            count.reason = "multiplexed, estimated from the share of time it was counted";
    }
    return count;
}

struct amount amount_ratio(struct amount a, struct amount b)
{
    if (b.v.state == BENCH_ABSENT)
        return b;
    if (!bench_is_number(a.v.state))
        return a;
    if (!bench_is_number(b.v.state))
        return b;
    if (b.v.value <= 0)
        return amount_none(BENCH_ABSENT, NULL);
    a.v.value /= b.v.value;
    if (b.v.state > a.v.state)
        a.v.state = b.v.state;
    if (!a.reason)
        a.reason = b.reason;
    a.missed = fmax(a.missed, b.missed);
    return a;
}

struct amount amount_rate(struct amount a)
{
    if (bench_is_number(a.v.state) && a.seconds <= 0)
        return amount_none(BENCH_FAILED, "the window has no length");
    return amount_ratio(a, (struct amount){.v.value = a.seconds});
}

void amount_source_init(struct amount_source *src, const struct repetition_record *r)
{
    *src = (struct amount_source){.record = r, .window = metric_window(r)};
    strings_add(&src->roles, "client");
    for (uint32_t i = 1; i <= r->hops; i++)
        strings_addf(&src->roles, "relay_%u", i);
    strings_add(&src->roles, "server");
    src->payload = payload_of(src);
    src->operations = operations_of(src);
}

void amount_source_release(struct amount_source *src)
{
    strings_release(&src->roles);
}
