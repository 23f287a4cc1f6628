/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of 'bench bisect': its flags and its help.
 *
 * Life: bisect_request_read() → … → bisect_request_release(). Texts are those of the command line.
 */
#ifndef CLI_BISECT_REQUEST_H
#define CLI_BISECT_REQUEST_H

#include "cli/cli.h"
#include "study/bisect.h"

struct bisect_request {
    struct bisect_question question;
    const char *arm, *path, *output, *cache, *resume;
    bool keep, quiet;
    struct scenario scenario;
    char *directory, *cache_directory; /* absolute, once they were chosen; owned */
};

/* Reads the scenario too, and sets over it what the flags say. *ret_help: help was asked for and
 * printed, nothing is read. Released by the caller whatever it returns. */
int bisect_request_read(struct bisect_request *q, struct cli *cli, int argc, char **argv,
                        bool *ret_help, struct bench_error *err);
void bisect_request_release(struct bisect_request *q);

#endif
