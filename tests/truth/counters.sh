#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Counters against `perf stat` on the same work: task-clock within 1%, tracepoints equal; and all else that
# the test of the capture asserts, in which the clock may differ by 3% on a busy machine.
cd "$(dirname "$0")/../.." || exit 2
out=$(BENCH_TRUTH=1 CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/tests/unit/capture/test_counters" 2>&1)
status=$?
grep -E '^(task-clock|writes):' <<<"$out" | sed 's/^/       counters: /'
if [ $status -ne 0 ]; then
    grep -E -B3 '^not ok' <<<"$out"
    echo 'WRONG  counters: task-clock within 1% of perf stat, tracepoints equal'
elif grep -q '^# SKIP' <<<"$out"; then
    grep '^# SKIP' <<<"$out" | sed 's/^# SKIP/counters: skipped:/'
else
    echo 'ok     counters: task-clock within 1% of perf stat, tracepoints equal'
fi
exit $status
