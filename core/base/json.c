/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

static void *allocate(size_t size)
{
    return xrealloc(NULL, size);
}

/* A call that returns NULL for want of memory is noticed by no caller of jansson: the value would
 * just be missing. Set before main(), so that nothing comes from another allocator. */
__attribute__((constructor)) static void set_allocator(void)
{
    json_set_alloc_funcs(allocate, free);
}

static void clean(struct text *t, const char *s)
{
    while (*s) {
        size_t n = utf8_length(s);

        text_add_bytes(t, n ? s : "\xEF\xBF\xBD", n ? n : 3);
        s += n ? n : 1;
    }
}

json_t *json_text(const char *s)
{
    cleanup_text struct text t = {0};
    json_t *json;

    if (!s)
        return json_null();
    json = json_string(s);
    if (json)
        return json;
    clean(&t, s);
    return json_string(text_get(&t));
}
