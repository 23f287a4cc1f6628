/* SPDX-License-Identifier: Apache-2.0 */
#include "report/gates.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/units.h"
#include "report/numbers.h"
#include "stats/signed_rank.h"
#include "stats/verdict.h"

#define POINT_SEPARATORS " ,"

/* --- grammar ------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum gate_kind kind;
} kinds[] = {
    {">=", GATE_AT_LEAST},     {"<=", GATE_AT_MOST},          {">", GATE_ABOVE},
    {"<", GATE_BELOW},         {"regresses", GATE_REGRESSES}, {"improves", GATE_IMPROVES},
    {"changes", GATE_CHANGES},
};

bool gate_compares(const struct gate *g)
{
    return g->kind >= GATE_REGRESSES;
}

static int refuse(struct bench_error *err, const char *text, const char *what)
{
    error_set(err, BENCH_ERROR_USAGE, "gate '%s': %s", text, what);
    error_hint(err, "write METRIC [of ARM] [at POINT] > VALUE (or >=, <, <=), or … regresses "
                    "SHARE (or improves, changes): 'latency_p99 of nginx > 5ms'");
    return -1;
}

/* Which condition stands at `p`, and behind it; a word stands alone. */
static const char *condition_at(const char *text, const char *p, enum gate_kind *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].word);
        bool word = isalpha((unsigned char)*kinds[i].word);

        if (strncmp(p, kinds[i].word, n) != 0 ||
            (word && (p == text || p[-1] != ' ' || (p[n] && p[n] != ' '))))
            continue;
        *ret = kinds[i].kind;
        return p + n;
    }
    return NULL;
}

/* The last one of the text, so that names may hold anything. Returns what stands behind it. */
static const char *find_condition(const char *text, enum gate_kind *ret, size_t *ret_before)
{
    const char *found = NULL;

    for (const char *p = text; *p; p++) {
        const char *behind = condition_at(text, p, ret);

        if (!behind)
            continue;
        found = behind;
        *ret_before = (size_t)(p - text);
        p = behind - 1;
    }
    if (found)
        condition_at(text, text + *ret_before, ret);
    return found;
}

/* Without blanks around it; caller frees. */
static char *trimmed(const char *from, size_t n)
{
    while (n && *from == ' ') {
        from++;
        n--;
    }
    while (n && from[n - 1] == ' ')
        n--;
    return xstrndup(from, n);
}

/* Length of the metric in what stands before the condition: the words before "of" or "at", as
 * tables head it, or the first word when that is one and the words are none. */
static size_t metric_length(const char *left)
{
    const char *of = strstr(left, " of "), *at = strstr(left, " at ");
    const char *end = of && (!at || of < at) ? of : at ? at : left + strlen(left);
    cleanup_free char *words = trimmed(left, (size_t)(end - left));
    cleanup_free char *first = xstrndup(left, strcspn(left, " "));
    const struct bench_metric *row;
    cleanup_free char *whole = metric_resolve(words, &row, NULL);
    cleanup_free char *word = whole ? NULL : metric_resolve(first, &row, NULL);

    return whole || !word ? strlen(words) : strlen(first);
}

/* The last " at " or the first "of ": behind the metric's name. */
static int parse_scope(struct gate *g, const char *text, const char *scope, struct bench_error *err)
{
    const char *at = NULL, *p = scope;

    for (const char *next = scope; (next = strstr(next, "at ")); next++)
        if (next == scope || next[-1] == ' ')
            at = next;
    if (strncmp(scope, "of ", 3) == 0) {
        p = scope + 3;
        g->arm = trimmed(p, at && at >= p ? (size_t)(at - p) : strlen(p));
    } else if (*scope && at != scope) {
        return refuse(err, text, "only 'of ARM' and 'at POINT' can follow the metric");
    }
    if (at)
        g->point = trimmed(at + 3, strlen(at + 3));
    if ((g->arm && !*g->arm) || (g->point && !*g->point))
        return refuse(err, text, "a name is missing");
    return 0;
}

/* Cuts `ending` off, if it is there. */
static void without(char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);

    if (n > m && strcmp(text + n - m, ending) == 0)
        text[n - m] = '\0';
}

static int parse_level(char *text, const struct bench_metric *row, double *ret,
                       struct bench_error *err)
{
    const char *unit = row->unit + (*row->unit == '1'); /* "1/s" is written "/s", "1" is not */
    struct bench_error ignored;
    int64_t whole;

    if (strcmp(row->unit, "s") == 0 || strcmp(row->unit, "bytes") == 0) {
        bool time = *row->unit == 's';

        if ((time ? parse_duration : parse_size)(text, &whole, err) < 0)
            return -1;
        *ret = (double)whole * (time ? 1e-9 : 1);
        return 0;
    }
    if (row->format == BENCH_FORMAT_SHARE)
        return parse_share(text, ret, err);
    without(text, unit);
    if (row->format == BENCH_FORMAT_CPUS || row->format == BENCH_FORMAT_PLAIN)
        return parse_number(text, ret, err);
    if (parse_rate(text, ret, err) == 0)
        return 0;
    /* A clock among the events; which one it is shows only the run. */
    if (strstr(row->name, "{event}") && parse_duration(text, &whole, &ignored) == 0) {
        *ret = (double)whole * 1e-9;
        return 0;
    }
    return -1;
}

static int parse_change(const struct gate *g, const char *text, const struct bench_metric *row,
                        double *ret, struct bench_error *err)
{
    if (row->direction == BENCH_NEUTRAL && g->kind != GATE_CHANGES) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is neither better higher nor lower", g->metric);
        error_hint(err, "write '%s changes %s'", g->metric, text);
        return -1;
    }
    if (parse_share(text, ret, err) < 0)
        return -1;
    if (*ret < 0.0001 || *ret > 10)
        return error_set(err, BENCH_ERROR_USAGE, "'%s' is out of range, allowed is 0.01%% to 1000%%", text);
    return 0;
}

static int parse_value(struct gate *g, const char *text, const char *from,
                       const struct bench_metric *row, struct bench_error *err)
{
    cleanup_free char *value = xstrdup(from);
    char *to = value;
    int result;

    for (const char *p = from; *p; p++) /* "5 ms" */
        if (*p != ' ')
            *to++ = *p;
    *to = '\0';
    result = gate_compares(g) ? parse_change(g, value, row, &g->value, err)
                              : parse_level(value, row, &g->value, err);
    return result < 0 ? error_context(err, "gate '%s'", text) : 0;
}

static int parse(struct gate *g, const char *text, struct bench_error *err)
{
    size_t before = 0, length;
    const char *behind = find_condition(text, &g->kind, &before);
    cleanup_free char *left = behind ? trimmed(text, before) : NULL;
    const struct bench_metric *row;
    const char *scope;

    if (!behind)
        return refuse(err, text, "there is no condition in it");
    length = metric_length(left);
    scope = left + length + strspn(left + length, " ");
    left[length] = '\0';
    if (!*left || !behind[strspn(behind, " ")])
        return refuse(err, text, *left ? "there is no value" : "there is no metric");
    g->metric = metric_resolve(left, &row, err);
    if (!g->metric)
        return error_context(err, "gate '%s'", text);
    if (parse_scope(g, text, scope, err) < 0)
        return -1;
    return parse_value(g, text, behind, row, err);
}

int gate_parse(struct gate *ret, const char *text, struct bench_error *err)
{
    struct gate g = {0};

    if (parse(&g, text, err) < 0) {
        gate_release(&g);
        return -1;
    }
    *ret = g;
    return 0;
}

void gate_release(struct gate *g)
{
    free(g->metric);
    free(g->arm);
    free(g->point);
    *g = (struct gate){0};
}

/* --- before the run ------------------------------------------------------------------------ */

static int check_arm(const struct gate *g, const struct scenario *s, struct bench_error *err)
{
    const char *baseline = s->baseline ? s->baseline : s->n_arms ? s->arms[0].name : "";
    cleanup_strings struct strings names = {0};

    for (size_t i = 0; i < s->n_arms; i++)
        strings_add(&names, s->arms[i].name);
    if (g->arm && !strings_has(&names, g->arm))
        return error_unknown(err, "relay", g->arm, (const char *const *)names.items);
    if (g->arm && gate_compares(g) && strcmp(g->arm, baseline) == 0) {
        error_set(err, BENCH_ERROR_USAGE, "'%s' is the baseline, which nothing is compared with",
                  g->arm);
        error_hint(err, "name another relay, or none for all of them");
        return -1;
    }
    return 0;
}

/* Rates that are searched for are not known yet. */
static int check_point(const struct gate *g, const struct scenario *s, struct bench_error *err)
{
    cleanup_strings struct strings all = {0}, wanted = {0};

    for (size_t i = 0; i < s->n_axes; i++)
        for (size_t k = 0; k < s->axes[i].values.count; k++) {
            cleanup_free char *label =
                xasprintf("%s=%s", s->axes[i].key, s->axes[i].values.items[k]);

            strings_split(&all, label, POINT_SEPARATORS);
        }
    if (g->point && s->rate != RATE_AUTO)
        strings_split(&wanted, g->point, POINT_SEPARATORS);
    for (size_t i = 0; i < wanted.count; i++)
        if (!strings_has(&all, wanted.items[i]))
            return error_unknown(err, "point", wanted.items[i], (const char *const *)all.items);
    return 0;
}

static int check(const struct setting *setting, const struct scenario *s, bool compared, bool arms,
                 struct bench_error *err)
{
    struct gate g;
    int result = 0;

    if (gate_parse(&g, setting->text, err) < 0)
        return -1;
    if (gate_compares(&g) && !compared) {
        result =
            error_set(err, BENCH_ERROR_USAGE, "gate '%s': nothing is compared here", setting->text);
        error_hint(err, "'bench compare' does");
    }
    if (result == 0 && arms && (check_arm(&g, s, err) < 0 || check_point(&g, s, err) < 0))
        result = error_context(err, "gate '%s'", setting->text);
    gate_release(&g);
    return result;
}

int gates_check(const struct scenario *s, bool compared, bool arms, struct bench_error *err)
{
    for (size_t i = 0; i < s->fail_on.count; i++)
        if (check(&s->fail_on.items[i], s, compared, arms, err) < 0)
            return error_context(err, "%s", s->fail_on.items[i].where);
    return 0;
}

/* --- outcomes ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int status;
} outcomes[] = {
    [GATE_PASSED] = {"passed", 0},
    [GATE_INCONCLUSIVE] = {"inconclusive", BENCH_ERROR_INCONCLUSIVE},
    [GATE_FAILED] = {"failed", BENCH_ERROR_GATE},
    [GATE_UNFIT] = {"unfit", BENCH_ERROR_ENVIRONMENT},
    [GATE_NOTHING] = {"nothing", BENCH_ERROR_USAGE},
};

const char *gate_outcome_name(enum gate_outcome o)
{
    return outcomes[o].name;
}

int gates_status(const struct bench_document *d)
{
    size_t worst = GATE_PASSED;

    for (uint32_t i = 0; i < d->n_gates; i++)
        for (size_t o = worst + 1; o < ARRAY_SIZE(outcomes); o++)
            if (strcmp(d->gates[i]->outcome, outcomes[o].name) == 0)
                worst = o;
    for (uint32_t i = 0; worst < GATE_UNFIT && i < d->n_comparisons; i++)
        if (strcmp(d->comparisons[i]->finding, "unfit") == 0)
            worst = GATE_UNFIT; /* nothing was compared, whether or not a gate wanted it */
    return outcomes[worst].status;
}

static bool word_in(const char *words, const char *word)
{
    cleanup_strings struct strings all = {0};

    strings_split(&all, words, POINT_SEPARATORS);
    return strings_has(&all, word);
}

bool gate_matches(const struct gate *g, const char *arm, const char *point)
{
    cleanup_strings struct strings wanted = {0};

    if (g->arm && strcmp(g->arm, arm) != 0)
        return false;
    if (g->point)
        strings_split(&wanted, g->point, POINT_SEPARATORS);
    for (size_t i = 0; i < wanted.count; i++)
        if (!word_in(point, wanted.items[i]))
            return false;
    return true;
}

/* What must not be lies between `from` and infinity; an interval that only touches it is outside
 * when `open`. */
static enum gate_outcome beyond(double from, bool open, double low, double high)
{
    if (open ? low > from : low >= from)
        return GATE_FAILED;
    return (open ? high <= from : high < from) ? GATE_PASSED : GATE_INCONCLUSIVE;
}

static enum gate_outcome either(enum gate_outcome above, enum gate_outcome below)
{
    return above > below ? above : below;
}

enum gate_outcome gate_decide(const struct gate *g, enum bench_direction better, bool has_interval,
                              double low, double high)
{
    double margin = log1p(g->value), ln_low = log(low), ln_high = log(high);
    enum gate_outcome rises, falls;
    bool up;

    if (!has_interval || isnan(low) || isnan(high))
        return GATE_INCONCLUSIVE;
    switch (g->kind) {
    case GATE_ABOVE:
    case GATE_AT_LEAST:
        return beyond(g->value, g->kind == GATE_ABOVE, low, high);
    case GATE_BELOW:
    case GATE_AT_MOST:
        return beyond(-g->value, g->kind == GATE_BELOW, -high, -low);
    default:
        break;
    }
    rises = beyond(margin, false, ln_low, ln_high);
    falls = beyond(margin, false, -ln_high, -ln_low);
    up = (g->kind == GATE_IMPROVES) == (better == BENCH_HIGHER_IS_BETTER);
    return g->kind == GATE_CHANGES ? either(rises, falls) : up ? rises : falls;
}

/* --- evidence ------------------------------------------------------------------------------ */

#define NONE_LEFT "no number is left"

static void add_level(struct text *t, const struct bench_metric *m, double v)
{
    if (isfinite(v))
        number_add(t, m->format, number_unit(m), v);
    else
        text_add(t, v > 0 ? "+inf" : v < 0 ? "-inf" : "?");
}

static void add_change(struct text *t, double ratio)
{
    text_add(t, isfinite(ratio) ? "%+.1f%%" : "%g", isfinite(ratio) ? (ratio - 1) * 100 : ratio);
}

static bool too_many_failed(size_t failed, size_t n, const char *what, struct text *evidence)
{
    if ((double)failed <= STATS_MOST_FAILED * (double)n)
        return false;
    text_add(evidence, "%zu of %zu %s failed: nothing is claimed", failed, n, what);
    return true;
}

static void add_lack(struct text *t, double alpha, size_t n, const char *what)
{
    text_add(t, ", %zu %s: an interval of %.3g%% needs %zu", n, what, (1 - alpha) * 100,
             stats_signed_rank_least(alpha));
}

/* A failure is worse than any number; where neither side is worse it is none. */
static size_t sample(const struct observations *o, const struct bench_metric *m, double *ret,
                     size_t *ret_failed)
{
    size_t n = 0;

    *ret_failed = 0;
    for (size_t i = 0; i < o->count; i++) {
        double v = observed_number(o->items[i], m->name);

        if (!o->items[i]->record->ok) {
            ++*ret_failed;
            v = m->direction == BENCH_NEUTRAL           ? NAN
                : m->direction == BENCH_LOWER_IS_BETTER ? INFINITY
                                                        : -INFINITY;
        }
        if (!isnan(v))
            ret[n++] = v;
    }
    return n;
}

enum gate_outcome gate_judge_level(const struct gate *g, const struct bench_metric *metric,
                                   const struct observations *o, double alpha,
                                   struct bench_gate *ret, struct text *evidence)
{
    cleanup_free double *x = xcalloc(o->count + 1, sizeof(*x));
    struct stats_interval i;
    size_t failed, n = sample(o, metric, x, &failed);

    stats_signed_rank(x, n, alpha, &i);
    ret->value = i.estimate;
    ret->low = i.low;
    ret->high = i.high;
    ret->confidence = 1 - alpha;
    if (too_many_failed(failed, o->count, "repetitions", evidence))
        return GATE_INCONCLUSIVE;
    if (n == 0) {
        text_add(evidence, NONE_LEFT);
        return GATE_INCONCLUSIVE;
    }
    add_level(evidence, metric, i.estimate);
    if (!i.has_interval) {
        add_lack(evidence, alpha, n, "repetitions");
        return GATE_INCONCLUSIVE;
    }
    text_add(evidence, ", %.3g%% interval [", (1 - alpha) * 100);
    add_level(evidence, metric, i.low);
    text_add(evidence, ", ");
    add_level(evidence, metric, i.high);
    text_add(evidence, "], %zu repetitions", n);
    return gate_decide(g, metric->direction, true, i.low, i.high);
}

enum gate_outcome gate_judge_change(const struct gate *g, const struct bench_comparison *c,
                                    struct bench_gate *ret, struct text *evidence)
{
    ret->value = c->ratio;
    ret->low = c->has_interval ? c->low : NAN;
    ret->high = c->has_interval ? c->high : NAN;
    ret->confidence = c->confidence;
    if (strcmp(c->finding, "failed") == 0) {
        too_many_failed(c->failed, c->blocks, "blocks", evidence);
        return GATE_INCONCLUSIVE;
    }
    if (c->blocks == 0) {
        text_add(evidence, NONE_LEFT);
        return GATE_INCONCLUSIVE;
    }
    add_change(evidence, c->ratio);
    text_add(evidence, " against %s", c->base);
    if (!c->has_interval) {
        add_lack(evidence, 1 - c->confidence, c->blocks, "blocks");
        return GATE_INCONCLUSIVE;
    }
    text_add(evidence, ", %.3g%% interval [", c->confidence * 100);
    add_change(evidence, c->low);
    text_add(evidence, ", ");
    add_change(evidence, c->high);
    text_add(evidence, "], %u blocks", c->blocks);
    return gate_decide(g, c->metric->direction, true, c->low, c->high);
}
