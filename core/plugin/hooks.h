/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks of plugins, called as hook.h says, and what they report checked as a file from a
 * stranger is. Nothing else calls a hook, but registry.c bench_plugin_get(). The contracts are
 * those of include/bench/.
 */
#ifndef PLUGIN_HOOKS_H
#define PLUGIN_HOOKS_H

#include <bench/relay.h>
#include <bench/reporter.h>
#include <bench/workload.h>

#include "plugin/host.h"

int hook_describe(const struct bench_relay *r, void *state, const struct bench_hop *hop,
                  struct bench_process *process, struct bench_error *err);
/* Leaves `reader` empty when the relay has no such hook. */
int hook_statistics(const struct bench_relay *r, void *state, const struct bench_hop *hop,
                    struct bench_process *reader, struct bench_error *err);
int hook_parse_statistics(const struct bench_relay *r, void *state,
                          const struct bench_statistics *read, struct bench_result *result,
                          struct bench_error *err);

int hook_server(const struct bench_workload *w, void *state, const struct bench_role *role,
                struct bench_process *process, struct bench_error *err);
int hook_client(const struct bench_workload *w, void *state, const struct bench_role *role,
                struct bench_process *process, struct bench_error *err);
/* `result` holds the core's window. */
int hook_parse(const struct bench_workload *w, void *state, const struct bench_leftovers *left,
               struct bench_result *result, struct bench_error *err);
int hook_delivered(const struct bench_workload *w, const void *state, enum bench_side *ret,
                   struct bench_error *err);
/* False when the workload has no such hook. */
bool hook_pausable(const struct bench_workload *w, const void *state,
                   const struct bench_role *role);
/* 0 when the workload has no such hook. */
int hook_asked_bits(const struct bench_workload *w, const void *state,
                    const struct bench_role *role, double *ret, struct bench_error *err);

int hook_report(const struct bench_reporter *r, void *state, const struct bench_document *document,
                const struct bench_style *style, struct bench_output *out, struct bench_error *err);
int hook_history(const struct bench_reporter *r, void *state, const struct bench_history *history,
                 const struct bench_style *style, struct bench_output *out,
                 struct bench_error *err);

#endif
