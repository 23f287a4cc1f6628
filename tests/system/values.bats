#!/usr/bin/env bats
# A value is judged by what it says, not by how it arrives.
bats_require_minimum_version 1.5.0
load common

# Those of a command that take a value, from its help.
flags_of() { "$BENCH" "$@" --help | grep -oE -- '--[a-z0-9-]+ [A-Z][A-Za-z,…|\[]*' | cut -d' ' -f1 | sort -u; }

@test "an empty value is refused by every flag of every command, exit 2" {
    local command flag n=0
    for command in run compare bisect record report explain 'list runs' history flamegraph; do
        for flag in $(flags_of $command); do
            run "$BENCH" $command "$flag" ''
            n=$((n + 1))
            echo "$command $flag: $output"
            [ "$status" -eq 2 ]
            [[ $output == "bench: "*"option '$flag' has an empty value"*"hint: give it a value, or leave it out; a variable of the shell may not be set" ]]
        done
    done
    [ "$n" -gt 150 ]
    for flag in o w p r; do
        run "$BENCH" run "-$flag" ''
        [ "$status" -eq 2 ]
        [[ $output == *"has an empty value"* ]]
    done
}

@test "gates that are empty are no gates that passed, exit 2" {
    local unset=
    run "$BENCH" run smoke --fail-on "$unset"
    [ "$status" -eq 2 ]
    run "$BENCH" run smoke --set fail_on=
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --set: fail_on: is empty" ]
    run "$BENCH" run smoke --fail-on ' '
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --fail-on: gate ' ': there is no condition in it" ]
    printf 'bench: 1\nfail_on: ["latency_p99 > 1s", ""]\n' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: s.yaml:2:31: gate '': there is no condition in it" ]
    # The word for none of them.
    run "$BENCH" run s.yaml --fail-on none --dry-run
    [ "$status" -eq 0 ]
    "$BENCH" run smoke --warmup 0 --duration 100ms -q -o r >/dev/null
    run "$BENCH" report ./r --fail-on "$unset"
    [ "$status" -eq 2 ]
    run "$BENCH" compare a=./r b=./r --fail-on "$unset"
    [ "$status" -eq 2 ]
    # It stays readable when it is stored, whatever its notation was.
    "$BENCH" run smoke --warmup 0 --duration 100ms --repeat 1 -q -o margin >/dev/null
    run "$BENCH" compare a=./r b=./margin --margin 3
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --margin: '3' would be 300%" ]
    [ "${lines[1]}" = "hint: write '3%', or '300%' if that is meant" ]
}

@test "a percentage has one rule: margin, precision, gates, the error of a bisection, the width of frames" {
    local hint="hint: write '3%', or '300%' if that is meant"
    for flags in '--margin 3' '--precision 3' '--set margin=3' '--fail-on bits_per_second·regresses·3'; do
        flags=${flags//·/ }
        if [[ $flags == --fail-on* ]]; then set -- --fail-on "${flags#--fail-on }"; else set -- $flags; fi
        run "$BENCH" compare smoke "$@" --dry-run
        echo "$output"
        [ "$status" -eq 2 ]
        [[ ${lines[0]} == "bench: "*"'3' would be 300%" ]]
        [ "${lines[1]}" = "$hint" ]
    done
    printf 'bench: 1\nprecision: 3\n' >s.yaml
    run "$BENCH" compare s.yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: s.yaml:2:12: precision: '3' would be 300%" ]
    run "$BENCH" bisect --good a --bad b --build c --error 3
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --error: '3' would be 300%" ]
    run "$BENCH" flamegraph x.folded --share 3
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --share: '3' would be 300%" ]
    run "$BENCH" flamegraph x.folded --share 300%
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --share: '300%' is out of range, allowed is 0% to 100%" ]
    # What is stored is read again.
    printf 'bench: 1\nmargin: 300%%\nrelays: [none, {name: other, plugin: none}]\nhops: 0\nrepeat: 1\nwarmup: 0s\nduration: 50ms\n' >s.yaml
    "$BENCH" compare s.yaml -q -o r >/dev/null || [ $? -le 5 ]
    grep -E "^margin: .?300%.?$" r/scenario.yaml
    "$BENCH" compare r/scenario.yaml --dry-run
}
