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
