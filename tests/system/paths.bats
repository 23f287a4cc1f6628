#!/usr/bin/env bats
# Directories whose names mean something to a shell, nginx, Lua or YAML.
load common

need() {
    PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || skip "$1 is not installed"
}

@test "every program is started in a directory of any name" {
    need_nginx
    need wrk
    need h2load
    need nghttpd
    strange=$PWD/$'a$x {b}; "c" \'d\' #e\\f %s\ng'
    mkdir "$strange"
    cd "$strange"
    common=(--cpu-limit 0 --repeat 1 --warmup 0 -q --hops 1 --format json)
    "$BENCH" run -w wrk -r nginx -p http1 --duration 1s "${common[@]}" >wrk.json
    [ "$(json wrk.json 'd["arms"][0]["valid"]')" = 1 ]
    for w in h2load h2load-h1 iperf3; do
        PATH=$PATH:/usr/sbin command -v "$w" >/dev/null || [ $w = h2load-h1 ] || continue
        "$BENCH" run -w $w -r nginx --duration 300ms "${common[@]}" >$w.json
        [ "$(json $w.json 'd["arms"][0]["valid"]')" = 1 ]
    done
    cat >s.yaml <<'YAML'
bench: 1
workload:
  plugin: command
  server: sh -c 'test -e "$1" && exec sleep 100' sh {config}
  server_config: x
  server_ready: started
  client: sh -c 'cat "$1"' sh {config}
  client_config: "5\n"
  result: lines
relays: [{name: own, plugin: command, options: {command: "sh -c 'test -e \"$0\" && exec sleep 100' {config}", config: x, ready: started}}]
YAML
    "$BENCH" run s.yaml --duration 100ms --jobs 1 "${common[@]}" >command.json
    [ "$(json command.json 'd["arms"][0]["metrics"]["result"]["value"] == 5')" = True ]
}
