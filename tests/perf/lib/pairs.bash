# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For the benchmarks in tests/perf: measuring two sides in turn, in a network of their own.

# A script exits 1 when something could not be measured.
perf_failed=0
trap 'exit $perf_failed' EXIT

# Runs the script again in a new network with `reno`, and then goes on in the host's own. Call it
# first. PERF_NETWORK says where the script is.
each_network() { # script
    [ -n "${PERF_NETWORK:-}" ] && return
    if unshare --net ip link set lo up 2>/dev/null; then
        # shellcheck disable=SC2016
        PERF_NETWORK='isolated, reno' unshare --net bash -c '
            ip link set lo up && echo reno >/proc/sys/net/ipv4/tcp_congestion_control && . "$1"' \
            "$1" "$1" || perf_failed=1
    else
        echo 'skipped in an isolated network: that needs root and ip(8)'
    fi
    PERF_NETWORK="host, $(cat /proc/sys/net/ipv4/tcp_congestion_control)"
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        grep -qi ":$(printf %04X $port) " /proc/net/tcp || break
    done
    echo $port
}

until_listening() { # port
    local i
    for i in {1..500}; do
        grep -qiE ":$(printf %04X "$1") 0+:0000 0A" /proc/net/tcp /proc/net/tcp6 && return
        sleep 0.01
    done
    return 1
}

drive() { # -j JOBS option=value…: Gbit/s of the built-in workload, or thousand requests/s
    local line
    line=$("$BUILD/tests/perf/drive" -t "$SECONDS_EACH" "$@") && echo "${line%% *}"
}

# Prints the ratio of two commands, each of which prints a number in UNIT (Gbit/s).
pair() { # title, goal or '', name of A, command of A, name of B, command of B
    local title=$1 goal=$2 name_a=$3 a=$4 name_b=$5 b=$6 i x y rows=
    for ((i = 0; i < ROUNDS; i++)); do
        if ((i % 2)); then
            y=$($b) && x=$($a)
        else
            x=$($a) && y=$($b)
        fi || {
            echo "$title ($PERF_NETWORK): FAILED: '$a' or '$b'"
            perf_failed=1
            return
        }
        rows+="$x $y"$'\n'
    done
    awk -v title="$title ($PERF_NETWORK)" -v goal="$goal" -v a="$name_a" -v b="$name_b" -v unit="${UNIT:-Gbit/s}" '
        function middle(v, n) { return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
        function sort(v, n,   i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
        }
        NF == 2 { n++; x[n] = $1; y[n] = $2; r[n] = $1 / $2 }
        END {
            sort(x, n); sort(y, n); sort(r, n)
            printf "%-26s %s %.1f, %s %.1f %s: %.2f times (%.2f to %.2f)", title, a, middle(x, n),
                b, middle(y, n), unit, middle(r, n), r[1], r[n]
            if (goal) printf ", goal %s: %s", goal, (middle(r, n) >= goal ? "met" : "NOT MET")
            print ""
        }' <<<"$rows"
}
