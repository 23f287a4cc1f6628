#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a recording of perf to a picture: bench flamegraph against perf script and the two scripts of
# FlameGraph, which are looked for on PATH and in $FLAMEGRAPH. Recorded once, for five seconds: nginx
# relaying the built-in stream.
PERF_NETWORK=host
. tests/perf/lib/pairs.bash
UNIT=pictures/s # the time of one is its inverse
PATH=$PATH:${FLAMEGRAPH:-}

for program in perf stackcollapse-perf.pl flamegraph.pl; do
    command -v "$program" >/dev/null || {
        echo "flame: skipped: no '$program' on PATH or in \$FLAMEGRAPH"
        exit
    }
done
directory=$(mktemp -d)
trap 'rm -r "$directory"; exit $perf_failed' EXIT

timed() { # command…: how often it could be done in a second
    local begin=$EPOCHREALTIME
    "$@" >"$directory/picture.svg" 2>"$directory/errors" && [ -s "$directory/picture.svg" ] || return 1
    awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { print 1 / (end - begin) }'
}

by_bench() { # perf.data
    timed "$BUILD/bench" flamegraph "$1"
}

scripts() {
    perf script --no-inline -i "$1" | stackcollapse-perf.pl --kernel | flamegraph.pl
}

by_scripts() { # perf.data
    timed scripts "$1"
}

record() { # call graph, frequency
    perf record -q -N -e cpu-clock -F "$2" --call-graph "$1" -o "$directory/$1.data" -- \
        "$BUILD/bench" run -w builtin -r nginx --duration 5s --repeat 1 -q \
        -o "$directory/run-$1" >/dev/null 2>&1
}

for call_graph in fp dwarf; do
    if record "$call_graph" 997; then
        pair "flame, $call_graph, $(stat -c %s "$directory/$call_graph.data") bytes" 5 \
            'bench flamegraph' "by_bench $directory/$call_graph.data" \
            'perf script and perl' "by_scripts $directory/$call_graph.data"
    else
        echo "flame, $call_graph: FAILED: perf may not record here"
        perf_failed=1
    fi
done
