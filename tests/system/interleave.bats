#!/usr/bin/env bats
# Arms of a block that live together and are measured in turn.
load common

together() { # option…
    "$BENCH" run -w builtin --cpu-limit 0 --warmup 100ms --duration 600ms --set slice=100ms \
        --repeat 2 --interleave yes "$@"
}

@test "the window is the sum of its slices, and each arm has its own" {
    cat >two.yaml <<'END'
bench: 1
workload: builtin
relays: [none, {name: again, plugin: none}]
END
    rm -rf bench-results
    run together two.yaml -q
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"the arms of a block live together, measured in turn in 6 slices; idle ones use at most "* ]]
    for r in bench-results/latest/repetitions/*/repetition.json; do
        jq -e '.slices | length == 6' "$r"
        # One after the other, about a sixth of the window each.
        jq -e '.slices as $s | [range(1; 6) | $s[.][0] >= $s[. - 1][1]] | all' "$r"
        jq -e '.window_begin_ns == .slices[0][0] and .window_end_ns == .slices[5][1]' "$r"
    done
    # Never two at once.
    jq -s -e '[.[] | .slices[]] | sort | . as $s | [range(1; length) | $s[.][0] >= $s[. - 1][1]] | all' \
        bench-results/latest/repetitions/000[12]-*/repetition.json
    run "$BENCH" report latest --format json
    jq -e '[.arms[] | .metrics.bits_per_second.value > 0 and .valid == 2] | all' <<<"$output"
    jq -e '[.arms[] | .metrics.idle_cpus.value < .1] | all' <<<"$output"
}

@test "requests in slices: the pauses are in no latency" {
    cat >two.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
relays: [none, {name: again, plugin: none}]
END
    run together two.yaml -q
    [ "$status" -eq 0 ]
    # A pause lasts longer than 100 ms; it would be the p99.9 of one or the other connection.
    run "$BENCH" report latest --format json
    jq -e '[.arms[] | .metrics.latency_p99_seconds.value < .05] | all' <<<"$output"
}

@test "an arm that fails leaves the others alone" {
    cat >two.yaml <<'END'
bench: 1
workload: builtin
hops: 1
relays:
  - none
  - {name: broken, plugin: command, options: {command: "sh -c 'exit 3'"}}
END
    run together two.yaml
    [ "$status" -eq 1 ]
    run "$BENCH" report latest --format json
    jq -e '.arms[0].valid == 2 and .arms[1].failed == 2' <<<"$output"
}

@test "who cannot pause is refused, or measured one after the other" {
    run together -r none --set workload.mode=rr --set rate=100
    [ "$status" -eq 2 ]
    [[ $output == *"interleave: workload 'builtin' cannot be paused as it is set up here"* ]]
    [ ! -e bench-results ]
    run together -r none --set workload.rate_per_connection=1M --set interleave=auto
    [ "$status" -eq 0 ]
    [[ $output != *"live together"* ]]
}

@test "TERM between slices leaves nothing" {
    cat >two.yaml <<'END'
bench: 1
workload: builtin
relays: [none, {name: again, plugin: none}]
END
    "$BENCH" run two.yaml --cpu-limit 0 --warmup 100ms --duration 30s --interleave yes -q >out 2>&1 &
    local bench=$!
    until compgen -G 'bench-results/*/repetitions/*' >/dev/null; do sleep .1; done
    sleep 1
    kill -TERM $bench # a shell's background job ignores Ctrl-C
    status=0
    wait $bench || status=$?
    [ "$status" -eq 143 ]
    [ -z "$(ls bench-results/latest/repetitions)" ]
}
