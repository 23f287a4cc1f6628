/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "scenario/parts.h"

#define AT(field) BENCH_OFFSET(struct scenario, field)
#define MS 1e6
#define S 1e9

static const char *const arrivals[] = {"poisson", "constant", NULL};
static const char *const rate_words[] = {"auto", NULL};
static const char *const interleaving[] = {"no", "auto", "yes", NULL};
static const char *const stops[] = {"fixed", "looks", NULL};
static const char *const rejections[] = {"shared", "lab", "nothing", NULL};
static const char *const networks[] = {"auto", "isolated", "host", NULL};

const struct bench_option scenario_keys[] = {
    {.name = "bench",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(format),
     .minimum = 1,
     .maximum = 1,
     .fallback = "1",
     .help = "version of the scenario format; required in a file"},
    {.name = "name",
     .type = BENCH_OPTION_STRING,
     .offset = AT(name),
     .help = "what the run is called; unless given the name of the file, or of the run that keeps it"},
    {.name = "workload",
     .type = BENCH_OPTION_STRING,
     .offset = AT(workload),
     .fallback = "builtin",
     .help = "workload plugin, or a map with its options: {plugin: builtin, mode: echo}"},
    {.name = "protocol",
     .type = BENCH_OPTION_STRING,
     .offset = AT(protocol),
     .help = "tcp, http1 or http2; the first that the workload speaks unless given"},
    {.name = "jobs",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(jobs),
     .minimum = 1,
     .maximum = 1000000,
     .fallback = "2",
     .help = "concurrent communications of the workload"},
    {.name = "rate",
     .type = BENCH_OPTION_RATE,
     .offset = AT(rate),
     .unit = "requests/s",
     .minimum = 0,
     .maximum = 1e9,
     .fallback = "0",
     .choices = rate_words,
     .help = "open loop: requests per second of the whole client, sent when they are due whether "
             "or not earlier ones were answered; 0: closed loop, the next follows an answer; auto: "
             "finds the highest rate at which every arm keeps up, and measures at 20% to 95% of "
             "it"},
    {.name = "arrivals",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(arrivals),
     .fallback = "poisson",
     .choices = arrivals,
     .help = "how requests at `rate` are spread in time; poisson: at random from the seed, the "
             "same for every arm of a block; constant: evenly"},
    {.name = "hops",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(hops),
     .minimum = 0,
     .maximum = SCENARIO_MAX_HOPS,
     .fallback = "2",
     .help = "relay processes in a chain between client and server; 0: none, whatever the arm"},
    {.name = "repeat",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(repeat),
     .minimum = 1,
     .maximum = SCENARIO_MAX_STEPS,
     .fallback = "6",
     .help = "repetitions of every arm, each with fresh processes; 6 are the fewest that give a "
             "95% interval"},
    {.name = "metric",
     .type = BENCH_OPTION_STRING,
     .offset = AT(metric),
     .help =
         "bench compare: metrics that decide, separated by commas, each by its name or a beginning "
         "that fits no other; unless given operations per "
         "second where requests are counted, else throughput, at a rate the p99 of the latency"},
    {.name = "margin",
     .type = BENCH_OPTION_SHARE,
     .offset = AT(margin),
     .minimum = 0.0001,
     .maximum = 10,
     .fallback = "3%",
     .help = "bench compare: what counts as a difference; 1% in a quiet laboratory, 3% on a shared "
             "machine"},
    {.name = "reject",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(reject),
     .fallback = "shared",
     .choices = rejections,
     .help =
         "bench compare: blocks that do not count and are measured again; shared: others used "
         "more than 0.05 CPUs, steal above 1%, another clock source, a counter that decides ran "
         "less than 95% of the time; lab: any steal at all; nothing"},
    {.name = "precision",
     .type = BENCH_OPTION_SHARE,
     .offset = AT(precision),
     .minimum = 0,
     .maximum = 10,
     .fallback = "0%",
     .help = "bench compare: half width of the interval that is wanted, and so many blocks as that "
             "takes, 10 to 40; 0%: as many as `repeat` says"},
    {.name = "stop",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(stop),
     .fallback = "fixed",
     .choices = stops,
     .help =
         "bench compare: fixed: after `repeat` blocks; looks: after 10, 20, 30 or 40, as soon as "
         "every comparison is decided, at levels that keep the family error"},
    {.name = "seed",
     .type = BENCH_OPTION_INTEGER,
     .offset = AT(seed),
     .minimum = -1,
     .maximum = 9007199254740991.0, /* 2^53 - 1: exact in every reader of JSON */
     .fallback = "-1",
     .help = "seed of every random choice, such as the order of the arms; -1 draws one"},
    {.name = "warmup",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(warmup_ns),
     .minimum = 0,
     .maximum = 3600 * S,
     .fallback = "1s",
     .help = "time under load before the measured window"},
    {.name = "duration",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(duration_ns),
     .minimum = 10 * MS,
     .maximum = 24 * 3600 * S,
     .fallback = "3s",
     .help = "length of the measured window"},
    {.name = "tick",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(tick_ns),
     .minimum = 10 * MS,
     .maximum = 60 * S,
     .fallback = "100ms",
     .help = "time between two samples in the window"},
    {.name = "interleave",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(interleave),
     .fallback = "no",
     .choices = interleaving,
     .help = "yes: all arms of a block live together and are measured in turn, in slices of their "
             "windows, so that a change of the machine's speed meets all of them; auto: where the "
             "workload can pause; no: one after the other"},
    {.name = "slice",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(slice_ns),
     .minimum = 10 * MS,
     .maximum = 3600 * S,
     .fallback = "400ms",
     .help = "about how long a slice of the window is when arms are interleaved"},
    {.name = "cpu_limit",
     .type = BENCH_OPTION_NUMBER,
     .offset = AT(cpu_limit),
     .unit = "CPUs",
     .minimum = 0,
     .maximum = 1024,
     .fallback = "1",
     .help = "CPU time that each relay process gets, fractions allowed; 0: no limit, needs no "
             "privilege"},
    {.name = "cpu_period",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(cpu_period_ns),
     .minimum = 1 * MS,
     .maximum = 1 * S,
     .fallback = "100ms",
     .help = "period over which the CPU limit is enforced; short ones throttle less at a time, "
             "but below 100ms a limit of 1 or more comes out too low"},
    {.name = "network",
     .type = BENCH_OPTION_CHOICE,
     .offset = AT(network),
     .fallback = "auto",
     .choices = networks,
     .help = "isolated: a network namespace of its own for each repetition; host: the machine's "
             "loopback; auto: isolated where privilege allows"},
    {.name = "congestion",
     .type = BENCH_OPTION_STRING,
     .offset = AT(congestion),
     .help = "TCP congestion control of an isolated network; reno there unless given"},
    {.name = "start_timeout",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(start_timeout_ns),
     .minimum = 1 * MS,
     .maximum = 3600 * S,
     .fallback = "10s",
     .help = "how long a process may take until it is ready"},
    {.name = "stop_timeout",
     .type = BENCH_OPTION_DURATION,
     .offset = AT(stop_timeout_ns),
     .minimum = 0,
     .maximum = 3600 * S,
     .fallback = "2s",
     .help = "how long a process may take to end before it is killed"},
    {.name = "baseline",
     .type = BENCH_OPTION_STRING,
     .offset = AT(baseline),
     .help = "name of the arm that the others are compared with; the first unless given"},
    {0},
};

const struct scenario_structure scenario_structures[] = {
    {"relays",
     "list of arms, each a NAME or {name, plugin, path, env, options, cpu_limit, capture}",
     "the configurations being compared; 'none' connects directly"},
    {"capture", "list, each a NAME or {NAME: {OPTION: value}}",
     "what is collected beside resources"},
    {"cpus", "map of client, server, relay or relay_N to a list of CPUs such as 0-1,3",
     "pins the processes of a role to CPUs"},
    {"sweep", "map of a key, workload.OPTION, relay.OPTION or cpus.ROLE to a list of values",
     "a matrix: every arm is measured at every combination"},
    {"fail_on",
     "list of METRIC [of ARM] [at POINT] > VALUE (or >=, <, <=) or … regresses SHARE (or "
     "improves, changes)",
     "gates: what makes the run fail, decided by intervals; exit status 3, or 4 when undecided"},
    {0},
};

/* Settings. */

static struct setting *find_setting(const struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].key, key) == 0)
            return &s->items[i];
    return NULL;
}

const char *settings_get(const struct settings *s, const char *key)
{
    const struct setting *found = find_setting(s, key);

    return found ? found->text : NULL;
}

static void replace(char **old, const char *text)
{
    char *copy = xstrdup(text); /* first: `text` may be *old */

    free(*old);
    *old = copy;
}

void settings_put(struct settings *s, const char *key, const char *text, const char *where)
{
    struct setting *found = find_setting(s, key);

    if (!found) {
        s->items = grow(s->items, &s->capacity, s->count + 1, sizeof(*s->items));
        found = &s->items[s->count++];
        *found = (struct setting){.key = xstrdup(key)};
    }
    replace(&found->text, text);
    replace(&found->where, where);
}

void settings_release(struct settings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i].key);
        free(s->items[i].text);
        free(s->items[i].where);
    }
    free(s->items);
    *s = (struct settings){0};
}

static void settings_copy(struct settings *to, const struct settings *from)
{
    *to = (struct settings){0};
    if (!from->count)
        return;
    to->items = grow(NULL, &to->capacity, from->count, sizeof(*to->items));
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        to->items[i] = (struct setting){.key = xstrdup(from->items[i].key),
                                        .text = xstrdup(from->items[i].text),
                                        .where = xstrdup(from->items[i].where)};
}

int settings_apply(const struct settings *s, const struct bench_option *table, void *state,
                   const char *owner, struct bench_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct setting *setting = &s->items[i];
        const struct bench_option *row = option_find(table, setting->key);

        if ((!row && option_unknown(table, "option", setting->key, err) < 0) ||
            option_set(row, state, setting->text, err) < 0)
            return error_context(err, "%s: %s", setting->where, owner);
    }
    return 0;
}

/* Parts. */

static void arm_release(struct arm *a)
{
    free(a->name);
    free(a->plugin);
    free(a->path);
    free(a->where);
    settings_release(&a->env);
    settings_release(&a->options);
    strings_release(&a->captures);
}

static void capture_release(struct capture_request *c)
{
    free(c->name);
    free(c->where);
    settings_release(&c->options);
}

static void axis_release(struct sweep_axis *a)
{
    free(a->key);
    free(a->where);
    strings_release(&a->values);
    strings_release(&a->wheres);
}

static void pin_release(struct pin *p)
{
    free(p->role);
    free(p->cpus);
    free(p->where);
}

struct arm *scenario_add_arm(struct scenario *s, const char *where)
{
    s->arms = grow(s->arms, &s->arms_capacity, s->n_arms + 1, sizeof(*s->arms));
    s->arms[s->n_arms] = (struct arm){.where = xstrdup(where), .cpu_limit = -1};
    return &s->arms[s->n_arms++];
}

struct capture_request *scenario_add_capture(struct scenario *s, const char *name,
                                             const char *where)
{
    s->captures = grow(s->captures, &s->captures_capacity, s->n_captures + 1, sizeof(*s->captures));
    s->captures[s->n_captures] =
        (struct capture_request){.name = xstrdup(name), .where = xstrdup(where)};
    return &s->captures[s->n_captures++];
}

static void remove_axis(struct scenario *s, const char *key)
{
    for (size_t i = 0; i < s->n_axes; i++)
        if (strcmp(s->axes[i].key, key) == 0) {
            axis_release(&s->axes[i]);
            s->n_axes--;
            memmove(&s->axes[i], &s->axes[i + 1], (s->n_axes - i) * sizeof(*s->axes));
            return;
        }
}

struct sweep_axis *scenario_add_axis(struct scenario *s, const char *key, const char *where)
{
    remove_axis(s, key);
    s->axes = grow(s->axes, &s->axes_capacity, s->n_axes + 1, sizeof(*s->axes));
    s->axes[s->n_axes] = (struct sweep_axis){.key = xstrdup(key), .where = xstrdup(where)};
    return &s->axes[s->n_axes++];
}

void scenario_put_pin(struct scenario *s, const char *role, const char *cpus, const char *where)
{
    size_t i = 0;

    while (i < s->n_pins && strcmp(s->pins[i].role, role) != 0)
        i++;
    if (i == s->n_pins) {
        s->pins = grow(s->pins, &s->pins_capacity, s->n_pins + 1, sizeof(*s->pins));
        s->pins[s->n_pins++] = (struct pin){.role = xstrdup(role)};
    }
    replace(&s->pins[i].cpus, cpus);
    replace(&s->pins[i].where, where);
}

/* Life. */

void scenario_init(struct scenario *s)
{
    *s = (struct scenario){0};
    option_defaults(scenario_keys, s);
}

#define RELEASE_ALL(items, count, release)   \
    do {                                     \
        for (size_t i = 0; i < (count); i++) \
            release(&(items)[i]);            \
        free(items);                         \
    } while (0)

void scenario_drop_sweep(struct scenario *s)
{
    RELEASE_ALL(s->axes, s->n_axes, axis_release);
    s->axes = NULL;
    s->n_axes = s->axes_capacity = 0;
}

static bool is_chosen(const struct scenario *s, const char *capture)
{
    for (size_t i = 0; i < s->n_arms; i++)
        if (strings_has(&s->arms[i].captures, capture))
            return true;
    return false;
}

void scenario_drop_captures(struct scenario *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_captures; i++) {
        struct capture_request *c = &s->captures[i];

        if (c->repetitions > 0 && is_chosen(s, c->name))
            c->repetitions = CAPTURE_CHOSEN;
        if (c->repetitions > 0)
            capture_release(c);
        else
            s->captures[kept++] = *c;
    }
    s->n_captures = kept;
}

void scenario_sweep_rate(struct scenario *s, const double *rates, size_t n)
{
    struct sweep_axis *axis;
    char text[64];

    scenario_drop_sweep(s);
    axis = scenario_add_axis(s, "rate", "rate");
    for (size_t i = 0; i < n; i++) {
        strings_add(&axis->values, format_rate(rates[i], text, sizeof(text)));
        strings_add(&axis->wheres, "rate");
    }
}

void scenario_release(struct scenario *s)
{
    option_release(scenario_keys, s);
    settings_release(&s->workload_options);
    settings_release(&s->relay_options);
    settings_release(&s->given);
    settings_release(&s->fail_on);
    RELEASE_ALL(s->arms, s->n_arms, arm_release);
    RELEASE_ALL(s->captures, s->n_captures, capture_release);
    RELEASE_ALL(s->axes, s->n_axes, axis_release);
    RELEASE_ALL(s->pins, s->n_pins, pin_release);
    strings_release(&s->left_out);
    free(s->file);
    *s = (struct scenario){0};
}

static void copy_strings(struct strings *to, const struct strings *from)
{
    for (size_t i = 0; i < from->count; i++)
        strings_add(to, from->items[i]);
}

static struct arm *copy_arm(struct scenario *to, const struct arm *old)
{
    struct arm *arm = scenario_add_arm(to, old->where);

    arm->name = xstrdup(old->name);
    arm->plugin = xstrdup(old->plugin);
    arm->path = xstrdup(old->path);
    settings_copy(&arm->env, &old->env);
    settings_copy(&arm->options, &old->options);
    arm->cpu_limit = old->cpu_limit;
    copy_strings(&arm->captures, &old->captures);
    arm->chooses_captures = old->chooses_captures;
    return arm;
}

void scenario_copy(struct scenario *to, const struct scenario *from)
{
    struct scenario *scalars = option_copy(scenario_keys, from, sizeof(*from));

    *to = *scalars;
    free(scalars);
    settings_copy(&to->workload_options, &from->workload_options);
    settings_copy(&to->relay_options, &from->relay_options);
    settings_copy(&to->given, &from->given);
    settings_copy(&to->fail_on, &from->fail_on);
    to->file = xstrdup(from->file);
    to->arms = NULL;
    to->captures = NULL;
    to->axes = NULL;
    to->pins = NULL;
    to->n_arms = to->n_captures = to->n_axes = to->n_pins = 0;
    to->arms_capacity = to->captures_capacity = to->axes_capacity = to->pins_capacity = 0;
    for (size_t i = 0; i < from->n_arms; i++)
        copy_arm(to, &from->arms[i]);
    for (size_t i = 0; i < from->n_captures; i++) {
        const struct capture_request *old = &from->captures[i];
        struct capture_request *capture = scenario_add_capture(to, old->name, old->where);

        settings_copy(&capture->options, &old->options);
        capture->repetitions = old->repetitions;
    }
    for (size_t i = 0; i < from->n_axes; i++) {
        struct sweep_axis *axis = scenario_add_axis(to, from->axes[i].key, from->axes[i].where);

        copy_strings(&axis->values, &from->axes[i].values);
        copy_strings(&axis->wheres, &from->axes[i].wheres);
    }
    for (size_t i = 0; i < from->n_pins; i++)
        scenario_put_pin(to, from->pins[i].role, from->pins[i].cpus, from->pins[i].where);
    to->left_out = (struct strings){0};
    copy_strings(&to->left_out, &from->left_out);
}

double scenario_cpu_limit(const struct scenario *s, const struct arm *arm)
{
    return arm->cpu_limit < 0 ? s->cpu_limit : arm->cpu_limit;
}

double scenario_largest_cpu_limit(const struct scenario *s)
{
    double largest = 0;

    for (size_t i = 0; i < s->n_arms; i++)
        largest = fmax(largest, scenario_cpu_limit(s, &s->arms[i]));
    return largest;
}

/* Setting. */

const char *scenario_where(const struct scenario *s, const char *key)
{
    const struct setting *found = find_setting(&s->given, key);

    return found ? found->where : NULL;
}

int scenario_set_scalar(struct scenario *s, const struct bench_option *row, const char *text,
                        const char *where, struct bench_error *err)
{
    bool is_workload = strcmp(row->name, "workload") == 0;
    bool other_workload = is_workload && s->workload && strcmp(s->workload, text) != 0;

    if (option_set(row, s, text, err) < 0)
        return -1;
    if (other_workload)
        settings_release(&s->workload_options);
    settings_put(&s->given, row->name, text, where);
    return 0;
}

static int set_key(struct scenario *s, const struct bench_option *row, const char *text,
                   const char *where, struct bench_error *err)
{
    if (scenario_set_scalar(s, row, text, where, err) < 0)
        return -1;
    remove_axis(s, row->name);
    return 0;
}

/* The arm of that name as the scenario has it, else the relay with its defaults. */
static void pick_arm(struct scenario *s, struct scenario *old, const char *name, const char *where)
{
    struct arm *arm = scenario_add_arm(s, where);

    for (size_t i = 0; i < old->n_arms; i++)
        if (old->arms[i].name && strcmp(old->arms[i].name, name) == 0) {
            free(arm->where);
            *arm = old->arms[i];
            old->arms[i] = (struct arm){0};
            return;
        }
    arm->name = xstrdup(name);
    arm->plugin = xstrdup(name);
}

static void pick_capture(struct scenario *s, struct scenario *old, const char *name,
                         const char *where)
{
    struct capture_request *capture = scenario_add_capture(s, name, where);

    for (size_t i = 0; i < old->n_captures; i++)
        if (strcmp(old->captures[i].name, name) == 0) {
            settings_copy(&capture->options, &old->captures[i].options);
            return;
        }
}

static int set_list(struct scenario *s, const char *key, const char *text, const char *where,
                    struct bench_error *err)
{
    bool arms = strcmp(key, "relays") == 0;
    cleanup_strings struct strings names = {0};
    struct scenario old = {0};

    strings_split(&names, text, ", ");
    if (!names.count && arms)
        return error_set(err, BENCH_ERROR_USAGE, "%s: the list is empty", key);
    if (arms) {
        old.arms = s->arms;
        old.n_arms = s->n_arms;
        s->arms = NULL;
        s->n_arms = s->arms_capacity = 0;
    } else {
        old.captures = s->captures;
        old.n_captures = s->n_captures;
        s->captures = NULL;
        s->n_captures = s->captures_capacity = 0;
    }
    for (size_t i = 0; i < names.count; i++)
        (arms ? pick_arm : pick_capture)(s, &old, names.items[i], where);
    scenario_release(&old);
    return 0;
}

static int set_axis(struct scenario *s, const char *key, const char *text, const char *where,
                    struct bench_error *err)
{
    cleanup_strings struct strings values = {0};
    struct sweep_axis *axis;

    strings_split(&values, text, ", ");
    if (!values.count)
        return error_set(err, BENCH_ERROR_USAGE, "sweep.%s: the list is empty", key);
    axis = scenario_add_axis(s, key, where);
    for (size_t i = 0; i < values.count; i++) {
        strings_add(&axis->values, values.items[i]);
        strings_add(&axis->wheres, where);
    }
    return 0;
}

/* "NAME.OPTION" of a capture, which is added when the scenario has none of that name. */
static int set_capture_option(struct scenario *s, const char *rest, const char *text,
                              const char *where, struct bench_error *err)
{
    const char *dot = strchr(rest, '.');
    cleanup_free char *name = dot ? xstrndup(rest, (size_t)(dot - rest)) : NULL;
    size_t i = 0;

    if (!dot || dot == rest || !dot[1])
        return error_set(err, BENCH_ERROR_USAGE, "capture.%s: is not capture.NAME.OPTION", rest);
    while (i < s->n_captures && strcmp(s->captures[i].name, name) != 0)
        i++;
    if (i == s->n_captures)
        scenario_add_capture(s, name, where);
    settings_put(&s->captures[i].options, dot + 1, text, where);
    return 0;
}

int scenario_unknown_key(const char *name, const char *const *more, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (const struct bench_option *row = scenario_keys; row->name; row++)
        strings_add(&names, row->name);
    for (const struct scenario_structure *row = scenario_structures; row->name; row++)
        strings_add(&names, row->name);
    for (; *more; more++)
        strings_add(&names, *more);
    return error_unknown(err, "key", name, (const char *const *)names.items);
}

static int set(struct scenario *s, const char *key, const char *text, const char *where,
               struct bench_error *err)
{
    static const char *const dotted[] = {"workload.OPTION", "relay.OPTION", "capture.NAME.OPTION",
                                         "cpus.ROLE",       "sweep.KEY",    NULL};
    const struct bench_option *row = option_find(scenario_keys, key);
    const char *dot = strchr(key, '.'), *rest = dot ? dot + 1 : "";
    size_t length = dot ? (size_t)(dot - key) : strlen(key);

    if (!yaml_text_allowed(text, strlen(text)))
        return error_set(err, BENCH_ERROR_USAGE,
                         "%s: only UTF-8 without control characters is allowed", key);
    if (row)
        return set_key(s, row, text, where, err);
    if (strcmp(key, "relays") == 0 || strcmp(key, "capture") == 0)
        return set_list(s, key, text, where, err);
    if (strcmp(key, "fail_on") == 0) {
        if (!*text)
            settings_release(&s->fail_on);
        else
            settings_put(&s->fail_on, text, text, where);
        return 0;
    }
    if (strcmp(key, "cpus") == 0 || strcmp(key, "sweep") == 0)
        return error_set(err, BENCH_ERROR_USAGE, "%s: is a map, set one of its keys: %s", key,
                         strcmp(key, "cpus") == 0 ? "cpus.client=0" : "sweep.jobs=1,10");
    if (!*rest)
        return scenario_unknown_key(key, dotted, err);
    if (strncmp(key, "sweep", length) == 0 && length == 5)
        return set_axis(s, rest, text, where, err);
    if (strncmp(key, "capture", length) == 0 && length == 7)
        return set_capture_option(s, rest, text, where, err);
    if (strncmp(key, "cpus", length) == 0 && length == 4)
        scenario_put_pin(s, rest, text, where);
    else if (strncmp(key, "workload", length) == 0 && length == 8)
        settings_put(&s->workload_options, rest, text, where);
    else if (strncmp(key, "relay", length) == 0 && length == 5)
        settings_put(&s->relay_options, rest, text, where);
    else
        return scenario_unknown_key(key, dotted, err);
    remove_axis(s, key);
    return 0;
}

int scenario_set(struct scenario *s, const char *key, const char *text, const char *where,
                 struct bench_error *err)
{
    return set(s, key, text, where, err) < 0 ? error_at(err, where) : 0;
}

/* NULL with an error. */
static struct arm *choose_arm(const struct scenario *s, const char *name, struct bench_error *err)
{
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < s->n_arms; i++) {
        strings_add(&names, s->arms[i].name);
        if (name ? strcmp(s->arms[i].name, name) == 0 : s->n_arms == 1)
            return &s->arms[i];
    }
    if (name) {
        error_unknown(err, "relay", name, (const char *const *)names.items);
    } else {
        error_set(err, BENCH_ERROR_USAGE, "which of the %zu relays?", s->n_arms);
        error_hint(err, "choose it with --arm");
    }
    return NULL;
}

int scenario_keep_arm(struct scenario *s, const char *name, struct bench_error *err)
{
    struct arm *chosen = choose_arm(s, name, err), kept;

    if (!chosen)
        return -1;
    kept = *chosen;
    for (size_t i = 0; i < s->n_arms; i++)
        if (&s->arms[i] != chosen)
            arm_release(&s->arms[i]);
    s->arms[0] = kept;
    s->n_arms = 1;
    free(s->baseline);
    s->baseline = xstrdup(kept.name);
    return 0;
}

struct arm *scenario_repeat_arm(struct scenario *s, const char *name)
{
    const struct arm first = s->arms[0]; /* the array moves as it grows */
    struct arm *arm = copy_arm(s, &first);

    free(arm->name);
    arm->name = xstrdup(name);
    return arm;
}

int scenario_capture_cost(struct scenario *s, struct bench_error *err)
{
    if (s->n_captures == 0) {
        error_set(err, BENCH_ERROR_USAGE, "there is no capture whose cost could be measured");
        error_hint(err, "name some with --capture; 'bench list captures'");
        return -1;
    }
    if (s->n_arms != 1) {
        error_set(err, BENCH_ERROR_USAGE,
                  "the cost of captures is measured on one relay, here are %zu", s->n_arms);
        error_hint(err, "choose it with --relay");
        return -1;
    }
    s->arms[0].chooses_captures = true;
    for (size_t i = 0; i < s->n_captures; i++) {
        cleanup_free char *name = xasprintf("%s + %s", s->arms[0].name, s->captures[i].name);
        struct arm *arm = scenario_repeat_arm(s, name);

        strings_add(&arm->captures, s->captures[i].name);
    }
    return 0;
}
