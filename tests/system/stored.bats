#!/usr/bin/env bats
# Stored runs that cannot be read for a moment, that somebody else wrote, and how they are named.

bats_require_minimum_version 1.5.0
load common

run_short() { # arguments
    "$BENCH" run smoke -q --warmup 0 --duration 100ms "$@" >/dev/null
}

as_user() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILT" "$@"
    else
        "$BUILT" "$@"
    fi
}

@test "what cannot be read for a moment is an error, and not kept" {
    local first second
    run_short --set name=one
    run_short --set name=two --repeat 2
    [ "$(id -u)" = 0 ] && chown -R 65534 .
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" .
    first=$(echo bench-results/*-one-*)
    second=$(echo bench-results/*-two-*)

    chmod 000 "$first/run.json" "$second/repetitions"
    run --separate-stderr as_user list runs --state unreadable
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ $output == *"$first/run.json: cannot open 'run.json': Permission denied"* ]]
    [[ $output == *"$second: cannot read directory 'repetitions': Permission denied"* ]]
    [ "$stderr" = "bench: 2 runs cannot be read now: 'bench list runs --state unreadable' says why" ]
    run as_user report "$first"
    [ "$status" -eq 1 ]
    [[ $output == *"cannot open 'run.json': Permission denied"* ]]
    chmod 644 "$first/run.json"
    chmod 755 "$second/repetitions"
    run --separate-stderr as_user list runs
    [[ $output == *"${first#*/} "*" complete "*" 1/1 "* ]]
    [[ $output == *"${second#*/} "*" complete "*" 2/2 "* ]]
    [ -z "$stderr" ]

    chmod 000 "$second"/repetitions/0002-*/repetition.json
    run as_user report "$second"
    [ "$status" -eq 1 ]
    [[ $output == *"$second: cannot open 'repetitions/0002-none/repetition.json': Permission denied"* ]]
    run as_user compare "$first" "$second"
    [ "$status" -eq 1 ]
    run --separate-stderr as_user history bits_per_second --name '*'
    [ "$status" -eq 0 ]
    [[ $stderr == *"bench: not in this history: "*"cannot open 'repetitions/0002-none/repetition.json': Permission denied"* ]]
    chmod 644 "$second"/repetitions/0002-*/repetition.json
    run as_user report "$second"
    [ "$status" -eq 0 ]
}

@test "nothing in a run or beside it is waited for, or read from elsewhere" {
    local repetition
    mkdir private
    echo TOP-SECRET >private/passwords.txt
    echo 'TOP-SECRET 1' >private/stacks.folded
    run_short -o r
    mkdir -p bench-results/x bench-results/baselines plugins
    mkfifo bench-results/x/run.json bench-results/index.db bench-results/baselines/main plugins/x.so
    BENCH_PLUGIN_PATH=plugins run timeout 10 "$BENCH" list relays
    [ "$status" -eq 0 ]
    [[ $output == *"not used: plugins/x.so: is not a regular file"* ]]
    run timeout 10 "$BENCH" list runs
    [ "$status" -eq 0 ]
    [[ $output == *"'bench-results/index.db' is not a regular file; without it, every run is read"* ]]
    [[ $output == *"x "*"damaged "*"bench-results/x/run.json: 'run.json' is not a regular file"* ]]
    run timeout 10 "$BENCH" list baselines
    [[ $output == *"not usable: 'bench-results/baselines/main' is not a regular file"* ]]
    cp r/scenario.yaml bench-results/x/scenario.yaml 2>/dev/null || echo 'bench: 1' >bench-results/x/scenario.yaml
    run timeout 10 "$BENCH" run --dry-run bench-results/x/scenario.yaml
    [ "$status" -eq 0 ]

    repetition=$(echo r/repetitions/*/repetition.json)
    jq '.captures = [{"capture": "c2c", "role": "server", "files": ["../../../private/passwords.txt"]}]' \
        "$repetition" >changed && mv changed "$repetition"
    for command in report explain flamegraph; do
        run timeout 10 "$BENCH" $command ./r
        [[ $output != *SECRET* ]]
        [ $command != report ] ||
            [[ $output == *"file '../../../private/passwords.txt' is not below the repetition"* ]]
    done
    jq '.captures = [{"capture": "c2c", "role": "server", "event": "x", "unit": "y",
                      "files": ["a.txt", "a.folded"]}]' "$repetition" >changed && mv changed "$repetition"
    ln -s "$PWD/private/passwords.txt" "${repetition%/*}/a.txt"
    ln -s "$PWD/private/stacks.folded" "${repetition%/*}/a.folded"
    run "$BENCH" report ./r --details
    [[ $output != *SECRET* ]]
    [[ $output == *"a.txt' leads through a symbolic link"* ]]
    run "$BENCH" flamegraph ./r
    [ "$status" -eq 1 ]
    [[ $output == *"a.folded' leads through a symbolic link"* ]]
}

@test "a run is named by a part of its id, or by its scenario" {
    local first second
    run_short --set name=one
    run_short --set name=two
    first=$(basename bench-results/*-one-*)
    second=20991231-000000-two-ffff
    cp -r bench-results/*-two-* bench-results/$second
    sed -i "s/\"id\": \".*\"/\"id\": \"$second\"/" bench-results/$second/run.json
    for command in report explain; do
        run "$BENCH" $command "${first##*-one-}"
        [ "$status" -eq 0 ]
        [[ $output == *"run      $first,"* ]]
        run "$BENCH" $command two
        [ "$status" -eq 0 ]
        [[ $output == *"run      $second,"* ]]
    done
    run "$BENCH" compare one two
    [[ $output == *"one: run $first of "*"two: run $second of "* ]]
    run "$BENCH" flamegraph one
    [ "$status" -eq 2 ]
    [[ $output == *"run '$first' has no stacks"* ]]
    run "$BENCH" report "two-"
    [ "$status" -eq 2 ]
    [[ $output == *"'two-' is part of the names of 2 runs: "*"$second"*"hint: give more of the name: 'bench list runs two-' lists them"* ]]
}
