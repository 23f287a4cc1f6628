#!/usr/bin/env bats
# Processes of roles that do what they should not: print without end, go into the background, listen
# elsewhere, carry nothing.
bats_require_minimum_version 1.5.0
load common

# relay NAME COMMAND: a scenario with one relay of that command; further lines come from standard input.
relay() {
    printf '%s\n' 'bench: 1' 'workload: builtin' 'jobs: 1' 'hops: 1' 'repeat: 1' 'cpu_limit: 0' 'warmup: 0' \
        "duration: ${duration:-100ms}" 'relays:' "  - name: $1" '    plugin: command' "    options: {command: \"$2\"}"
}

@test "a relay that prints without end: the first and the last MiB are kept, and the run says so" {
    relay noisy "sh -c '(exec yes all the time >&2 &); exec $FAKES/slow_start {listen_port} {connect_port} 0'" >s.yaml
    run --separate-stderr "$BENCH" run s.yaml -q --format json -o out
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [[ $(json d.json 'd["warnings"]') == *"noisy: in 1 of 1 repetition: relay 'noisy' (hop 1): wrote "*" MiB to stderr, of which '"*"/relay_1/stderr' has the first and the last MiB"* ]]
    at=out/repetitions/0001-noisy/relay_1/stderr
    [ "$(stat -c %s $at)" -lt 2200000 ]
    grep -q '^\[bench: [0-9]* bytes are left out here\]$' $at
}

@test "a disk that fills up: the message names the largest file" {
    need_root
    mkdir small
    relay noisy "sh -c '(exec yes all the time >&2 &); exec $FAKES/slow_start {listen_port} {connect_port} 0'" >s.yaml
    run unshare -m sh -c 'mount -t tmpfs -o size=1m none small || exit 77
        exec "$0" run s.yaml -q -o small/out' "$BENCH"
    [ "$status" -ne 77 ] || skip "cannot mount a tmpfs"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *": No space left on device"* ]]
    [[ $output == *"hint: the disk is full; the largest file of this repetition is '"*"/small/out/repetitions/0001-noisy/relay_1/stderr' (1.0 MiB)"* ]]
}

@test "control groups that are mounted read-only: said, with the remedy" {
    need_root
    run unshare -m sh -c 'for m in $(awk "\$3 ~ /^cgroup/ { print \$2 }" /proc/mounts); do
            mount -o bind,remount,ro "$m" || exit 77; done
        exec "$0" run -w builtin -r none,nginx --cpu-limit 0.5 --repeat 1 --warmup 0 --duration 50ms -q' "$BENCH"
    [ "$status" -ne 77 ] || skip "cannot mount control groups again"
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"a CPU limit of '0.5' cannot be set: control groups in '/sys/fs/cgroup"*"' are mounted read-only"* ]]
    [[ $output == *"hint: 'mount -o remount,rw' as root"* ]]
}

@test "a bench that is stopped and goes on: the repetition fails, the next does not" {
    "$BENCH" run -w builtin -r none --cpu-limit 0 --repeat 2 --warmup 0 --duration 300ms -q --format json -o out >d.json &
    for i in $(seq 500); do
        [ -d out/repetitions/0001-none/client ] && break
        sleep 0.01
    done
    worker=$(worker_of $!)
    kill -STOP "$worker"
    sleep 0.05
    kill -CONT "$worker"
    wait $! && false
    [ "$(json d.json 'd["arms"][0]["valid"], d["arms"][0]["failed"]')" = "(1, 1)" ]
    [[ $(json d.json 'd["repetitions"][0]["error"]') == *"bench itself was stopped (Ctrl-Z, SIGSTOP) and went on, while its roles ran without being watched" ]]
}

@test "a relay that goes into the background, and one that listens elsewhere: said, with what to do" {
    relay background "sh -c 'sleep 30 & exit 0'" >s.yaml
    run "$BENCH" run s.yaml -q
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"relay 'background' (hop 1): start: 'sh' ended early with exit status 0 and left 1 process in the background"* ]]
    [[ $output == *"hint: keep it in the foreground"* ]]
    relay elsewhere "$FAKES/slow_start 0 {connect_port} 0" >s.yaml
    run "$BENCH" run s.yaml -q --start-timeout 200ms
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output =~ "(hop 1): start: not listening on port "[0-9]+" after 200ms, but on "[0-9.]+:[0-9]+ ]]
    [[ $output == *"hint: its command line or configuration has to take the port that it is given"* ]]
}

@test "when nothing moved, the relay's last words are quoted, repeated lines once" {
    relay mute "sh -c 'for i in 1 2 3 4 5; do echo worker \$i cannot start >&2; done; exec $FAKES/listen_then_die {listen_port} 60000'" >s.yaml
    run "$BENCH" run s.yaml -q
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"moved no data in the window"*"relay 'mute' (hop 1) printed last:"*"worker 1 cannot start"*"[and 4 more lines like this]"* ]]
}

@test "a client that never connects: the run says that nothing passed through the relay" {
    cat >s.yaml <<YAML
bench: 1
workload:
  plugin: command
  server: $FAKES/listen_then_die {listen_port} 60000
  client: sleep 0.01
relays: [{name: idle, plugin: command, options: {command: "$FAKES/slow_start {listen_port} {connect_port} 0"}}]
hops: 1
jobs: 1
repeat: 1
cpu_limit: 0
warmup: 0
duration: 100ms
YAML
    "$BENCH" run s.yaml -q --format json >d.json
    [[ $(json d.json 'd["warnings"]') == *"idle: in 1 of 1 repetition: the client made no connection to relay 'idle' (hop 1): nothing passed through it"* ]]
    "$BENCH" run s.yaml -q --format json --set "workload.client=bash -c ': </dev/tcp/{connect_host}/{connect_port}'" >d.json
    [ "$(json d.json 'any("no connection" in w for w in d["warnings"])')" = False ]
}
