/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a command that measures: a scenario, the command's own flags, and a flag for
 * every scalar key of a scenario and every option of the command's capture, with '-' for '_'. It is
 * collected first and acted on later: flags go over the scenario, wherever that stands.
 *
 * Life: arguments_scan() → arguments_check() … → arguments_release(). All texts are those of argv.
 */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <getopt.h>

#include "scenario/scenario.h"

/* `val` of flags: a letter is also the short form. 'r' (--relay) and ARGUMENT_SET are known here,
 * and so are 'w' and 'p', short forms of two keys. */
enum {
    ARGUMENT_SET = 256,
    ARGUMENT_OWN,           /* from here on: the command's own */
    ARGUMENT_KEY = 1024,    /* ARGUMENT_KEY + i: scenario_keys[i] */
    ARGUMENT_OPTION = 4096, /* ARGUMENT_OPTION + i: option i of the command's capture */
};

struct flag {
    struct option option;
    const char *usage, *help; /* NULL: another name of the one above it */
};

struct argument {
    int flag;
    const char *value; /* NULL: it has none */
    const char *word;  /* as it was written; the value, if that stands apart */
};

struct arguments {
    const char *command, *capture; /* the latter is NULL for most */
    struct option *options;        /* getopt's table */
    struct argument *given;        /* [n], in their order */
    size_t n, capacity;
    const char **words; /* [n_words]: what is no flag, also behind "--" */
    size_t n_words, words_capacity;
    struct bench_error refused; /* the first flag that cannot be; kind NONE: all can */
};

/* Never fails: what is wrong is said by arguments_check(). */
void arguments_scan(struct arguments *a, const struct flag *flags, size_t n_flags,
                    const char *capture, int argc, char **argv);
void arguments_release(struct arguments *a);
#define cleanup_arguments __attribute__((cleanup(arguments_release)))

/* All flags can be, and there is one scenario at most. */
int arguments_check(const struct arguments *a, struct bench_error *err);
bool arguments_have(const struct arguments *a, int flag);
/* NULL: none was given. */
const char *arguments_scenario(const struct arguments *a);
/* Sets what a flag says that is not the command's own. */
int arguments_apply(const struct arguments *a, const struct argument *given, struct scenario *s,
                    struct bench_error *err);

/* Rows of the help: of the flags, of the capture's options if there is one, of the keys. */
void arguments_help(const struct arguments *a, const struct flag *flags, size_t n_flags);

#endif
