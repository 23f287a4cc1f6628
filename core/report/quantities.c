/* SPDX-License-Identifier: Apache-2.0 */
#include "report/quantities.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void cite(struct cited *c, const struct bench_metric *m)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->metrics[i] == m)
            return;
    if (c->count < MOST_CITED)
        c->metrics[c->count++] = m;
}

const struct metric_value *subject_metric(const struct subject *s, const char *pattern)
{
    cleanup_free char *name = metric_expand(pattern, s->role, NULL, NULL);

    return s->role || !strstr(pattern, "{role}") ? metric_set_find(&s->o->set, name) : NULL;
}

/* The metric's value, which is cited; NaN when it is no number. */
static double metric_number(const struct subject *s, const char *pattern, struct cited *cited)
{
    const struct metric_value *v = subject_metric(s, pattern);
    double number = v ? observed_number(s->o, v->metric->name) : NAN;

    if (!isnan(number))
        cite(cited, v->metric);
    return number;
}

static double cpu_seconds(const struct subject *s, struct cited *cited)
{
    const struct repetition_record *r = s->o->record;
    double seconds = metric_window(r).seconds;

    if (!s->role)
        return NAN;
    if (limit_by_task_clock(r, &s->o->set, s->role))
        return metric_number(s, "task_clock_{role}", cited);
    return metric_number(s, "cpus_{role}", cited) * seconds;
}

static double period(const struct subject *s)
{
    const struct repetition_record *r = s->o->record;

    for (size_t i = 0; s->role && i < r->n_roles; i++)
        if (strcmp(r->roles[i].name, s->role) == 0 && r->roles[i].cpu_limit > 0)
            return (double)r->roles[i].cpu_period_ns * 1e-9;
    return NAN;
}

static double syscall_number(const struct subject *s, const char *name, struct cited *cited)
{
    cleanup_free char *own = xasprintf("syscall_%s_{role}", name);
    cleanup_free char *tracepoint = xasprintf("syscalls_sys_enter_%s_{role}", name);
    double number = metric_number(s, own, cited);

    return isnan(number) ? metric_number(s, tracepoint, cited) : number;
}

/* Payload of the given directions; NaN when there was none. Of a stream, and where only a tool has
 * counted, it is what was delivered. */
static double payload(const struct subject *s, bool sent, bool received, struct cited *cited)
{
    struct cited unused = {0};
    double back = metric_number(s, "received_bits_per_second", &unused), bits = 0;
    bool one_way = isnan(back) || back <= 0;

    if (sent)
        bits += metric_number(s, one_way ? "bits_per_second" : "sent_bits_per_second", cited);
    if (received && !one_way)
        bits += metric_number(s, "received_bits_per_second", cited);
    return bits > 0 ? bits / 8 * metric_window(s->o->record).seconds : NAN;
}

/* What a role reads or writes: a hop passes on both directions, the ends have one of them each. */
static double moved(const struct subject *s, bool read, struct cited *cited)
{
    bool client = s->role && strcmp(s->role, "client") == 0;
    bool server = s->role && strcmp(s->role, "server") == 0;

    return payload(s, read ? !client : !server, read ? !server : !client, cited);
}

/* One of the alternatives of a word; NaN when it is not known. */
static double alternative(const struct subject *s, const char *word, struct cited *cited)
{
    double seconds = metric_window(s->o->record).seconds;

    if (strncmp(word, "syscall:", 8) == 0)
        return syscall_number(s, word + 8, cited);
    if (strcmp(word, "@bytes") == 0)
        return payload(s, true, true, cited);
    if (strcmp(word, "@read_bytes") == 0)
        return moved(s, true, cited);
    if (strcmp(word, "@written_bytes") == 0)
        return moved(s, false, cited);
    if (strcmp(word, "@requests") == 0)
        return metric_number(s, "operations_per_second", cited) * seconds;
    if (strcmp(word, "@client_connections") == 0)
        return metric_number(s, "connections_per_second", cited) * seconds;
    if (strcmp(word, "@seconds") == 0)
        return seconds > 0 ? seconds : NAN;
    if (strcmp(word, "@cpu_seconds") == 0)
        return cpu_seconds(s, cited);
    if (strcmp(word, "@period") == 0)
        return period(s);
    if (strcmp(word, "@fair_share") == 0)
        return 1 / metric_number(s, "workers_{role}", cited);
    return metric_number(s, word, cited);
}

/* Whether the words are system calls, and all calls of the role were counted: those that are not
 * there did not happen. */
static bool is_none_of_all(const struct subject *s, const char *words)
{
    struct cited unused = {0};

    return strncmp(words, "syscall:", 8) == 0 &&
           !isnan(metric_number(s, "syscalls_{role}", &unused));
}

double quantity_sum(const struct subject *s, const char *words, struct cited *cited)
{
    cleanup_strings struct strings list = {0};
    double sum = NAN;

    strings_split(&list, words, " ");
    for (size_t i = 0; i < list.count; i++) {
        cleanup_strings struct strings alternatives = {0};
        double number = NAN;

        strings_split(&alternatives, list.items[i], "|");
        for (size_t k = 0; k < alternatives.count && isnan(number); k++)
            number = alternative(s, alternatives.items[k], cited);
        if (!isnan(number))
            sum = isnan(sum) ? number : sum + number;
    }
    return isnan(sum) && is_none_of_all(s, words) ? 0 : sum;
}

double quantity_value(const struct quantity *q, const struct subject *s, struct cited *cited)
{
    double over = quantity_sum(s, q->over, cited);
    double under = q->under ? quantity_sum(s, q->under, cited) : 1;

    /* Never 0/0, and nothing is infinite for want of a divisor. */
    return under > 0 ? over / under * (q->scale > 0 ? q->scale : 1) : NAN;
}
