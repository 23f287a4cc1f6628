/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/text.h"

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
