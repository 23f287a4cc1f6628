#!/usr/bin/env bats
# Workloads that wrap tools of others: with the real ones where they are installed, and with fakes
# that fail in silence, as the real ones do.
load common

need() { # program: absent it skips, because the wrapped tools are no dependency of bench
    PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || skip "$1 is not installed"
}

# fake NAME TEXT: a script of that name comes before the real one on PATH.
fake() {
    mkdir -p fakes
    printf '#!/bin/bash\n%s\n' "$2" >"fakes/$1"
    chmod +x "fakes/$1"
    PATH=$BATS_TEST_TMPDIR/fakes:$PATH
}

# short WORKLOAD …: one short repetition without relay, as JSON in a.json.
short() {
    "$BENCH" run -w "$1" -r none --cpu-limit 0 --warmup 200ms --duration 1s --repeat 1 --format json -q \
        "${@:2}" >a.json
}

# fails WORKLOAD MESSAGE …: the repetition fails, with that reason, and there is no number.
fails() {
    run short "$1" "${@:3}"
    echo "$output"
    [ "$status" -eq 1 ]
    json a.json 'd["repetitions"]'
    [[ $(json a.json 'd["repetitions"][0]["error"]') == *"$2"* ]]
    [ "$(json a.json 'd["arms"][0]["valid"], d["arms"][0]["failed"]')" = "(0, 1)" ]
    [ "$(json a.json 'any(m["value"] is not None for m in d["arms"][0]["metrics"].values())')" = False ]
}

@test "iperf3: throughput is that of its own intervals, to 0.1%" {
    need iperf3
    for reverse in false true; do
        short iperf3 --jobs 2 --set workload.reverse=$reverse
        python3 - <<'PY'
import glob, json
d = json.load(open("a.json"))
at = max(glob.glob("bench-results/*/repetitions/0001-none"))
record = json.load(open(at + "/repetition.json"))
own = json.load(open(at + "/client/stdout"))["intervals"]
bytes_ = {t["metric"]: t["value"] for t in record["totals"]}["bytes"]
seconds = (record["window_end_ns"] - record["window_begin_ns"]) / 1e9
sums = [i["sum"] for i in own if not i["sum"]["omitted"]]
runs = [sums[a:b] for a in range(len(sums)) for b in range(a + 1, len(sums) + 1)]
match = [r for r in runs if sum(s["bytes"] for s in r) == bytes_ and abs(sum(s["seconds"] for s in r) - seconds) < 1e-6]
assert match, (bytes_, seconds, sums)
rate = 8 * sum(s["bytes"] for s in match[0]) / sum(s["seconds"] for s in match[0])
reported = d["arms"][0]["metrics"]["bits_per_second"]["value"]
assert abs(reported / rate - 1) < 1e-3, (reported, rate)
assert 0.6 < seconds <= 1.01, seconds
PY
    done
}

@test "iperf3 through nginx: CPU of every role in the same seconds" {
    need iperf3
    need_nginx
    "$BENCH" run -w iperf3 -r nginx --hops 1 --cpu-limit 0 --warmup 200ms --duration 1s --repeat 1 --format json -q >a.json
    [ "$(json a.json 'all(d["arms"][0]["metrics"][m]["value"] > 0 for m in ("cpus_client", "cpus_relay_1", "cpus_server", "bits_per_second"))')" = True ]
}

@test "iperf3: an error is found although it exits with 0" {
    need iperf3
    real=$(command -v iperf3)
    fake iperf3 '[ "$1" = --server ] && exec '"$real"' "$@"
        sleep 2; echo "{\"intervals\": [], \"error\": \"unable to connect to server\"}"'
    fails iperf3 "iperf3: unable to connect to server"
}

@test "iperf3: half a JSON, none, and an empty measurement are failures" {
    need iperf3
    real=$(command -v iperf3)
    fake iperf3 '[ "$1" = --server ] && exec '"$real"' "$@"
        sleep 2; cat "'"$BATS_TEST_TMPDIR"'/answer"'
    head -c 3000 "$BATS_TEST_DIRNAME/../data/iperf3/parallel.json" >answer
    fails iperf3 "iperf3's JSON, line"
    : >answer
    fails iperf3 "iperf3's JSON, line 1"
    echo '{"intervals": [], "end": {}}' >answer
    fails iperf3 "iperf3 has no intervals"
}

@test "iperf3: no more streams than it can, and no rate" {
    need iperf3
    run "$BENCH" run -w iperf3 -r none --jobs 129
    [ "$status" -eq 2 ]
    [[ $output == *"jobs: iperf3 has at most 128 streams, not 129"* ]]
    [ -z "$(find . -name stdout)" ] # nothing was started
}

# need_h2load WORKLOAD
need_h2load() {
    need h2load
    if [ "$1" = h2load ]; then need nghttpd; else need nginx; fi
}

@test "h2load: requests per second are those of its own record and, to 1%, of its summary" {
    for workload in h2load h2load-h1; do
        need_h2load $workload
        short $workload --jobs 4 --set workload.keep_log=true -o $workload
        python3 - $workload <<'PY'
import json, re, sys
d = json.load(open("a.json"))
at = sys.argv[1] + "/repetitions/0001-none"
record = json.load(open(at + "/repetition.json"))
log = [tuple(map(int, l.split("\t"))) for l in open(at + "/client/requests.tsv")]
wall = record["started_wall_ns"] - record["started_ns"] if "started_ns" in record else record["wall_minus_monotonic_ns"]
begin, end = (record[k] + wall for k in ("window_begin_ns", "window_end_ns"))
inside = [r for r in log if begin <= 1000 * (r[0] + r[2]) < end]
metrics = d["arms"][0]["metrics"]
reported = metrics["operations_per_second"]["value"]
assert abs(reported / (len(inside) / (end - begin) * 1e9) - 1) < 1e-6, (reported, len(inside))
assert abs(metrics["bits_per_second"]["value"] / (reported * 1024 * 8) - 1) < 1e-6
durations = sorted(r[2] for r in inside)
p50 = durations[len(durations) // 2]
assert abs(metrics["latency_p50_seconds"]["value"] * 1e6 - p50) <= 1 + p50 / 500, (p50, metrics["latency_p50_seconds"])
own = float(re.search(r"finished in .*, ([0-9.]+) req/s", open(at + "/client/stdout").read())[1])
asked = 1.7  # seconds: warm-up, window and margin
assert abs(len(log) / asked / own - 1) < 0.01, (len(log), own)
PY
        [ ! -e $workload/repetitions/0001-none/server/temp ]
    done
}

@test "h2load at a rate: requests per second are those that it reports, to 1%" {
    need_h2load h2load
    short h2load --jobs 4 --duration 1s --repeat 5 --set rate=1000 --set arrivals=constant -o run
    # The median: on a busy machine a single one may be held up at an edge of the window.
    python3 - <<'PY'
import glob, json, re, statistics
reported = {r["index"]: r["metrics"]["operations_per_second"]["value"] for r in json.load(open("a.json"))["repetitions"]}
ratios = []
for at in glob.glob("run/repetitions/*"):
    own = re.search(r"finished in .*, ([0-9.]+) req/s", open(at + "/client/stdout").read())[1]
    ratios.append(reported[json.load(open(at + "/repetition.json"))["index"]] / float(own))
assert len(ratios) == 5 and abs(statistics.median(ratios) - 1) < 0.01, ratios
print(ratios)
PY
    run short h2load --set rate=400
    [ "$status" -eq 2 ]
    [[ $output == *"h2load sends at constant intervals only"*"set 'arrivals: constant'"* ]]
    # Its clients would all send once, at the start: that is no rate.
    run short h2load --jobs 10 --set rate=1 --set arrivals=constant -o low
    [ "$status" -eq 2 ]
    [[ $output == *"rate: 1 requests/s are 0.1 of each of h2load's 10 clients"*"hint: 50 are needed"* ]]
    [ ! -e low ]
}

@test "h2load: its record of requests is not kept unless it is asked for" {
    need_h2load h2load
    short h2load -o run
    [ -z "$(find run -name requests.tsv)" ]
    [ -s run/repetitions/0001-none/latency.hlog ]
}

@test "h2load through nginx as TCP, HTTP/1.1 and HTTP/2, two hops" {
    need_nginx
    for pair in "h2load tcp" "h2load http2" "h2load-h1 tcp" "h2load-h1 http1"; do
        set -- $pair
        need_h2load "$1"
        "$BENCH" run -w "$1" -p "$2" -r nginx --hops 2 --jobs 3 --cpu-limit 0 --warmup 200ms --duration 500ms \
            --repeat 1 --format json -q >a.json
        [ "$(json a.json 'd["arms"][0]["metrics"]["operations_per_second"]["value"] > 10')" = True ]
    done
}

@test "a protocol that a relay or workload cannot is refused before anything starts" {
    run "$BENCH" run -w h2load -p http1 -r none
    [ "$status" -eq 2 ]
    [[ $output == *"workload 'h2load' does not speak 'http1'"* ]]
    run "$BENCH" run -w h2load -p http2 -r skrouterd
    [ "$status" -eq 2 ]
    [[ $output == *"relay 'skrouterd' cannot carry 'http2'"*"it carries tcp"* ]]
    [ ! -e bench-results ]
}

@test "h2load: an absent server is found although it exits with 0" {
    need_h2load h2load
    fake h2load 'exec '"$(command -v h2load)"' "${@:1:$#-1}" http://127.0.0.1:1/payload'
    fails h2load "h2load started no request: it reached no server, and exits with 0"
}

@test "h2load: a server that falls silent in the window is found" {
    need_h2load h2load
    fake nghttpd "$(PATH=$PATH:/usr/sbin command -v nghttpd)"' "$@" & server=$!
        trap "kill -9 $server; exit" TERM
        exec 9<> <(:); read -r -t 0.9 -u 9; kill -9 $server; read -r -t 60 -u 9'
    fails h2load "no response came in the last 0."
    [[ $output == *"of the window, and h2load says nothing"* ]]
    grep -q " 0 failed, 0 errored" bench-results/*/repetitions/*/client/stdout
}

@test "h2load: a client that is killed leaves no summary, whatever its status" {
    need_h2load h2load
    fake h2load "$(command -v h2load)"' "$@" & client=$!; sleep 0.9; kill $client; wait; exit 0'
    fails h2load "h2load printed no summary"
}

@test "h2load: responses other than asked for are found" {
    need_h2load h2load
    fake h2load 'exec '"$(command -v h2load)"' "${@:1:$#-1}" "${@: -1}-not"'
    fails h2load "requests failed, the last with status 404"
}

@test "wrk: requests are its own, in its own window; through nginx as TCP and HTTP/1.1" {
    need wrk
    need_nginx
    for protocol in tcp http1; do
        "$BENCH" run -w wrk -p $protocol -r nginx --hops 1 --jobs 3 --cpu-limit 0 --warmup 0s --duration 1s \
            --repeat 1 --format json -q -o $protocol >a.json
        python3 - $protocol <<'PY'
import json, sys
d = json.load(open("a.json"))
at = sys.argv[1] + "/repetitions/0001-nginx"
own = json.load(open(at + "/client/result.json"))
record = json.load(open(at + "/repetition.json"))
metrics = d["arms"][0]["metrics"]
rate = own["requests"] / own["duration_us"] * 1e6
assert abs(metrics["operations_per_second"]["value"] / rate - 1) < 1e-6
assert record["window_end_ns"] - record["window_begin_ns"] == own["duration_us"] * 1000
assert all(metrics[f"cpus_{role}"]["value"] > 0 for role in ("client", "relay_1", "server"))
PY
    done
}

@test "wrk: no warm-up, no half seconds" {
    need wrk
    need_nginx
    run "$BENCH" run -w wrk -r none --warmup 1s --duration 1s
    [ "$status" -eq 2 ]
    [[ $output == *"warmup: wrk counts from its start and has none"*"set 'warmup: 0s'"* ]]
    run "$BENCH" run -w wrk -r none --warmup 0s --duration 1500ms
    [ "$status" -eq 2 ]
    [[ $output == *"duration: wrk takes whole seconds only"* ]]
    [ -z "$(find . -name stdout)" ] # nothing was started
}

@test "wrk: a server that it cannot talk to is found although it exits with 0" {
    need wrk
    need_nginx
    fake wrk 'exec '"$(command -v wrk)"' "${@:1:$#-1}" "${@: -1}-not"'
    fails wrk "requests too many failed: connect 0, read 0, write 0, status" --warmup 0s
    fake wrk 'exec true'
    fails wrk "wrk left no result" --warmup 0s
}
