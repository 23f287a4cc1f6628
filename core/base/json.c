/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/text.h"

/* Length of the UTF-8 sequence at `s` (RFC 3629), 0 when there is none. */
static size_t sequence(const unsigned char *s)
{
    static const unsigned char first_low[] = {0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4};
    static const unsigned char first_high[] = {0xDF, 0xE0, 0xEC, 0xED, 0xEF, 0xF0, 0xF3, 0xF4};
    static const unsigned char second_low[] = {0x80, 0xA0, 0x80, 0x80, 0x80, 0x90, 0x80, 0x80};
    static const unsigned char second_high[] = {0xBF, 0xBF, 0xBF, 0x9F, 0xBF, 0xBF, 0xBF, 0x8F};
    static const unsigned char length[] = {2, 3, 3, 3, 3, 4, 4, 4};

    if (s[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(length); i++) {
        if (s[0] < first_low[i] || s[0] > first_high[i])
            continue;
        if (s[1] < second_low[i] || s[1] > second_high[i])
            return 0;
        for (size_t k = 2; k < length[i]; k++)
            if ((s[k] & 0xC0) != 0x80)
                return 0;
        return length[i];
    }
    return 0;
}

static void clean(struct text *t, const char *s)
{
    while (*s) {
        size_t n = sequence((const unsigned char *)s);

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
