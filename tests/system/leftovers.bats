#!/usr/bin/env bats
# What sees what a test leaves behind, tried with everything that can stay. Each test removes what it
# left, so that its own teardown passes.
bats_require_minimum_version 1.5.0
load common

# A process in the background that outlives the shell that started it; its pid is in $stray.
stray() { # command…
    setsid --fork sh -c 'echo $$ >stray.new && mv stray.new stray && exec "$@"' sh "$@" 3>&- >/dev/null 2>&1 </dev/null
    until [ -e stray ]; do sleep 0.01; done
    stray=$(<stray)
    rm stray
    # exec follows at once.
    until [ "$(readlink "/proc/$stray/exe")" != "$(readlink -f /bin/sh)" ]; do sleep 0.01; done
}

# The process is in the list, and in the end of a test; afterwards nothing is.
is_seen() { # pid, pattern
    run watch_end
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == "left behind:"*"process $1 "$2* ]]
    kill -9 "$1"
    wait_until_clean
}

@test "nothing is left by a test that leaves nothing, whatever it runs meanwhile" {
    run watch_end
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    # In a pipe the others are ends of the test's own, and still there.
    sleep 1000 3>&- &
    local sleeper=$!
    [[ $(leftovers) == "process $sleeper (sleep) sleep 1000 " ]]
    kill $sleeper
    wait $sleeper || true
    [ -z "$(leftovers)" ]
}

@test "processes called sleep, bash, find, timeout and as bench is are seen" {
    stray sleep 1000
    is_seen "$stray" '(sleep) sleep 1000'
    mkfifo fifo
    stray bash -c 'read -r x <>fifo; :'
    is_seen "$stray" '(bash) bash -c read'
    stray timeout 1000 sleep 1000
    run watch_end
    [ "$(grep -c '^process' <<<"$output")" -eq 2 ]
    kill "$stray"
    wait_until_clean
    cp "$(command -v sleep)" comm-bats-find
    stray ./comm-bats-find 1000
    is_seen "$stray" '(comm-bats-find)'
}

@test "a shell that was forked and never became a program is seen" {
    (while :; do read -r -t 1000 x <>/dev/ptmx || :; done) 3>&- &
    is_seen $! '(bash)'
}

@test "a process elsewhere is seen by its environment" {
    stray sh -c 'cd / && exec sleep 1000'
    until [ "$(readlink "/proc/$stray/cwd")" = / ]; do sleep 0.01; done
    is_seen "$stray" '(sleep)'
}

@test "a process without an environment is seen by what it holds" {
    stray env -i sleep 1000
    is_seen "$stray" '(sleep)'
    stray sh -c 'exec 9>kept; cd /; exec env -i sleep 1000'
    until [ "$(readlink "/proc/$stray/exe")" = "$(readlink -f "$(command -v sleep)")" ]; do sleep 0.01; done
    is_seen "$stray" '(sleep)'
    cp "$(command -v sleep)" program
    stray env -i -C / "$PWD/program" 1000
    is_seen "$stray" '(program)'
}

@test "the port of a process is named" {
    command -v ss >/dev/null || skip "ss is not installed"
    stray python3 -c 'import socket, time, os
s = socket.create_server(("127.0.0.1", 0))
open("port.new", "w").write(str(s.getsockname()[1]))
os.rename("port.new", "port")
time.sleep(1000)'
    until [ -e port ]; do sleep 0.01; done
    is_seen "$stray" "(python3)*listens on 127.0.0.1:$(<port)"
}

@test "a zombie holds nothing, and what ignores its end is still seen" {
    stray python3 -c 'import os, time
pid = os.fork()
if pid == 0: os._exit(0)
open("child.new", "w").write(str(pid))
os.rename("child.new", "child")
time.sleep(1000)'
    until [ -e child ]; do sleep 0.01; done
    until grep -q '^State:.*Z' "/proc/$(<child)/status"; do sleep 0.01; done
    run leftovers
    [ "${#lines[@]}" -eq 1 ]
    is_seen "$stray" '(python3)'
}

@test "a process below a bench is seen, and a bench that runs" {
    "$BENCH" run -r none --hops 0 --cpu-limit 0 --warmup 0 --duration 30s --repeat 1 -q >out 2>&1 3>&- &
    local bench=$!
    for _ in $(seq 500); do
        [ -n "$(find bench-results -path '*client/stdout' 2>/dev/null)" ] && break
        sleep 0.02
    done
    run leftovers
    echo "$output"
    [ "${#lines[@]}" -gt 3 ] # bench, its guardian, an init, a role
    kill -TERM $bench
    wait $bench || true
    wait_until_clean
}

@test "mounts, groups and network namespaces are seen" {
    need_root
    mkdir place
    mount -t tmpfs none place 2>/dev/null || skip "no privilege to mount"
    run watch_end
    umount place
    [ "$status" -eq 1 ]
    [ "$output" = "left behind:
mount $PWD/place" ]

    # As a bench leaves it that is killed together with its guardian.
    local group gone=4194303
    group=$(find /sys/fs/cgroup -maxdepth 1 -type d -writable | tail -n 1)/bench-$(stat -Lc %i /proc/self/ns/pid)-$gone-0
    if mkdir "$group"; then
        : >.started/$gone
        run watch_end
        rmdir "$group"
        [ "$status" -eq 1 ]
        [ "$output" = "left behind:
group $group" ]
    fi

    command -v ip >/dev/null || skip "ip is not installed"
    ip netns add "bench-test-$$" || skip "no privilege for a network namespace"
    run watch_end
    ip netns del "bench-test-$$"
    [ "$status" -eq 1 ]
    [ "$output" = "left behind:
network /run/netns/bench-test-$$" ]
    [ -z "$(leftovers)" ]
}
