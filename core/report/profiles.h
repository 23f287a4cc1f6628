/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stacks that a capture left in a stored run: of one arm at one point, a profile per
 * repetition, with the bytes and operations of its window. The run must outlive what is read from
 * it.
 */
#ifndef REPORT_PROFILES_H
#define REPORT_PROFILES_H

#include "profile/profile_set.h"
#include "store/store.h"

/* What to take. NULL: the only one that there is, an error when there are several; of roles all,
 * each below a frame of its name. */
struct profile_choice {
    const char *arm, *point, *capture, *role;
};

struct profiles {
    struct profile_set set;
    const struct repetition_record **records; /* by profile */
    const char *arm, *point, *capture;        /* the run's own */
    char *roles;                              /* "relay_1", or "client, relay_1, server" */
    struct strings notes;                     /* what the capture has to say, each once */
};

int profiles_read(struct profiles *ret, const struct stored_run *run,
                  const struct profile_choice *choice, struct bench_error *err);
/* Divides every profile by what its repetition delivered in the window: `per` "byte", "operation",
 * or NULL for 1. After an error nothing has changed. */
int profiles_divide(struct profiles *p, const char *per, struct bench_error *err);
void profiles_release(struct profiles *p);

#define cleanup_profiles __attribute__((cleanup(profiles_release)))

#endif
