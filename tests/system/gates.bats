#!/usr/bin/env bats
# Gates and the exit status that they ask for.
load common

measure() { # option…
    "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --repeat 6 --warmup 50ms \
        --duration 150ms -q "$@"
}

@test "a run's exit status is that of its gates" {
    run measure --fail-on 'bits_per_second < 1kbit/s'
    [ "$status" -eq 0 ]
    [[ $output == *"  passed        bits_per_second < 1kbit/s · none: "*" repetitions"* ]]
    run measure --fail-on 'bits_per_second > 1kbit/s'
    [ "$status" -eq 3 ]
    [[ $output == *"  failed        bits_per_second > 1kbit/s · none: "* ]]
    run measure --repeat 3 --fail-on 'bits_per_second > 1kbit/s'
    [ "$status" -eq 4 ]
    [[ $output == *"3 repetitions: an interval of 95% needs 6"* ]]
    run measure --fail-on 'operations < 1' --fail-on 'bits_per_second > 1kbit/s' --repeat 1
    [ "$status" -eq 2 ]
    [ "$(ls -d bench-results/2* | wc -l)" -eq 4 ] # what was measured is kept all the same
}

@test "what cannot be a gate is refused before anything starts" {
    for gate in 'latency_p99' 'latency_p99 > 5%' 'latncy_p99 > 5ms' 'latency_p99 of nginx > 5ms' \
        'bits_per_second regresses 3%' 'bits_per_second at jobs=3 < 1k'; do
        run measure --fail-on "$gate"
        echo "$output"
        [ "$status" -eq 2 ]
        [[ $output == "bench: --fail-on: gate '$gate': "* ]]
    done
    [ ! -e bench-results ]
}

@test "the scenario has gates too; a stored run is judged by these or by others" {
    cat >s.yaml <<'END'
bench: 1
workload: builtin
relays: [none]
hops: 0
cpu_limit: 0
repeat: 7
warmup: 50ms
duration: 150ms
fail_on:
  - bits_per_second < 1k
  - cpus_client of none > 1000
END
    run "$BENCH" run s.yaml -q --fail-on 'bits_per_second > 1k'
    [ "$status" -eq 3 ]
    run "$BENCH" report latest --format json # printing is no judging
    [ "$status" -eq 0 ]
    jq -e '.scenario.fail_on | length == 3' <<<"$output"
    jq -e '[.gates[].outcome] == ["passed", "passed", "failed"]' <<<"$output"
    run "$BENCH" report latest --fail-on 'bits < 1k'
    [ "$status" -eq 0 ]
    [[ $output == *"gates"*"passed        bits < 1k · none"* && $output != *cpus_client\ of* ]]
    run "$BENCH" report latest --fail-on 'bits > 1k'
    [ "$status" -eq 3 ]
    run "$BENCH" report latest --fail-on 'bits regresses 3%'
    [ "$status" -eq 2 ]
    [[ $output == *"this run compares nothing"* ]]
    sed -i 's/^  - bits.*/  - bitz < 1k/' s.yaml
    run "$BENCH" run s.yaml -q
    [ "$status" -eq 2 ]
    [[ $output == "bench: s.yaml:10:5: gate 'bitz < 1k': there is no metric 'bitz'"* ]]
}

@test "a comparison is judged by changes, of arms and of saved runs" {
    cat >two.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
relays: [none, {name: again, plugin: none}]
hops: 0
cpu_limit: 0
repeat: 6
warmup: 50ms
duration: 200ms
reject: nothing
END
    run "$BENCH" compare two.yaml -q --fail-on 'operations of again regresses 900%'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"  passed        operations of again regresses 900%: "*" against none, 95% interval ["* ]]
    run "$BENCH" compare two.yaml -q --fail-on 'operations of none regresses 900%'
    [ "$status" -eq 2 ]
    [[ $output == *"'none' is the baseline, which nothing is compared with"* ]]
    printf 'sweep: {jobs: [1, 2]}\n' | cat two.yaml - >swept.yaml
    run "$BENCH" compare swept.yaml --dry-run --fail-on 'operations at jobs=2 changes 900%'
    [ "$status" -eq 0 ]
    run "$BENCH" compare swept.yaml --dry-run --fail-on 'operations at jobs=3 changes 900%'
    [ "$status" -eq 2 ]
    [[ $output == *"gate 'operations at jobs=3 changes 900%': unknown point 'jobs=3'"* ]]
    measure -o b --duration 200ms --set workload.mode=rr --set reject=nothing >/dev/null
    run "$BENCH" compare b now=b --fail-on 'operations changes 900%'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"  passed        operations changes 900% · now: +0.0% against b, "* ]]
}

@test "an unfit environment decides nothing" {
    cat >busy.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
relays: [none, {name: again, plugin: none}]
hops: 0
cpu_limit: 0
repeat: 3
warmup: 50ms
duration: 300ms
END
    timeout 60 sh -c 'while :; do :; done' &
    busy=$!
    run "$BENCH" compare busy.yaml -q --fail-on 'operations changes 900%' --fail-on 'latency_p99 > 1h'
    kill $busy
    wait $busy || true
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"  unfit         operations changes 900% · again: "*" blocks were rejected"* ]]
}

@test "the scenario of docs/ci.md is one" {
    docs=$BATS_TEST_DIRNAME/../../docs/ci.md
    mkdir -p old/build new/build
    printf '#!/bin/sh\n' | tee old/build/relay >new/build/relay
    chmod +x old/build/relay new/build/relay
    awk '/^```/ { inside = !inside; n += inside } inside && n == 2 && !/^```/' "$docs" |
        sed "s|@HERE@|$PWD|" >performance.yaml
    run "$BENCH" compare performance.yaml --dry-run
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == "32 repetitions: blocks 16, arms 2"* ]]
    awk '/^```/ { inside = !inside; n += inside } inside && n == 1 && !/^```/' "$docs" >workflow.yaml
    python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"
    python3 -c 'import yaml; assert yaml.safe_load(open("workflow.yaml"))["jobs"]["compare"]["steps"]'
}
