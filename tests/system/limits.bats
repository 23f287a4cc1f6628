#!/usr/bin/env bats
# Limits that bench itself runs under: memory, stack.
bats_require_minimum_version 1.5.0
load common

@test "a stack that is too small is said, and no crash" {
    run bash -c "ulimit -s 64; exec '$BENCH' list relays"
    [ "$status" -eq 5 ]
    [ "$output" = "bench: the stack is limited to less than 1 MiB
hint: 'ulimit -s 8192' is usual" ]
}

# at KIB COMMAND…: the status with so much address space.
at() {
    local kib=$1
    shift
    # What the loader says of too little is not ours.
    bash -c 'ulimit -c 0; ulimit -v $0; exec "$@"' "$kib" "$BUILT" "$@" >out 2>err || status=$?
}

@test "too little memory is said by every command, and no crash" {
    ! ldd "$BUILT" | grep -q libasan || skip "a sanitizer reserves all address space"
    "$BENCH" run -w builtin -r none --hops 0 --cpu-limit 0 --repeat 2 --duration 200ms --warmup 50ms \
        --network host -q >/dev/null
    local lacked=0 kib command
    for command in "report --format json" "compare a=latest b=latest" "run smoke --dry-run" "list runs"; do
        for kib in $(seq 12400 150 15400); do
            status=0
            at "$kib" $command
            # 1: out of memory; 5: a plugin does not load, or a verdict that is not possible here
            case $status in
            0 | 127) continue ;;
            1) grep -qE 'out of memory|Cannot allocate memory|disk I/O error' err && lacked=$((lacked + 1)) && continue ;;
            5) { [ -s out ] || grep -qE 'does not load|not searched' err; } && continue ;;
            esac
            echo "$command with $kib KiB: status $status"
            cat err
            false
        done
    done
    echo "short of memory: $lacked times"
    [ "$lacked" -gt 0 ]
}
