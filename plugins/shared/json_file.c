/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/json_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/plugin.h"
#include "shared/regular_file.h"

#define BLANKS " \t\r\n"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

char *text_file(const char *path)
{
    FILE *f = regular_file(path);
    char *text = NULL;
    size_t size = 0;

    if (!f)
        return NULL;
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = ferror(f) ? NULL : strdup("");
    }
    fclose(f);
    if (text && strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
        memmove(text, text + strlen(BYTE_ORDER_MARK), strlen(text) - strlen(BYTE_ORDER_MARK) + 1);
    return text;
}

static json_t *parse_text(const char *text, const char *what, char **ret_rest,
                          struct bench_error *err)
{
    const char *begin = text + strspn(text, BLANKS);
    json_error_t where;
    json_t *root = json_loads(text, JSON_DISABLE_EOF_CHECK, &where);

    if (root) {
        const char *rest = text + where.position;

        rest += strspn(rest, BLANKS);
        *ret_rest = *rest ? strdup(rest) : NULL;
        return root;
    }
    if (*begin && *begin != '{' && *begin != '[')
        host->fail(err, BENCH_ERROR_RUN, "%s is none: '%.*s'", what, (int)strcspn(begin, "\n"),
                   begin);
    else
        host->fail(err, BENCH_ERROR_RUN, "%s, line %d: %s", what, where.line, where.text);
    return NULL;
}

json_t *json_file(const char *path, const char *what, char **ret_rest, struct bench_error *err)
{
    char *text = text_file(path);
    json_t *root = NULL;

    *ret_rest = NULL;
    if (text)
        root = parse_text(text, what, ret_rest, err);
    else
        host->fail(err, BENCH_ERROR_RUN, "%s: cannot read '%s': %s", what, path, strerror(errno));
    free(text);
    return root;
}
