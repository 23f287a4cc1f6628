#!/usr/bin/env bats
# Verdicts.
load common

short() { # option…
    "$BENCH" compare -w builtin --cpu-limit 0 --warmup 50ms --duration 200ms --set slice=100ms -q "$@"
}

@test "every arm gets a verdict, by a rule that was stored before the run" {
    cat >two.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
relays: [none, {name: again, plugin: none}]
hops: 0
END
    run short two.yaml --repeat 6 --reject nothing
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"rule: primary operations; family error 5% (1 comparison); margin 3%; fixed before the run"* ]]
    [[ $output == *"exploratory, not error-controlled"* ]]
    jq -e '.comparison == {metrics: [], margin: .03, alpha: .05, looks: false}' bench-results/latest/run.json
    run "$BENCH" report latest --format json
    jq -e '.comparisons | length == 1 and .[0].blocks == 6 and .[0].metric == "operations_per_second"' <<<"$output"
    jq -e '.comparisons[0] | .low < .ratio and .ratio < .high' <<<"$output"
}

@test "blocks and interleaving are chosen, unless they were" {
    run short -r none,nginx --dry-run
    [[ $output == *"24 repetitions: blocks 12, arms 2"* ]]
    run short -r none,nginx --metric bits_per_second,cpus_client --dry-run
    [[ $output == *"32 repetitions: blocks 16, arms 2"* ]]
    run short -r none,nginx --repeat 3 --dry-run
    [[ $output == *"6 repetitions: blocks 3, arms 2"* ]]
    # An option without a value takes nothing of what follows, so that this is one scenario.
    run "$BENCH" compare none-vs-nginx --dry-run --repeat 3
    [[ $output == *"6 repetitions: blocks 3, arms 2"* ]]
    run "$BENCH" compare none-vs-nginx -q --repeat 3 --dry-run --jobs 4
    [[ $output == *"6 repetitions: blocks 3, arms 2"* ]]
}

@test "a precision takes the place of the file's repeat, and the stored scenario can be run again" {
    run short none-vs-nginx --precision 2% --dry-run
    echo "$output"
    [[ $output == *"20 repetitions: blocks 10, arms 2"* ]]
    run short none-vs-nginx --stop looks --dry-run
    [[ $output == *"20 repetitions: blocks 10, arms 2"* ]]
    run short none-vs-nginx --precision 2% --repeat 7 --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *"precision: it chooses the number of blocks, and 'repeat' does too"* ]]
    sed 's/^repeat: .*/precision: 2%/' "$BATS_TEST_DIRNAME/../../scenarios/none-vs-nginx.yaml" >precise.yaml
    run short precise.yaml --repeat 7 --dry-run
    [[ $output == *"14 repetitions: blocks 7, arms 2"* ]]
    run short precise.yaml --baseline-run before
    [ "$status" -eq 2 ]
    [[ $output == *"precision: the repetitions of a saved run are as many as they are"* ]]
    echo '{"bench": 1, "relays": ["none", "nginx"], "repeat": 10, "precision": "2%"}' >stored.yaml
    run short stored.yaml --dry-run
    [[ $output == *"20 repetitions: blocks 10, arms 2"* ]]
}

@test "what only a comparison does is refused elsewhere, and left alone in a file" {
    for flag in --metric=bits_per_second --margin=1% --precision=2% --stop=looks --set=margin=1%; do
        run "$BENCH" run none-vs-nginx $flag --dry-run
        [ "$status" -eq 2 ]
        [[ $output == *": nothing is compared here"*"hint: use 'bench compare'"* ]]
    done
    printf 'bench: 1\nmargin: 1%%\nrelays: [none]\n' >both.yaml
    "$BENCH" run both.yaml --dry-run
}

@test "nothing to compare, and metrics that do not exist, are refused" {
    run short -r none
    [ "$status" -eq 2 ]
    [[ $output == *"a comparison needs two relays, here is 1"* ]]
    run short -r none,nginx --metric bits_per_secnd
    [ "$status" -eq 2 ]
    [[ $output == *"--metric: there is no metric 'bits_per_secnd'"*"hint: did you mean 'bits_per_second'?"* ]]
    run short -r none,nginx --arrivals constant
    [ "$status" -eq 2 ]
    [[ $output == *"--arrivals: without 'rate' the next request follows an answer"* ]]
    [ ! -e bench-results ]
}

@test "a name that no baseline can have is refused before anything is measured" {
    local name
    for name in a/b now; do
        run short -r none,nginx --save-baseline "$name"
        [ "$status" -eq 2 ]
        [[ $output == *"--save-baseline: '$name' is no name for a baseline"* ]]
    done
    [ ! -e bench-results ]
}

@test "blocks that others disturbed are measured again, or the environment is unfit" {
    # For the first moments somebody else uses a CPU.
    timeout 1.5 sh -c 'while :; do :; done' &
    run "$BENCH" compare -w builtin -r none,nginx --hops 0 --cpu-limit 0 --warmup 50ms --duration 200ms \
        --set slice=100ms --repeat 8 --seed 8812 -q
    wait || true
    [ "$status" -eq 0 ] || [ "$status" -eq 5 ]
    local code=$status
    run "$BENCH" report latest --format json
    jq -e '.seed | tostring == "8812"' <<<"$output" # also when more were run
    [ "$status" -eq 0 ]
    jq -e --argjson code "$code" '(.comparisons[0].finding == "unfit") == ($code == 5)' <<<"$output"
    # Either so many more were run as were thrown away, or more than a quarter was.
    jq -e '.blocks as $n | (.rejected | length) as $r |
        if $r > $n / 4 then .comparisons[0].finding == "unfit"
        else $n - $r == 8 and .comparisons[0].blocks == 8 and .comparisons[0].finding != "unfit" end' <<<"$output"
    jq -e '[.rejected[].why | test("others used|steal")] | all' <<<"$output"
    # Blocks have numbers of their own, also those that were added.
    jq -e '[.repetitions[] | [.arm, .block]] | length == (unique | length)' <<<"$output"
}

@test "a precision chooses the number of blocks" {
    run short -r none,nginx --hops 0 --precision 40% --reject nothing
    echo "$output"
    [ "$status" -eq 0 ]
    run "$BENCH" report latest --format json
    jq -e '.blocks >= 10 and .blocks <= 40' <<<"$output"
    run short -r none,nginx --hops 0 --precision 5% --repeat 12
    [ "$status" -eq 2 ]
    [[ $output == *"precision: it chooses the number of blocks, and 'repeat' does too"* ]]
}

@test "looks stop as soon as everything is decided" {
    # A hop against none: ten blocks suffice, at the level of the first look.
    cat >two.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
hops: 1
cpu_limit: 0
relays: [none, nginx]
END
    need_nginx
    run "$BENCH" compare two.yaml --warmup 50ms --duration 200ms --set slice=100ms --stop looks --reject nothing -q
    [ "$status" -eq 0 ]
    run "$BENCH" report latest --format json
    jq -e '(.blocks == 10 and (.comparisons[0].finding | . == "beyond" or . == "different")) or .blocks > 10' <<<"$output"
    jq -e '.blocks > 10 or (.comparisons[0].confidence > .997 and .comparisons[0].confidence < .999)' <<<"$output"
    run short -r none,nginx --stop looks --repeat 12
    [ "$status" -eq 2 ]
    [[ $output == *"stop: looks choose the number of blocks, and 'repeat' does too"* ]]
}

@test "an unknown flag and its value are not taken for two runs" {
    run "$BENCH" compare smoke --cpus 0
    [ "$status" -eq 2 ]
    [[ $output == *"'--cpus'"* && $output != *"saved runs"* ]] || { echo "$output"; false; }
}

@test "a run is kept under a name, and a later one compared with it" {
    run short -r none --hops 0 --repeat 4 --baseline-run before
    [ "$status" -ne 0 ]
    [[ $output == *"before"* ]]
    [ ! -e bench-results ]
    run "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --warmup 50ms --duration 300ms --repeat 4 \
        -q --save-baseline before
    [ "$status" -eq 0 ]
    run "$BENCH" list baselines
    [[ $output == *before* ]]
    run short -r none --hops 0 --duration 300ms --repeat 4 --baseline-run before --reject nothing
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"before: run "* ]]
    [[ $output == *"now: run "* ]]
    [[ $output == *"two saved runs, not interleaved"* ]]
    run "$BENCH" run -r none --baseline-run before
    [ "$status" -eq 2 ]
    [[ $output == *"--baseline-run: nothing is compared here"* ]]
}

@test "two saved runs are compared, and what that means is said" {
    for limit in 1 2; do
        "$BENCH" run -w builtin -r none --hops 0 --jobs $limit --cpu-limit 0 --warmup 50ms \
            --duration 300ms --repeat 6 --reject nothing -q -o run$limit >/dev/null
    done
    run "$BENCH" compare one=run1 two=run2
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"one: run "*" of "* ]]
    [[ $output == *"! two saved runs, not interleaved: "* ]]
    [[ $output == *"! the runs differ in jobs: 1, 2"* ]]
    [[ $output == *"chosen when the runs were there already"* ]]
    [[ $output == *"ratios from all repetitions of either run, unpaired"* ]]
    run "$BENCH" compare run1 run2 --format json
    jq -e '.comparisons[0] | .arm == "run2" and .base == "run1" and .ratio > 0' <<<"$output"
    run "$BENCH" compare run1 run1
    [ "$status" -eq 2 ]
    [[ $output == *"hint: name them: old=run1 new=run1"* ]]
    run "$BENCH" compare run1 nowhere
    [ "$status" -ne 0 ]
}

@test "its help knows saved runs, and its examples work" {
    run "$BENCH" compare --help
    [[ $output == *"       bench compare [LABEL=]RUN [LABEL=]RUN "* ]]
    n=0
    while read -r _ line; do
        "$BENCH" $line --dry-run
        n=$((n + 1))
    done < <(grep '^  bench compare' <<<"$output")
    [ $n -eq 3 ]
}
