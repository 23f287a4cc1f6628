#!/usr/bin/env bats
# Control groups: whose they are, and where.
load common

# What a bench in another time namespace sees of this one's start is another time.
@test "a bench in another time namespace leaves the groups of a living one alone" {
    need_root
    need_nginx
    unshare -T true 2>/dev/null || skip "no time namespaces here"
    "$BENCH" run -w builtin -r nginx --hops 1 --cpu-limit 0.5 --repeat 1 --warmup 100ms --duration 1s -q -o live \
        >live.log 2>&1 3>&- &
    live=$!
    for _ in $(seq 200); do
        [ -e live/repetitions/0001-nginx/client ] && break
        sleep 0.02
    done
    run unshare -T --boottime 100000 -f "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --repeat 1 --warmup 0 \
        --duration 100ms -q -o other
    wait "$live" || { cat live.log && false; }
    ! grep FAILED live.log
}

# own_group: a group of the `cpu` hierarchy below the one of this shell, and its directory.
own_group() {
    local own mount
    for mount in cpu cpu,cpuacct cpuacct,cpu; do
        own=$(sed -n "s/^[0-9]*:$mount://p" /proc/self/cgroup)
        [ -n "$own" ] && [ -d "/sys/fs/cgroup/$mount$own" ] || continue
        echo "/sys/fs/cgroup/$mount${own%/}/test-$$"
        return
    done
    own=$(sed -n 's/^0:://p' /proc/self/cgroup)
    echo "/sys/fs/cgroup${own%/}/test-$$"
}

# Sets $group. Where the shell's group may not have one beside its processes, there is no test.
make_group() {
    group=$(own_group)
    mkdir "$group" || skip "no control group can be made here"
    [ -e "$group/cpu.cfs_quota_us" ] || [ -e "$group/cpu.max" ] || {
        rmdir "$group"
        skip "no cpu controller beside the processes of this shell"
    }
}

quota() { # per 100 ms, in microseconds
    if [ -e "$group/cpu.max" ]; then
        echo "$1 100000" >"$group/cpu.max"
    else
        echo "$1" >"$group/cpu.cfs_quota_us"
    fi
}

# inside COMMAND…: in that group.
inside() {
    bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" "$@"
}

teardown() {
    [ -z "${group:-}" ] || [ ! -d "$group" ] || rmdir "$group"
    local left
    left=$(leftovers)
    [ -z "$left" ] || { echo "left behind:" "$left" && false; }
}

@test "groups are made below the one in which bench was started" {
    need_root
    make_group
    need_nginx
    inside "$BENCH" run -w builtin -r nginx --hops 1 --cpu-limit 0.5 --repeat 1 --warmup 0 --duration 600ms -q -o inside \
        >log 2>&1 3>&- &
    for _ in $(seq 200); do
        [ -n "$(find "$group" -mindepth 2 -name '*-relay_1')" ] && break
        sleep 0.02
    done
    run find "$group" -mindepth 2 -name 'r1-relay_1'
    wait || { cat log && false; }
    [[ $output == "$group/bench-"*"/r1-relay_1" ]]
    # Removed, too.
    rmdir "$group"
}

@test "a CPU quota around bench is said, named as the limit, and unfit for a comparison" {
    need_root
    make_group
    need_nginx
    quota 20000
    run inside "$BENCH" check
    [[ $output == *"bench and all its roles together may use 0.2 CPUs: a control group around bench has that CPU quota (raise "* ]]
    cat >two.yaml <<'END'
bench: 1
workload: builtin
relays: [nginx, {name: again, plugin: nginx}]
hops: 1
cpu_limit: 0
warmup: 100ms
duration: 500ms
repeat: 2
interleave: no
reject: nothing
END
    run inside "$BENCH" compare two.yaml -q
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"ENVIRONMENT UNFIT"* ]]
    [[ $output == *"rejected (1: the CPU quota around bench throttled it in "*"% of the periods > 10%"* ]]
    [[ $output == *"the quota around bench"* ]]
    [[ $output == *"! bench and all its roles together may use 0.2 CPUs: "* ]]
    run "$BENCH" report latest --format json
    jq -e '.environment.cpu_quota.cpus == 0.2' <<<"$output"
    jq -e '.arms[0].limited_by == "quota"' <<<"$output"
}

@test "a CPU limit above the quota around bench names that" {
    need_root
    make_group
    [ -e "$group/cpu.cfs_quota_us" ] || skip "only version 1 refuses it"
    need_nginx
    quota 20000
    run inside "$BENCH" run -w builtin -r nginx --hops 1 --cpu-limit 0.5 --repeat 1 --warmup 0 --duration 100ms -q
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"a CPU limit of '0.5' cannot be set: the control group '/test-$$' around bench has a CPU quota of 0.2 CPUs"* ]]
}

@test "an inherited priority is said, and a limit under a real-time policy refused" {
    run nice -n 5 "$BENCH" check
    [[ $output == *"nice "*" is inherited by every role: all other processes come before them"* ]]
    run chrt -i 0 "$BENCH" check
    [[ $output == *"scheduling policy SCHED_IDLE is inherited by every role"* ]]
    chrt -f 1 true 2>/dev/null || skip "no permission for a real-time policy"
    run chrt -f 1 "$BENCH" run -w builtin -r nginx --cpu-limit 0.5 --repeat 1 --warmup 0 --duration 100ms -q
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"a CPU limit of '0.5' cannot be set: bench runs under a real-time scheduling policy"* ]]
}
