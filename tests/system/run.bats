#!/usr/bin/env bats
# bench run, report and list as a user sees them.
bats_require_minimum_version 1.5.0
load common

@test "--version and --help answer" {
    run "$BENCH" --version
    [ "$status" -eq 0 ]
    [[ $output == "bench "* ]]
    run "$BENCH" --help
    [ "$status" -eq 0 ]
    [[ $output == *"bench run none-vs-nginx"* ]]
    for c in run stat report list check plugin; do
        run "$BENCH" $c --help
        [ "$status" -eq 0 ]
        [[ $output == "usage: bench $c"* ]]
        [[ $output == *example* ]]
    done
}

@test "an unknown command or option names the nearest" {
    run "$BENCH" rum
    [ "$status" -eq 2 ]
    [[ $output == *"unknown command 'rum'"*"did you mean 'bench run'"* ]]
    run "$BENCH" run --job 3 --wramup 1
    [ "$status" -eq 2 ]
    [[ $output == *"'--wramup'"*"did you mean '--warmup'?"* ]]
}

@test "live progress rewrites one line, however narrow the terminal" {
    command -v script >/dev/null || skip "script is not installed"
    printf 'bench: 1\nrelays: [{plugin: none, name: größer}]\ncpu_limit: 0\nwarmup: 100ms\nduration: 300ms\nrepeat: 1\n' >s.yaml
    TERM=xterm script -qec "stty cols 30; '$BENCH' run s.yaml >/dev/null" typescript </dev/null >/dev/null
    python3 - <<'PY'
text = open("typescript", "rb").read().decode()
drawn = [line for line in text.split("\r\x1b[K")[1:] if line.startswith("1/1")]
assert len(drawn) > 3, text
assert all(len(line) <= 29 and "\n" not in line for line in drawn), drawn
assert any(line.startswith("1/1  block 1/1  größer  windo") for line in drawn), drawn
PY
}

@test "a reader that has enough is no failure worth a word" {
    run --separate-stderr bash -c '"$0" list events | head -n 1' "$BENCH"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
}

@test "without hops the report says that no relay ran" {
    need_nginx
    "$BENCH" run -r nginx --hops 0 --cpu-limit 0 --warmup 0 --duration 200ms --repeat 1 -q >table
    cat table
    grep -q "hops=0: no relay runs, whatever the arm" table
    "$BENCH" run -r none --hops 1 --cpu-limit 0 --warmup 0 --duration 200ms --repeat 1 -q >table
    run ! grep "no relay runs" table
}

@test "stat says what it adds, and where its own help is" {
    run "$BENCH" stat --help
    [[ $output == *"The capture 'stat' is added to the scenario's: performance counters"* ]]
    run "$BENCH" run --help
    [[ $output != *"is added to"* ]]
    run "$BENCH" stat --zzzzzzzz
    [ "$status" -eq 2 ]
    [[ $output == *"'bench stat --help' lists the options"* ]]
}

@test "letters behind one '-' are as many as they like" {
    run "$BENCH" run -qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq --dry-run missing.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"missing.yaml"* ]]
}

@test "what stands behind '--' is not forgotten" {
    run "$BENCH" run --dry-run -- missing.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"missing.yaml"* ]]
    run "$BENCH" run --dry-run one.yaml -- two.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"two scenarios: 'one.yaml' and 'two.yaml'"* ]]
    run "$BENCH" bisect --good a --bad b --build true -- missing.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"missing.yaml"* ]]
    run "$BENCH" bisect one.yaml -- two.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"two scenarios: 'one.yaml' and 'two.yaml'"* ]]
    run "$BENCH" report -- missing
    [ "$status" -eq 2 ]
    [[ $output == *"'missing'"* ]]
    run "$BENCH" report one -- two
    [ "$status" -eq 2 ]
    [[ $output == *"not 'one' and 'two'"* ]]
}

@test "of short options in one word the unknown one is named" {
    for c in run report check; do
        run "$BENCH" $c -xh
        [ "$status" -eq 2 ]
        [[ $output == *"'-x'"* ]]
    done
    run "$BENCH" run --details -qx
    [ "$status" -eq 2 ]
    [[ $output == *"'-x'"* ]]
}

@test "the smoke scenario runs, prints a table and stores the run" {
    run --separate-stderr "$BENCH" run smoke
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *none* ]]
    [ -L bench-results/latest ]
    [ -f bench-results/latest/run.json ]
    [ -f bench-results/latest/repetitions/0001-none/series.tsv ]
    [[ $output != *$'\033'* ]]
}

@test "a run from flags alone; report prints the same table again" {
    "$BENCH" run -w builtin -r none --jobs 1 --warmup 100ms --duration 300ms --cpu-limit 0 --repeat 2 -q >first
    "$BENCH" report >second
    diff first second
    "$BENCH" report latest --format json >a.json
    [ "$(json a.json 'len(d["repetitions"]), d["arms"][0]["valid"], d["arms"][0]["failed"]')" = "(2, 2, 0)" ]
    [ "$(json a.json 'd["arms"][0]["metrics"]["bits_per_second"]["value"] > 1e6')" = True ]
    [ "$(json a.json 'd["scenario"]["jobs"]')" = 1 ]
}

@test "none and nginx, two hops, limited: every role is measured" {
    need_root
    need_nginx
    "$BENCH" run -r none,nginx --hops 2 --cpu-limit 0.5 --warmup 300ms --duration 2s --repeat 1 \
        --capture stat --format json >a.json
    # The relay ran at its limit; none has no relay metrics, which is not zero.
    [ "$(json a.json '[a["name"] for a in d["arms"]]')" = "['none', 'nginx']" ]
    [ "$(json a.json 'max(d["arms"][1]["metrics"]["cpus_relay_%d" % i]["value"] for i in (1, 2)) < 0.53')" = True ]
    [ "$(json a.json 'd["arms"][1]["metrics"]["cpus_relay_1"]["state"]')" = ok ]
    [ "$(json a.json '"cpus_relay_1" not in d["arms"][0]["metrics"] or d["arms"][0]["metrics"]["cpus_relay_1"]["value"] is None')" = True ]
    [ "$(json a.json 'd["arms"][1]["metrics"]["task_clock_relay_1"]["value"] > 0')" = True ]
    # Generated configuration, command and binary are kept.
    [ -f bench-results/latest/repetitions/*-nginx/relay_1/nginx.conf ]
    grep -q '"sha256"' bench-results/latest/repetitions/*-nginx/repetition.json
    grep -q '"version": "nginx version: nginx/' bench-results/latest/repetitions/*-nginx/repetition.json
}

@test "the workload's own bytes equal the kernel's" {
    "$BENCH" run -r none --warmup 100ms --duration 500ms --cpu-limit 0 --repeat 1 -q >/dev/null
    python3 - <<'PY'
import json, glob
record = json.load(open(glob.glob("bench-results/latest/repetitions/*/repetition.json")[0]))
totals = {t["metric"]: t["value"] for t in record["totals"]}
for role, what in (("client", "sent"), ("server", "received")):
    own, kernel = totals[f"{role}.bytes_{what}"], totals[f"{role}.kernel_bytes_{what}"]
    assert own == kernel and own > 0, (role, own, kernel)
PY
}

@test "--dry-run prints the plan and starts nothing" {
    run "$BENCH" run -r none,nginx --repeat 3 --seed 7 --dry-run
    [ "$status" -eq 0 ]
    [[ $output == *"6 repetitions"*"seed 7"* ]]
    first=$output
    run "$BENCH" run -r none,nginx --repeat 3 --seed 7 --dry-run
    [ "$output" = "$first" ]
    [ ! -e bench-results ]
}

@test "--dry-run -v shows commands and generated configuration" {
    need_nginx
    run "$BENCH" run -r nginx --dry-run -v
    [ "$status" -eq 0 ]
    [[ $output == *"relay_1"*"nginx"*"nginx.conf:"*"stream {"* ]]
}

@test "a sweep over CPUs leaves out what the machine lacks, and says so" {
    local cpu
    cpu=$(taskset -pc $$ | sed 's/.*: \([0-9]*\).*/\1/')
    printf 'bench: 1\nrelays: [none]\ncpu_limit: 0\nwarmup: 0\nduration: 200ms\nrepeat: 1\n%s\n' \
        "sweep: {cpus.server: [$cpu, 1022]}" >s.yaml
    run "$BENCH" run s.yaml --dry-run
    [ "$status" -eq 0 ]
    grep -qx "left out, this machine lacks these CPUs: cpus.server=1022" <<<"$output"
    run "$BENCH" check s.yaml
    grep -qx "WARN     scenario     left out, this machine lacks these CPUs: cpus.server=1022" <<<"$output"
    "$BENCH" run s.yaml -q >table
    cat table
    grep -qx "! left out, because the machine lacks these CPUs: cpus.server=1022" table
    run "$BENCH" run s.yaml --set sweep.cpus.server=1021,1022
    [ "$status" -eq 5 ]
    [[ $output == *"cpus: server: '1021': cannot run on the wanted CPUs"* ]]
}

@test "--dry-run -v shows what differs from point to point" {
    cat >s.yaml <<'YAML'
bench: 1
workload: {plugin: command, server: "server {listen_port}", client: "client {jobs}", result: none}
relays: [none]
cpu_limit: 0
sweep: {jobs: [1, 2], duration: [1s, 2s]}
YAML
    printf '#!/bin/sh\n' >server
    cp server client
    chmod +x server client
    PATH=$PWD:$PATH run "$BENCH" run s.yaml --dry-run -v --repeat 1
    [ "$status" -eq 0 ]
    grep -A99 "^arm" <<<"$output" | sed "s|$PWD/||" >shown
    diff - shown <<'TEXT'
arm 'none', jobs=1 duration=1s:
  server   server 10001
  client   (built in) client 1

arm 'none', jobs=1 duration=2s:
  commands and files as at jobs=1 duration=1s

arm 'none', jobs=2 duration=1s:
  client   (built in) client 2
  the others as at jobs=1 duration=1s

arm 'none', jobs=2 duration=2s:
  client   (built in) client 2
  the others as at jobs=1 duration=1s
TEXT
}

@test "--dry-run refuses what a run would, without the programs" {
    run "$BENCH" run -r none -w builtin --rate 100 --dry-run
    echo "$output"
    [ "$status" -eq 2 ]
    refused=$output
    [[ $refused == *"rate"* ]]
    run "$BENCH" run -r none -w builtin --rate 100 --cpu-limit 0 -q
    [ "$status" -eq 2 ]
    [ "$output" = "$refused" ]
    [ ! -e bench-results ]
    run "$BENCH" run -r none --rate auto --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *"mode 'stream' has no requests that 'rate' could pace"* ]]
    run "$BENCH" run -r none --rate 100 --set workload.mode=rr --interleave yes --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *"workload 'builtin' cannot be paused as it is set up here"* ]]
    run "$BENCH" run -r none --rate atuo --dry-run
    [ "$status" -eq 2 ]
    [[ $output == *"'atuo' is not a rate: "*"hint: or write 'auto'"* ]]
}

@test "a sweep is a matrix" {
    cat >s.yaml <<'YAML'
bench: 1
relays: [none]
cpu_limit: 0
sweep: {jobs: [1, 2], workload.mode: [stream, echo]}
YAML
    run "$BENCH" run s.yaml --dry-run --repeat 2
    [ "$status" -eq 0 ]
    [[ $output == *"8 repetitions"* ]]
    [[ $output == *"jobs=2 workload.mode=echo"* ]]
}

@test "list names what there is" {
    run "$BENCH" list relays
    [ "$status" -eq 0 ]
    [[ $output == *nginx* && $output == *none* && $output == *skrouterd* ]]
    run "$BENCH" list workloads
    [[ $output == *builtin*mode* ]]
    run "$BENCH" list reporters
    [[ $output == *json* && $output == *text* ]]
    run "$BENCH" list scenarios
    [[ $output == *smoke* ]]
    run "$BENCH" list captures
    [[ $output == *stat* ]]
    run "$BENCH" list events task-clock
    [[ $output == *software*task-clock* ]]
    run "$BENCH" list runz
    [ "$status" -eq 2 ]
    [[ $output == *"did you mean 'runs'"* ]]
}

@test "an unknown scenario hints at those that are shipped" {
    for c in run stat check; do
        run "$BENCH" $c nothing-like-it
        [ "$status" -eq 2 ]
        [ "$output" = "bench: cannot open 'nothing-like-it': No such file or directory
hint: 'bench list scenarios' names the shipped ones" ]
    done
    run "$BENCH" run ./nothing.yaml
    [ "$status" -eq 2 ]
    [[ $output != *hint* ]]
}

@test "help stands in columns, and no line ends in a blank" {
    export COLUMNS=100
    for c in --help "run --help" "list --help" "report --help"; do
        run "$BENCH" $c
        while IFS= read -r line; do
            [ ${#line} -le 100 ] || { echo "$line"; false; }
            [[ $line != *" " ]] || { echo "'$line'"; false; }
        done <<<"$output"
    done
    run env LC_ALL=C.UTF-8 "$BENCH" run --help
    grep -q "^  -r, --relay NAME,…      the arms" <<<"$output"
}

@test "two benches at once do not meet" {
    "$BENCH" run -r none --warmup 100ms --duration 500ms --cpu-limit 0 --repeat 2 -q >a 2>&1 &
    local first=$!
    "$BENCH" run -r none --warmup 100ms --duration 500ms --cpu-limit 0 --repeat 2 -q >b 2>&1
    wait $first
    run "$BENCH" list runs
    [ "$(wc -l <<<"$output")" -eq 3 ]
}

@test "every shipped scenario passes its checks" {
    for s in "$SCENARIOS"/*.yaml; do
        run --separate-stderr "$BENCH" run "$s" --dry-run
        echo "$s: $stderr"
        # A program may not be installed.
        [ "$status" -eq 0 ] || [[ $status -eq 5 && $stderr == *"' not found"* ]]
    done
}

@test "the cost of captures is an ordinary comparison" {
    run "$BENCH" run smoke --set warmup=100ms --set duration=200ms --repeat 2 --capture stat \
        --relay none --capture-cost
    [ "$status" -eq 0 ]
    [[ $output == *"relays choose what is captured in their repetitions: the difference is what that"* ]]
    run "$BENCH" report latest --format json
    [ "$status" -eq 0 ]
    jq -e '[.arms[].name] == ["none", "none + stat"]' <<<"$output"
    jq -e '.arms[0].metrics | has("task_clock_client") | not' <<<"$output"
    jq -e '.arms[1].metrics | has("task_clock_client")' <<<"$output"
    jq -e '.arms[1].metrics.bits_per_second.ratio > 0' <<<"$output"
    run "$BENCH" run smoke --capture-cost --set capture=
    [ "$status" -eq 2 ]
}

@test "the report says what was set of the workload, but for what the points' names say" {
    run "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --warmup 0 --duration 50ms --tick 10ms --repeat 1 -q \
        --set workload.mode=rr --set workload.response_size=4K --set sweep.workload.depth=0,2
    [ "$status" -eq 0 ]
    grep -q "^ *mode rr, response_size 4K, 2 jobs, 0 hops$" <<<"$output" || { echo "$output"; false; }
}
