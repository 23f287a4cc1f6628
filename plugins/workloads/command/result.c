/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in what the client printed. Runs are printed one behind the other. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "shared/json_file.h"

struct mean {
    double sum;
    size_t n;
};

static void add(struct mean *m, double v)
{
    m->sum += v;
    m->n++;
}

enum reading { READ, NOT_A_NUMBER, OUT_OF_RANGE };

static const char *skip_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t' || *s == '\v' || *s == '\f')
        s++;
    return s;
}

/* "123.45", as most numbers are written: so many digits that the quotient is the nearest double.
 * Returns where it ends, or NULL: strtod() has to look. There may be ten million lines. */
static const char *read_short(const char *s, double *ret)
{
    static const double powers[] = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool negative = *s == '-';
    const char *begin = s + negative, *p = begin, *point = NULL;
    uint64_t digits = 0;

    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
        if (*p == '.')
            point = p;
        else
            digits = digits * 10 + (uint64_t)(*p - '0');
        if (p - begin >= 15)
            return NULL;
    }
    if (p - begin <= (point != NULL) || (*p && !isspace((unsigned char)*p)))
        return NULL;
    *ret = (double)digits / powers[point ? p - point - 1 : 0];
    if (negative)
        *ret = -*ret;
    return p;
}

/* One number and the blanks around it; where they end is stored in `ret_end`. */
static enum reading number_at(const char *s, const char **ret_end, double *ret)
{
    const char *quick, *begin = skip_blanks(s);
    char *end;

    quick = read_short(begin, ret);
    if (quick) {
        *ret_end = skip_blanks(quick);
        return READ;
    }
    if (isspace((unsigned char)*begin)) /* strtod() would go on in the next line */
        return NOT_A_NUMBER;
    errno = 0;
    *ret = strtod(begin, &end);
    *ret_end = skip_blanks(end);
    if (end == begin || (!isfinite(*ret) && errno != ERANGE))
        return NOT_A_NUMBER;
    return !isfinite(*ret) || (*ret == 0 && errno == ERANGE) ? OUT_OF_RANGE : READ;
}

/* The whole of `s` is one number. */
static enum reading number(const char *s, double *ret)
{
    const char *end;
    enum reading r = number_at(s, &end, ret);

    return r != NOT_A_NUMBER && *end ? NOT_A_NUMBER : r;
}

static const char *fault_of(enum reading r)
{
    return r == OUT_OF_RANGE ? "is out of the range of numbers, 1e-308 to 1e308"
                             : "is not a number";
}

/* --- options ------------------------------------------------------------------------------- */

static int compile(regex_t *r, const char *pattern, struct bench_error *err)
{
    char reason[200];
    int code = regcomp(r, pattern, REG_EXTENDED | REG_NEWLINE);

    if (code == 0)
        return 0;
    regerror(code, r, reason, sizeof(reason));
    return host->fail(err, BENCH_ERROR_USAGE, "option 'result_pattern': '%s': %s", pattern, reason);
}

/* An option is needed with one kind of result, and has no use with another. */
static int needs(const char *option, const char *value, bool wanted, const char *kind,
                 struct bench_error *err)
{
    if (wanted && !value)
        return host->fail(err, BENCH_ERROR_USAGE, "'result: %s' needs the option '%s'", kind,
                          option);
    if (!wanted && value)
        return host->fail(err, BENCH_ERROR_USAGE, "option '%s' needs 'result: %s'", option, kind);
    return 0;
}

int result_check(const struct state *s, int64_t jobs, struct bench_error *err)
{
    regex_t r;

    if (needs("result_path", s->result_path, s->result == RESULT_JSON, "json", err) < 0 ||
        needs("result_pattern", s->result_pattern, s->result == RESULT_REGEX, "regex", err) < 0)
        return -1;
    if (s->result == RESULT_NONE && (s->result_metric != 0 || s->result_scale != 1))
        return host->fail(err, BENCH_ERROR_USAGE,
                          "options 'result_metric' and 'result_scale' need a 'result'");
    if (s->result != RESULT_NONE && command_loops(s, jobs) > 1) {
        host->fail(err, BENCH_ERROR_USAGE,
                   "a result is read from one run at a time, and jobs is %lld", (long long)jobs);
        host->hint(err, "set 'jobs: 1', or pass {jobs} to the client");
        return -1;
    }
    if (s->result != RESULT_REGEX)
        return 0;
    if (compile(&r, s->result_pattern, err) < 0)
        return -1;
    regfree(&r);
    return 0;
}

/* --- JSON ---------------------------------------------------------------------------------- */

static const json_t *step(const json_t *at, const char *name, size_t length)
{
    char key[256], *end;
    unsigned long index;

    if (length == 0 || length >= sizeof(key))
        return NULL;
    memcpy(key, name, length);
    key[length] = '\0';
    if (json_is_object(at))
        return json_object_get(at, key);
    index = strtoul(key, &end, 10);
    return json_is_array(at) && !*end && isdigit((unsigned char)*key) ? json_array_get(at, index)
                                                                      : NULL;
}

static int add_document(const json_t *at, const char *path, struct mean *m, struct bench_error *err)
{
    enum reading r = NOT_A_NUMBER;
    double v = 0;

    for (const char *name = path;;) {
        size_t length = strcspn(name, ".");

        at = step(at, name, length);
        if (!at)
            return host->fail(err, BENCH_ERROR_RUN, "the client's JSON has no '%.*s'",
                              (int)(name + length - path), path);
        if (!name[length])
            break;
        name += length + 1;
    }
    if (json_is_number(at)) {
        v = json_number_value(at);
        r = READ;
    } else if (json_is_string(at)) {
        r = number(json_string_value(at), &v);
    }
    if (r != READ)
        return host->fail(err, BENCH_ERROR_RUN, "'%s' of the client's JSON %s", path, fault_of(r));
    add(m, v);
    return 0;
}

/* `cut`: the text ends where the client was stopped, which may be within a document. */
static int read_json(const char *text, const char *path, bool *cut, struct mean *m,
                     struct bench_error *err)
{
    while (*(text += strspn(text, " \t\r\n"))) {
        json_error_t error;
        json_t *document =
            json_loads(text, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
        int result;

        if (!document && *cut && m->n &&
            json_error_code(&error) == json_error_premature_end_of_input)
            return 0;
        if (!document)
            return host->fail(err, BENCH_ERROR_RUN, "the client's output is not JSON: line %d: %s",
                              error.line, error.text);
        result = add_document(document, path, m, err);
        json_decref(document);
        if (result < 0)
            return -1;
        text += error.position;
    }
    *cut = false;
    return 0;
}

/* --- text ---------------------------------------------------------------------------------- */

static int add_match(const char *text, const regmatch_t *match, struct mean *m,
                     struct bench_error *err)
{
    char digits[64];
    int length = (int)(match->rm_eo - match->rm_so);
    enum reading r;
    double v;

    snprintf(digits, sizeof(digits), "%.*s", length, text + match->rm_so);
    r = length >= (int)sizeof(digits) ? NOT_A_NUMBER : number(digits, &v);
    if (r != READ)
        return host->fail(err, BENCH_ERROR_RUN, "'%s' %s: what 'result_pattern' found", digits,
                          fault_of(r));
    add(m, v);
    return 0;
}

static int read_regex(const char *text, const char *pattern, struct mean *m,
                      struct bench_error *err)
{
    regmatch_t match[2];
    int flags = 0, result = 0;
    regex_t r;

    if (compile(&r, pattern, err) < 0)
        return -1;
    while (result == 0 && *text && regexec(&r, text, 2, match, flags) == 0) {
        result = add_match(text, &match[match[1].rm_so >= 0], m, err);
        text += match[0].rm_eo + (match[0].rm_eo == match[0].rm_so);
        flags = text[-1] == '\n' ? 0 : REG_NOTBOL;
    }
    regfree(&r);
    return result;
}

static int read_lines(const char *text, struct mean *m, struct bench_error *err)
{
    for (;;) {
        const char *end;
        enum reading r;
        double v;

        while (*text == '\n' || *text == '\r')
            text++;
        if (!*text)
            return 0;
        r = number_at(text, &end, &v);
        if (r != NOT_A_NUMBER && *end && *end != '\n' && *end != '\r')
            r = NOT_A_NUMBER;
        if (r != READ) {
            int length = (int)strcspn(text, "\r\n");

            return host->fail(err, BENCH_ERROR_RUN, "the client's line '%.*s' %s",
                              length < 80 ? length : 80, text, fault_of(r));
        }
        add(m, v);
        text = end;
    }
}

/* --- all ----------------------------------------------------------------------------------- */

/* Takes what is behind the last newline away; returns it, or NULL. It is a part of `text`. */
static const char *cut_off(char *text)
{
    char *newline = strrchr(text, '\n');
    char *rest = newline ? newline + 1 : text;

    if (!*rest)
        return NULL;
    if (!newline)
        return rest;
    *newline = '\0';
    return rest;
}

/* The last line that a client prints has an end unless it was stopped within it (client.c). */
static int read_text(const struct state *s, char *text, struct mean *m, struct bench_result *result,
                     struct bench_error *err)
{
    const char *last = cut_off(text);
    const bool only = last == text;

    if (only)
        return host->fail(err, BENCH_ERROR_RUN,
                          "the client was stopped within its only line, '%.80s'", last);
    if ((s->result == RESULT_REGEX ? read_regex(text, s->result_pattern, m, err)
                                   : read_lines(text, m, err)) < 0)
        return -1;
    if (last)
        host->result_warning(result,
                             "the client was stopped within its last line, which is left out: "
                             "'%.80s'",
                             last);
    return 0;
}

static int read_documents(const struct state *s, const char *text, struct mean *m,
                          struct bench_result *result, struct bench_error *err)
{
    bool cut = *text && text[strlen(text) - 1] != '\n';

    if (read_json(text, s->result_path, &cut, m, err) < 0)
        return -1;
    if (cut)
        host->result_warning(result, "the client was stopped within its last JSON document, which "
                                     "is left out");
    return 0;
}

int result_read(const struct state *s, const char *path, double *ret, struct bench_result *result,
                struct bench_error *err)
{
    char *text = text_file(path);
    struct mean m = {0};
    int status;

    if (!text)
        return host->fail(err, BENCH_ERROR_RUN, "cannot read '%s': %s", path, strerror(errno));
    status = s->result == RESULT_JSON ? read_documents(s, text, &m, result, err)
                                      : read_text(s, text, &m, result, err);
    free(text);
    if (status < 0)
        return -1;
    if (m.n == 0)
        return host->fail(err, BENCH_ERROR_RUN, "the client printed no number to read");
    *ret = m.sum / (double)m.n;
    return 0;
}
