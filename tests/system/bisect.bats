#!/usr/bin/env bats
# Which commit made a relay slow: a history of a relay that is made here, "built" by a shell.
bats_require_minimum_version 1.5.0
load common

setup_file() { command -v git >/dev/null || skip "git is not installed"; }

# commit MESSAGE SLOW [BUILD]: a relay that holds everything back, or nothing; BUILD is its build script.
commit() {
    local milliseconds=0
    [ "$2" = slow ] && milliseconds=600000
    printf '#!/bin/sh\nexec "%s/slow_start" "$1" "$2" %s\n' "$FAKES" "$milliseconds" >relay.in
    echo "${3:-mkdir -p bin && cp relay.in bin/relay && chmod +x bin/relay}" >build.sh
    echo "$1" >message
    git add -A
    git commit -qm "$1"
}

# In "repo"; every git of the test sees no configuration but its own.
begin_history() {
    export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org \
        GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
    unset XDG_CACHE_HOME
    mkdir home
    git init -q -b main repo
    cd repo || exit 1
}

scenario() {
    cat >s.yaml <<'END'
bench: 1
workload: {plugin: builtin, mode: rr}
jobs: 1
hops: 1
cpu_limit: 0
warmup: 0s
duration: 60ms
slice: 60ms
reject: nothing
relays:
  - none
  - name: mine
    plugin: command
    path: "{build}/bin"
    options: {command: "relay {listen_port} {connect_port}", stop_signal: KILL}
END
}

# bisect OPTION…: 20 times slower is far beyond any margin here, so few blocks are enough.
given=(s.yaml --arm mine --repo repo --build 'sh build.sh' --margin 100% --error 40% -q)
bisect() { "$BENCH" bisect "${given[@]}" "$@"; }

# The user's repository is as it was, and nothing is left of the builds.
untouched() {
    [ "$(git -C repo worktree list | wc -l)" -eq 1 ]
    [ -z "$(git -C repo status --porcelain)" ]
    [ -z "$(find home/.cache/bench -mindepth 1)" ]
}

# Until the build that touches $STARTED runs.
await_build() {
    local i
    for i in $(seq 600); do
        [ -e "$STARTED" ] && return 0
        sleep .1
    done
    cat log
    return 1
}

answers() { jq -r '.tried[] | .subject + ": " + .answer' out/bisect.json; }

@test "the first bad commit is found, around one that does not build and one that does not start" {
    begin_history
    for i in 1 2 3; do commit "commit $i" fast; done
    commit "commit 4" fast 'echo no compiler >&2; exit 3'
    commit "commit 5" fast
    commit "commit 6" slow
    commit "commit 7" slow 'mkdir -p bin && printf "#!/bin/sh\nexit 4\n" >bin/relay && chmod +x bin/relay'
    commit "commit 8" slow
    commit "commit 9" slow
    cd ..
    scenario
    run bisect --good HEAD~8 --bad main -o out
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"the first bad commit:
  $(git -C repo rev-parse HEAD~3)  commit 6"* ]]
    [[ $output == *"by       operations_per_second -"*", good to bad, after 10 blocks (01-good-and-bad)"* ]]
    [[ $output == *"chance of a wrong commit at most 40%; margin 100%; fixed before the run"* ]]
    run answers
    [[ $output == *"commit 6: like bad"* ]]
    [[ $output == *"commit 5: like good"* ]]
    jq -e '.outcome == "found" and (.candidates | length == 1)' out/bisect.json
    jq -e '[.tried[] | select(.answer == "broken") | .why] | all(. == "the build exits with 3: no compiler" or contains("exit status 4"))' out/bisect.json
    untouched

    # Each comparison is an ordinary run, by a rule that is stored.
    local name
    name=$(jq -r '[.tried[] | select(.answer == "like bad")][0].run' out/bisect.json)
    jq -e '.comparison.margin == 1 and .state == "complete"' "out/$name/run.json"
    run "$BENCH" report "out/$name"
    [ "$status" -eq 0 ]
    [[ $output == *"good $(git -C repo rev-parse --short=10 HEAD~8)"* ]]

    # It is over; asked again it says the same, and measures nothing.
    run "$BENCH" bisect --resume out -q
    [ "$status" -eq 0 ]
    [[ $output == *"commit 6"* ]]
    untouched
}

@test "a history without a difference ends at once" {
    begin_history
    commit "one" fast
    commit "two" fast
    commit "three" fast
    cd ..
    scenario
    run bisect --good HEAD~2 --bad HEAD -o out --margin 400% --keep
    echo "$output"
    [ "$status" -eq 4 ]
    [[ $output == *"no difference between good and bad of at least 400% was shown"* ]]
    jq -e '.outcome == "no difference" and .tried == []' out/bisect.json

    # What was built is kept, as asked.
    local trees
    trees=$(jq -r .trees out/bisect.json)
    [[ $output == *"commits are checked out in '$trees'"* ]]
    [ -x "$trees/$(git -C repo rev-parse --short=12 HEAD)/bin/relay" ]
    [ "$(ls "$trees" | wc -l)" -eq 2 ]
    [ "$(git -C repo worktree list | wc -l)" -eq 3 ]
}

@test "stopped, it goes on; killed, it leaves nothing; into the branch of a merge" {
    begin_history
    commit "base" fast
    git checkout -qb topic
    commit "topic 1" fast
    commit "topic 2" slow 'touch "$STARTED"; sleep 1000'
    commit "topic 3" slow
    git checkout -q main
    git merge -q --no-ff -m "merge topic" topic
    cd ..
    scenario
    export STARTED=$PWD/started
    "$BENCH" bisect "${given[@]}" --good HEAD~1 --bad HEAD -o out >log 2>&1 &
    local bench=$!
    await_build
    kill -TERM $bench
    kill -HUP $bench # the impatient are told as well how it goes on
    status=0
    wait $bench || status=$?
    cat log
    [ "$status" -eq 129 ] || [ "$status" -eq 143 ] # under nohup there is no HUP
    grep -q "stopped early; 'bench bisect --resume $PWD/out' goes on" log
    [ -z "$(leftovers)" ]
    untouched

    # Good and bad need not be compared again.
    rm started
    "$BENCH" bisect --resume out -q >log 2>&1 &
    bench=$!
    await_build
    kill -KILL $bench
    wait $bench || true
    wait_until_clean
    [ "$(jq '.trials' out/bisect.json)" -eq 1 ]

    # The next one finds what the killed one left in the list of work trees. Now the build takes too
    # long, and which commit is the first stays hidden behind it.
    jq '.build_timeout_ns = 300000000' out/bisect.json >changed && mv changed out/bisect.json
    run "$BENCH" bisect --resume out -q
    echo "$output"
    [ "$status" -eq 4 ]
    [[ $output == *"the build takes too long"* ]]
    [[ $output == *"the first bad commit is one of these; all but the last were skipped:
  $(git -C repo rev-parse topic~1)  topic 2
  $(git -C repo rev-parse topic)  topic 3"* ]]
    untouched
}

@test "what good has is not asked about, also where good is on a branch" {
    begin_history
    commit "base" fast
    git checkout -qb topic
    commit "topic 1" fast
    commit "topic 2" slow
    git checkout -q main
    git merge -q --no-ff -m "merge topic" topic
    cd ..
    scenario
    run bisect --good topic~1 --bad HEAD -o out
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"the first bad commit:
  $(git -C repo rev-parse topic)  topic 2"* ]]
    [ "$(answers)" = "topic 2: like bad" ]
    untouched
}

@test "what cannot be asked is refused, and leaves nothing" {
    begin_history
    commit "zero" fast
    commit "one" fast
    commit "two" fast
    cd ..
    scenario
    run bisect --good HEAD --bad HEAD~1 -o out
    [ "$status" -eq 2 ]
    [[ $output == *"is no ancestor of bad"*"good is the older of the two"* ]]
    git clone -q --depth 1 --no-single-branch "file://$PWD/repo" clone
    git -C clone fetch -q --depth 1 origin "$(git -C repo rev-parse HEAD~1)"
    run bisect --repo clone --good "$(git -C repo rev-parse HEAD~1)" --bad HEAD -o out
    [ "$status" -eq 2 ]
    [[ $output == *"is no ancestor of bad"*"this clone is shallow"* ]]
    run bisect --good HEAD~1 --bad HEAD -o out --repeat 5
    [ "$status" -eq 2 ]
    [[ $output == *"repeat: a bisection needs 10 blocks to tell good from bad, not 5"* ]]
    run bisect --good HEAD~2 --bad HEAD -o out --repeat 10 --error 0.1%
    [ "$status" -eq 2 ]
    [[ $output == *"no answer is sure enough after 10 blocks, with an error of 0.1% for 2 commits"* ]]
    [[ $output == *"--repeat 11 or more"* ]]
    run bisect --good HEAD --bad HEAD -o out
    [ "$status" -eq 2 ]
    [[ $output == *"good and bad are the same commit"* ]]
    run bisect --good nothing --bad HEAD -o out
    [ "$status" -eq 2 ]
    [[ $output == *"'nothing' is no commit of"* ]]
    run bisect --good HEAD~1 --bad HEAD -o out --cache repo
    [ "$status" -eq 2 ]
    [[ $output == *"below the work tree"* ]]
    run bisect --good HEAD~1 --bad HEAD -o out --path /usr/sbin
    [ "$status" -eq 2 ]
    [[ $output == *"relay 'mine' is the same for every commit"* ]]
    run "$BENCH" bisect s.yaml --repo repo --good HEAD~1 --bad HEAD --build true
    [ "$status" -eq 2 ]
    [[ $output == *"which of the 2 relays?"*"choose it with --arm"* ]]
    run "$BENCH" bisect s.yaml --good HEAD~1 --bad HEAD
    [ "$status" -eq 2 ]
    [[ $output == *"a bisection needs --build"* ]]
    run "$BENCH" bisect --resume home
    [ "$status" -eq 2 ]
    run "$BENCH" bisect --resume out --good HEAD
    [ "$status" -eq 2 ]
    [[ $output == *"'HEAD' cannot be chosen when a bisection goes on"* ]]
    run bisect --good HEAD~1 --bad HEAD -o out --build 'exit 7'
    [ "$status" -eq 1 ]
    [[ $output == *"the good commit "*"the build exits with 7: it printed nothing"* ]]
    [[ $output != *"goes on"* ]] # it would fail again
    untouched
}
