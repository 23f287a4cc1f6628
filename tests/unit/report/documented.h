/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of docs/measurement.md that stand in the code; BENCH_UPDATE_GOLDEN=1 writes them
 * there. */
#ifndef TESTS_DOCUMENTED_H
#define TESTS_DOCUMENTED_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

/* What stands between "<!-- MARK -->" and "<!-- /MARK -->" is `expected`. */
static inline void check_documented(const char *mark, const char *expected)
{
    static const char path[] = "docs/measurement.md";
    cleanup_free char *begin = xasprintf("<!-- %s -->\n", mark);
    cleanup_free char *end = xasprintf("<!-- /%s -->", mark), *text = NULL, *found = NULL;
    struct bench_error err;
    char *from, *to;

    if (file_read(AT_FDCWD, path, 1 << 20, &text, &(size_t){0}, &err) < 0)
        fail_msg("%s", err.message);
    from = strstr(text, begin);
    to = from ? strstr(from, end) : NULL;
    assert_non_null(to);
    from += strlen(begin);
    if (getenv("BENCH_UPDATE_GOLDEN")) {
        cleanup_text struct text whole = {0};

        text_add(&whole, "%.*s%s%s", (int)(from - text), text, expected, to);
        assert_int_equal(file_write(AT_FDCWD, path, whole.data, whole.length, &err), 0);
        return;
    }
    found = xstrndup(from, (size_t)(to - from));
    assert_string_equal(found, expected);
}

#endif
