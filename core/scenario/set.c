/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are set one by one, over what a file says: flags, --set, points of a sweep. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "scenario/parts.h"

const char *scenario_where(const struct scenario *s, const char *key)
{
    const struct setting *found = settings_find(&s->given, key);

    return found ? found->where : NULL;
}

/* The next name in a message: what stands between colons, or in quotes. */
static const char *next_name(const char *text, char *ret, size_t size)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    for (const char *p = text; *p; p += *p != '\0') {
        size_t n = strspn(p, letters);
        const bool quoted = p > text && p[-1] == '\'';
        const bool begins = p == text || quoted || (p > text + 1 && strncmp(p - 2, ": ", 2) == 0);

        if (n && n < size && ((p[n] == ':' && begins) || (quoted && p[n] == '\''))) {
            memcpy(ret, p, n);
            ret[n] = '\0';
            return p + n;
        }
    }
    return NULL;
}

const char *scenario_blamed(const struct scenario *s, const struct settings *options,
                            const char *owner_where, const char *message)
{
    char name[64];

    for (const char *p = message; (p = next_name(p, name, sizeof(name)));) {
        const struct setting *option = settings_find(options, name);

        if (option && strcmp(option->where, SETTING_DEFAULT) != 0)
            return option->where;
        if (!option && scenario_where(s, name))
            return scenario_where(s, name);
    }
    return strstr(message, "option '") || strstr(message, "options '") ? owner_where : NULL;
}

static int refuse_empty(const char *key, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE, "%s: is empty", key);
    error_hint(err, "give it a value, or leave it out; a variable of the shell may not be set");
    return -1;
}

int scenario_set_scalar(struct scenario *s, const struct bench_option *row, const char *text,
                        const char *where, struct bench_error *err)
{
    const bool is_workload = strcmp(row->name, "workload") == 0;
    bool other_workload = is_workload && s->workload && strcmp(s->workload, text) != 0;

    if (!*text)
        return refuse_empty(row->name, err);
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
    scenario_remove_axis(s, row->name);
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

    if (arms || strcmp(text, SCENARIO_NONE) != 0)
        strings_split(&names, text, ", ");
    if (!names.count && (arms || strcmp(text, SCENARIO_NONE) != 0))
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

static int set(struct scenario *s, const char *key, const char *text, const char *where,
               struct bench_error *err)
{
    static const char *const dotted[] = {"workload.OPTION", "relay.OPTION", "capture.NAME.OPTION",
                                         "cpus.ROLE",       "sweep.KEY",    NULL};
    const struct bench_option *row = option_find(scenario_keys, key);
    const char *dot = strchr(key, '.'), *rest = dot ? dot + 1 : "";
    size_t length = dot ? (size_t)(dot - key) : strlen(key);

    if (!*text && strncmp(key, "workload.", 9) != 0 && strncmp(key, "relay.", 6) != 0)
        return refuse_empty(key, err); /* the text of a plugin's option may be empty */
    if (!yaml_text_allowed(text, strlen(text)))
        return error_set(err, BENCH_ERROR_USAGE,
                         "%s: only UTF-8 without control characters is allowed", key);
    if (row)
        return set_key(s, row, text, where, err);
    if (strcmp(key, "relays") == 0 || strcmp(key, "capture") == 0)
        return set_list(s, key, text, where, err);
    if (strcmp(key, "fail_on") == 0) {
        if (strcmp(text, SCENARIO_NONE) == 0)
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
    scenario_remove_axis(s, key);
    return 0;
}

int scenario_set(struct scenario *s, const char *key, const char *text, const char *where,
                 struct bench_error *err)
{
    return set(s, key, text, where, err) < 0 ? error_at(err, where) : 0;
}
