#!/usr/bin/env bats
# The capture that counts system calls.
bats_require_minimum_version 1.5.0
load common

short() { # command, extra arguments
    local command=$1
    shift
    "$BENCH" "$command" --cpu-limit 0 --warmup 100ms --duration 400ms --repeat 1 -q "$@"
}

need_bpf() {
    need_root
    short syscalls -r none >/dev/null 2>why || { grep -q BPF why && skip "$(head -n 1 why)"; }
    rm -rf bench-results
}

@test "every system call of every role is counted, in repetitions of its own" {
    need_bpf
    need_nginx
    run --separate-stderr short syscalls -r none,nginx --hops 1 --set workload.mode=rr --format json
    echo "$stderr"
    [ "$status" -eq 0 ]
    echo "$output" >doc.json
    json doc.json '{k: v["value"] for k, v in d["arms"][1]["metrics"].items()}'
    # A request of the built-in workload takes one call to send and one to receive, at both ends.
    [ "$(json doc.json '[round(d["arms"][0]["metrics"]["syscall_%s_per_operation_%s" % (c, r)]["value"])
        for c in ("sendto", "recvfrom") for r in ("client", "server")]')" = "[1, 1, 1, 1]" ]
    # nginx reads and writes twice for each, in a worker that it forked.
    [ "$(json doc.json '[round(d["arms"][1]["metrics"]["syscall_%s_per_operation_relay_1" % c]["value"])
        for c in ("recvfrom", "writev")]')" = "[2, 2]" ]
    # It is said that these are from slower repetitions, and no name stands for another.
    [ "$(json doc.json 'd["arms"][1]["metrics"]["syscalls_relay_1"]["reason"]')" = "counted in repetitions of its own, which it slows" ]
    [ "$(json doc.json 'd["arms"][1]["metrics"]["syscalls_relay_1"]["value"] == sum(v["value"]
        for k, v in d["arms"][1]["metrics"].items() if k.startswith("syscall_") and k.endswith("relay_1")
        and "_per_" not in k)')" = True ]
    run --separate-stderr "$BENCH" report latest
    [[ $output == *"system call"*"nginx  all "*"recvfrom"* ]]
}

@test "a call that no role makes does not count, however often others make it" {
    need_bpf
    (while :; do kill -0 $$; done) 3>&- &
    noise=$!
    run --separate-stderr short syscalls -r none --format json
    kill $noise
    echo "$output" >doc.json
    [ "$status" -eq 0 ]
    [ "$(json doc.json '[k for k in d["arms"][0]["metrics"] if "kill" in k]')" = "[]" ]
}

@test "without the privilege nothing is started" {
    is_root || skip "needs root, to become somebody else"
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    chmod 777 . .started
    run --separate-stderr setpriv --reuid 65534 --clear-groups "$(readlink -f "$BUILT")" syscalls -r none --cpu-limit 0 --repeat 1
    echo "$stderr"
    [ "$status" -eq 5 ]
    [ "$stderr" = "bench: capture 'syscalls': counting system calls takes CAP_BPF and CAP_PERFMON, which this user lacks
hint: run as root, or with both; 'stat' with 'events: raw_syscalls:sys_enter' counts them without names where perf_event_paranoid allows it" ]
    [ ! -e bench-results ]
}

@test "kill -9 of the bench leaves no program in the kernel" {
    need_bpf
    "$BENCH" syscalls -r none --cpu-limit 0 --warmup 100ms --duration 5s --repeat 1 -q >out 2>&1 3>&- &
    pid=$!
    # Not the one that is only tried before the run: that of the repetition, which is the second.
    for i in $(seq 1500); do
        [ -e bench-results/latest/repetitions/0002-none ] &&
            [ -n "$(find /proc/$(worker_of $pid)/fd -lname '*bpf-prog*' 2>/dev/null)" ] && break
        sleep 0.02
    done
    worker=$(worker_of $pid)
    find /proc/$worker/fd -lname '*bpf-prog*' | grep -q .
    # It is the bench's alone: with the bench it goes.
    for child in $(pgrep -P $worker); do
        [ -z "$(find /proc/$child/fd -lname '*bpf-prog*' 2>/dev/null)" ]
    done
    kill -9 $pid
    wait $pid || true
    wait_until_clean
}
