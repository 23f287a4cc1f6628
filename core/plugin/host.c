/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/host.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

/* By how much a tool's stamps may miss the client's life, which is known to less than that. */
#define LIFE_SLACK_NS INT64_C(10000000)
/* A difference between two comparisons of the clocks that no reading of them makes. */
#define STEP_NS INT64_C(1000000)

static const char usual_sbin[] = "/usr/local/sbin:/usr/sbin:/sbin";

/* Looking for programs. */

/* The child has another working directory, so what is relative to ours has to become absolute. */
static char *absolute(const char *path)
{
    cleanup_free char *here = NULL;

    if (path[0] == '/')
        return xstrdup(path);
    here = getcwd(NULL, 0);
    return xasprintf("%s/%s", here ? here : ".", path);
}

static bool executable(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static char *find_in(const char *directory, const char *name)
{
    cleanup_free char *path = xasprintf("%s/%s", directory, name);

    return executable(path) ? absolute(path) : NULL;
}

/* `list` as in PATH. An empty element would mean the working directory: ignored, that is no place
 * to take a program from by accident. */
static char *find_in_list(const char *list, const char *name)
{
    cleanup_strings struct strings directories = {0};
    char *found = NULL;

    strings_split(&directories, list ? list : "", ":");
    for (size_t i = 0; i < directories.count && !found; i++)
        found = find_in(directories.items[i], name);
    return found;
}

/* A path that was asked for is the only place: falling back to PATH would measure another build
 * than the one that the user named. */
static char *find_in_search(const char *search, const char *name)
{
    static const char *const below[] = {"", "/sbin", "/bin"};
    char *found = NULL;

    if (executable(search))
        return absolute(search);
    for (size_t i = 0; i < ARRAY_SIZE(below) && !found; i++) {
        cleanup_free char *directory = xasprintf("%s%s", search, below[i]);

        found = find_in(directory, name);
    }
    return found;
}

char *program_find(const char *name, const char *search, const char *search_path)
{
    char *found;

    if (strchr(name, '/'))
        return executable(name) ? absolute(name) : NULL;
    if (search)
        return find_in_search(search, name);
    found = find_in_list(search_path, name);
    if (!found)
        found = find_in_list(getenv("PATH"), name);
    if (!found)
        found = find_in_list(usual_sbin, name);
    return found;
}

static const struct bench_program *find_row(const struct bench_program *row, const char *name)
{
    for (; row && row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static int not_found(const struct bench_process *p, const char *name, struct bench_error *err)
{
    const struct bench_program *row = find_row(p->programs, name);

    if (strchr(name, '/'))
        return error_set(err, BENCH_ERROR_ENVIRONMENT, "program '%s' is not an executable file",
                         name);
    if (p->search) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "program '%s' not found in '%s'", name, p->search);
        error_hint(err, "'path' of an arm is the program itself, or a directory that holds it or "
                        "has it in sbin or bin");
        return -1;
    }
    error_set(err, BENCH_ERROR_ENVIRONMENT, "program '%s' not found", name);
    if (row && row->apt && row->dnf)
        error_hint(err, "apt install %s, dnf install %s, or give the arm a 'path'", row->apt,
                   row->dnf);
    else
        error_hint(err, "install it, put it on PATH, or give the arm a 'path'");
    return -1;
}

/* Process descriptions. */

void process_init(struct bench_process *p, const char *search, const char *search_path)
{
    *p = (struct bench_process){
        .stop_signal = SIGTERM, .search = search, .search_path = search_path};
}

/* What a description may hold at most. The kernel takes no longer argument (MAX_ARG_STRLEN). */
enum {
    MOST_ARGUMENTS = 10000,
    LONGEST_ARGUMENT = (128 << 10) - 1,
    MOST_FILES = 1000,
    LONGEST_FILE = 64 << 20,
    LONGEST_NAME = 200,
    MOST_PORTS = 1000,
    MOST_TOTALS = 1000,
    MOST_WARNINGS = 100, /* the rest is dropped */
};

/* The services return void, so a misuse is kept until it can be reported (hooks.c); the first
 * counts. */
static void BENCH_PRINTF(2, 3) misuse(char **ret, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;

    if (*ret)
        return;
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    *ret = text_take(&t);
}

int process_resolve(struct bench_process *p, struct bench_error *err)
{
    if (p->misuse)
        return error_set(err, BENCH_ERROR_RUN, "mistake in the plugin: %s", p->misuse);
    if (p->main && !p->argv.count)
        return 0;
    if (!p->argv.count)
        return error_set(err, BENCH_ERROR_RUN,
                         "mistake in the plugin: describes neither a program nor a main");
    free(p->program);
    p->program = program_find(p->argv.items[0], p->search, p->search_path);
    return p->program ? 0 : not_found(p, p->argv.items[0], err);
}

const struct bench_program *process_row(const struct bench_process *p)
{
    const char *slash = p->program ? strrchr(p->program, '/') : NULL;
    const struct bench_program *row = slash ? find_row(p->programs, slash + 1) : NULL;

    if (row)
        return row;
    return p->programs && p->programs->name ? p->programs : NULL;
}

void process_release(struct bench_process *p)
{
    strings_release(&p->argv);
    free(p->program);
    strings_release(&p->environment);
    for (size_t i = 0; i < p->n_files; i++) {
        free(p->files[i].name);
        text_release(&p->files[i].content);
    }
    free(p->files);
    strings_release(&p->directories);
    free(p->ports);
    strings_release(&p->found);
    free(p->misuse);
    *p = (struct bench_process){0};
}

/* The services. */

static int BENCH_PRINTF(3, 4)
    host_fail(struct bench_error *err, enum bench_error_kind kind, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    return error_set(err, kind, "%s", text_get(&t));
}

static void BENCH_PRINTF(2, 3) host_hint(struct bench_error *err, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    error_hint(err, "%s", text_get(&t));
}

static void BENCH_PRINTF(2, 3) host_argument(struct bench_process *p, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    if (t.length > LONGEST_ARGUMENT)
        misuse(&p->misuse, "describes an argument of %zu bytes: at most %d can be passed", t.length,
               LONGEST_ARGUMENT);
    else if (p->argv.count >= MOST_ARGUMENTS)
        misuse(&p->misuse, "describes more than %d arguments", MOST_ARGUMENTS);
    else
        strings_add(&p->argv, text_get(&t));
}

static void BENCH_PRINTF(3, 4)
    host_environment(struct bench_process *p, const char *name, const char *fmt, ...)
{
    struct text t = {0};
    size_t length;
    va_list ap;

    if (!name || !*name || strchr(name, '=') || p->environment.count >= MOST_ARGUMENTS) {
        misuse(&p->misuse, "describes the environment variable '%s', which cannot be set",
               name ? name : "");
        return;
    }
    length = strlen(name) + 1;
    text_add(&t, "%s=", name);
    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < p->environment.count; i++) {
        char **item = &p->environment.items[i];

        if (strncmp(*item, text_get(&t), length) == 0) {
            free(*item);
            *item = text_take(&t);
            return;
        }
    }
    strings_add(&p->environment, text_get(&t));
    text_release(&t);
}

/* stdout and stderr are where the core keeps what the process prints. */
static bool good_name(const char *name)
{
    static const char *const taken[] = {"", ".", "..", "stdout", "stderr"};

    if (!name || strlen(name) > LONGEST_NAME)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
        if (strcmp(name, taken[i]) == 0)
            return false;
    return !strchr(name, '/');
}

static struct process_file *file_called(struct bench_process *p, const char *name)
{
    for (size_t i = 0; i < p->n_files; i++)
        if (strcmp(p->files[i].name, name) == 0)
            return &p->files[i];
    p->files = grow(p->files, &p->files_capacity, p->n_files + 1, sizeof(*p->files));
    p->files[p->n_files] = (struct process_file){.name = xstrdup(name)};
    return &p->files[p->n_files++];
}

static void BENCH_PRINTF(3, 4)
    host_file(struct bench_process *p, const char *name, const char *fmt, ...)
{
    struct process_file *file;
    va_list ap;

    if (!good_name(name)) {
        misuse(&p->misuse, "describes a file called '%.*s'", LONGEST_NAME, name ? name : "");
        return;
    }
    file = file_called(p, name);
    if (file->content.length > LONGEST_FILE || p->n_files > MOST_FILES) {
        misuse(&p->misuse, "describes more than %d files, or one of more than %d MiB", MOST_FILES,
               LONGEST_FILE >> 20);
        return;
    }
    va_start(ap, fmt);
    text_vadd(&file->content, fmt, ap);
    va_end(ap);
}

static void host_directory(struct bench_process *p, const char *name)
{
    if (!good_name(name) || p->directories.count >= MOST_FILES)
        misuse(&p->misuse, "describes a directory called '%.*s'", LONGEST_NAME, name ? name : "");
    else if (!strings_has(&p->directories, name))
        strings_add(&p->directories, name);
}

static void host_listens(struct bench_process *p, uint16_t port)
{
    if (port == 0 || p->n_ports >= MOST_PORTS) {
        misuse(&p->misuse, "listens on port 0, or on more than %d ports", MOST_PORTS);
        return;
    }
    p->ports = grow(p->ports, &p->ports_capacity, p->n_ports + 1, sizeof(*p->ports));
    p->ports[p->n_ports++] = port;
}

static void host_main(struct bench_process *p, bench_main_fn fn)
{
    Dl_info function, plugin;

    /* Only of a plugin can be told where it was loaded from. */
    if (!fn || (p->plugin && dladdr(p->plugin, &plugin) &&
                (!dladdr((const void *)(uintptr_t)fn, &function) ||
                 function.dli_fbase != plugin.dli_fbase)))
        misuse(&p->misuse, "describes a main that is not a function of it");
    else
        p->main = fn;
}

static void host_stop_signal(struct bench_process *p, int signal)
{
    if (signal < 1 || signal >= NSIG)
        misuse(&p->misuse, "asks to be stopped by %d, which is not a signal", signal);
    else
        p->stop_signal = signal;
}

static const char *host_find_program(struct bench_process *p, const char *name,
                                     struct bench_error *err)
{
    cleanup_free char *path = NULL;

    if (!name || p->found.count >= MOST_FILES) {
        misuse(&p->misuse, "looks for no program, or for more than %d", MOST_FILES);
        error_set(err, BENCH_ERROR_RUN, "%s", p->misuse);
        return NULL;
    }
    path = program_find(name, p->search, p->search_path);
    if (!path) {
        not_found(p, name, err);
        return NULL;
    }
    strings_add(&p->found, path);
    return p->found.items[p->found.count - 1];
}

static void host_result_window(struct bench_result *r, int64_t begin_ns, int64_t end_ns)
{
    r->has_window = true;
    r->begin_ns = begin_ns;
    r->end_ns = end_ns;
}

static void host_result_total(struct bench_result *r, const char *metric, double value)
{
    if (!metric || r->n_totals >= MOST_TOTALS) {
        misuse(&r->misuse, "reports a total without a name, or more than %d", MOST_TOTALS);
        return;
    }
    for (size_t i = 0; i < r->n_totals; i++) {
        if (strcmp(r->totals[i].metric, metric) == 0) {
            r->totals[i].value = value;
            return;
        }
    }
    r->totals = grow(r->totals, &r->totals_capacity, r->n_totals + 1, sizeof(*r->totals));
    r->totals[r->n_totals++] = (struct result_total){.metric = xstrdup(metric), .value = value};
}

static int64_t difference(int64_t a, int64_t b)
{
    int64_t d;

    return __builtin_sub_overflow(a, b, &d) ? (a < b ? INT64_MIN : INT64_MAX) : d;
}

/* By how much a span lies outside of the client's life: below 0 before it, above 0 behind it. */
static int64_t outside(const struct bench_result *r, int64_t begin_ns, int64_t end_ns)
{
    if (begin_ns < r->life_begin_ns - LIFE_SLACK_NS)
        return difference(begin_ns, r->life_begin_ns);
    return end_ns > r->life_end_ns + LIFE_SLACK_NS ? difference(end_ns, r->life_end_ns) : 0;
}

static void host_result_request(struct bench_result *r, int64_t begin_ns, int64_t duration_ns,
                                bool ok)
{
    int64_t end_ns;

    if (duration_ns < 0 || __builtin_add_overflow(begin_ns, duration_ns, &end_ns)) {
        misuse(&r->misuse, "reports a request that took %lld ns", (long long)duration_ns);
        return;
    }
    if (outside(r, begin_ns, end_ns) && r->strays++ == 0)
        r->stray_ns = outside(r, begin_ns, end_ns);
    if (end_ns < r->begin_ns || end_ns >= r->end_ns)
        return;
    r->requests++;
    r->failed_requests += !ok;
    if (!ok)
        return;
    if (!r->latencies)
        r->latencies = histogram_new();
    histogram_record(r->latencies, duration_ns, 1);
}

static void BENCH_PRINTF(2, 3) host_result_warning(struct bench_result *r, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    if (r->warnings.count < MOST_WARNINGS)
        strings_add(&r->warnings, text_get(&t));
}

/* "3600 s after its end". */
static const char *describe_outside(int64_t ns, char out[64])
{
    snprintf(out, 64, "%.3f s %s", fabs((double)ns) / 1e9,
             ns < 0 ? "before its start" : "after its end");
    return out;
}

static int clock_was_set(const struct bench_result *r, struct bench_error *err)
{
    error_set(
        err, BENCH_ERROR_RUN,
        "the machine's clock was set by %+.3f s in the repetition: what a tool measured by it "
        "is wrong",
        (double)r->clock_step_ns / 1e9);
    error_hint(err, "stop what sets the clock while measuring (chronyd, ntpd, systemd-timesyncd)");
    return -1;
}

int result_check_times(const struct bench_result *r, struct bench_error *err)
{
    char where[64];

    if (!r->has_window && !r->requests && !r->strays && !r->n_totals)
        return 0; /* no clock of a tool is in it */
    if (r->clock_step_ns > STEP_NS || r->clock_step_ns < -STEP_NS)
        return clock_was_set(r, err);
    if (r->strays)
        error_set(err, BENCH_ERROR_RUN,
                  "%" PRIu64 " requests are recorded outside of the client's life, the first %s",
                  r->strays, describe_outside(r->stray_ns, where));
    else if (r->has_window && outside(r, r->begin_ns, r->end_ns))
        error_set(err, BENCH_ERROR_RUN,
                  "the client's own window of %.3f s is not within its life: it reaches to %s",
                  (double)difference(r->end_ns, r->begin_ns) / 1e9,
                  describe_outside(outside(r, r->begin_ns, r->end_ns), where));
    else
        return 0;
    error_hint(err, "the tool's clock is not the machine's: was one of them set meanwhile?");
    return -1;
}

void result_release(struct bench_result *r)
{
    strings_release(&r->warnings);
    free(r->latencies);
    for (size_t i = 0; i < r->n_totals; i++)
        free(r->totals[i].metric);
    free(r->totals);
    free(r->misuse);
    *r = (struct bench_result){0};
}

static void BENCH_PRINTF(2, 3) host_emit(struct bench_output *out, const char *fmt, ...)
{
    va_list ap;

    out->too_long |= out->text.length > (size_t)OUTPUT_MOST_MIB << 20;
    if (out->too_long)
        return;
    va_start(ap, fmt);
    text_vadd(&out->text, fmt, ap);
    va_end(ap);
}

const struct bench_host *host_get(void)
{
    static const struct bench_host host = {
        .size = sizeof(host),
        .abi_major = BENCH_ABI_MAJOR,
        .abi_minor = BENCH_ABI_MINOR,
        .version = BENCH_VERSION,
        .fail = host_fail,
        .hint = host_hint,
        .argument = host_argument,
        .environment = host_environment,
        .file = host_file,
        .directory = host_directory,
        .listens = host_listens,
        .main = host_main,
        .stop_signal = host_stop_signal,
        .find_program = host_find_program,
        .result_window = host_result_window,
        .result_total = host_result_total,
        .result_request = host_result_request,
        .emit = host_emit,
        .result_warning = host_result_warning,
    };

    return &host;
}
