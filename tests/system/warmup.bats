#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `warmup: auto`: pilots of every arm from cold, and one warm-up for all.

load common

@test "the warm-up is what the slowest arm needs to settle, and half as long again" {
    local fake=$FAKES/slow_start
    cat >s.yaml <<YAML
bench: 1
workload: {plugin: builtin, mode: rr, delay: 20ms}
jobs: 8
hops: 1
cpu_limit: 0
warmup: auto
duration: 1s
repeat: 1
relays:
  - {plugin: command, name: quick, options: {command: "$fake {listen_port} {connect_port} 0"}}
  - {plugin: command, name: slow, options: {command: "$fake {listen_port} {connect_port} 400"}}
YAML
    run "$BENCH" run s.yaml -o out
    [ "$status" -eq 0 ]
    grep -q "^every arm settles; warm-up of " <<<"$output" || { echo "$output"; false; }
    grep -q "1 randomised block × 2 arms" <<<"$output"
    grep -q "warm-up half as long again as 'slow' needs, the slowest to settle: " <<<"$output"
    run "$BENCH" report out --format json
    # The delay ends 400 ms after the first connection; a pilot lasts 2 s.
    jq -e --slurpfile run out/run.json '$run[0].warmup as $found | .repetitions as $all |
        $found.arm == "slow" and $found.steady and $found.needs > 0.3 and $found.needs <= 1 and
        ($found.seconds >= $found.needs * 1.5 - 1e-6 and $found.seconds < $found.needs * 1.5 + 0.1) and
        ([$all[] | select(.purpose == "pilot")] | length) == 6 and
        ([$all[] | select(.purpose == "measure")] | length) == 2 and
        .warmup_seconds == $found.seconds' <<<"$output"
}

@test "pilots that cannot be judged end the run with a remedy" {
    command -v iperf3 >/dev/null || skip "no iperf3"
    cat >s.yaml <<'YAML'
bench: 1
workload: iperf3
hops: 0
cpu_limit: 0
warmup: auto
duration: 1s
relays: [none]
YAML
    run "$BENCH" run s.yaml -q -o out
    [ "$status" -eq 1 ]
    [ "$output" = "bench: warmup: auto: 'none' cannot be judged: the samples do not show what the workload does
hint: give the 'warmup' that it needs" ] || { echo "$output"; false; }
}

@test "a plan with warmup: auto says that it begins with pilots; a sweep has no such value" {
    cat >s.yaml <<'YAML'
bench: 1
workload: builtin
hops: 0
cpu_limit: 0
warmup: auto
repeat: 4
relays: [none]
YAML
    run "$BENCH" run s.yaml --dry-run
    [ "$status" -eq 0 ]
    grep -q "^warmup: auto: these are 3 pilots of every arm, from cold; then 4 blocks" <<<"$output"
    [ "$(grep -c "none *cold$" <<<"$output")" -eq 3 ]
    cat >>s.yaml <<'YAML'
sweep: {warmup: [1s, auto]}
YAML
    run "$BENCH" run s.yaml --dry-run
    [ "$status" -eq 2 ]
    grep -q "s.yaml:8:[0-9]*: warmup: 'auto' cannot be a value of a sweep" <<<"$output"
}
