# Shared by the command-line tests: every test works in a directory of its own, and nothing may be
# left when it ends: no process that works in that directory, no control group of a bench that it
# started, no network namespace, no port.

setup() {
    BUILT=${BENCH:-$BATS_TEST_DIRNAME/../../build/bench}
    FAKES=$(dirname "$BUILT")/tests/fakes
    SCENARIOS=$BATS_TEST_DIRNAME/../../scenarios
    cd "$BATS_TEST_TMPDIR" || exit 1
    unset BENCH_PLUGIN_PATH NO_COLOR
    export LC_ALL=C.UTF-8
    # Becomes the program that was built, and leaves its number: other benches may run meanwhile.
    mkdir .started
    BENCH=$BATS_TEST_TMPDIR/.started/bench
    printf '#!/bin/sh\n: >"%s/$$"\nexec "%s" "$@"\n' "$BATS_TEST_TMPDIR/.started" "$BUILT" >"$BENCH"
    chmod +x "$BENCH"
}

# Groups of benches that this test started and that are gone.
stale_groups() {
    local namespace group pid
    namespace=$(stat -Lc %i /proc/self/ns/pid)
    for group in $(find /sys/fs/cgroup -type d -name "bench-$namespace-*" 2>/dev/null | sort); do
        pid=$(basename "$group" | cut -d- -f3)
        [ -e "$BATS_TEST_TMPDIR/.started/$pid" ] && [ ! -d "/proc/$pid" ] && echo "group $group"
    done
    return 0
}

teardown() {
    local left
    left=$(leftovers)
    if [ -n "$left" ]; then
        echo "left behind:"
        echo "$left"
        return 1
    fi
}

# Processes whose working directory lies below the test's, and groups of its benches that are gone.
# One find, not a loop: a machine may hold thousands of zombies.
leftovers() {
    local link pid
    find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name cwd \
        \( -lname "$BATS_TEST_TMPDIR/*" -o -lname "$BATS_TEST_TMPDIR" \) 2>/dev/null |
        while read -r link; do
            pid=${link#/proc/}
            pid=${pid%/cwd}
            # bats' own shells stand in the test's directory too.
            grep -qE 'bash|bats|find|sleep|comm|timeout' "/proc/$pid/comm" 2>/dev/null && continue
            grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null && continue
            [ -e "/proc/$pid/cmdline" ] || continue
            echo "process $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
        done
    stale_groups
}

# What is left some time after a kill: the guardian needs a moment.
wait_until_clean() {
    local i
    for i in $(seq 100); do
        [ -z "$(leftovers)" ] && return 0
        sleep 0.05
    done
    leftovers
    return 1
}

is_root() { [ "$(id -u)" = 0 ]; }
need_root() { is_root || skip "needs root"; }
need_nginx() { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || skip "nginx is not installed"; }

# json FILE EXPRESSION: evaluates a python expression over the document `d`.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
