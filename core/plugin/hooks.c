/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/hooks.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "plugin/hook.h"

/* A plugin that was built earlier is shorter. */
#define HAS(p, type, field) ((p)->plugin.size > offsetof(type, field) && (p)->field)

/* ---- descriptions ---- */

/* What a hook did wrong with the host's functions. */
static int check_process(const struct bench_process *p, struct bench_error *err)
{
    return p->misuse ? hook_mistake(err, "%s", p->misuse) : 0;
}

static int check_role(const struct bench_process *p, struct bench_error *err)
{
    if (check_process(p, err) < 0)
        return -1;
    return p->main || p->argv.count ? 0
                                    : hook_mistake(err, "describes neither a program nor a main");
}

/* The readiness of a role that listens elsewhere would be waited for in vain. */
static int check_ports(const struct bench_process *p, uint16_t own, const uint16_t *extra,
                       size_t n_extra, struct bench_error *err)
{
    for (size_t i = 0; i < p->n_ports; i++) {
        bool known = p->ports[i] == own;

        for (size_t k = 0; k < n_extra && !known; k++)
            known = p->ports[i] == extra[k];
        if (!known)
            return hook_mistake(err, "says that port %u is listened on, which it was not given",
                                p->ports[i]);
    }
    return 0;
}

int hook_describe(const struct bench_relay *r, void *state, const struct bench_hop *hop,
                  struct bench_process *process, struct bench_error *err)
{
    struct hook_call c;
    int result;

    process->plugin = &r->plugin;
    hook_begin(&c, &r->plugin, NULL, "describe");
    result = hook_end(&c, r->describe(state, hop, process, &c.error), err);
    if (result < 0 || check_role(process, err) < 0)
        return -1;
    return check_ports(process, hop->listen.port, hop->ports, r->extra_ports, err);
}

int hook_statistics(const struct bench_relay *r, void *state, const struct bench_hop *hop,
                    struct bench_process *reader, struct bench_error *err)
{
    struct hook_call c;

    if (!HAS(r, struct bench_relay, statistics))
        return 0;
    reader->plugin = &r->plugin;
    hook_begin(&c, &r->plugin, NULL, "statistics");
    return hook_end(&c, r->statistics(state, hop, reader, &c.error), err) < 0
               ? -1
               : check_process(reader, err);
}

typedef int (*role_fn)(void *, const struct bench_role *, struct bench_process *,
                       struct bench_error *);

static int describe_role(const struct bench_workload *w, const char *hook, role_fn fn, void *state,
                         const struct bench_role *role, struct bench_process *process,
                         struct bench_error *err)
{
    struct hook_call c;

    process->plugin = &w->plugin;
    hook_begin(&c, &w->plugin, NULL, hook);
    return hook_end(&c, fn(state, role, process, &c.error), err) < 0 ? -1
                                                                     : check_role(process, err);
}

int hook_server(const struct bench_workload *w, void *state, const struct bench_role *role,
                struct bench_process *process, struct bench_error *err)
{
    return describe_role(w, "server", w->server, state, role, process, err) < 0
               ? -1
               : check_ports(process, role->listen.port, NULL, 0, err);
}

int hook_client(const struct bench_workload *w, void *state, const struct bench_role *role,
                struct bench_process *process, struct bench_error *err)
{
    return describe_role(w, "client", w->client, state, role, process, err) < 0
               ? -1
               : check_ports(process, 0, NULL, 0, err);
}

int hook_delivered(const struct bench_workload *w, const void *state, enum bench_side *ret,
                   struct bench_error *err)
{
    enum bench_side side = BENCH_SERVER;
    struct hook_call c;

    if (w->delivered) {
        hook_begin(&c, &w->plugin, NULL, "delivered");
        side = w->delivered(state);
        if (hook_end(&c, 0, err) < 0)
            return -1;
    }
    if (side != BENCH_SERVER && side != BENCH_CLIENT)
        return hook_mistake(err, "returned %d: neither server nor client", (int)side);
    *ret = side;
    return 0;
}

bool hook_pausable(const struct bench_workload *w, const void *state, const struct bench_role *role)
{
    struct hook_call c;
    bool result;

    if (!HAS(w, struct bench_workload, pausable))
        return false;
    hook_begin(&c, &w->plugin, NULL, "pausable");
    result = w->pausable(state, role);
    return hook_end(&c, 0, NULL) == 0 && result;
}

int hook_asked_bits(const struct bench_workload *w, const void *state,
                    const struct bench_role *role, double *ret, struct bench_error *err)
{
    struct hook_call c;
    double bits = 0;

    if (HAS(w, struct bench_workload, asked_bits)) {
        hook_begin(&c, &w->plugin, NULL, "asked_bits");
        bits = w->asked_bits(state, role);
        if (hook_end(&c, 0, err) < 0)
            return -1;
    }
    if (!isfinite(bits) || bits < 0)
        return hook_mistake(err, "asked for %g bit/s", bits);
    *ret = bits;
    return 0;
}

/* ---- results ---- */

enum { LONGEST_NAME = 64 };

static bool is_name(const char *s)
{
    size_t n = 0;

    while (islower((unsigned char)s[n]) || s[n] == '_' || (n && isdigit((unsigned char)s[n])))
        n++;
    return n > 0 && n <= LONGEST_NAME && s[n] == '\0';
}

static int check_totals(const struct bench_result *r, struct bench_error *err)
{
    if (r->misuse)
        return hook_mistake(err, "%s", r->misuse);
    for (size_t i = 0; i < r->n_totals; i++) {
        const struct result_total *t = &r->totals[i];

        if (!is_name(t->metric))
            return hook_mistake(err,
                                "reports '%.*s': a name is at most %d lower-case letters, "
                                "digits and '_'",
                                LONGEST_NAME, t->metric, LONGEST_NAME);
        if (!isfinite(t->value))
            return hook_mistake(err, "reports %g for '%s': not a number", t->value, t->metric);
    }
    return 0;
}

int hook_parse(const struct bench_workload *w, void *state, const struct bench_leftovers *left,
               struct bench_result *result, struct bench_error *err)
{
    struct hook_call c;

    hook_begin(&c, &w->plugin, NULL, "parse");
    if (hook_end(&c, w->parse(state, left, result, &c.error), err) < 0 ||
        check_totals(result, err) < 0)
        return -1;
    for (size_t i = 0; i < result->n_totals; i++)
        if (result->totals[i].value < 0)
            return hook_mistake(err, "reports %g for '%s': less than nothing",
                                result->totals[i].value, result->totals[i].metric);
    if (result->has_window && result->begin_ns >= result->end_ns)
        return hook_mistake(err, "reports a window that is empty or ends before it begins");
    return 0;
}

int hook_parse_statistics(const struct bench_relay *r, void *state,
                          const struct bench_statistics *read, struct bench_result *result,
                          struct bench_error *err)
{
    struct hook_call c;

    hook_begin(&c, &r->plugin, NULL, "parse_statistics");
    return hook_end(&c, r->parse_statistics(state, read, result, &c.error), err) < 0
               ? -1
               : check_totals(result, err);
}

/* ---- reports ---- */

static int check_output(const struct bench_output *out, struct bench_error *err)
{
    return out->too_long ? hook_mistake(err, "writes more than %d MiB", OUTPUT_MOST_MIB) : 0;
}

int hook_report(const struct bench_reporter *r, void *state, const struct bench_document *document,
                const struct bench_style *style, struct bench_output *out, struct bench_error *err)
{
    struct hook_call c;

    hook_begin(&c, &r->plugin, NULL, "report");
    return hook_end(&c, r->report(state, document, style, out, &c.error), err) < 0
               ? -1
               : check_output(out, err);
}

int hook_history(const struct bench_reporter *r, void *state, const struct bench_history *history,
                 const struct bench_style *style, struct bench_output *out, struct bench_error *err)
{
    struct hook_call c;

    hook_begin(&c, &r->plugin, NULL, "history");
    return hook_end(&c, r->history(state, history, style, out, &c.error), err) < 0
               ? -1
               : check_output(out, err);
}
