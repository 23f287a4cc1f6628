/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that does the wrong thing that $MISDEED names, as the kind that $MISDEED_KIND names. The
 * relay passes on with the fake 'slow_start', which lies in $FAKES. */
#include <bench/relay.h>
#include <bench/reporter.h>
#include <bench/workload.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct bench_host *host;

static bool is(const char *misdeed)
{
    const char *wanted = getenv("MISDEED");

    return wanted && strcmp(wanted, misdeed) == 0;
}

static void crash(void)
{
    *(volatile int *)0 = 1;
}

static volatile bool deeper = true;

static void overflow(void)
{
    volatile char block[4096];

    block[0] = 0;
    if (deeper)
        overflow();
    block[1] = block[0];
}

/* What any hook can do to the process. */
static void misbehave(const char *hook)
{
    static const int crashes[] = {SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    const char *wanted = getenv("MISDEED");
    size_t n = strlen(hook);

    if (!wanted || strncmp(wanted, hook, n) != 0 || wanted[n] != '_')
        return;
    wanted += n + 1;
    if (strcmp(wanted, "exit0") == 0)
        exit(0);
    if (strcmp(wanted, "_exit0") == 0)
        _exit(0);
    if (strcmp(wanted, "quick_exit0") == 0)
        quick_exit(0);
    if (strcmp(wanted, "exit7") == 0)
        exit(7);
    if (strcmp(wanted, "exec") == 0)
        execlp("true", "true", NULL);
    if (strcmp(wanted, "pthread_exit") == 0)
        pthread_exit(NULL);
    if (strcmp(wanted, "segv") == 0)
        crash();
    if (strcmp(wanted, "overflow") == 0)
        overflow();
    if (strcmp(wanted, "abort") == 0)
        abort();
    if (strcmp(wanted, "kill") == 0)
        raise(SIGKILL);
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
        if (atoi(wanted) == crashes[i])
            raise(crashes[i]);
    if (strcmp(wanted, "loop") == 0) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, NULL);
        for (;;)
            ;
    }
    if (strcmp(wanted, "close") == 0)
        close(STDERR_FILENO);
    if (strcmp(wanted, "closeall") == 0)
        close_range(0, ~0U, 0);
    if (strcmp(wanted, "replace") == 0)
        dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
    if (strcmp(wanted, "umask") == 0)
        umask(0777);
    if (strcmp(wanted, "chdir") == 0 && chdir("/") < 0)
        abort();
    if (strcmp(wanted, "sigchld") == 0)
        signal(SIGCHLD, SIG_IGN);
    if (strcmp(wanted, "fork") == 0 && fork() == 0)
        for (;;)
            pause();
    if (strcmp(wanted, "twice") == 0)
        fork();
}

/* What a hook can return; true when it is that. */
static bool result(const char *hook, int *ret, struct bench_error *err)
{
    char name[64];

    snprintf(name, sizeof(name), "%s_return5", hook);
    if (is(name)) {
        *ret = 5;
        return true;
    }
    snprintf(name, sizeof(name), "%s_silent", hook);
    if (is(name)) {
        *ret = -1;
        return true;
    }
    snprintf(name, sizeof(name), "%s_wild", hook);
    if (is(name)) {
        memset(err, 'A', sizeof(*err));
        *ret = -1;
        return true;
    }
    return false;
}

/* ---- mains ---- */

static int main_crashes(const struct bench_child *child)
{
    (void)child;
    if (is("main_abort"))
        abort();
    crash();
    return 0;
}

static int main_exits(const struct bench_child *child)
{
    (void)child;
    exit(0);
}

static int main_returns(const struct bench_child *child)
{
    (void)child;
    return 0;
}

static int main_fills_the_page(const struct bench_child *child)
{
    memset((char *)child->page + sizeof(child->page->size), 'A',
           sizeof(*child->page) - sizeof(child->page->size));
    return 1;
}

/* ---- the relay ---- */

static void describe_wrongly(struct bench_process *p)
{
    if (is("describe_file_above"))
        host->file(p, "../escape", "x");
    if (is("main_segv") || is("main_abort"))
        host->main(p, main_crashes);
    if (is("main_exit0"))
        host->main(p, main_exits);
    if (is("main_return0"))
        host->main(p, main_returns);
    if (is("main_page"))
        host->main(p, main_fills_the_page);
    if (is("main_wild"))
        host->main(p, (bench_main_fn)(uintptr_t)0x1234);
}

static int describe(void *state, const struct bench_hop *hop, struct bench_process *p,
                    struct bench_error *err)
{
    int r;

    (void)state;
    misbehave("describe");
    if (result("describe", &r, err))
        return r;
    if (is("describe_wild_text"))
        host->argument(p, "%s", (char *)(uintptr_t)0x1234);
    if (is("describe_nothing"))
        return 0;
    describe_wrongly(p);
    if (!getenv("MISDEED") || strncmp(getenv("MISDEED"), "main_", 5) != 0) {
        host->argument(p, "%s/slow_start", getenv("FAKES"));
        host->argument(p, "%u", hop->listen.port);
        host->argument(p, "%u", hop->upstream.port);
        host->argument(p, "0");
        host->stop_signal(p, SIGKILL);
    }
    if (!is("main_return0") && !is("main_exit0"))
        host->listens(p, hop->listen.port);
    return 0;
}

static int statistics(void *state, const struct bench_hop *hop, struct bench_process *p,
                      struct bench_error *err)
{
    int r;

    (void)state;
    (void)hop;
    misbehave("statistics");
    if (result("statistics", &r, err))
        return r;
    host->argument(p, "echo");
    return 0;
}

static int parse_statistics(void *state, const struct bench_statistics *read,
                            struct bench_result *into, struct bench_error *err)
{
    int r;

    (void)state;
    (void)read;
    misbehave("parse_statistics");
    if (result("parse_statistics", &r, err))
        return r;
    if (is("parse_statistics_nan"))
        host->result_total(into, "x", NAN);
    return 0;
}

static const char *const protocols[] = {"tcp", NULL};

static struct bench_relay relay = {
    .plugin = {.size = sizeof(relay),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_RELAY,
               .name = "evil",
               .description = "a relay that misbehaves"},
    .protocols = protocols,
    .max_hops = 16,
    .describe = describe,
};

/* ---- the workload ---- */

static int server(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    int r;

    (void)state;
    (void)role;
    misbehave("server");
    if (result("server", &r, err))
        return r;
    host->argument(p, "sleep");
    host->argument(p, "100");
    return 0;
}

static int client(void *state, const struct bench_role *role, struct bench_process *p,
                  struct bench_error *err)
{
    int r;

    (void)state;
    (void)role;
    misbehave("client");
    if (result("client", &r, err))
        return r;
    host->argument(p, "sleep");
    host->argument(p, "0.1");
    return 0;
}

static int parse(void *state, const struct bench_leftovers *left, struct bench_result *into,
                 struct bench_error *err)
{
    int r;

    (void)state;
    misbehave("parse");
    if (result("parse", &r, err))
        return r;
    if (is("parse_window_empty"))
        host->result_window(into, left->window_begin_ns, left->window_begin_ns);
    if (is("parse_window_outside"))
        host->result_window(into, left->window_begin_ns - INT64_C(1000000000000),
                            left->window_end_ns + INT64_C(1000000000000));
    if (is("parse_name"))
        host->result_total(into, "\033[2J=1+1,\"x\"\n", 5);
    host->result_total(into, "bytes", is("parse_nan") ? NAN : 1e9);
    return 0;
}

static enum bench_side delivered(const void *state)
{
    (void)state;
    misbehave("delivered");
    return is("delivered_99") ? (enum bench_side)99 : BENCH_SERVER;
}

static bool pausable(const void *state, const struct bench_role *role)
{
    (void)state;
    (void)role;
    misbehave("pausable");
    return false;
}

static const struct bench_workload workload = {
    .plugin = {.size = sizeof(workload),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_WORKLOAD,
               .name = "evil",
               .description = "a workload that misbehaves"},
    .protocols = protocols,
    .server = server,
    .client = client,
    .parse = parse,
    .delivered = delivered,
    .pausable = pausable,
};

/* ---- the reporter ---- */

static int report(void *state, const struct bench_document *document,
                  const struct bench_style *style, struct bench_output *out,
                  struct bench_error *err)
{
    int r;

    (void)state;
    (void)document;
    (void)style;
    misbehave("report");
    if (result("report", &r, err))
        return r;
    host->emit(out, "fine\n");
    return 0;
}

static const struct bench_reporter reporter = {
    .plugin = {.size = sizeof(reporter),
               .abi_major = BENCH_ABI_MAJOR,
               .abi_minor = BENCH_ABI_MINOR,
               .kind = BENCH_REPORTER,
               .name = "evil",
               .description = "a reporter that misbehaves"},
    .extension = "txt",
    .report = report,
};

/* ---- what describes them ---- */

static void describe_options(void)
{
    static struct bench_option rows[2001];
    int n = is("options_many") ? 2000 : 2;

    for (int i = 0; i < n; i++) {
        char *name = calloc(1, 16);

        snprintf(name, 16, "o%d", is("options_twice") ? 0 : i);
        rows[i] = (struct bench_option){.name = name,
                                        .type = BENCH_OPTION_INTEGER,
                                        .offset = 8 * (size_t)i,
                                        .help = "one of them",
                                        .fallback = "0"};
    }
    if (is("options_outside"))
        rows[1].offset = 1U << 30;
    if (is("options_escape"))
        rows[1].help = "\033[2J";
    relay.plugin.state_size = 8 * (size_t)n;
    relay.plugin.options = rows;
}

static const struct bench_plugin *describe_wrong_relay(void)
{
    struct bench_plugin *p = &relay.plugin;

    if (is("wild"))
        return (const struct bench_plugin *)(uintptr_t)0x1230;
    if (is("misaligned"))
        return (const struct bench_plugin *)(uintptr_t)((uintptr_t)&relay + 1);
    p->size = is("size_small") ? 4 : is("size_huge") ? UINT32_MAX : p->size;
    p->abi_major = is("major") ? 7 : p->abi_major;
    p->kind = is("kind") ? (enum bench_plugin_kind)9 : p->kind;
    p->state_size = is("state_huge") ? (size_t)1 << 60 : is("state_large") ? (size_t)10 << 30 : 0;
    if (is("name_none"))
        p->name = NULL;
    if (is("name_wild"))
        p->name = (const char *)(uintptr_t)0x10;
    if (is("name_escape"))
        p->name = "\033[2Jx";
    if (is("name_shipped"))
        p->name = "nginx";
    if (is("name_long"))
        p->name = memset(calloc(1, 1 << 20), 'a', (1 << 20) - 1);
    if (is("description_escape"))
        p->description = "\033[2J\033]0;title\007";
    if (is("protocols_wild"))
        relay.protocols = (const char *const *)(uintptr_t)0x10;
    relay.max_hops = is("hops") ? UINT32_MAX : relay.max_hops;
    relay.extra_ports = is("ports") ? 60000 : relay.extra_ports;
    if (getenv("MISDEED") && strncmp(getenv("MISDEED"), "options_", 8) == 0)
        describe_options();
    if (getenv("MISDEED") && strstr(getenv("MISDEED"), "statistics")) {
        relay.statistics = statistics;
        relay.parse_statistics = parse_statistics;
    }
    return p;
}

const struct bench_plugin *bench_plugin_get(const struct bench_host *h)
{
    const char *kind = getenv("MISDEED_KIND");

    host = h;
    misbehave("get");
    if (kind && strcmp(kind, "workload") == 0)
        return &workload.plugin;
    if (kind && strcmp(kind, "reporter") == 0)
        return &reporter.plugin;
    return describe_wrong_relay();
}
