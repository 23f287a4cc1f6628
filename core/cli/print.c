/* SPDX-License-Identifier: Apache-2.0 */
/* A stored run through a reporter, to standard output or into files. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/say.h"
#include "plugin/hooks.h"
#include "report/document.h"
#include "report/gates.h"

/* A document, or a history. */
struct content {
    const struct bench_document *document;
    const struct bench_history *history;
};

static int render(const struct bench_reporter *reporter, const struct content *content,
                  const struct bench_style *style, struct bench_output *out,
                  struct bench_error *err)
{
    const struct bench_plugin *plugin = &reporter->plugin;
    void *state = xcalloc(1, plugin->state_size);
    int result;

    option_defaults(plugin->options, state);
    result = content->document ? hook_report(reporter, state, content->document, style, out, err)
                               : hook_history(reporter, state, content->history, style, out, err);
    option_release(plugin->options, state);
    free(state);
    return result;
}

static int write_file(const struct bench_reporter *reporter, const struct bench_document *d,
                      const struct bench_style *style, const char *path, struct bench_error *err)
{
    struct bench_output out = {0};
    int result = render(reporter, &(struct content){.document = d}, style, &out, err);

    if (result == 0)
        result = file_write_out(AT_FDCWD, path, text_get(&out.text), out.text.length, err);
    text_release(&out.text);
    return result;
}

/* run.EXTENSION, or that of a role. */
static int write_below(const struct bench_reporter *reporter, const struct bench_document *d,
                       const struct bench_style *style, const char *directory,
                       struct bench_error *err)
{
    cleanup_free char *path =
        xasprintf("%s/%s.%s", directory, style->role ? style->role : "run", reporter->extension);

    return write_file(reporter, d, style, path, err);
}

/* Those that have metrics. A stored run may be anybody's: a name that is no role's names no file.
 */
static void find_roles(const struct bench_document *d, struct strings *ret)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    for (uint32_t i = 0; i < d->n_repetitions; i++)
        for (uint32_t k = 0; k < d->repetitions[i]->n_values; k++) {
            const char *role = d->repetitions[i]->metrics[k]->role;

            if (role && *role && role[strspn(role, letters)] == '\0' && !strings_has(ret, role))
                strings_add(ret, role);
        }
}

static bool is_by_role(const struct bench_reporter *r)
{
    return r->plugin.size > offsetof(struct bench_reporter, by_role) && r->by_role;
}

/* A name that ends as the format's files do is that of a file, whatever the reporter could write.
 */
static bool names_directory(const struct bench_reporter *reporter, const char *path)
{
    cleanup_free char *ending = xasprintf(".%s", reporter->extension);
    struct stat st;

    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode);
    return string_ends_with(path, "/") || (is_by_role(reporter) && !string_ends_with(path, ending));
}

static int write_files(const struct bench_reporter *reporter, const struct bench_document *d,
                       const struct cli_print *print, struct bench_error *err)
{
    cleanup_strings struct strings roles = {0};
    struct bench_style style = print->style;

    style.color = false; /* whatever standard output is */
    style.width = 0;
    if (!names_directory(reporter, print->output))
        return write_file(reporter, d, &style, print->output, err);
    if (directory_make(AT_FDCWD, print->output, err) < 0 ||
        write_below(reporter, d, &style, print->output, err) < 0)
        return -1;
    if (is_by_role(reporter))
        find_roles(d, &roles);
    for (size_t i = 0; i < roles.count; i++) {
        style.role = roles.items[i];
        if (write_below(reporter, d, &style, print->output, err) < 0)
            return -1;
    }
    return 0;
}

static int print_text(const struct bench_reporter *reporter, const struct content *content,
                      const struct bench_style *style, struct bench_error *err)
{
    struct bench_output out = {0};
    int result = render(reporter, content, style, &out, err);

    if (result == 0)
        say_result(text_get(&out.text), out.text.length);
    text_release(&out.text);
    return result;
}

static int print_document(const struct bench_reporter *reporter, const struct bench_document *d,
                          const struct cli_print *print, struct bench_error *err)
{
    if (print->output && strcmp(print->output, "-") != 0)
        return write_files(reporter, d, print, err);
    return print_text(reporter, &(struct content){.document = d}, &print->style, err);
}

static int make_document(struct document **ret, const struct stored_run *run,
                         const struct cli_print *print, struct bench_error *err)
{
    cleanup_strings struct strings gates = {0};

    if (!print->gates)
        return document_new(ret, run, err);
    for (size_t i = 0; i < print->gates->count; i++)
        strings_add(&gates, print->gates->items[i].text);
    return document_new_gated(ret, run, &gates, err);
}

int cli_print_stored(struct cli *cli, const struct stored_run *run, const struct cli_print *print,
                     struct bench_error *err)
{
    const struct bench_plugin *plugin =
        registry_find(cli_registry(cli), BENCH_REPORTER, print->format, err);
    struct document *document = NULL;
    int result = -1;

    if (plugin && make_document(&document, run, print, err) == 0)
        result = print_document((const struct bench_reporter *)plugin, document_get(document),
                                print, err);
    if (result == 0)
        result = gates_status(document_get(document));
    document_free(document);
    return result;
}

int cli_print_run(struct cli *cli, const char *path, const struct cli_print *print,
                  struct bench_error *err)
{
    struct stored_run run;
    int result;

    if (!registry_find(cli_registry(cli), BENCH_REPORTER, print->format, err) ||
        store_read(&run, path, err) < 0)
        return -1;
    result = cli_print_stored(cli, &run, print, err);
    stored_run_release(&run);
    return result;
}

const struct bench_reporter *cli_history_reporter(struct cli *cli, const char *format,
                                                  struct bench_error *err)
{
    const struct bench_plugin *plugin =
        registry_find(cli_registry(cli), BENCH_REPORTER, format, err);
    const struct bench_reporter *reporter = (const struct bench_reporter *)plugin;

    if (!plugin)
        return NULL;
    /* Plugins of an older bench end before it. */
    if (plugin->size > offsetof(struct bench_reporter, history) && reporter->history)
        return reporter;
    error_set(err, BENCH_ERROR_USAGE, "format '%s' has no histories", format);
    error_hint(err, "'text' and 'json' have");
    return NULL;
}

int cli_print_history(const struct bench_reporter *reporter, const struct bench_history *history,
                      const struct bench_style *style, struct bench_error *err)
{
    return print_text(reporter, &(struct content){.history = history}, style, err);
}
