/* SPDX-License-Identifier: Apache-2.0 */
/* What can be said about a scenario only with the plugins at hand. */
#include <stdlib.h>
#include <string.h>

#include "base/affinity.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "scenario/parts.h"

#define FAIL(err, ...) error_set(err, BENCH_ERROR_USAGE, __VA_ARGS__)

static bool one_line(const char *text)
{
    return !text[strcspn(text, "\n\t")];
}

/* "a, b, c". Caller frees. */
static char *join(const char *const *names)
{
    struct text t = {0};

    for (size_t i = 0; names[i]; i++)
        text_add(&t, "%s%s", i ? ", " : "", names[i]);
    return text_take(&t);
}

static bool contains(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Plugins. */

static const struct bench_workload *find_workload(const struct scenario *s,
                                                  const struct registry *r, struct bench_error *err)
{
    const struct bench_plugin *p = registry_find(r, BENCH_WORKLOAD, s->workload, err);

    if (!p)
        error_at(err, scenario_where(s, "workload"));
    return (const struct bench_workload *)p;
}

static const struct bench_relay *find_relay(const struct arm *arm, const struct registry *r,
                                            struct bench_error *err)
{
    const struct bench_plugin *p = registry_find(r, BENCH_RELAY, arm->plugin, err);

    if (!p)
        error_at(err, arm->where);
    return (const struct bench_relay *)p;
}

/* Defaults that depend on plugins. */

static int unknown_relay_option(const struct scenario *s, const struct registry *r,
                                const struct setting *option, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < s->n_arms; i++) {
        const struct bench_relay *relay = find_relay(&s->arms[i], r, NULL);

        for (const struct bench_option *row = relay->plugin.options; row && row->name; row++)
            if (!strings_has(&names, row->name))
                strings_add(&names, row->name);
    }
    error_unknown(err, "option", option->key, (const char *const *)names.items);
    error_context(err, "relays");
    return error_at(err, option->where);
}

/* Hands `relay.KEY` to every arm that has such an option; one at least must. */
static int hand_out_relay_options(struct scenario *s, const struct registry *r,
                                  struct bench_error *err)
{
    for (size_t i = 0; i < s->relay_options.count; i++) {
        const struct setting *option = &s->relay_options.items[i];
        bool known = false;

        for (size_t j = 0; j < s->n_arms; j++) {
            const struct bench_relay *relay = find_relay(&s->arms[j], r, err);

            if (!relay)
                return -1;
            if (!option_find(relay->plugin.options, option->key))
                continue;
            settings_put(&s->arms[j].options, option->key, option->text, option->where);
            known = true;
        }
        if (!known)
            return unknown_relay_option(s, r, option, err);
    }
    settings_release(&s->relay_options);
    return 0;
}

/* "smoke" for "scenarios/smoke.yaml". Caller frees. */
static char *default_name(const struct scenario *s)
{
    const char *slash, *base, *dot;

    if (!s->file || strcmp(s->file, "-") == 0)
        return xstrdup(s->workload);
    slash = strrchr(s->file, '/');
    base = slash ? slash + 1 : s->file;
    dot = strrchr(base, '.');
    return dot && dot > base ? xstrndup(base, (size_t)(dot - base)) : xstrdup(base);
}

static int fill(struct scenario *s, const struct registry *r, struct bench_error *err)
{
    const struct bench_workload *workload = find_workload(s, r, err);

    if (!workload)
        return -1;
    if (!s->n_arms) {
        struct arm *arm = scenario_add_arm(s, "default");

        arm->name = xstrdup("none");
        arm->plugin = xstrdup("none");
    }
    if (!s->name)
        s->name = default_name(s);
    if (!s->protocol)
        s->protocol = xstrdup(workload->protocols[0]);
    if (!s->baseline)
        s->baseline = xstrdup(s->arms[0].name);
    return hand_out_relay_options(s, r, err);
}

/* Writes out the options that were not given, so that what is stored stays true when a later
 * version has other defaults. */
static void fill_options(struct settings *to, const struct bench_plugin *plugin)
{
    void *state = xcalloc(1, plugin->state_size);

    option_defaults(plugin->options, state);
    for (const struct bench_option *row = plugin->options; row && row->name; row++) {
        cleanup_free char *text = option_format(row, state);

        if (text && !settings_get(to, row->name))
            settings_put(to, row->name, text, SETTING_DEFAULT);
    }
    option_release(plugin->options, state);
    free(state);
}

/* One point. */

static int check_options(const struct settings *settings, const struct bench_plugin *plugin,
                         struct bench_error *err)
{
    cleanup_free char *owner = xasprintf("%s '%s'", plugin_kind_name(plugin->kind), plugin->name);
    void *state = xcalloc(1, plugin->state_size);
    int result;

    option_defaults(plugin->options, state);
    result = settings_apply(settings, plugin->options, state, owner, err);
    option_release(plugin->options, state);
    free(state);
    return result;
}

static int check_workload(const struct scenario *s, const struct registry *r,
                          struct bench_error *err)
{
    const struct bench_workload *workload = find_workload(s, r, err);
    cleanup_free char *protocols = NULL;

    if (!workload || check_options(&s->workload_options, &workload->plugin, err) < 0)
        return -1;
    if (contains(workload->protocols, s->protocol))
        return 0;
    protocols = join(workload->protocols);
    FAIL(err, "protocol: workload '%s' does not speak '%s'", s->workload, s->protocol);
    error_hint(err, "it speaks %s", protocols);
    return error_at(err, scenario_where(s, "protocol"));
}

static int check_environment(const struct arm *arm, struct bench_error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    for (size_t i = 0; i < arm->env.count; i++) {
        const struct setting *variable = &arm->env.items[i];

        if (variable->key[0] && strchr(letters, variable->key[0]) &&
            !variable->key[strspn(variable->key, rest)])
            continue;
        FAIL(err, "env: '%s' is not the name of a variable", variable->key);
        return error_at(err, variable->where);
    }
    return 0;
}

/* A relay that is never a process connects directly: it carries everything over any distance. */
static int check_chain(const struct scenario *s, const struct arm *arm,
                       const struct bench_relay *relay, struct bench_error *err)
{
    cleanup_free char *protocols = NULL;

    if (relay->max_hops == 0)
        return 0;
    if (s->hops > relay->max_hops) {
        FAIL(err, "relay '%s' works with at most %u hop%s, not %lld", arm->name, relay->max_hops,
             relay->max_hops == 1 ? "" : "s", (long long)s->hops);
        return error_at(err, scenario_where(s, "hops") ? scenario_where(s, "hops") : arm->where);
    }
    if (contains(relay->protocols, s->protocol))
        return 0;
    protocols = join(relay->protocols);
    FAIL(err, "relay '%s' cannot carry '%s'", arm->name, s->protocol);
    error_hint(err, "it carries %s", protocols);
    return error_at(err, arm->where);
}

static int check_arm_captures(const struct scenario *s, const struct arm *arm,
                              struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < s->n_captures; i++)
        strings_add(&names, s->captures[i].name);
    for (size_t i = 0; i < arm->captures.count; i++) {
        if (strings_has(&names, arm->captures.items[i]))
            continue;
        error_unknown(err, "capture", arm->captures.items[i], (const char *const *)names.items);
        error_hint(err, "a relay chooses among the captures that the scenario's 'capture' lists");
        return error_at(err, arm->where);
    }
    return 0;
}

static int check_arm(const struct scenario *s, const struct arm *arm, const struct registry *r,
                     struct bench_error *err)
{
    const struct bench_relay *relay = find_relay(arm, r, err);

    if (!relay)
        return -1;
    if (!*arm->name || !one_line(arm->name)) {
        FAIL(err, "name: a relay's name is one line, and not empty");
        return error_at(err, arm->where);
    }
    if (check_arm_captures(s, arm, err) < 0 || check_environment(arm, err) < 0 ||
        check_options(&arm->options, &relay->plugin, err) < 0)
        return -1;
    return check_chain(s, arm, relay, err);
}

static int check_arms(const struct scenario *s, const struct registry *r, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < s->n_arms; i++) {
        const struct arm *arm = &s->arms[i];

        if (check_arm(s, arm, r, err) < 0)
            return -1;
        if (strings_has(&names, arm->name)) {
            FAIL(err, "two relays are called '%s'", arm->name);
            error_hint(err, "give one of them another 'name'");
            return error_at(err, arm->where);
        }
        strings_add(&names, arm->name);
    }
    if (strings_has(&names, s->baseline))
        return 0;
    error_unknown(err, "baseline", s->baseline, (const char *const *)names.items);
    return error_at(err, scenario_where(s, "baseline"));
}

/* The kernel takes no quota below 1 ms. */
static int check_limit(const struct scenario *s, double cpus, const char *where,
                       struct bench_error *err)
{
    char limit[32], period[32];

    if (cpus == 0 || cpus * (double)s->cpu_period_ns >= NS_PER_MS)
        return 0;
    FAIL(err, "cpu_limit: %s CPUs of a period of %s are less than 1ms",
         format_number(cpus, limit, sizeof(limit)),
         format_duration(s->cpu_period_ns, period, sizeof(period)));
    error_hint(err, "raise cpu_limit or cpu_period, or set cpu_limit to 0 for no limit");
    return error_at(err, where);
}

static int check_limits(const struct scenario *s, struct bench_error *err)
{
    const char *where = scenario_where(s, "cpu_limit");

    for (size_t i = 0; i < s->n_arms; i++)
        if (s->arms[i].cpu_limit >= 0 &&
            check_limit(s, s->arms[i].cpu_limit, s->arms[i].where, err) < 0)
            return -1;
    return check_limit(s, s->cpu_limit, where ? where : scenario_where(s, "cpu_period"), err);
}

static int check_point(const struct scenario *s, const struct registry *r, struct bench_error *err)
{
    if (!*s->name || !one_line(s->name)) {
        FAIL(err, "name: the name of a run is one line, and not empty");
        return error_at(err, scenario_where(s, "name"));
    }
    if (check_workload(s, r, err) < 0 || check_arms(s, r, err) < 0)
        return -1;
    return check_limits(s, err);
}

int scenario_check_point(struct scenario *s, const struct registry *r, struct bench_error *err)
{
    return fill(s, r, err) < 0 ? -1 : check_point(s, r, err);
}

/* The sweep. */

/* "server" for "cpus.server", else NULL. */
static const char *swept_role(const char *key)
{
    return strncmp(key, "cpus.", 5) == 0 ? key + 5 : NULL;
}

static bool can_be_swept(const char *key)
{
    /* These are about the run as a whole. Options belong to one workload: sweep workload.OPTION. */
    static const char *const fixed[] = {"bench",  "name",   "workload", "repeat",
                                        "metric", "margin", "reject",   "precision",
                                        "stop",   "seed",   "baseline", NULL};

    return strncmp(key, "workload.", 9) == 0 || strncmp(key, "relay.", 6) == 0 || swept_role(key) ||
           (option_find(scenario_keys, key) && !contains(fixed, key));
}

static int check_axis_key(const struct sweep_axis *axis, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    if (can_be_swept(axis->key))
        return 0;
    for (const struct bench_option *row = scenario_keys; row->name; row++)
        if (can_be_swept(row->name))
            strings_add(&names, row->name);
    strings_add(&names, "workload.OPTION");
    strings_add(&names, "relay.OPTION");
    strings_add(&names, "cpus.ROLE");
    error_unknown(err, "key", axis->key, (const char *const *)names.items);
    error_context(err, "sweep");
    return error_at(err, axis->where);
}

static int by_text(const void *a, const void *b)
{
    char *const *x = *(char *const *const *)a, *const *y = *(char *const *const *)b;
    int order = strcmp(*x, *y);

    return order ? order : x < y ? -1 : 1;
}

static int check_duplicates(const struct sweep_axis *axis, struct bench_error *err)
{
    size_t n = axis->values.count;
    cleanup_free char ***sorted = xcalloc(n, sizeof(*sorted));

    for (size_t i = 0; i < n; i++)
        sorted[i] = &axis->values.items[i];
    qsort(sorted, n, sizeof(*sorted), by_text);
    for (size_t i = 1; i < n; i++)
        if (strcmp(*sorted[i], *sorted[i - 1]) == 0) {
            FAIL(err, "%s: value '%s' is there twice", axis->key, *sorted[i]);
            return error_at(err, axis->wheres.items[sorted[i] - axis->values.items]);
        }
    return 0;
}

/* A search finds one rate, for one point. */
static int refuse_search(const char *where, struct bench_error *err)
{
    FAIL(err, "rate: 'auto' cannot be combined with a sweep");
    error_hint(err, "search at one point, then sweep with the rates that it finds");
    return error_at(err, where);
}

/* Pilots find one warm-up, for all points. */
static int refuse_pilots(const char *where, struct bench_error *err)
{
    FAIL(err, "warmup: 'auto' cannot be a value of a sweep");
    error_hint(err, "outside of the sweep it finds one for all points");
    return error_at(err, where);
}

static int check_axis(const struct sweep_axis *axis, struct bench_error *err)
{
    bool rate = strcmp(axis->key, "rate") == 0, warmup = strcmp(axis->key, "warmup") == 0;

    if (check_axis_key(axis, err) < 0)
        return -1;
    for (size_t i = 0; i < axis->values.count; i++) {
        const char *where = axis->wheres.items[i];

        if ((rate || warmup) && strcmp(axis->values.items[i], "auto") == 0)
            return rate ? refuse_search(where, err) : refuse_pilots(where, err);
    }
    return check_duplicates(axis, err);
}

/* What makes the matrix large. */
static const char *matrix_where(const struct scenario *s)
{
    const char *repeat = scenario_where(s, "repeat");

    if (s->n_axes)
        return s->axes[0].where;
    return repeat || s->n_captures == 0 ? repeat : s->captures[0].where;
}

static int check_matrix(const struct scenario *s, struct bench_error *err)
{
    double steps = (double)s->repeat;

    if (s->n_arms > SCENARIO_MAX_ARMS) {
        FAIL(err, "relays: %zu, at most %d are allowed", s->n_arms, SCENARIO_MAX_ARMS);
        return error_at(err, s->arms[0].where);
    }
    for (size_t i = 0; i < s->n_captures; i++)
        steps += (double)s->captures[i].repetitions;
    steps *= (double)s->n_arms;
    for (size_t i = 0; i < s->n_axes; i++)
        steps *= (double)s->axes[i].values.count;
    if (steps <= SCENARIO_MAX_STEPS)
        return 0;
    FAIL(err, "%.0f repetitions, at most %d are allowed", steps, SCENARIO_MAX_STEPS);
    error_hint(err, "every combination of the sweep is measured with every relay, 'repeat' times");
    return error_at(err, matrix_where(s));
}

/* The point with value `value` of axis `axis` and the first value of the others; `base` is `s`
 * without its sweep, which can be long. */
static int check_value(const struct scenario *s, const struct scenario *base, size_t axis,
                       size_t value, const struct registry *r, struct bench_error *err)
{
    struct scenario point;
    int result = 0;

    scenario_copy(&point, base);
    for (size_t i = 0; result == 0 && i < s->n_axes; i++) {
        size_t v = i == axis ? value : 0;

        result = scenario_set(&point, s->axes[i].key, s->axes[i].values.items[v],
                              s->axes[i].wheres.items[v], err);
    }
    if (result == 0)
        result = scenario_check_point(&point, r, err);
    scenario_release(&point);
    return result;
}

static int check_values(const struct scenario *s, const struct registry *r, struct bench_error *err)
{
    struct scenario base;
    int result = 0;

    scenario_copy(&base, s);
    scenario_drop_sweep(&base);
    for (size_t i = 0; i < s->n_axes; i++)
        for (size_t j = i ? 1 : 0; result == 0 && j < s->axes[i].values.count; j++)
            result = check_value(s, &base, i, j, r, err);
    scenario_release(&base);
    return result;
}

static int check_sweep(const struct scenario *s, const struct registry *r, struct bench_error *err)
{
    if (check_matrix(s, err) < 0)
        return -1;
    if (s->n_axes && s->rate == RATE_AUTO)
        return refuse_search(scenario_where(s, "rate"), err);
    for (size_t i = 0; i < s->n_axes; i++)
        if (check_axis(&s->axes[i], err) < 0)
            return -1;
    return s->n_axes ? check_values(s, r, err) : check_point(s, r, err);
}

/* Whether a sweep gives the key values of its own. */
static const struct sweep_axis *swept(const struct scenario *s, const char *key)
{
    for (size_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axes[i].key, key) == 0)
            return &s->axes[i];
    return NULL;
}

/* In a closed loop no request is due at any time. */
static int check_arrivals(const struct scenario *s, struct bench_error *err)
{
    const struct sweep_axis *axis = swept(s, "arrivals");

    if (s->rate != 0 || swept(s, "rate") || (!axis && s->arrivals == ARRIVALS_POISSON))
        return 0;
    FAIL(err, "arrivals: without 'rate' the next request follows an answer");
    error_hint(err, "give a 'rate', or leave 'arrivals' out");
    return error_at(err, axis ? axis->where : scenario_where(s, "arrivals"));
}

/* Pins and captures. */

static int64_t longest_chain(const struct scenario *s)
{
    int64_t most = s->hops, hops;

    for (size_t i = 0; i < s->n_axes; i++)
        for (size_t j = 0; strcmp(s->axes[i].key, "hops") == 0 && j < s->axes[i].values.count; j++)
            if (parse_integer(s->axes[i].values.items[j], &hops, NULL) == 0 &&
                (j == 0 || hops > most))
                most = hops;
    return most;
}

/* Of the longest chain: "client", "server", "relay", "relay_1" … */
static void role_names(const struct scenario *s, struct strings *ret)
{
    strings_add(ret, "client");
    strings_add(ret, "server");
    strings_add(ret, "relay");
    for (int64_t i = 1; i <= longest_chain(s); i++)
        strings_addf(ret, "relay_%lld", (long long)i);
}

static int check_pin(const struct strings *roles, const char *role, const char *cpus,
                     const char *where, struct bench_error *err)
{
    uint64_t mask[UNITS_CPU_WORDS];

    if (!strings_has(roles, role)) {
        error_unknown(err, "role", role, (const char *const *)roles->items);
        error_context(err, "cpus");
        return error_at(err, where);
    }
    if (parse_cpus(cpus, mask, err) == 0)
        return 0;
    error_context(err, "cpus: %s", role);
    return error_at(err, where);
}

static int check_pins(const struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings roles = {0};

    role_names(s, &roles);
    for (size_t i = 0; i < s->n_pins; i++)
        if (check_pin(&roles, s->pins[i].role, s->pins[i].cpus, s->pins[i].where, err) < 0)
            return -1;
    for (size_t i = 0; i < s->n_axes; i++) {
        const struct sweep_axis *axis = &s->axes[i];
        const char *role = swept_role(axis->key);

        for (size_t j = 0; role && j < axis->values.count; j++)
            if (check_pin(&roles, role, axis->values.items[j], axis->wheres.items[j], err) < 0)
                return -1;
    }
    return 0;
}

static bool has_cpus(const char *list)
{
    uint64_t mask[UNITS_CPU_WORDS];

    return parse_cpus(list, mask, NULL) == 0 && affinity_try(mask, NULL) == 0;
}

/* The values of an axis over CPUs that this machine has, `has` of them. */
static void keep_present(struct sweep_axis *axis, size_t has, struct strings *left_out)
{
    struct strings values = {0}, wheres = {0};

    if (has == 0 || has == axis->values.count)
        return; /* with none it is refused when the CPUs are asked for */
    for (size_t i = 0; i < axis->values.count; i++) {
        if (has_cpus(axis->values.items[i])) {
            strings_add(&values, axis->values.items[i]);
            strings_add(&wheres, axis->wheres.items[i]);
        } else {
            strings_addf(left_out, "%s=%s", axis->key, axis->values.items[i]);
        }
    }
    strings_release(&axis->values);
    strings_release(&axis->wheres);
    axis->values = values;
    axis->wheres = wheres;
}

static void leave_out(struct scenario *s)
{
    for (size_t i = 0; i < s->n_axes; i++) {
        struct sweep_axis *axis = &s->axes[i];
        size_t has = 0;

        for (size_t j = 0; swept_role(axis->key) && j < axis->values.count; j++)
            has += has_cpus(axis->values.items[j]);
        keep_present(axis, has, &s->left_out);
    }
}

/* The capture itself knows its words; how many hops there are it does not. */
static int check_capture_roles(const struct scenario *s, const struct capture_request *capture,
                               struct bench_error *err)
{
    cleanup_strings struct strings roles = {0}, words = {0};
    const char *text = settings_get(&capture->options, "roles");

    role_names(s, &roles);
    strings_split(&words, text ? text : "", ", ");
    for (size_t i = 0; i < words.count; i++) {
        if (strncmp(words.items[i], "relay_", 6) != 0 || strings_has(&roles, words.items[i]))
            continue;
        error_unknown(err, "role", words.items[i], (const char *const *)roles.items);
        error_context(err, "capture '%s': option 'roles'", capture->name);
        return error_at(err, settings_find(&capture->options, "roles")->where);
    }
    return 0;
}

static int check_captures(const struct scenario *s, capture_known_fn capture_known,
                          struct bench_error *err)
{
    for (size_t i = 0; i < s->n_captures; i++) {
        struct capture_request *capture = &s->captures[i];

        if (capture_known(capture, err) < 0) {
            const char *where =
                err ? scenario_blamed(s, &capture->options, capture->where, err->message) : NULL;

            return error_at(err, where ? where : capture->where);
        }
        if (check_capture_roles(s, capture, err) < 0)
            return -1;
        for (size_t j = 0; j < i; j++)
            if (strcmp(capture->name, s->captures[j].name) == 0) {
                FAIL(err, "capture '%s' is there twice", capture->name);
                return error_at(err, capture->where);
            }
    }
    return 0;
}

int scenario_check(struct scenario *s, const struct registry *r, capture_known_fn capture_known,
                   struct bench_error *err)
{
    if (fill(s, r, err) < 0 || check_captures(s, capture_known, err) < 0 ||
        check_sweep(s, r, err) < 0 || check_arrivals(s, err) < 0 || check_pins(s, err) < 0)
        return -1;
    fill_options(&s->workload_options, &find_workload(s, r, NULL)->plugin);
    for (size_t i = 0; i < s->n_arms; i++)
        fill_options(&s->arms[i].options, &find_relay(&s->arms[i], r, NULL)->plugin);
    leave_out(s);
    return 0;
}
