# Shared by the command-line tests: every test works in a directory of its own, and nothing may be
# left when it ends: no process, no mount, no control group of a bench that it started, no network
# (leftovers.bash).
. "${BASH_SOURCE[0]%/*}/leftovers.bash"

setup() {
    BUILT=${BENCH:-$BATS_TEST_DIRNAME/../../build/bench}
    FAKES=$(dirname "$BUILT")/tests/fakes
    SCENARIOS=$BATS_TEST_DIRNAME/../../scenarios
    cd "$BATS_TEST_TMPDIR" || exit 1
    unset BENCH_PLUGIN_PATH NO_COLOR
    export LC_ALL=C.UTF-8
    # Becomes the program that was built, and leaves its number: other benches may run meanwhile.
    watch_begin "$BATS_TEST_TMPDIR"
    BENCH=$BATS_TEST_TMPDIR/.started/bench
    printf '#!/bin/sh\n: >"%s/$$"\nexec "%s" "$@"\n' "$BATS_TEST_TMPDIR/.started" "$BUILT" >"$BENCH"
    chmod +x "$BENCH"
}

teardown() { watch_end; }

# The process that does the work of the bench with this number, which only waits for it.
worker_of() { tr -d ' ' <"/proc/$1/task/$1/children"; }

is_root() { [ "$(id -u)" = 0 ]; }
need_root() { is_root || skip "needs root"; }
need_nginx() { command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || skip "nginx is not installed"; }

# json FILE EXPRESSION: evaluates a python expression over the document `d`.
json() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }
