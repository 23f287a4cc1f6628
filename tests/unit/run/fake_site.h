/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host whose sites start nothing, in a time of its own that passes only where the runner waits.
 * Every operation is logged; a script makes roles die, and the user interrupt, at an operation.
 *
 * A role reaches its gate 1 ms after it was made, listens 2 ms after it was released, and ends 3 ms
 * after it was asked to. Each ns in which the client runs moves a byte to the server.
 */
#ifndef TESTS_RUN_FAKE_SITE_H
#define TESTS_RUN_FAKE_SITE_H

#include "../store/sample.h"
#include "fake_plugins.h"

#include "run/runner.h"

#define INTERRUPT_FD 1000
#define NEVER INT64_MAX
#define FAKE_BEGIN (INT64_C(1000) * NS_PER_S)
#define FAKE_OFFSET (INT64_C(1700000000) * NS_PER_S)

enum fake_what {
    FAKE_DEATH = 1, /* the role ends with `status` */
    FAKE_INTERRUPT,
    FAKE_ERROR,    /* the operation itself fails with `kind` */
    FAKE_BREAK,    /* the run's directory is gone */
    FAKE_STUBBORN, /* the role ignores that it is asked to stop */
    FAKE_SLOW,     /* the role never listens */
    FAKE_BLOCKED,  /* nothing gets through */
    FAKE_STILL,    /* bench itself is stopped and goes on */
};

/* What happens `after_ns` after the operation `at` of the arm was called for the nth time. */
struct fake_event {
    enum fake_what what;
    const char *at;  /* as logged: "hold", "release:relay_1" */
    const char *arm; /* NULL: any */
    unsigned nth;    /* 0: the first */
    int64_t after_ns;
    const char *role;
    int status; /* of a death */
    enum bench_error_kind kind;
    unsigned seen;
};

struct fake_role {
    int64_t held_ns, ready_ns, ended_ns;
    bool released, asked, stubborn, slow;
    int status;
};

struct fake_site {
    struct site site;
    struct fake *fake;
    const char *arm;
    struct role_chain *chain;
    struct repetition_record *record;
    struct fake_role roles[CHAIN_MAX_ROLES];
    bool held, paused, blocked;
    int64_t moved, moved_until_ns, read_ns;
    struct fake_site *next;
};

struct fake {
    struct clock clock;
    struct host host;
    int64_t now, interrupt_ns;
    bool stood_still;
    bool prefix; /* the log names the arm */
    struct text log;
    struct fake_event script[4];
    struct fake_site *sites; /* alive */
    unsigned samples, most_alive;
    struct text progress;
    /* Of fake_run(). */
    struct plan plan;
    enum runner_outcome outcome;
    uint32_t failed;
    int result;
    struct bench_error err;
    struct stored_run run;
};

/* ---- time ---- */

static int64_t fake_now(const struct clock *c)
{
    return ((const struct fake *)c)->now;
}

static int64_t fake_offset(const struct clock *c)
{
    (void)c;
    return FAKE_OFFSET;
}

static bool fake_stood_still(const struct clock *c)
{
    struct fake *f = (struct fake *)c;
    bool was = f->stood_still;

    f->stood_still = false;
    return was;
}

static void earliest(const struct fake *f, int64_t *until, int64_t at)
{
    if (at > f->now && at < *until)
        *until = at;
}

static int fake_poll(const struct clock *c, struct pollfd *fds, nfds_t n, int64_t until_ns)
{
    struct fake *f = (struct fake *)c;
    bool listens = n > 0 && fds[0].fd == INTERRUPT_FD;
    int64_t until = until_ns;

    if (listens && f->interrupt_ns > f->now)
        earliest(f, &until, f->interrupt_ns);
    for (const struct fake_site *s = f->sites; s; s = s->next) {
        earliest(f, &until, s->read_ns);
        for (size_t i = 0; i < s->chain->count; i++) {
            earliest(f, &until, s->roles[i].held_ns);
            earliest(f, &until, s->roles[i].ready_ns);
            earliest(f, &until, s->roles[i].ended_ns);
        }
    }
    if (until > f->now && !(listens && f->interrupt_ns <= f->now))
        f->now = until;
    if (listens && f->interrupt_ns <= f->now) {
        fds[0].revents = POLLIN;
        return 1;
    }
    return until < until_ns;
}

/* ---- the script ---- */

static struct fake_role *fake_role(struct fake_site *s, const char *name)
{
    for (size_t i = 0; i < s->chain->count; i++)
        if (strcmp(s->chain->roles[i].name, name) == 0)
            return &s->roles[i];
    fail_msg("no role '%s'", name);
    return NULL;
}

static int happen(struct fake_site *s, const struct fake_event *e, struct bench_error *err)
{
    struct fake *f = s->fake;

    switch (e->what) {
    case FAKE_DEATH:
        fake_role(s, e->role)->ended_ns = f->now + e->after_ns;
        fake_role(s, e->role)->status = e->status;
        return 0;
    case FAKE_INTERRUPT:
        f->interrupt_ns = f->now + e->after_ns;
        return 0;
    case FAKE_BREAK:
        directory_remove(AT_FDCWD, "run", NULL);
        return 0;
    case FAKE_STUBBORN:
        fake_role(s, e->role)->stubborn = true;
        return 0;
    case FAKE_SLOW:
        fake_role(s, e->role)->slow = true;
        return 0;
    case FAKE_STILL:
        f->stood_still = true;
        return 0;
    case FAKE_BLOCKED:
        s->blocked = true;
        return 0;
    case FAKE_ERROR:
        return error_set(err, e->kind, "refused by the test");
    }
    return 0;
}

/* Logs the operation and does what the script has for it. */
static int did(struct site *site, const char *op, const char *role, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;
    struct fake *f = s->fake;
    cleanup_free char *call = role ? xasprintf("%s:%s", op, role) : xstrdup(op);
    int result = 0;

    text_add(&f->log, "%s%s%s%s", f->log.length ? " " : "", f->prefix ? s->arm : "",
             f->prefix ? "/" : "", call);
    for (size_t i = 0; i < ARRAY_SIZE(f->script); i++) {
        struct fake_event *e = &f->script[i];

        if (!e->what || strcmp(e->at, call) != 0 || (e->arm && strcmp(e->arm, s->arm) != 0))
            continue;
        if (++e->seen == (e->nth ? e->nth : 1) && happen(s, e, err) < 0)
            result = -1;
    }
    return result;
}

static const char *name_of(const struct site *s, size_t role)
{
    return ((const struct fake_site *)s)->chain->roles[role].name;
}

/* ---- operations ---- */

static void move(struct fake_site *s)
{
    const struct fake_role *client = &s->roles[s->chain->client];
    int64_t from = s->moved_until_ns, now = s->fake->now;

    if (client->ready_ns > from)
        from = client->ready_ns;
    if (!s->paused && !s->blocked && now > from)
        s->moved += now - from;
    s->moved_until_ns = now;
}

static int fake_prepare(struct site *site, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;

    s->record->network = xstrdup("isolated");
    s->record->congestion = xstrdup("reno");
    for (size_t i = 0; i < s->chain->n_ports; i++)
        s->chain->ports[i] = (uint16_t)(2001 + i);
    return did(site, "prepare", NULL, err);
}

static int fake_hold(struct site *site, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;

    s->held = true;
    for (size_t i = 0; i < s->chain->count; i++) {
        record_add_role(s->record, s->chain->roles[i].name)->status = -1;
        s->roles[i].held_ns = s->fake->now + NS_PER_MS;
    }
    return did(site, "hold", NULL, err);
}

static int fake_open_captures(struct site *site, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;

    series_add_column(&s->record->series, "server.bytes_received", SERIES_COUNTER, BENCH_OK, NULL);
    series_add_column(&s->record->series, "server.operations", SERIES_COUNTER, BENCH_OK, NULL);
    return did(site, "captures", NULL, err);
}

static enum site_state fake_state(struct site *site, size_t role)
{
    const struct fake_site *s = (const struct fake_site *)site;
    const struct fake_role *r = &s->roles[role];
    int64_t now = s->fake->now;

    if (now >= r->ended_ns)
        return SITE_EXITED;
    if (r->released)
        return now >= r->ready_ns ? SITE_READY : SITE_RUNNING;
    return now >= r->held_ns ? SITE_HELD : SITE_STARTING;
}

static int fake_release(struct site *site, size_t role, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;

    for (size_t i = 0; i < s->chain->count; i++)
        assert_true(fake_state(site, i) == (s->roles[i].released ? SITE_READY : SITE_HELD));
    if (did(site, "release", name_of(site, role), err) < 0)
        return -1;
    s->roles[role].released = true;
    s->roles[role].ready_ns = s->roles[role].slow ? NEVER : s->fake->now + 2 * NS_PER_MS;
    return 0;
}

static void fake_identify(struct site *site, size_t role)
{
    did(site, "identify", name_of(site, role), NULL);
}

static int fake_status(const struct site *site, size_t role)
{
    const struct fake_site *s = (const struct fake_site *)site;

    return s->fake->now >= s->roles[role].ended_ns ? s->roles[role].status : -1;
}

static int fake_error(struct site *site, size_t role, struct bench_error *err)
{
    static const char *const words[] = {"not held", "not released", "not listening", "ready",
                                        "ended early"};

    return error_set(err, BENCH_ERROR_RUN, "%s", words[fake_state(site, role)]);
}

static char *fake_last_lines(struct site *site, size_t role, size_t limit)
{
    assert_true(limit > 20);
    return xasprintf("words of %s\n", name_of(site, role));
}

static nfds_t fake_descriptors(struct site *site, struct pollfd *fds)
{
    (void)site;
    fds[0] = (struct pollfd){.fd = -1};
    return 1;
}

static void fake_set_phase(struct site *site, enum bench_phase phase)
{
    did(site, "phase", phase == BENCH_PHASE_WARMUP ? "warm-up" : "other", NULL);
}

static int64_t fake_sample(struct site *site, bool totals)
{
    struct fake_site *s = (struct fake_site *)site;

    int64_t *row;

    (void)totals;
    move(s);
    s->fake->samples++;
    row = series_add_row(&s->record->series, s->fake->now);
    row[0] = s->moved;
    row[1] = s->moved / 1000;
    return s->fake->now;
}

static int fake_read_statistics(struct site *site, enum site_moment moment, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;

    s->read_ns = s->fake->now + 5 * NS_PER_MS;
    return did(site, "statistics", moment == SITE_BEFORE_WINDOW ? "before" : "after", err);
}

static int fake_statistics_ready(struct site *site, struct bench_error *err)
{
    const struct fake_site *s = (const struct fake_site *)site;

    (void)err;
    return s->fake->now >= s->read_ns;
}

static int fake_begin(struct site *site, struct bench_error *err)
{
    return did(site, "begin", NULL, err);
}

static int64_t fake_begin_slice(struct site *site)
{
    did(site, "slice", NULL, NULL);
    return fake_sample(site, true);
}

static int64_t fake_end_slice(struct site *site)
{
    did(site, "sliced", NULL, NULL);
    return fake_sample(site, true);
}

static int fake_window_end(struct site *site, bool whole, struct bench_error *err)
{
    return did(site, whole ? "end" : "break-off", NULL, err);
}

static void fake_pause(struct site *site)
{
    did(site, "pause", NULL, NULL);
    move((struct fake_site *)site);
    ((struct fake_site *)site)->paused = true;
}

static void fake_resume(struct site *site)
{
    did(site, "resume", NULL, NULL);
    move((struct fake_site *)site);
    ((struct fake_site *)site)->paused = false;
}

static void fake_ask_to_stop(struct site *site, size_t role)
{
    struct fake_site *s = (struct fake_site *)site;
    struct fake_role *r = &s->roles[role];

    did(site, "ask", name_of(site, role), NULL);
    assert_false(s->paused);
    if (!r->released || r->stubborn || r->asked || s->fake->now >= r->ended_ns)
        return;
    r->asked = true;
    r->ended_ns = s->fake->now + 3 * NS_PER_MS;
}

static int fake_stop(struct site *site, size_t role, bool *ret_forced, struct bench_error *err)
{
    struct fake_site *s = (struct fake_site *)site;
    struct fake_role *r = &s->roles[role];
    int result = did(site, "stop", name_of(site, role), err);

    *ret_forced = r->released && s->fake->now < r->ended_ns;
    if (s->fake->now < r->ended_ns) {
        r->ended_ns = s->fake->now;
        r->status = 9;
    }
    if (role < s->record->n_roles)
        s->record->roles[role].status = r->status;
    return result;
}

static int fake_valid(struct site *site, struct bench_error *err)
{
    return did(site, "valid", NULL, err);
}

static int fake_finish(struct site *site, struct bench_error *err)
{
    return did(site, "finish", NULL, err);
}

static int fake_remove(struct site *site, struct bench_error *err)
{
    const struct fake_site *s = (const struct fake_site *)site;

    for (size_t i = 0; s->held && i < s->chain->count; i++)
        assert_true(fake_state(site, i) == SITE_EXITED);
    return did(site, "remove", NULL, err);
}

static void fake_free(struct site *site)
{
    struct fake_site *s = (struct fake_site *)site, **at = &s->fake->sites;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

static const struct site_ops fake_site_ops = {
    .prepare = fake_prepare,
    .hold = fake_hold,
    .open_captures = fake_open_captures,
    .release = fake_release,
    .identify = fake_identify,
    .state = fake_state,
    .status = fake_status,
    .error = fake_error,
    .last_lines = fake_last_lines,
    .descriptors = fake_descriptors,
    .set_phase = fake_set_phase,
    .sample = fake_sample,
    .read_statistics = fake_read_statistics,
    .statistics_ready = fake_statistics_ready,
    .begin = fake_begin,
    .begin_slice = fake_begin_slice,
    .end_slice = fake_end_slice,
    .end = fake_window_end,
    .pause = fake_pause,
    .resume = fake_resume,
    .ask_to_stop = fake_ask_to_stop,
    .stop = fake_stop,
    .valid = fake_valid,
    .finish = fake_finish,
    .remove = fake_remove,
    .free = fake_free,
};

/* ---- the host ---- */

static int fake_check(struct host *host, const struct plan *plan, struct bench_error *err)
{
    (void)host;
    (void)plan;
    (void)err;
    return 0;
}

static struct site *fake_open(struct host *host, const struct site_spec *spec)
{
    struct fake *f = (struct fake *)((char *)host - offsetof(struct fake, host));
    struct fake_site *s = xcalloc(1, sizeof(*s));
    unsigned alive = 0;

    s->site.ops = &fake_site_ops;
    s->fake = f;
    s->arm = spec->step->point->scenario.arms[spec->step->arm].name;
    s->chain = spec->chain;
    s->record = spec->record;
    for (size_t i = 0; i < CHAIN_MAX_ROLES; i++)
        s->roles[i] = (struct fake_role){.held_ns = NEVER, .ready_ns = NEVER, .ended_ns = NEVER};
    s->next = f->sites;
    f->sites = s;
    for (const struct fake_site *each = f->sites; each; each = each->next)
        alive++;
    if (alive > f->most_alive)
        f->most_alive = alive;
    return &s->site;
}

static const struct host_ops fake_host_ops = {.check = fake_check, .open = fake_open};

static inline void fake_init(struct fake *f)
{
    directory_remove(AT_FDCWD, "run", NULL); /* of a test that failed */
    *f = (struct fake){
        .clock = {.now = fake_now,
                  .offset = fake_offset,
                  .poll = fake_poll,
                  .stood_still = fake_stood_still},
        .host.ops = &fake_host_ops,
        .now = FAKE_BEGIN,
        .interrupt_ns = NEVER,
    };
}

static void fake_progress(void *context, const struct progress *p)
{
    static const char *const phases[] = {"start", "warm-up", "window", "stop", "done"};
    struct fake *f = context;

    if (p->phase != PROGRESS_WARMUP && p->phase != PROGRESS_WINDOW)
        text_add(&f->progress, "%s%s:%u", f->progress.length ? " " : "", phases[p->phase],
                 p->step->index);
}

/* Runs the plan in the directory "run" and reads what was stored. */
static inline void fake_run_plan(struct fake *f)
{
    static char *const command[] = {(char *)"bench", NULL};
    struct store_writer store = {.dirfd = -1};
    struct bench_error err = {0};
    struct session session = {
        .host = &f->host,
        .store = &store,
        .clock = &f->clock,
        .interrupt_fd = INTERRUPT_FD,
        .progress = fake_progress,
        .progress_context = f,
    };

    if (store_create(&store, "run", &f->plan, NULL, command, &err) < 0 ||
        runner_check(&session, &f->plan, &err) < 0)
        fail_msg("%s", err.message);
    f->result = runner_run(&session, &f->plan, &f->outcome, &f->failed, &f->err);
    assert_null(f->sites);
    assert_ptr_equal(session.progress, fake_progress);
    store_finish(&store, "complete", NULL);
    store_writer_release(&store);
    if (access("run/run.json", F_OK) == 0 && store_read(&f->run, "run", &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(f->run.damaged.count, 0);
}

static inline void fake_run(struct fake *f, const char *yaml)
{
    fake_plan(&f->plan, yaml);
    fake_run_plan(f);
}

static inline void fake_release_all(struct fake *f)
{
    stored_run_release(&f->run);
    plan_release(&f->plan);
    text_release(&f->log);
    text_release(&f->progress);
}

#endif
