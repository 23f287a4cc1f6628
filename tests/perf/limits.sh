#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the CPU limit hold? A saturated nginx under 1, 0.5 and 0.25 CPU: CPUs used / CPUs allowed.
# The limit can hold only where the machine has the CPUs to give: one hop, and client and server need
# some too.
[ "$(id -u)" = 0 ] || { echo 'limits: skipped: needs root' && exit 0; }
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { echo 'limits: skipped: no nginx' && exit 0; }
work=$(mktemp -d)
bench=$PWD/$BUILD/bench
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for limit in 1 0.5 0.25; do
    "$bench" run -r nginx --hops 1 --cpu-limit $limit --warmup 500ms --duration 3s --repeat "$ROUNDS" \
        -q -o "run$limit" --format json >"$limit.json" 2>err || { cat err && exit 1; }
    printf 'limits: CPUs used / allowed at %s: ' "$limit"
    jq -r --argjson limit $limit '.repetitions[].metrics.cpus_relay_1.value / $limit' "$limit.json" |
        sort -g | awk '{ v[NR] = $1 } END { printf "min %.4f  median %.4f  max %.4f\n", v[1], v[int((NR + 1) / 2)], v[NR] }'
done
