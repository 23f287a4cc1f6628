/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/registry.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/option.h"
#include "plugin/hook.h"
#include "plugin/host.h"

/* The kinds: their name for people, and the folder where a plugin directory keeps them. */
static const struct {
    enum bench_plugin_kind kind;
    const char *name, *folder;
} kinds[] = {
    {BENCH_WORKLOAD, "workload", "workloads"},
    {BENCH_RELAY, "relay", "relays"},
    {BENCH_REPORTER, "reporter", "reporters"},
};

const char *plugin_kind_name(enum bench_plugin_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown";
}

/* The checks of a loaded struct. */

#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))

static int BENCH_PRINTF(2, 3) refuse(struct bench_error *err, const char *fmt, ...)
{
    cleanup_text struct text t = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&t, fmt, ap);
    va_end(ap);
    return error_set(err, BENCH_ERROR_ENVIRONMENT, "%s", text_get(&t));
}

/* Far above what any plugin has; a larger one was not filled by its author. */
enum {
    MOST_BYTES = 64 << 10,
    MOST_STATE = 16 << 20,
    MOST_OPTIONS = 1000,
    MOST_PROTOCOLS = 16,
    MOST_PROGRAMS = 100,
    MOST_HOPS = 1000,
    MOST_EXTRA_PORTS = 100,
    LONGEST_NAME = 63,
    LONGEST_DESCRIPTION = 200,
};

/* `need`: all of the kind's struct as ABI 1.0 has it, so that its optional hooks can be read
 * without asking. Whatever is appended later has to be looked for by `size`. */
static int check_size(const struct bench_plugin *p, size_t need, struct bench_error *err)
{
    if (p->size >= need)
        return 0;
    return refuse(err, "is %u bytes, a %s needs at least %zu", p->size, plugin_kind_name(p->kind),
                  need);
}

static int check_hook(bool present, const char *name, struct bench_error *err)
{
    return present ? 0 : refuse(err, "hook '%s' is missing", name);
}

static int check_name(const char *name, const char *what, struct bench_error *err)
{
    static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    if (name && strnlen(name, LONGEST_NAME + 1) > LONGEST_NAME)
        return refuse(err, "%s '%.*s…' is longer than %d bytes", what, 20, name, LONGEST_NAME);
    if (!name || name[0] < 'a' || name[0] > 'z' || name[strspn(name, rest)])
        return refuse(err, "%s '%s' does not match [a-z][a-z0-9-]*", what, name ? name : "");
    return 0;
}

static int check_protocols(const char *const *protocols, struct bench_error *err)
{
    size_t n = 0;

    while (protocols && n <= MOST_PROTOCOLS && protocols[n])
        if (check_name(protocols[n++], "protocol", err) < 0)
            return -1;
    if (n > MOST_PROTOCOLS)
        return refuse(err, "names more than %d protocols", MOST_PROTOCOLS);
    return n ? 0 : refuse(err, "names no protocol");
}

static int check_workload(const struct bench_workload *w, struct bench_error *err)
{
    if (check_size(&w->plugin, END_OF(struct bench_workload, delivered), err) < 0 ||
        check_protocols(w->protocols, err) < 0 || check_hook(w->server != NULL, "server", err) < 0)
        return -1;
    return check_hook(w->client != NULL, "client", err);
}

static int check_relay(const struct bench_relay *r, struct bench_error *err)
{
    if (check_size(&r->plugin, END_OF(struct bench_relay, describe), err) < 0 ||
        check_protocols(r->protocols, err) < 0)
        return -1;
    if (r->plugin.size >= END_OF(struct bench_relay, parse_statistics) && r->statistics &&
        check_hook(r->parse_statistics != NULL, "parse_statistics", err) < 0)
        return -1;
    if (r->max_hops > MOST_HOPS || r->extra_ports > MOST_EXTRA_PORTS)
        return refuse(err, "has %u hops and %u extra ports: at most %d and %d", r->max_hops,
                      r->extra_ports, MOST_HOPS, MOST_EXTRA_PORTS);
    return check_hook(r->max_hops == 0 || r->describe, "describe", err);
}

static int check_reporter(const struct bench_reporter *r, struct bench_error *err)
{
    if (check_size(&r->plugin, END_OF(struct bench_reporter, report), err) < 0)
        return -1;
    if (!r->extension || !r->extension[0])
        return refuse(err, "names no file extension");
    return check_hook(r->report != NULL, "report", err);
}

/* One printable line, and not too long. */
static bool is_line(const char *s)
{
    size_t n = s ? strnlen(s, LONGEST_DESCRIPTION + 1) : 0;

    if (n == 0 || n > LONGEST_DESCRIPTION)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static int check_description(const char *description, struct bench_error *err)
{
    return is_line(description) ? 0 : refuse(err, "description is not one line");
}

static int check_programs(const struct bench_program *row, struct bench_error *err)
{
    for (size_t n = 0; row && row->name; row++, n++)
        if (n >= MOST_PROGRAMS || !is_line(row->name))
            return refuse(err, "has a program without a name, or more than %d", MOST_PROGRAMS);
    return 0;
}

static int check_options(const struct bench_plugin *p, struct bench_error *err)
{
    size_t n = 0;

    if (p->state_size > MOST_STATE)
        return refuse(err, "has a state of %zu bytes: at most %d", p->state_size, MOST_STATE);
    while (p->options && n <= MOST_OPTIONS && p->options[n].name)
        n++;
    if (n > MOST_OPTIONS)
        return refuse(err, "has more than %d options", MOST_OPTIONS);
    return option_check(p->options, p->state_size, err) < 0 ? error_context(err, "option table")
                                                            : 0;
}

int plugin_check(const struct bench_plugin *p, struct bench_error *err)
{
    if ((uintptr_t)p % _Alignof(struct bench_plugin) != 0)
        return refuse(err, "'" BENCH_PLUGIN_SYMBOL "' returned no pointer to a struct");
    if (p->size < END_OF(struct bench_plugin, abi_minor))
        return refuse(err, "is %u bytes: too small for any plugin", p->size);
    if (p->abi_major != BENCH_ABI_MAJOR)
        return refuse(err, "has ABI %u.%u, this bench has %u.%u", p->abi_major, p->abi_minor,
                      BENCH_ABI_MAJOR, BENCH_ABI_MINOR);
    if (p->size < sizeof(*p) || p->size > MOST_BYTES)
        return refuse(err, "is %u bytes: too %s for any plugin", p->size,
                      p->size < sizeof(*p) ? "small" : "large");
    if (p->kind < BENCH_WORKLOAD || p->kind > BENCH_REPORTER)
        return refuse(err, "has the unknown kind %d", (int)p->kind);
    if (check_name(p->name, "name", err) < 0 || check_description(p->description, err) < 0 ||
        check_programs(p->programs, err) < 0)
        return -1;
    if (p->kind == BENCH_WORKLOAD && check_workload((const struct bench_workload *)p, err) < 0)
        return -1;
    if (p->kind == BENCH_RELAY && check_relay((const struct bench_relay *)p, err) < 0)
        return -1;
    if (p->kind == BENCH_REPORTER && check_reporter((const struct bench_reporter *)p, err) < 0)
        return -1;
    return check_options(p, err);
}

/* Loading. */

/* dlerror() starts most messages with the path, which the caller names anyway. */
static int load_error(const char *path, struct bench_error *err)
{
    const char *message = dlerror();
    size_t length = strlen(path);

    message = message ? message : "unknown error";
    if (strncmp(message, path, length) == 0 && strncmp(message + length, ": ", 2) == 0)
        message += length + 2;
    return refuse(err, "does not load: %s", message);
}

/* Never closed: threads, atexit handlers and static data of a plugin may outlive any unload. */
static int load(const char *path, const struct bench_plugin **ret, struct bench_error *err)
{
    typedef const struct bench_plugin *(*get_fn)(const struct bench_host *);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    get_fn get;

    if (!library)
        return load_error(path, err);
    /* POSIX guarantees this conversion, ISO C does not know it. */
    *(void **)&get = dlsym(library, BENCH_PLUGIN_SYMBOL);
    if (!get)
        return refuse(err, "does not export '" BENCH_PLUGIN_SYMBOL "'");
    *ret = get(host_get());
    if (!*ret)
        return refuse(err, "declined: '" BENCH_PLUGIN_SYMBOL "' returned NULL");
    return plugin_check(*ret, err);
}

int plugin_load(const char *path, const struct bench_plugin **ret, struct bench_error *err)
{
    const struct bench_plugin *p = NULL;
    struct hook_call call;
    struct stat st;
    int result;

    /* dlopen() would wait for the writer of a FIFO. */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return refuse(err, "is not a regular file");
    /* With the constructors of the library, and the checks: what it returned may point anywhere. */
    hook_begin(&call, NULL, path, BENCH_PLUGIN_SYMBOL);
    result = load(path, &p, err);
    if (hook_end(&call, 0, result < 0 ? NULL : err) < 0 || result < 0)
        return -1;
    *ret = p;
    return 0;
}

/* The usable plugin of that kind and name, or NULL. */
static const struct plugin *usable(const struct registry *r, enum bench_plugin_kind kind,
                                   const char *name)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct plugin *p = &r->plugins[i];

        if (!p->reason && p->info->kind == kind && strcmp(p->info->name, name) == 0)
            return p;
    }
    return NULL;
}

enum { LARGEST = 64 << 20 };

static bool same_contents(const char *a, const char *b)
{
    cleanup_free char *x = NULL, *y = NULL;
    size_t n, m;

    return file_read(AT_FDCWD, a, LARGEST, &x, &n, NULL) == 0 &&
           file_read(AT_FDCWD, b, LARGEST, &y, &m, NULL) == 0 && n == m && memcmp(x, y, n) == 0;
}

/* `kind`: what the folder holds, 0 when any kind may lie there. */
static void add(struct registry *r, const char *path, enum bench_plugin_kind kind)
{
    struct plugin p = {.path = xstrdup(path)};
    const struct plugin *first;
    struct bench_error err;

    if (plugin_load(path, &p.info, &err) < 0) {
        p.reason = xstrdup(err.message);
    } else if (kind && p.info->kind != kind) {
        p.reason = xasprintf("is a %s, but lies among the %ss", plugin_kind_name(p.info->kind),
                             plugin_kind_name(kind));
        p.info = NULL;
    } else if ((first = usable(r, p.info->kind, p.info->name))) {
        p.reason = xasprintf("shadowed by '%s'", first->path);
        p.same = same_contents(first->path, path);
    }
    r->plugins = grow(r->plugins, &r->capacity, r->count + 1, sizeof(*r->plugins));
    r->plugins[r->count++] = p;
}

static int is_library(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && dot != entry->d_name && strcmp(dot, ".so") == 0;
}

/* A directory that is not there is only worth a note when the user named it. Returns whether it
 * could be read. */
static bool scan(struct registry *r, const char *directory, enum bench_plugin_kind kind,
                 bool required)
{
    struct dirent **entries;
    int n = scandir(directory, &entries, is_library, alphasort);

    if (n < 0) {
        if (required || errno != ENOENT)
            strings_addf(&r->unreadable, "%s: %s", directory, strerror(errno));
        return false;
    }
    for (int i = 0; i < n; i++) {
        cleanup_free char *path = xasprintf("%s/%s", directory, entries[i]->d_name);

        add(r, path, kind);
        free(entries[i]);
    }
    free(entries);
    return true;
}

/* True when it is one that was searched already, maybe under another name. */
static bool searched(const struct registry *r, const char *directory)
{
    struct stat here, there;

    if (stat(directory, &here) < 0)
        return strings_has(&r->directories, directory);
    for (size_t i = 0; i < r->directories.count; i++)
        if (stat(r->directories.items[i], &there) == 0 && here.st_dev == there.st_dev &&
            here.st_ino == there.st_ino)
            return true;
    return false;
}

static void search(struct registry *r, const char *directory, bool required)
{
    if (searched(r, directory))
        return;
    strings_add(&r->directories, directory);
    if (!scan(r, directory, 0, required))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        cleanup_free char *folder = xasprintf("%s/%s", directory, kinds[i].folder);

        scan(r, folder, kinds[i].kind, false);
    }
}

/* "…/build/plugins" for "…/build/bench". Caller frees. */
static char *built_tree(const char *program_path)
{
    cleanup_free char *path = program_path && strchr(program_path, '/')
                                  ? xstrdup(program_path)
                                  : realpath("/proc/self/exe", NULL);

    return xasprintf("%s/plugins", path ? dirname(path) : ".");
}

void registry_load(struct registry *r, const char *program_path)
{
    cleanup_free char *built = built_tree(program_path);
    cleanup_strings struct strings asked = {0};
    const char *variable = getenv("BENCH_PLUGIN_PATH");

    *r = (struct registry){0};
    strings_split(&asked, variable ? variable : "", ":");
    for (size_t i = 0; i < asked.count; i++)
        search(r, asked.items[i], true);
    search(r, built, false);
    search(r, PLUGINDIR, false);
}

void registry_release(struct registry *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->plugins[i].path);
        free(r->plugins[i].reason);
    }
    free(r->plugins);
    strings_release(&r->directories);
    strings_release(&r->unreadable);
    *r = (struct registry){0};
}

/* Finding. */

/* A refused plugin has no name that can be trusted: its file's name stands for it. */
static const struct plugin *refused(const struct registry *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++) {
        const char *slash = strrchr(r->plugins[i].path, '/');
        const char *file = slash ? slash + 1 : r->plugins[i].path;
        size_t length = strlen(file) - strlen(".so");

        if (!r->plugins[i].info && strlen(name) == length && strncmp(file, name, length) == 0)
            return &r->plugins[i];
    }
    return NULL;
}

static int unknown(const struct registry *r, enum bench_plugin_kind kind, const char *name,
                   struct bench_error *err)
{
    cleanup_strings struct strings names = {0};
    cleanup_text struct text list = {0};
    const char *close = NULL;

    for (size_t i = 0; i < r->count; i++)
        if (!r->plugins[i].reason && r->plugins[i].info->kind == kind)
            strings_add(&names, r->plugins[i].info->name);
    for (size_t i = 0; i < names.count; i++)
        text_add(&list, "%s%s", i ? ", " : "", names.items[i]);
    if (names.count)
        close = nearest(name, (const char *const *)names.items);
    error_set(err, BENCH_ERROR_USAGE, "unknown %s '%s'", plugin_kind_name(kind), name);
    if (close)
        error_hint(err, "did you mean '%s'?", close);
    else if (names.count)
        error_hint(err,
                   strings_has(&names, "command")
                       ? "there are: %s; 'command' runs any other from its command line, and "
                         "BENCH_PLUGIN_PATH names directories with more plugins"
                       : "there are: %s; BENCH_PLUGIN_PATH names directories with more plugins",
                   text_get(&list));
    else
        error_hint(err, "no %s was found; BENCH_PLUGIN_PATH names more plugin directories",
                   plugin_kind_name(kind));
    if (err && r->unreadable.count) { /* it may lie there */
        cleanup_text struct text unread = {0};

        for (size_t i = 0; i < r->unreadable.count; i++)
            text_add(&unread, "%snot searched: %s", i ? "\n" : "", r->unreadable.items[i]);
        error_detail(err, text_get(&unread));
        err->kind = BENCH_ERROR_ENVIRONMENT;
    }
    return -1;
}

const struct bench_plugin *registry_find(const struct registry *r, enum bench_plugin_kind kind,
                                         const char *name, struct bench_error *err)
{
    const struct plugin *p = usable(r, kind, name);

    if (p)
        return p->info;
    p = refused(r, name);
    if (p) {
        error_set(err, BENCH_ERROR_ENVIRONMENT, "%s '%s' was refused: '%s': %s",
                  plugin_kind_name(kind), name, p->path, p->reason);
        error_hint(err, "'bench check' lists what was refused; rebuild it, or remove that file");
    } else {
        unknown(r, kind, name, err);
    }
    return NULL;
}
