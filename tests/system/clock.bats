#!/usr/bin/env bats
# The machine's clock is set while a repetition runs: what a tool measured by it is not believed.
load common

# with_clock CLIENT RESULT …: a short run of workload 'command' whose clock is set when 'clock-set'
# appears, as JSON in a.json.
with_clock() {
    LD_PRELOAD=$FAKES/preload_clock.so BENCH_TEST_CLOCK_SET=$PWD/clock-set "$BENCH" run -w command -r none \
        --hops 0 --jobs 1 --repeat 1 --warmup 0 --duration 100ms -q --format json -o "${3:-results}" \
        --set workload.server='sleep 100' --set workload.server_ready=started \
        --set workload.client="$1" --set workload.result="$2" >a.json
}

@test "a clock that is set in a repetition fails it when a tool measured, and is recorded when none did" {
    [ -e "$FAKES/preload_clock.so" ]
    LD_PRELOAD=$FAKES/preload_clock.so "$BENCH" --version || skip "this build takes no preloaded library"
    with_clock "sh -c 'echo 5'" lines quiet # a clock that nothing sets
    [ "$(json a.json 'd["arms"][0]["valid"]')" = 1 ]
    run with_clock "sh -c 'touch $PWD/clock-set; echo 5'" lines set
    [ "$status" -eq 1 ]
    [ "$(json a.json 'd["repetitions"][0]["error"]')" = "workload 'command': the machine's clock was set by +3600.000 s in the repetition: what a tool measured by it is wrong" ]
    grep -q '"hint": "stop what sets the clock while measuring' set/repetitions/*/repetition.json
    rm clock-set
    with_clock "sh -c 'touch $PWD/clock-set'" none counted
    [ "$(json a.json 'd["arms"][0]["valid"]')" = 1 ]
    [ "$(json counted/repetitions/0001-none/repetition.json 'round(d["clock_step_ns"], -6)')" = 3600000000000 ]
    [ "$(json quiet/repetitions/0001-none/repetition.json 'abs(d["clock_step_ns"]) < 1e6')" = True ]
}
