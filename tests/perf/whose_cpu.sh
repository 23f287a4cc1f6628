#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whose CPU time is it? A case with a known truth (whose_cpu.c), µs of CPU per round by two clocks.
# 'within' and 'before' are the same work: where the scheduler's figures differ, it charges time to
# a process that did not run (docs/measurement.md).
[ "$(id -u)" = 0 ] || { echo 'whose_cpu: skipped: needs root' && exit 0; }
for _ in 1 2 3; do
    for mode in alone before within; do
        printf 'whose_cpu: '
        "$BUILD/tests/perf/whose_cpu" $mode || exit 1
    done
done
