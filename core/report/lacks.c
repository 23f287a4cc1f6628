/* SPDX-License-Identifier: Apache-2.0 */
#include "report/lacks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "capture/capture.h"

struct lack {
    bool looked;  /* at some role of some arm it had all that it needs */
    bool lacking; /* at some, only what a capture would give was missing */
    char *reason; /* why it is not known, when the capture was there */
};

/* Only what starts with "@" comes from the window itself; without it a rule does not apply. */
static bool applies(const struct quantity *q, const struct subject *s)
{
    struct cited unused = {0};

    return (q->over[0] != '@' || !isnan(quantity_sum(s, q->over, &unused))) &&
           (!q->under || q->under[0] != '@' || !isnan(quantity_sum(s, q->under, &unused)));
}

/* Why a metric of the rule is no number though there is one, without the event and the hint that
 * its footnote has; NULL when there is none. */
static char *reason_of(const struct quantity *q, const struct subject *s)
{
    const struct metric_value *v = subject_metric(s, q->over);
    const char *reason = v ? v->reason : NULL, *start, *end;

    if (!reason)
        return NULL;
    start = strncmp(reason, "event '", 7) == 0 ? strstr(reason, "': ") : NULL;
    start = start ? start + 3 : reason;
    end = strstr(start, "; hint: ");
    return xstrndup(start, end ? (size_t)(end - start) : strlen(start));
}

static size_t n_rules(void)
{
    size_t n = 0;

    while (rule_row(n))
        n++;
    return n;
}

void lacks_note(struct lacks *l, size_t row, const struct observations *obs, const char *role)
{
    const struct rule *rule = rule_row(row);
    struct lack *state;

    if (!l->rules)
        l->rules = xcalloc(n_rules(), sizeof(*l->rules));
    state = &l->rules[row];
    for (size_t i = 0; i < obs->count; i++) {
        struct subject s = {obs->items[i], role};
        cleanup_free char *reason = NULL;
        bool lacking = false, apply_all = true;

        for (size_t c = 0; c < rule_conditions(rule); c++) {
            const struct condition *condition = &rule->conditions[c];
            struct cited unused = {0};

            if (condition->if_known)
                continue;
            apply_all &= applies(condition->quantity, &s);
            if (!isnan(quantity_value(condition->quantity, &s, &unused)))
                continue;
            lacking = true;
            free(reason);
            reason = reason_of(condition->quantity, &s);
        }
        if (!apply_all)
            continue;
        state->looked |= !lacking;
        state->lacking |= lacking;
        if (reason && !state->reason)
            state->reason = xstrdup(reason);
    }
}

/* Rules that want one capture, or that lack their numbers for one reason, in a line. */
static void list_one(const struct lacks *l, const char *capture, const char *reason,
                     struct strings *ret)
{
    cleanup_text struct text names = {0};

    for (size_t i = 0; rule_row(i); i++) {
        const struct lack *s = &l->rules[i];

        if (s->looked || !s->lacking || strcmp(rule_row(i)->capture, capture) != 0 ||
            (s->reason ? !reason || strcmp(s->reason, reason) != 0 : reason != NULL))
            continue;
        text_add(&names, "%s%s", names.length ? ", " : "", rule_row(i)->name);
    }
    if (names.length && reason)
        strings_addf(ret, "not here: %s: %s", text_get(&names), reason);
    else if (names.length)
        strings_addf(ret, "with '%s', default options: %s", capture, text_get(&names));
}

void lacks_list(const struct lacks *l, struct strings *ret)
{
    cleanup_strings struct strings said = {0};

    for (size_t i = 0; l->rules && rule_row(i); i++) {
        const char *capture = rule_row(i)->capture, *reason = l->rules[i].reason;
        cleanup_free char *key = xasprintf("%s %s", capture, reason ? reason : "");

        if (strcmp(capture, "resources") == 0 || !capture_find(capture) || strings_has(&said, key))
            continue;
        strings_add(&said, key);
        list_one(l, capture, reason, ret);
    }
}

void lacks_release(struct lacks *l)
{
    for (size_t i = 0; l->rules && rule_row(i); i++)
        free(l->rules[i].reason);
    free(l->rules);
    *l = (struct lacks){0};
}
