#!/usr/bin/env bats
# tests/run on a small tree: what it prints, counts and returns, one after the other and together.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mkdir -p tests/system tests/plugins build/tests/unit/base build/tests/unit/run
    mkdir -p tests/unit/base tests/unit/run
    cp "$BATS_TEST_DIRNAME/../run" tests/
    unit base/test_good 'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"'
    unit base/test_slow 'sleep 0.3; echo "ok 1 - a"'
    unit base/test_skips 'echo "# SKIP no time"; echo "not ok 1 # SKIP later"'
    unit run/test_alone 'echo "ok 1 - a"'
}

unit() { # name, script
    : >"tests/unit/$1.c"
    printf '#!/bin/sh\n%s\n' "$2" >"build/tests/unit/$1"
    chmod +x "build/tests/unit/$1"
}

lines_of() { sed -E 's/ +[0-9]+\.[0-9] s$//' <<<"$output"; }

@test "the same is printed and counted together and one after the other" {
    expected='unit/base/test_good.c                      2 passed   0 failed   0 skipped
skipped unit/base/test_skips.c: later : no time
unit/base/test_skips.c                     0 passed   0 failed   1 skipped
unit/base/test_slow.c                      1 passed   0 failed   0 skipped
unit/run/test_alone.c                      1 passed   0 failed   0 skipped

4 passed, 0 failed, 1 skipped'
    for JOBS in 1 2 8; do
        JOBS=$JOBS run tests/run
        echo "$output"
        [ "$status" -eq 0 ]
        [ "$(lines_of)" = "$expected" ]
    done
}

@test "what fails, crashes or prints nothing is a failure" {
    unit base/test_bad 'echo "ok 1 - a"; echo "not ok 2 - b"; echo "# because"; exit 1'
    unit base/test_crash 'echo "ok 1 - a"; kill -SEGV $$'
    rm build/tests/unit/base/test_slow
    for JOBS in 1 3; do
        JOBS=$JOBS run tests/run
        echo "$output"
        [ "$status" -eq 1 ]
        [[ $output == *"FAILED unit/base/test_bad.c:
    not ok 2 - b
    # because
unit/base/test_bad.c                       1 passed   1 failed   0 skipped"* ]]
        [[ $output == *"FAILED unit/base/test_crash.c: exit status 139"* ]]
        [[ $output == *"FAILED unit/base/test_slow.c: exit status 127"* ]]
        [ "${lines[-1]}" = "5 passed, 3 failed, 1 skipped" ]
    done
}

@test "an argument selects, and nothing selected is no success" {
    run tests/run test_good alone
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = "3 passed, 0 failed, 0 skipped" ]
    run tests/run nothing
    [ "$status" -eq 1 ]
}

@test "units that measure nothing run at the same time, others do not" {
    rm tests/unit/*/*
    for i in 1 2; do
        unit base/test_meet$i "touch in$i
            for i in \$(seq 500); do [ -e in1 ] && [ -e in2 ] && echo 'ok 1 - met' && exit; sleep 0.01; done
            exit 1"
    done
    JOBS=2 run tests/run
    echo "$output"
    [ "$status" -eq 0 ]
    for i in 1 2; do unit run/test_apart$i "mkdir busy && sleep 0.1 && rmdir busy && echo 'ok 1 - alone'"; done
    JOBS=2 run tests/run apart
    echo "$output"
    [ "$status" -eq 0 ]
}
