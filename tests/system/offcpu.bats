#!/usr/bin/env bats
# The capture of the time in which threads do not run.
bats_require_minimum_version 1.5.0
load common

need_perf() {
    command -v perf >/dev/null || skip "perf is not installed"
    perf version >/dev/null 2>&1 || skip "perf does not run on this kernel"
    is_root || [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 1 ] || skip "needs root"
}

short() { # command, extra arguments
    local command=$1
    shift
    "$BENCH" "$command" --cpu-limit 0 --warmup 100ms --duration 400ms --repeat 1 -q "$@"
}

# Starts a long run in the background and waits until its window has begun: $pid.
start_long() {
    "$BENCH" offcpu -r none --cpu-limit 0 --warmup 100ms --duration 4s --repeat 1 -q >out 2>&1 3>&- &
    pid=$!
    for i in $(seq 800); do
        grep -q enabled bench-results/*/repetitions/0002-none/offcpu-server/stderr 2>/dev/null && return
        sleep 0.02
    done
}

@test "what roles wait for is recorded, by stack and in all" {
    need_perf
    need_nginx
    run --separate-stderr short offcpu -r nginx --set relay.workers=2 --jobs 4 --hops 1 --set workload.mode=rr --format json
    echo "$stderr"
    [ "$status" -eq 0 ]
    echo "$output" >doc.json
    at=bench-results/latest/repetitions/0002-nginx
    # In microseconds; waiting and being pushed aside apart; then the thread.
    grep -qE '^\[blocked\];nginx;.*epoll_wait.* [0-9.]+$' $at/offcpu-relay_1.folded
    [ -z "$(grep -vE '^\[(blocked|preempted)\];[^;]+;' $at/offcpu-relay_1.folded)" ]
    # The same as the metrics, which are of this window and of all threads.
    [ "$(json doc.json '[m["state"] for m in (d["arms"][0]["metrics"]["offcpu_%s_%s" % (w, r)]
        for w in ("blocked", "preempted") for r in ("client", "relay_1", "server"))]')" = \
        "['ok', 'ok', 'ok', 'ok', 'ok', 'ok']" ]
    [ "$(json doc.json '0.9 < sum(float(l.rsplit(None, 1)[1]) for l in open("'$at'/offcpu-relay_1.folded")) / 1e6 / sum(
        d["arms"][0]["metrics"]["offcpu_%s_relay_1" % w]["value"] for w in ("blocked", "preempted")) < 1.1')" = True ]
    [ "$(json doc.json 'd["arms"][0]["metrics"]["offcpu_blocked_per_operation_relay_1"]["value"] > 0')" = True ]
    perf script -i $at/offcpu-relay_1.perf.data >/dev/null
    # Debian's nginx has no frame pointers: said beside the stacks and above the picture.
    said=$(json $at/offcpu-relay_1.json 'any("without frame pointers" in n for n in d["notes"])')
    [ "$(json $at/offcpu-relay_1.json 'd["frame_pointers"] is False')" = "$said" ]
    [ "$(grep -q 'without frame pointers' $at/offcpu-relay_1.svg && echo True || echo False)" = "$said" ]
    "$BENCH" flamegraph latest --role relay_1 --capture offcpu --format folded | grep -q '^\[blocked\];nginx;'
    # A switch is no sample.
    "$BENCH" report latest | grep -qE 'offcpu of relay_1: [0-9]+ context-switches'
    rm $at/offcpu-relay_1.folded # it can be had from the recording again
    "$BENCH" flamegraph latest --role relay_1 --capture offcpu --format folded | grep -q '^\[blocked\];nginx;'
}

@test "a perf that is killed in the window fails the repetition" {
    need_perf
    start_long
    perf=$(find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name cwd \
        -lname "$PWD/*/offcpu-server" 2>/dev/null | while read -r link; do
            p=$(dirname "$link")
            [ "$(cat "$p/comm")" = perf ] && basename "$p"
        done)
    kill -9 "$perf"
    code=0
    wait $pid || code=$?
    cat out
    [ "$code" -eq 1 ]
    grep -q "capture 'offcpu': offcpu-server: 'perf' was killed by signal 9" out
}

@test "kill -9 of the bench in the window leaves no perf" {
    need_perf
    start_long
    left=$(leftovers)
    echo "$left"
    [[ $left == *'perf record'* ]]
    kill -9 $pid
    wait $pid || true
    wait_until_clean
}

@test "where the kernel keeps its own events for root nothing is started" {
    is_root || skip "needs root, to become somebody else"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -ge 2 ] || skip "this kernel lets everybody"
    chmod 777 . .started
    run --separate-stderr setpriv --reuid 65534 --clear-groups "$(readlink -f "$BUILT")" offcpu -r none --cpu-limit 0 --repeat 1
    echo "$stderr"
    [ "$status" -eq 5 ]
    [[ $stderr == "bench: capture 'offcpu': event 'context-switches': not permitted: "*"hint: run as root or with CAP_PERFMON, or let every user: sysctl kernel.perf_event_paranoid=1" ]]
    [ ! -e bench-results ]
}
