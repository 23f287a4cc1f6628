#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What each capture costs the throughput of a stream through nginx: an ordinary comparison of the relay
# with the capture and without. What watches the whole machine would slow the arm without it as well, so
# there the arms are not alive together.
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { echo 'captures: skipped: no nginx' && exit 0; }
work=$(mktemp -d)
bench=$PWD/$BUILD/bench
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

cost() { # capture, interleave, goal in percent or ''
    printf 'captures: %s: ' "$1"
    "$bench" compare -r nginx --hops 1 --cpu-limit 0 --capture "$1" --capture-cost --interleave "$2" \
        --warmup 500ms --duration "${SECONDS_EACH}s" --repeat "$ROUNDS" --metric bits_per_second -q \
        -o "run-$1" --format json >out.json 2>err
    case $? in
    0) ;;
    5) echo "skipped: $(head -n 1 err)" && return ;;
    *) cat err && exit 1 ;;
    esac
    jq -r --argjson goal "${3:-null}" '
        def percent: . * 1000 - 1000 | round / 10 | if . > 0 then "+\(.)%" else "\(.)%" end;
        .comparisons[0] | if .ratio == null then .verdict else "throughput \(.ratio | percent)" +
            (if .low then " (\(.low | percent) to \(.high | percent))" else "" end) +
            if $goal then ", goal above -\($goal)%: " +
                if .ratio > 1 - $goal / 100 then "met" else "NOT MET" end
            else "" end end' out.json
}

cost stat yes 2
cost record yes ''
cost offcpu no ''
cost syscalls no ''
