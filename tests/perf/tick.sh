#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What looking more often costs: the bench's own CPU time in the window with a tick of 10 ms and of
# 100 ms, in turn, at nginx in two hops without 'stat', or without a relay where there is no nginx.
work=$(mktemp -d)
bench=$PWD/$BUILD/bench
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
limit=$([ "$(id -u)" = 0 ] && echo 1 || echo 0)
relay=none
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && relay=nginx

own() { # tick
    "$bench" run -r $relay --hops 2 --cpu-limit "$limit" --warmup 200ms --duration "${SECONDS_EACH}s" \
        --repeat 1 --tick "$1" -q --format json 2>err |
        jq -r '.repetitions[0].metrics.bench_cpus.value * 100' || { cat err >&2 && exit 1; }
}

for round in $(seq "$ROUNDS"); do
    if [ $((round % 2)) = 1 ]; then
        short=$(own 10ms) long=$(own 100ms)
    else
        long=$(own 100ms) short=$(own 10ms)
    fi
    echo "$short" >>10ms
    echo "$long" >>100ms
    awk -v s="$short" -v l="$long" 'BEGIN { print s / l }' >>ratio
done
summary() { # label, format, file
    sort -g "$3" | awk -v l="$1" -v f="$2" '{ v[NR] = $1 }
        END { printf "tick: %s: min " f "  median " f "  max " f "\n", l, v[1], v[int((NR + 1) / 2)], v[NR] }'
}
summary "own CPU at 10 ms, $relay, goal below 1%" '%.3f%%' 10ms
summary "own CPU at 100 ms, $relay" '%.3f%%' 100ms
summary '10 ms / 100 ms' '%.2f' ratio
