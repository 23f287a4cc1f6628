#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The ceiling: builtin stream without a relay against what iperf3 and neper reach, 2 connections.
. tests/perf/lib/pairs.bash
each_network "$0"

iperf3_p2() {
    local port server result
    port=$(free_port)
    iperf3 -s -1 -p "$port" >/dev/null 2>&1 &
    server=$!
    until_listening "$port" || return 1
    result=$(iperf3 -c 127.0.0.1 -p "$port" -P 2 -t "$SECONDS_EACH" -f m)
    wait $server
    awk '/^\[SUM\].* receiver/ { for (i = 2; i <= NF; i++) if ($i ~ /^Mbits/) print $(i - 1) / 1000 }' \
        <<<"$result"
}

neper_stream() { # buffer size, other options
    local data control server result directory
    data=$(free_port)
    control=$(free_port)
    directory=$(mktemp -d) # it leaves its log where it runs
    cd "$directory" || return 1
    tcp_stream -C "$control" -P "$data" -T 2 -F 2 -B "$1" -l "$SECONDS_EACH" "${@:2}" \
        >server 2>/dev/null &
    server=$!
    until_listening "$control" || return 1
    tcp_stream -c -H 127.0.0.1 -C "$control" -P "$data" -T 2 -F 2 -B "$1" -l "$SECONDS_EACH" \
        "${@:2}" >/dev/null 2>&1
    wait $server
    result=$(sed -n 's/^throughput=//p' server)
    rm -r "$directory"
    awk -v mbits="$result" 'BEGIN { print mbits / 1000; exit !mbits }'
}

# neper's best buffer size differs with the machine: the best of several, chosen anew in each round.
neper_best() {
    local size
    for size in 131072 524288 1048576; do
        (neper_stream $size "$@")
    done | sort -g | tail -n 1
}

if command -v iperf3 >/dev/null; then
    pair stream 2 builtin drive 'iperf3 -P2' iperf3_p2
    pair 'stream, copying' '' builtin 'drive receive=copy' 'iperf3 -P2' iperf3_p2
else
    echo "stream: iperf3 skipped: no 'iperf3' on PATH"
fi
if command -v tcp_stream >/dev/null; then
    pair stream 1 builtin drive neper neper_best
    pair 'stream, both discarding' '' builtin drive neper 'neper_best --skip-rx-copy'
else
    echo "stream: neper skipped: no 'tcp_stream' on PATH"
fi
