/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <libgen.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "store/layout.h"
#include "store/run_json.h"

const struct registry *cli_registry(struct cli *cli)
{
    if (!cli->loaded)
        registry_load(&cli->registry, cli->program);
    cli->loaded = true;
    return &cli->registry;
}

static void print_indented(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        cleanup_free char *line = xstrndup(text, n);

        say_line(stderr, "    %s", line);
        text += n + (text[n] == '\n');
    }
}

void cli_error_proof(const struct bench_error *err)
{
    print_indented(err->detail);
    if (err->hint[0])
        say_line(stderr, "hint: %s", err->hint);
}

int cli_error(const struct bench_error *err)
{
    say_line(stderr, "bench: %s", err->message);
    cli_error_proof(err);
    return err->kind ? (int)err->kind : BENCH_ERROR_RUN;
}

int cli_usage(const char *command, const char *fmt, ...)
{
    cleanup_text struct text message = {0};
    va_list ap;

    va_start(ap, fmt);
    text_vadd(&message, fmt, ap);
    va_end(ap);
    say_line(stderr, "bench: %s: %s", command, text_get(&message));
    say_line(stderr, "hint: 'bench %s --help' shows how it is used", command);
    return BENCH_ERROR_USAGE;
}

/* Of a cluster such as "-qx" getopt names the letter only: argv[optind - 1] may be the word before.
 */
const char *cli_refused_option(char *const *argv, const char *shorts, char buffer[3])
{
    if (optopt <= 0 || optopt > 255 || strchr(shorts, optopt))
        return argv[optind - 1];
    buffer[0] = '-';
    buffer[1] = (char)optopt;
    buffer[2] = '\0';
    return buffer;
}

int cli_refuse_empty(const char *option, struct bench_error *err)
{
    error_set(err, BENCH_ERROR_USAGE, "option '%s' has an empty value", option);
    error_hint(err, "give it a value, or leave it out; a variable of the shell may not be set");
    return -1;
}

int cli_check_directory(const char *option, const char *value, struct bench_error *err)
{
    if (strcmp(value, "-") != 0)
        return 0;
    error_set(err, BENCH_ERROR_USAGE, "%s: '-' is standard output, and a run is a directory",
              option);
    error_hint(err, "name a directory, './-' if need be; the result is printed to standard output "
                    "anyway, in the format of '--format'");
    return -1;
}

static int refuse_unknown(const char *command, const char *word, const struct option *options)
{
    const char *names[32] = {0}, *near;
    struct bench_error err = {0};

    for (size_t n = 0; options[n].name && n < ARRAY_SIZE(names) - 1; n++)
        names[n] = options[n].name;
    near = nearest(word + strspn(word, "-"), names);
    if (!near)
        return cli_usage(command, "unknown option '%s'", word);
    error_set(&err, BENCH_ERROR_USAGE, "%s: unknown option '%s'", command, word);
    error_hint(&err, "did you mean '--%s'?", near);
    return cli_error(&err);
}

int cli_option(const char *command, int argc, char **argv, const char *shorts,
               const struct option *options)
{
    int c = getopt_long(argc, argv, shorts, options, NULL);
    struct bench_error err = {0};
    char word[3], flag[32];

    if (c == ':')
        cli_usage(command, "option '%s' needs a value", argv[optind - 1]);
    else if (c == '?')
        refuse_unknown(command, cli_refused_option(argv, shorts, word), options);
    if (c == ':' || c == '?')
        return CLI_REFUSED;
    if (c == -1 || !optarg || *optarg)
        return c;
    while (options->val != c)
        options++;
    snprintf(flag, sizeof(flag), "--%s", options->name);
    cli_refuse_empty(flag, &err);
    error_context(&err, "%s", command);
    cli_error(&err);
    return CLI_REFUSED;
}

int cli_width(FILE *file)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");

    if (isatty(fileno(file)) && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return columns && atoi(columns) > 0 ? atoi(columns) : 0;
}

/* Characters of UTF-8, which printf's widths take for bytes. */
static int characters(const char *s, size_t n)
{
    int count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

/* `width` 0: in one line. */
static void print_row(const char *left, const char *right, int width)
{
    int indent = 26, column = indent, used = characters(left, strlen(left));

    if (used > indent - 3)
        say_out("  %s\n%*s", left, indent, "");
    else
        say_out("  %s%*s", left, indent - 2 - used, "");
    while (*right) {
        size_t n = strcspn(right, " ");
        int wide = characters(right, n);

        if (width && column > indent && column + 1 + wide > width) {
            say_out("\n%*s", indent, "");
            column = indent;
        }
        say_out("%s%.*s", column > indent ? " " : "", (int)n, right);
        column += wide + (column > indent);
        right += n;
        right += strspn(right, " ");
    }
    say_out("\n");
}

void cli_help_row(const char *left, const char *right)
{
    int width = cli_width(stdout);

    print_row(left, right, width < 60 ? 100 : width);
}

void cli_list_row(const char *left, const char *right)
{
    int width = cli_width(stdout);

    print_row(left, right, width && width < 60 ? 60 : width);
}

void cli_style(struct bench_style *ret, FILE *file, bool no_color)
{
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");
    bool dumb = !term || strcmp(term, "dumb") == 0;

    *ret = (struct bench_style){
        .size = sizeof(*ret),
        .color = isatty(fileno(file)) && !dumb && !no_color && !(plain && *plain),
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .width = cli_width(file),
    };
}

void cli_scenario_directories(const struct cli *cli, struct strings *ret)
{
    cleanup_free char *copy = xstrdup(cli->program);
    const char *directory = dirname(copy);
    /* In the tree the program is build/bench, or build/sanitize/bench. */
    char *candidates[] = {xasprintf("%s/../scenarios", directory),
                          xasprintf("%s/../../scenarios", directory), xstrdup(SCENARIODIR)};

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        char *real = realpath(candidates[i], NULL);

        if (real && !strings_has(ret, real))
            strings_add(ret, real);
        free(real);
        free(candidates[i]);
    }
}

static char *find_scenario(const struct cli *cli, const char *name)
{
    static const char *const endings[] = {"", ".yaml"};
    cleanup_strings struct strings directories = {0};

    if (strchr(name, '/') || strcmp(name, "-") == 0 || access(name, F_OK) == 0)
        return xstrdup(name);
    cli_scenario_directories(cli, &directories);
    for (size_t i = 0; i < directories.count; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(endings); k++) {
            char *path = xasprintf("%s/%s%s", directories.items[i], name, endings[k]);

            if (access(path, F_OK) == 0)
                return path;
            free(path);
        }
    }
    return xstrdup(name); /* reading it says that it is missing */
}

/* A run keeps the words of its scenario, but not the name of their file, after which it was called.
 */
static char *name_of_run(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    cleanup_free char *file = xasprintf("%.*s" LAYOUT_RUN, (int)(base - path), path);
    json_t *run = strcmp(base, LAYOUT_SCENARIO) == 0
                      ? json_read(AT_FDCWD, file, file, RUN_JSON_LIMIT, NULL)
                      : NULL;
    char *name = xstrdup(json_string_value(json_object_get(run, "name")));

    json_decref(run);
    return name;
}

int cli_read_scenario(const struct cli *cli, const char *name, struct scenario *ret,
                      struct bench_error *err)
{
    cleanup_free char *path = find_scenario(cli, name);

    if (scenario_read(ret, path, err) == 0) {
        if (!ret->name)
            ret->name = name_of_run(path);
        return 0;
    }
    if (strcmp(path, "-") != 0 && access(path, F_OK) < 0 && errno == ENOENT)
        suggest_scenario(cli, path, err);
    return -1;
}
