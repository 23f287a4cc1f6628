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

@test "rate: auto finds a rate, and measures every arm at shares of it" {
    local tries
    # A busy machine can make the client late at every rate; it is not always busy.
    for tries in 1 2 3; do
        rm -rf bench-results
        run requests -r none --set jobs=2 --set workload.delay=5ms --set rate=auto --set repeat=1
        [ "$status" -ne 0 ] || break
    done
    if [ "$status" -eq 1 ] && [[ $output == *"INVALID: "*" planned requests were sent"* ]]; then
        skip "the machine was too busy for an open loop, three times"
    fi
    [ "$status" -eq 0 ]
    [[ $output == *"repetitions of their own: every arm keeps up with "*" requests/s"* ]]
    run "$BENCH" report latest --format json
    jq -e '[.repetitions[] | select(.purpose == "measure")] | length == 6' <<<"$output"
    jq -e '[.repetitions[] | select(.purpose == "search")] | length >= 3' <<<"$output"
    jq -e '[.arms[].valid] | add <= 6 and length == 6' <<<"$output"
    jq -e '.scenario.rate == "auto"' <<<"$output"
    # 20, 40, 60, 80, 90, 95% of what run.json says, to 3 digits.
    jq -e --slurpfile run bench-results/latest/run.json '
        $run[0].saturation.rate as $found |
        [$run[0].points[] | .settings.rate | tonumber? // (.[:-1] | tonumber * 1000)] as $rates |
        [$rates[-6:], [.2, .4, .6, .8, .9, .95]] | transpose |
        all((.[0] / $found / .[1]) | . > .99 and . < 1.01)' <<<"$output"
}

@test "rate: auto is refused beside a sweep, and without requests" {
    run requests --set rate=auto --set sweep.jobs=1,2
    [ "$status" -eq 2 ]
    [[ $output == *"rate: 'auto' cannot be combined with a sweep"* ]]
    run requests --set sweep.rate=100,auto
    [ "$status" -eq 2 ]
    [[ $output == *"rate: 'auto' cannot be combined with a sweep"* ]]
    run requests --set workload.mode=stream --set rate=auto
    [ "$status" -eq 2 ]
    [[ $output == *"mode 'stream' has no requests that 'rate' could pace"* ]]
    [ ! -e bench-results ]
}

@test "the plan of rate: auto says that it is a search" {
    run requests --set rate=auto --set repeat=6 --dry-run
    [ "$status" -eq 0 ]
    [[ $output == *"then 6 blocks × 1 arms × 6 rates, 20% to 95% of it"* ]]
}

@test "a relay that cannot keep up with a rate is called saturated" {
    need_nginx
    need_root
    run requests -r nginx --set hops=1 --set cpu_limit=0.02 --set duration=1s \
        --set workload.request_size=256K --set sweep.rate=5,2k
    run "$BENCH" report latest --format json
    jq -e '.arms[] | select(.point == "rate=2k") |
        .failed == 1 or (.saturated | startswith("answered"))' <<<"$output"
}
