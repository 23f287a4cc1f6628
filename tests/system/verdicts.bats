#!/usr/bin/env bats
# What verdicts are on real runs, as far as it can be told on a busy machine; tests/truth/verdicts does
# the rest.
load common

# Two arms of nginx, in blocks of short windows.
scenario() { # key of the second arm, option…
    cat >s.yaml <<END
bench: 1
workload: builtin
hops: 1
cpu_limit: 0.1
warmup: 200ms
duration: 800ms
repeat: 6
reject: nothing
relays:
  - {name: nginx, plugin: nginx}
  - {name: other, plugin: nginx${1:+, $1}}
END
}

@test "half the CPU time is SLOWER" {
    need_root
    need_nginx
    scenario 'cpu_limit: 0.05'
    run "$BENCH" compare s.yaml --dry-run -v
    [[ $output == *"arm 'nginx':"*"arm 'other', CPU limit 0.05:"* ]]
    run "$BENCH" compare s.yaml --repeat 8 -q
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *SLOWER* ]]
    [[ $output == *"relay limit 0.05 to 0.1 CPU per process"* ]]
    [[ $output == *"nginx and other: the same program, libraries and options under both names; CPU limits 0.1 and 0.05"* ]]
    run "$BENCH" report latest --format json
    jq -e '.comparisons[0] | .sign == -1 and .high < 1' <<<"$output"
    jq -e '[.arms[].cpu_limit] == [.1, .05]' <<<"$output"
}

@test "others at work make the environment unfit" {
    local spinner
    timeout 100 sh -c 'while :; do :; done' 3>&- &
    spinner=$!
    run "$BENCH" compare -w builtin -r none --set hops=0 --set cpu_limit=0 --capture stat --capture-cost \
        --warmup 50ms --duration 400ms --set slice=100ms --repeat 6 -q --save-baseline busy
    kill $spinner
    echo "$output"
    [ "$status" -eq 5 ]
    [[ $output == *"ENVIRONMENT UNFIT"* ]]
    [[ $output != *INCONCLUSIVE* && $output != *"SAME within"* ]]
    [[ $output == *"bench: kept as 'busy', but its environment was unfit"* ]]
    [[ $output == *" blocks rejected, more than a quarter: "*"'reject: nothing'"* ]]
    run "$BENCH" report latest --format json
    jq -e '.comparisons[0] | .finding == "unfit" and .sign == 0' <<<"$output"
    jq -e '[.rejected[].why] | length >= 2 and any(contains("others used"))' <<<"$output"
}

# Processes whose working directory is that of the role, in any repetition of the arm 'other'.
working_as() { # role
    find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*/cwd' \
        -lname "$BATS_TEST_TMPDIR/*-other/$1" 2>/dev/null | cut -d/ -f3
}

# Kills the relay of the arm 'other' once its client is there, and waits until it is gone.
kill_one() {
    until [ -n "$(working_as client)" ]; do kill -0 "$bench" && sleep 0.05; done
    sleep 0.2
    # shellcheck disable=SC2046 # each is a word; the worker may have gone with its master
    kill -9 $(working_as relay_1) || true
    until [ -z "$(working_as client)" ]; do sleep 0.05; done
}

@test "a relay that is killed in mid-run: k of n failed, and no verdict" {
    need_root
    need_nginx
    local bench status=0
    scenario
    "$BENCH" compare s.yaml -q >out 2>&1 3>&- &
    bench=$!
    kill_one
    kill_one
    wait $bench || status=$?
    cat out
    [ "$status" -eq 1 ]
    grep -qE "^other .* – +FAILED +4/6 " out # and no size
    grep -q "blocks: 6 run, 0 rejected, 2 failed" out
    run "$BENCH" report latest --format json
    jq -e '.comparisons[0] | .finding == "failed" and .sign == 0 and .failed == 2' <<<"$output"
    jq -e '[.arms[] | [.valid, .failed]] == [[6, 0], [4, 2]]' <<<"$output"
}
