#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How long `bench list runs` takes over many stored runs (RUNS, 100,000): making the index, all of
# them, filtered in several ways, and the first time after one more was stored.
set -u
bench=$PWD/$BUILD/bench
runs=${RUNS:-100000}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

python3 - "$runs" <<'EOF'
import json, os, sys
states = ["complete"] * 18 + ["interrupted", "failed"]
for i in range(int(sys.argv[1])):
    day = "2026-%02d-%02dT%02d:00:00Z" % (1 + i // 28 % 12, 1 + i % 28, i % 24)
    name = "night %d" % (i % 50)
    relay = ["nginx", "haproxy", "skrouterd"][i % 3]
    run = {"format": 1, "bench_version": "0.1.0", "id": "%s-%06d" % (day[:10], i), "name": name,
           "started": day, "finished": day, "state": states[i % 20], "command": ["run"], "cwd": "",
           "seed": "1", "blocks": 6, "environment": {"kernel": "6.18.0", "cpus_online": 2},
           "scenario": {"workload": "builtin", "protocol": "tcp", "relays": ["none", relay]},
           "points": [{"label": "", "settings": {}, "hops": {}}],
           "plan": [{"index": k + 1, "block": 1, "point": 0, "arm": "none"} for k in range(12)]}
    os.makedirs("bench-results/%06d" % i)
    with open("bench-results/%06d/run.json" % i, "w") as f:
        json.dump(run, f)
EOF

timed() { # what, arguments of bench
    local what=$1 begin=${EPOCHREALTIME/[.,]/} count
    shift
    count=$("$bench" list runs "$@" | tail -n +2 | wc -l)
    printf '  %-44s %8d us, %d runs\n' "$what" $((${EPOCHREALTIME/[.,]/} - begin)) "$count"
}

printf '\nlist runs: %d stored runs\n' "$runs"
timed 'making the index'
sleep 2.1
timed 'the first time, two seconds later'
for _ in 1 2 3; do
    timed 'all'
    timed 'the newest 20' --limit 20
    timed '--name' --name 'night 1?'
    timed '--relay, --state' --relay haproxy --state failed
    timed '--since, sorted by name' --since 2026-12-20 --sort name
    timed 'all, as JSON' --format json
done
cp -r bench-results/000000 bench-results/more
timed 'after one more was stored' --limit 20
