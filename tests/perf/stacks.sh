#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 100,000 distinct stacks of 40 frames: time and memory from folded text to each format, and
# FlameGraph's flamegraph.pl on the same text where it is on PATH.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk 'BEGIN { for (i = 0; i < 100000; i++) { line = "main"
    for (k = 1; k < 40; k++) line = line ";" (k < 20 ? "layer" : "function") k "_" (k < 10 ? i % (k + 1) : i % (k * 997))
    print line, 1 + i % 7 } }' >"$work/many.folded"
measure() { # name, command…
    local name=$1
    shift
    python3 - "$name" "$work/out" "$@" <<'PY'
import os, resource, subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[3:], stdout=open(sys.argv[2], "wb"), check=True)
took = time.monotonic() - begin
print("stacks: %-20s %6.2f s %7.1f MiB of memory %7.1f MiB of output" % (sys.argv[1], took,
    resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, os.path.getsize(sys.argv[2]) / 1048576))
PY
}
for format in svg folded speedscope; do
    measure "$format" "$BUILD/bench" flamegraph --format $format "$work/many.folded" || exit 1
done
measure difference "$BUILD/bench" flamegraph --diff "$work/many.folded" "$work/many.folded" || exit 1
if command -v flamegraph.pl >/dev/null; then
    measure flamegraph.pl flamegraph.pl "$work/many.folded" || exit 1
else
    echo 'stacks: flamegraph.pl skipped: not on PATH'
fi
