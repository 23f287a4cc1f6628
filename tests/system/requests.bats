#!/usr/bin/env bats
# Requests and responses from the command line: which loop a latency comes from is always said.
load common

requests() { # option…
    "$BENCH" run -w builtin -r none --set hops=0 --set cpu_limit=0 --set repeat=1 \
        --set warmup=100ms --set duration=300ms --set workload.mode=rr --set jobs=3 "$@"
}

@test "a closed loop is labelled as one" {
    run requests --details
    [ "$status" -eq 0 ]
    [[ $output == *"closed loop, 3 connections: requests that a stall holds back are not timed"* ]]
    [[ $output == *latency_p50_seconds* ]]
    [[ $output != *"open loop"* ]]
}

@test "an open loop names rate and arrivals; a client that was late gives no numbers" {
    run requests --set rate=200 --set arrivals=constant
    if [ "$status" -eq 0 ]; then
        [[ $output == *"open loop, 200 requests/s, constant arrivals"* ]]
    else
        [[ $output == *"INVALID: "*" planned requests were sent ("* ]]
    fi
}

@test "a plan names the open loop" {
    run requests --set rate=5k --dry-run
    [ "$status" -eq 0 ]
    [[ $output == *"open loop, 5000 requests/s, poisson arrivals"* ]]
}

@test "a rate without requests to pace is refused before anything starts" {
    run requests --set workload.mode=stream --set rate=1
    [ "$status" -eq 2 ]
    [[ $output == *"mode 'stream' has no requests that 'rate' could pace"* ]]
    [[ $output == *"hint: leave out 'rate' or choose mode 'rr' or 'crr'"* ]]
    [ ! -e bench-results ]
}

@test "every server model serves a connection per request, verified, through nginx" {
    need_nginx
    for model in thread epoll process; do
        run requests -r nginx --set hops=1 --set workload.mode=crr --set workload.server=$model \
            --set workload.verify=true
        [ "$status" -eq 0 ]
    done
}
