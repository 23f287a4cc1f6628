#!/usr/bin/env bats
# However the bench ends, nothing is left: processes, control groups, namespaces, ports.
bats_require_minimum_version 1.5.0
load ../system/common

long_run() { # extra arguments
    "$BENCH" run -r none,nginx --hops 2 --warmup 50ms --duration 150ms --repeat 100 "$@" -q >out 2>&1 3>&- &
    pid=$!
}

limit() { is_root && echo 1 || echo 0; }

@test "kill -9 of the bench at 20 random moments" {
    need_nginx
    for i in $(seq 20); do
        rm -rf bench-results
        long_run --cpu-limit "$(limit)"
        sleep "$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", r / 32768 * 0.6 }')"
        kill -9 $pid
        wait $pid || true
        wait_until_clean
        # Every finished repetition can be read.
        if [ -e bench-results/latest/run.json ]; then
            "$BENCH" report >table
        fi
    done
}

@test "Ctrl-C keeps finished repetitions and says so" {
    need_nginx
    set -m # a background job of a non-interactive shell would ignore SIGINT
    long_run --cpu-limit "$(limit)"
    set +m
    for i in $(seq 200); do
        ls bench-results/*/repetitions/0002*/repetition.json >/dev/null 2>&1 && break
        sleep 0.05
    done
    kill -INT $pid
    code=0
    wait $pid || code=$?
    cat out
    [ "$code" -eq 130 ]
    grep -q "stopped early; finished repetitions are kept in" out
    wait_until_clean
    "$BENCH" report --format json >a.json
    [ "$(json a.json 'len(d["repetitions"]) >= 2')" = True ]
    [ "$(json a.json 'len(d["repetitions"]) < 100')" = True ]
    # No half-finished repetition is left in the directory.
    for d in bench-results/latest/repetitions/*/; do [ -e "$d/repetition.json" ]; done
}

@test "SIGTERM is as orderly as Ctrl-C" {
    need_nginx
    long_run --cpu-limit "$(limit)"
    sleep 0.5
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    cat out
    [ "$code" -eq 143 ]
    wait_until_clean
}

@test "a reader that goes away does not leave a run behind" {
    "$BENCH" run -r none --cpu-limit 0 --warmup 100ms --duration 300ms --repeat 2 2>&1 | head -n 1 >/dev/null
    wait_until_clean
}

@test "a stale group of a dead bench is swept at the next start" {
    need_root
    need_nginx
    long_run --cpu-limit 1
    sleep 0.7
    # The guardian dies too: only then does something stay behind.
    guardian=
    worker=$(worker_of $pid)
    for child in $(cat /proc/$worker/task/$worker/children); do
        grep -q bench-guardian /proc/$child/comm && guardian=$child
    done
    [ -n "$guardian" ]
    kill -9 "$guardian" $pid
    wait $pid || true
    "$BENCH" run -r none --cpu-limit 0 --warmup 50ms --duration 100ms --repeat 1 -q >/dev/null
    wait_until_clean
}

@test "containment is whole also for a parent that ignores its children" {
    need_root
    run env --ignore-signal=CHLD "$BENCH" check none-vs-nginx
    echo "$output"
    [[ $output == *"OK       containment  PID namespaces"* ]]
}

@test "a hang-up ends a run, but not under nohup" {
    env --default-signal=HUP "$BENCH" run -r none --cpu-limit 0 --warmup 100ms --duration 1s --repeat 1 >out 2>&1 &
    local pid=$!
    sleep 0.6
    kill -HUP $pid
    wait $pid || [ $? -eq 129 ]
    nohup "$BENCH" run -r none --cpu-limit 0 --warmup 100ms --duration 1s --repeat 1 >out 2>&1 &
    pid=$!
    sleep 0.6
    kill -HUP $pid
    wait $pid
    [ "$("$BENCH" list runs | tail -n +2 | awk '{print $2}' | sort | xargs)" = "complete interrupted" ]
}
