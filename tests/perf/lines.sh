#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Numbers of a client, one on each line (plugin 'command', result: lines), against awk, which does
# the same: ten million of them, whole ones and such with a fraction.
PERF_NETWORK='one process'
. tests/perf/lib/pairs.bash
UNIT='million lines/s'
directory=$(mktemp -d)
trap 'rm -r "$directory"; exit $perf_failed' EXIT

by_bench() { "$BUILD/tests/perf/read_lines" "$BUILD/plugins/workloads/command.so" "$1"; }

by_awk() {
    local begin=$EPOCHREALTIME lines
    lines=$(LC_ALL=C awk '{ sum += $1 } END { print NR; print sum / NR >"/dev/stderr" }' "$1" 2>/dev/null) || return 1
    awk -v n="$lines" -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { print n / 1e6 / (end - begin) }'
}

seq 10000000 >"$directory/whole"
awk 'BEGIN { for (i = 0; i < 10000000; i++) printf "%d.%06d\n", i % 1000, i }' >"$directory/fractions"
for kind in whole fractions; do
    pair "lines, $kind, 10 million" '' 'bench' "by_bench $directory/$kind" awk "by_awk $directory/$kind"
done
