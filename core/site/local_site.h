/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the site in this process share: local.c is the host, local_roles.c has
 * networks, groups and roles, local_window.c what is collected, statistics.c asks the relays.
 */
#ifndef SITE_LOCAL_SITE_H
#define SITE_LOCAL_SITE_H

#include "capture/capture.h"
#include "site/local.h"

struct statistics;

struct local_role {
    struct cgroup *cgroup;
    struct role *role; /* NULL until spawned */
    bool released, executing, ready;
};

struct local_site {
    struct site site;
    struct local_host *host;
    const struct step *step;
    const struct scenario *scenario;
    const struct arm *arm;
    struct role_chain *chain;
    struct repetition_record *record;
    char *directory, *title;
    struct network *network;
    struct local_role *roles; /* as the chain has them */
    struct role **handles;    /* the same, for captures */
    struct capture **captures;
    size_t n_captures;
    struct statistics *statistics;                /* being read, or NULL */
    struct histogram *before[BENCH_LATENCIES];    /* the client's at the slice's begin, or NULL */
    struct histogram *latencies[BENCH_LATENCIES]; /* of the slices so far, or NULL */
};

/* local_roles.c */
int local_prepare(struct site *s, struct bench_error *err);
int local_hold(struct site *s, struct bench_error *err);
int local_release(struct site *s, size_t role, struct bench_error *err);
void local_identify(struct site *s, size_t role);
enum site_state local_state(struct site *s, size_t role);
int local_status(const struct site *s, size_t role);
int local_error(struct site *s, size_t role, struct bench_error *err);
char *local_last_lines(struct site *s, size_t role, size_t limit);
nfds_t local_descriptors(struct site *s, struct pollfd *fds);
void local_pause(struct site *s);
void local_resume(struct site *s);
void local_ask_to_stop(struct site *s, size_t role);
int local_stop(struct site *s, size_t role, bool *ret_forced, struct bench_error *err);
int local_remove_groups(struct local_site *l, struct bench_error *err);
void local_free_roles(struct local_site *l);
const struct bench_page *local_client_page(const struct local_site *l); /* NULL: it has none */

/* local_window.c */
int local_open_captures(struct site *s, struct bench_error *err);
void local_set_phase(struct site *s, enum bench_phase phase);
int64_t local_sample(struct site *s, bool totals);
int local_begin(struct site *s, struct bench_error *err);
int64_t local_begin_slice(struct site *s);
int64_t local_end_slice(struct site *s);
int local_end(struct site *s, bool whole, struct bench_error *err);
int local_valid(struct site *s, struct bench_error *err);
int local_finish(struct site *s, struct bench_error *err);
void local_free_captures(struct local_site *l);

/* statistics.c */
int local_read_statistics(struct site *s, enum site_moment moment, struct bench_error *err);
int local_statistics_ready(struct site *s, struct bench_error *err);
nfds_t statistics_descriptors(const struct statistics *t, struct pollfd *fds);
void statistics_free(struct statistics *t); /* ends the readers; NULL is fine */

#endif
