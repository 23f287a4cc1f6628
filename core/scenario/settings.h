/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys with their texts, not yet parsed, each with the place that it was written at: options of
 * plugins and captures, values that were given. They own their strings; zeroed is empty.
 */
#ifndef SCENARIO_SETTINGS_H
#define SCENARIO_SETTINGS_H

#include <bench/types.h>

struct setting {
    char *key;   /* "requests_size" */
    char *text;  /* "64K" */
    char *where; /* "file:line:column", "--set", SETTING_DEFAULT */
};

/* Nobody wrote it: scenario_check() filled it in. */
#define SETTING_DEFAULT "default"

struct settings {
    struct setting *items;
    size_t count, capacity;
};

struct setting *settings_find(const struct settings *s, const char *key); /* or NULL */
const char *settings_get(const struct settings *s, const char *key);      /* its text, or NULL */
/* Adds it, or replaces what it was. */
void settings_put(struct settings *s, const char *key, const char *text, const char *where);
void settings_copy(struct settings *to, const struct settings *from); /* `to` is not released */
void settings_release(struct settings *s);
/* Sets the options of `state` from the settings. Errors begin with the setting's `where` and the
 * owner of the options, such as "relay 'nginx'". */
int settings_apply(const struct settings *s, const struct bench_option *table, void *state,
                   const char *owner, struct bench_error *err);

#endif
