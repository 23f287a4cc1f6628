#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the bench costs: wall time of a repetition beside warm-up and window, its own CPU in the
# window, and the time of the commands that measure nothing.
work=$(mktemp -d)
bench=$PWD/$BUILD/bench
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# min, median and max of the numbers on standard input
summary() { sort -g | awk -v f="$1" '{ v[NR] = $1 } END { printf "min " f "  median " f "  max " f "\n", v[1], v[int((NR + 1) / 2)], v[NR] }'; }

limit=$([ "$(id -u)" = 0 ] && echo 1 || echo 0)
relays=none
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && relays=none,nginx
"$bench" run -r $relays --hops 2 --cpu-limit "$limit" --warmup 200ms --duration "${SECONDS_EACH}s" \
    --repeat "$ROUNDS" -q -o run --format json >run.json || exit 1
for relay in ${relays//,/ }; do
    printf 'overhead: repetition with %s, 2 hops: ' "$relay"
    jq -r --arg arm "$relay" '.repetitions[] | select(.arm == $arm) | .overhead_seconds' run.json |
        summary '%.3f s'
    printf 'overhead: own CPU in the window, %s: ' "$relay"
    jq -r --arg arm "$relay" '.repetitions[] | select(.arm == $arm) | .metrics.bench_cpus.value * 100' \
        run.json | summary '%.3f%% of a core'
done

cat >sweep.yaml <<'YAML'
bench: 1
cpu_limit: 0
repeat: 10
sweep: {jobs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], workload.send_size: [1K, 2K, 4K, 8K, 16K, 32K, 64K, 128K, 256K, 512K]}
YAML
timed() { # label, command…
    local label=$1 i begin
    shift
    printf 'overhead: %s: ' "$label"
    for i in $(seq "$ROUNDS"); do
        begin=$EPOCHREALTIME
        "$@" >out || exit 1
        awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print (b - a) * 1000 }'
    done | summary '%.1f ms'
}
timed 'bench --version' "$bench" --version
timed 'dry run of 1,000 steps' "$bench" run sweep.yaml --dry-run
[ "$(grep -c 'block' out)" -ge 1000 ] || exit 1
