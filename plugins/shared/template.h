/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines and files in which {name} stands for a value that is known only when a process is
 * described. {{name}} is the text {name}; braces around anything else are themselves, so that
 * configuration files can be written as they are.
 *
 * Life cycle: {.host = …} → template_set() → template_arguments(), template_file() →
 * template_release().
 */
#ifndef SHARED_TEMPLATE_H
#define SHARED_TEMPLATE_H

#include <bench/plugin.h>

#define TEMPLATE_VALUES 24

struct template
{
    const struct bench_host *host;
    struct {
        const char *name;
        char *text;
    } values[TEMPLATE_VALUES];
    size_t count;
};

/* `name` must outlive the template. */
void template_set(struct template *t, const char *name, const char *fmt, ...) BENCH_PRINTF(3, 4);

/* A duration as tools take it: seconds, without unit, with a fraction when there is one. */
void template_set_seconds(struct template *t, const char *name, int64_t ns);

/* Adds the words of `line` to the process's arguments. They are separated as by a shell, with its
 * single quotes, double quotes and backslashes, and nothing else of it; a value never becomes two
 * words. `option` is named in errors. */
int template_arguments(const struct template *t, const char *option, const char *line,
                       struct bench_process *p, struct bench_error *err);

/* Makes `text` a file of the process. */
int template_file(const struct template *t, const char *option, const char *text, const char *name,
                  struct bench_process *p, struct bench_error *err);

/* Whether {name} stands in `text`, which may be NULL. */
bool template_uses(const char *text, const char *name);

void template_release(struct template *t);

#endif
