#!/usr/bin/env bats
# What goes wrong is said: context, the child's last words, a hint, the right exit code.
bats_require_minimum_version 1.5.0
load common

# A directory with an "nginx" of our own making.
fake_nginx() { mkdir -p bin && cat >bin/nginx && chmod +x bin/nginx; }
# Keeps what the registry looks for in the real binary, so that the configuration is the usual one.
arm() { cat >s.yaml <<YAML
bench: 1
relays: [{name: odd, plugin: nginx, path: $PWD/bin}]
hops: 1
warmup: 200ms
duration: 1s
cpu_limit: 0
repeat: ${1:-1}
YAML
}

@test "an invalid scenario names file, line and the nearest key, exit 2" {
    printf 'bench: 1\njob: 3\n' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"s.yaml:2:1: unknown key 'job'"*"jobs"* ]]
    run "$BENCH" run missing.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"missing.yaml"* ]]
    run "$BENCH" run --jobs 0
    [ "$status" -eq 2 ]
    [[ $output == *"--jobs"* ]]
}

# Runs it for at most 5 s; leaves the largest memory that it had, in KiB, as `peak`.
measured() { # command…
    python3 - "$@" <<'PY'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], timeout=5).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=open("peak", "w"))
sys.exit(status)
PY
}

@test "hostile input is refused quickly and in bounded memory" {
    head -c 100M /dev/zero | tr '\0' 'a' >big.yaml
    head -c 100000 /dev/urandom >garbage.yaml
    : >empty.yaml
    for f in big garbage empty; do
        run measured "$BENCH" run $f.yaml --dry-run
        echo "$output"
        [ "$status" -eq 2 ]
        [[ $output == *"$f.yaml"* ]]
        [ "$(cat peak)" -lt 60000 ]
    done
}

@test "a missing relay binary is exit 5 with a hint, before anything is measured" {
    mkdir bin
    arm 3
    run "$BENCH" run s.yaml
    [ "$status" -eq 5 ]
    [[ $output == *"relay 'odd' (hop 1)"*"'nginx' not found in"*"hint: "* ]]
    [ ! -e bench-results ] # 'latest' stays what it was
}

@test "what no repetition could do better ends the run, is stored and said once: exit 5" {
    printf '#!/no/interpreter\n' >relay
    chmod +x relay
    cat >s.yaml <<YAML
bench: 1
relays: [{name: odd, plugin: command, options: {command: "$PWD/relay {listen_port}"}}]
cpu_limit: 0
YAML
    run "$BENCH" run s.yaml --repeat 3
    echo "$output"
    [ "$status" -eq 5 ]
    [ "$(grep -c "cannot execute" <<<"$output")" -eq 1 ]
    [ "$(ls bench-results/latest/repetitions)" = 0001-odd ]
    run "$BENCH" report
    [ "$status" -eq 0 ]
}

@test "a pin to a CPU that is not there is exit 5, before anything is measured" {
    printf 'bench: 1\nrelays: [none]\ncpu_limit: 0\nrepeat: 1\ncpus: {server: "0,1000"}\n' >s.yaml
    run "$BENCH" run s.yaml
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"cpus: server: '0,1000': cannot run on all of the wanted CPUs"*"hint: 'cpus'"* ]]
    [ ! -e bench-results ]
    run "$BENCH" check s.yaml
    [ "$status" -eq 5 ]
    [[ $output == *"MISSING  scenario     cpus: server: '0,1000'"* ]]
}

@test "a configuration that the relay refuses: its last words are shown, exit 1" {
    fake_nginx <<'SH'
#!/bin/sh
echo "nginx: [emerg] unknown directive \"frobnicate\" in nginx.conf:3" >&2
exit 1
SH
    arm
    run "$BENCH" run s.yaml
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"relay 'odd' (hop 1): start"*"exit"*"1"* ]]
    [[ $output == *"unknown directive"* ]]
    [ "$(ls bench-results/latest/repetitions | wc -l)" -eq 1 ]
    run "$BENCH" report
    [ "$status" -eq 0 ]
    [[ $output == *"failed"* ]]
}

@test "a relay that dies in the window fails that repetition; nothing is left" {
    need_nginx
    fake_nginx <<'SH'
#!/bin/sh
echo "last words" >&2
/usr/sbin/nginx "$@" &
sleep 0.7
kill -9 $!
exit 9
SH
    arm 2
    run "$BENCH" run s.yaml
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *FAILED* ]]
}

@test "whoever dies in the window is named, with its hop" {
    need_nginx
    fake_nginx <<'SH'
#!/bin/sh
grep -q 'hop 2' nginx.conf || exec /usr/sbin/nginx "$@"
/usr/sbin/nginx "$@" &
sleep 0.7
exit 9
SH
    arm
    run "$BENCH" run s.yaml --hops 3
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"FAILED: relay 'odd' (hop 2): window: 'nginx' ended early with exit status 9"* ]]
}

@test "a relay that never listens is given up at start_timeout" {
    fake_nginx <<'SH'
#!/bin/sh
echo "still thinking" >&2
sleep 60
SH
    arm
    run "$BENCH" run s.yaml --start-timeout 300ms
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"not listening on port"*"300ms"* ]]
    [[ $output == *"still thinking"* ]]
}

@test "a relay that ignores TERM is killed after the grace" {
    need_nginx
    fake_nginx <<'SH'
#!/bin/sh
trap '' TERM
/usr/sbin/nginx "$@" &
while :; do sleep 1; done
SH
    arm
    run "$BENCH" run s.yaml --stop-timeout 200ms
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q '"forced": *true' bench-results/latest/repetitions/*/repetition.json
}

@test "a client that hangs is killed after the grace, and its silence is said" {
    BENCH_PLUGIN_PATH=$FAKES run "$BENCH" run -w stubborn -r none --cpu-limit 0 --warmup 50ms \
        --duration 200ms --stop-timeout 200ms --repeat 1 --format json
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"client of 'stubborn'"*"moved no data"* ]]
    grep -q '"forced": *true' bench-results/latest/repetitions/*/repetition.json
}

@test "a port that is taken: the relay's own words, exit 1" {
    need_nginx
    python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
print(s.getsockname()[1], flush=True); time.sleep(30)' >port 3>&- &
    holder=$!
    until [ -s port ]; do sleep 0.05; done
    fake_nginx <<SH
#!/bin/sh
sed -i "s/listen 127.0.0.1:[0-9]*/listen 127.0.0.1:$(cat port)/" nginx.conf
exec /usr/sbin/nginx "\$@"
SH
    arm
    run "$BENCH" run s.yaml --network host
    kill $holder
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"relay 'odd' (hop 1): start"*"Address already in use"* ]]
}

@test "a limit without the privilege is exit 5, never ignored; without one it runs" {
    need_root
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    # The test's own directory is not for everybody.
    local tree
    tree=$(mktemp -d) && chmod 777 "$tree"
    cp -r "$BUILT" "$(dirname "$BUILT")/plugins" "$tree" && chmod -R a+rX "$tree"
    cd "$tree"
    nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$tree/bench" "$@"; }
    run nobody run -r none,nginx --cpu-limit 1 --repeat 1
    echo "$output"
    code=$status hint=$output
    run nobody run -r none --cpu-limit 0 --repeat 1 --warmup 100ms --duration 300ms
    echo "$output"
    cd "$BATS_TEST_TMPDIR"
    rm -rf "$tree"
    [ "$code" -eq 5 ]
    [[ $hint == *hint:* ]]
    [ "$status" -eq 0 ]
}

@test "a full disk: said, earlier repetitions stay readable" {
    need_root
    mkdir small
    cat >inner <<SH
mount -t tmpfs -o size=${SMALL:-300k} none small || exit 77
"$BENCH" run -r none --cpu-limit 0 --warmup 100ms --duration 500ms --tick 10ms --repeat 30 -q -o small/run
code=\$?
"$BENCH" report small/run >table || exit 99
exit \$code
SH
    unshare -m true || skip "no mount namespaces here"
    run unshare -m sh inner
    echo "$output"
    [ "$status" -ne 77 ] || skip "cannot mount a tmpfs"
    [ "$status" -eq 1 ]
    [[ $output == *"No space left on device"* ]]
    grep -q none table
}

@test "an unreadable or broken plugin is named, the rest goes on" {
    mkdir plugins
    echo garbage >plugins/broken.so
    BENCH_PLUGIN_PATH=$PWD/plugins:$PWD/nowhere run "$BENCH" list relays
    [ "$status" -eq 0 ]
    [[ $output == *nginx* ]]
    [[ $output == *"plugins/broken.so"* ]]
    [[ $output == *"nowhere"* ]]
}

@test "plugin check takes a file of the working directory and names what it refuses" {
    cp "$(dirname "$BUILT")/plugins/relays/none.so" mine.so
    run "$BENCH" plugin check mine.so
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$output" = "mine.so: relay 'none', ABI 1.1: fine" ]
    echo garbage >broken.so
    run "$BENCH" plugin check broken.so mine.so
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"bench: 'broken.so': does not load: "*"mine.so: relay"* ]]
    run "$BENCH" plugin check /nonexistent.so
    [ "$status" -eq 1 ]
    [[ $output == *"bench: '/nonexistent.so': does not load: cannot open shared object file"* ]]
}

@test "a workload that cannot connect says so" {
    run "$BENCH" run -w nosuch
    [ "$status" -eq 2 ]
    [[ $output == *"nosuch"* ]]
    run "$BENCH" run -r ngins
    [ "$status" -eq 2 ]
    [[ $output == *"nginx"* ]]
}

@test "standard output that is full is a failure" {
    [ -w /dev/full ] || skip "no /dev/full"
    run bash -c '"$0" list relays >/dev/full' "$BENCH"
    [ "$status" -eq 1 ]
}

@test "a client that is still connecting when the window ends says so" {
    cat >full.yaml <<'END'
bench: 1
workload: builtin
jobs: 20
hops: 1
relays:
  - name: full
    plugin: command
    options: {command: "python3 -c 'import socket, time; s = socket.create_server((\"{listen_host}\", {listen_port}), backlog=1); time.sleep(60)'"}
END
    run "$BENCH" run full.yaml --cpu-limit 0 --warmup 100ms --duration 200ms --repeat 1 -q
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"client of 'builtin': moved no data in the window"*"hint: the client had begun on 0 of 20 connections after 0."*" s: with a longer 'warmup' it may get to all"* ]]
}
