/* SPDX-License-Identifier: Apache-2.0 */
#include "site/versions.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "process/query.h"

/* Programs print a version at once or not at all. */
#define PATIENCE_NS (2 * NS_PER_S)

/* Two builds may differ only in the libraries that their environment names. */
static char *key_of(const struct bench_process *p)
{
    struct text key = {0};

    text_add(&key, "%s", p->program);
    for (size_t i = 0; i < p->environment.count; i++)
        text_add(&key, "\n%s", p->environment.items[i]);
    return text_take(&key);
}

static const char *const *arguments_of(const struct bench_process *p)
{
    const struct bench_program *row = process_row(p);

    return row ? row->version : NULL;
}

void versions_ask(struct versions *v, const struct chain_role *r)
{
    const struct bench_process *p = &r->process;
    cleanup_free char *key = NULL, *version = NULL;
    cleanup_text struct text answer = {0};

    if (!p->program || !arguments_of(p))
        return;
    key = key_of(p);
    if (settings_get(&v->known, key))
        return;
    if (process_query(p->program, arguments_of(p), &p->environment, PATIENCE_NS, &answer, NULL) ==
        0)
        version = query_version_line(text_get(&answer));
    settings_put(&v->known, key, version ? version : "", "");
}

const char *versions_get(const struct versions *v, const struct chain_role *r)
{
    cleanup_free char *key = NULL;
    const char *found;

    if (!r->process.program)
        return NULL;
    key = key_of(&r->process);
    found = settings_get(&v->known, key);
    return found && *found ? found : NULL;
}

void versions_release(struct versions *v)
{
    settings_release(&v->known);
}
