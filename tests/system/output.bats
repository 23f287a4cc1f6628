#!/usr/bin/env bats
# Where results go: a standard output that cannot be written is an error of every command, one whose
# reader went away is none, and '-o -' is standard output wherever -o names a file.
bats_require_minimum_version 1.5.0
load common

# A command of each kind per line.
commands() {
    cat <<'END'
--version
--help
run --help
bisect --help
list scenarios
list relays
list captures
list events
list runs
list runs --format json
list baselines
help scenario
check --help
plugin check relay.so
report ./r
report ./r --format json
explain ./r
compare a=./r b=./r2
history bits_per_second
flamegraph x.folded
flamegraph x.folded -o -
run smoke --dry-run
run smoke --warmup 0 --duration 50ms -q
END
}

# One block decides nothing (5); what a command ends with anyway is not hidden.
status_of() { [ "$1" = compare ] && echo 5 || echo 1; }

prepare() {
    "$BENCH" run smoke --warmup 0 --duration 50ms -q -o r >/dev/null
    cp -r r r2
    mkdir bench-results
    cp -r r bench-results/one
    "$BENCH" run smoke --save-baseline b --warmup 0 --duration 50ms -q >/dev/null
    echo 'a;b 3' >x.folded
    cp "$(dirname "$BUILT")/plugins/relays/none.so" relay.so
    "$BENCH" list runs >/dev/null 2>&1
}

@test "a full or closed standard output is an error of every command" {
    local line n=0
    prepare
    while read -r line; do
        echo "$line"
        run bash -c '"$0" "$@" 2>&1 >/dev/full' "$BENCH" $line
        echo "$output"
        [ "$status" -eq "$(status_of $line)" ]
        [[ $output == *"bench: standard output cannot be written: No space left on device"$'\n'"hint: "* ]]
        run bash -c '"$0" "$@" 2>&1 >&-' "$BENCH" $line
        echo "$output"
        [ "$status" -eq "$(status_of $line)" ]
        [[ $output == *"bench: standard output cannot be written: it is closed"* ]]
        n=$((n + 1))
    done < <(commands)
    [ "$n" -ge 23 ]
}

@test "a pipe whose reader went away is silent for every command" {
    prepare
    commands >all
    python3 - "$BENCH" <<'PY'
import os, subprocess, signal, sys
for line in open("all"):
    for handler in signal.SIG_DFL, signal.SIG_IGN:
        r, w = os.pipe()
        os.close(r)
        p = subprocess.run([sys.argv[1], *line.split()], stdout=w, stderr=subprocess.PIPE,
                           restore_signals=False, preexec_fn=lambda: signal.signal(signal.SIGPIPE, handler))
        os.close(w)
        # The shell calls the former 141; a run ends as it would have.
        expected = (-signal.SIGPIPE, 0) if handler == signal.SIG_DFL else (0,)
        assert p.stderr == b"" and p.returncode in expected + (5,) * line.startswith("compare"), (line, p)
PY
}

@test "what names a directory cannot be standard output, exit 2" {
    run "$BENCH" run smoke -o -
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --output: '-' is standard output, and a run is a directory" ]
    run "$BENCH" bisect --good a --bad b --build c -o -
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: --output: '-' is standard output, and a run is a directory" ]
    [ ! -e - ]
}

@test "an open loop with no request in its window says so, and not that nothing answered" {
    run "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --repeat 1 --set workload.mode=rr \
        --rate 1 --arrivals constant --duration 50ms --warmup 0 -q -o r
    echo "$output"
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == *"FAILED: client of 'builtin': no request was due in the window" ]]
    [ "${lines[1]}" = "hint: raise 'rate' (1/s) or 'duration' (50ms), so that many are" ]
}
