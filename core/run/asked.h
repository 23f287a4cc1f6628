/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client was asked to send, against what it did. A tool that sends more than it was asked to
 * measures something else; one that sends less may be held back by the relay, which is said.
 */
#ifndef RUN_ASKED_H
#define RUN_ASKED_H

#include "store/record.h"

struct asked {
    double requests, bits; /* per second, 0: as fast as it can */
    int64_t jobs;
    bool own; /* the client is part of bench: its schedule is the rate, and it makes up for a stall
               */
};

/* Compares the record's window with it. -1 (RUN): more was done than asked for. Less of the bits
 * becomes a warning of the record; fewer of the requests are judged by the report (load.h). */
int asked_compare(const struct asked *a, struct repetition_record *record, struct bench_error *err);

#endif
