#!/usr/bin/env bats
# What the numbers of a run mean: the report's last part, `bench explain`, and its JSON.

load common

@test "a run without a relay has nothing to say of one" {
    "$BENCH" run smoke --output r -q >report
    run "$BENCH" explain r
    [ "$status" -eq 0 ]
    [[ $output == "smoke · builtin, tcp"* ]]
    [[ $output != *"limited by"* ]]
    [[ $output == *"not looked at"*"with 'stat', default options: "* ]]
}

@test "a connection per request is found, at the end of the run and by explain" {
    need_root
    need_nginx
    "$BENCH" run -w builtin -r nginx --hops 1 --set workload.mode=crr --repeat 2 --warmup 200ms \
        --duration 500ms --cpu-limit 0 --output r -q >report
    grep -q '^findings$' report
    grep -q "bench explain $PWD/r\$" report
    "$BENCH" explain r >text
    grep -qE '^[0-9]+ +connection per request$' text
    grep -qE '^   evidence  nginx: .* times a connection was opened for each request ' text
    grep -qE "^   meaning   a connection is opened" text
    grep -qE "^   try       keep connections alive" text
    "$BENCH" explain r --format json >json
    [ "$(json json "[f['role'] for f in d['findings'] if f['rule'] == 'connection per request']")" = "[None]" ]
    [ "$(json json "[f['holds'] for f in d['findings'] if f['rule'] == 'connection per request']")" = "[2]" ]
    [ "$(json json "1.9 < [f for f in d['findings'] if f['rule'] == 'connection per request'][0]['value'] < 2.1")" = True ]
    "$BENCH" report r --format json >whole
    [ "$(json whole "[f['rule'] for f in d['findings']]")" = "$(json json "[f['rule'] for f in d['findings']]")" ]
}

# What other processes on the machine do to a run is left out.
@test "of a run without trouble nothing is said" {
    "$BENCH" run smoke --capture stat --output r -q >report
    "$BENCH" explain r --format json >json
    run json json "[f['rule'] for f in d['findings'] if f['rule'] not in ('others at work', 'steal', 'one busy worker', 'retransmits')]"
    [ "$output" = "[]" ]
}

@test "somebody else at work is found" {
    sh -c 'while :; do :; done' &
    spinner=$!
    "$BENCH" run smoke --output r -q >report
    kill "$spinner"
    wait "$spinner" || true
    "$BENCH" explain r --format json >json
    [ "$(json json "'others at work' in [f['rule'] for f in d['findings']]")" = True ]
}

@test "one connection keeps one of two workers busy" {
    need_root
    need_nginx
    "$BENCH" run -w builtin -r nginx --hops 1 --jobs 1 --set relay.workers=2 --repeat 1 --warmup 200ms \
        --duration 500ms --cpu-limit 0 --output r -q >report
    "$BENCH" report r --format json >json
    [ "$(json json "d['arms'][0]['metrics']['workers_relay_1']['value']")" = 2 ]
    [ "$(json json "d['arms'][0]['metrics']['busiest_worker_share_relay_1']['value'] > 0.9")" = True ]
}

# Two workers, a core thread and more, which all wait for one queue of events.
@test "the threads of skrouterd are no workers of which one is busy" {
    command -v skrouterd >/dev/null || skip "skrouterd is not on PATH"
    "$BENCH" run -w builtin -r skrouterd --hops 1 --jobs 2 --set relay.worker_threads=2 --repeat 1 \
        --warmup 200ms --duration 500ms --cpu-limit 0 --output r -q >report
    "$BENCH" explain r --format json >json
    [ "$(json json "[f['role'] for f in d['findings'] if f['rule'] == 'one busy worker']")" = "[]" ]
    "$BENCH" report r --format json >whole
    [ "$(json whole "d['arms'][0]['metrics']['busiest_worker_share_relay_1']['value'] in (None, 1)")" = True ]
}

@test "without a run it says where it looked" {
    run "$BENCH" explain
    [ "$status" -ne 0 ]
    [[ $output == *"latest"* ]]
    run "$BENCH" explain a b
    [ "$status" -eq 2 ]
    [[ $output == *"one run at a time, not 'a' and 'b'"* ]]
    run "$BENCH" explain --frobnicate
    [ "$status" -eq 2 ]
    [[ $output == *"unknown option '--frobnicate'"* ]]
}

@test "its help has an example that works" {
    run "$BENCH" help explain
    [ "$status" -eq 0 ]
    example=$(sed -n '/^example:/{n;p}' <<<"$output")
    [[ $example == *"bench explain"* ]]
    PATH=$BATS_TEST_TMPDIR/.started:$PATH run sh -c "$example"
    [ "$status" -eq 0 ]
    [[ $output == *"not looked at"* || $output == *"nothing found"* ]]
}
