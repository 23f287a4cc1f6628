#!/usr/bin/env bats
# Ctrl-C: what was measured is kept, and nothing is decided by when it was pressed.
load common

# Waits until there is such a file, then interrupts the bench that runs in the background.
interrupt_at() { # pattern
    for _ in $(seq 500); do
        compgen -G "$1" >/dev/null && break
        sleep 0.02
    done
    kill -TERM "$pid" # a shell has background jobs ignore INT
    wait "$pid"
}

@test "an interrupted comparison prints estimates and no verdict, then and later" {
    cat >two.yaml <<'END'
bench: 1
workload: builtin
relays: [none, {name: again, plugin: none}]
hops: 0
END
    "$BENCH" compare two.yaml --cpu-limit 0 --warmup 50ms --duration 100ms \
        --set interleave=no --reject nothing --repeat 200 -q -o run --fail-on 'bits_per_second regresses 1%' \
        >out 2>err 3>&- &
    pid=$!
    status=0
    interrupt_at 'run/repetitions/0017-*/repetition.json' || status=$?
    cat out err
    [ "$status" -eq 143 ]
    grep -q "interrupted: no verdict" out
    ! grep -qE "FASTER|SLOWER|SAME|differs|INCONCLUSIVE|same verdicts" out
    grep -qE 'again .*Gbit/s .*[0-9]% +\[' out
    grep -q "the run was interrupted" out
    "$BENCH" report run --format json >document.json
    jq -e '.state == "interrupted"' document.json
    jq -e '.comparisons[0] | .finding == "incomplete" and .verdict == "interrupted: no verdict" and .sign == 0
           and .p == null and .p_holm == null and .blocks_needed == null and .ratio > 0 and .low > 0' document.json
    jq -e '.gates[0].outcome == "inconclusive" and (.gates[0].evidence | endswith("; interrupted: nothing is decided"))' document.json
    run "$BENCH" report run
    [[ $output == *"interrupted: no verdict"* ]]
    run "$BENCH" report run --format markdown
    [[ $output == *"**interrupted: no verdict**"* ]]
    run "$BENCH" report run --fail-on 'bits_per_second > 1'
    [ "$status" -eq 4 ]
}

relay() { # name, command: a scenario with it
    printf 'bench: 1\nworkload: {plugin: builtin, mode: rr}\nrelays:\n  - {name: %s, plugin: command, options: {command: "%s"}}\n' "$1" "$2"
    printf 'hops: 1\ncpu_limit: 0\njobs: 1\nrepeat: 1\nstart_timeout: 60s\nstop_timeout: 60s\n'
}

# The bench that is interrupted once the file is there ends soon, and leaves nothing of the repetition.
leaves_nothing() { # pattern, option…
    local status=0 begin
    "$BENCH" run s.yaml -q -o run "${@:2}" >out 2>err 3>&- &
    pid=$!
    interrupt_at "$1" || status=$?
    cat out err
    [ "$status" -eq 143 ]
    grep -q "stopped early" err
    [ -z "$(ls run/repetitions)" ]
    rm -r run
}

@test "an interrupt ends a repetition in each phase, and leaves nothing" {
    relay silent "sleep 100" >s.yaml
    leaves_nothing 'run/repetitions/*/relay_1/stdout' --warmup 0 --duration 60s
    relay passes "$FAKES/slow_start {listen_port} {connect_port} 0" >s.yaml
    leaves_nothing 'run/repetitions/*/client/stdout' --warmup 60s --duration 60s
    leaves_nothing 'run/repetitions/*/client/stdout' --warmup 0 --duration 60s
    # One that does not end when it is asked to has its grace, until there is an interrupt.
    printf '#!/bin/sh\ntrap ": >over" TERM\n%s/slow_start "$1" "$2" 0 &\nwait\nsleep 100\n' "$FAKES" >stays
    chmod +x stays
    relay stays "$PWD/stays {listen_port} {connect_port}" >s.yaml
    leaves_nothing 'run/repetitions/*/relay_1/over' --warmup 0 --duration 200ms
}
