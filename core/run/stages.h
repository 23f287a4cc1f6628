/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a repetition share: repetition.c keeps its life and its waits, start.c,
 * measure.c and stop.c are its three stages.
 */
#ifndef RUN_STAGES_H
#define RUN_STAGES_H

#include "run/repetition.h"
#include "site/site.h"

struct repetition {
    struct session *session;
    const struct clock *clock;
    const struct step *step;
    const struct scenario *scenario;
    char *directory, *title; /* "SCENARIO: ARM, POINT" */
    struct role_chain chain;
    struct site *site;
    const struct site_ops *ops; /* of the site */
    enum site_state states[CHAIN_MAX_ROLES];
    bool held;      /* its roles were started */
    bool capturing; /* between begin and end */
    bool measured;  /* to the end of the window */
    bool failed, interrupted;
    bool hurried;                   /* interrupted while it was stopped */
    bool news;                      /* poll said so, and the states were not read since */
    int64_t checked_ns;             /* the states were read */
    bool stood_still;               /* bench was stopped and went on */
    struct bench_error failure;     /* when failed */
    const struct chain_role *ended; /* before it was asked to */
    bool client_done;               /* a wrapper's client ended by itself, as it should */
    int64_t started_ns;
    int64_t totals_ns;                      /* when the captures' totals were read last */
    int64_t client_begin_ns, client_end_ns; /* released; seen to have ended, or stopped */
    struct repetition_record record;
};

/* Remembers that the repetition has failed with `failure`, when result is -1; returns it. */
int repetition_note(struct repetition *p, int result);
/* Looks at every role, then sleeps until `until_ns` or until there may be news. -1: a role ended
 * before it was asked to, or an interrupt. */
int repetition_wait(struct repetition *p, int64_t until_ns, struct bench_error *err);
/* -1 when bench itself was stopped and went on since the repetition began. */
int repetition_check_watched(struct repetition *p, struct bench_error *err);
/* Waits until `until_ns`, or the planned end of a wrapper's client. */
int repetition_watch(struct repetition *p, int64_t until_ns, struct bench_error *err);
/* Says which role it was: the one that ended, else the one (may be NULL) that was waited for. */
int repetition_context(const struct repetition *p, const char *phase,
                       const struct chain_role *awaited, struct bench_error *err);

/* Adds what the relays printed last to an error that quotes nothing. */
void repetition_quote_relays(struct repetition *p, struct bench_error *err);

#endif
