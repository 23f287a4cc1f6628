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
