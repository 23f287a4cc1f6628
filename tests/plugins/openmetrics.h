/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict parser of OpenMetrics text with gauges only: metadata before samples, families in one
 * piece, UNIT as the ending of the name, only the escapes that there are, no label or sample twice,
 * and "# EOF" as the last line.
 */
#ifndef TESTS_OPENMETRICS_H
#define TESTS_OPENMETRICS_H

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct openmetrics {
    struct strings families, samples;
    const char *family; /* the last of them */
    size_t n_samples;
    struct text *why;
};

static inline bool om_refuse(struct openmetrics *o, const char *what, const char *line)
{
    text_add(o->why, "%s: %s", what, line);
    return false;
}

/* Length of the name at `s`; 0: none. */
static inline size_t om_name(const char *s)
{
    size_t n = 0;

    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return isdigit((unsigned char)s[0]) ? 0 : n;
}

static inline bool om_escapes(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || (s[i] == '\\' && (i + 1 == n || !strchr("\\\"n", s[i + 1]))))
            return false;
        i += s[i] == '\\';
    }
    return true;
}

static inline bool om_metadata(struct openmetrics *o, const char *line)
{
    const char *name = line + strlen("# TYPE "), *text;
    size_t n = om_name(name);
    cleanup_free char *family = xstrndup(name, n);
    bool type = strncmp(line, "# TYPE ", 7) == 0;

    if (n == 0 || name[n] != ' ')
        return om_refuse(o, "name", line);
    text = name + n + 1;
    if (type) {
        if (strings_has(&o->families, family) || strcmp(text, "gauge") != 0)
            return om_refuse(o, "type", line);
        strings_add(&o->families, family);
        o->family = o->families.items[o->families.count - 1];
        o->n_samples = 0;
        return true;
    }
    if (!o->family || strcmp(o->family, family) != 0 || o->n_samples)
        return om_refuse(o, "metadata of another family", line);
    if (strncmp(line, "# HELP ", 7) == 0)
        return om_escapes(text, strlen(text)) || om_refuse(o, "escape", line);
    if (strncmp(line, "# UNIT ", 7) != 0)
        return om_refuse(o, "comment", line);
    return (strlen(text) > 0 && n > strlen(text) && name[n - strlen(text) - 1] == '_' &&
            strcmp(family + n - strlen(text), text) == 0) ||
           om_refuse(o, "unit", line);
}

/* Behind "{"; returns what follows "}", or NULL. */
static inline const char *om_labels(const char *s)
{
    cleanup_strings struct strings names = {0};

    for (;;) {
        size_t n = om_name(s), end;
        cleanup_free char *name = xstrndup(s, n);

        if (n == 0 || s[n] != '=' || s[n + 1] != '"' || strings_has(&names, name))
            return NULL;
        strings_add(&names, name);
        s += n + 2;
        for (end = 0; s[end] && s[end] != '"'; end++)
            end += s[end] == '\\' && s[end + 1];
        if (s[end] != '"' || !om_escapes(s, end))
            return NULL;
        s += end + 1;
        if (*s == '}')
            return s + 1;
        if (*s++ != ',')
            return NULL;
    }
}

static inline bool om_sample(struct openmetrics *o, const char *line)
{
    size_t n = om_name(line);
    const char *rest = line + n;
    cleanup_free char *name = xstrndup(line, n), *sample = NULL;
    char *end;

    if (!o->family || strcmp(name, o->family) != 0)
        return om_refuse(o, "not of the family", line);
    if (*rest == '{' && !(rest = om_labels(rest + 1)))
        return om_refuse(o, "labels", line);
    sample = xstrndup(line, (size_t)(rest - line));
    if (strings_has(&o->samples, sample))
        return om_refuse(o, "twice", line);
    strings_add(&o->samples, sample);
    o->n_samples++;
    if (rest[0] != ' ' || !rest[1] || isspace((unsigned char)rest[1]))
        return om_refuse(o, "blank", line);
    strtod(rest + 1, &end);
    return (*end == '\0' && end > rest + 1) || om_refuse(o, "number", line);
}

/* How many samples it has; -1 with the reason. */
static inline int openmetrics_parse(const char *text, struct text *why)
{
    struct openmetrics o = {.why = why};
    cleanup_free char *copy = xstrdup(text);
    char *rest = copy, *line;
    bool good = true, ended = false;
    int count;

    while (good && (line = strsep(&rest, "\n")) && rest) {
        if (ended)
            good = om_refuse(&o, "behind the end", line);
        else if (strcmp(line, "# EOF") == 0)
            ended = true;
        else
            good = line[0] == '#' ? om_metadata(&o, line) : om_sample(&o, line);
    }
    if (good && (!ended || *line))
        good = om_refuse(&o, "no end", "");
    count = good ? (int)o.samples.count : -1;
    strings_release(&o.families);
    strings_release(&o.samples);
    return count;
}

static inline int openmetrics_check(const char *text)
{
    cleanup_text struct text why = {0};
    int n = openmetrics_parse(text, &why);

    if (n < 0)
        fail_msg("%s", text_get(&why));
    return n;
}

#endif
