#!/usr/bin/env bats
# The workload and the relay `command`: programs named by the scenario alone.
bats_require_minimum_version 1.5.0
load common

# A server that answers each connection with "hello", and a client that waits for it.
write_programs() {
    cat >server.py <<'PY'
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    c = s.accept()[0]
    c.sendall(b"hello")
    c.close()
PY
    cat >client.py <<'PY'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
assert s.recv(9) == b"hello"
PY
}

# scenario LINE…: lines below `workload:`; the rest is the same for all.
scenario() {
    printf '%s\n' 'bench: 1' 'cpu_limit: 0' 'warmup: 200ms' "duration: ${duration:-1s}" 'repeat: 1' \
        'network: host' "jobs: ${jobs:-1}" "relays: ${relays:-[none]}" 'workload:' '  plugin: command' \
        "  server: python3 $PWD/server.py {listen_port}"
    printf '  %s\n' "$@"
}

@test "runs of the client are operations" {
    write_programs
    jobs=2 scenario "client: python3 $PWD/client.py {connect_port}" >s.yaml
    run --separate-stderr "$BENCH" run s.yaml --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["operations_per_second"]["value"] > 0')" = True ]
    [ "$(json d.json '0 < d["arms"][0]["metrics"]["latency_mean_seconds"]["value"] < 2')" = True ]
    [ "$(json d.json 'd["arms"][0]["metrics"]["cpus_client"]["value"] > 0')" = True ]
    # The run knows what it ran.
    [ "$(jq -r '.roles[] | select(.name == "client") | .binaries[0].path' \
        bench-results/latest/repetitions/*/repetition.json)" = "$(command -v python3)" ]
}

@test "so many iterations, and the window is over" {
    write_programs
    duration=20s scenario "client: python3 -c 'print(5); import time; time.sleep(0.05)'" 'iterations: 3' \
        'result: lines' >s.yaml
    SECONDS=0
    run --separate-stderr "$BENCH" run s.yaml --format json -o out
    [ "$status" -eq 0 ]
    [ "$SECONDS" -lt 15 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["result"]["value"] == 5')" = True ]
    # What the warm-up printed is not there.
    [ "$(cat out/repetitions/*/client/stdout)" = $'5\n5\n5' ]
}

@test "a line that the stop of the client cut is left out, and the run says so; a last line needs no newline" {
    cat >s.yaml <<'YAML'
bench: 1
workload:
  plugin: command
  server: sleep 1000
  server_ready: started
  client: sh -c 'for i in 1 2 3; do echo 1000; done; printf 12; exec sleep 100'
  result: lines
relays: [none]
hops: 0
jobs: 1
repeat: 1
cpu_limit: 0
warmup: 0
duration: 100ms
YAML
    run --separate-stderr "$BENCH" run s.yaml -q --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["result"]["value"] == 1000')" = True ]
    [[ $(json d.json 'd["warnings"]') == *"none: in 1 of 1 repetition: the client was stopped within its last line, which is left out: '12'"* ]]
    # Complete runs that print no newline stay apart.
    "$BENCH" run s.yaml -q --set 'workload.client=printf 7' --set workload.iterations=3 --format json >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["result"]["value"] == 7')" = True ]
    [ "$(json d.json 'any("left out" in w for w in d["warnings"])')" = False ]
}

@test "a client that runs until it is stopped has its last word" {
    write_programs
    scenario 'client_stop_signal: INT' 'result: regex' "result_pattern: 'final ([0-9]+)'" \
        'result_metric: operations_per_second' 'result_scale: 10' \
        'client: sh -c "trap \"echo final 42; exit 1\" INT; while :; do sleep 0.05; done"' >s.yaml
    run --separate-stderr "$BENCH" run s.yaml --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["operations_per_second"]["value"] == 420')" = True ]
}

@test "a run that fails fails the repetition, with its last words" {
    write_programs
    scenario 'client: sh -c "echo no such thing >&2; exit 7"' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 1 ]
    [[ $output == *"'sh' failed: a run of the client ended with exit status 7"* ]]
    [[ $output == *"no such thing"* ]]
}

@test "a window in which no run ended is no measurement" {
    write_programs
    scenario 'client: sleep 30' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 1 ]
    [[ $output == *"no run of the client ended in the window: it needs longer than 'duration'"* ]]

    scenario 'client: sleep 0.6' 'iterations: 10' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 1 ]
    [[ $output == *"of 10 runs of the client ended in time"* ]]
}

@test "mistakes are found before anything starts" {
    write_programs
    scenario 'client: nonsense {connect_port}' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 5 ]
    [[ $output == *"program 'nonsense' not found"* ]]
    scenario 'client: true {conect_port}' >s.yaml
    run "$BENCH" run s.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"option 'client': unknown placeholder '{conect_port}'"*"known here: {connect_host}, {connect_port}"* ]]
}

@test "a relay from its command line carries a stream" {
    cat >relay.py <<'PY'
import os, socket, sys, threading
conf = dict(line.split() for line in open(sys.argv[1]))
def pump(a, b):
    while True:
        data = a.recv(65536)
        if not data:
            break
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
s = socket.create_server((conf["host"], int(conf["port"])))
while True:
    a = s.accept()[0]
    b = socket.create_connection((conf["host"], int(conf["upstream"])))
    for x, y in ((a, b), (b, a)):
        threading.Thread(target=pump, args=(x, y), daemon=True).start()
PY
    cat >s.yaml <<YAML
bench: 1
cpu_limit: 0
warmup: 200ms
duration: 500ms
repeat: 1
hops: 2
relays:
  - name: mine
    plugin: command
    options:
      command: python3 $PWD/relay.py {config}
      config: |
        host {listen_host}
        port {listen_port}
        upstream {connect_port}
      stop_signal: KILL
YAML
    run --separate-stderr "$BENCH" run s.yaml --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["bits_per_second"]["value"] > 0')" = True ]
    [ "$(json d.json 'd["arms"][0]["metrics"]["cpus_relay_2"]["value"] > 0')" = True ]
}

@test "sshd and ssh, as shipped" {
    need_root
    [ -x /usr/sbin/sshd ] || skip "sshd is not installed"
    command -v ssh >/dev/null || skip "ssh is not installed"
    [[ $(getent shadow root | cut -d: -f2) != '!'* ]] || skip "root's account is locked"
    unshare --mount true 2>/dev/null || skip "no privilege for a mount namespace"
    run --separate-stderr "$BENCH" run "$SCENARIOS/sshd.yaml" --repeat 1 --duration 3s --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'd["arms"][0]["metrics"]["operations_per_second"]["value"] > 0')" = True ]
    # The kernel was asked on both sides.
    [ "$(json d.json 'all(d["arms"][0]["metrics"]["task_clock_" + r]["value"] > 0 for r in ("client", "server"))')" = True ]
}

@test "redis-server and redis-benchmark, as shipped" {
    need_root
    need_nginx
    command -v redis-server >/dev/null || skip "redis-server is not installed"
    command -v redis-benchmark >/dev/null || skip "redis-benchmark is not installed"
    run --separate-stderr "$BENCH" run "$SCENARIOS/redis.yaml" --repeat 1 --format json
    [ "$status" -eq 0 ]
    echo "$output" >d.json
    [ "$(json d.json 'all(a["metrics"]["operations_per_second"]["value"] > 100 for a in d["arms"])')" = True ]
    [ "$(json d.json 'd["arms"][1]["metrics"]["cpu_seconds_per_operation_relay"]["value"] > 0')" = True ]
}

@test "a rate that a command cannot honour is refused" {
    cat >s.yaml <<'YAML'
bench: 1
workload: {plugin: command, server: "sleep 60", server_ready: started, client: "true"}
relays: [none]
cpu_limit: 0
rate: 100
repeat: 1
YAML
    run "$BENCH" run s.yaml
    echo "$output"
    [ "$status" -eq 2 ]
    [[ $output == *"client of 'command'"*"rate: a command's client sends as it was written to"* ]]
}

@test "a relay that does not set SO_REUSEADDR starts, in the host's network too" {
    cat >relay.py <<'PY'
import socket, sys, threading
def pass_on(a, b):
    while data := a.recv(1 << 16):
        b.sendall(data)
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(128)
while True:
    c = s.accept()[0]
    u = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((c, u), (u, c)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
PY
    cat >s.yaml <<YAML
bench: 1
relays:
  - name: plain
    plugin: command
    options: {command: "python3 $PWD/relay.py {listen_port} {connect_port}"}
hops: 1
repeat: 2
warmup: 100ms
duration: 200ms
YAML
    networks=host
    ! is_root || networks="host isolated"
    for network in $networks; do
        run --separate-stderr "$BENCH" run s.yaml --network $network --format json
        echo "$stderr"
        [ "$status" -eq 0 ]
        [ "$(jq '.arms[0].valid' <<<"$output")" = 2 ]
    done
}
