#!/usr/bin/env bats
# What the machine lacks is known before anything is measured: a dry run shows all of it, and a run ends
# with it before there is a directory.
bats_require_minimum_version 1.5.0
load common

# Both say TEXT and exit with 5, and nothing is kept.
refused() { # TEXT OPTION…
    local text=$1
    shift
    [ ${#AS[@]} -gt 0 ] || AS=("$BENCH")
    for dry in --dry-run -q; do
        run --separate-stderr "${AS[@]}" "$@" $dry
        echo "$* $dry: $status: $stderr"
        [ "$status" -eq 5 ]
        [[ $stderr == *"bench: "*"$text"*"hint: "* ]]
        [ "$dry" = -q ] || [[ $output == *"repetition"* ]]
    done
    [ ! -e bench-results ]
}

ordinary_user() {
    need_root
    chmod 777 . .started
    USER=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    AS=("${USER[@]}" "$(readlink -f "$BUILT")")
    "${AS[@]}" --version || skip "an ordinary user cannot reach the program"
}

@test "a program, a CPU, descriptors, ports" {
    cat >s.yaml <<YAML
bench: 1
relays: [{name: gone, plugin: command, options: {command: "bench-gone {listen_port}"}}]
cpu_limit: 0
YAML
    refused "relay 'gone' (hop 1): program 'bench-gone' not found" run s.yaml
    refused "cpus: client: '1000': cannot run on" run -r none --cpu-limit 0 --set cpus.client=1000
    refused "congestion 'reno' needs a network of its own" run -r none --cpu-limit 0 --network host --congestion reno
    # One that cannot have the descriptors either says that first.
    run --separate-stderr "$BENCH" run -r none --cpu-limit 0 --jobs 90000 --dry-run
    [ "$status" -eq 5 ]
    [[ $stderr == *"jobs: 90000 connections need as many local ports: there are "*"hint: sysctl net.ipv4.ip_local_port_range"* ]]
    ulimit -n 200
    refused "jobs: 300 connections need 316 open files in one process: the limit is 200" run -r none --cpu-limit 0 \
        --jobs 300
    sed -i 's/bench-gone/true/' s.yaml
    refused "bench needs 376 open files to start 18 roles and count their events: the limit is 200" run s.yaml --hops 16
}

@test "an event that was named and is not there" {
    [ -e /sys/bus/event_source/devices/cpu ] && skip "this machine has a PMU"
    refused "capture 'stat': event 'cycles': this machine has no hardware performance counters" stat -r none \
        --cpu-limit 0 --events task-clock,cycles
    # Of the default ones those that are there are counted.
    "$BENCH" stat -r none --cpu-limit 0 --dry-run
}

@test "all of it at once, and what an ordinary user can do about it" {
    ordinary_user
    run --separate-stderr "${AS[@]}" run -r none,nginx --hops 1 --cpu-limit 1 --network isolated --dry-run
    echo "$stderr"
    [ "$status" -eq 5 ]
    [[ $stderr == *"network: cannot make a network namespace"*"hint: run as root, in a user namespace ('unshare -Ur bench …'), or with 'network: host'"* ]]
    [[ $stderr == *"cpu_limit: a CPU limit of '1' cannot be set: "*"hint: run as root"* ]]
    refused "network: cannot make a network namespace" run -r none --cpu-limit 0 --network isolated
    refused "cpu_limit: a CPU limit of '0.5' cannot be set" run -r nginx --hops 1 --cpu-limit 0.5 --network host
    # The remedy is one.
    "${USER[@]}" unshare -Ur true || skip "no user namespaces here"
    "${USER[@]}" unshare -Ur "$(readlink -f "$BUILT")" run -r none --cpu-limit 0 --network isolated --dry-run
}

@test "a tracepoint that an ordinary user may not count is an error" {
    ordinary_user
    "${USER[@]}" test -r /sys/kernel/tracing/events -a "$(cat /proc/sys/kernel/perf_event_paranoid)" -lt 0 &&
        skip "every user may count tracepoints here"
    refused "capture 'stat': event 'syscalls:sys_enter_read': " stat -r none --cpu-limit 0 --repeat 1 \
        --events syscalls:sys_enter_read
    [[ $stderr == *"hint: run as root"*"kernel.perf_event_paranoid=-1"* ]]
}
