#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the CPU limit hold? A saturated nginx under 1, 0.5 and 0.25 CPU: CPUs used / CPUs allowed.
# The relay has a CPU of its own, so that nobody but the limit holds it back.
[ "$(id -u)" = 0 ] || { echo 'limits: skipped: needs root' && exit 0; }
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || { echo 'limits: skipped: no nginx' && exit 0; }
[ "$(nproc)" -ge 2 ] || { echo 'limits: skipped: needs two CPUs' && exit 0; }
work=$(mktemp -d)
bench=$PWD/$BUILD/bench
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
for limit in 1 0.5 0.25; do
    "$bench" run -r nginx --hops 1 --cpu-limit $limit --warmup 500ms --duration 3s --repeat "$ROUNDS" \
        --set cpus.relay=1 --set cpus.client=0 --set cpus.server=0 -q -o "run$limit" --format json >"$limit.json" 2>err || { cat err && exit 1; }
    printf 'limits: CPUs used / allowed at %s: ' "$limit"
    jq -r --argjson limit $limit '.repetitions[].metrics.cpus_relay_1.value / $limit' "$limit.json" |
        sort -g | awk '{ v[NR] = $1 } END { printf "min %.4f  median %.4f  max %.4f\n", v[1], v[int((NR + 1) / 2)], v[NR] }'
done
