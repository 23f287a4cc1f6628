#!/usr/bin/env bats
# A stored run after what can happen to it.

bats_require_minimum_version 1.5.0
load common

measure() { # directory, repetitions
    "$BENCH" run -q -w builtin -r none --warmup 100ms --duration 300ms --repeat "$2" -o "$1"
}

@test "kill -9: what was finished is read, the run is called interrupted" {
    "$BENCH" run -q -w builtin -r none --warmup 100ms --duration 300ms --repeat 50 -o run >/dev/null 3>&- &
    pid=$!
    for _ in $(seq 200); do
        [ -e run/repetitions/0002-none/repetition.json ] && break
        sleep 0.05
    done
    kill -9 $pid
    wait $pid || true
    wait_until_clean
    run "$BENCH" report --format json run
    [ "$status" -eq 0 ]
    echo "$output" >report.json
    [ "$(json report.json 'd["state"]')" = interrupted ]
    [ "$(json report.json 'len(d["repetitions"]) >= 2')" = True ]
    [ "$(json run/run.json 'd["state"]')" = running ]
}

@test "a limit on the size of files is an error, not a signal" {
    ulimit -f 4
    run measure run 2
    [ "$status" -eq 1 ]
    [[ $output == *"cannot write '"*"': File too large"* ]]
    [[ $output == *"hint: a limit on the size of files is in force, see 'ulimit -f'"* ]]
}

@test "a run of what a run keeps is called after the file that it had" {
    printf 'bench: 1\ncpu_limit: 0\nwarmup: 0s\nduration: 100ms\nrepeat: 1\n' >mine.yaml
    "$BENCH" run -q mine.yaml -o first >/dev/null
    cmp mine.yaml first/scenario.yaml
    "$BENCH" run -q first/scenario.yaml -o second >/dev/null
    [ "$(json second/run.json 'd["name"]')" = mine ]
    cp mine.yaml scenario.yaml # of no run
    "$BENCH" run -q scenario.yaml -o third >/dev/null
    [ "$(json third/run.json 'd["name"]')" = scenario ]
}

@test "a damaged repetition is named and left out" {
    measure run 3
    rm run/repetitions/0001-none/series.tsv
    sed -i 's/"window_begin_ns"/"window_start_ns"/' run/repetitions/0002-none/repetition.json
    run "$BENCH" report run
    [ "$status" -eq 0 ]
    [[ $output == *"'repetitions/0001-none/series.tsv'"* ]]
    [[ $output == *"repetitions/0002-none/repetition.json: missing field 'window_begin_ns'"* ]]
    run "$BENCH" report --format json run
    echo "$output" >report.json
    [ "$(json report.json '[r["index"] for r in d["repetitions"]]')" = "[3]" ]
    # Of three, everywhere.
    [ "$(json report.json '[d["arms"][0][k] for k in ("valid", "failed", "rejected", "damaged")]')" = "[1, 0, 0, 2]" ]
    "$BENCH" report run --format markdown | grep -q ' 1/3 |'
    "$BENCH" report run | grep -Eq '^none .* 1/3 '
    "$BENCH" report run --format openmetrics | grep -q 'state="damaged"} 2$'
}

@test "what is no run, or a newer one, is refused with what was expected" {
    mkdir empty
    run "$BENCH" report ./empty
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: './empty' is not a run directory" ]
    [[ ${lines[1]} == *"a run directory holds 'run.json'"* ]]
    measure run 1
    sed -i 's/"format": 1,/"format": 99,/' run/run.json
    run "$BENCH" report run
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == *"/run/run.json: has format 99, this bench reads up to 1" ]]
    sed -i 's/"format": 99,/"format": 1,,/' run/run.json
    run "$BENCH" report run
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == *"/run/run.json:2:"* ]]
}

@test "the commands of docs/store-format.md work" {
    command -v jq >/dev/null || skip "jq is not installed"
    need_root
    need_nginx
    "$BENCH" run -q -w builtin -r none,nginx --hops 1 --seed 1 --warmup 100ms --duration 300ms --repeat 1
    # The repetition that the page shows is nginx's; which one it is here, the plan drew.
    mine=$(cd bench-results/latest && echo repetitions/*-nginx)
    sed -n '/^```sh$/,/^```$/p' "$BATS_TEST_DIRNAME/../../docs/store-format.md" | grep -v '^```' |
        if command -v gnuplot >/dev/null; then cat; else grep -v '^gnuplot '; fi |
        sed "s,repetitions/0002-nginx,$mine," >commands
    GNUTERM=dumb run bash -eu commands
    [ "$status" -eq 0 ]
    grep -qE "^[0-9]{8}-[0-9]{6}-.*	complete	$(uname -r)	" <<<"$output"
    [ "$(grep -cE '^[12]	1	(none|nginx)	true	' <<<"$output")" -eq 2 ]
    grep -qE "^relay_1	.*/nginx	[0-9a-f]{12}$" <<<"$output"
    grep -qxE '[0-9]+ server.bytes_received' <<<"$output"
    [ "$(grep -cE '^[0-9]+\.[0-9]{2} Gbit/s$' <<<"$output")" -eq 2 ]
}

@test "a bench that was stopped does not make up for the ticks it slept through" {
    "$BENCH" run -q -r none --cpu-limit 0 --warmup 0 --duration 2s --tick 10ms --repeat 1 -o run >/dev/null 3>&- &
    pid=$!
    for _ in $(seq 200); do
        [ -d run/repetitions/0001-none/client ] && break
        sleep 0.02
    done
    sleep 0.3
    kill -STOP "$(worker_of $pid)"
    sleep 1.2
    kill -CONT "$(worker_of $pid)"
    wait $pid && false # the repetition has failed: its roles ran without being watched
    # 200 ticks, more than 100 of them slept through.
    rows=$(json run/repetitions/0001-none/repetition.json 'd["series_rows"]')
    echo "$rows rows"
    [ "$rows" -lt 110 ]
}

@test "a run from a directory that is gone can be read" {
    mkdir gone
    cd gone
    rmdir ../gone
    measure "$BATS_TEST_TMPDIR/run" 1
    cd "$BATS_TEST_TMPDIR"
    "$BENCH" report run >table
    grep -q none table
}

@test "list runs: the index follows the directories, and filters" {
    run --separate-stderr "$BENCH" list runs
    [ "$status" -eq 0 ]
    [ "$output" = "run                                                  state        started              done    relays" ]
    [ "${stderr_lines[0]}" = "bench: there is no stored run in 'bench-results'" ]
    [ "${stderr_lines[1]}" = "hint: 'bench run' makes one below the directory in which it is started" ]
    [ ! -e bench-results ]
    for name in one two; do
        "$BENCH" run -q -w builtin -r none --name $name --warmup 100ms --duration 200ms --repeat 1 >/dev/null
    done
    run "$BENCH" list runs
    [ "$(tail -n +2 <<<"$output" | awk '{print $2, $4, $5}' | sort -u)" = "complete 1/1 none" ]
    [ "${#lines[@]}" -eq 3 ]
    run "$BENCH" list runs --name 'tw*' --relay none --state complete --since 1h --limit 5 --sort -started
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} == *-two-* ]]
    run "$BENCH" list runs -- -one-
    [ "${#lines[@]}" -eq 2 ]
    "$BENCH" list runs --format json >runs.json
    [ "$(json runs.json 'sorted(r["name"] for r in d)')" = "['one', 'two']" ]
    rm -r bench-results/*-one-*
    echo 'no database at all, but long enough to be looked at' >bench-results/index.db
    run --separate-stderr "$BENCH" list runs
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 2 ]
    [ "$stderr" = "bench: 'bench-results/index.db' was damaged: made anew" ]
    # Of what was changed within a run that has ended, only a rebuild hears.
    sed -i 's/"state": "complete"/"state": "failed"/' bench-results/*-two-*/run.json
    run "$BENCH" list runs
    [[ ${lines[1]} == 20*" complete "* ]]
    run "$BENCH" list runs --rebuild
    [[ ${lines[1]} == 20*" failed "* ]]
    # A run is called as the other commands want it, and no name moves a terminal.
    mv bench-results/*-two-* bench-results/$'\e[2J\302\233"x'
    run "$BENCH" list runs
    [[ ${lines[1]} == '\u001b[2J\u009b"x '* ]]
    "$BENCH" list runs --format json >runs.json
    [ "$(json runs.json 'ascii(d[0]["directory"])')" = "'\\x1b[2J\\x9b\"x'" ]
    [ "$(json runs.json 'd[0]["relays"], d[0]["reason"], d[0]["planned"]')" = "('none', None, 1)" ]
    mv bench-results/?"[2J"* bench-results/renamed
    run "$BENCH" list runs renamed
    [[ ${lines[1]} == "renamed "* ]]
    run "$BENCH" list runs -- -two- # its id
    [[ ${lines[1]} == "renamed "* ]]
    # What matches nothing is said, what cannot is refused.
    run --separate-stderr "$BENCH" list runs --relay ngnix
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [ "$stderr" = "bench: no stored run is like that" ]
    run "$BENCH" list runs --state complet
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --state: unknown state 'complet'" ]
    run "$BENCH" list runs --since tomorrow
    [ "$status" -eq 2 ]
    [[ ${lines[0]} == "bench: --since: 'tomorrow' is not a time:"* ]]
    run "$BENCH" list runs --limit 0
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --limit: '0' is not at least 1" ]
    run "$BENCH" list runs --format yaml
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: unknown format 'yaml'" ]
    run "$BENCH" list runs --help
    [[ $output == *"bench list runs --since 7d --state complete"* ]]
}

@test "history: a metric over the runs of a scenario" {
    run "$BENCH" history bits_per_second
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: no stored run has a metric 'bits_per_second'" ]
    cat >nightly.yaml <<'YAML'
bench: 1
name: nightly
workload: builtin
cpu_limit: 0
relays: [none, {name: other, plugin: none}]
warmup: 100ms
duration: 200ms
repeat: 1
YAML
    for _ in 1 2 3; do
        "$BENCH" run -q nightly.yaml >/dev/null
    done
    run "$BENCH" history bits_per_second
    [ "$status" -eq 0 ]
    grep -q '^other · nightly · ' <<<"$output"
    grep -q '^throughput against none' <<<"$output"
    [ "$(grep -cE '^[123]  20[0-9-]+T[0-9:]+Z  ' <<<"$output")" -eq 6 ]
    "$BENCH" history bits_per_second --relay other --format json >history.json
    [ "$(json history.json '[(s["arm"], s["anchor"], len(s["runs"])) for s in d["series"]]')" = "[('other', 'none', 3)]" ]
    "$BENCH" report --format json latest >report.json
    # Runs of the same second have no order.
    id=$(json report.json 'd["run"]')
    [ "$(json history.json "[r['value'] for r in d['series'][0]['runs'] if r['run'] == '$id']")" = \
        "[$(json report.json 'd["arms"][1]["metrics"]["bits_per_second"]["value"]')]" ]
    [ "$("$BENCH" history bits)" = "$("$BENCH" history bits_per_second)" ]
    run "$BENCH" history bits_per_secon
    [ "$status" -eq 2 ]
    [ "${lines[1]}" = "hint: did you mean 'bits_per_second'?" ]
    run "$BENCH" history bits_per_second --name 'no such'
    [ "$status" -eq 2 ]
    run "$BENCH" history
    [ "${lines[0]}" = "bench: history: which metric?" ]
    run "$BENCH" history --help
    [[ $output == *"bench history bits_per_second --relay nginx --since 90d"* ]]
}

@test "list baselines: runs that were saved under a name" {
    measure bench-results/mine 1
    mkdir bench-results/baselines
    echo mine >bench-results/baselines/main
    echo gone >bench-results/baselines/old
    run --separate-stderr "$BENCH" list baselines
    [ "$status" -eq 0 ]
    [ "$(xargs <<<"$output")" = "main bench-results/mine" ]
    [ "$stderr" = "not usable: baseline 'old': there is no run 'gone' any more" ]
    run "$BENCH" list runs
    [ "${#lines[@]}" -eq 2 ]
}
