#!/usr/bin/env bats
# bench check: what it says of this machine, and its exit status.
load common
root="$BATS_TEST_DIRNAME/../.."

scenario() { # relays
    printf 'bench: 1\nname: checked\nworkload: builtin\nhops: 1\ncpu_limit: 0\nnetwork: auto\nrelays: %s\n' "$1" \
        >checked.yaml
}

# Every line is a level, a subject and a text, or mends the line above.
well_formed() {
    ! grep -vE '^((OK|WARN|MISSING) +[a-z]+ +[^ ].*| {22}fix:  .+|)$' <<<"$(sed '$d' <<<"$output")"
}

@test "a scenario without third-party tools can run" {
    scenario '[none]'
    run "$BENCH" check checked.yaml
    [ "$status" -eq 0 ]
    well_formed
    [ "${lines[0]}" = "OK       scenario     arm 'none': needs no program" ]
    [[ ${lines[-1]} == "'checked' can run here, "*" warning"* ]]
    for subject in containment cgroups network limits noise; do
        grep -qE "^(OK|WARN) +$subject " <<<"$output"
    done
    # Of what it has no use for, nothing is said.
    ! grep -E '^(OK|WARN) +(plugins|programs|counters|sampling|tools) ' <<<"$output"
    printf 'capture: [stat, syscalls]\n' >>checked.yaml
    run "$BENCH" check checked.yaml
    grep -qE '^(OK|WARN) +counters ' <<<"$output"
    grep -qE "^(OK|WARN) +sampling +'syscalls'" <<<"$output"
    ! grep -E "'(record|c2c|offcpu)'" <<<"$output"
    # Without a scenario it is everything.
    run "$BENCH" check
    for subject in plugins containment cgroups network counters sampling limits noise tools; do
        grep -qE "^(OK|WARN|MISSING) +$subject " <<<"$output"
    done
}

@test "a program that is not where the arm says is missing: exit 5, with what to do" {
    scenario '[none, {name: mine, plugin: nginx, path: /nonexistent}]'
    run "$BENCH" check checked.yaml
    [ "$status" -eq 5 ]
    well_formed
    [ "${lines[1]}" = "MISSING  scenario     arm 'mine': relay 'mine' (hop 1): program 'nginx' not found in '/nonexistent'" ]
    [[ ${lines[2]} == "                      fix:  'path' of an arm is "* ]]
    [ "${lines[-1]}" = "'checked' cannot run here: 1 missing" ]
}

@test "a program that is not on PATH is missing, with its packages" {
    mkdir plugins plugins/relays
    cat >absent.c <<'PLUGIN'
#include <bench/relay.h>
static const struct bench_host *host;
static int describe(void *s, const struct bench_hop *h, struct bench_process *p, struct bench_error *e)
{
    (void)s, (void)h, (void)e;
    host->argument(p, "bench-absent");
    return 0;
}
static const char *const tcp[] = {"tcp", 0};
static const struct bench_program programs[] = {
    {.name = "bench-absent", .apt = "absent-deb", .dnf = "absent-rpm"}, {0}};
static const struct bench_relay absent = {
    .plugin = {sizeof(absent), BENCH_ABI_MAJOR, BENCH_ABI_MINOR, BENCH_RELAY, "absent", "not here",
               0, 0, programs},
    .protocols = tcp, .max_hops = 1, .describe = describe};
const struct bench_plugin *bench_plugin_get(const struct bench_host *core)
{
    host = core;
    return &absent.plugin;
}
PLUGIN
    ${CC:-cc} -shared -fPIC -I"$root/include" -o plugins/relays/absent.so absent.c
    echo garbage >plugins/relays/broken.so
    export BENCH_PLUGIN_PATH=$PWD/plugins:$PWD/nowhere

    run "$BENCH" check
    grep -qx "WARN     programs     'bench-absent' not found: the relay 'absent' cannot be used" <<<"$output"
    scenario '[none]' # not used: not a word
    run "$BENCH" check checked.yaml
    [ "$status" -eq 0 ]
    [[ $output != *bench-absent* ]]
    grep -qx "WARN     plugins      '$PWD/plugins/relays/broken.so' is refused: does not load: file too short" <<<"$output"
    grep -qx "WARN     plugins      not searched: $PWD/nowhere: No such file or directory" <<<"$output"

    scenario '[absent]'
    run "$BENCH" check checked.yaml
    [ "$status" -eq 5 ]
    [ "${lines[0]}" = "MISSING  scenario     arm 'absent': relay 'absent' (hop 1): program 'bench-absent' not found" ]
    [ "${lines[1]}" = "                      fix:  apt install absent-deb, dnf install absent-rpm, or give the arm a 'path'" ]
}

@test "a plugin that was refused stands in the way" {
    mkdir -p plugins/relays
    echo garbage >plugins/relays/broken.so
    scenario '[broken]'
    BENCH_PLUGIN_PATH=$PWD/plugins run "$BENCH" check checked.yaml
    [ "$status" -eq 5 ]
    [[ ${lines[0]} == "MISSING  scenario     "*"relay 'broken' was refused: '$PWD/plugins/relays/broken.so': does not load: file too short" ]]
}

@test "an invalid scenario is not checked: exit 2" {
    scenario '[ngnix]'
    run "$BENCH" check checked.yaml
    [ "$status" -eq 2 ]
    [[ $output == *"unknown relay 'ngnix'"* ]]
    [[ $output == *"did you mean 'nginx'?"* ]]
}

@test "wrong usage is exit 2" {
    run "$BENCH" check a b
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: check: one scenario at a time, not 'a' and 'b'" ]
    run "$BENCH" check --nonsense
    [ "$status" -eq 2 ]
    [ "${lines[0]}" = "bench: check: unknown option '--nonsense'" ]
}

@test "a program of two plugins is named once" {
    run "$BENCH" check
    [ -z "$(grep "^OK       programs " <<<"$output" | sort | uniq -d)" ]
    grep -q "^OK       programs " <<<"$output" || skip "no program of another plugin is here"
}

@test "--help has an example" {
    run "$BENCH" check --help
    [ "$status" -eq 0 ]
    [[ $output == *"bench check none-vs-nginx"* ]]
}

@test "as an ordinary user it says what is lost" {
    [ "$(id -u)" -eq 0 ] || skip "not root already"
    command -v setpriv >/dev/null || skip "no setpriv"
    scenario '[none]'
    chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" 2>/dev/null || :
    setpriv --reuid=65534 --regid=65534 --clear-groups test -r checked.yaml ||
        skip "an ordinary user cannot read the test's directory"
    setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$BUILT" ||
        skip "an ordinary user cannot run the built program"
    run setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILT" check checked.yaml
    echo "$output"
    [ "$status" -eq 0 ]
    well_formed
    grep -q '^WARN     containment  no PID namespaces' <<<"$output"
}

@test "a plugin that is there twice is said once, and not when both are the same" {
    mkdir -p plugins/relays
    cp "$(dirname "$BUILT")/plugins/relays/none.so" plugins/relays/
    export BENCH_PLUGIN_PATH=$PWD/plugins
    for command in check 'list relays'; do
        run "$BENCH" $command
        [[ $output != *shadowed* ]]
    done
    echo >>plugins/relays/none.so # another file, still a library
    for command in check 'list relays'; do
        run "$BENCH" $command
        [ "$(grep -c shadowed <<<"$output")" = 1 ]
    done
    run "$BENCH" list workloads
    [[ $output != *shadowed* ]]
}

@test "options of plugins are wrapped at the terminal's width" {
    COLUMNS=70 "$BENCH" list relays >narrow
    [ "$(grep '^  ' narrow | wc -L)" -le 70 ]
    "$BENCH" list relays >wide # not to a terminal: one a line
    grep -E '^    proxy_buffer_size .*default 16K\)$' wide
}
