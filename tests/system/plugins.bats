#!/usr/bin/env bats
# Plugins that do wrong things: bench never ends well without having finished, and says whose hook it
# was. The fake 'plugin_misbehaves' does what $MISDEED names.
bats_require_minimum_version 1.5.0
load common

evil() { # kind
    mkdir -p plugins
    cp "$FAKES/plugin_misbehaves.so" plugins/
    export FAKES BENCH_PLUGIN_PATH=$PWD/plugins MISDEED_KIND=$1
    FILE=$PWD/plugins/plugin_misbehaves.so
}

# tries STATUS PATTERN COMMAND…, with the misdeed in $MISDEED.
tries() {
    local wanted=$1 pattern=$2 took=0
    shift 2
    timeout 60 "$BENCH" "$@" >out 2>err || took=$?
    if [ "$took" -ne "$wanted" ] || ! [[ $(cat out err) == *"$pattern"* ]]; then
        echo "MISDEED=$MISDEED bench $*: status $took, wanted $wanted with '$pattern'"
        head -c 2000 err
        return 1
    fi
}

describing() { tries 1 "$1" run -r evil --hops 1 --cpu-limit 0 --repeat 1 --dry-run -v; }
measuring() { tries 1 "$1" run -w evil -r none --hops 0 --network host --cpu-limit 0 --repeat 1 --warmup 0 --duration 50ms -q; }

@test "a hook that ends bench is named, and the status is never 0" {
    evil relay
    local hook="plugin 'evil' ('$FILE'): hook 'describe'"
    for way in exit0 _exit0 quick_exit0 exec pthread_exit; do
        MISDEED=describe_$way describing "bench: $hook ended bench with exit status 0
hint: this is a mistake in the plugin: docs/plugin-api.md says what a hook may do"
        MISDEED=get_$way tries 1 "bench: plugin '$FILE': hook 'bench_plugin_get' ended bench with exit status 0" list relays
    done
    MISDEED=describe_exit7 describing "$hook ended bench with exit status 7"
    # Gates and reports included.
    export MISDEED_KIND=workload
    MISDEED=parse_exit0 tries 1 "hook 'parse' ended bench with exit status 0" run -w evil -r none --hops 0 \
        --cpu-limit 0 --repeat 1 --warmup 0 --duration 50ms --fail-on 'bits_per_second < 1T'
    MISDEED=delivered_exit0 measuring "hook 'delivered' ended bench"
    MISDEED=pausable__exit0 tries 1 "hook 'pausable' ended bench" run -w evil -r none --hops 0 --cpu-limit 0 \
        --interleave yes --dry-run
    MISDEED=none tries 0 "" run -w evil -r none --hops 0 --cpu-limit 0 --repeat 1 --warmup 0 --duration 50ms
    export MISDEED_KIND=reporter
    MISDEED=report__exit0 tries 1 "hook 'report' ended bench with exit status 0" report --format evil
    MISDEED=none tries 0 fine report --format evil
}

@test "a hook that crashes is named" {
    ! ldd "$BUILT" | grep -q libasan || skip "a sanitizer has its own words for a crash"
    evil relay
    local hook="bench: plugin 'evil' ('$FILE'): hook"
    ulimit -c 0
    MISDEED=describe_segv describing "$hook 'describe' was ended by signal 11 (SIGSEGV, Segmentation fault)"
    MISDEED=describe_overflow describing "$hook 'describe' was ended by signal 11"
    MISDEED=describe_wild_text describing "$hook 'describe' was ended by signal 11"
    MISDEED=describe_abort describing "$hook 'describe' was ended by signal 6 (SIGABRT, Aborted)"
    MISDEED=describe_7 describing "$hook 'describe' was ended by signal 7 (SIGBUS"
    MISDEED=describe_8 describing "$hook 'describe' was ended by signal 8 (SIGFPE"
    MISDEED=describe_4 describing "$hook 'describe' was ended by signal 4 (SIGILL"
    MISDEED=describe_31 describing "$hook 'describe' was ended by signal 31 (SIGSYS"
    MISDEED=describe_kill describing "$hook 'describe' was ended by signal 9 (SIGKILL, Killed)
hint: the kernel kills for want of memory: 'dmesg | tail' says so"
    MISDEED=statistics_segv describing "$hook 'statistics' was ended by signal 11"
    for what in get_segv wild name_wild protocols_wild; do
        MISDEED=$what tries 1 "bench: plugin '$FILE': hook 'bench_plugin_get' was ended by signal 11" list relays
    done
    export MISDEED_KIND=workload
    MISDEED=parse_segv measuring "$hook 'parse' was ended by signal 11"
    wait_until_clean
}

@test "a main that crashes or ends is named" {
    evil relay
    ulimit -c 0
    for way in "segv:was killed by signal 11" "abort:was killed by signal 6" "exit0:ended early with exit status 0" \
        "return0:ended early with exit status 0"; do
        ldd "$BUILT" | grep -q libasan && [[ $way == segv* ]] && continue
        MISDEED=main_${way%%:*} tries 1 "main of plugin 'evil' ('$FILE') ${way#*:}" run -r evil --hops 1 --cpu-limit 0 \
            --repeat 1 --warmup 0 --duration 100ms -q
    done
    MISDEED=main_page tries 1 "relay 'evil' (hop 1): start: 'relay_1' failed: AAAA" run -r evil --hops 1 --cpu-limit 0 \
        --repeat 1 --warmup 0 --duration 100ms -q
}

# All of them: tests/unit/plugin/test_hooks.c.
@test "what a hook changes of the process is set back, and said" {
    evil relay
    local hook="plugin 'evil' ('$FILE'): hook 'describe'"
    MISDEED=describe_close describing "bench: $hook closed descriptor 2"
    MISDEED=describe_closeall describing "bench: $hook closed descriptor 0"
    MISDEED=describe_replace describing "bench: $hook closed descriptor 1"
    MISDEED=describe_chdir describing "$hook changed the working directory"
    MISDEED=describe_twice describing "$hook started a process"
    # One that does so when it is loaded is refused; the others are there.
    for what in umask chdir sigchld fork; do
        MISDEED=get_$what tries 0 "hook 'bench_plugin_get' " list relays
        grep -q '^nginx' out
    done
}

@test "what hooks return and describe has bounds" {
    evil relay
    local hook="plugin 'evil' ('$FILE'): hook 'describe'"
    MISDEED=describe_return5 describing "$hook returned 5: 0 or -1 is expected"
    MISDEED=describe_silent describing "$hook failed without saying why"
    MISDEED=describe_wild describing "relay 'evil' (hop 1): AAAA"
    MISDEED=describe_nothing describing "$hook describes neither a program nor a main"
    MISDEED=describe_file_above describing "$hook describes a file called '../escape'"
    MISDEED=main_wild describing "$hook describes a main that is not a function of it"
    MISDEED=statistics_return5 describing "hook 'statistics' returned 5"
    export MISDEED_KIND=workload
    MISDEED=server_silent measuring "hook 'server' failed without saying why"
    MISDEED=client_return5 measuring "hook 'client' returned 5"
    MISDEED=delivered_99 measuring "hook 'delivered' returned 99: neither server nor client"
}

@test "what describes a plugin has bounds" {
    evil relay
    while IFS='|' read -r misdeed reason; do
        MISDEED=$misdeed tries 0 "not used: $FILE: $reason" list relays
    done <<'WRONG'
misaligned|'bench_plugin_get' returned no pointer to a struct
size_small|is 4 bytes: too small for any plugin
size_huge|is 4294967295 bytes: too large for any plugin
major|has ABI 7.
kind|has the unknown kind 9
state_huge|has a state of 1152921504606846976 bytes: at most 16777216
state_large|has a state of 10737418240 bytes: at most 16777216
name_none|name '' does not match [a-z][a-z0-9-]*
name_escape|name '
name_long|name 'aaaaaaaaaaaaaaaaaaaa…' is longer than 63 bytes
description_escape|description is not one line
hops|has 4294967295 hops and 0 extra ports: at most 1000 and 100
ports|has 16 hops and 60000 extra ports: at most 1000 and 100
options_many|has more than 1000 options
options_twice|option table: option 'o0': is there twice
options_outside|option table: option 'o1': offset 1073741824 does not fit a state of 16 bytes
options_escape|option table: option 'o1': its help is not one line
WRONG
}

@test "what a plugin reports is checked as a file from a stranger is" {
    evil workload
    local hook="plugin 'evil' ('$FILE'): hook 'parse'"
    MISDEED=parse_nan measuring "FAILED: workload 'evil': $hook reports nan for 'bytes': not a number"
    MISDEED=parse_window_empty measuring "$hook reports a window that is empty or ends before it begins"
    MISDEED=parse_window_outside measuring "is not within its life"
    MISDEED=parse_name measuring "a name is at most 64 lower-case letters, digits and '_'"
    export MISDEED_KIND=reporter
    MISDEED=report_silent tries 1 "hook 'report' failed without saying why" report --format evil
    export MISDEED_KIND=relay
    hook="relay 'evil' (hop 1): statistics: plugin 'evil' ('$FILE'): hook 'parse_statistics'"
    MISDEED=parse_statistics_nan tries 1 "$hook reports nan for 'x': not a number" run -r evil --hops 1 --cpu-limit 0 \
        --repeat 1 --warmup 100ms --duration 200ms -q
}

# spin MISDEED COMMAND…: starts it, and waits until it is in the hook.
spin() {
    local i worker
    export MISDEED=$1
    shift
    set -m # a background job of a non-interactive shell would ignore SIGINT
    "$BENCH" "$@" >out 2>&1 3>&- &
    pid=$!
    set +m
    for i in $(seq 200); do
        worker=$(worker_of $pid 2>/dev/null) || continue
        # The hook blocks all signals before it spins.
        grep -q '^SigBlk:.*fffffffe7ffbfeff' "/proc/$worker/status" 2>/dev/null && return 0
        sleep 0.02
    done
    cat out
    return 1
}

@test "signals end a hook that spins" {
    evil relay
    local code=0
    spin describe_loop run -r evil --hops 1 --cpu-limit 0 --repeat 1
    kill -TERM $pid
    wait $pid || code=$?
    cat out
    [ "$code" -eq 143 ]
    grep -qxF "bench: plugin 'evil' ('$FILE'): hook 'describe' did not return after SIGTERM" out
    # A second signal ends it at once.
    export MISDEED_KIND=workload
    spin parse_loop run -w evil -r none --hops 0 --cpu-limit 0 --repeat 1 --warmup 0 --duration 50ms -q
    kill -INT $pid
    sleep 0.5
    kill -INT $pid
    code=0
    wait $pid || code=$?
    cat out
    [ "$code" -eq 130 ]
    grep -qxF "bench: plugin 'evil' ('$FILE'): hook 'parse' did not return after SIGINT" out
    # Nothing is left once it has ended.
    [ -z "$(leftovers)" ]
}

@test "the files of its plugins belong to a run, and one that takes a shipped one's name is said" {
    evil relay
    export MISDEED=name_shipped
    "$BENCH" run -r nginx --hops 1 --cpu-limit 0 --repeat 1 --warmup 100ms --duration 200ms -q -o one >out 2>err
    cat err
    local said="the relay 'nginx' is the plugin '$FILE', in place of '$(realpath "$(dirname "$BUILT")")/plugins/relays/nginx.so'"
    grep -qxF "bench: warning: $said" err
    grep -qF "! $said" out
    [ "$(jq -r '.plugins[] | select(.kind == "relay") | .name + " " + .path + " " + .sha256' one/run.json)" = \
        "nginx $FILE $(sha256sum <"$FILE" | cut -d' ' -f1)" ]
    [ "$(jq -r '.plugins[] | select(.kind == "workload") | "\(.name) \(.replaces)"' one/run.json)" = "builtin null" ]
    # The same file twice replaces nothing.
    cp "$FILE" plugins/twice.so
    export MISDEED=none
    "$BENCH" run -r evil --hops 1 --cpu-limit 0 --repeat 1 --warmup 100ms --duration 200ms -q -o two >out 2>err
    [ ! -s err ]
    # Another file of that name is another relay.
    rm plugins/twice.so
    echo >>"$FILE"
    "$BENCH" run -r evil --hops 1 --cpu-limit 0 --repeat 1 --warmup 100ms --duration 200ms -q -o three >/dev/null
    "$BENCH" compare two three >out || true
    cat out
    grep -qE "^! the runs differ in relay plugin 'evil': sha256 [0-9a-f]{8}, [0-9a-f]{8}$" out
    ! grep -q "plugin 'builtin'" out
}
