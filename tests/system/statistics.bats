#!/usr/bin/env bats
# What relays count themselves.
bats_require_minimum_version 1.5.0
load common

short() { # extra arguments
    "$BENCH" run --cpu-limit 0 --warmup 100ms --duration 400ms --repeat 1 -q "$@"
}

@test "nginx says what it accepted, and nothing of the question is left" {
    need_nginx
    nginx=$(command -v nginx || echo /usr/sbin/nginx)
    grep -qa -- --with-http_stub_status_module "$nginx" || skip "nginx has no stub_status"
    run --separate-stderr short -r none,nginx --hops 2 --set workload.mode=crr --set relay.status=true --format json
    echo "$stderr"
    [ "$status" -eq 0 ]
    echo "$output" >doc.json
    json doc.json '{k: v["value"] for k, v in d["arms"][1]["metrics"].items() if k.startswith("statistic")}'
    # A connection per request, at both hops; the window of nginx's counts is a little longer.
    [ "$(json doc.json '[0.5 < d["arms"][1]["metrics"]["statistic_accepts_relay_%d" % h]["value"] /
        (0.4 * d["arms"][1]["metrics"]["operations_per_second"]["value"]) < 4 for h in (1, 2)]')" = "[True, True]" ]
    [ "$(json doc.json '[k for k in d["arms"][0]["metrics"] if k.startswith("statistic")]')" = "[]" ]
    at=$(ls -d bench-results/latest/repetitions/*-nginx)
    grep -q '^Active connections: ' $at/relay_1/statistics-begin.txt
    grep -q '^Active connections: ' $at/relay_2/statistics-end.txt
    [ -z "$(ls -d $at/status-* 2>/dev/null)" ]
    # Seen when details are asked for, and only then.
    "$BENCH" report latest --details | grep -q '^statistic_accepts_relay_1 '
    ! "$BENCH" report latest | grep -q 'statistic_\|accepts'
}

@test "a chain of skrouterd is asked by its own skstat, each hop around the window" {
    command -v skrouterd >/dev/null || skip "skrouterd is not on PATH"
    skstat --version >/dev/null 2>&1 || skip "skstat does not run here"
    run --separate-stderr short -r skrouterd --hops 2 --jobs 2 --set workload.mode=crr --set relay.management=true --format json
    echo "$stderr"
    [ "$status" -eq 0 ]
    echo "$output" >doc.json
    json doc.json '{k: v["value"] for k, v in d["arms"][0]["metrics"].items() if k.startswith("statistic")}'
    [ "$(json doc.json '[d["arms"][0]["metrics"]["statistic_seconds_relay_%d" % h]["value"] > 0.4 for h in (1, 2)]')" = "[True, True]" ]
    # A connection per request, which is at least one delivery each way.
    [ "$(json doc.json '[d["arms"][0]["metrics"]["statistic_%s_relay_%d" % (n, h)]["value"] >
        0.4 * d["arms"][0]["metrics"]["operations_per_second"]["value"] for n in ("ingress", "egress") for h in (1, 2)]')" = \
        "[True, True, True, True]" ]
}

@test "a reader that fails, fails the repetition with its words" {
    mkdir router
    printf '#!/bin/sh\necho "ConnectionException: refused" >&2\nexit 1\n' >router/skstat
    # A router by name only: it passes bytes on, at the ports of its configuration.
    cat >router/skrouterd <<'END'
#!/usr/bin/env python3
import re, socket, threading
conf = open("skrouterd.conf").read()
port = lambda kind: int(re.search(kind + r" \{\n    host: \S+\n    port: (\d+)", conf).group(1))
def listen(p):
    s = socket.create_server(("127.0.0.1", p), backlog=64)
    return s
def pipe(a, b):
    while (d := a.recv(65536)):
        b.sendall(d)
    b.shutdown(socket.SHUT_WR)
keep = listen(port("\nlistener"))
server = listen(port("tcpListener"))
while True:
    c, _ = server.accept()
    u = socket.create_connection(("127.0.0.1", port("tcpConnector")))
    for x, y in ((c, u), (u, c)):
        threading.Thread(target=pipe, args=(x, y), daemon=True).start()
END
    chmod +x router/*
    cat >s.yaml <<'END'
bench: 1
hops: 1
relays: [{name: router, plugin: skrouterd, path: router, options: {management: true}}]
END
    run --separate-stderr short s.yaml
    echo "$stderr"
    [ "$status" -eq 1 ]
    [[ $stderr == *"relay 'router' (hop 1): statistics: 'skstat' ended early with exit status 1"* ]]
    [[ $stderr == *"ConnectionException: refused"* ]]
    # And one that answers is heard.
    printf '#!/bin/sh\nn=$(cat ../n 2>/dev/null || echo 1); echo $((n * 5)) >../n\nprintf "Router Statistics\\n  Accepted Count      %%s\\n" $n\n' >router/skstat
    run --separate-stderr short s.yaml --format json
    echo "$stderr"
    [ "$status" -eq 0 ]
    echo "$output" >doc.json
    [ "$(json doc.json 'd["arms"][0]["metrics"]["statistic_accepted_relay_1"]["value"]')" = 4 ]
}
