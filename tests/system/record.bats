#!/usr/bin/env bats
# Captures that sample with the perf tool.
bats_require_minimum_version 1.5.0
load common

need_perf() {
    command -v perf >/dev/null || skip "perf is not installed"
    perf version >/dev/null 2>&1 || skip "perf does not run on this kernel"
}

short() { # command, extra arguments
    local command=$1
    shift
    "$BENCH" "$command" --cpu-limit 0 --warmup 100ms --duration 400ms --repeat 1 -q "$@"
}

# fake_perf BODY: a program 'perf' that is found first.
fake_perf() {
    mkdir -p fake
    printf '#!/bin/sh\n%s\n' "$1" >fake/perf
    chmod +x fake/perf
    PATH=$PWD/fake:$PATH
}

# s.yaml: an arm that is sampled in its ordinary repetitions, so that nothing comes before.
captured_at_once() {
    cat >s.yaml <<'END'
bench: 1
relays: [{name: sampled, plugin: none, capture: [record]}]
capture: [record]
END
}

# A perf that obeys on its control channel and, when told to stop, leaves what the real one makes of
# $EVENTS. Its arguments are kept, and it prints them as its report.
obedient_perf() {
    export REAL_PERF EVENTS=$1
    REAL_PERF=$(command -v perf)
    fake_perf '[ "$1" = --version ] && exec echo "perf version 6.1.0"
printf "%s " "$@" >arguments
[ "$1" = record ] || exec echo "the table of $*"
while read -r command; do
    echo "$command" >>commands
    if [ "$command" = stop ]; then
        for a in "$@"; do case $a in --output=*) output=${a#*=};; esac; done
        exec "$REAL_PERF" record -q $EVENTS -o "$output" true >/dev/null </dev/null
    fi
    printf "ack\n\000" >&0
done'
}

# on_devices DIRECTORY COMMAND…: as on a machine that has these event sources.
on_devices() {
    unshare -m sh -c 'mount --bind "$0" /sys/bus/event_source/devices && exec "$@"' "$@"
}

@test "record samples every role: forked workers, threads and forked servers, symbols included" {
    need_perf
    need_nginx
    run --separate-stderr short record -r nginx --warmup 500ms --duration 1s --set relay.workers=2 --jobs 8 --hops 1 --set workload.mode=echo \
        --set workload.server=process
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    at=$(dirname bench-results/latest/repetitions/0002-nginx/repetition.json)
    for role in client server relay_1; do
        perf script -i "$at/record-$role.perf.data" -F comm,pid,event,ip,sym,dso >$role.txt 2>/dev/null
        [ -s $role.txt ]
    done
    # perf writes down the machine's name, which no run keeps; perf reads the file all the same.
    perf report -i "$at/record-client.perf.data" --header-only >header.txt 2>/dev/null
    grep -q '^# hostname : *$' header.txt
    grep -q '^# cmdline : .*perf' header.txt
    # The workers, which the master forks after it has been let go: itself it only waits.
    [ "$(grep -c '^nginx' relay_1.txt)" -gt 10 ]
    # A built-in role never execs: its code is found all the same.
    grep -qE 'bench-server +[0-9]' server.txt
    grep -q "/libc.so" server.txt
    # Processes and threads that the built-in workload starts per connection.
    [ "$(perf script -i "$at/record-server.perf.data" -F pid 2>/dev/null | sort -u | grep -c .)" -ge 2 ]
    [ "$(perf script -i "$at/record-client.perf.data" -F tid 2>/dev/null | sort -u | grep -c .)" -ge 2 ]
    # Nothing was sampled long before the window or after it.
    perf script -i "$at/record-relay_1.perf.data" -F time 2>/dev/null | awk '{sub(":", "", $1); print $1}' >times
    [ "$(json "$at/repetition.json" 'all(
        d["window_begin_ns"] - 250e6 < float(t) * 1e9 < d["window_end_ns"] + 250e6
        for t in open("times") if t.strip())')" = True ]
    # The stacks are kept as text, and counted.
    n=$(perf script -i "$at/record-relay_1.perf.data" -F event 2>/dev/null | grep -c cpu-clock || true)
    if [ "$n" -gt 0 ]; then
        [ "$(json "$at/record-relay_1.json" 'd["samples"]')" = "$n" ]
    fi
    [ "$(json "$at/record-relay_1.json" '[d["lost"], d["files"]]')" = \
        "[0, ['record-relay_1.perf.data', 'record-relay_1.folded', 'record-relay_1.svg', 'record-relay_1.speedscope.json']]" ]
    # … and drawn, as the command would; the picture says what it is of.
    grep -q '<title>builtin: nginx, record of relay_1</title>' "$at/record-relay_1.svg"
    python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$at/record-relay_1.svg"
    "$BENCH" flamegraph "$at/record-relay_1.folded" --format speedscope >again.json
    stacks='sorted(([d["shared"]["frames"][i]["name"] for i in s], w) for p in d["profiles"]
        for s, w in zip(p["samples"], p["weights"]))'
    [ "$(json "$at/record-relay_1.speedscope.json" "$stacks")" = "$(json again.json "$stacks")" ]
    grep -q '^nginx;.*do_syscall_64_\[k\]' "$at/record-relay_1.folded"
    [ "$(json "$at/repetition.json" 'sorted(c["role"] for c in d["captures"])')" = "['client', 'relay_1', 'server']" ]
    [[ $output == *"captured nginx, record of server: "*" samples by "*"; repetitions/0002-nginx/record-server.svg"* ]]
    # Neither Debian's nginx nor its C library has frame pointers; that is said, with the remedy.
    if [ "$(json "$at/record-relay_1.json" 'd["frame_pointers"]')" = False ]; then
        [[ $output == *"was built without frame pointers; use 'call_graph: dwarf'"* ]]
    fi
    # perf does not look for build-ids when it writes up, for which it makes files in /tmp.
    if printf '5.12\n%s\n' "$(uname -r)" | sort -VC; then
        perf evlist -v -i "$at/record-relay_1.perf.data" | grep -q 'build_id: 1'
    fi
    perf buildid-list -i "$at/record-relay_1.perf.data" | grep -q '[0-9a-f]\{16\} .*/nginx$'
    # What perf printed is kept.
    grep -q 'perf record: Captured' "$at/record-relay_1/stderr"
}

@test "a capture that perturbs has repetitions of its own, which enter no estimate" {
    need_perf
    run --separate-stderr short run -r none --repeat 2 --capture record --format json
    echo "$output" >doc.json
    [ "$status" -eq 0 ]
    [ "$(json doc.json '[r["purpose"] for r in d["repetitions"]]')" = "['measure', 'capture:record', 'measure']" ]
    [ "$(json doc.json 'd["arms"][0]["valid"]')" = 2 ]
    ls bench-results/latest/repetitions/0002-none/record-*.perf.data
    [ -z "$(ls bench-results/latest/repetitions/0001-none/ | grep record)" ]
    # The folded text can be had from the recording again; without both there is nothing.
    at=bench-results/latest/repetitions/0002-none
    "$BENCH" flamegraph latest --role client --format folded >kept
    rm "$at/record-client.folded"
    "$BENCH" flamegraph latest --role client --format folded | cmp - kept
    "$BENCH" flamegraph latest -o all.svg
    grep -q 'record-client.folded.* is gone: folded again from .*record-client.perf.data' all.svg
    rm "$at/record-client.perf.data"
    run "$BENCH" flamegraph latest --role client
    [ "$status" -eq 1 ]
    [[ $output == *"record-client.folded' is gone, and so is 'record-client.perf.data'"*"hint: "* ]]
}

@test "an option chooses roles, frequency and stacks" {
    need_perf
    cat >s.yaml <<'END'
bench: 1
relays: [none]
capture: [stat, {record: {frequency: 42, roles: client, repeat: 2}}]
END
    # Flags override the file, which keeps what they leave alone.
    run --separate-stderr short record s.yaml --frequency 199 --call-graph none --event cpu-clock:u \
        --set capture.record.roles=server
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ "$(ls bench-results/latest/repetitions/*/record-*.perf.data | wc -l)" = 2 ]
    perf evlist -v -i bench-results/latest/repetitions/0002-none/record-server.perf.data >events
    cat events
    grep -q '^cpu-clock:u:.*sample_freq }: 199,.*exclude_kernel: 1' events
    ! grep -q CALLCHAIN events
}

@test "with call_graph dwarf the stacks of a relay without frame pointers are whole" {
    need_perf
    need_nginx
    cat >s.yaml <<'END'
bench: 1
relays: [{name: sampled, plugin: nginx, capture: [record]}]
hops: 1
capture: [{record: {roles: relay, call_graph: dwarf}}]
END
    run --separate-stderr short run s.yaml --duration 1s
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    folded=$(echo bench-results/latest/repetitions/0001-sampled/record-relay_1.folded)
    grep -q '^nginx;.*;main;.*;do_syscall_64_\[k\]' "$folded"
}

@test "without perf nothing is started" {
    mkdir empty
    run --separate-stderr env PATH="$PWD/empty" "$(readlink -f "$BUILT")" record -r none --repeat 1
    [ "$status" -eq 5 ]
    [ "$stderr" = "bench: capture 'record': 'perf' is not found on PATH
hint: apt install linux-perf, or dnf install perf" ]
    [ ! -e bench-results ]
}

@test "a perf that is too old is refused before anything starts" {
    fake_perf 'echo "perf version 4.19.316"'
    run --separate-stderr short record -r none
    [ "$status" -eq 5 ]
    [[ $stderr == *"capture 'record': '$PWD/fake/perf': perf version 4.19.316 is too old"* ]]
    [ ! -e bench-results ]
}

@test "an event that the machine does not have is refused, not replaced" {
    need_perf
    [ -e /sys/bus/event_source/devices/cpu ] && skip "this machine counts cycles"
    cat >s.yaml <<'END'
bench: 1
relays: [none]
capture: [{record: {event: cycles}}]
END
    run --separate-stderr short run s.yaml
    [ "$status" -eq 5 ]
    [[ $stderr == *"capture 'record': event 'cycles': this machine has no hardware performance counters"* ]]
    [ ! -e bench-results ]
}

@test "two kinds of cores have no cycles in common" {
    need_root
    unshare -m true || skip "no mount namespaces here"
    mkdir -p devices/cpu_core devices/cpu_atom
    run on_devices "$PWD/devices" "$BENCH" check
    [[ $output == *"WARN     sampling     'record' samples by 'cpu-clock': event 'cycles': this CPU has two kinds of cores"* ]]
    [[ $output == *"fix:  pin every role to cores of one kind, and name theirs: 'event: cpu_core/cycles/'"* ]]
}

@test "callers from branch records are refused where the CPU keeps none" {
    need_perf
    [ -e /sys/bus/event_source/devices/cpu ] && skip "this machine has a PMU"
    cat >s.yaml <<'END'
bench: 1
relays: [none]
capture: [{record: {call_graph: lbr}}]
END
    run --separate-stderr short run s.yaml
    [ "$status" -eq 5 ]
    [[ $stderr == *"capture 'record': call_graph 'lbr': the CPU's branch records cannot be had: "* ]]
    [ ! -e bench-results ]
}

@test "an ordinary user samples his own processes, chains included" {
    need_root
    need_perf
    need_nginx
    command -v setpriv >/dev/null || skip "setpriv is not installed"
    [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ] || skip "perf_event_paranoid forbids it"
    # The test's own directory is not for everybody.
    local tree
    tree=$(mktemp -d) && chmod 777 "$tree"
    cp -r "$BUILT" "$(dirname "$BUILT")/plugins" "$tree" && chmod -R a+rX "$tree"
    cd "$tree"
    run --separate-stderr setpriv --reuid=65534 --regid=65534 --clear-groups ./bench record -r nginx \
        --hops 2 --cpu-limit 0 --warmup 100ms --duration 400ms --repeat 1 -q
    files=$(ls bench-results/latest/repetitions/0002-nginx/record-*.perf.data | wc -l)
    cd "$BATS_TEST_TMPDIR"
    rm -rf "$tree"
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ "$files" = 4 ]
    if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" = 2 ]; then
        [[ $output == *"record sampled by 'c"*":u': "*"the kernel's own code is not sampled"* ]]
    fi
}

@test "a perf that fails at the start fails the repetition with its words" {
    fake_perf '[ "$1" = --version ] && exec echo "perf version 6.1.0"
echo "cannot open the events" >&2; exit 129'
    run --separate-stderr short record -r none
    echo "$stderr"
    [ "$status" -eq 1 ]
    [[ $stderr == *"capture 'record': record-server: 'perf' ended early with exit status 129"* ]]
    [[ $stderr == *"cannot open the events"* ]]
}

@test "a perf that is killed in the window fails the repetition" {
    need_perf
    captured_at_once
    "$BENCH" run s.yaml --cpu-limit 0 --warmup 100ms --duration 2s --repeat 1 -q >out 2>&1 3>&- &
    pid=$!
    for i in $(seq 400); do
        grep -q enabled bench-results/*/repetitions/0001-*/record-server/stderr 2>/dev/null && break
        sleep 0.02
    done
    perf=$(find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*' -name cwd \
        -lname "$PWD/*/record-server" 2>/dev/null | while read -r link; do
            p=$(dirname "$link")
            [ "$(cat "$p/comm")" = perf ] && basename "$p"
        done)
    kill -9 "$perf"
    code=0
    wait $pid || code=$?
    cat out
    [ "$code" -eq 1 ]
    grep -q "capture 'record': record-server: 'perf' was killed by signal 9" out
}

@test "kill -9 of the bench in the window leaves no perf" {
    need_perf
    captured_at_once
    "$BENCH" run s.yaml --cpu-limit 0 --warmup 100ms --duration 20s --repeat 1 -q >out 2>&1 3>&- &
    pid=$!
    for i in $(seq 400); do
        grep -q enabled bench-results/*/repetitions/0001-*/record-server/stderr 2>/dev/null && break
        sleep 0.02
    done
    left=$(leftovers)
    echo "$left"
    [[ $left == *'perf record'* ]]
    kill -9 $pid
    wait $pid || true
    wait_until_clean
}

@test "c2c and mem: where nothing samples memory accesses, nothing is started" {
    [ -e /sys/bus/event_source/devices/cpu/events/mem-loads ] && skip "this machine samples them"
    [ -e /sys/bus/event_source/devices/ibs_op ] && skip "this machine samples them"
    for command in c2c mem; do
        run --separate-stderr short $command -r none
        [ "$status" -eq 5 ]
        [[ $stderr == "bench: capture '$command': this machine does not sample memory accesses: "* ]]
        [[ $stderr == *"hint: use an Intel, AMD or ARM server CPU on bare metal"*"'bench record' shows where time goes"* ]]
        run --separate-stderr short $command -r none --dry-run
        [ "$status" -eq 5 ]
        [[ $output == *"capture:$command"* ]]
        [[ $stderr == "bench: capture '$command': this machine does not"* ]]
    done
    cat >s.yaml <<'END'
bench: 1
relays: [none]
cpu_limit: 0
capture: [c2c]
END
    run "$BENCH" check s.yaml
    [ "$status" -eq 5 ]
    [[ $output == *"MISSING  scenario     capture 'c2c': this machine does not sample"* ]]
    [ ! -e bench-results ]
}

@test "c2c: a device that does not open is told before anything starts" {
    need_root
    need_perf
    unshare -m true || skip "no mount namespaces here"
    mkdir -p devices/ibs_op
    echo 4242 >devices/ibs_op/type
    run --separate-stderr on_devices "$PWD/devices" "$BENCH" c2c -r none --cpu-limit 0 --repeat 1 -q
    echo "$stderr"
    [ "$status" -eq 5 ]
    [[ $stderr == "bench: capture 'c2c': event 'ibs_op//': "* ]]
    [ ! -e bench-results ]
}

@test "c2c and mem: where the machine can, perf is told what its own c2c and mem would record" {
    need_root
    need_perf
    unshare -m true || skip "no mount namespaces here"
    mkdir -p devices/cpu/events devices/software
    touch devices/cpu/events/mem-loads devices/cpu/events/mem-stores
    obedient_perf '-e cpu-clock/name=cpu-loads/ -e cpu-clock/name=cpu-stores/'
    cat >s.yaml <<'END'
bench: 1
relays: [none]
capture: [{c2c: {roles: server, ldlat: 40}}, {mem: {roles: client}}]
END
    run --separate-stderr on_devices "$PWD/devices" "$BENCH" run s.yaml --cpu-limit 0 --warmup 100ms \
        --duration 300ms --repeat 1 -q
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    c2c=$(echo "$PWD"/bench-results/latest/repetitions/000[23]-none/c2c-server.txt)
    mem=$(echo "$PWD"/bench-results/latest/repetitions/000[23]-none/mem-client.txt)
    c2c=$(readlink -f "$(dirname "$c2c")")
    mem=$(readlink -f "$(dirname "$mem")")
    arguments=$(cat "$c2c/c2c-server/arguments")
    [[ $arguments =~ ^"record --"(buildid-mmap|no-buildid-cache)" --control=fd:0,0 --output=$c2c/c2c-server.perf.data --pid="[0-9]+" --event=dummy --weight --data --phys-data --sample-cpu --event=cpu/mem-loads,ldlat=40,name=cpu-loads/P --event=cpu/mem-stores,name=cpu-stores/P "$ ]]
    [ "$(xargs <"$c2c/c2c-server/commands")" = "disable cpu-loads disable cpu-stores enable cpu-loads enable cpu-stores disable cpu-loads disable cpu-stores stop" ]
    grep -q 'mem-loads,ldlat=30,' "$mem/mem-client/arguments"
    # The tables are those of perf's own reports.
    [ "$(cat "$c2c/c2c-server.txt")" = "the table of c2c report --stdio --input=$c2c/c2c-server.perf.data" ]
    [ "$(cat "$mem/mem-client.txt")" = "the table of mem report --stdio --input=$mem/mem-client.perf.data" ]
    # And the report shows them.
    [[ $output == *"           the table of c2c report --stdio --input=$c2c/c2c-server.perf.data"* ]]
    [[ $output == *"           the table of mem report --stdio --input=$mem/mem-client.perf.data"* ]]
    [ "$(json "$c2c/c2c-server.json" '[d[k] for k in ("capture", "role", "event", "ldlat", "files")]')" = \
        "['c2c', 'server', 'PEBS', 40, ['c2c-server.perf.data', 'c2c-server.txt']]" ]
}

@test "a perf that records another event than it was asked for fails the repetition" {
    need_perf
    obedient_perf '-e cpu-clock'
    cat >s.yaml <<'END'
bench: 1
relays: [none]
capture: [{record: {event: page-faults, roles: server}}]
END
    run --separate-stderr short run s.yaml
    echo "$stderr"
    [ "$status" -eq 1 ]
    [[ $stderr == *"capture 'record': record-server: perf did not record 'page-faults', but 'cpu-clock'"* ]]
}
