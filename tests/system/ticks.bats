#!/usr/bin/env bats
# What a short tick costs: most lines of the series have only what rates are made of.

load common

@test "with a tick of 10 ms totals are read on the window's edges and seldom between" {
    "$BENCH" run smoke --tick 10ms --warmup 100ms --duration 500ms --repeat 1 --output r -q >report
    python3 - <<'PY'
import glob, json
of = glob.glob("r/repetitions/*/")[0]
rows = [line.rstrip("\n").split("\t") for line in open(of + "series.tsv")]
names, rows = rows[0], rows[4:]
at = {name: i for i, name in enumerate(names)}
window = json.load(open(of + "repetition.json"))
begin, end = window["window_begin_ns"], window["window_end_ns"]
times = [int(r[0]) for r in rows]
assert begin in times and end in times
totals = [n for n in names if n.startswith(("net.", "system.")) or n.endswith((".rss_bytes", ".involuntary"))]
assert len(totals) > 10
for r in rows:
    assert r[at["server.bytes_received"]] != "-" and r[at["bench.cpu_ns"]] != "-"
    if int(r[0]) in (begin, end):
        missing = [n for n in totals if r[at[n]] == "-"]
        assert not missing, missing
others = [int(r[0]) for r in rows if r[at["net.segments_out"]] != "-" and int(r[0]) not in (begin, end)]
near = [b - a for a, b in zip(others, others[1:]) if b - a < 50e6]
assert not near, near
PY
    "$BENCH" report r --format json >json
    [ "$(json json "d['arms'][0]['metrics']['system_idle_share']['state']")" = ok ]
    [ "$(json json "d['arms'][0]['metrics']['rss_bytes_server']['value'] > 0")" = True ]
}

@test "a wrapped tool's window may begin at any tick: every line has all" {
    command -v iperf3 >/dev/null || skip "iperf3 is not installed"
    "$BENCH" run -w iperf3 -r none --tick 10ms --warmup 1s --duration 1s --repeat 1 --output r -q >report
    python3 - <<'PY'
import glob
rows = [line.rstrip("\n").split("\t") for line in open(glob.glob("r/repetitions/*/series.tsv")[0])]
at = rows[0].index("net.segments_out")
assert all(r[at] != "-" for r in rows[4:])
PY
}
