#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A relay that takes 20 ms longer for each request in its first 2 s, against the same without: with a
# warm-up that covers it the estimate moves by less than 0.5%; without one the report says that the
# window is not steady, and says it of no other. The server takes 20 ms for each request, so that the
# rate follows from these two times and hardly from the machine. Exits 1 when something is wrong, 2 when
# the machine was too busy to tell.
set -u
cd "$(dirname "$0")/../.." || exit 2
bench=$PWD/$BUILD/bench fake=$PWD/$BUILD/tests/fakes/slow_start
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
status=0

cat >s.yaml <<YAML
bench: 1
workload: {plugin: builtin, mode: rr, delay: 20ms}
jobs: 8
hops: 1
cpu_limit: 0
relays:
  - {plugin: command, name: steady, options: {command: "$fake {listen_port} {connect_port} 0"}}
  - {plugin: command, name: slow, options: {command: "$fake {listen_port} {connect_port} 2000"}}
YAML

measure() { # name, flag…
    local name=$1
    shift
    "$bench" run s.yaml "$@" -q -o "run-$name" --format json >"$name.json" 2>err && return
    cat err "$name.json"
    exit 1
}
state() { # ok or WRONG, text
    printf '%-6s warmup: %s\n' "$1" "$2"
    [ "$1" = ok ] || status=1
}
unsteady() { # name: the relays that are said not to be steady
    jq -r '[.warnings[] | select(test("not steady")) | split(":")[0]] | join(" ")' "$1.json"
}
expect() { # name, relays, text
    local found
    found=$(unsteady "$1")
    if [ "$found" = "$2" ]; then state ok "$3"; else state WRONG "$3; got '$found'"; fi
}

# A machine that was busy for a moment is given another chance; figures never are.
for _ in 1 2 3; do
    rm -rf run-covered
    measure covered --warmup 2500ms --duration 3s --repeat 4
    noise=$(jq '[.arms[].metrics.operations_per_second.cv] | max * 100' covered.json)
    busy=$(jq -n --argjson noise "$noise" '$noise > 0.3')
    [ "$busy" = true ] || break
    printf 'cannot be told: the rate of one relay varies by %.3f%% from repetition to repetition\n' "$noise"
done
[ "$busy" = false ] || exit 2
measure none --warmup 0 --duration 5s --repeat 2
shift_of=$(jq '.arms[1].metrics.operations_per_second.ratio | (. - 1) * 100' covered.json)
text=$(printf 'a slow start within the warm-up moves the rate by %.3f%%, must be within 0.5%%' "$shift_of")
if jq -en --argjson s "$shift_of" '$s < 0.5 and $s > -0.5' >/dev/null; then state ok "$text"; else state WRONG "$text"; fi
expect covered '' 'with the warm-up both are steady'
expect none slow 'without a warm-up the slow one, and only it, is not steady'
jq -r '"       " + (.warnings[] | select(test("not steady")))' none.json
exit $status
