#!/usr/bin/env bats
# Reports for others: files per role, pull requests, Prometheus.
load common

measure() {
    "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --repeat 2 --warmup 50ms \
        --duration 200ms -q "$@" >/dev/null
}

@test "csv into a directory: the run, and each side by itself" {
    measure
    "$BENCH" report latest --format csv -o numbers
    [ "$(ls numbers)" = $'client.csv\nrun.csv\nserver.csv' ]
    python3 - <<'END'
import csv
def rows(name):
    with open(f"numbers/{name}.csv", newline="") as f:
        return list(csv.DictReader(f, strict=True))
run, client, server = rows("run"), rows("client"), rows("server")
assert {r["index"] for r in run} == {"1", "2"}
assert all(r in run for r in client + server)
assert {r["metric"] for r in client} & {r["metric"] for r in server} == set()
assert len([r for r in client if r["metric"] == "cpus_client" and float(r["value"]) > 0]) == 2
END
}

@test "a format without sides is one file; standard output has the same" {
    measure
    mkdir there
    for format in json markdown openmetrics text; do
        "$BENCH" report latest --format $format -o "$format/"
        [ "$(ls "$format" | wc -l)" -eq 1 ]
        "$BENCH" report latest --format $format | cmp - "$format"/run.*
        # Without the '/' it is a file, unless a directory is there.
        "$BENCH" report latest --format $format -o x.file
        cmp x.file "$format"/run.*
        "$BENCH" report latest --format $format -o there
        cmp there/run.* "$format"/run.*
        rm there/*
        "$BENCH" report latest --format $format -o - | cmp - x.file
    done
    "$BENCH" report latest --format csv | tee csv | cmp - <("$BENCH" report latest --format csv -o -)
    "$BENCH" report latest --format csv -o one.csv
    cmp csv one.csv
    [ "$(tail -n 1 openmetrics/run.prom)" = "# EOF" ]
    # In HELP the older format, which the same text is to be, knows no quotes.
    grep -q "^# HELP bench_rss_bytes .*'Memory'" openmetrics/run.prom
    [ -z "$(grep '^# HELP .*"' openmetrics/run.prom)" ]
    # Its advice about names (status 3) is no error of syntax (1).
    if command -v promtool; then
        run promtool check metrics <openmetrics/run.prom
        [ "$status" -ne 1 ]
    fi
}

@test "a directory that cannot be made is said" {
    measure
    run "$BENCH" report latest --format csv -o /dev/null/x
    [ "$status" -eq 1 ]
    [[ $output == *"/dev/null"* ]]
}
