/* SPDX-License-Identifier: Apache-2.0 */
#include "scenario/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "scenario/parts.h"

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

void scenario_remove_axis(struct scenario *s, const char *key)
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
    scenario_remove_axis(s, key);
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
    xreplace(&s->pins[i].cpus, cpus);
    xreplace(&s->pins[i].where, where);
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
    xreplace(&s->baseline, kept.name);
    return 0;
}

struct arm *scenario_repeat_arm(struct scenario *s, const char *name)
{
    const struct arm first = s->arms[0]; /* the array moves as it grows */
    struct arm *arm = copy_arm(s, &first);

    xreplace(&arm->name, name);
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
