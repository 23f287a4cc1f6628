# What did a test leave behind? Its processes are told by what they inherit and by what they hold, never
# by name: an environment variable that `watch_begin` exports, and a working directory, root, program or
# open file below the test's directory. So a process is found after a fork, an exec, a setsid and a change
# of its directory, and one that overwrites its environment (as nginx does) by the files that it holds.
# bats' own processes are the ancestors of the shell that looks.
#
# Beside them: mounts below the test's directory, control groups of benches that the test started and
# that are gone, named network namespaces and interfaces that were not there before.

watch_begin() { # the test's directory
    WATCHED=$1
    export BENCH_TEST_OF="$WATCHED"
    mkdir -p "$WATCHED/.started"
    watch_networks >"$WATCHED/.started/networks"
}

watch_networks() {
    local entry
    for entry in /run/netns/* /sys/class/net/*; do [ -e "$entry" ] && echo "$entry"; done
    return 0
}

# The pids that carry the mark or hold something below the directory. Two programs, not a loop: a
# machine may hold thousands of zombies.
watch_candidates() {
    local path
    {
        find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd -maxdepth 1 \
            \( -lname "$WATCHED/*" -o -lname "$WATCHED" -o -lname "$WATCHED (deleted)" \) 2>/dev/null
        grep -lzxF "BENCH_TEST_OF=$WATCHED" /proc/[0-9]*/environ 2>/dev/null
    } | cut -d/ -f3 | sort -nu
}

# Ports on which a process listens, as " listens on 127.0.0.1:80".
watch_ports() { # pid
    ss -Htulnp 2>/dev/null | awk -v pid="pid=$1," '
        index($0, pid) { printf "%s%s", n++ ? ", " : " listens on ", $5 }'
}

leftovers() {
    local pid up=$BASHPID own=" " group state place
    local candidates
    candidates=$(watch_candidates)
    while [ "$up" -gt 0 ]; do
        own+="$up "
        up=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$up/status") || break
    done
    for pid in $candidates; do
        [[ $own == *" $pid "* ]] && continue
        # Gone since, or a zombie: it holds nothing but its number.
        state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
        case $state in '' | [ZX]*) continue ;; esac
        echo "process $pid ($(cat "/proc/$pid/comm" 2>/dev/null)) $(tr '\0\n' '  ' 2>/dev/null <"/proc/$pid/cmdline")$(watch_ports "$pid")"
    done
    while read -r _ _ _ _ place _; do
        [[ $place == "$WATCHED" || $place == "$WATCHED"/* ]] && echo "mount $place"
    done </proc/self/mountinfo
    stale_groups
    watch_networks | grep -vxFf "$WATCHED/.started/networks" | sed 's/^/network /'
    return 0
}

# Groups of benches that this test started and that are gone: .started holds their pids.
stale_groups() {
    local namespace group pid
    namespace=$(stat -Lc %i /proc/self/ns/pid)
    for group in $(find /sys/fs/cgroup -type d -name "bench-$namespace-*" 2>/dev/null | sort); do
        pid=$(basename "$group" | cut -d- -f3)
        [ -e "$WATCHED/.started/$pid" ] && [ ! -d "/proc/$pid" ] && echo "group $group"
    done
    return 0
}

# For teardown: fails and names what was left.
watch_end() {
    local left
    left=$(leftovers)
    [ -z "$left" ] && return 0
    echo "left behind:"
    echo "$left"
    return 1
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
