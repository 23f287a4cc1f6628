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

# The scenario is refused with exactly this line.
refused() { # line, YAML lines…
    local expected=$1
    shift
    printf '%s\n' 'bench: 1' "$@" >s.yaml
    run "$BENCH" run s.yaml --dry-run
    echo "$output"
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: s.yaml:$expected" ]
}

@test "what a plugin or a capture refuses has file and line of the option, or the flag" {
    refused "4:12: workload 'h2load': threads: 'x' is not an integer: write digits only, like 10 or -1" \
        'workload:' '  plugin: h2load' '  threads: x'
    refused "4:12: client of 'h2load': threads: 8 threads cannot share 2 clients" \
        'workload:' '  plugin: h2load' '  threads: 8'
    refused "2:7: client of 'iperf3': jobs: iperf3 has at most 128 streams, not 500" \
        'jobs: 500' 'workload: iperf3'
    refused "6:11: client of 'command': 'result: json' needs the option 'result_path'" \
        'workload:' '  plugin: command' '  server: x' '  client: y' '  result: json'
    refused "2:11: server of 'command': option 'server' is missing" 'workload: command'
    refused "5:24: relay 'a' (hop 1): option 'command': unknown placeholder '{nope}'" \
        'relays:' '  - name: a' '    plugin: command' '    options: {command: "x {nope}"}'
    refused "3:40: relay 'nginx': workers: 'x' is not an integer: write digits only, like 10 or -1" \
        'relays:' '  - {plugin: nginx, options: {workers: x}}'
    refused "3:31: client of 'h2load': threads: 9 threads cannot share 2 clients" \
        'workload: h2load' 'sweep: {workload.threads: [1, 9]}'
    refused "5:18: capture 'record': frequency: 'x' is not an integer: write digits only, like 10 or -1" \
        'capture:' '  - record:' '      roles: all' '      frequency: x'
    refused "4:17: capture 'record': unknown option 'frequncy'" 'capture:' '  - record:' '      frequncy: 9'
    run "$BENCH" record -r none --frequency x --dry-run
    [ "${lines[0]}" = "bench: --frequency: capture 'record': frequency: 'x' is not an integer: write digits only, like 10 or -1" ]
    run "$BENCH" run -w h2load --set workload.threads=8 --dry-run
    [ "${lines[0]}" = "bench: --set: client of 'h2load': threads: 8 threads cannot share 2 clients" ]
    run "$BENCH" run -w iperf3 --jobs 500 --dry-run
    [ "${lines[0]}" = "bench: --jobs: client of 'iperf3': jobs: iperf3 has at most 128 streams, not 500" ]
}
