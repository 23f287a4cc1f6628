/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in what the client printed. Runs are printed one behind the other. */
#include <ctype.h>
#include <errno.h>
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

/* The whole of `s` but for blanks around it is one number. */
static bool number(const char *s, double *ret)
{
    char *end;
    double v;

    while (isspace((unsigned char)*s))
        s++;
    errno = 0;
    v = strtod(s, &end);
    if (end == s || errno == ERANGE)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    *ret = v;
    return *end == '\0';
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
    double v;

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
    if (json_is_number(at))
        add(m, json_number_value(at));
    else if (json_is_string(at) && number(json_string_value(at), &v))
        add(m, v);
    else
        return host->fail(err, BENCH_ERROR_RUN, "'%s' of the client's JSON is not a number", path);
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

        if (!document && *cut && m->n && json_error_code(&error) == json_error_premature_end_of_input)
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
    double v;

    snprintf(digits, sizeof(digits), "%.*s", length, text + match->rm_so);
    if (length >= (int)sizeof(digits) || !number(digits, &v))
        return host->fail(err, BENCH_ERROR_RUN, "'%s' is not a number: what 'result_pattern' found",
                          digits);
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
    while (*(text += strspn(text, "\r\n"))) {
        size_t length = strcspn(text, "\r\n");
        char *line = strndup(text, length);
        double v = 0;
        bool good = line && number(line, &v);

        if (!good)
            host->fail(err, BENCH_ERROR_RUN, "the client's line '%.80s' is not a number",
                       line ? line : "");
        free(line);
        if (!good)
            return -1;
        add(m, v);
        text += length;
    }
    return 0;
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
